"""Links between peers: one per pair, dialed again, never waited for without end, bounded."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import aiohttp
import pytest

from consensus import Entry, EntryType, Message, MessageType
from ledger.keys import Verifier
from ledger.roster import Roster
from p2p.config import NodeConfig
from p2p.errors import ConfigError
from p2p.framecodec import CHECKSUM_BYTES, encode_frame
from p2p.frames import (
    FRAME_BYTES_AIMED,
    FRAME_BYTES_MAX,
    TRANSACTIONS_MAX,
    FrameKind,
    RaftFrame,
    TransactionsFrame,
)
from p2p.hello import Identity, shake_hands
from p2p.link import QUEUE_BYTES_MAX, Link
from p2p.repair import frames_of

TARGET = "exporter"


def meshed(net):
    return all(len(node.links.connected) == len(net.up) - 1 for node in net.nodes)


async def second_link(net, session, who="cbp"):
    """Open another link with the keys of a node, as after a connection that died on one side only."""
    socket = await session.ws_connect(net.peer_url(TARGET) + "/peer", compress=0)
    await shake_hands(
        Identity(
            Roster.of_genesis(net.genesis),
            who,
            net.founding.secrets[who].node_key,
            1,
            net.node(who).store.store_id,
        ),
        Verifier(),
        challenge=b"c" * 32,
        expected=TARGET,
        send=socket.send_bytes,
        receive=socket.receive_bytes,
    )
    return socket


def test_a_newer_link_replaces_the_older_and_gets_what_that_may_have_lost(five):
    async def main(net):
        await net.leader()
        net.kit.add_host("mallory")
        with net.kit.network.as_host("mallory"):
            async with aiohttp.ClientSession() as session:
                socket = await second_link(net, session)
                first = await socket.receive_bytes()
                while first[CHECKSUM_BYTES + 1] != FrameKind.HAVE:  # behind whatever Raft has to say
                    first = await socket.receive_bytes()
                count = (
                    net.node(TARGET).links.connected.count("cbp"),
                    len(net.told("link.closed", node=TARGET)),
                )
                await socket.close()
        expired = net.told("link.expired", node=TARGET)
        await net.until(lambda: meshed(net))
        await net.certify_many(1, TARGET)
        return count, [(r["peer"], r["reason"]) for r in expired]

    count, expired = five(main)
    assert count == (1, 1)
    assert expired == [("cbp", "replaced by a newer link")]


def test_links_are_dialed_again_after_a_crash_of_either_side(five):
    async def main(net):
        await net.leader()
        for organization in ("cbp", "noaa"):
            await net.world.crash(organization)
            await net.until(lambda: meshed(net))
            await net.restart(organization)
            await net.until(lambda: meshed(net) and len(net.up) == 5)
        await net.certify_many(1)
        await net.settled()
        return [node.ledger.height for node in net.nodes]

    assert five(main) == [1] * 5


def test_a_link_that_heard_nothing_is_closed_and_dialed_again(five):
    async def main(net):
        await net.leader()
        mend = net.world.partition([["noaa"], [o for o in net.up if o != "noaa"]])
        await asyncio.sleep(40)
        apart = net.told("link.expired")
        mend()
        await net.until(lambda: meshed(net))
        await net.certify_many(1, "noaa")
        return apart

    apart = five(main)
    assert {record["node"] for record in apart if record["peer"] == "noaa"} == {
        "cbp",
        "exporter",
        "importer",
        "chamber",
    }
    assert {record["reason"] for record in apart} == {"nothing heard for too long"}


@pytest.mark.parametrize("gone", ["cbp", "importer", "noaa"])  # dials all, some, none of the others
def test_who_lost_its_ends_unknown_to_the_others_is_linked_again_at_once(five, gone):
    """Found by the campaign of storm, seed 47: who is always dialed waited 25 s for the others to notice."""

    async def main(net):
        await net.leader()
        await asyncio.sleep(1)
        lost = net.world.forsake([(gone, other) for other in net.up if other != gone])
        begun = net.kit.loop.time()
        await net.until(lambda: len(net.node(gone).links.connected) < 4)
        await net.until(lambda: meshed(net), 10)
        await net.certify_many(1, gone)
        return lost, net.kit.loop.time() - begun, {r["reason"] for r in net.told("link.expired")}

    lost, took_s, reasons = five(main)
    assert lost == 4
    assert took_s < 5
    assert reasons <= {"its other end is gone", "replaced by a newer link"}


def test_a_link_over_which_something_just_came_is_not_given_up_for_who_asks_for_a_dial(five):
    """Whoever has a peer's key can ask in its name; what shows that the link lives counts for more."""

    async def main(net):
        leader = await net.leader()
        if leader in {"cbp", TARGET}:
            net.node(leader).ordering.hand_over("noaa")
            net.node(leader).driver.wake()
            await net.until(lambda: net.node("noaa").ordering.is_leader)
        net.kit.add_host("mallory")
        with net.kit.network.as_host("mallory"):
            async with aiohttp.ClientSession() as session:
                socket = await second_link(net, session, "noaa")
                message = await socket.receive()
        await asyncio.sleep(1)
        return message, net.told("link.expired", node=TARGET), meshed(net)

    message, expired, is_meshed = five(main)
    assert (message.type, message.extra) == (aiohttp.WSMsgType.CLOSE, "this side dials")
    assert expired == []
    assert is_meshed


