"""An orderer that fell behind what the log still has: snapshot, state, and the history it passed over."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from consensus import Role
from ledger.encoding import decode, encode
from ledger.keys import Verifier
from p2p.frames import BlocksFrame, LogPartFrame, StatePartFrame
from p2p.linkweather import LinkWeather
from p2p.raftlog import configuration_bytes, read_configuration
from p2p.sync.offer import Offer
from p2p.sync.serving import Serving
from scenarios.trial.directions import links_of
from tests.p2p.conftest import LIMITS, TIMING

SHORT = replace(TIMING, snapshot_blocks=4, log_entries_kept=4)
SLOW = replace(SHORT, sync_questions_max=1)
"""One question at a time, so that there is a middle to be disturbed in."""


async def whole(net, organization, limit_s=60):
    """Wait until a node has the whole history."""
    await net.until(lambda: not net.node(organization).sync.is_busy, limit_s, f"{organization} is not whole")


async def behind(net, blocks=20):
    """Crash a follower and let the others go on beyond what the log keeps; return it, still down."""
    lagging = await net.follower()
    writer = next(o for o in net.up if o != lagging)
    await net.certify_many(2, writer)
    await net.settled()
    await net.world.crash(lagging)
    await net.certify_many(blocks, writer)
    await net.settled()
    return lagging


def in_small_chunks(net, bytes_aimed=300):
    for node in net.nodes:
        node.sync.serving.chunk_bytes = bytes_aimed


async def judged(net, lagging):
    """Wait until everything is well, and return what a test wants to know of the node that lagged."""
    await net.settled(60)
    await whole(net, lagging)
    node = net.node(lagging)
    other = net.node(next(o for o in net.up if o != lagging))
    assert net.failures == {}
    assert node.ledger.checkpoint == other.ledger.checkpoint
    assert node.store.receipts(-1, 500) == other.store.receipts(-1, 500)
    report = node.store.verify_all(Verifier())
    assert report.whole, report
    assert report.blocks == node.ledger.height
    return node


def test_an_orderer_behind_the_log_gets_a_snapshot_and_then_the_history(five):
    async def main(net):
        lagging = await behind(net)
        first = net.node(await net.leader()).store.first_index
        await net.restart(lagging)
        await judged(net, lagging)
        return first, net.told("state.installed", node=lagging), net.told("block.executed", node=lagging)

    first, installed, executed = five(main, timing=SHORT)
    assert first > 10
    assert [record["height"] for record in installed] == [20]
    assert [record["height"] for record in executed] == [1, 2, 21, 22]


def test_compaction_keeps_nobody_out_who_is_within_what_is_kept(five):
    async def main(net):
        await net.certify_many(20)
        lagging = await net.follower()
        await net.world.crash(lagging)
        await net.certify_many(3, next(o for o in net.up if o != lagging))
        await net.restart(lagging)
        await judged(net, lagging)
        firsts = [node.store.first_index for node in net.nodes]
        return firsts, net.told("state.installed")

    firsts, installed = five(main, timing=SHORT)
    assert min(firsts) > 10
    assert installed == []


# In the middle.


@pytest.mark.parametrize("fault", ["crash", "power loss"])
def test_a_receiver_that_dies_while_receiving_goes_on_where_it_was(five, fault):
    # Known bugs 23 and 29: the receiver of a snapshot crashes.
    async def main(net):
        lagging = await behind(net)
        in_small_chunks(net)
        await net.restart(lagging)
        taken = []
        for _ in range(3):
            await net.until(lambda: net.node(lagging).sync.figures.chunks_taken >= 18)
            node = net.node(lagging)
            assert (node.ledger.height, node.store.snapshot.awaited) == (2, True)
            taken.append(node.sync.figures.chunks_taken)
            if fault == "crash":
                await net.world.crash(lagging)
            else:
                await net.world.power_loss([lagging])
            await net.restart(lagging)
        await judged(net, lagging)
        return taken, net.told("state.installed", node=lagging), net.told("sync.state_wanted", node=lagging)

    taken, installed, wanted = five(main, timing=SLOW)
    assert len(wanted) == 4
    assert len(installed) == 1
    all_chunks = installed[0]["chunks"] + sum(taken)
    assert installed[0]["chunks"] < all_chunks / 2  # what was here was not fetched again


def test_power_lost_again_and_again_leaves_the_old_ledger_or_the_new_one(five, monkeypatch):
    monkeypatch.setattr("p2p.sync.backfill.LEAVES_LEVEL", 2)
    monkeypatch.setattr("p2p.sync.backfill.BLOCKS_COUNT", 1)

    async def main(net):
        lagging = await behind(net)
        in_small_chunks(net, 1000)
        seen = []
        while len(seen) < 40:
            await net.restart(lagging)
            await asyncio.sleep(0.32 + 0.004 * len(seen))
            node = net.node(lagging)
            gaps = sum(gap.leaf_end - gap.leaf_first for gap in node.store.gaps)
            seen.append(
                (node.ledger.height, node.store.snapshot.awaited, gaps, len(node.store.absent_blocks))
            )
            if node.ledger.height:
                other = net.node(await net.leader())
                assert node.ledger.block_hash == other.store.block_hash(node.ledger.height)
            if node.ledger.height == 22 and not node.sync.is_busy:
                break
            await net.world.power_loss([lagging])
        await judged(net, lagging)
        return seen

    seen = five(main, timing=SLOW)
    assert {height for height, awaited, _, _ in seen if awaited} == {2}
    assert len({gaps for _, _, gaps, _ in seen}) > 3
    assert len({absent for _, _, _, absent in seen}) > 3
    assert seen[-1] == (22, False, 0, 0)


def test_the_servers_change_snapshots_in_the_middle(five):
    # Known bug 29: two snapshots close together. Each is gone from the servers with the next but one.
    async def main(net):
        lagging = await behind(net)
        in_small_chunks(net)
        await net.restart(lagging)
        await net.until(lambda: net.node(lagging).sync.figures.chunks_taken >= 3)
        writer = next(o for o in net.up if o != lagging)
        await net.certify_many(14, writer)
        await judged(net, lagging)
        return net.told("sync.state_wanted", node=lagging), net.told("state.installed", node=lagging)

    wanted, installed = five(main, timing=SLOW)
    assert len(wanted) > len(installed) == 1
    assert installed[0]["height"] == wanted[-1]["height"] > 20


def test_the_leader_dies_while_a_state_is_fetched_from_it(five):
    async def main(net):
        lagging = await behind(net)
        in_small_chunks(net)
        await net.restart(lagging)
        await net.until(lambda: net.node(lagging).sync.figures.chunks_taken >= 3)
        await net.world.crash(await net.leader())
        await judged(net, lagging)

    five(main, timing=SLOW)


def test_a_state_is_fetched_through_heavy_loss(five):
    async def main(net):
        lagging = await behind(net)
        in_small_chunks(net)
        net.world.shape(links_of(net.world.organizations, [lagging]), LinkWeather(loss=0.2))
        await net.restart(lagging)
        await net.settled(200)
        await whole(net, lagging, 200)
        return net.node(lagging).store.verify_all(Verifier()), net.failures

    report, failures = five(main, timing=SHORT)
    assert failures == {}
    assert report.whole, report


def test_while_its_state_is_awaited_a_node_stores_and_votes_but_neither_executes_nor_stands(five):
    async def main(net):
        lagging = await behind(net)
        for organization in net.up:
            lie(net, organization, times=-1, chunk=lambda frame: replace(frame, chunk=b""))
        await net.restart(lagging)
        await net.until(lambda: net.node(lagging).store.snapshot.awaited)
        crashed = [o for o in net.up if o not in {lagging, await net.leader()}][:2]
        for organization in crashed:
            await net.world.crash(organization)
        writer = await net.leader()
        answer = await net.ask(writer, "POST", "/v1/transactions", net.sign().raw)
        await net.until(
            lambda: net.node(writer).ledger.height == 23
        )  # three of five have it: lagging's disk counts
        await net.world.crash(writer)
        await asyncio.sleep(10)
        node = net.node(lagging)
        return answer, node.ledger.height, node.store.last_index, node.ordering.raw, node.store.hard_state()

    answer, height, last_index, raw, hard_state = five(main, timing=SHORT)
    assert answer.status == 202
    assert height == 2
    assert last_index >= 23
    assert raw.role is Role.FOLLOWER
    assert hard_state[2] < last_index


# Dishonest servers.


class LyingServing(Serving):
    """Answers that a test spoils, so many times."""

    __slots__ = ()

    def state(self, frame):
        for part in super().state(frame):
            yield self._spoiled("chunk", part)

    def log(self, frame):
        return self._spoiled("log", super().log(frame))

    def blocks_from(self, frame):
        return self._spoiled("blocks", super().blocks_from(frame))

    def _spoiled(self, kind, part):
        spoils = LIES[id(self)]
        if kind not in spoils or spoils["times"] == 0:
            return part
        spoils["times"] -= 1
        return spoils[kind](part)


LIES = {}


def lie(net, organization, *, times=1, **spoil):
    serving = net.node(organization).sync.serving
    serving.__class__ = LyingServing
    LIES[id(serving)] = {"times": times, **spoil}


def other_value(part: StatePartFrame) -> StatePartFrame:
    chunk = decode(part.chunk, limit_bytes=1 << 20)
    if chunk["items"]:
        chunk["items"][0][1] += b"!"
    else:
        chunk["hashes"][3] = b"h" * 32
    return replace(part, chunk=encode(chunk))


def truncated(part: StatePartFrame) -> StatePartFrame:
    chunk = decode(part.chunk, limit_bytes=1 << 20)
    chunk["items"] = chunk["items"][:-1]
    chunk["hashes"] = chunk["hashes"][:-1]
    return replace(part, chunk=encode(chunk))


def other_leaf(part: LogPartFrame) -> LogPartFrame:
    return replace(part, pieces=[*part.pieces[:-1], part.pieces[-1][:-1] + b"?"])


def fewer_leaves(part: LogPartFrame) -> LogPartFrame:
    return replace(part, pieces=list(part.pieces)[:-1])


def other_signature(part: BlocksFrame) -> BlocksFrame:
    block = decode(part.blocks[0], limit_bytes=LIMITS.block_bytes_max)
    block["signature"] = bytes(64)
    return replace(part, blocks=[encode(block), *part.blocks[1:]])


def other_transaction(part: BlocksFrame) -> BlocksFrame:
    block = decode(part.blocks[0], limit_bytes=LIMITS.block_bytes_max)
    block["transactions"] = []
    return replace(part, blocks=[encode(block), *part.blocks[1:]])


def next_block(part: BlocksFrame) -> BlocksFrame:
    return replace(part, blocks=list(part.blocks)[1:])


SPOILS = {
    "chunk with another value": {"chunk": other_value},
    "truncated chunk": {"chunk": truncated},
    "chunk that is none": {"chunk": lambda part: replace(part, chunk=b"rubbish")},
    "another leaf": {"log": other_leaf},
    "a leaf too few": {"log": fewer_leaves},
    "a block with another signature": {"blocks": other_signature},
    "a block without its transactions": {"blocks": other_transaction},
    "the next block in its place": {"blocks": next_block},
}


@pytest.mark.parametrize("what", SPOILS)
def test_what_a_dishonest_server_sends_is_refused_and_fetched_again(five, what):
    async def main(net):
        lagging = await behind(net)
        for organization in net.up:
            lie(net, organization, **SPOILS[what])
        await net.restart(lagging)
        node = await judged(net, lagging)
        return node.sync.figures.answers_refused, net.told("sync.answer_refused", node=lagging)

    refused, told = five(main, timing=SHORT)
    assert refused == len(told) > 0
    assert told[0]["reason"]


def forged(kind, row, genesis):
    """Return the leader's snapshot row with something in it that does not hold."""
    offer = Offer.decode(row.data)
    if kind == "too few signatures":
        text, _, signatures = offer.note.rpartition("\n\n")
        lines = signatures.splitlines()[: genesis.quorum - 1]
        return replace(row, data=replace(offer, note="\n".join([text, "", *lines, ""])).encode())
    if kind == "another state":
        lines = offer.note.splitlines()
        lines[5] = "state " + "A" * 43 + "="
        return replace(row, data=replace(offer, note="\n".join([*lines, ""])).encode())
    if kind == "another header":
        header = replace(offer.header, time_ms=offer.header.time_ms + 1)
        return replace(row, data=replace(offer, header=header).encode())
    if kind == "another log":
        return replace(row, data=replace(offer, frontier=(b"f" * 32, *offer.frontier[1:])).encode())
    if kind == "other voters":
        conf = read_configuration(row.configuration)
        return replace(row, configuration=configuration_bytes(replace(conf, voters=conf.voters[:2])))
    if kind == "another term":
        return replace(row, term=row.term + 1)
    return replace(row, data=b"rubbish")


@pytest.mark.parametrize(
    "kind",
    [
        "too few signatures",
        "another state",
        "another header",
        "another log",
        "another term",
        "other voters",
        "rubbish",
    ],
)
def test_a_snapshot_that_does_not_hold_is_refused_and_its_leader_left(five, kind):
    async def main(net):
        lagging = await behind(net)
        liar = await net.leader()
        store = net.node(liar).store
        store._snapshot = forged(kind, store.snapshot, net.genesis)
        await net.restart(lagging)
        figures = net.node(lagging).ordering.figures
        await net.until(lambda: figures.snapshots_refused + figures.messages_refused > 0)
        node = net.node(lagging)
        standing = (node.ledger.height, node.store.snapshot.awaited, node.ordering.awaited_index)
        await net.world.crash(liar)
        await net.settled(60)
        return standing, net.told("state.installed", node=lagging)

    standing, installed = five(main, timing=SHORT)
    assert standing == (2, False, None)
    assert len(installed) == 1
