"""The driver's turn: one commit for all that came together, nothing shown before it, nothing after it failed."""

from __future__ import annotations

import asyncio
import random
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import apsw
import pytest

from consensus import ENTRY_OVERHEAD_BYTES, Entry, EntryType, Ready
from p2p import driver as driver_module
from p2p import inbox as module
from p2p.codepoints import CodePoints
from p2p.driver import COMMIT_BYTES_MAX, Driver
from p2p.errors import NodeHaltedError
from p2p.frames import AliveFrame, HaveFrame
from p2p.inbox import INBOX_BYTES_MAX, INBOX_FRAMES_MAX
from p2p.live import INLINE_SYNC_NS_MAX, LiveMachine
from p2p.machine import DiskFailureError

ALIVE = AliveFrame()  # prompt
HAVE = HaveFrame(0, 0, [])  # waits for the store


@dataclass
class Disk:
    """A machine of which only the disk is asked; commits take as long as the test lets them."""

    name: str = "node"
    random: random.Random = field(default_factory=random.Random)
    commits: int = 0
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    failure: Exception | None = None
    points: CodePoints = field(default_factory=lambda: CodePoints(lambda: None, random.Random(1)))

    async def commit(self, connection: apsw.Connection, sequence: int) -> None:
        self.commits += 1
        await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        connection.execute("COMMIT")


@dataclass
class Parts:
    """A node's parts that do nothing but note that they were turned."""

    taken: list[str] = field(default_factory=list)
    ended: int = 0
    steps: list[str] = field(default_factory=list)
    readies: deque[Ready] = field(default_factory=deque)
    sent: list[str] = field(default_factory=list)
    staged: list[int] = field(default_factory=list)
    finished: list[list[int]] = field(default_factory=list)
    write: Callable[[int], None] | None = None

    def take(self, peer, frame):
        self.taken.append(peer)
        self.steps.append("frame")

    def is_prompt(self, frame):
        return frame is ALIVE

    def tick(self):
        self.steps.append("tick")

    def tend(self, now):
        self.steps.append("tend")

    def committing(self, *, begins):
        self.steps.append("commit begins" if begins else "commit ends")

    def cut(self, now):
        return None

    def ready(self):
        return self.readies.popleft() if self.readies else None

    def send(self, messages):
        self.sent.extend(messages)

    def stage(self, ready):
        self.staged.append(ready.number)
        if ready.entries and self.write is not None:
            self.write(ready.number)

    def finish(self, readies):
        self.finished.append([ready.number for ready in readies])

    def after_turn(self):
        self.ended += 1


@dataclass
class Bench:
    disk: Disk
    parts: Parts
    connection: apsw.Connection
    driver: Driver
    running: asyncio.Task[None]

    def write(self, number: int) -> None:
        if not self.connection.in_transaction:
            self.connection.execute("BEGIN IMMEDIATE")
        self.connection.execute("INSERT INTO t VALUES (?)", (number,))

    def rows(self) -> list[int]:
        return [row[0] for row in self.connection.execute("SELECT n FROM t ORDER BY n")]

    async def turn(self) -> None:
        for _ in range(20):
            await asyncio.sleep(0)


def a_ready(number, *, size=0, now=(), after=()):
    """A Ready with one entry of `size` bytes in all, or none, and messages that are but names."""
    data = bytes(max(0, size - ENTRY_OVERHEAD_BYTES))
    entries = (Entry(1, number, EntryType.NORMAL, data),) if size else ()
    return Ready(number, None, None, entries, (), list(now), list(after), bool(size))


@pytest.fixture
async def bench():
    disk, parts = Disk(), Parts()
    disk.gate.set()
    connection = apsw.Connection(":memory:")
    connection.execute("CREATE TABLE t(n)")
    driver = Driver(disk, connection, lambda: 1, 100, parts)
    bench = Bench(disk, parts, connection, driver, asyncio.create_task(driver.run()))
    parts.write = bench.write
    yield bench
    disk.gate.set()
    driver.stop()
    await asyncio.gather(bench.running, return_exceptions=True)


async def test_what_came_together_is_one_commit(bench):
    await asyncio.gather(*(bench.driver.durably(lambda n=n: bench.write(n)) for n in range(50)))
    assert bench.disk.commits == 1
    assert bench.rows() == list(range(50))


async def test_what_comes_during_a_commit_is_the_next_turn_s(bench):
    bench.disk.gate.clear()
    first = asyncio.create_task(bench.driver.durably(lambda: bench.write(1)))
    await bench.turn()
    others = [asyncio.create_task(bench.driver.durably(lambda n=n: bench.write(n))) for n in (2, 3)]
    await bench.turn()
    assert bench.disk.commits == 1
    bench.disk.gate.set()
    await asyncio.gather(first, *others)
    assert bench.disk.commits == 2