@pytest.mark.slow
def test_quiet_links_stay_open(five):
    async def main(net):
        await net.leader()
        await asyncio.sleep(120)
        return net.told("link.closed"), meshed(net)

    assert five(main) == ([], True)


def test_a_dialer_gives_up_on_who_does_not_answer_and_tries_again(five):
    async def main(net):
        """noaa takes the connection and says nothing, then loses its power: nobody tells the dialer."""
        await net.leader()
        await net.world.crash("noaa")
        await net.restart("noaa")
        await net.world.pause("noaa")
        await net.until(lambda: "noaa" not in net.node("cbp").links.connected, 60)
        await asyncio.sleep(3)
        await net.world.power_loss(["noaa"])
        await net.restart("noaa")
        begun = net.kit.loop.time()
        await net.until(lambda: meshed(net))
        return net.kit.loop.time() - begun

    assert five(main) < 10


def test_a_node_stops_in_seconds_whatever_its_peers_do(five):
    async def main(net):
        await net.leader()
        await net.world.pause("noaa")
        await net.world.pause("chamber")
        begun = net.kit.loop.time()
        net.node("cbp").stop()
        await net.until(lambda: not net.host("cbp").is_up)
        return net.kit.loop.time() - begun, net.failures

    took, failures = five(main)
    assert took < 6
    assert failures == {}


def test_a_stopped_node_tells_its_peers_at_once(five):
    async def main(net):
        await net.leader()
        net.node("noaa").stop()
        await net.until(lambda: not net.host("noaa").is_up)
        await net.until(lambda: all("noaa" not in node.links.connected for node in net.nodes), 1)
        await asyncio.sleep(1)
        return net.failures

    assert five(main) == {}


# Queues and sizes.


@pytest.fixture
def link():
    async def make():
        return Link("peer", None, 0.0)

    return asyncio.run(make())


def test_raft_s_frames_go_first(link):
    link.put(b"gossip", urgent=False)
    link.put(b"raft", urgent=True)
    assert [link.take(), link.take(), link.take()] == [b"raft", b"gossip", None]


def test_a_full_queue_drops_the_oldest_gossip_first_and_raft_last(link):
    part = b"x" * (QUEUE_BYTES_MAX // 4)
    assert [link.put(part + bytes([n]), urgent=n == 1) for n in range(3)] == [0, 0, 0]
    assert link.put(part, urgent=True) == 1
    assert link.take() == part + b"\x01"
    assert link.take() == part
    assert link.take() == part + b"\x02"
    assert link.take() is None
    assert link.queued_bytes == 0


def test_a_queue_never_holds_more_than_its_bytes(link):
    for _ in range(40):
        link.put(b"x" * (1 << 20), urgent=True)
        assert link.queued_bytes <= QUEUE_BYTES_MAX


def test_transactions_travel_in_frames_that_a_peer_takes():
    raws = [b"x" * 16384] * 1500
    batches = list(frames_of(raws, None))
    assert sum(len(batch) for batch in batches) == 1500
    assert all(len(encode_frame(TransactionsFrame(batch))) < FRAME_BYTES_MAX for batch in batches)
    assert [len(batch) for batch in frames_of([b"x"] * 1500, None)] == [
        TRANSACTIONS_MAX,
        1500 - TRANSACTIONS_MAX,
    ]
    assert sum(len(batch) for batch in frames_of(raws, 1 << 20)) == 64
    assert list(frames_of([], None)) == []


def test_raft_messages_travel_in_frames_that_a_peer_takes(five):
    async def main(net):
        ordering = net.node("cbp").ordering
        entries = [Entry(1, n, EntryType.NORMAL, b"b" * (1 << 20)) for n in range(1, 21)]
        messages = [
            Message(MessageType.APPEND, to, 1, 1, entries=(entry,)) for entry in entries for to in (2, 3)
        ]
        return ordering.peers.addressed(messages)

    groups = five(main)
    for peer, to in (("exporter", 2), ("importer", 3)):
        mine = [group for one, group in groups if one == peer]
        sent = [message for group in mine for message in group]
        assert [message[10][0][1] for message in sent] == list(range(1, 21))
        assert {message[1] for message in sent} == {to}
        assert all(len(encode_frame(RaftFrame(group))) < FRAME_BYTES_AIMED + (1 << 20) for group in mine)


def test_limits_that_no_frame_could_carry_are_refused(five):
    async def main(net):
        config: NodeConfig = net.node("cbp").config
        limits = replace(config.genesis.limits, block_bytes_max=FRAME_BYTES_MAX)
        with pytest.raises(ConfigError, match="block_bytes_max: 8388608 bytes do not fit a frame"):
            replace(config, genesis=replace(config.genesis, limits=limits))

    five(main)
