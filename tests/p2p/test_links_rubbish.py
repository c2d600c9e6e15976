"""Rubbish on the peer port closes its own link with a reason, is counted, and disturbs nobody."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import aiohttp
import msgpack
import pytest

from ledger.keys import SigningKey, Verifier
from ledger.roster import Roster
from p2p.framecodec import CHECKSUM_BYTES, encode_frame, with_checksum
from p2p.frames import (
    FRAME_BYTES_MAX,
    CheckpointFrame,
    HaveFrame,
    RaftFrame,
)
from p2p.hello import CHALLENGE_BYTES, Identity, decode_opening, shake_hands

TARGET = "exporter"  # cbp, with the lowest id, dials it


@asynccontextmanager
async def mallory(net):
    """A session on a host of no member."""
    if not any(host.name == "mallory" for host in net.kit.hosts):
        net.kit.add_host("mallory")
    with net.kit.network.as_host("mallory"):
        async with aiohttp.ClientSession() as session:
            yield session


async def dial(net, session, target=TARGET):
    return await session.ws_connect(net.peer_url(target) + "/peer", compress=0, max_msg_size=1 << 25)


async def end_of(socket):
    """Read until the other side closes; return code and reason."""
    while True:
        message = await socket.receive()
        if message.type is aiohttp.WSMsgType.CLOSE:
            return message.data, message.extra
        if message.type in {aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR, aiohttp.WSMsgType.CLOSING}:
            return socket.close_code, ""


def identity(net, organization, key=None):
    own = key or net.founding.secrets[organization].node_key
    store_id = net.node(organization).store.store_id if organization in net.up else bytes(16)
    return Identity(Roster.of_genesis(net.genesis), organization, own, 1, store_id)


async def shake(net, socket, who, expected=TARGET):
    await shake_hands(
        who,
        Verifier(),
        challenge=net.kit.random("mallory").randbytes(CHALLENGE_BYTES),
        expected=expected,
        send=socket.send_bytes,
        receive=socket.receive_bytes,
    )


async def as_cbp(net, session):
    """Open a link with the keys of cbp's node: a member that has gone bad."""
    socket = await dial(net, session)
    await shake(net, socket, identity(net, "cbp"))
    return socket


# What is no peer at all.


async def plain_get(net, session):
    async with session.get(net.peer_url(TARGET) + "/") as response:
        return response.status, await response.text()


async def plain_peer(net, session):
    async with session.get(net.peer_url(TARGET) + "/peer") as response:
        return response.status, await response.text()


async def post(net, session):
    async with session.post(net.peer_url(TARGET) + "/peer", data=b"x" * 1000) as response:
        return response.status, await response.text()


async def random_bytes(net, session):
    host = net.host(TARGET)
    reader, writer = await asyncio.open_connection(host.address, 7000)
    writer.write(net.kit.random("noise").randbytes(4000) + b"\r\n\r\n")
    data = await reader.read()
    writer.close()
    return int(data.split()[1]), ""


async def opening(net, session, *messages):
    socket = await dial(net, session)
    for message in messages:
        await (socket.send_str(message) if isinstance(message, str) else socket.send_bytes(message))
    return await end_of(socket)


async def text(net, session):
    return await opening(net, session, "hello")


async def noise(net, session):
    return await opening(net, session, b"\xc1noise")


async def long_opening(net, session):
    return await opening(net, session, b"x" * 5000)


async def silence(net, session):
    return await opening(net, session)


async def closes_at_once(net, session):
    socket = await dial(net, session)
    await socket.close()
    return 1000, ""


async def stranger(net, session):
    key = SigningKey.from_seed(b"m" * 32)
    packed = msgpack.packb([1, net.genesis.network, "mallory", 1, bytes(16), b"c" * 32])
    return await opening(net, session, packed, key.sign_bytes(b"hello"))


