"""Snapshots while members come and go: who votes by them, and who joins by them."""

from __future__ import annotations

from dataclasses import replace

from ledger.keys import BoxKey, Verifier
from p2p.raftlog import read_configuration
from p2p.sync.offer import Offer
from tests.p2p.conftest import TIMING
from tests.p2p.test_node_membership import changing  # noqa: F401 (a fixture)

SHORT = replace(TIMING, snapshot_blocks=4, log_entries_kept=4, replay_blocks_max=8)


def test_a_snapshot_names_who_votes_after_its_block(changing):  # noqa: F811
    async def main(world):
        seen = []
        await world.trade(2)
        for organization in ("noaa", "chamber"):
            via = await world.leader_but(organization)
            approvers = [o for o in ("exporter", "importer", "cbp") if o != via][:2]
            await world.act(via, "orderer.demote", {"organization": organization}, approvers, via=via)
            for _ in range(3):
                node = world.node(via)
                row = node.store.snapshot
                height = Offer.decode(row.data).height
                voters, _ = node.ledger.roster.raft_members_at(height)
                seen.append((height, set(read_configuration(row.configuration).voters), voters))
                await world.trade(1, via)
        return seen

    seen = changing(main, timing=replace(TIMING, snapshot_blocks=1))
    assert all(named == voters for _, named, voters in seen), seen
    assert {len(voters) for _, _, voters in seen} >= {3, 4}


def test_a_new_incarnation_joins_as_a_learner_by_snapshot_and_then_counts(changing):  # noqa: F811
    async def main(world):
        await world.trade(12)
        await world.net.world.crash("noaa")
        world.net.host("noaa").disk.erase()
        await world.act("noaa", "node.replace", world.replacing("noaa", 2), via="cbp")
        await world.trade(12)
        await world.boot("noaa", 6, 2)
        await world.agreed(limit_s=60)
        installed = world.net.told("state.installed", node="noaa")
        await world.ready("noaa", 2)
        await world.agreed()
        await world.net.until(lambda: not world.node("noaa").sync.is_busy, 60)
        report = world.node("noaa").store.verify_all(Verifier())
        for organization in ("chamber", "importer"):
            await world.net.world.crash(organization)
        await world.leader(*world.up)
        await world.trade(1)  # three of five: the new node votes and signs
        return installed, report, world.conf("cbp").voters

    installed, report, voters = changing(main, timing=SHORT)
    assert len(installed) == 1
    assert report.whole, report
    assert 6 in voters


def test_a_member_that_followed_is_promoted_and_orders(changing):  # noqa: F811
    async def main(world):
        await world.trade(3)
        via = await world.leader_but("noaa")
        approvers = [o for o in ("exporter", "importer", "cbp", "chamber") if o != via][:3]
        await world.act(via, "orderer.demote", {"organization": "noaa"}, approvers, via=via)
        await world.net.until(lambda: not world.node("noaa").ordering.orders)
        await world.trade(14, via)  # it follows blocks meanwhile, and the log goes on without it
        await world.agreed()
        followed = world.node("noaa").sync.figures.blocks_followed
        approvers = [o for o in ("exporter", "importer", "cbp", "chamber") if o != via][:3]
        await world.act(via, "orderer.promote", {"organization": "noaa"}, approvers, via=via)
        await world.net.until(lambda: world.node("noaa").ordering.orders, 60)
        await world.ready("noaa")
        await world.trade(3, via)
        await world.agreed(limit_s=60)
        node = world.node("noaa")
        return followed, node.ledger.roster.orderers, node.store.verify_all(Verifier()), world.net.failures

    followed, orderers, report, failures = changing(main, timing=SHORT)
    assert failures == {}
    assert followed >= 10
    assert "noaa" in orderers
    assert report.whole, report


