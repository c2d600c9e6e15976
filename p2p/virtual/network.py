"""Hosts, addresses, listening, connecting, and the weather between hosts.

Rules:
- Hosts are known by name and by address, 10.0.x.y in the order they were added. Code sits on the host its context
  says (`as_host`); a life's code sits on its own host; the outside world sits on "outside" unless it says otherwise.
- `127.0.0.1` and `localhost` mean the host the code sits on; a server bound there is reached from that host only.
- A host without power answers nothing. A host that is up without a listening process refuses (RST).
- A paused process' operating system still accepts connections and data for it.
- Nothing here iterates over a set; every order is the order of adding.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import errno
import itertools
import os
import socket
import weakref
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from p2p.virtual.life import HOST, LIFE, Ending, Life, on_host
from p2p.virtual.loop import VirtualLoop
from p2p.virtual.transport import VirtualSocket, VirtualTransport
from p2p.virtual.wire import NS_PER_MS, Cut, Link, TcpModel

OUTSIDE = "outside"
_LOOPBACK = "127.0.0.1"
_ANY = "0.0.0.0"  # noqa: S104 - a name on the virtual network only
_EPHEMERAL_PORT_FIRST = 49152
_HOSTS_MAX = 250 * 250

Tracer = Callable[[int, str, str, int], None]
"""Told of every write that goes on the wire: (now_ns, source host, destination host, bytes)."""


@dataclass(slots=True)
class NetworkHost:
    """A host as the network sees it."""

    name: str
    address: str
    powered: bool
    listeners: dict[tuple[str, int], VirtualServer]
    ports: itertools.count[int]


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
        except BaseException as error:  # noqa: BLE001 - reported as asyncio does
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


class _Handshake:
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
        server = self._dst.listeners.get(self._to)
        if server is None and not (self._link.local and self._to[0] == _LOOPBACK):
            server = self._dst.listeners.get((_ANY, self._to[1]))
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
        near = VirtualTransport(network, self._life, self._link, self._context, local, self._to)
        far_context = server.attach()
        far = VirtualTransport(
            network,
            server.life,
            self._link.reverse,
            far_context,
            self._to,
            local,
            server.detach,
            server.accept,
        )
        near.join(far)
        if not server.life.alive:
            far.refuse()
        near.acknowledge()
        self.transport.set_result(near)

    def _later(self, link: Link, callback: Callable[[], None]) -> None:
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


class VirtualNetwork:
    """The network of one loop.

    Args:
        loop: the loop; the network attaches itself to it.
        seed: text that all its random streams are made from.
        tcp: how TCP behaves.
        latency_ns: the range of one-way latency between two hosts unless `set_latency` says otherwise.
    """

    def __init__(
        self,
        loop: VirtualLoop,
        seed: str,
        *,
        tcp: TcpModel | None = None,
        latency_ns: tuple[int, int] = (10 * NS_PER_MS, 30 * NS_PER_MS),
    ) -> None:
        self.loop = loop
        self.tcp = TcpModel() if tcp is None else tcp
        self.tracer: Tracer | None = None
        self._seed = seed
        self._latency_ns = latency_ns
        self._hosts: dict[str, NetworkHost] = {}
        self._by_address: dict[str, NetworkHost] = {}
        self._links: dict[tuple[str, str], Link] = {}
        self._own_latency: dict[tuple[str, str], tuple[int, int]] = {}
        self._cuts: list[Cut] = []
        self._transports: dict[Life, dict[VirtualTransport, None]] = {}
        self._servers: dict[Life, list[VirtualServer]] = {}
        self._tickets: weakref.WeakKeyDictionary[socket.socket, VirtualTransport] = (
            weakref.WeakKeyDictionary()
        )
        loop.attach_network(self)
        self.add_host(OUTSIDE)

    # hosts

    def add_host(self, name: str) -> str:
        """Add a host and return its address.

        Raises:
            ValueError: if the name is taken or the network is full.
        """
        if name in self._hosts or not name or len(self._hosts) >= _HOSTS_MAX:
            raise ValueError(f"host {name!r}: want a new, non-empty name and at most {_HOSTS_MAX} hosts")
        number = len(self._hosts)
        address = f"10.0.{number // 250}.{number % 250 + 1}"
        host = NetworkHost(name, address, True, {}, itertools.count(_EPHEMERAL_PORT_FIRST))
        self._hosts[name] = host
        self._by_address[address] = host
        return address

    @property
    def hosts(self) -> tuple[str, ...]:
        """The names of all hosts, the outside world's first, in the order of adding."""
        return tuple(self._hosts)

    def host(self, name: str) -> NetworkHost:
        """Return the host `name`.

        Raises:
            KeyError: if there is none.
        """
        try:
            return self._hosts[name]
        except KeyError:
            raise KeyError(f"no host {name!r}; there are {', '.join(self._hosts)}") from None

    def address(self, name: str) -> str:
        """Return the address of host `name`."""
        return self.host(name).address

    def as_host(self, name: str) -> contextlib.AbstractContextManager[None]:
        """Make the code in the block, and the tasks it starts, sit on host `name`."""
        return on_host(self.host(name).name)

    def here(self) -> str:
        """Return the name of the host the running code sits on."""
        return HOST.get(OUTSIDE)

    def resolve(self, name: str | None) -> str:
        """Return the address for a name or address.

        Raises:
            socket.gaierror: if there is no such host.
        """
        if name in (None, "localhost", _LOOPBACK):
            return _LOOPBACK
        assert name is not None
        host = self._hosts.get(name) or self._by_address.get(name)
        if host is None:
            raise socket.gaierror(socket.EAI_NONAME, f"no virtual host {name!r}")
        return host.address

    def set_power(self, name: str, powered: bool) -> None:
        """Switch a host's power: without it, nothing reaches it."""
        host = self.host(name)
        if host.powered == powered:
            return
        host.powered = powered
        for link in self._links.values():
            if link.dst == name:
                if powered:
                    link.unblock()
                else:
                    link.block()

    # weather

    def link(self, src: str, dst: str) -> Link:
        """Return the direction from `src` to `dst`."""
        key = (src, dst)
        link = self._links.get(key)
        if link is None:
            self._make_links(self.host(src), self.host(dst))
            link = self._links[key]
        return link

    def _make_links(self, one: NetworkHost, other: NetworkHost) -> None:
        there = self._make_link(one, other)
        back = there if one is other else self._make_link(other, one)
        there.reverse = back
        back.reverse = there
        for link, dst in ((there, other), (back, one)):
            if not dst.powered:
                link.block()

    def _make_link(self, src: NetworkHost, dst: NetworkHost) -> Link:
        local_ns = self.tcp.local_latency_ns
        low_ns, high_ns = self._own_latency.get((src.name, dst.name), self._latency_ns)
        if src is dst:
            low_ns = high_ns = local_ns
        link = Link(src.name, dst.name, self._seed, low_ns, high_ns)
        self._links[src.name, dst.name] = link
        return link

    @property
    def links(self) -> tuple[Link, ...]:
        """Every direction used so far, in the order of first use; they hold the counters."""
        return tuple(self._links.values())

    def set_latency(self, low_ns: int, high_ns: int, src: str | None = None, dst: str | None = None) -> None:
        """Set the one-way latency range from `src` to `dst`; without both, of all links without a range of their own.

        Raises:
            ValueError: for an empty range, or if only one end is named.
        """
        if (src is None) != (dst is None):
            raise ValueError("set_latency: name both src and dst, or neither")
        if src is not None and dst is not None:
            self.link(src, dst).set_latency(low_ns, high_ns)
            self._own_latency[src, dst] = (low_ns, high_ns)
            return
        for link in self._links.values():
            if (link.src, link.dst) not in self._own_latency:
                link.set_latency(low_ns, high_ns)
        self._latency_ns = (low_ns, high_ns)

    def set_loss(self, probability: float, src: str, dst: str) -> None:
        """Lose each segment from `src` to `dst` with `probability` from now on; 0 ends it."""
        self.link(src, dst).set_loss(probability)

    def cut(self, pairs: Sequence[tuple[str, str]]) -> Cut:
        """Let nothing pass from the first to the second host of each pair, one way, until the cut is healed."""
        cut = Cut([self.link(src, dst) for src, dst in pairs])
        self._cuts = [old for old in self._cuts if not old.healed]
        self._cuts.append(cut)
        return cut

    def partition(self, *groups: Collection[str], one_way: bool = False) -> Cut:
        """Let nothing pass between hosts of different groups; hosts in no group keep all their links.

        Args:
            groups: host names, each in at most one group.
            one_way: cut only what goes from an earlier group to a later one.

        Raises:
            ValueError: if a host is in two groups.
        """
        ordered = [sorted(group) for group in groups]
        names = [name for group in ordered for name in group]
        if len(dict.fromkeys(names)) != len(names):
            raise ValueError(f"partition {ordered}: a host may be in one group only")
        pairs: list[tuple[str, str]] = []
        for earlier, later in itertools.combinations(ordered, 2):
            for one, other in itertools.product(earlier, later):
                pairs.append((one, other))
                if not one_way:
                    pairs.append((other, one))
        return self.cut(pairs)

    def heal(self) -> None:
        """Heal every cut in force; power and loss are not touched."""
        cuts, self._cuts = self._cuts, []
        for cut in cuts:
            cut.heal()

    # what the loop asks for

    async def connect(self, address: str, port: int) -> VirtualTransport:
        """Open a connection from where the running code sits.

        Raises:
            OSError: ECONNREFUSED, ETIMEDOUT, or EHOSTUNREACH for an address without a host.
        """
        src = self.host(HOST.get(OUTSIDE))
        dst = src if address == _LOOPBACK else self._by_address.get(address)
        if dst is None:
            raise OSError(errno.EHOSTUNREACH, f"{os.strerror(errno.EHOSTUNREACH)}: {address}")
        handshake = _Handshake(self, LIFE.get(self.loop.outside), src, dst, (address, port))
        handshake.send_syn()
        waiting = handshake.transport
        try:
            return await waiting
        except asyncio.CancelledError:
            if waiting.done() and not waiting.cancelled() and waiting.exception() is None:
                waiting.result().abort()
            raise

    async def connect_socket(self, sock: socket.socket, address: str, port: int) -> None:
        """Connect on behalf of a real socket, which stays unconnected."""
        self._tickets[sock] = await self.connect(address, port)

    def take_socket(self, sock: socket.socket) -> VirtualTransport:
        """Return the connection made for `sock` and close the real socket.

        Raises:
            OSError: ENOTCONN if there is none.
        """
        transport = self._tickets.pop(sock, None)
        if transport is None:
            raise OSError(errno.ENOTCONN, "a socket that was not connected by this loop")
        sock.close()
        return transport

    def listen(
        self, protocol_factory: Callable[[], asyncio.BaseProtocol], names: Sequence[str | None], port: int
    ) -> VirtualServer:
        """Listen on the host the running code sits on.

        Raises:
            OSError: EADDRINUSE, or EADDRNOTAVAIL for another host's address.
        """
        life = LIFE.get(self.loop.outside)
        host = self.host(HOST.get(OUTSIDE))
        port = port or next(host.ports)
        binds: list[tuple[str, int]] = []
        for name in names:
            address = _ANY if name in (None, "", _ANY) else self.resolve(name)
            if address not in (_ANY, _LOOPBACK, host.address):
                raise OSError(errno.EADDRNOTAVAIL, f"host {host.name} does not have address {address}")
            taken = [
                bind
                for bind in host.listeners
                if bind[1] == port and (address in (_ANY, bind[0]) or bind[0] == _ANY)
            ]
            if taken:
                raise OSError(errno.EADDRINUSE, f"host {host.name} already listens on {taken[0]}")
            binds.append((address, port))
        server = VirtualServer(self, host, life, protocol_factory, binds)
        self._servers.setdefault(life, []).append(server)
        return server

    # lives

    def enroll(self, transport: VirtualTransport) -> None:
        """Note an open transport of its life."""
        self._transports.setdefault(transport.life, {})[transport] = None

    def dismiss(self, transport: VirtualTransport) -> None:
        """Forget a transport whose socket is gone."""
        self._transports.get(transport.life, {}).pop(transport, None)

    def open_transports(self, life: Life) -> int:
        """Return how many sockets a life has open."""
        return len(self._transports.get(life, {}))

    def fence(self, life: Life) -> None:
        """Make the network notice the death of `life`."""
        life.add_fence(lambda ending: self._end_life(life, ending))

    def _end_life(self, life: Life, ending: Ending) -> None:
        for server in self._servers.pop(life, []):
            server.stop_listening()
        transports = list(self._transports.pop(life, {}))
        for transport in transports:
            if ending is Ending.POWER_LOST:
                transport.vanish()
            else:
                transport.kernel_close()

        def drop_references() -> None:
            for transport in transports:
                transport.drop_references()

        life.add_last_rite(drop_references)