async def test_a_turn_without_a_write_commits_nothing(bench):
    await bench.driver.deliver("peer", ALIVE, 10)
    await bench.turn()
    assert bench.parts.taken == ["peer"]
    assert bench.disk.commits == 0


async def test_during_a_commit_frames_are_taken_time_passes_and_what_needs_no_disk_is_sent(bench):
    bench.disk.gate.clear()
    bench.parts.readies.append(a_ready(1, size=100, now=["append 1"], after=["answer 1"]))
    bench.driver.wake()
    await bench.turn()
    assert bench.connection.in_transaction
    bench.driver._tick_due_at = 0.0
    await bench.driver.deliver("leader", ALIVE, 10)
    await bench.driver.deliver("gossip", HAVE, 10)
    bench.parts.readies.append(a_ready(2, size=100, now=["heartbeat 2"], after=["answer 2"]))
    await bench.turn()
    assert bench.parts.taken == ["leader"]
    assert "tick" in bench.parts.steps
    assert bench.parts.steps.count("tend") < bench.parts.steps.count("tick"), "what tells of the ledger waits"
    assert bench.parts.sent == ["append 1", "heartbeat 2"]
    assert bench.parts.staged == [1], "nothing is staged between BEGIN and COMMIT of another"
    assert bench.driver.is_busy
    bench.disk.gate.set()
    await bench.turn()
    assert bench.parts.sent == ["append 1", "heartbeat 2", "answer 1", "answer 2"]
    assert bench.parts.finished == [[1], [2]]
    assert bench.parts.taken == ["leader", "gossip"]
    assert bench.rows() == [1, 2]


async def test_what_waits_for_no_write_of_its_own_waits_for_those_before_it(bench):
    bench.disk.gate.clear()
    bench.parts.readies.append(a_ready(1, size=100, after=["answer 1"]))
    bench.driver.wake()
    await bench.turn()
    bench.parts.readies.append(a_ready(2, after=["answer 2"]))
    bench.driver.wake()
    await bench.turn()
    assert bench.parts.sent == []
    bench.disk.gate.set()
    await bench.turn()
    assert bench.parts.sent == ["answer 1", "answer 2"]
    assert bench.disk.commits == 1


async def test_readies_of_one_commit_s_time_are_one_commit(bench):
    bench.disk.gate.clear()
    for number in range(1, 6):
        bench.parts.readies.append(a_ready(number, size=100))
        bench.driver.wake()
        await bench.turn()
    bench.disk.gate.set()
    await bench.turn()
    assert bench.parts.finished == [[1], [2, 3, 4, 5]]
    assert bench.disk.commits == 2
    assert bench.driver.figures.readies_held == 4


async def test_the_bytes_of_one_commit_are_bounded_but_one_ready_is_never_split(bench):
    third = COMMIT_BYTES_MAX // 3
    for number, size in enumerate((third, third, third, third, 2 * COMMIT_BYTES_MAX, third), 1):
        bench.parts.readies.append(a_ready(number, size=size))
    bench.driver.wake()
    await bench.turn()
    assert bench.parts.finished == [[1, 2, 3], [4], [5], [6]]
    assert bench.driver._held_bytes == 0


async def test_who_sends_more_than_the_disk_takes_is_not_heard_until_it_has(bench, monkeypatch):
    monkeypatch.setattr(driver_module, "HELD_BYTES_MAX", 150)
    bench.disk.gate.clear()
    for number in (1, 2, 3):
        bench.parts.readies.append(a_ready(number, size=100))
        bench.driver.wake()
        await bench.turn()
    await bench.driver.deliver("peer", ALIVE, 10)
    await bench.turn()
    assert bench.parts.taken == []
    bench.disk.gate.set()
    await bench.turn()
    assert bench.parts.taken == ["peer"]


async def test_a_fault_during_a_commit_ends_the_driver_after_the_commit(bench):
    """The connection must not be closed under a thread that is at work on it."""
    bench.disk.gate.clear()
    write = asyncio.create_task(bench.driver.durably(lambda: bench.write(1)))
    await bench.turn()

    def fail(peer, frame):
        raise ValueError("a fault of this program")

    bench.parts.take = fail
    await bench.driver.deliver("peer", ALIVE, 10)
    await bench.turn()
    assert not bench.running.done()
    bench.disk.gate.set()
    with pytest.raises(ValueError, match="a fault of this program"):
        await bench.running
    with pytest.raises(NodeHaltedError):
        await write
    assert bench.rows() == [1]


