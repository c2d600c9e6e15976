"""Raft at work in a node: who cuts blocks and when, what happens to those that lose, and a log told to change."""

from __future__ import annotations

import asyncio

import pytest

from consensus import Entry, EntryType, Message, MessageType, Role
from ledger.genesis import Limits
from p2p.driver import TIMER_SLACK


def receipts(net, organization):
    return [receipt.id for receipt in net.node(organization).store.receipts(-1, 500)]


@pytest.mark.slow
def test_nobody_cuts_blocks_when_nothing_waits(five):
    async def main(net):
        await net.leader()
        await net.certify_many(1)
        await net.settled()
        before = [node.store.last_index for node in net.nodes]
        await asyncio.sleep(60)
        return before == [node.store.last_index for node in net.nodes]

    assert five(main)


def test_a_block_is_cut_when_the_oldest_has_waited_the_interval_or_the_block_is_full(five):
    async def main(net):
        leader = await net.leader()
        await net.certify_many(1, leader)
        node = net.node(leader)

        async def cut_after(count):
            """Return how long `count` transactions waited for their block, in seconds."""
            before = node.ordering.cutting.figures.blocks_proposed
            begun = net.kit.loop.time()
            node.intake.receive("cbp", [net.sign().raw for _ in range(count)])
            node.driver.wake()
            await net.until(lambda: node.ordering.cutting.figures.blocks_proposed > before, every_s=0.001)
            took = net.kit.loop.time() - begun
            await net.settled()
            return took

        return await cut_after(5), await cut_after(1), node.ledger.height

    full, waited, height = five(main, limits=Limits(block_transactions_max=5))
    assert full < 0.005
    assert 0.05 - TIMER_SLACK <= waited < 0.06
    assert height == 3


def test_a_leader_that_lost_its_followers_stops_cutting_at_the_limit(five):
    async def main(net):
        leader = await net.leader()
        await net.certify_many(1, leader)
        net.world.partition([[leader], [o for o in net.up if o != leader]])
        node = net.node(leader)
        peak = 0
        for _ in range(14):
            await net.post(net.sign(), leader)
            await asyncio.sleep(0.06)
            peak = max(peak, node.ordering.chain.in_flight)
        return peak, node.config.timing.blocks_in_flight_max

    peak, limit = five(main)
    assert 1 < peak <= limit


def test_what_a_deposed_leader_had_ordered_is_ordered_again_once(five):
    async def main(net):
        """The leader orders alone on one side of 1 | 4 while the others elect another and go on."""
        leader = await net.leader()
        first = net.sign()
        await net.certify(first, leader)
        others = [o for o in net.up if o != leader]
        mend = net.world.partition([[leader], others])
        lost = [net.sign() for _ in range(3)]
        for signed in lost:
            await net.post(signed, leader)
            await asyncio.sleep(0.06)
        ordered = await net.get(leader, f"/v1/transactions/{lost[0].id.hex()}?wait=ordered")
        await net.until(lambda: any(net.node(o).ordering.is_leader for o in others))
        kept = net.sign()
        await net.certify(kept, others[0])
        mend()
        pool = net.node(leader).pool
        await net.until(
            lambda: lost[0].id in pool and not pool.is_ordered(lost[0].id, 1 << 62), every_s=0.001
        )
        for signed in lost:
            await net.get(leader, f"/v1/transactions/{signed.id.hex()}?wait=certified")
        await net.settled()
        everybody = [receipts(net, o) for o in net.up]
        codes = [{r.code for r in node.store.receipts(-1, 100)} for node in net.nodes]
        forked = [node.ordering.forked for node in net.nodes]
        refused = [node.ordering.figures.blocks_refused for node in net.nodes]
        return (
            ordered.json["status"],
            everybody,
            sorted([*(s.id for s in lost), first.id, kept.id]),
            codes,
            forked,
            refused,
        )

    status, everybody, wanted, codes, forked, refused = five(main)
    assert status == "ordered"
    assert everybody == [everybody[0]] * 5
    assert sorted(everybody[0]) == wanted
    assert codes == [{"VALID"}] * 5
    assert forked == [None] * 5
    assert refused == [0] * 5


