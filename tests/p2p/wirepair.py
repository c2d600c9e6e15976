"""Two virtual hosts with one connection between them, whose ends write down what happens to them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from p2p.virtual import NS_PER_MS, VirtualHost, VirtualMachine, VirtualWorld
from p2p.virtual.transport import VirtualTransport

PORT = 7000


@dataclass
class Recorder(asyncio.Protocol):
    """Writes down what happens to it, and in which loop turn."""

    loop: asyncio.AbstractEventLoop
    log: list[tuple[str, object, int]] = field(default_factory=list)
    times_ns: list[int] = field(default_factory=list)
    data: bytearray = field(default_factory=bytearray)
    transport: VirtualTransport | None = None
    lost: BaseException | str | None = None
    pauses: int = 0

    def _note(self, what: str, detail: object = None) -> None:
        self.log.append((what, detail, self.loop.turns))  # type: ignore[attr-defined]
        self.times_ns.append(self.loop.now_ns())  # type: ignore[attr-defined]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, VirtualTransport)
        self.transport = transport
        self._note("made")

    def data_received(self, data: bytes) -> None:
        self.data += data
        self._note("data", bytes(data))

    def eof_received(self) -> None:
        self._note("eof")

    def connection_lost(self, exc: BaseException | None) -> None:
        self.lost = exc or "closed"
        self._note("lost", exc)

    def pause_writing(self) -> None:
        self.pauses += 1

    def resume_writing(self) -> None:
        self.pauses -= 1


@dataclass
class Pair:
    world: VirtualWorld
    server: VirtualHost
    client: VirtualHost
    near: Recorder
    far: Recorder

    def send(self, data: bytes) -> None:
        assert self.near.transport is not None
        self.near.transport.write(data)

    def reply(self, data: bytes) -> None:
        assert self.far.transport is not None
        self.far.transport.write(data)


async def connected(world: VirtualWorld, latency_ms: int = 10) -> Pair:
    """Two hosts with one connection between them; the server's end lives in a booted program."""
    server, client = world.add_host("server"), world.add_host("client")
    world.network.set_latency(latency_ms * NS_PER_MS, latency_ms * NS_PER_MS)
    far = Recorder(world.loop)

    async def program(machine: VirtualMachine) -> None:
        await world.loop.create_server(lambda: far, None, PORT)
        await asyncio.Event().wait()

    server.boot(program)
    await asyncio.sleep(0.001)
    near = Recorder(world.loop)
    with world.network.as_host("client"):
        await world.loop.create_connection(lambda: near, server.address, PORT)
    await asyncio.sleep(1)
    return Pair(world, server, client, near, far)
