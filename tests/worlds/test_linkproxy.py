"""The proxies of the live world's links, over loopback: what passes, what waits, what ends a connection."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from p2p.latency import Uniform
from p2p.linkweather import LinkWeather
from scenarios.network.plan import Address
from scenarios.worlds.linkproxy import HOST, LinkProxies

THERE, BACK = ("a", "b"), ("b", "a")
LIMIT_S = 20


@dataclass
class Far:
    """The acceptor's program: keeps what it hears, and how it ended."""

    heard: bytearray = field(default_factory=bytearray)
    writers: list[asyncio.StreamWriter] = field(default_factory=list)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    error: BaseException | None = None
    news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        try:
            while data := await reader.read(65_536):
                async with self.news:
                    self.heard += data
                    self.news.notify_all()
        except ConnectionError as error:
            self.error = error
        self.ended.set()
        writer.close()

    async def until(self, count: int) -> None:
        async with self.news:
            await self.news.wait_for(lambda: len(self.heard) >= count)


@dataclass
class Line:
    proxies: LinkProxies
    far: Far
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


@asynccontextmanager
async def line() -> AsyncIterator[Line]:
    """A connection from a to b through a proxy, after a first byte each way."""
    far = Far()
    server = await asyncio.start_server(far.serve, HOST, 0)
    port = server.sockets[0].getsockname()[1]
    proxies = LinkProxies(random.Random)
    try:
        async with asyncio.timeout(LIMIT_S):
            urls = await proxies.open({"a": Address(HOST, 1, 1), "b": Address(HOST, port, 1)})
            reader, writer = await asyncio.open_connection(HOST, int(urls[THERE].rpartition(":")[2]))
            writer.write(b"?")
            await far.until(1)
            far.heard.clear()
            far.writers[0].write(b"!")
            assert await reader.readexactly(1) == b"!"
            yield Line(proxies, far, reader, writer)
            writer.close()
    finally:
        await proxies.close()
        server.close()


async def test_bytes_pass_unchanged_and_are_counted_and_the_end_passes_too() -> None:
    async with line() as wire:
        data = bytes(range(256)) * 4_000
        wire.writer.write(data)
        wire.writer.write_eof()
        await wire.far.ended.wait()
        assert bytes(wire.far.heard) == data
        assert wire.far.error is None
        assert wire.proxies.figures(*THERE).bytes == len(data) + 1
        assert wire.proxies.figures(*BACK).bytes == 1
        assert wire.proxies.figures(*THERE).connections == 1


@pytest.mark.parametrize("how", ["cut", "clog"])
async def test_a_stopped_direction_passes_nothing_the_other_does_and_all_comes_in_order(how: str) -> None:
    async with line() as wire:
        clogged = LinkWeather(clogged=True)
        mend = wire.proxies.cut([THERE]) if how == "cut" else wire.proxies.shape([THERE], clogged)
        for number in range(50):
            wire.writer.write(b"%d;" % number)
        wire.writer.write_eof()
        wire.far.writers[0].write(b"heard")
        assert await wire.reader.readexactly(5) == b"heard"
        assert not wire.far.heard
        assert wire.proxies.figures(*THERE).bytes == 1
        mend()
        await wire.far.ended.wait()
        assert bytes(wire.far.heard) == b"".join(b"%d;" % number for number in range(50))


async def test_cuts_are_counted_and_mended_once() -> None:
    async with line() as wire:
        one, other = wire.proxies.cut([THERE, BACK]), wire.proxies.cut([THERE])
        one()
        one()
        wire.writer.write(b"x")
        wire.far.writers[0].write(b"y")
        assert await wire.reader.readexactly(1) == b"y"
        assert not wire.far.heard
        other()
        await wire.far.until(1)


@pytest.mark.parametrize(
    "weather",
    [LinkWeather(bytes_per_s=200_000), LinkWeather(read_bytes_per_s=200_000)],
    ids=["narrow", "slow reader"],
)
async def test_a_narrow_link_or_a_slow_reader_makes_the_sender_wait_until_it_ends(
    weather: LinkWeather,
) -> None:
    async with line() as wire:
        end = wire.proxies.shape([THERE], weather)
        data = b"x" * 40_000_000  # more than all buffers on the way hold
        wire.writer.write(data)
        await wire.far.until(1)
        assert wire.writer.transport.get_write_buffer_size() > 1_000_000, "the sender's window is full"
        assert len(wire.far.heard) < 1_000_000
        end()
        await wire.writer.drain()
        await wire.far.until(len(data))


async def test_latency_holds_one_direction_only() -> None:
    async with line() as wire:
        wire.proxies.shape([THERE], LinkWeather(latency=Uniform(60_000, 60_000)))
        wire.writer.write(b"x")
        wire.far.writers[0].write(b"soon")
        assert await wire.reader.readexactly(4) == b"soon"
        assert not wire.far.heard
        assert wire.proxies.figures(*THERE).bytes == 1


async def test_loss_is_delay_and_in_the_end_a_reset() -> None:
    async with line() as wire:
        wire.proxies.shape([THERE], LinkWeather(loss=0.999))
        for _ in range(30):
            wire.writer.write(b"x")
        with pytest.raises(ConnectionError):
            await wire.reader.read()
        assert not wire.far.heard


async def test_a_reset_is_heard_at_both_ends() -> None:
    async with line() as wire:
        assert wire.proxies.reset([BACK]) == 1
        with pytest.raises(ConnectionResetError):
            await wire.reader.read(1)
        await wire.far.ended.wait()
        assert isinstance(wire.far.error, ConnectionResetError)


async def test_of_a_half_open_connection_the_other_end_is_not_told_and_what_it_sends_is_swallowed() -> None:
    async with line() as wire:
        assert wire.proxies.forsake([THERE]) == 1
        with pytest.raises(ConnectionResetError):
            await wire.reader.read(1)
        wire.far.writers[0].write(b"anybody there?")
        await wire.far.writers[0].drain()
        assert not wire.far.ended.is_set(), "nobody told it"
        assert wire.proxies.forsake([THERE]) == 0
        assert wire.proxies.figures(*BACK).bytes == 1


async def test_a_connection_dialed_across_a_cut_waits_for_its_first_byte() -> None:
    async with line() as wire:
        mend = wire.proxies.cut([BACK])
        port = wire.writer.get_extra_info("peername")[1]
        _, writer = await asyncio.open_connection(HOST, port)
        writer.write(b"late")
        wire.writer.write(b"soon")
        await wire.far.until(4)
        assert bytes(wire.far.heard) == b"soon"
        mend()
        await wire.far.until(8)
        writer.close()


async def test_nobody_listening_is_heard_as_the_end_of_the_connection() -> None:
    async with line() as wire:
        port = wire.writer.get_extra_info("peername")[1]
        server = next(s for s in wire.proxies._servers if s.sockets[0].getsockname()[1] != port)
        reader, writer = await asyncio.open_connection(HOST, server.sockets[0].getsockname()[1])
        with pytest.raises(ConnectionError):
            await reader.readexactly(1)
        writer.close()
