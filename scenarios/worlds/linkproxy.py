"""The live world's links: a TCP proxy on loopback between every two nodes, which does to their bytes what faults say.

Rules:
- Each ordered pair of nodes has a port of its own; whoever dials the other goes through it, and both directions of that
  connection pass. Peers sign their hello over each other's challenges, so a proxy is nothing to them.
- Bytes are never lost, added or reordered; they come later, or the connection ends.
- A cut or clogged direction lets nothing pass, nor the end of a connection; what waits passes in order afterwards. (TCP
  would take up to its next retransmission; so quick is only loopback.) A connection dialed meanwhile is accepted by the
  operating system, as with Toxiproxy, and waits for its first byte.
- Every pump holds so much and no more: then it reads no further, TCP's window closes, and the sender has to wait.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from p2p.linkweather import CALM, Direction, LinkWeather, LinkWeathers
from p2p.virtual import TcpModel
from scenarios.network.plan import Address

HOST = "127.0.0.1"
PIECE_BYTES = 16 * 1024
HELD_PIECES_MAX = 16
SOCKET_BUFFER_BYTES = 64 * 1024
SLOW_READS_PER_S = 20
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_TCP = TcpModel()


@dataclass(slots=True)
class Figures:
    """What passed in one direction.

    Attributes:
        bytes: so many.
        pieces: in so many pieces.
        connections: so many, dialed in this direction.
    """

    bytes: int = 0
    pieces: int = 0
    connections: int = 0


@dataclass(slots=True)
class _Valve:
    """One direction between two nodes."""

    chance: Random
    weather: LinkWeather = CALM
    cuts: int = 0
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    lane: asyncio.Lock = field(default_factory=asyncio.Lock)
    figures: Figures = field(default_factory=Figures)

    @property
    def is_stopped(self) -> bool:
        return self.cuts > 0 or self.weather.clogged

    def change(self) -> None:
        """Wake everybody who waits for something else than it is."""
        changed, self.changed = self.changed, asyncio.Event()
        changed.set()

    async def open(self) -> None:
        """Wait until something passes."""
        while self.is_stopped:
            await self.changed.wait()

    async def wait(self, seconds: float) -> bool:
        """Wait so long, or until something changes; return whether it did."""
        try:
            async with asyncio.timeout(seconds):
                await self.changed.wait()
        except TimeoutError:
            return False
        return True

    def delay_s(self, size: int) -> float | None:
        """Draw how much later a piece comes by latency and loss, seconds; None if TCP gives up."""
        weather = self.weather
        delay_ns = weather.latency.draw_ns(self.chance.random()) if weather.latency is not None else 0
        if weather.loss:
            whole = (1 - weather.loss) ** (1 + size // _TCP.segment_bytes)
            for tries in range(_TCP.retransmissions_max + 1):
                if self.chance.random() < whole:
                    break
                delay_ns += min(_TCP.retransmit_first_ns << tries, _TCP.retransmit_max_ns)
            else:
                return None
        return delay_ns / 1e9

    async def pass_through(self, size: int) -> None:
        """Wait for the bandwidth that a piece takes, in line with all others."""
        async with self.lane:
            left = float(size)
            while (rate := self.weather.bytes_per_s) is not None and left > 0:
                began = asyncio.get_running_loop().time()
                if not await self.wait(left / rate):
                    break
                left -= (asyncio.get_running_loop().time() - began) * rate
        await self.open()


@dataclass(slots=True, eq=False)
class _Connection:
    """One connection through a proxy: the dialer's socket and the acceptor's."""

    dialer: str
    acceptor: str
    writers: dict[str, asyncio.StreamWriter] = field(default_factory=dict)
    forsaken: str | None = None

    def reset(self, *ends: str) -> None:
        """Close these ends with RST; both if none is named."""
        for end, writer in self.writers.items():
            if not ends or end in ends:
                with contextlib.suppress(OSError):
                    plug: socket.socket = writer.get_extra_info("socket")
                    plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
                writer.transport.abort()


class LinkProxies:
    """All proxies of a network.

    Args:
        chance: makes a stream of chance of its own for each direction, by name.
    """

    def __init__(self, chance: Callable[[str], Random]) -> None:
        self._chance = chance
        self._valves: dict[Direction, _Valve] = {}
        self._servers: list[asyncio.Server] = []
        self._connections: dict[_Connection, asyncio.Task[None]] = {}
        self._weathers = LinkWeathers(self._set_weather)

    async def open(self, addresses: Mapping[str, Address]) -> dict[Direction, str]:
        """Listen for every ordered pair; return the URL at which the first reaches the second."""
        urls: dict[Direction, str] = {}
        for dialer in addresses:
            for acceptor, address in addresses.items():
                if dialer == acceptor:
                    continue
                self._valves[dialer, acceptor] = _Valve(self._chance(f"link {dialer}>{acceptor}"))
                plug = socket.socket()
                plug.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SOCKET_BUFFER_BYTES)
                plug.bind((HOST, 0))
                port = plug.getsockname()[1]
                server = await asyncio.start_server(
                    self._serving(dialer, acceptor, address.peer_port), sock=plug, limit=PIECE_BYTES
                )
                self._servers.append(server)
                urls[dialer, acceptor] = f"http://{HOST}:{port}"
        return urls

    async def close(self) -> None:
        """Stop listening and drop every connection."""
        for server in self._servers:
            server.close()
        tasks = list(self._connections.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def figures(self, src: str, dst: str) -> Figures:
        """Return what passed in one direction so far."""
        return self._valves[src, dst].figures

    def cut(self, directions: Sequence[Direction]) -> Callable[[], None]:
        """Let nothing pass in these directions; the returned call mends what this one cut."""
        left = list(directions)
        for direction in left:
            self._valves[direction].cuts += 1

        def mend() -> None:
            while left:
                valve = self._valves[left.pop(0)]
                valve.cuts -= 1
                valve.change()

        return mend

    def shape(self, directions: Sequence[Direction], weather: LinkWeather) -> Callable[[], None]:
        """Let these directions suffer this besides what else they suffer; the returned call ends it."""
        return self._weathers.add(directions, weather)

    def reset(self, directions: Sequence[Direction]) -> int:
        """Reset every connection between the two of each pair, at both ends; return how many there were."""
        wanted = {*directions, *(pair[::-1] for pair in directions)}
        hit = [c for c in self._connections if (c.dialer, c.acceptor) in wanted]
        for connection in hit:
            connection.reset()
        return len(hit)

    def forsake(self, directions: Sequence[Direction]) -> int:
        """Let the first's end of every connection with the second be gone, and the second's not know of it.

        The first hears of it by an RST, since a proxy can tell it nothing else; what the second sends is swallowed.
        """
        wanted = set(directions)
        found = [
            (c, end)
            for c in self._connections
            for end, other in ((c.dialer, c.acceptor), (c.acceptor, c.dialer))
            if (end, other) in wanted and c.forsaken is None and len(c.writers) == 2
        ]
        for connection, end in found:
            connection.forsaken = end
            connection.reset(end)
        return len(found)

    def _set_weather(self, direction: Direction, weather: LinkWeather) -> None:
        self._valves[direction].weather = weather
        self._valves[direction].change()

    def _serving(
        self, dialer: str, acceptor: str, port: int
    ) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], None]:
        def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            connection = _Connection(dialer, acceptor, {dialer: writer})
            task = asyncio.get_running_loop().create_task(self._carry(connection, reader, port))
            self._connections[connection] = task
            task.add_done_callback(lambda _: self._connections.pop(connection))

        return serve

    async def _carry(self, connection: _Connection, from_dialer: asyncio.StreamReader, port: int) -> None:
        """Dial the acceptor and pass bytes both ways until both have ended."""
        dialer, acceptor = connection.dialer, connection.acceptor
        there, back = self._valves[dialer, acceptor], self._valves[acceptor, dialer]
        there.figures.connections += 1
        try:
            await there.open()
            await back.open()
            from_acceptor, writer = await asyncio.open_connection(sock=await _dial(port), limit=PIECE_BYTES)
            connection.writers[acceptor] = writer
            async with asyncio.TaskGroup() as group:
                group.create_task(_Pump(connection, dialer, acceptor, there).run(from_dialer))
                group.create_task(_Pump(connection, acceptor, dialer, back).run(from_acceptor))
        except* OSError:
            connection.reset()
        finally:
            for writer in connection.writers.values():
                writer.transport.abort()


async def _dial(port: int) -> socket.socket:
    plug = socket.socket()
    try:
        plug.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SOCKET_BUFFER_BYTES)
        plug.setblocking(False)
        await asyncio.get_running_loop().sock_connect(plug, (HOST, port))
    except BaseException:
        plug.close()
        raise
    return plug


class _Pump:
    """One direction of one connection."""

    def __init__(self, connection: _Connection, src: str, dst: str, valve: _Valve) -> None:
        self._connection = connection
        self._src = src
        self._dst = dst
        self._valve = valve
        self._held: asyncio.Queue[tuple[float, bytes | None]] = asyncio.Queue(HELD_PIECES_MAX)

    async def run(self, reader: asyncio.StreamReader) -> None:
        """Pass bytes until the source ends.

        Raises:
            ConnectionError: once an end is gone, or TCP would have given up.
        """
        async with asyncio.TaskGroup() as group:
            group.create_task(self._take(reader))
            group.create_task(self._give())

    async def _take(self, reader: asyncio.StreamReader) -> None:
        loop = asyncio.get_running_loop()
        while True:
            rate = self._valve.weather.read_bytes_per_s
            most = PIECE_BYTES if rate is None else max(1, rate // SLOW_READS_PER_S)
            data: bytes | None
            try:
                data = await reader.read(most)
            except ConnectionError:
                data = None
            if not data and self._connection.forsaken == self._src:
                return  # the other end is not told
            if data and rate is not None:
                await self._valve.wait(len(data) / rate)
            delay_s = self._valve.delay_s(len(data or b""))
            if delay_s is None:
                raise ConnectionResetError("TCP gave up")
            await self._held.put((loop.time() + delay_s, data))
            if not data:
                return

    async def _give(self) -> None:
        loop = asyncio.get_running_loop()
        figures = self._valve.figures
        writer = self._connection.writers[self._dst]
        while True:
            due, data = await self._held.get()
            await asyncio.sleep(due - loop.time())
            await self._valve.pass_through(len(data or b""))
            if data is None or (not data and self._connection.forsaken == self._dst):
                raise ConnectionResetError("the other end is gone")
            if self._connection.forsaken == self._dst:
                continue
            if writer.is_closing():
                raise ConnectionResetError("this end is gone")
            if not data:
                writer.write_eof()
                return
            figures.bytes += len(data)
            figures.pieces += 1
            writer.write(data)
            await writer.drain()