async def test_heartbeats_go_on_while_a_commit_is_in_a_thread(tmp_path, monkeypatch):
    """The live machine: the COMMIT blocks its thread until three heartbeat intervals have passed in the loop."""
    machine = LiveMachine("node", tmp_path, 0)
    machine.sync_ns = INLINE_SYNC_NS_MAX
    connection = machine.open_database("node.db")
    connection.execute("CREATE TABLE t(n)")
    ticked, threads, written = threading.Event(), [], LiveMachine._commit_now

    def commit(self, *args):
        threads.append(threading.current_thread())
        assert ticked.wait(60), "no heartbeat during a COMMIT"
        written(self, *args)

    class Ticking(Parts):
        def tick(self):
            super().tick()
            if threads and len(self.steps) >= before + 3:
                ticked.set()

    monkeypatch.setattr(LiveMachine, "_commit_now", commit)
    parts = Ticking()
    driver = Driver(machine, connection, lambda: 1, 1, parts)
    bench = Bench(None, parts, connection, driver, asyncio.create_task(driver.run()))
    before = len(parts.steps)
    await driver.durably(lambda: bench.write(1))
    assert threads
    assert threads[0] is not threading.current_thread()
    assert bench.rows() == [1]
    driver.stop()
    await bench.running
    connection.close()


async def test_nobody_reads_between_a_write_and_its_commit(bench):
    bench.disk.gate.clear()
    seen = []

    async def read():
        await bench.driver.settled()
        seen.append((bench.connection.in_transaction, bench.rows()))

    write = asyncio.create_task(bench.driver.durably(lambda: bench.write(1)))
    await bench.turn()
    assert bench.connection.in_transaction
    reader = asyncio.create_task(read())
    await bench.turn()
    assert seen == []
    bench.disk.gate.set()
    await asyncio.gather(write, reader)
    assert seen == [(False, [1])]


async def test_readers_get_in_between_turns_that_never_pause(bench):
    async def commit(connection, _sequence):
        """By the end of every turn the next one's work is there already."""
        bench.driver._writes.append((lambda: bench.write(1), asyncio.get_running_loop().create_future()))
        bench.driver.wake()
        await asyncio.sleep(0)
        connection.execute("COMMIT")

    async def read():
        await bench.driver.settled()
        return bench.connection.in_transaction

    bench.disk.commit = commit
    await bench.driver.durably(lambda: bench.write(0))
    seen = [await asyncio.wait_for(read(), 1) for _ in range(20)]
    assert seen == [False] * 20
    bench.driver.stop()
    await bench.running


