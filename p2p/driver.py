"""The one task that owns a node's Raft core, ledger and store.

Rules:
- One turn: take in what has arrived, let due ticks pass, cut a block if one is due, send what needs no disk, stage
  every write, execute what is committed, commit once, then send what had to be durable first.
- What arrives during a commit is the next turn's batch: that is group commit.
- After a stall the due timers run before the tasks that would read what has already arrived; a tick that comes more
  than two intervals late lets those tasks run first, so that a leader who was heard is not deposed.
- Whoever reads what a turn changes waits for `settled`: never between the first staged write and the commit.
- When a write fails the driver ends with the reason, and nothing staged is ever shown: who waits for a write, or to
  read, is told that the node has halted.
- The inbox is bounded in frames and in bytes; who delivers waits for room.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import apsw

from consensus import Message, Ready
from p2p.errors import NodeHaltedError
from p2p.frames import Frame
from p2p.machine import DiskFailureError, Machine

INBOX_FRAMES_MAX = 4096
INBOX_BYTES_MAX = 64 << 20
TURN_FRAMES_MAX = 512
TIMER_SLACK = 1e-6
"""Seconds by which an event loop may run a timer early."""


class Work(Protocol):
    """What the driver turns: the node's own parts, called in this order within a turn."""

    def take(self, peer: str, frame: Frame) -> None:
        """Take in one frame."""

    def tick(self, now: float) -> None:
        """Let one heartbeat interval pass."""

    def cut(self, now: float) -> float | None:
        """Cut a block if one is due; return in how many seconds the next look is due, or None."""

    def ready(self) -> Ready | None:
        """Return Raft's next work, or None."""

    def send(self, messages: Sequence[Message]) -> None:
        """Send Raft messages."""

    def stage(self, ready: Ready) -> None:
        """Stage and execute what a Ready holds in the store's open transaction."""

    def finish(self, ready: Ready) -> None:
        """Note that a Ready is durable."""

    def after_turn(self) -> None:
        """Send and announce what the turn brought about."""


@dataclass(slots=True)
class DriverFigures:
    """Counters of one driver."""

    turns: int = 0
    commits: int = 0
    ticks: int = 0
    stalls: int = 0
    inbox_peak: int = 0
    inbox_bytes_peak: int = 0


