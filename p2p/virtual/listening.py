"""Listening sockets, and the three packets that open a connection to one.

Rules:
- A host that is up answers for its processes: with SYN-ACK if a process listens, even a paused one, else with
  RST.
- A host without power, or behind a cut, answers nothing; SYN is repeated after 1, 2, 4, ... seconds, then
  ETIMEDOUT.
- The bare ACK that ends the handshake travels as any segment does; on its arrival the process accepts, at
  once or when it is resumed. If it has stopped listening meanwhile, the connection is reset.
- An accepted connection runs in a copy of the context its server was made in.
"""

from __future__ import annotations

import asyncio
import contextvars
import errno
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from p2p.virtual.life import Life
from p2p.virtual.socketname import VirtualSocket
from p2p.virtual.transport import VirtualTransport
from p2p.virtual.wire import Link

if TYPE_CHECKING:
    from p2p.virtual.network import VirtualNetwork

LOOPBACK = "127.0.0.1"
ANY = "0.0.0.0"  # noqa: S104 - a name on the virtual network only


@dataclass(slots=True)
class NetworkHost:
    """A host as the network sees it."""

    name: str
    address: str
    powered: bool
    listeners: dict[tuple[str, int], VirtualServer]
    ports: Iterator[int]


class VirtualServer(asyncio.AbstractServer):
    """A listening socket of one life."""

    def __init__(
        self,
        network: VirtualNetwork,
        host: NetworkHost,
        life: Life,
        protocol_factory: Callable[[], asyncio.BaseProtocol],
        binds: Sequence[tuple[str, int]],
    ) -> None:
        self._network = network
        self._host = host
        self.life = life
        self._protocol_factory = protocol_factory
        self._binds = list(binds)
        self._context = contextvars.copy_context()
        self._active = 0
        self._waiters: list[asyncio.Future[None]] = []
        for bind in self._binds:
            host.listeners[bind] = self

    @property
    def sockets(self) -> tuple[VirtualSocket, ...]:
        """What is listened on."""
        return tuple(VirtualSocket(bind) for bind in self._binds)

    def get_loop(self) -> asyncio.AbstractEventLoop:
        """Return the loop."""
        return self.life.loop

    def is_serving(self) -> bool:
        """Whether connections are accepted."""
        return bool(self._binds)

    async def start_serving(self) -> None:
        """Nothing to do: a virtual server serves from the start."""

    async def serve_forever(self) -> None:
        """Wait until cancelled, then close."""
        try:
            await self.life.loop.create_future()
        finally:
            self.close()

    def close(self) -> None:
        """Stop listening; open connections stay. A ghost's call has no effect."""
        if self.life.alive:
            self.stop_listening()

    def stop_listening(self) -> None:
        """Take the listening sockets away, whoever asks."""
        binds, self._binds = self._binds, []
        for bind in binds:
            del self._host.listeners[bind]
        if not self._active:
            self._wake()

    async def wait_closed(self) -> None:
        """Wait until closed and without connections."""
        if not self._binds and not self._active:
            return
        waiter = self.life.loop.create_future()
        self._waiters.append(waiter)
        await waiter

    def accept(self, transport: VirtualTransport) -> None:
        """Give an established connection to the process, at once or when it is resumed."""
        if not self._binds:
            transport.refuse()
            return
        if not self.life.running:
            self.life.hold_io(_Accept(self, transport))
            return
        try:
            protocol = transport.context.run(self._protocol_factory)
            transport.context.run(transport.start, protocol)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:  # reported as asyncio does
            self.life.loop.call_exception_handler(
                {
                    "message": "Error on accepting a virtual connection",
                    "exception": error,
                    "transport": transport,
                }
            )
            transport.abort()

    def attach(self) -> contextvars.Context:
        """Count one connection; return a context of its own for it."""
        self._active += 1
        return self._context.copy()

    def detach(self) -> None:
        """Count one connection less."""
        self._active -= 1
        if not self._active and not self._binds:
            self._wake()

    def _wake(self) -> None:
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)


@dataclass(frozen=True, slots=True, eq=False)
class _Accept:
    server: VirtualServer
    transport: VirtualTransport

    def __call__(self) -> None:
        self.server.accept(self.transport)


class Handshake:
    """The three packets that open a connection, run by the kernel."""

    def __init__(
        self, network: VirtualNetwork, life: Life, src: NetworkHost, dst: NetworkHost, to: tuple[str, int]
    ):
        self._network = network
        self._loop = life.loop
        self._life = life
        self._src = src
        self._dst = dst
        self._to = to
        self._link = network.link(src.name, dst.name)
        self._context = contextvars.copy_context()
        self._tries = 0
        self._sent_ns = 0
        self.transport: asyncio.Future[VirtualTransport] = life.loop.create_future()

    def send_syn(self) -> None:
        """Begin, or begin again; nobody waiting any more ends it."""
        if self.transport.done() or not self._life.alive:
            return
        self._sent_ns = self._loop.now_ns()
        link = self._link
        if link.blocked or (link.loss and link.lost_times(1, 0)):
            self._retry()
        else:
            self._later(link, self._syn_arrived)

    def _syn_arrived(self) -> None:
        reverse = self._link.reverse
        if self._link.blocked or reverse.blocked or (reverse.loss and reverse.lost_times(1, 0)):
            self._retry()
            return
        listeners = self._dst.listeners
        server = listeners.get(self._to) or listeners.get((ANY, self._to[1]))
        if server is None:
            self._later(reverse, self._refused)
        else:
            self._later(reverse, lambda: self._syn_ack_arrived(server))

    def _refused(self) -> None:
        if self._link.reverse.blocked:
            self._retry()
        elif not self.transport.done():
            self.transport.set_exception(
                ConnectionRefusedError(errno.ECONNREFUSED, f"Connect call failed {self._to}")
            )

    def _syn_ack_arrived(self, server: VirtualServer) -> None:
        if self._link.reverse.blocked:
            self._retry()
            return
        if self.transport.done() or not self._life.alive:
            return
        network = self._network
        local = (self._to[0] if self._link.local else self._src.address, next(self._src.ports))
        near = VirtualTransport(network, self._life, self._link, self._context, local=local, remote=self._to)
        far = VirtualTransport(
            network,
            server.life,
            self._link.reverse,
            server.attach(),
            local=self._to,
            remote=local,
            server_detach=server.detach,
            accept=server.accept,
        )
        near.join(far)
        if not server.life.alive:
            far.refuse()
        near.acknowledge()
        self.transport.set_result(near)

    def _later(self, link: Link, callback: Callable[[], None]) -> None:
        if link.gate is not None:
            link.gate.put(0, lambda: self._on_the_way(link, callback))
        else:
            self._on_the_way(link, callback)

    def _on_the_way(self, link: Link, callback: Callable[[], None]) -> None:
        self._loop.call_at_ns(
            self._loop.now_ns() + link.latency_ns(), callback, context=self._loop.kernel_context
        )

    def _retry(self) -> None:
        self._tries += 1
        tcp = self._network.tcp
        wait_ns = tcp.connect_retry_first_ns << (self._tries - 1)
        callback = self.send_syn if self._tries <= tcp.connect_retries_max else self._timed_out
        self._loop.call_at_ns(
            max(self._sent_ns + wait_ns, self._loop.now_ns()), callback, context=self._loop.kernel_context
        )

    def _timed_out(self) -> None:
        if not self.transport.done():
            self.transport.set_exception(TimeoutError(errno.ETIMEDOUT, f"Connect call failed {self._to}"))
