"""The one task that owns a node's Raft core, ledger and store.

Rules:
- One turn: take in what has arrived, let due ticks pass, cut a block if one is due, send what needs no disk, stage
  every write, execute what is committed, commit once, then send what had to be durable first.
- What arrives during a commit is the next turn's batch: that is group commit.
- After a stall the due timers run before the tasks that would read what has already arrived; a tick that comes more
  than two intervals late lets those tasks run first, so that a leader who was heard is not deposed.
- When a commit fails the driver ends with the reason and nothing staged is ever shown.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import apsw

from consensus import Message, Ready
from p2p.frames import Frame
from p2p.machine import Machine

INBOX_FRAMES_MAX = 4096
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


@dataclass(slots=True)
class Driver:
    """Turns a node's parts, one batch at a time."""

    machine: Machine
    connection: apsw.Connection
    sequence: Callable[[], int]
    tick_ms: int
    work: Work
    figures: DriverFigures = field(default_factory=DriverFigures)
    _inbox: deque[tuple[str, Frame]] = field(default_factory=deque)
    _writes: list[tuple[Callable[[], None], asyncio.Future[None]]] = field(default_factory=list)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _room: asyncio.Event = field(default_factory=asyncio.Event)
    _stopping: bool = False
    _tick_due_at: float = 0.0
    _cut_timer: asyncio.TimerHandle | None = None
    _ticker: asyncio.TimerHandle | None = None
    _in_turn: bool = False

    @property
    def is_busy(self) -> bool:
        """Whether frames, writes or a turn are under way."""
        return self._in_turn or bool(self._inbox) or bool(self._writes)

    async def deliver(self, peer: str, frame: Frame) -> None:
        """Put a frame into the inbox; wait while it is full."""
        while len(self._inbox) >= INBOX_FRAMES_MAX:
            self._room.clear()
            await self._room.wait()
        self._inbox.append((peer, frame))
        self._wake.set()

    async def durably(self, action: Callable[[], None]) -> None:
        """Run `action` inside the next turn's transaction; return when that is durable."""
        done = asyncio.get_running_loop().create_future()
        self._writes.append((action, done))
        self._wake.set()
        await done

    def stage_write(self, action: Callable[[], None]) -> None:
        """Run `action` inside the next transaction; nobody waits for it."""
        self._writes.append((action, asyncio.get_running_loop().create_future()))
        self._wake.set()

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
            DiskFailureError: if a commit could not be made durable.
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
        finally:
            for timer in (self._ticker, self._cut_timer):
                if timer is not None:
                    timer.cancel()

    def _arm_ticker(self, due_at: float) -> None:
        self._tick_due_at = due_at
        self._ticker = asyncio.get_running_loop().call_at(due_at, self._wake.set)

    async def _turn(self, now: float) -> None:
        self.figures.turns += 1
        self._take_inbox()
        if now + TIMER_SLACK >= self._tick_due_at:
            self.figures.ticks += 1
            self._arm_ticker(max(self._tick_due_at, now - self.tick_ms / 1000) + self.tick_ms / 1000)
            self.work.tick(now)
        self._look_for_cut(now)
        writes, self._writes = self._writes, []
        for action, _ in writes:
            action()
        while True:
            ready = self.work.ready()
            if ready is not None:
                self.work.send(ready.messages)
                self.work.stage(ready)
            await self._commit()
            for _, done in writes:
                if not done.done():
                    done.set_result(None)
            if ready is None:
                break
            self.work.send(ready.messages_after_append)
            self.work.finish(ready)
            writes = []
        self.work.after_turn()

    def _take_inbox(self) -> None:
        inbox = self._inbox
        self.figures.inbox_peak = max(self.figures.inbox_peak, len(inbox))
        for _ in range(min(len(inbox), TURN_FRAMES_MAX)):
            peer, frame = inbox.popleft()
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

    async def _commit(self) -> None:
        if self.connection.in_transaction:
            self.figures.commits += 1
            await self.machine.commit(self.connection, self.sequence())
