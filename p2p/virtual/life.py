"""One process life: what starts together, stops together, and must leave nothing running behind.

Rules:
- A life is known by one context variable. Whatever a life starts inherits it, so the loop can tell whose
  handle it is about to run; code with no life at all is the outside world (the trial, the agents), which
  never dies.
- The loop looks at the life before every handle. A dead life's handles are dropped; a paused life's are held.
- Death comes in one step: first the life is marked dead, then its fences run (sockets, servers, disk), then,
  in a turn of its own, the burial. Between the mark and the burial the handle that was running may go on as a
  ghost; every fence must hold against it.
- Burial closes the dead coroutines on purpose, inside their own dead context, until none is left. Left to the
  garbage collector their `finally` blocks would run at any time in anybody's context.
- A resumed life finds its due timers before the data that arrived while it was stopped, as a process does
  whose event loop looks at its timers before its sockets.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import enum
import sys
import warnings
import weakref
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, ParamSpec

from p2p.virtual.handles import AnyHandle

if TYPE_CHECKING:
    from p2p.virtual.lifeclock import LifeClock
    from p2p.virtual.loop import VirtualLoop

_P = ParamSpec("_P")

_CLOSES_MAX = 100
_BURIAL_ROUNDS_MAX = 100
_PRUNE_AT = 64

LIFE: contextvars.ContextVar[Life] = contextvars.ContextVar("seatrial_life")
HOST: contextvars.ContextVar[str] = contextvars.ContextVar("seatrial_host")


class Ending(enum.Enum):
    """How a life ends, as its surroundings see it."""

    KILLED = "the process is gone, its operating system goes on and closes its sockets"
    POWER_LOST = "the machine is dark: nothing is sent, nothing is answered, what was not synced may be gone"


class Life:
    """One process life on a host.

    Args:
        loop: the loop it runs on.
        host: the name of the host it runs on.
        number: 1 for the host's first life, then counting; 0 for the outside world.
    """

    def __init__(self, loop: VirtualLoop, host: str, number: int) -> None:
        self.loop = loop
        self.host = host
        self.number = number
        self.alive = True
        self.paused = False
        self.running = True
        self.ending: Ending | None = None
        self.clock: LifeClock | None = None
        self._ghost: asyncio.Task[object] | None = None
        self.context = contextvars.Context()
        self.context.run(LIFE.set, self)
        self.context.run(HOST.set, host)
        self._fences: list[Callable[[Ending], None]] = []
        self._last_rites: list[Callable[[], None]] = []
        self._doomed: list[asyncio.Task[object]] = []
        self._tasks: list[weakref.ref[asyncio.Task[object]]] = []
        self._prune_at = _PRUNE_AT
        self._held_ready: list[AnyHandle] = []
        self._held_timers: list[AnyHandle] = []
        self._held_io: list[Callable[[], None]] = []

    def __repr__(self) -> str:
        state = "paused" if self.paused else "running"
        if not self.alive:
            state = "dead"
        return f"<Life {self.host}#{self.number} {state}>"

    def add_fence(self, fence: Callable[[Ending], None]) -> None:
        """Run `fence` at the moment of death, in the order of adding; it runs no code of the dead life."""
        self._fences.append(fence)

    def add_last_rite(self, rite: Callable[[], None]) -> None:
        """Run `rite` inside the dead context after the coroutines are closed."""
        self._last_rites.append(rite)

    def own_task(self, task: asyncio.Task[object]) -> None:
        """Remember a task of this life; the living do not keep it alive, the dead keep it for burial."""
        if not self.alive:
            self._doomed.append(task)
            return
        tasks = self._tasks
        tasks.append(weakref.ref(task))
        if len(tasks) >= self._prune_at:
            self._tasks = [ref for ref in tasks if ref() is not None]
            self._prune_at = max(_PRUNE_AT, 2 * len(self._tasks))

    def divert(self, handle: AnyHandle) -> None:
        """Take a handle that may not run now: drop it if this life is dead, hold it if it is paused."""
        if not self.alive:
            handle.cancel()
        elif isinstance(handle, asyncio.TimerHandle):
            self._held_timers.append(handle)
        else:
            self._held_ready.append(handle)

    def hold_io(self, callback: Callable[[], None]) -> None:
        """Keep a network callback of a paused life until it is resumed."""
        if self.alive and callback not in self._held_io:
            self._held_io.append(callback)

    def pause(self) -> None:
        """Stop the life where it is (SIGSTOP); its operating system goes on buffering for it."""
        if self.alive:
            self.paused = True
            self.running = False

    def resume(self) -> None:
        """Let a paused life go on (SIGCONT): what was ready, due timers, what the network brought."""
        if not self.alive or not self.paused:
            return
        self.paused = False
        self.running = True
        ready, timers, callbacks = self._held_ready, self._held_timers, self._held_io
        self._held_ready, self._held_timers, self._held_io = [], [], []
        self.loop.requeue(ready)
        self.loop.requeue(timers)
        for callback in callbacks:
            self.loop.call_soon(callback, context=self.loop.kernel_context)

    def end(self, ending: Ending) -> None:
        """End the life now; burial follows in the next loop turn. Ending a dead life does nothing."""
        if not self.alive:
            return
        self.alive = False
        self.running = False
        self.ending = ending
        self._ghost = asyncio.current_task(self.loop)
        self._doomed = [task for ref in self._tasks if (task := ref()) is not None]
        self._tasks = []
        for fence in self._fences:
            fence(ending)
        self._held_io.clear()
        self.loop.call_soon(self.bury, context=self.loop.kernel_context)

    def bury(self) -> None:
        """Close every coroutine of the dead life, run the last rites, and have its garbage collected soon."""
        with self.loop.quiet(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            buried: dict[int, asyncio.Task[object]] = {}
            for _ in range(_BURIAL_ROUNDS_MAX):
                tasks = [task for task in (*self._doomed, *self._strays()) if id(task) not in buried]
                self._doomed = []
                if not tasks:
                    break
                for task in tasks:
                    buried[id(task)] = task
                    self._close(task)
            buried.clear()
            tasks = []
            self._ghost = None
            for handle in (*self._held_ready, *self._held_timers):
                handle.cancel()
            for rite in self._last_rites:
                self.context.run(rite)
            self._held_ready, self._held_timers = [], []
            self._fences, self._last_rites = [], []
            self.loop.collect_garbage_soon()

    def _strays(self) -> list[asyncio.Task[object]]:
        """Return pending tasks of this life that the loop was not asked to make, by number."""
        if sys.version_info >= (3, 12):
            strays = [task for task in asyncio.all_tasks(self.loop) if task.get_context().get(LIFE) is self]
            return sorted(strays, key=lambda task: (len(task.get_name()), task.get_name()))
        return []

    def _report(self, task: asyncio.Task[object]) -> None:
        """Tell of a task that failed while its life went on and that nobody will ask any more."""
        if task.cancelled() or not task._log_traceback:
            return
        error = task.exception()
        if error is not None and task is not self._ghost:
            self.loop.call_exception_handler(
                {
                    "message": f"Task {task.get_name()} failed and nobody asked",
                    "exception": error,
                    "future": task,
                }
            )

    def _close(self, task: asyncio.Task[object]) -> None:
        if task.done():
            self._report(task)
            return
        task._log_destroy_pending = False  # type: ignore[attr-defined]
        coroutine = task.get_coro()
        for _ in range(_CLOSES_MAX):
            try:
                self.context.run(coroutine.close)
            except KeyboardInterrupt:
                raise
            except RuntimeError:
                continue  # its `finally` awaited something; nothing will ever come, so close it there too
            except BaseException:
                return  # a ghost's error concerns nobody, and it has ended the coroutine
            return


def current_life() -> Life | None:
    """Return the life whose code is running, or None in the outside world."""
    life = LIFE.get(None)
    return None if life is None or life.number == 0 else life


def fenced(function: Callable[_P, object]) -> Callable[_P, None]:
    """Return `function` behind a fence: calls by a dead life do nothing.

    Wrap whatever the observer of a trial is told by, or ghosts will be heard.
    """

    def call(*args: _P.args, **kwargs: _P.kwargs) -> None:
        life = LIFE.get(None)
        if life is None or life.alive:
            function(*args, **kwargs)

    return call


@contextlib.contextmanager
def on_host(name: str) -> Iterator[None]:
    """Say that the code inside the block, and all it starts, sits on host `name`."""
    token = HOST.set(name)
    try:
        yield
    finally:
        HOST.reset(token)
