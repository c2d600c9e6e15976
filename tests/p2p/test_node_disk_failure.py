"""A write that fails in any commit stops the node; nothing depends on it, and nothing answered for is lost."""

from __future__ import annotations

import asyncio
import errno
from dataclasses import dataclass, field

import pytest

from consensus import Message, MessageType
from p2p.framecodec import decode_frame
from p2p.frames import FrameKind
from p2p.links import Links
from p2p.machine import DiskFailureError
from p2p.node import Node
from p2p.virtual import DiskOperation
from p2p.virtual.machine import WATERMARK_FILE, VirtualMachine

FSYNC = (DiskOperation.SYNC, OSError(errno.EIO, "input/output error"))
FULL = (DiskOperation.WRITE, OSError(errno.ENOSPC, "no space left on device"))


@dataclass
class Plan:
    """Which commit of which node fails, and what became of it.

    Attributes:
        victim: whose disk.
        carries: whether a commit is the one, told by (before, staged), each (term, vote, last index).
        failure: the operation that fails, and how.
        file: the file it fails on; any if None.
        attempts: what was tried on the disk from then on.
        is_broken: whether the life whose commit failed is the last one.
        sent_after: what left that life after the commit had failed.
        grants: (voter, term) to the candidates it granted its vote, over all lives.
    """

    victim: str = ""
    carries: object = None
    failure: tuple = FSYNC
    file: str | None = None
    has_failed: bool = False
    is_broken: bool = False
    attempts: list = field(default_factory=list)
    sent_after: list = field(default_factory=list)
    grants: dict = field(default_factory=dict)


@pytest.fixture
def plan(monkeypatch):
    """Arm a disk in the very commit that carries what a test is about."""
    plan, nodes, durable = Plan(), {}, {}
    init, commit, put = Node.__init__, VirtualMachine.commit, Links._put

    def note_node(self, config, machine, *rest, **more):
        init(self, config, machine, *rest, **more)
        nodes[machine] = self
        durable[machine.name] = state(self.store)
        plan.is_broken = plan.is_broken and machine.name != plan.victim

    def state(store):
        term, vote, _ = store.hard_state()
        return term, vote, store.last_index

    async def note_commit(self, connection, sequence):
        store = nodes[self].store
        staged = state(store)
        is_due = plan.carries is not None and not plan.has_failed and self.name == plan.victim
        if is_due and plan.carries(durable[self.name], staged):
            arm(self)
        try:
            await commit(self, connection, sequence)
        except DiskFailureError:
            plan.has_failed = plan.is_broken = True
            raise
        durable[self.name] = staged

    def arm(machine):
        operation, error = plan.failure

        def hook(attempted, name):
            plan.attempts.append((attempted, name))
            if attempted is operation and plan.file in {None, name}:
                raise OSError(error.errno, error.strerror, name)

        machine._vfs._disk.hook = hook

    def note_frame(self, link, kind, data):
        if kind is FrameKind.RAFT:
            for fields in decode_frame(data).messages:
                message = Message.from_fields(fields)
                if self.config.organization == plan.victim and plan.is_broken:
                    plan.sent_after.append(message)
                if message.type is MessageType.VOTE_RESPONSE and not message.reject:
                    key = (self.config.organization, message.term)
                    plan.grants.setdefault(key, set()).add(message.to)
        put(self, link, kind, data)

    monkeypatch.setattr(Node, "__init__", note_node)
    monkeypatch.setattr(VirtualMachine, "commit", note_commit)
    monkeypatch.setattr(Links, "_put", note_frame)
    return plan


CARRIES = {
    "a vote": lambda before, staged: staged[1] and staged[:2] != before[:2],
    "entries": lambda before, staged: staged[2] > before[2],
    "anything": lambda before, staged: True,
}


