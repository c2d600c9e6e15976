"""The one task that owns a node's Raft core, ledger and store.

Rules:
- A turn: take in what has arrived, let due ticks pass, cut a block if one is due, send what needs no disk; then, if
  no commit is under way, stage every write, execute what is committed, and begin one commit for all of it.
- While a commit is under way turns go on, but nothing is staged and the store is not touched: it has one
  connection, and that may be at work in a thread. Raft's messages, heartbeats first of all, are heard and sent; its
  Readies are held and staged with the next commit. What came together is one commit: that is group commit.
- What depends on a write leaves when the commit that carries it is done, in the order of the Readies.
- One commit holds at most `COMMIT_BYTES_MAX` of entries and blocks, but always one Ready whole. A vote waits for the
  commit under way and then for its own.
- After a stall the due timers run before the tasks that would read what has already arrived; a tick that comes more
  than two intervals late lets those tasks run first, so that a leader who was heard is not deposed.
- Whoever reads what a turn changes waits for `settled`: never between the first staged write and the commit. Between
  two commits everyone who waits to read gets a moment.
- When a write fails the driver ends with the reason, and nothing staged is ever shown: who waits for a write, or to
  read, is told that the node has halted.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import apsw

from consensus import Message, Ready
from p2p.codepoints import CodePoint
from p2p.errors import NodeHaltedError
from p2p.frames import Frame
from p2p.inbox import Inbox
from p2p.machine import DiskFailureError, Machine
from p2p.wake import Wake

COMMIT_BYTES_MAX = 16 << 20
"""The entries to write and the committed blocks to execute in one commit, unless one Ready alone holds more."""
HELD_BYTES_MAX = 64 << 20
"""What Readies that wait for the disk may hold; beyond it nothing more is taken in. Four times what a leader that
keeps to its window sends ahead, so heartbeats never wait for it."""
TURN_WRITES_MAX = 512
TIMER_SLACK = 1e-6
"""Seconds by which an event loop may run a timer early."""


class Work(Protocol):
    """What the driver turns: the node's own parts."""

    # At any time; nothing here may touch the store, or send what a write under way is needed for.

    def is_prompt(self, frame: Frame) -> bool:
        """Whether a frame can be taken in while a commit is under way."""

    def take(self, peer: str, frame: Frame) -> None:
        """Take in one frame; one that is not prompt only while no commit is under way."""

    def tick(self) -> None:
        """Let one tick pass for Raft."""

    def cut(self, now: float) -> float | None:
        """Cut a block and push transactions, each if it is due; return in how many seconds to look again, or None."""

    def ready(self) -> Ready | None:
        """Return Raft's next work, having noted what does not wait for the disk; None if there is none."""

    def send(self, messages: Sequence[Message]) -> None:
        """Send Raft messages."""

    # Only while no commit is under way.

    def tend(self, now: float) -> None:
        """Do what comes up now and then; called once per tick, later if a commit takes longer."""

    def stage(self, ready: Ready) -> None:
        """Stage and execute what a Ready holds in the store's open transaction."""

    def committing(self, *, begins: bool) -> None:
        """Note that a commit begins, from when the store cannot be read, or that it is done."""

    def finish(self, readies: Sequence[Ready]) -> None:
        """Note that Readies are durable and that all their messages are sent."""

    def after_turn(self) -> None:
        """Send and announce what was brought about; all of it is durable."""


@dataclass(slots=True)
class DriverFigures:
    """Counters of one driver."""

    turns: int = 0
    commits: int = 0
    ticks: int = 0
    stalls: int = 0
    inbox_peak: int = 0
    inbox_bytes_peak: int = 0
    readies_held: int = 0


