"""An asyncio event loop whose clock is a number: it jumps to the next thing to do.

Rules:
- Time is an integer of nanoseconds and moves only when nothing is left to do at the present instant. The
  processor's time is not counted: a computation takes no virtual time at all.
- Handles run in the order (when, order of scheduling). asyncio's own heap leaves the order of equal deadlines
  open.
- `call_at(when)` never fires before `when` as `time()` tells it, so code that asks "is it time yet?" is never
  told no.
- Before a handle runs, the loop looks whether its life goes on (`life.py`). The kernel's own handles
  (arrivals, retransmissions) run in `kernel_context`, which belongs to no life.
- Nothing scheduled and nothing ready is a deadlock, and an instant that never ends is a livelock: both raise
  and say who waits where, instead of hanging.
- What would leave the virtual world (signals, subprocesses, real sockets, TLS, threads) is refused loudly.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import contextvars
import gc
import heapq
import socket
import threading
from collections.abc import Callable, Coroutine, Generator, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, TypeVarTuple

from p2p.virtual.handles import NS_PER_S, AnyHandle, Handle, Timer
from p2p.virtual.life import LIFE, Life
from p2p.virtual.lifeclock import LifeClock

if TYPE_CHECKING:
    from p2p.virtual.network import VirtualNetwork

_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")

TURNS_PER_INSTANT_MAX = 1_000_000
TURNS_PER_COLLECTION = 100_000
TURNS_AFTER_BURIAL = 10_000
"""Turns within which the garbage of the dead is collected; several deaths share a collection."""
_CANCELLED_TIMERS_MIN = 100


class VirtualDeadlockError(RuntimeError):
    """Nothing is scheduled and nothing is ready: the program would wait for ever."""


class VirtualLivelockError(RuntimeError):
    """The loop turned too often without virtual time moving."""


class VirtualTimeLimitError(RuntimeError):
    """Virtual time would have passed the limit set for the run."""


class NotVirtualError(RuntimeError):
    """Something that would leave the virtual world: a signal, a subprocess, a real socket, a thread."""


class VirtualLoop(asyncio.BaseEventLoop):
    """The loop. Give it a network with `attach_network` before anything connects or listens."""

    _closed: bool
    _stopping: bool
    _thread_id: int | None

    def __init__(self) -> None:
        super().__init__()
        self._now_ns = 0
        self._sequence = 0
        self._heap: list[tuple[int, int, Timer]] = []
        self._ready: collections.deque[AnyHandle] = collections.deque()
        self._cancelled_timers = 0
        self._turns_now = 0
        self._turns_to_collection = TURNS_PER_COLLECTION
        self._quiet = 0
        self._has_wrong_clocks = False
        self._network: VirtualNetwork | None = None
        self.kernel_context = contextvars.Context()
        self.outside = Life(self, "outside", 0)
        self._graveyard = Life(self, "graveyard", -1)
        self._graveyard.alive = self._graveyard.running = False
        self.turns = 0
        self.time_limit_ns: int | None = None

    # Time

    def now_ns(self) -> int:
        """Return virtual time in nanoseconds since the loop was made."""
        return self._now_ns

    def time(self) -> float:
        """Return seconds since the loop was made: virtual time, or what the running life's own clock shows."""
        if not self._has_wrong_clocks:
            return self._now_ns / NS_PER_S
        clock = self._clock()
        return (self._now_ns if clock is None else clock.shows(self._now_ns)) / NS_PER_S

    def _clock(self) -> LifeClock | None:
        """Return the running life's clock, if that is not right."""
        if not self._has_wrong_clocks:
            return None
        life = LIFE.get(None)
        return None if life is None else life.clock

    def set_clock(self, life: Life, clock: LifeClock) -> None:
        """Give a life another clock: its timers come when that shows what the present one was to show."""
        old = life.clock or LifeClock(0, 0, 0)
        life.clock = clock
        self._has_wrong_clocks = True
        heap = self._heap
        for number, (_, sequence, timer) in enumerate(heap):
            if timer._context.get(LIFE) is life:
                timer._when = clock.comes(old.shows(timer._when))
                heap[number] = (timer._when, sequence, timer)
        heapq.heapify(heap)

    # Scheduling

    def call_soon(
        self,
        callback: Callable[[*_Ts], object],
        *args: *_Ts,
        context: contextvars.Context | None = None,
    ) -> asyncio.Handle:
        """Run `callback` in the next turn; without `context`, in a copy of the present one."""
        if self._closed:
            raise RuntimeError("Event loop is closed")
        handle = Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def call_soon_threadsafe(
        self,
        callback: Callable[[*_Ts], object],
        *args: *_Ts,
        context: contextvars.Context | None = None,
    ) -> asyncio.Handle:
        """Like `call_soon`; another thread is refused, since its timing would not be repeatable."""
        if self._thread_id is not None and self._thread_id != threading.get_ident():
            refuse("a callback from another thread")
        return self.call_soon(callback, *args, context=context)

    def call_at_ns(
        self,
        when_ns: int,
        callback: Callable[[*_Ts], object],
        *args: *_Ts,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        """Run `callback` at virtual time `when_ns`; a time in the past means now."""
        if self._closed:
            raise RuntimeError("Event loop is closed")
        timer = Timer(when_ns, callback, args, self, context)
        self._sequence = sequence = self._sequence + 1
        heapq.heappush(self._heap, (when_ns, sequence, timer))
        return timer

    def call_at(
        self,
        when: float,
        callback: Callable[[*_Ts], object],
        *args: *_Ts,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        """Run `callback` at the first nanosecond at which `time()` is not below `when` (seconds)."""
        when_ns = round(when * NS_PER_S)
        if when_ns / NS_PER_S < when:
            when_ns += 1
        clock = self._clock()
        if clock is not None:
            when_ns = clock.comes(when_ns)
        return self.call_at_ns(when_ns, callback, *args, context=context)

    def call_later(
        self,
        delay: float,
        callback: Callable[[*_Ts], object],
        *args: *_Ts,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        """Run `callback` after `delay` seconds, rounded to the nanosecond."""
        when_ns = self._now_ns + round(delay * NS_PER_S)
        clock = self._clock()
        if clock is not None:
            when_ns = clock.comes(clock.shows(self._now_ns) + when_ns - self._now_ns)
        return self.call_at_ns(when_ns, callback, *args, context=context)

    def requeue(self, handles: Iterable[AnyHandle]) -> None:
        """Put handles back that the loop had handed to a life."""
        self._ready.extend(handles)

    def timer_cancelled(self) -> None:
        """Take note that a timer that waits will not run; those are swept out once they are the most."""
        self._cancelled_timers += 1
        heap = self._heap
        if self._cancelled_timers > _CANCELLED_TIMERS_MIN and 2 * self._cancelled_timers > len(heap):
            heap[:] = [entry for entry in heap if not entry[2]._cancelled]
            heapq.heapify(heap)
            self._cancelled_timers = 0

    def create_task(
        self,
        coro: Generator[Any, None, _T] | Coroutine[Any, Any, _T],
        *,
        name: object = None,
        context: contextvars.Context | None = None,
        **options: Any,
    ) -> asyncio.Task[_T]:
        """Start a task and note whose it is."""
        task: asyncio.Task[_T] = super().create_task(coro, name=name, context=context, **options)
        life = LIFE.get(self.outside) if context is None else context.get(LIFE, self.outside)
        life.own_task(task)
        return task

    # Running

    def _run_once(self) -> None:
        ready = self._ready
        heap = self._heap
        if ready:
            self._turns_now += 1
            if self._turns_now > TURNS_PER_INSTANT_MAX:
                raise VirtualLivelockError(
                    f"{TURNS_PER_INSTANT_MAX} loop turns at {self.time():.9f} s without virtual time moving; "
                    f"look for a loop around asyncio.sleep(0); next is {ready[0]!r}"
                )
        elif not self._stopping:
            self._advance()
        if heap and heap[0][0] <= self._now_ns:
            self._take_due(self._now_ns)
        self.turns += 1
        for _ in range(len(ready)):
            handle = ready.popleft()
            callback = handle._callback
            if callback is None:
                continue  # cancelled
            context = handle._context
            life = context.get(LIFE)
            if life is not None and not life.running:
                life.divert(handle)
                continue
            try:
                context.run(callback, *handle._args)
            except (SystemExit, KeyboardInterrupt):
                raise
            except BaseException as error:
                if context is self.kernel_context:
                    raise  # the virtual world itself is broken
                self.call_exception_handler(
                    {"message": f"Exception in {callback!r}", "exception": error, "handle": handle}
                )
        self._turns_to_collection -= 1
        if self._turns_to_collection <= 0:
            self.collect_garbage()

    def _take_due(self, now_ns: int) -> None:
        heap = self._heap
        while heap and heap[0][0] <= now_ns:
            timer = heapq.heappop(heap)[2]
            timer._scheduled = False
            if timer._cancelled:
                self._cancelled_timers -= 1
            else:
                self._ready.append(timer)

    def _advance(self) -> None:
        """Move time to the next timer that still stands."""
        heap = self._heap
        while heap and heap[0][2]._cancelled:
            heapq.heappop(heap)[2]._scheduled = False
            self._cancelled_timers -= 1
        if not heap:
            raise VirtualDeadlockError(
                f"at {self.time():.9f} s nothing is scheduled that could wake {self._describe_waiting()}"
            )
        when_ns = heap[0][0]
        if self.time_limit_ns is not None and when_ns > self.time_limit_ns:
            raise VirtualTimeLimitError(
                f"virtual time would pass its limit of {self.time_limit_ns / NS_PER_S} s; "
                f"raise the limit or end the run earlier; waiting: {self._describe_waiting()}"
            )
        if when_ns > self._now_ns:
            self._now_ns = when_ns
            self._turns_now = 0

    def _describe_waiting(self) -> str:
        waiting = sorted(
            f"{task.get_name()} in {getattr(task.get_coro(), '__qualname__', '?')}"
            for task in asyncio.all_tasks(self)
        )
        return "; ".join(waiting[:20]) or "no task at all"

    def _process_events(self, event_list: object) -> None:
        """There are no file descriptors to poll."""

    def _write_to_self(self) -> None:
        """There is no selector to wake."""

    def forget_limits(self) -> None:
        """Let a loop that ran into a limit turn once more, to be cleared away."""
        self.time_limit_ns = None
        self._turns_now = 0

    # Garbage and errors

    @contextlib.contextmanager
    def quiet(self) -> Iterator[None]:
        """Report no errors of objects that die inside the block; tasks and futures still are reported."""
        self._quiet += 1
        try:
            yield
        finally:
            self._quiet -= 1

    def is_quiet(self) -> bool:
        """Say whether the dead are being put away just now."""
        return self._quiet > 0

    def collect_garbage(self) -> None:
        """Collect cyclic garbage in a dead context, at a point that is the same in every run of one seed."""
        self._turns_to_collection = TURNS_PER_COLLECTION
        with self.quiet():
            self._graveyard.context.run(gc.collect)

    def collect_garbage_soon(self) -> None:
        """Collect within `TURNS_AFTER_BURIAL` turns: every collection walks through all that a run has made."""
        self._turns_to_collection = min(self._turns_to_collection, TURNS_AFTER_BURIAL)

    def _asyncgen_finalizer_hook(self, agen: Any) -> None:
        life = LIFE.get(None)
        if life is None or life.alive:
            super()._asyncgen_finalizer_hook(agen)  # type: ignore[misc]
            return
        self._asyncgens.discard(agen)  # type: ignore[attr-defined]
        with contextlib.suppress(BaseException):  # a ghost's generator: run it to its end, nobody listens
            agen.aclose().send(None)

    # Network

    def attach_network(self, network: VirtualNetwork) -> None:
        """Let connections and servers of this loop run over `network`."""
        self._network = network

    @property
    def network(self) -> VirtualNetwork:
        """The network of this loop."""
        if self._network is None:
            refuse("a network connection on a loop without a virtual network; call attach_network first")
        return self._network

    async def getaddrinfo(  # type: ignore[override]
        self,
        host: bytes | str | None,
        port: bytes | str | int | None,
        *,
        family: int = 0,
        type: int = 0,  # noqa: A002 - asyncio's name
        proto: int = 0,
        flags: int = 0,
    ) -> list[tuple[socket.AddressFamily, socket.SocketKind, int, str, tuple[str, int]]]:
        """Resolve a virtual host's name or address."""
        address = self.network.resolve(host.decode() if isinstance(host, bytes) else host)
        return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, int(port or 0)))]

    async def getnameinfo(self, sockaddr: Any, flags: int = 0) -> tuple[str, str]:
        """Return the address itself; the virtual world has no reverse names."""
        return str(sockaddr[0]), str(sockaddr[1])

    async def sock_connect(self, sock: socket.socket, address: Any) -> None:
        """Connect: the real socket stays unconnected and is only the ticket for `create_connection`."""
        await self.network.connect_socket(sock, str(address[0]), int(address[1]))

    async def create_connection(  # type: ignore[override]
        self,
        protocol_factory: Callable[[], asyncio.BaseProtocol],
        host: str | None = None,
        port: int | None = None,
        *,
        ssl: object = None,
        sock: socket.socket | None = None,
        **options: object,
    ) -> tuple[asyncio.Transport, asyncio.BaseProtocol]:
        """Open a virtual connection, or take over the one `sock_connect` made for `sock`."""
        if ssl:
            refuse("TLS")
        if sock is not None:
            transport = self.network.take_socket(sock)
        else:
            transport = await self.network.connect(self.network.resolve(host), int(port or 0))
        protocol = protocol_factory()
        transport.start(protocol)
        return transport, protocol

    async def create_server(  # type: ignore[override]
        self,
        protocol_factory: Callable[[], asyncio.BaseProtocol],
        host: str | Sequence[str] | None = None,
        port: int | None = None,
        *,
        ssl: object = None,
        sock: socket.socket | None = None,
        **options: object,
    ) -> asyncio.AbstractServer:
        """Listen on the host the running code sits on."""
        if ssl:
            refuse("TLS")
        if sock is not None:
            refuse("a server on a real socket")
        hosts = [host] if host is None or isinstance(host, str) else list(host)
        return self.network.listen(protocol_factory, hosts, int(port or 0))

    # Executors

    def run_in_executor(
        self, executor: object, func: Callable[[*_Ts], _T], *args: *_Ts
    ) -> asyncio.Future[_T]:
        """Run `func` at once, here: threads would not be repeatable."""
        future: asyncio.Future[_T] = self.create_future()
        try:
            future.set_result(func(*args))
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:  # handed to whoever awaits
            future.set_exception(error)
        return future

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:  # noqa: ASYNC109
        """There is none."""


def refuse(what: str) -> NoReturn:
    """Raise `NotVirtualError` for something the virtual world does not have."""
    raise NotVirtualError(
        f"{what} is not part of the virtual world; use the Machine, and aiohttp over virtual hosts"
    )


def _refusal(name: str) -> Callable[..., NoReturn]:
    def refused(_self: VirtualLoop, *_args: object, **_options: object) -> NoReturn:
        refuse(f"loop.{name}()")

    refused.__name__ = name
    refused.__doc__ = "Refuse, loudly."
    return refused


_REFUSED = (
    "add_reader", "remove_reader", "add_writer", "remove_writer", "add_signal_handler",
    "remove_signal_handler", "sock_recv", "sock_recv_into", "sock_recvfrom", "sock_recvfrom_into",
    "sock_sendall", "sock_sendto", "sock_accept", "sock_sendfile", "sendfile", "start_tls",
    "connect_accepted_socket", "create_datagram_endpoint", "create_unix_connection",
    "create_unix_server", "connect_read_pipe", "connect_write_pipe", "subprocess_exec",
    "subprocess_shell", "set_default_executor",
)  # fmt: skip
for _name in _REFUSED:
    setattr(VirtualLoop, _name, _refusal(_name))
del _name
