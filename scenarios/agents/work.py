"""What an agent is doing, so that a trial can tell work from waiting.

Rules:
- Every reaction and every scripted step is a *job*. A job is at work unless it waits for something with a
  name: a moment of the calendar, an envelope, a receipt, its office, or a node that does not answer.
- A wait is over the instant its reason is: a job whose envelope or receipt has arrived is at work before its
  coroutine runs again, so nobody can mistake the instant between for rest. The calendar is the trial's own:
  it wakes sleepers when it moves, and looks for rest after that.
- A job that is to begin, or to go on, at a moment of the calendar need not be a task until then: of thousands that
  sleep for months only a name and what they will do stay.
- A job that fails is kept and told about; it never just vanishes.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Iterator
from contextvars import copy_context
from dataclasses import dataclass, field
from enum import StrEnum

from scenarios.agents.paperbook import Paperbook, Slip

CallAt = Callable[[int, Callable[[], None]], None]
"""Enters a call into the calendar, at UTC milliseconds."""
Begin = Callable[[], Coroutine[object, object, None]]
"""What a job does once it is awake."""


class WaitKind(StrEnum):
    """What a job waits for."""

    CALENDAR = "calendar"
    ENVELOPE = "envelope"
    RECEIPT = "receipt"
    NODE = "node"
    TURN = "turn"  # another job of this agent works on the same thing
    OFFICE = "office"  # the office is away, silent, or holds its post


@dataclass(slots=True)
class Wait:
    """One wait: for what, which one, and whether it is over; None if it lasts until its job goes on."""

    kind: WaitKind
    what: str
    is_over: Callable[[], bool] | None

    @property
    def lasts(self) -> bool:
        """Whether it is not over yet."""
        return self.is_over is None or not self.is_over()


@dataclass(frozen=True, slots=True)
class Act:
    """One transaction of a job and what became of it; `rule` is the form rule that refused it, if one did."""

    type: str
    id: str
    code: str
    rule: str | None


@dataclass(slots=True)
class Job:
    """One reaction or step under way: its transactions, what it waits for, innermost last, and its slip if on paper."""

    name: str
    acts: list[Act] = field(default_factory=list)
    waits: list[Wait] = field(default_factory=list)
    slip: Slip | None = None
    book: Paperbook | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether it waits for something that has not happened yet."""
        return any(wait.lasts for wait in self.waits)