async def break_and_mend(net, plan, what, power=False):
    """Let the victim's disk fail in a commit that carries `what`, then bring it back; return what became of it."""
    leader = await net.leader()
    victim = plan.victim = [o for o in net.up if o not in {leader, "exporter"}][-1]
    acknowledged = await net.certify_many(3)
    await net.settled()
    plan.carries = CARRIES[what]
    if what == "a vote":
        await net.world.crash(leader)
    mine = next(o for o in net.up if o != victim)
    waiting = net.sign()
    assert (await net.post(waiting, mine)).status == 202
    acknowledged.append(waiting)
    await net.until(lambda: not net.host(victim).is_up)
    reason = net.failures.pop(victim)
    syncs = [name for operation, name in plan.attempts if operation is DiskOperation.SYNC]
    plan.attempts.clear()
    await asyncio.sleep(3)
    tried_again = list(plan.attempts)
    net.host(victim).mend_disk()
    if power:
        net.host(victim).power_loss()
    await net.restart(victim)
    refused = net.failures.get(victim)
    if what == "a vote":
        await net.restart(leader)
    acknowledged += await net.certify_many(1, mine)
    await net.settled(60)
    held = {}
    for o in net.up:
        answers = [await net.get(o, f"/v1/transactions/{signed.id.hex()}") for signed in acknowledged]
        held[o] = [answer.status for answer in answers]
    return reason, syncs, tried_again, refused, held, {n.ledger.block_hash for n in net.nodes}


def hold(plan, outcome, ups=5):
    reason, syncs, tried_again, refused, held, hashes = outcome
    assert isinstance(reason, DiskFailureError)
    assert "do not retry" in str(reason)
    assert len(syncs) <= 2, "what failed is not tried again"
    assert tried_again == [], "nothing is written once a write has failed"
    assert plan.sent_after == [], "nothing leaves the node once a write has failed"
    assert refused is None
    assert len(held) == ups
    assert {status for statuses in held.values() for status in statuses} == {200}
    assert len(hashes) == 1
    assert all(len(candidates) == 1 for candidates in plan.grants.values()), "nobody votes twice in a term"
    assert plan.grants


@pytest.mark.parametrize("what", ["a vote", "entries"])
@pytest.mark.parametrize("power", [False, True], ids=["restarted", "power lost"])
def test_bug_26_a_failed_fsync_of_a_commit_stops_the_node(five, plan, what, power):
    hold(plan, five(lambda net: break_and_mend(net, plan, what, power)))


@pytest.mark.parametrize("what", ["a vote", "entries"])
def test_bug_26_a_failed_fsync_of_the_watermark_stops_the_node(five, plan, what):
    """The commit is in the database by then; it was answered to nobody, and may be found there."""
    plan.file = WATERMARK_FILE
    hold(plan, five(lambda net: break_and_mend(net, plan, what)))


@pytest.mark.parametrize("file", ["node.db-wal", WATERMARK_FILE])
@pytest.mark.parametrize("what", ["a vote", "entries"])
def test_bug_30_a_full_disk_stops_the_node(five, plan, what, file):
    plan.failure, plan.file = FULL, file
    hold(plan, five(lambda net: break_and_mend(net, plan, what)))


def test_bug_26_what_only_the_page_cache_had_is_written_anew_at_the_start(five, plan):
    """The failed write is seen after the restart and built upon: a start brings it to the disk, power may go."""

    async def main(net):
        leader = await net.leader()
        victim = plan.victim = [o for o in net.up if o not in {leader, "exporter"}][-1]
        await net.certify_many(2)
        await net.settled()
        plan.carries = CARRIES["entries"]
        await net.post(net.sign())
        await net.until(lambda: not net.host(victim).is_up)
        net.failures.pop(victim)
        net.host(victim).mend_disk()
        await net.restart(victim)
        await net.certify_many(2)
        await net.settled()
        await net.world.crash(victim)
        net.host(victim).power_loss()
        await net.restart(victim)
        await net.certify_many(1)
        await net.settled()
        return net.host(victim).is_up, net.failures.get(victim)

    assert five(main) == (True, None)


def test_bug_30_the_network_goes_on_while_one_disk_is_full_and_it_catches_up_when_there_is_room(five, plan):
    async def main(net):
        leader = await net.leader()
        victim = plan.victim = [o for o in net.up if o not in {leader, "exporter"}][-1]
        plan.carries, plan.failure = CARRIES["anything"], FULL
        await net.certify_many(1)
        await net.until(lambda: not net.host(victim).is_up)
        for _ in range(
            2
        ):  # whoever restarts it while the disk is full is told the same again, at its next write
            net.failures.pop(victim)
            await net.restart(victim)
            await net.certify_many(1)
            await net.until(lambda: not net.host(victim).is_up)
        net.failures.pop(victim)
        net.host(victim).mend_disk()
        await net.restart(victim)
        await net.settled()
        return {node.ledger.height for node in net.nodes}, net.failures

    heights, failures = five(main)
    assert heights == {3}
    assert failures == {}
