"""Snapshots while members come and go: who votes by them, and who joins by them."""

from __future__ import annotations

from dataclasses import replace

from ledger.keys import Verifier
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
