"""Hosts, addresses, listening, connecting, and the weather between hosts.

Rules:
- Hosts are known by name and by address, 10.0.x.y in the order they were added. Code sits on the host its
  context says (`as_host`); a life's code sits on its own host; the outside world sits on "outside" unless it
  says otherwise.
- `127.0.0.1` and `localhost` mean the host the code sits on; a server bound there is reached from that host
  only.
- A host without power answers nothing. A host that is up without a listening process refuses (RST).
- A paused process' operating system still accepts connections and data for it.
- Nothing here iterates over a set; every order is the order of adding.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import itertools
import os
import socket
import weakref
from collections.abc import Callable, Collection, Sequence

from p2p.linkweather import LinkWeather
from p2p.virtual.life import HOST, LIFE, Ending, Life, on_host
from p2p.virtual.listening import ANY, LOOPBACK, Handshake, NetworkHost, VirtualServer
from p2p.virtual.loop import VirtualLoop
from p2p.virtual.sending import Tracer
from p2p.virtual.transport import VirtualTransport
from p2p.virtual.wire import NS_PER_MS, Cut, Link, TcpModel

OUTSIDE = "outside"
_EPHEMERAL_PORTS = range(49152, 65536)
_HOSTS_MAX = 250 * 250


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
        self._transport_count = 0
        self._losing: list[tuple[int, VirtualTransport, BaseException | None]] = []
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
        host = NetworkHost(name, address, True, {}, itertools.cycle(_EPHEMERAL_PORTS))
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
        if name is None or name in ("localhost", LOOPBACK):
            return LOOPBACK
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
        link = Link(src.name, dst.name, self._seed, low_ns, high_ns, self.loop)
        self._links[src.name, dst.name] = link
        return link

    @property
    def links(self) -> tuple[Link, ...]:
        """Every direction used so far, in the order of first use; they hold the counters."""
        return tuple(self._links.values())

    def set_latency(self, low_ns: int, high_ns: int, src: str | None = None, dst: str | None = None) -> None:
        """Set the one-way latency range from `src` to `dst`, or of all links without a range of their own.

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

    def set_weather(self, src: str, dst: str, weather: LinkWeather) -> None:
        """Let the direction from `src` to `dst` suffer this from now on, and nothing else but cuts."""
        self.link(src, dst).set_weather(weather)

    def reset(self, pairs: Sequence[tuple[str, str]]) -> int:
        """Reset every open connection between the hosts of each pair; both ends hear of it. Return how many there were.

        Toxiproxy calls it reset_peer: an RST from in between, to both ends, whatever the wire holds.
        """
        ends = self._ends([*pairs, *(pair[::-1] for pair in pairs)])
        for end in ends:
            end.take_reset()
        return len(ends) // 2

    def forsake(self, pairs: Sequence[tuple[str, str]]) -> int:
        """Let the first host's end of every connection with the second be gone, and the second's not know of it.

        The first host's program hears ETIMEDOUT. What the second sends is never answered, as behind a firewall that
        forgot the connection, until it gives up. (RFC 9293, 3.5.1, calls such a connection half-open.) Return how
        many there were.
        """
        ends = self._ends(pairs)
        for end in ends:
            end.fall_silent()
        return len(ends)

    def _ends(self, pairs: Sequence[tuple[str, str]]) -> list[VirtualTransport]:
        """Return every open end, in the order of opening, that sends in one of these directions."""
        wanted = dict.fromkeys(pairs)
        found = [
            end
            for ends in self._transports.values()
            for end in ends
            if (end.link.src, end.link.dst) in wanted and not end.link.local
        ]
        return sorted(found, key=lambda end: end.number)

    def cut(self, pairs: Sequence[tuple[str, str]]) -> Cut:
        """Let nothing pass from the first to the second host of each pair until the cut is healed."""
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
        dst = src if address == LOOPBACK else self._by_address.get(address)
        if dst is None:
            raise OSError(errno.EHOSTUNREACH, f"{os.strerror(errno.EHOSTUNREACH)}: {address}")
        handshake = Handshake(self, LIFE.get(self.loop.outside), src, dst, (address, port))
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
            address = ANY if name in (None, "", ANY) else self.resolve(name)
            if address not in (ANY, LOOPBACK, host.address):
                raise OSError(errno.EADDRNOTAVAIL, f"host {host.name} does not have address {address}")
            taken = [
                bind
                for bind in host.listeners
                if bind[1] == port and (address in (ANY, bind[0]) or bind[0] == ANY)
            ]
            if taken:
                raise OSError(errno.EADDRINUSE, f"host {host.name} already listens on {taken[0]}")
            binds.append((address, port))
        if not life.alive:
            binds = []  # a ghost listens to nobody
        server = VirtualServer(self, host, life, protocol_factory, binds)
        self._servers.setdefault(life, []).append(server)
        return server

    # lives

    def enroll(self, transport: VirtualTransport) -> int:
        """Note an open transport of its life; return its number on this network."""
        self._transports.setdefault(transport.life, {})[transport] = None
        self._transport_count += 1
        return self._transport_count

    def lose_soon(self, transport: VirtualTransport, error: BaseException | None) -> None:
        """Let `transport` lose its connection in the next turn, in the order of transports' numbers."""
        if not self._losing:
            self.loop.call_soon(self._lose_now, context=self.loop.kernel_context)
        self._losing.append((transport.number, transport, error))

    def _lose_now(self) -> None:
        losing, self._losing = self._losing, []
        for _, transport, error in sorted(losing, key=lambda entry: entry[0]):
            transport.connection_lost(error)

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