async def other_network(net, session):
    return await opening(
        net, session, msgpack.packb([1, "other-0123456789abcdef", "cbp", 1, bytes(16), b"c" * 32])
    )


async def borrowed_name(net, session):
    socket = await dial(net, session)
    thief = identity(net, "cbp", SigningKey.from_seed(b"m" * 32))
    mine = thief.opening(b"c" * 32)
    await socket.send_bytes(mine.encode())
    theirs = decode_opening(await socket.receive_bytes())
    await socket.send_bytes(thief.sign(mine, theirs, dialed_by_me=True))
    return await end_of(socket)


async def replayed(net, session):
    """Send what cbp's node would have sent on an earlier link."""
    cbp = identity(net, "cbp")
    mine, theirs = cbp.opening(b"c" * 32), identity(net, TARGET).opening(b"e" * 32)
    return await opening(net, session, mine.encode(), cbp.sign(mine, theirs, dialed_by_me=True))


async def own_name(net, session):
    return await opening(net, session, identity(net, TARGET).opening(b"c" * 32).encode())


STRANGERS = {
    plain_get: (404, "GET /"),
    plain_peer: (400, "GET /peer"),
    post: (405, "POST /peer"),
    random_bytes: (400, "no HTTP"),
    text: (4001, "no hello"),
    noise: (4001, "not msgpack"),
    long_opening: (4001, "5000 bytes"),
    silence: (4001, "no hello within 5000 ms"),
    closes_at_once: (1000, "closed"),
    stranger: (4001, "no member"),
    other_network: (4001, "is not this one"),
    borrowed_name: (4001, "not by the node key of 'cbp'"),
    replayed: (4001, "not by the node key of 'cbp'"),
    own_name: (4001, "own name"),
}


@pytest.fixture(scope="module")
def strangers(five):
    """What came of each stranger, and of the network meanwhile."""

    async def main(net):
        await net.leader()
        outcomes = {}
        for visit in STRANGERS:
            before = len(net.told("hello.refused", node=TARGET))
            async with mallory(net) as session:
                closed = await visit(net, session)
            await net.until(lambda before=before: len(net.told("hello.refused", node=TARGET)) > before)
            outcomes[visit] = closed, net.told("hello.refused", node=TARGET)[before:]
        await net.certify_many(1, TARGET)
        counted = net.node(TARGET).links.figures.hellos_refused
        peers = {o: sorted(net.node(o).links.connected) for o in net.up}
        return outcomes, counted, peers, net.told("link.closed"), net.told("link.opened")

    return five(main)


@pytest.mark.parametrize("visit", STRANGERS, ids=lambda visit: visit.__name__)
def test_what_is_no_peer_is_sent_away_with_the_reason(strangers, visit):
    (code, _), refused = strangers[0][visit]
    assert code == STRANGERS[visit][0]
    assert len(refused) == 1
    assert STRANGERS[visit][1] in str(refused[0]["reason"])


def test_the_reason_is_told_to_who_can_read_it(strangers):
    outcomes = strangers[0]
    assert "peers open a WebSocket at /peer" in outcomes[plain_get][0][1]
    assert "own name" in outcomes[own_name][0][1]


def test_strangers_are_counted_and_disturb_nobody(strangers):
    _, counted, peers, closed, opened = strangers
    assert counted == len(STRANGERS)
    assert closed == []
    assert len(opened) == 20
    assert all(len(connected) == 4 for connected in peers.values())


# A member's node gone bad: it knows how to open a link.

FRAMES = {
    "text": ("text", 4002, "text message"),
    "noise": (b"\xc1\xc1", 4002, "changed on their way"),
    "checked noise": (with_checksum(b"\xc1\xc1"), 4002, "not msgpack"),
    "unknown kind": (with_checksum(msgpack.packb([99])), 4002, "kind 99"),
    "wrong fields": (with_checksum(msgpack.packb([2, 1])), 4002, "1"),
    "wrong type": (with_checksum(msgpack.packb([4, "none"])), 4002, "TRANSACTIONS"),
    "long checkpoint": (encode_frame(CheckpointFrame(1, "x" * 2000, b"s" * 64)), 4002, "CHECKPOINT.text"),
    "oversize": (b"x" * (FRAME_BYTES_MAX + 1), None, "exceeds limit"),
}


