"""A node that dies at any named point of its program loses nothing that was acknowledged, and says nothing twice."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace

import aiohttp
import pytest

from consensus import Message, MessageType
from ledger.block import decode_block
from p2p.codepoints import CodePoint, CodePoints, Trap
from p2p.errors import FrameError
from p2p.framecodec import decode_frame
from p2p.frames import CheckpointFrame, RaftFrame
from p2p.intake import Intake
from tests.p2p.conftest import LIMITS, TIMING

LEADING = (CodePoint.BEFORE_PROPOSE, CodePoint.AFTER_PROPOSE)
INSTALLING = (CodePoint.BEFORE_INSTALL, CodePoint.AFTER_INSTALL)
OCCURRENCES = (1, 2, 3)
TRANSACTIONS = 12
COMPACTING = replace(TIMING, snapshot_blocks=2, log_entries_kept=2)


def cases():
    for role in ("leader", "follower", "voter", "late"):
        for point in CodePoint:
            if role in ("follower", "voter") and point in LEADING:
                continue  # nobody but a leader comes there
            if (role == "late") != (point in INSTALLING):
                continue
            for nth in OCCURRENCES:
                if point not in INSTALLING or nth == 1:
                    yield role, point, nth


class Said:
    """Everything the nodes said to each other that must never be said in two ways."""

    def __init__(self):
        self.votes, self.headers, self.checkpoints = {}, {}, {}
        self.contradictions = []

    def __call__(self, _now_ns, source, _target, _kind, frame):
        try:
            heard = decode_frame(frame)
        except FrameError:
            return
        if isinstance(heard, CheckpointFrame):
            self.note(self.checkpoints, (source, heard.height), heard.text)
        elif isinstance(heard, RaftFrame):
            for fields in heard.messages:
                self.take(source, Message.from_fields(fields))

    def take(self, source, message):
        if message.type is MessageType.VOTE_RESPONSE and not message.reject:
            self.note(self.votes, (source, message.term), message.to)
        if message.type is MessageType.VOTE:
            self.note(self.votes, (source, message.term), message.sender)
        for entry in message.entries:
            if entry.data:
                header = decode_block(entry.data, LIMITS.block_bytes_max).header
                self.note(self.headers, (header.proposer, header.term, header.height), header.hash)

    def note(self, table, key, value):
        if table.setdefault(key, value) != value:
            self.contradictions.append((key, table[key], value))


async def handed_in(net, organizations, acknowledged, count):
    """Hand transactions in, each to the next organization's node; note those that were acknowledged."""
    for number in range(count):
        organization = organizations[number % len(organizations)]
        signed = net.sign()
        try:
            answer = await net.post(signed, organization)
        except (aiohttp.ClientError, ConnectionError, TimeoutError):
            await asyncio.sleep(0.1)
            continue
        if answer.status in {200, 202}:
            acknowledged.append(signed)
        await asyncio.sleep(0.1)


async def chosen(net, role):
    """Return whom to strike, with the network so that it will come to the point."""
    leader = await net.leader()
    if role == "leader":
        return leader
    if role == "voter":
        await net.world.crash(leader)
        return next(o for o in net.up if o != "exporter")
    return next(o for o in net.up if o not in (leader, "exporter"))


async def struck(net, role, point, nth):
    """Let one node die at a point while transactions come in, start it again, and return what became of it all."""
    said, acknowledged = Said(), []
    net.world.frame_sink = said
    await net.certify_many(1)
    victim = await chosen(net, role)
    if role == "late":
        await net.world.crash(victim)
        await net.certify_many(12)
        await net.world.crash_at(victim, Trap(point, nth))
        net.host(victim).boot(net.world._program)
    else:
        await net.world.crash_at(victim, Trap(point, nth))
    through = [victim, "exporter"] if victim != "exporter" else [victim]
    await handed_in(net, through, acknowledged, TRANSACTIONS)
    await net.until(lambda: not net.host(victim).is_up, what=f"{victim} never came to {point} {nth}")
    for organization in ("cbp", "exporter", "importer", "chamber", "noaa"):
        await net.restart(organization)
    await net.leader()
    await handed_in(net, ["importer"], acknowledged, 2)
    await net.settled()
    return said, acknowledged, victim


@pytest.mark.parametrize(("role", "point", "nth"), list(cases()))
def test_nothing_acknowledged_is_lost_at_any_point(five, role, point, nth):
    async def main(net):
        said, acknowledged, victim = await struck(net, role, point, nth)
        assert net.told("point.struck") == [{"node": victim, "point": point.value}]
        assert not net.failures, net.failures
        assert said.contradictions == []
        assert len(acknowledged) > 2
        for signed in acknowledged:
            for organization in (victim, "cbp", "chamber"):
                (status,) = [(await net.get(organization, f"/v1/transactions/{signed.id.hex()}")).json]
                assert (status["status"], status["code"]) == ("certified", "VALID")
        assert len({(node.ledger.height, node.ledger.state_root) for node in net.nodes}) == 1

    five(main, timing=COMPACTING if role == "late" else TIMING)


def test_a_node_that_acknowledges_what_it_has_not_written_is_seen(five, monkeypatch):
    """Ablation: with nothing in the durable pool the process takes along what it acknowledged."""
    monkeypatch.setattr(Intake, "_keep", lambda _intake, _to_keep: None)

    async def main(net):
        victim = await net.follower()
        await net.world.crash_at(victim, Trap(CodePoint.AFTER_ANSWER, 1))
        signed = net.sign()
        assert (await net.post(signed, victim)).status in {200, 202}
        await net.until(lambda: not net.host(victim).is_up)
        await net.restart(victim)
        await net.leader()
        await net.settled()
        return (await net.get(victim, f"/v1/transactions/{signed.id.hex()}")).status

    assert five(main) == 404


def test_without_anybody_listening_points_count_nothing():
    deaths = []
    points = CodePoints(lambda: deaths.append(1), random.Random(1))
    points.reached(CodePoint.BEFORE_PERSIST)
    assert not points.armed
    points.arm(CodePoint.BEFORE_PERSIST, 2)
    points.reached(CodePoint.AFTER_PERSIST)
    points.reached(CodePoint.BEFORE_PERSIST)
    assert points.armed
    assert not deaths
    points.reached(CodePoint.BEFORE_PERSIST)
    assert deaths == [1]
    assert not points.armed
    with pytest.raises(ValueError, match="the first one is 1"):
        points.arm(CodePoint.AFTER_SEND, 0)


def test_by_chance_about_so_many_passages_are_fatal_and_each_life_draws_its_own():
    def survived(seed):
        deaths = []
        points = CodePoints(lambda: deaths.append(1), random.Random(seed))
        points.set_trap(Trap(CodePoint.AFTER_APPLY, chance=0.2))
        passages = 0
        while not deaths:
            assert points.armed
            points.reached(CodePoint.BEFORE_APPLY)
            points.reached(CodePoint.AFTER_APPLY)
            passages += 1
        assert not points.armed
        return passages

    passages = [survived(seed) for seed in range(400)]
    assert 4 < sum(passages) / len(passages) < 6
    assert len(set(passages)) > 10


@pytest.mark.parametrize("chance", [0, -0.5, 1.1])
def test_a_chance_is_a_probability(chance):
    with pytest.raises(ValueError, match="above 0, at most 1"):
        CodePoints(lambda: None, random.Random(1)).arm_by_chance(CodePoint.AFTER_APPLY, chance)