def test_a_snapshot_of_a_block_that_changes_who_votes_is_offered_after_a_restart_and_brings_a_node_in(
    changing,  # noqa: F811
):
    """The last block gave a seat to another, everybody was restarted, and nobody trades."""

    async def main(world):
        away = "chamber"
        others = ["cbp", "exporter", "importer", "noaa"]
        await world.act("cbp", "member.add", world.joining("dhl"), others[1:3])
        await world.boot("dhl", 6)
        await world.agreed()
        await world.net.world.crash(away)
        await world.leader(*others)
        await world.trade(12, "cbp")
        promote = {"organization": "dhl", "in_place_of": "noaa"}
        await world.act("cbp", "orderer.promote", promote, others[1:])
        await world.net.until(lambda: world.node("dhl").ordering.orders, 60)
        await world.ready("dhl")
        await world.agreed("cbp", "exporter", "importer", "dhl")
        height = world.node("cbp").ledger.height
        for session in world.net.sessions.values():
            await session.close()
        world.net.sessions.clear()
        for organization in ("cbp", "exporter", "importer", "dhl"):
            await world.net.world.crash(organization)
        for organization in ("cbp", "exporter", "importer", "dhl"):
            await world.net.restart(organization)
        await world.leader("cbp", "exporter", "importer", "dhl")
        rows = [world.node(o).store.snapshot for o in ("cbp", "exporter", "importer", "dhl")]
        offered = {Offer.decode(row.data).height for row in rows}
        joint = {read_configuration(row.configuration) for row in rows}
        firsts = min(world.node(o).store.first_index for o in ("cbp", "exporter", "importer", "dhl"))
        await world.net.restart(away)
        await world.net.until(lambda: world.node(away).ledger.height == height, 60)
        await world.net.until(lambda: not world.conf(away).is_joint, 60, what="joint for ever")
        return height, offered, joint, firsts, world.conf(away), world.conf("cbp"), world.net.failures

    height, offered, joint, firsts, mine, theirs, failures = changing(main, timing=SHORT)
    assert firsts > 2  # the log does not reach back to where the node that was away stands
    assert offered == {height}
    ((voters, outgoing),) = {(conf.voters, conf.voters_outgoing) for conf in joint}
    assert (voters, outgoing) == ((1, 2, 3, 4, 6), (1, 2, 3, 4, 5))
    assert mine == theirs
    assert failures == {}


def test_a_change_at_a_height_at_which_states_are_kept_is_kept_and_offered_like_any(changing):  # noqa: F811
    async def main(world):
        await world.trade(3)
        await world.act("noaa", "key.rotate", {"box_key": BoxKey(b"b" * 32).public}, via="cbp")  # height 4
        await world.trade(3)
        via = await world.leader_but("noaa")
        approvers = [o for o in ("exporter", "importer", "cbp") if o != via][:2]
        await world.act(via, "orderer.demote", {"organization": "noaa"}, approvers, via=via)  # height 8
        await world.net.until(lambda: world.node(via).sync.keeper.holds(8), what="height 8 is not offered")
        row = world.node(via).store.snapshot
        return Offer.decode(row.data).height, read_configuration(row.configuration).voters

    assert changing(main, timing=SHORT) == (8, (1, 2, 3, 4))


def test_a_state_that_is_kept_is_offered_though_a_snapshot_of_it_came_that_was_passed_over(changing):  # noqa: F811
    """Found by crashes amid changes of members, states kept every two blocks, seed 23: its learner waited for ever."""

    async def main(world):
        await world.act("cbp", "member.add", world.joining("dhl"), ("exporter", "importer"))
        await world.boot("dhl", 6)
        await world.trade(12)
        await world.agreed()
        await world.net.until(lambda: world.node("dhl").sync.keeper.latest is not None)
        await world.act(
            "cbp", "orderer.promote", {"organization": "dhl"}, ("exporter", "importer", "chamber")
        )
        node = world.node("dhl")
        await world.net.until(lambda: node.ordering.figures.snapshots_received, 60, what="no snapshot came")
        await world.net.until(lambda: not node.store.snapshot.awaited, 60)
        height = Offer.decode(node.store.snapshot.data).height
        return node.sync.figures.states_installed, node.sync.keeper.holds(height), node.ordering.log.offers

    installed, is_kept, is_offered = changing(main, timing=SHORT)
    assert installed == 0  # it had followed that far
    assert is_kept
    assert is_offered