@dataclass(slots=True)
class Driver:
    """Turns a node's parts, one batch at a time."""

    machine: Machine
    connection: apsw.Connection
    seal: Callable[[], int]
    tick_ms: int
    work: Work
    figures: DriverFigures = field(default_factory=DriverFigures)
    halted: str | None = None
    _inbox: Inbox = field(default_factory=Inbox)
    _writes: deque[tuple[Callable[[], None], asyncio.Future[None]]] = field(default_factory=deque)
    _turn_writes: list[tuple[Callable[[], None], asyncio.Future[None]]] = field(default_factory=list)
    _held: deque[tuple[Ready, int]] = field(default_factory=deque)
    _held_bytes: int = 0
    _staged: list[Ready] = field(default_factory=list)
    _commit: asyncio.Task[None] | None = None
    _wake: Wake = field(default_factory=Wake)
    _stopping: bool = False
    _tick_due_at: float = 0.0
    _tend_due: bool = False
    _cut_timer: asyncio.TimerHandle | None = None
    _ticker: asyncio.TimerHandle | None = None
    _in_turn: bool = False
    _settled: asyncio.Event = field(default_factory=asyncio.Event)
    _readers: int = 0

    def __post_init__(self) -> None:
        self._settled.set()

    @property
    def is_busy(self) -> bool:
        """Whether frames, writes, a turn or a commit are under way."""
        waits = len(self._inbox) or self._writes or self._held
        return self._in_turn or self._commit is not None or bool(waits)

    async def deliver(self, peer: str, frame: Frame, size_bytes: int) -> None:
        """Put a frame that came as `size_bytes` into the inbox; wait while that is full."""
        inbox, is_prompt = self._inbox, self.work.is_prompt(frame)
        if inbox.is_full(size_bytes):
            await inbox.put(peer, frame, size_bytes, is_prompt=is_prompt)
        else:
            inbox.put_now(peer, frame, size_bytes, is_prompt=is_prompt)
        self._wake.set()

    async def durably(self, action: Callable[[], None]) -> None:
        """Run `action` inside the next commit's transaction; return when that is durable.

        Raises:
            NodeHaltedError: if the node stopped before; whether `action` will be found done is unknown then.
        """
        self._check_halted()
        done = asyncio.get_running_loop().create_future()
        self._writes.append((action, done))
        self._wake.set()
        await done

    async def settled(self) -> None:
        """Return when nothing is staged; nothing is staged between this and the caller's next step either.

        Raises:
            NodeHaltedError: if a write failed: what is in memory is not on the disk, and is not to be shown.
        """
        while not self._settled.is_set():
            self._readers += 1
            try:
                await self._settled.wait()
            finally:
                self._readers -= 1
        self._check_halted()

    def wake(self) -> None:
        """Ask for a turn."""
        self._wake.set()

    def stop(self) -> None:
        """End after the commit under way, or at once."""
        self._stopping = True
        self._wake.set()

    async def run(self) -> None:
        """Turn until stopped.

        Raises:
            DiskFailureError: if a write could not be made durable.
        """
        loop = asyncio.get_running_loop()
        self._arm_ticker(loop.time() + self.tick_ms / 1000)
        try:
            await self._turn_until_stopped(loop)
            self._halt("the node stops")
        except (apsw.IOError, apsw.FullError) as error:
            message = f"{self.machine.name}: a write failed ({error}); stop the node, do not retry"
            self._halt(message)
            raise DiskFailureError(message) from error
        except Exception as error:
            self._halt(f"{type(error).__name__}: {error}")
            raise
        finally:
            for timer in (self._ticker, self._cut_timer):
                if timer is not None:
                    timer.cancel()
            if self._commit is not None:  # it may be at work on the connection in a thread
                await asyncio.gather(self._commit, return_exceptions=True)

    async def _turn_until_stopped(self, loop: asyncio.AbstractEventLoop) -> None:
        while True:
            await self._wake.wait()
            if self._stopping and self._commit is None:
                return
            now = loop.time()
            if now - self._tick_due_at > 2 * self.tick_ms / 1000:
                self.figures.stalls += 1
                for _ in range(3):
                    await asyncio.sleep(0)
                now = loop.time()
            self._in_turn = True
            self.figures.turns += 1
            if self._commit is not None and self._commit.done():
                self._end_commit(self._commit)
                if self._stopping:
                    return
            self._listen(now)
            if self._commit is None:
                if self._readers:
                    await asyncio.sleep(0)  # or commits without a pause would let nobody read
                self._write(now)
            self._in_turn = False

    def _halt(self, reason: str) -> None:
        """Tell everyone who waits that nothing will be done any more."""
        self.halted = reason
        for _, done in (*self._turn_writes, *self._writes):
            if not done.done():
                done.set_exception(NodeHaltedError(reason))
                done.exception()  # who waits gets it; if nobody does any more, that is no fault
        self._turn_writes.clear()
        self._writes.clear()
        self._settled.set()

    def _check_halted(self) -> None:
        if self.halted is not None:
            raise NodeHaltedError(self.halted)

    def _arm_ticker(self, due_at: float) -> None:
        self._tick_due_at = due_at
        self._ticker = asyncio.get_running_loop().call_at(due_at, self._wake.set)

    # What needs no disk.

    def _listen(self, now: float) -> None:
        """Take in what can be taken in now, let time pass, cut, and send what may leave at once."""
        figures, inbox = self.figures, self._inbox
        if inbox.prompt and self._held_bytes <= HELD_BYTES_MAX:
            figures.inbox_peak = max(figures.inbox_peak, len(inbox))
            figures.inbox_bytes_peak = max(figures.inbox_bytes_peak, inbox.bytes)
            for peer, frame in inbox.take(inbox.prompt):
                self.work.take(peer, frame)
            if inbox.prompt:
                self._wake.set()
        if now + TIMER_SLACK >= self._tick_due_at:
            figures.ticks += 1
            interval = self.tick_ms / 1000
            following = self._tick_due_at + interval
            # Missed ticks are not made up for: silence is measured by what was not heard, not by lost time.
            self._arm_ticker(following if following > now else now + interval)
            self.work.tick()
            self._tend_due = True
        self._look_for_cut(now)
        self._hear()

    def _hear(self) -> None:
        """Take all Readies there are, and send what they send at once."""
        while (ready := self.work.ready()) is not None:
            if self._commit is not None:
                self.figures.readies_held += 1
            size = _size_bytes(ready)
            self._held.append((ready, size))
            self._held_bytes += size
            if ready.messages:
                self.work.send(ready.messages)

    def _look_for_cut(self, now: float) -> None:
        due_in = self.work.cut(now)
        if self._cut_timer is not None:
            self._cut_timer.cancel()
            self._cut_timer = None
        if due_in is not None:
            self._cut_timer = asyncio.get_running_loop().call_later(due_in, self._wake.set)

    # What does.

    def _write(self, now: float) -> None:
        """Stage what waits and begin its commit; without anything to write, be done with it."""
        figures, inbox = self.figures, self._inbox
        if not (
            self._held or inbox.staged or self._tend_due or self._writes or self.connection.in_transaction
        ):
            self.work.after_turn()
            return
        if inbox.staged:
            figures.inbox_peak = max(figures.inbox_peak, len(inbox))
            figures.inbox_bytes_peak = max(figures.inbox_bytes_peak, inbox.bytes)
            for peer, frame in inbox.take(inbox.staged):
                self.work.take(peer, frame)
            if inbox.staged:
                self._wake.set()
        if self._tend_due:
            self._tend_due = False
            self.work.tend(now)
        while self._writes and len(self._turn_writes) < TURN_WRITES_MAX:
            self._turn_writes.append(self._writes.popleft())
            self._turn_writes[-1][0]()
        while True:
            self._stage()
            if self.connection.in_transaction:
                self._begin_commit()
                return
            self._are_durable()
            self._hear()
            if not self._held:
                break
        if self._writes:
            self._wake.set()
        self.work.after_turn()

    def _stage(self) -> None:
        total = 0
        while self._held:
            ready, size = self._held[0]
            total += size
            if self._staged and total > COMMIT_BYTES_MAX:
                return
            self._held.popleft()
            self._held_bytes -= size
            self._staged.append(ready)
            self.work.stage(ready)

    def _begin_commit(self) -> None:
        self.machine.points.reached(CodePoint.BEFORE_PERSIST)
        self.figures.commits += 1
        self._settled.clear()
        sequence = self.seal()
        self.work.committing(begins=True)
        commit = self.machine.commit(self.connection, sequence)
        self._commit = asyncio.get_running_loop().create_task(commit, name="commit")
        self._commit.add_done_callback(lambda _: self._wake.set())

    def _end_commit(self, commit: asyncio.Task[None]) -> None:
        self._commit = None
        commit.result()
        self.machine.points.reached(CodePoint.AFTER_PERSIST)
        if self._writes or self._inbox.staged or self._held:
            self._wake.set()
        self.work.committing(begins=False)
        self._are_durable()
        self._settled.set()
        self.work.after_turn()

    def _are_durable(self) -> None:
        """Send, and answer, what waited for what was staged."""
        if self._staged:
            staged, self._staged = self._staged, []
            for ready in staged:
                if ready.messages_after_append:
                    self.work.send(ready.messages_after_append)
            self.work.finish(staged)
        if self._turn_writes:
            writes, self._turn_writes = self._turn_writes, []
            for _, done in writes:
                if not done.done():
                    done.set_result(None)


def _size_bytes(ready: Ready) -> int:
    if not ready.entries and not ready.committed_entries:
        return 0
    return sum(entry.size_bytes for entry in (*ready.entries, *ready.committed_entries))