class Workload:
    """An agent's jobs.

    Jobs start in copies of the context in which the workload was made, not in that of whoever starts them: a
    reaction that a scripted step sets off is no part of the step.

    Args:
        on_failure: told of the exception with which a job ended.
    """

    def __init__(self, on_failure: Callable[[BaseException], None]) -> None:
        self._on_failure = on_failure
        self._context = copy_context()
        self._jobs: dict[asyncio.Task[object], Job] = {}
        self._own: dict[asyncio.Task[object], None] = {}
        # Sleepers are many and asked about at every look for rest: only the others can be at work.
        self._wakeful: dict[asyncio.Task[object], Job] = {}
        self._blocked: dict[asyncio.Task[object], int] = {}
        self._asleep: dict[
            int, tuple[str, int]
        ] = {}  # of jobs that are no task: name and time, UTC milliseconds
        self._lying_down = 0
        self._slept = 0

    @property
    def count(self) -> int:
        """How many jobs there are, those asleep included."""
        return len(self._jobs) + len(self._asleep) + self._lying_down

    @property
    def active(self) -> int:
        """How many jobs are at work: they wait for nothing with a name."""
        return sum(not job.is_waiting for job in self._wakeful.values()) + self._lying_down

    @property
    def blocked(self) -> int:
        """How many jobs wait for a node that does not answer."""
        return len(self._blocked)

    @property
    def waits(self) -> tuple[tuple[str, WaitKind, str], ...]:
        """Return (job, kind, what) of every wait that is not over: what a hung trial hangs on."""
        return tuple(
            (job.name, wait.kind, wait.what)
            for job in self._jobs.values()
            for wait in job.waits
            if wait.lasts
        ) + tuple((name, WaitKind.CALENDAR, str(time_ms)) for name, time_ms in self._asleep.values())

    def start(self, name: str, coroutine: Coroutine[object, object, None]) -> None:
        """Start a job of its own."""
        task = asyncio.get_running_loop().create_task(coroutine, name=name, context=self._context.copy())
        self._jobs[task] = self._wakeful[task] = Job(name)
        self._own[task] = None
        task.add_done_callback(self._ended)

    def start_at(self, name: str, time_ms: int, call_at: CallAt, begin: Begin) -> None:
        """Start a job at a moment of the calendar.

        Args:
            name: of the job.
            time_ms: when, UTC milliseconds.
            call_at: enters a call into the calendar.
            begin: what it does then.
        """
        # Entered with the next turn of the loop, where a job that begins by sleeping would enter itself: jobs of one
        # moment wake in the order in which they went to sleep.
        self._lying_down += 1
        asyncio.get_running_loop().call_soon(
            self._lie_down, name, time_ms, call_at, begin, context=self._context.copy()
        )

    def go_on_at(self, time_ms: int, call_at: CallAt, begin: Begin) -> None:
        """Let the current job go on at a moment of the calendar with `begin`; its task is to end now."""
        task = _current()
        self._wakeful.pop(task, None)
        self._sleep(self._jobs[task].name, time_ms, call_at, begin)

    def _lie_down(self, name: str, time_ms: int, call_at: CallAt, begin: Begin) -> None:
        self._lying_down -= 1
        self._sleep(name, time_ms, call_at, begin)

    def _sleep(self, name: str, time_ms: int, call_at: CallAt, begin: Begin) -> None:
        self._slept += 1
        number = self._slept
        self._asleep[number] = name, time_ms
        call_at(time_ms, lambda: self._wake(number, begin))

    def _wake(self, number: int, begin: Begin) -> None:
        """Make a task of a job; it is at work from its first step on, as a sleeper is."""
        name, time_ms = self._asleep.pop(number)
        coroutine = self._awake(begin)
        task = asyncio.get_running_loop().create_task(coroutine, name=name, context=self._context.copy())
        self._jobs[task] = Job(name, waits=[Wait(WaitKind.CALENDAR, str(time_ms), None)])
        self._own[task] = None
        task.add_done_callback(self._ended)

    async def _awake(self, begin: Begin) -> None:
        task = _current()
        job = self._wakeful[task] = self._jobs[task]
        job.waits.clear()
        await begin()

    @contextlib.contextmanager
    def here(self, name: str) -> Iterator[Job]:
        """Let what the current task does in this context be a job.

        Raises:
            RuntimeError: if the task has a job of this agent already.
        """
        task = _current()
        if task in self._jobs:
            raise RuntimeError(f"{name}: this task works on {self._jobs[task].name}; take one step at a time")
        job = self._jobs[task] = self._wakeful[task] = Job(name)
        try:
            yield job
        finally:
            del self._jobs[task]
            self._wakeful.pop(task, None)

    @property
    def current(self) -> Job:
        """The job that this code runs in."""
        return self._jobs[_current()]

    def note(self, act: Act) -> None:
        """Note what became of a transaction of the current job."""
        self.current.acts.append(act)

    @contextlib.contextmanager
    def waiting(self, kind: WaitKind, what: str, is_over: Callable[[], bool] | None) -> Iterator[None]:
        """Let the current job wait in this context.

        Args:
            kind: for what.
            what: which one.
            is_over: whether it is over, asked at any time; None if not before the context ends.
        """
        task = _current()
        job = self._jobs[task]
        job.waits.append(Wait(kind, what, is_over))
        if is_over is None:
            self._wakeful.pop(task, None)
        if kind is WaitKind.NODE:
            self._blocked[task] = self._blocked.get(task, 0) + 1
        try:
            yield
        finally:
            job.waits.pop()
            if all(wait.is_over is not None for wait in job.waits):
                self._wakeful[task] = job
            if kind is WaitKind.NODE:
                self._blocked[task] -= 1
                if not self._blocked[task]:
                    del self._blocked[task]

    async def cancel(self) -> None:
        """Cancel every job started here and return when they have ended; steps are their callers' own."""
        tasks = list(self._own)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _ended(self, task: asyncio.Task[object]) -> None:
        del self._jobs[task]
        del self._own[task]
        self._wakeful.pop(task, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._on_failure(error)


def _current() -> asyncio.Task[object]:
    task = asyncio.current_task()
    if task is None:
        raise RuntimeError("a job runs in a task; this code runs in none")
    return task
