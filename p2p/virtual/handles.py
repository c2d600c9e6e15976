"""What the virtual loop schedules: callbacks that are ready, and callbacks with a due time."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable, Sequence
from typing import Protocol

NS_PER_S = 1_000_000_000


class Scheduler(Protocol):
    """The loop, as a timer knows it."""

    def timer_cancelled(self) -> None:
        """Take note that a timer that waits will not run."""


class Handle(asyncio.Handle):
    """A ready callback."""

    __slots__ = ()
    _context: contextvars.Context
    _callback: Callable[..., object] | None

    def __init__(
        self,
        callback: Callable[..., object],
        args: Sequence[object],
        loop: Scheduler,
        context: contextvars.Context | None,
    ) -> None:
        self._context = contextvars.copy_context() if context is None else context
        self._loop = loop
        self._callback = callback
        self._args = args
        self._cancelled = False
        self._repr = None
        self._source_traceback = None

    def cancel(self) -> None:
        """Let it not run; what it would have run is let go of."""
        self._cancelled = True
        self._callback = None
        self._args = ()


class Timer(asyncio.TimerHandle):
    """A callback with a due time; order is kept by the heap's (when_ns, sequence), not by this object."""

    __slots__ = ()
    _context: contextvars.Context
    _callback: Callable[..., object] | None
    _loop: Scheduler
    _scheduled: bool

    def __init__(
        self,
        when_ns: int,
        callback: Callable[..., object],
        args: Sequence[object],
        loop: Scheduler,
        context: contextvars.Context | None,
    ) -> None:
        self._context = contextvars.copy_context() if context is None else context
        self._loop = loop
        self._callback = callback
        self._args = args
        self._cancelled = False
        self._repr = None
        self._source_traceback = None
        self._when = when_ns
        self._scheduled = True

    def cancel(self) -> None:
        """Let it not run; the loop is told if it waits for its time."""
        if not self._cancelled:
            self._cancelled = True
            self._callback = None
            self._args = ()
            if self._scheduled:
                self._loop.timer_cancelled()

    def when(self) -> float:
        """Return the due time, seconds of virtual time."""
        return self._when / NS_PER_S

    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        return self is other


AnyHandle = Handle | Timer
"""What this loop schedules."""