@pytest.fixture(scope="module")
def members(five):
    """What came of a member's rubbish, and of the network meanwhile."""

    async def main(net):
        await net.leader()
        outcomes = {}
        for name, (data, _, _) in FRAMES.items():
            before = len(net.told("link.rubbish", node=TARGET))
            async with mallory(net) as session:
                socket = await as_cbp(net, session)
                try:
                    await (socket.send_str(data) if isinstance(data, str) else socket.send_bytes(data))
                    closed = await end_of(socket)
                except ConnectionError:  # it hung up after the head of the frame
                    closed = None, ""
                    await socket.close()
            await net.until(lambda before=before: len(net.told("link.rubbish", node=TARGET)) > before)
            outcomes[name] = closed, net.told("link.rubbish", node=TARGET)[before:]
            await net.until(
                lambda: (
                    "cbp" in net.node(TARGET).links.connected and TARGET in net.node("cbp").links.connected
                )
            )
        await net.certify_many(1, TARGET)
        await net.settled()
        counted = net.node(TARGET).links.figures.rubbish
        closed = [
            record
            for record in net.told("link.closed")
            if {record["node"], record["peer"]} != {"cbp", TARGET}
        ]
        return outcomes, counted, closed, [node.ordering.raw.term for node in net.nodes]

    return five(main)


@pytest.mark.parametrize("name", FRAMES)
def test_what_is_no_frame_ends_its_link_with_the_reason(members, name):
    (code, _), rubbish = members[0][name]
    assert code == FRAMES[name][1]
    assert len(rubbish) == 1
    assert rubbish[0]["peer"] == "cbp"
    assert FRAMES[name][2] in str(rubbish[0]["reason"])


def test_rubbish_of_one_member_is_counted_and_disturbs_no_other_link_and_no_leader(members):
    _, counted, closed, terms = members
    assert counted == len(FRAMES)
    assert closed == []
    assert len(set(terms)) == 1


def test_raft_messages_that_are_none_or_another_s_are_refused_and_counted(five):
    async def main(net):
        await net.leader()
        term = net.node(TARGET).ordering.raw.term
        async with mallory(net) as session:
            socket = await as_cbp(net, session)
            lies = [
                [[1, 2]],
                [[3, 2, 3, term, 0, 0, 0, 0, 0, 0, []]],  # a heartbeat in the name of the importer
                [[3, 4, 1, term, 0, 0, 0, 0, 0, 0, []]],  # one that is addressed to the chamber
                [["x"] * 11],
            ]
            for messages in lies:
                await socket.send_bytes(encode_frame(RaftFrame(messages)))
            await net.until(lambda: net.node(TARGET).ordering.figures.messages_refused == len(lies))
        await net.certify_many(1)
        return [str(r["reason"]) for r in net.told("raft.message_refused", node=TARGET)]

    reasons = five(main)
    assert any("from 3 to 2 over the link of cbp" in reason for reason in reasons)


def test_a_summary_of_nothing_is_answered_with_a_bounded_repair(five):
    async def main(net):
        leader = await net.leader()
        net.world.partition([[TARGET], [o for o in net.up if o != TARGET]])
        assert leader
        for _ in range(30):
            await net.post(net.sign(), TARGET)
        async with mallory(net) as session:
            socket = await as_cbp(net, session)
            await socket.send_bytes(encode_frame(HaveFrame(0, 0, [])))
            got = 0
            while got < 30:
                value = msgpack.unpackb((await socket.receive_bytes())[CHECKSUM_BYTES:])
                got += len(value[1]) if value[0] == 4 else 0
        return got

    assert five(main) == 30