@pytest.mark.slow
def test_blocks_sent_ahead_of_their_answers_are_never_taken_for_bad_ones(five):
    async def main(net):
        leader = await net.leader()
        for _ in range(10):
            await asyncio.gather(*(net.post(net.sign(), leader) for _ in range(6)))
        await net.settled()
        return [node.ordering.figures.blocks_refused for node in net.nodes], net.node(leader).ledger.height

    refused, height = five(main, limits=Limits(block_transactions_max=2))
    assert refused == [0] * 5
    assert height >= 30


def test_a_new_leader_cuts_nothing_before_an_entry_of_its_own_term_is_applied(five):
    async def main(net):
        """Cut off as it is elected, a leader has what waits, but cannot know its chain yet."""
        leader = await net.leader()
        net.world.partition([[leader], [o for o in net.up if o != leader]])
        await net.post(net.sign(), leader)
        await asyncio.sleep(0.5)
        ordering = net.node(leader).ordering
        return ordering.is_leader, ordering.cutting.figures.blocks_proposed, len(net.node(leader).pool)

    assert five(main) == (True, 0, 1)


def test_a_full_log_of_uncommitted_blocks_does_not_spin(five):
    """A leader that may not propose more looks again at the next interval, not at once."""

    async def main(net):
        leader = await net.leader()
        await net.certify_many(1, leader)
        net.world.partition([[leader], [o for o in net.up if o != leader]])
        node = net.node(leader)
        core = node.ordering.raw._core
        core.uncommitted_bytes = core.config.uncommitted_bytes_max
        await net.post(net.sign(), leader)
        before = node.driver.figures.turns
        await asyncio.sleep(0.5)
        return node.driver.figures.turns - before

    assert five(main) < 60


# A log that is told to change what was committed.


@pytest.fixture(scope="module")
def forked(five):
    """A node that a leader of a later term told to replace its first entry, and what it did then."""

    async def main(net):
        leader = await net.leader()
        await net.certify_many(1)
        await net.settled()
        victim = next(o for o in net.up if o not in {leader, "exporter"})
        node = net.node(victim)
        liar = net.genesis.raft_id(leader)
        entry = Entry(node.ordering.raw.term + 1, 1, EntryType.NORMAL, b"")
        message = Message(MessageType.APPEND, node.ordering.raw.id, liar, entry.term, entries=(entry,))
        node.ordering.receive(leader, [list(message.to_fields())])
        sent_before = node.links.figures.frames_sent
        last = node.store.last_index
        await net.certify_many(2)
        await asyncio.sleep(10)
        answers = {
            "health": await net.get(victim, "/v1/health"),
            "block": await net.get(victim, "/v1/blocks/1"),
            "receipts": await net.get(victim, "/v1/receipts"),
        }
        record = net.told("raft.forked", node=victim)
        heights = [other.ledger.height for other in net.nodes if other is not node]
        state = node.ledger.height, node.store.last_index - last, node.ordering.raw.role
        return answers, record, heights, state, node.links.figures.frames_sent - sent_before

    return five(main)


def test_a_node_told_to_replace_what_was_committed_refuses_and_says_so(forked):
    answers, record, *_ = forked
    assert answers["health"].json["status"] == "forked"
    assert "entry 1" in answers["health"].json["reason"]
    assert len(record) == 1


def test_a_forked_node_follows_nobody_and_proposes_nothing(forked):
    _, _, _, (height, appended, role), _ = forked
    assert (height, appended) == (1, 0)
    assert role is not Role.LEADER


def test_a_forked_node_still_answers_its_organization_and_the_others_go_on(forked):
    answers, _, heights, *_ = forked
    assert answers["block"].status == answers["receipts"].status == 200
    assert heights == [3] * 4
