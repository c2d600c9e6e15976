"""What narrow, clogged, uneven, reset and half-open links do to a virtual connection, and a reader that is slow."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Awaitable, Callable
from statistics import mean, quantiles

import pytest

from p2p.latency import LATENCY_MS_MAX, Exponential, Latency, Lognormal, Normal, Uniform
from p2p.linkweather import CALM, LinkWeather, LinkWeathers
from p2p.virtual import NS_PER_MS, VirtualWorld, run_virtual
from tests.p2p.wirepair import Pair, connected

THERE, BACK = ("client", "server"), ("server", "client")


def play(script: Callable[[VirtualWorld, Pair], Awaitable[None]]) -> None:
    async def main(world: VirtualWorld) -> None:
        await script(world, await connected(world))

    run_virtual(main, seed=1)


def arrivals_ms(pair: Pair, since_ns: int) -> list[int]:
    return [
        (at - since_ns) // NS_PER_MS
        for at, entry in zip(pair.far.times_ns, pair.far.log, strict=True)
        if entry[0] == "data" and at >= since_ns
    ]


@pytest.mark.parametrize(
    ("latency", "median_ms", "mean_ms", "p99_ms"),
    [
        (Uniform(10, 30), 20, 20, 29.8),
        (Normal(50, 10), 50, 50, 73.3),
        (Normal(5, 20), 15.5, 17.9, 55.3),  # cut off at zero
        (Lognormal(40, 200), 40, 51.0, 200),
        (Exponential(20, 50), 40.8, 50, 158.2),
    ],
)
def test_a_distribution_has_the_figures_it_is_named_by(
    latency: Latency, median_ms: float, mean_ms: float, p99_ms: float
) -> None:
    draws = [latency.draw_ns((at + 0.5) / 10_000) / NS_PER_MS for at in range(10_000)]
    assert draws == sorted(draws)
    assert draws[0] >= 0
    cuts = quantiles(draws, n=100)
    assert cuts[49] == pytest.approx(median_ms, rel=0.02)
    assert mean(draws) == pytest.approx(mean_ms, rel=0.02)
    assert cuts[98] == pytest.approx(p99_ms, rel=0.02)


def test_no_draw_is_beyond_a_minute_or_below_nothing() -> None:
    for latency in (Normal(50, 10), Lognormal(40, 5_000), Exponential(20, 20_000)):
        assert 0 <= latency.draw_ns(0.0) <= latency.draw_ns(1 - 2**-53) <= LATENCY_MS_MAX * NS_PER_MS


def test_what_several_faults_ask_for_adds_up_and_ends_one_by_one() -> None:
    told: dict[tuple[str, str], LinkWeather] = {}
    weathers = LinkWeathers(lambda direction, weather: told.update({direction: weather}))
    narrow = weathers.add([THERE, BACK], LinkWeather(bytes_per_s=5_000, loss=0.1))
    narrower = weathers.add(
        [THERE], LinkWeather(bytes_per_s=2_000, latency=Uniform(1, 2), read_bytes_per_s=7)
    )
    slower = weathers.add([THERE], LinkWeather(latency=Uniform(3, 4), clogged=True, loss=0.2))
    assert told[THERE] == LinkWeather(Uniform(3, 4), 0.2, 2_000, True, 7)
    assert told[BACK] == LinkWeather(None, 0.1, 5_000, False, None)
    narrower()
    assert told[THERE] == LinkWeather(Uniform(3, 4), 0.2, 5_000, True, None)
    slower()
    assert told[THERE] == LinkWeather(None, 0.1, 5_000)
    narrow()
    narrow()
    assert told == {THERE: CALM, BACK: CALM}


def test_latency_by_distribution_shows_on_the_wire_one_way_only_and_ends() -> None:
    async def script(world: VirtualWorld, pair: Pair) -> None:
        world.network.set_weather(*THERE, LinkWeather(latency=Lognormal(200, 400)))
        took = []
        for _ in range(50):
            began_ns = world.now_ns()
            pair.send(b"x")
            await asyncio.sleep(2)
            took += arrivals_ms(pair, began_ns)
        assert len(took) == 50
        assert 180 < quantiles(took, n=2)[0] < 220
        assert len(set(took)) > 30
        began_ns = world.now_ns()
        pair.reply(b"y")
        await asyncio.sleep(1)
        assert (pair.near.times_ns[-1] - began_ns) // NS_PER_MS == 10, "the other way is as it was"
        world.network.set_weather(*THERE, CALM)
        began_ns = world.now_ns()
        pair.send(b"z")
        await asyncio.sleep(1)
        assert arrivals_ms(pair, began_ns) == [10]

    play(script)


def test_a_narrow_link_takes_its_time_and_pushes_back_on_the_writer() -> None:
    async def script(world: VirtualWorld, pair: Pair) -> None:
        world.network.set_weather(*THERE, LinkWeather(bytes_per_s=100_000))
        data = bytes(range(256)) * 4_000  # 1,024,000 bytes: ten seconds, twice the window
        began_ns = world.now_ns()
        pair.send(data)
        await asyncio.sleep(0.1)
        assert pair.near.pauses == 1, "the window is full, the writer has to wait"
        await asyncio.sleep(4.9)
        assert 450_000 < len(pair.far.data) < 500_000
        await asyncio.sleep(6)
        assert bytes(pair.far.data) == data
        assert pair.near.pauses == 0
        assert 10_000 < arrivals_ms(pair, began_ns)[-1] < 11_000

    play(script)


def test_all_connections_of_a_direction_share_its_bandwidth_and_its_end_lets_all_go() -> None:
    async def script(world: VirtualWorld, pair: Pair) -> None:
        assert pair.near.transport is not None
        with world.network.as_host("client"):
            reader, writer = await asyncio.open_connection(pair.server.address, 7000)
        world.network.set_weather(*THERE, LinkWeather(bytes_per_s=10_000))
        pair.send(b"a" * 200_000)
        writer.write(b"b" * 200_000)
        await asyncio.sleep(2)
        assert len(pair.far.data) < 25_000
        world.network.set_weather(*THERE, CALM)
        began_ns = world.now_ns()
        await asyncio.sleep(0.1)
        assert len(pair.far.data) == 400_000, "the test's one server hears both connections"
        assert max(arrivals_ms(pair, began_ns)) == 10
        assert world.network.link(*THERE).gate is None
        writer.close()
        del reader

    play(script)


def test_a_clog_holds_everything_and_lets_it_go_in_order() -> None:
    async def script(world: VirtualWorld, pair: Pair) -> None:
        world.network.set_weather(*THERE, LinkWeather(clogged=True))
        for number in range(100):
            pair.send(b"%d;" % number)
            await asyncio.sleep(0.05)
        assert not pair.far.data
        pair.reply(b"heard")
        await asyncio.sleep(0.1)
        assert bytes(pair.near.data) == b"heard", "the other direction is not clogged"
        began_ns = world.now_ns()
        world.network.set_weather(*THERE, CALM)
        await asyncio.sleep(0.1)
        assert bytes(pair.far.data) == b"".join(b"%d;" % number for number in range(100))
        assert arrivals_ms(pair, began_ns)[0] == 10, "at once, not with a retransmission"
        assert pair.near.lost is None

    play(script)


def test_a_clog_that_lasts_is_to_tcp_as_a_cut() -> None:
    async def script(world: VirtualWorld, pair: Pair) -> None:
        world.network.set_weather(*THERE, LinkWeather(clogged=True))
        pair.send(b"x")
        await asyncio.sleep(200)
        assert isinstance(pair.near.lost, TimeoutError)
        world.network.set_weather(*THERE, CALM)
        await asyncio.sleep(1)
        assert not pair.far.data, "what was given up is not sent any more"

    play(script)


def test_a_connection_opened_across_a_clog_waits_for_its_end() -> None:
    async def script(world: VirtualWorld, pair: Pair) -> None:
        world.network.set_weather(*THERE, LinkWeather(clogged=True))
        with world.network.as_host("client"):
            opening = asyncio.ensure_future(asyncio.open_connection(pair.server.address, 7000))
        await asyncio.sleep(3)
        assert not opening.done()
        world.network.set_weather(*THERE, CALM)
        await asyncio.sleep(0.1)
        _, writer = opening.result()
        writer.close()

    play(script)


def test_a_slow_reader_fills_the_window_and_its_end_frees_it() -> None:
    async def script(world: VirtualWorld, pair: Pair) -> None:
        world.network.set_weather(*THERE, LinkWeather(read_bytes_per_s=20_000))
        pair.send(b"x" * 700_000)
        await asyncio.sleep(5)
        assert 95_000 < len(pair.far.data) <= 100_000
        assert pair.near.pauses == 1, "window and buffer are full"
        assert pair.near.transport is not None
        assert pair.near.transport.get_write_buffer_size() > 64 * 1024
        pair.reply(b"y")
        await asyncio.sleep(0.1)
        assert bytes(pair.near.data) == b"y", "it writes as fast as ever"
        world.network.set_weather(*THERE, CALM)
        await asyncio.sleep(0.5)
        assert len(pair.far.data) == 700_000
        assert pair.near.pauses == 0

    play(script)


def test_a_slow_reader_reads_the_end_of_the_stream_after_all_data() -> None:
    async def script(world: VirtualWorld, pair: Pair) -> None:
        world.network.set_weather(*THERE, LinkWeather(read_bytes_per_s=1_000))
        pair.send(b"x" * 3_000)
        assert pair.near.transport is not None
        pair.near.transport.close()
        await asyncio.sleep(2)
        assert 1_500 < len(pair.far.data) < 3_000
        assert "eof" not in [entry[0] for entry in pair.far.log]
        await asyncio.sleep(2)
        assert len(pair.far.data) == 3_000
        assert [entry[0] for entry in pair.far.log][-2:] == ["eof", "lost"]

    play(script)


def test_a_reset_is_heard_at_both_ends_and_drops_what_is_on_the_wire() -> None:
    async def script(world: VirtualWorld, pair: Pair) -> None:
        pair.send(b"on the wire")
        assert world.network.reset([THERE]) == 1
        await asyncio.sleep(1)
        assert not pair.far.data
        for end in (pair.near, pair.far):
            assert isinstance(end.lost, ConnectionResetError)
            assert end.lost.errno == errno.ECONNRESET
        assert world.network.reset([THERE]) == 0, "there is none left"

    play(script)


def test_of_a_half_open_connection_one_end_is_gone_and_the_other_believes_it_is_open() -> None:
    async def script(world: VirtualWorld, pair: Pair) -> None:
        assert world.network.forsake([BACK]) == 1
        await asyncio.sleep(60)
        assert isinstance(pair.far.lost, TimeoutError), "the end that is gone"
        assert pair.near.lost is None, "nobody told the other"
        pair.send(b"anybody there?")
        await asyncio.sleep(60)
        assert pair.near.lost is None, "nobody answers, not even with RST"
        await asyncio.sleep(60)
        assert isinstance(pair.near.lost, TimeoutError), "TCP gives up after 102 s, as behind a cut"
        assert world.network.link(*THERE).clean, "the link itself is whole"

    play(script)


def test_a_connection_within_a_host_is_never_reset_or_forsaken() -> None:
    async def main(world: VirtualWorld) -> None:
        world.network.add_host("one")
        with world.network.as_host("one"):
            await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 7000)
            _, writer = await asyncio.open_connection("127.0.0.1", 7000)
        pairs = [("one", "one"), ("one", "outside")]
        assert world.network.reset(pairs) == world.network.forsake(pairs) == 0
        writer.close()
        await writer.wait_closed()

    run_virtual(main, seed=1)