@dataclass(slots=True)
class Driver:
    """Turns a node's parts, one batch at a time."""

    machine: Machine
    connection: apsw.Connection
    sequence: Callable[[], int]
    tick_ms: int
    work: Work
    figures: DriverFigures = field(default_factory=DriverFigures)
    halted: str | None = None
    _inbox: deque[tuple[str, Frame, int]] = field(default_factory=deque)
    _inbox_bytes: int = 0
    _writes: list[tuple[Callable[[], None], asyncio.Future[None]]] = field(default_factory=list)
    _turn_writes: list[tuple[Callable[[], None], asyncio.Future[None]]] = field(default_factory=list)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _room: asyncio.Event = field(default_factory=asyncio.Event)
    _stopping: bool = False
    _tick_due_at: float = 0.0
    _cut_timer: asyncio.TimerHandle | None = None
    _ticker: asyncio.TimerHandle | None = None
    _in_turn: bool = False
    _settled: asyncio.Event = field(default_factory=asyncio.Event)
    _readers: int = 0

    def __post_init__(self) -> None:
        self._settled.set()

    @property
    def is_busy(self) -> bool:
        """Whether frames, writes or a turn are under way."""
        return self._in_turn or bool(self._inbox) or bool(self._writes)

    async def deliver(self, peer: str, frame: Frame, size_bytes: int) -> None:
        """Put a frame that came as `size_bytes` into the inbox; wait while that is full."""
        while self._is_full(size_bytes):
            self._room.clear()
            await self._room.wait()
        self._inbox.append((peer, frame, size_bytes))
        self._inbox_bytes += size_bytes
        self._wake.set()

    async def durably(self, action: Callable[[], None]) -> None:
        """Run `action` inside the next turn's transaction; return when that is durable.

        Raises:
            NodeHaltedError: if the node stopped before; whether `action` will be found done is unknown then.
        """
        self._check_halted()
        done = asyncio.get_running_loop().create_future()
        self._writes.append((action, done))
        self._wake.set()
        await done

    async def settled(self) -> None:
        """Return when nothing is staged; no turn comes between this and the caller's next step.

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
        """End after the turn under way."""
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
            while not self._stopping:
                await self._wake.wait()
                self._wake.clear()
                if loop.time() - self._tick_due_at > 2 * self.tick_ms / 1000:
                    self.figures.stalls += 1
                    for _ in range(3):
                        await asyncio.sleep(0)
                self._in_turn = True
                await self._turn(loop.time())
                self._in_turn = False
                if self._readers:
                    await asyncio.sleep(0)  # or turns without a pause would let nobody read
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

    def _halt(self, reason: str) -> None:
        """Tell everyone who waits that nothing will be done any more."""
        self.halted = reason
        writes, self._writes = [*self._turn_writes, *self._writes], []
        for _, done in writes:
            if not done.done():
                done.set_exception(NodeHaltedError(reason))
                done.exception()  # who waits gets it; if nobody does any more, that is no fault
        self._settled.set()

    def _check_halted(self) -> None:
        if self.halted is not None:
            raise NodeHaltedError(self.halted)

    def _is_full(self, size_bytes: int) -> bool:
        """Whether a frame must wait; an empty inbox takes one of any size."""
        count = len(self._inbox)
        return count >= INBOX_FRAMES_MAX or (count > 0 and self._inbox_bytes + size_bytes > INBOX_BYTES_MAX)

    def _arm_ticker(self, due_at: float) -> None:
        self._tick_due_at = due_at
        self._ticker = asyncio.get_running_loop().call_at(due_at, self._wake.set)

    async def _turn(self, now: float) -> None:
        self.figures.turns += 1
        self._settled.clear()
        self._take_inbox()
        if now + TIMER_SLACK >= self._tick_due_at:
            self.figures.ticks += 1
            interval = self.tick_ms / 1000
            following = self._tick_due_at + interval
            # Missed ticks are not made up for: silence is measured by what was not heard, not by lost time.
            self._arm_ticker(following if following > now else now + interval)
            self.work.tick(now)
        self._look_for_cut(now)
        self._turn_writes, self._writes = self._writes, []
        for action, _ in self._turn_writes:
            action()
        while True:
            ready = self.work.ready()
            if ready is not None:
                if ready.messages:
                    self.work.send(ready.messages)
                self.work.stage(ready)
            if self.connection.in_transaction:
                self.figures.commits += 1
                await self.machine.commit(self.connection, self.sequence())
            if self._turn_writes:
                self._answer_writes()
            if ready is None:
                break
            if ready.messages_after_append:
                self.work.send(ready.messages_after_append)
            self.work.finish(ready)
        self._settled.set()
        self.work.after_turn()

    def _answer_writes(self) -> None:
        writes, self._turn_writes = self._turn_writes, []
        for _, done in writes:
            if not done.done():
                done.set_result(None)

    def _take_inbox(self) -> None:
        inbox = self._inbox
        if not inbox:
            return
        figures = self.figures
        figures.inbox_peak = max(figures.inbox_peak, len(inbox))
        figures.inbox_bytes_peak = max(figures.inbox_bytes_peak, self._inbox_bytes)
        for _ in range(min(len(inbox), TURN_FRAMES_MAX)):
            peer, frame, size_bytes = inbox.popleft()
            self._inbox_bytes -= size_bytes
            self.work.take(peer, frame)
        if inbox:
            self._wake.set()
        self._room.set()

    def _look_for_cut(self, now: float) -> None:
        due_in = self.work.cut(now)
        if self._cut_timer is not None:
            self._cut_timer.cancel()
            self._cut_timer = None
        if due_in is not None:
            self._cut_timer = asyncio.get_running_loop().call_later(due_in, self._wake.set)