async def test_when_a_commit_fails_who_waits_is_told_and_nothing_is_shown_or_tried_again(bench):
    bench.disk.gate.clear()
    bench.disk.failure = DiskFailureError("the disk is gone")
    in_turn = asyncio.create_task(bench.driver.durably(lambda: bench.write(1)))
    await bench.turn()
    later = asyncio.create_task(bench.driver.durably(lambda: bench.write(2)))
    reader = asyncio.create_task(bench.driver.settled())
    await bench.turn()
    ended = bench.parts.ended
    bench.disk.gate.set()
    outcomes = await asyncio.gather(in_turn, later, reader, bench.running, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [NodeHaltedError] * 3 + [DiskFailureError]
    assert "the disk is gone" in str(outcomes[0])
    assert (bench.disk.commits, bench.parts.ended) == (1, ended)
    for ask in (bench.driver.settled(), bench.driver.durably(lambda: bench.write(3))):
        with pytest.raises(NodeHaltedError, match="the disk is gone"):
            await ask


@pytest.mark.parametrize("error", [apsw.IOError, apsw.FullError])
async def test_a_write_that_fails_before_the_commit_is_a_failure_of_the_disk_too(bench, error):
    def fail():
        raise error("no more")

    with pytest.raises(NodeHaltedError, match="do not retry"):
        await bench.driver.durably(fail)
    with pytest.raises(DiskFailureError, match="no more"):
        await bench.running
    assert bench.disk.commits == 0


async def test_an_orderly_stop_answers_who_still_waits(bench):
    bench.disk.gate.clear()
    first = asyncio.create_task(bench.driver.durably(lambda: bench.write(1)))
    await bench.turn()
    late = asyncio.create_task(bench.driver.durably(lambda: bench.write(2)))
    await bench.turn()
    bench.driver.stop()
    bench.disk.gate.set()
    await first
    await bench.running
    with pytest.raises(NodeHaltedError, match="the node stops"):
        await late


async def test_the_inbox_is_bounded_in_frames_and_who_delivers_waits(bench):
    bench.disk.gate.clear()
    write = asyncio.create_task(bench.driver.durably(lambda: bench.write(1)))
    await bench.turn()
    deliveries = [
        asyncio.create_task(bench.driver.deliver("peer", HAVE, 1)) for _ in range(INBOX_FRAMES_MAX + 50)
    ]
    await bench.turn()
    assert sum(task.done() for task in deliveries) == INBOX_FRAMES_MAX
    bench.disk.gate.set()
    await asyncio.gather(write, *deliveries)
    await bench.turn()
    assert len(bench.parts.taken) == INBOX_FRAMES_MAX + 50
    assert bench.driver.figures.inbox_peak == INBOX_FRAMES_MAX


async def test_the_inbox_is_bounded_in_bytes_but_takes_one_frame_of_any_size(bench):
    bench.disk.gate.clear()
    write = asyncio.create_task(bench.driver.durably(lambda: bench.write(1)))
    await bench.turn()
    size = INBOX_BYTES_MAX // 4
    deliveries = [asyncio.create_task(bench.driver.deliver("peer", HAVE, size)) for _ in range(7)]
    await bench.turn()
    assert sum(task.done() for task in deliveries) == 4
    bench.disk.gate.set()
    await asyncio.gather(write, *deliveries)
    await bench.turn()
    await bench.driver.deliver("peer", HAVE, 2 * INBOX_BYTES_MAX)
    await bench.turn()
    assert len(bench.parts.taken) == 8
    assert bench.driver.figures.inbox_bytes_peak == 2 * INBOX_BYTES_MAX


async def test_one_turn_takes_a_bounded_part_of_the_inbox(bench, monkeypatch):
    monkeypatch.setattr(module, "TURN_FRAMES_MAX", 3)
    for _ in range(10):
        await bench.driver.deliver("peer", ALIVE, 1)
    await bench.turn()
    assert len(bench.parts.taken) == 10
    assert bench.parts.ended >= 4


async def test_after_a_stall_what_has_arrived_is_taken_in_before_time_passes(bench):
    """The timer is due first, as after SIGSTOP; the reader needs two steps of the loop for what the socket holds."""

    async def read():
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await bench.driver.deliver("leader", ALIVE, 1)

    bench.driver._tick_due_at = asyncio.get_running_loop().time() - 1
    bench.driver.wake()
    reading = asyncio.create_task(read())
    await bench.turn()
    await reading
    assert bench.parts.steps[:2] == ["frame", "tick"]
    assert bench.driver.figures.stalls == 1


async def test_a_stall_is_one_tick_not_one_for_every_interval_missed(bench):
    bench.driver._tick_due_at = asyncio.get_running_loop().time() - 5
    bench.driver.wake()
    await bench.turn()
    assert bench.parts.steps == ["tick", "tend"]


@pytest.mark.slow
def test_heartbeats_go_on_ten_times_a_second_idle_and_loaded(five):
    async def main(net):
        await net.leader()
        before = [node.driver.figures.ticks for node in net.nodes]
        await asyncio.sleep(10)
        idle = [node.driver.figures.ticks for node in net.nodes]
        begun = net.kit.loop.time()
        for _ in range(40):
            await net.post(net.sign())
        took = net.kit.loop.time() - begun
        loaded = [node.driver.figures.ticks for node in net.nodes]
        terms = {node.ordering.raw.term for node in net.nodes}
        return (
            [b - a for a, b in zip(before, idle, strict=True)],
            [(c - b) / took for b, c in zip(idle, loaded, strict=True)],
            terms,
            [node.driver.figures.stalls for node in net.nodes],
        )

    idle, loaded, terms, stalls = five(main)
    assert all(99 <= ticks <= 101 for ticks in idle)
    assert all(8 < rate < 12 for rate in loaded)
    assert terms == {1}
    assert stalls == [0] * 5


@pytest.mark.parametrize("pause_s", [3, 12])
def test_a_follower_that_was_paused_deposes_nobody_when_it_goes_on(five, pause_s):
    async def main(net):
        paused = await net.follower()
        leader = await net.leader()
        await net.world.pause(paused)
        await asyncio.sleep(pause_s)
        await net.certify(net.sign(), leader)
        await net.world.resume(paused)
        await asyncio.sleep(5)
        roles = [record["role"] for record in net.told("raft.role", node=paused)]
        return {node.ordering.raw.term for node in net.nodes}, roles, net.node(paused).driver.figures

    terms, roles, figures = five(main)
    assert terms == {1}
    assert "pre-candidate" not in roles[1:]
    assert figures.stalls == 1
