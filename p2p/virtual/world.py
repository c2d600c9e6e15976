"""The virtual world as one object, and the way to run a program in it.

Rules:
- One seed decides everything: the streams of chance, aiohttp's use of the global generator, SQLite's
  generator.
- A run leaves the process as it found it: aiohttp's clock, SQLite's default VFS, the global generator and the
  garbage collector are put back. Two runs of one seed in one process, or in two, give the same result.
- Garbage is collected at points fixed by the run, never by the collector's own mood: a finalizer may close a
  connection, and that must happen at the same instant every time.
- An error that nobody awaited is raised at the end of the run. Errors of the dead are not.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import hashlib
import random
import warnings
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, TypeVar

from aiohttp import web_app

from p2p.virtual.aiohttp_clock import aiohttp_clock
from p2p.virtual.host import OnFailure, VirtualHost
from p2p.virtual.life import Ending
from p2p.virtual.loop import VirtualLoop
from p2p.virtual.machine import DiskModel
from p2p.virtual.network import VirtualNetwork
from p2p.virtual.vfs import SQLiteChance
from p2p.virtual.wire import NS_PER_MS, TcpModel

_T = TypeVar("_T")

CALENDAR_MS = 1_514_764_800_000
"""2018-01-01T00:00:00Z, where calendars start unless told otherwise."""


class TraceDigest:
    """A running digest of who sent how much to whom when; set it as `network.tracer`."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self.message_count = 0

    def __call__(self, now_ns: int, src: str, dst: str, size_bytes: int) -> None:
        """Take one write into the digest."""
        self.message_count += 1
        self._hash.update(f"{now_ns} {src} {dst} {size_bytes}\n".encode())

    def hexdigest(self) -> str:
        """Return the digest so far."""
        return self._hash.hexdigest()


class VirtualWorld:
    """Loop, network and hosts of one run.

    Args:
        seed: decides everything.
        tcp: how TCP behaves.
        latency_ns: the range of one-way latency between hosts.
        calendar_ms: what every clock shows at protocol time zero.
        disk_model: how disks behave.
    """

    def __init__(
        self,
        seed: int | str,
        *,
        tcp: TcpModel | None = None,
        latency_ns: tuple[int, int] = (10 * NS_PER_MS, 30 * NS_PER_MS),
        calendar_ms: int = CALENDAR_MS,
        disk_model: DiskModel | None = None,
    ) -> None:
        self.seed = str(seed)
        self.loop = VirtualLoop()
        self.network = VirtualNetwork(self.loop, self.seed, tcp=tcp, latency_ns=latency_ns)
        self.calendar_ms = calendar_ms
        self.errors: list[BaseException] = []
        self._disk_model = disk_model
        self._hosts: dict[str, VirtualHost] = {}
        self.loop.set_exception_handler(self._note_error)

    @property
    def hosts(self) -> tuple[VirtualHost, ...]:
        """All hosts in the order of adding."""
        return tuple(self._hosts.values())

    def host(self, name: str) -> VirtualHost:
        """Return the host `name`."""
        return self._hosts[name]

    def add_host(
        self, name: str, *, disk_model: DiskModel | None = None, on_failure: OnFailure | None = None
    ) -> VirtualHost:
        """Add a host; without `on_failure`, a program's failure is raised at the end of the run."""
        host = VirtualHost(
            self.network,
            name,
            seed=self.seed,
            calendar_ms=self.calendar_ms,
            disk_model=disk_model or self._disk_model,
            on_failure=on_failure or self._note_failure,
        )
        self._hosts[name] = host
        return host

    def random(self, stream: str) -> random.Random:
        """Return a stream of chance of its own for the outside world's use."""
        return random.Random(f"{self.seed}:{stream}")

    def now_ns(self) -> int:
        """Return virtual time in nanoseconds."""
        return self.loop.now_ns()

    def _note_failure(self, host: VirtualHost, error: BaseException) -> None:
        error.add_note(f"the program on host {host.name} ended by this at {self.loop.time():.9f} s")
        self.errors.append(error)

    def _note_error(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if error is None or (self.loop.is_quiet() and not isinstance(context.get("future"), asyncio.Task)):
            return
        error.add_note(f"{context['message']} at {self.loop.time():.9f} s")
        self.errors.append(error)

    def close(self) -> None:
        """Kill every life, close what is left of the outside world, and close the loop."""
        loop = self.loop
        if loop.is_closed():
            return
        loop.forget_limits()
        loop.call_soon(self._end_everything, context=loop.kernel_context)
        try:
            loop.run_forever()
        finally:
            loop.close()

    def _end_everything(self) -> None:
        for host in self.hosts:
            if host.life is not None:
                host.life.end(Ending.POWER_LOST)
        self.network.fence(self.loop.outside)
        self.loop.outside.end(Ending.POWER_LOST)
        self.loop.call_soon(self.loop.stop, context=self.loop.kernel_context)


def _let_go_of_frames() -> None:
    """Let nothing outlive a run that holds on to its world.

    CPython 3.11 keeps the error that a task was canceled with where its collector does not look, and with it the frames
    that it came through; aiohttp remembers the handlers of its last thousand applications.
    """
    for task in [one for one in gc.get_objects() if isinstance(one, asyncio.Task)]:
        if task.cancelled():
            with contextlib.suppress(asyncio.CancelledError):
                task.exception()
    remembered = getattr(web_app, "_cached_build_middleware", None)
    if remembered is not None:
        remembered.cache_clear()


@contextlib.contextmanager
def _process_of_its_own(seed: str) -> Iterator[None]:
    """Set what is global in the process for one run and put it back."""
    collecting = gc.isenabled()
    gc.disable()
    gc.freeze()
    state = random.getstate()
    random.seed(f"{seed}:global")
    chance = SQLiteChance(seed)
    try:
        yield
    finally:
        chance.close()
        random.setstate(state)
        _let_go_of_frames()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            gc.collect()
        gc.unfreeze()
        if collecting:
            gc.enable()


def run_virtual(
    main: Callable[[VirtualWorld], Coroutine[Any, Any, _T]],
    *,
    seed: int | str,
    time_limit_s: float | None = None,
    world: VirtualWorld | None = None,
) -> _T:
    """Run `main` as the outside world of a virtual world and return its result.

    Args:
        main: gets the world; hosts it boots are killed when it returns.
        seed: decides everything.
        time_limit_s: virtual seconds after which the run is given up, or None.
        world: a world made beforehand, for settings other than the default; its seed must be `seed`.

    Raises:
        VirtualDeadlockError: if nothing could ever happen any more and `main` had not returned.
        VirtualTimeLimitError: if virtual time would have passed the limit.
        BaseExceptionGroup: if `main` returned but errors were left that nobody had awaited.
    """
    if world is not None and world.seed != str(seed):
        raise ValueError(f"the world has seed {world.seed}, the run {seed}")
    with _process_of_its_own(str(seed)):
        return _run(main, VirtualWorld(seed) if world is None else world, time_limit_s)


def _run(
    main: Callable[[VirtualWorld], Coroutine[Any, Any, _T]], world: VirtualWorld, time_limit_s: float | None
) -> _T:
    if time_limit_s is not None:
        world.loop.time_limit_ns = round(time_limit_s * 1e9)
    with aiohttp_clock(world.loop):
        try:
            task = world.loop.create_task(main(world), name="outside", context=world.loop.outside.context)
            result = world.loop.run_until_complete(task)
        except BaseException as error:
            for other in world.errors:
                error.add_note(f"besides, in the virtual world: {other!r}")
            raise
        finally:
            world.close()
    if world.errors:
        raise BaseExceptionGroup("errors that nobody awaited in the virtual world", world.errors)
    return result
