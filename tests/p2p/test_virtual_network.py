"""What the virtual wire does to a connection: latency, cuts, loss, and how the far end's death shows."""

from __future__ import annotations

import asyncio
import errno

import pytest

from p2p.virtual import NS_PER_MS, TcpModel, VirtualMachine, VirtualWorld, run_virtual
from p2p.virtual.listening import VirtualServer
from tests.p2p.wirepair import PORT, Recorder, connected


def test_arrivals_in_one_direction_are_in_order_and_strictly_increasing():
    async def main(world: VirtualWorld) -> None:
        pair = await connected(world)
        world.network.set_latency(1, 50 * NS_PER_MS, "client", "server")
        for number in range(500):
            pair.send(b"%d;" % number)
            await asyncio.sleep(0.001)
        await asyncio.sleep(1)
        assert bytes(pair.far.data) == b"".join(b"%d;" % number for number in range(500))
        arrivals = [
            at for at, entry in zip(pair.far.times_ns, pair.far.log, strict=True) if entry[0] == "data"
        ]
        assert arrivals == sorted(set(arrivals))

    run_virtual(main, seed=1)


def test_a_later_segment_neither_overtakes_nor_hastens_an_earlier_one():
    async def main(world: VirtualWorld) -> None:
        pair = await connected(world, latency_ms=50)
        start_ns = world.now_ns()
        pair.send(b"slow")
        await asyncio.sleep(0.001)
        world.network.set_latency(NS_PER_MS, NS_PER_MS)
        pair.send(b"fast")
        await asyncio.sleep(1)
        assert [entry[1] for entry in pair.far.log[1:]] == [b"slow", b"fast"]
        assert [at - start_ns for at in pair.far.times_ns[1:]] == [50 * NS_PER_MS, 50 * NS_PER_MS + 1]

    run_virtual(main, seed=1)


def test_writes_of_one_instant_arrive_together():
    async def main(world: VirtualWorld) -> None:
        pair = await connected(world)
        for _ in range(10):
            pair.send(b"x")
        await asyncio.sleep(1)
        assert [entry[1] for entry in pair.far.log if entry[0] == "data"] == [b"x" * 10]

    run_virtual(main, seed=1)


def test_each_direction_draws_from_its_own_stream():
    async def main(world: VirtualWorld, noise: bool = False) -> list[int]:
        pair = await connected(world)
        world.network.set_latency(NS_PER_MS, 50 * NS_PER_MS, "client", "server")
        if noise:
            pair.reply(b"more traffic the other way")
            world.network.set_loss(0.5, "server", "client")
            pair.reply(b"and loss there")
        start_ns = world.now_ns()
        for _ in range(20):
            pair.send(b"x")
            await asyncio.sleep(0.1)
        return [at - start_ns for at in pair.far.times_ns if at > start_ns]

    assert run_virtual(main, seed=1) == run_virtual(lambda world: main(world, noise=True), seed=1)
    assert run_virtual(main, seed=1) != run_virtual(main, seed=2)


def test_end_of_stream_comes_two_turns_after_the_last_data():
    async def main(world: VirtualWorld) -> None:
        pair = await connected(world)
        assert pair.far.transport is not None
        assert pair.near.transport is not None
        pair.far.transport.pause_reading()
        pair.send(b"last words")
        pair.near.transport.close()
        await asyncio.sleep(1)
        assert [entry[0] for entry in pair.far.log] == ["made"]
        pair.far.transport.resume_reading()
        await asyncio.sleep(1)
        assert [entry[0] for entry in pair.far.log] == ["made", "data", "eof", "lost"]
        turn = {entry[0]: entry[2] for entry in pair.far.log}
        assert turn["eof"] >= turn["data"] + 2
        assert turn["lost"] > turn["eof"]

    run_virtual(main, seed=1)


def test_half_close_leaves_the_other_direction_open():
    class Listener(Recorder):
        def eof_received(self) -> bool:  # type: ignore[override]
            self._note("eof")
            return True

    async def main(world: VirtualWorld) -> None:
        far = Listener(world.loop)
        await world.loop.create_server(lambda: far, None, PORT)
        near = Recorder(world.loop)
        transport, _ = await world.loop.create_connection(lambda: near, "localhost", PORT)
        transport.write(b"question")
        transport.write_eof()
        await asyncio.sleep(1)
        assert far.transport is not None
        far.transport.write(b"answer")
        far.transport.close()
        await asyncio.sleep(1)
        assert bytes(near.data) == b"answer"
        assert [entry[0] for entry in far.log] == ["made", "data", "eof", "lost"]

    run_virtual(main, seed=1)


def test_a_reader_that_stops_pauses_the_writer_and_nothing_is_lost():
    async def main(world: VirtualWorld) -> None:
        pair = await connected(world)
        assert pair.far.transport is not None
        assert pair.near.transport is not None
        pair.far.transport.pause_reading()
        sent = bytearray()
        while not pair.near.pauses:
            pair.send(b"0123456789" * 1000)
            sent += b"0123456789" * 1000
            await asyncio.sleep(0.1)
        window = world.network.tcp.window_bytes
        assert window < len(sent) <= window + 64 * 1024 + 10_000
        assert pair.near.transport.get_write_buffer_size() > 64 * 1024
        pair.far.transport.resume_reading()
        await asyncio.sleep(1)
        assert pair.far.data == sent
        assert not pair.near.pauses

    run_virtual(main, seed=1)


def test_a_cut_holds_what_is_sent_and_what_is_on_the_wire_until_it_heals():
    async def main(world: VirtualWorld) -> None:
        pair = await connected(world, latency_ms=10)
        pair.send(b"on the wire")
        await asyncio.sleep(0.005)
        cut = world.network.partition(["server"], ["client"])
        pair.send(b", sent later")
        pair.reply(b"the other way")
        await asyncio.sleep(2)
        assert not pair.far.data
        assert not pair.near.data
        healed_ns = world.now_ns()
        cut.heal()
        pair.send(b", and after")
        await asyncio.sleep(5)
        assert bytes(pair.far.data) == b"on the wire, sent later, and after"
        assert bytes(pair.near.data) == b"the other way"
        # retransmissions at 0.2, 0.6, 1.4, 3.0 s after the cut was met
        assert 0.9e9 < pair.far.times_ns[-1] - healed_ns < 1.2e9
        assert pair.near.lost is None

    run_virtual(main, seed=1)


def test_a_cut_that_lasts_resets_the_connection_on_the_side_that_sends():
    async def main(world: VirtualWorld) -> None:
        pair = await connected(world)
        world.network.partition(["server"], ["client"])
        pair.send(b"nobody answers")
        cut_ns = world.now_ns()
        await asyncio.sleep(300)
        assert isinstance(pair.near.lost, TimeoutError)
        assert pair.near.lost.errno == errno.ETIMEDOUT
        assert (pair.near.times_ns[-1] - cut_ns) / 1e9 == pytest.approx(102.2, abs=0.1)
        assert pair.far.lost is None, "the silent side has not noticed"
        world.network.heal()
        pair.reply(b"are you there")
        await asyncio.sleep(200)
        assert isinstance(pair.far.lost, ConnectionResetError)
        assert not pair.far.data

    run_virtual(main, seed=1)


def test_overlapping_cuts_heal_one_by_one():
    async def main(world: VirtualWorld) -> None:
        pair = await connected(world)
        world.add_host("third")
        one = world.network.partition(["server"], ["client", "third"])
        other = world.network.cut([("client", "server")])
        one.heal()
        one.heal()
        pair.send(b"x")
        pair.reply(b"y")
        await asyncio.sleep(1)
        assert (bytes(pair.far.data), bytes(pair.near.data)) == (b"", b"y")
        other.heal()
        await asyncio.sleep(2)
        assert bytes(pair.far.data) == b"x"

    run_virtual(main, seed=1)


def test_a_one_way_cut_delivers_but_is_never_acknowledged():
    async def main(world: VirtualWorld) -> None:
        pair = await connected(world)
        world.network.partition(["server"], ["client"], one_way=True)
        pair.send(b"heard")
        await asyncio.sleep(1)
        assert bytes(pair.far.data) == b"heard"
        await asyncio.sleep(200)
        assert isinstance(pair.near.lost, TimeoutError)

    run_virtual(main, seed=1)


def test_hosts_in_no_group_keep_their_links():
    async def main(world: VirtualWorld) -> None:
        pair = await connected(world)
        world.add_host("third")
        world.network.partition(["server"], ["third"])
        pair.send(b"x")
        await asyncio.sleep(1)
        assert bytes(pair.far.data) == b"x"
        with pytest.raises(ValueError, match="one group only"):
            world.network.partition(["server"], ["server", "client"])
        with pytest.raises(KeyError, match="no host 'sever'"):
            world.network.partition(["sever"], ["client"])

    run_virtual(main, seed=1)


def test_traffic_within_a_host_knows_no_weather():
    async def main(world: VirtualWorld) -> None:
        world.add_host("acme")
        world.network.link("acme", "acme").set_loss(0.9)
        world.network.cut([("acme", "acme")])
        world.network.set_latency(NS_PER_MS * 500, NS_PER_MS * 500)
        with world.network.as_host("acme"):
            far = Recorder(world.loop)
            await world.loop.create_server(lambda: far, "127.0.0.1", PORT)
            near = Recorder(world.loop)
            start_ns = world.now_ns()
            transport, _ = await world.loop.create_connection(lambda: near, "127.0.0.1", PORT)
            transport.write(b"x")
            await asyncio.sleep(1)
        assert bytes(far.data) == b"x"
        assert far.times_ns[-1] - start_ns < NS_PER_MS

    run_virtual(main, seed=1)


def test_loss_shows_as_delay_by_retransmission():
    async def main(world: VirtualWorld) -> None:
        pair = await connected(world, latency_ms=10)
        world.network.set_loss(0.3, "client", "server")
        delays_ms = []
        for number in range(200):
            start_ns = world.now_ns()
            pair.send(b"%d;" % number)
            await asyncio.sleep(10)
            delays_ms.append((pair.far.times_ns[-1] - start_ns) // NS_PER_MS)
        assert bytes(pair.far.data) == b"".join(b"%d;" % number for number in range(200))
        assert sorted(set(delays_ms))[:3] == [10, 210, 610]
        assert 40 < sum(delay > 10 for delay in delays_ms) < 80
        link = world.network.link("client", "server")
        assert link.retransmission_count >= sum(delay > 10 for delay in delays_ms)

    run_virtual(main, seed=1)


def test_loss_of_nearly_everything_resets_after_a_bounded_number_of_tries():
    async def main(world: VirtualWorld) -> None:
        pair = await connected(world)
        world.network.set_loss(0.999, "client", "server")
        pair.send(b"x")
        await asyncio.sleep(200)
        assert isinstance(pair.near.lost, TimeoutError)
        with pytest.raises(ValueError, match="cut the link"):
            world.network.set_loss(1.0, "client", "server")

    run_virtual(main, seed=1)


def test_a_killed_process_sends_fin_and_its_host_resets_what_comes_later():
    async def main(world: VirtualWorld) -> None:
        pair = await connected(world)
        pair.server.crash()
        await asyncio.sleep(1)
        assert [entry[0] for entry in pair.near.log] == ["made", "eof", "lost"]
        assert pair.near.lost == "closed"

    run_virtual(main, seed=1)


def test_a_killed_process_that_had_not_read_everything_sends_rst():
    async def main(world: VirtualWorld) -> None:
        pair = await connected(world)
        assert pair.far.transport is not None
        pair.far.transport.pause_reading()
        pair.send(b"unread")
        await asyncio.sleep(1)
        pair.server.crash()
        await asyncio.sleep(1)
        assert isinstance(pair.near.lost, ConnectionResetError)

    run_virtual(main, seed=1)


def test_a_machine_without_power_is_silent_and_its_next_life_resets():
    async def main(world: VirtualWorld) -> None:
        pair = await connected(world)
        pair.server.power_loss()
        await asyncio.sleep(60)
        assert pair.near.lost is None, "a silent peer is not a closed connection"

        async def next_program(machine: VirtualMachine) -> None:
            await asyncio.Event().wait()

        pair.server.boot(next_program)
        await asyncio.sleep(60)
        assert pair.near.lost is None, "nobody has written yet"
        pair.send(b"anyone there?")
        await asyncio.sleep(1)
        assert isinstance(pair.near.lost, ConnectionResetError)

    run_virtual(main, seed=1)


def test_what_is_written_to_a_dark_machine_times_out():
    async def main(world: VirtualWorld) -> None:
        pair = await connected(world)
        pair.server.power_loss()
        pair.send(b"x")
        await asyncio.sleep(200)
        assert isinstance(pair.near.lost, TimeoutError)

    run_virtual(main, seed=1)


def test_what_a_dark_machine_had_sent_still_arrives_but_is_not_sent_again():
    async def main(world: VirtualWorld) -> None:
        pair = await connected(world)
        pair.reply(b"last")
        await asyncio.sleep(0.005)
        pair.server.power_loss()
        await asyncio.sleep(1)
        assert bytes(pair.near.data) == b"last"
        pair.server.boot(lambda machine: asyncio.sleep(1e6))
        await asyncio.sleep(1)

    run_virtual(main, seed=1)

    async def cut_too(world: VirtualWorld) -> None:
        pair = await connected(world)
        pair.reply(b"lost")
        await asyncio.sleep(0.005)
        pair.server.power_loss()
        cut = world.network.partition(["server"], ["client"])
        await asyncio.sleep(1)
        cut.heal()
        await asyncio.sleep(100)
        assert not pair.near.data

    run_virtual(cut_too, seed=1)


def test_connecting_fails_as_the_far_end_deserves():
    async def attempt(world: VirtualWorld, address: str) -> tuple[type[BaseException], float]:
        start = world.loop.time()
        try:
            await world.loop.create_connection(lambda: Recorder(world.loop), address, PORT)
        except OSError as error:
            return type(error), world.loop.time() - start
        raise AssertionError

    async def main(world: VirtualWorld) -> None:
        pair = await connected(world, latency_ms=10)
        pair.server.crash()
        assert await attempt(world, pair.server.address) == (ConnectionRefusedError, pytest.approx(0.02))
        pair.server.power_loss()
        assert await attempt(world, pair.server.address) == (TimeoutError, pytest.approx(127))
        with pytest.raises(OSError, match="No route to host"):
            await world.network.connect("10.9.9.9", PORT)

    run_virtual(main, seed=1)


def test_connecting_across_a_cut_succeeds_if_it_heals_in_time():
    async def main(world: VirtualWorld) -> None:
        pair = await connected(world, latency_ms=10)
        cut = world.network.partition(["server"], ["client"])
        world.loop.call_later(2, cut.heal)
        start = world.loop.time()
        with world.network.as_host("client"):
            await world.loop.create_connection(lambda: Recorder(world.loop), pair.server.address, PORT)
        assert world.loop.time() - start == pytest.approx(3.02)

    run_virtual(main, seed=1)


def test_a_connection_given_up_while_it_opens_leaves_nothing_behind():
    async def main(world: VirtualWorld) -> None:
        pair = await connected(world, latency_ms=10)
        assert pair.server.life is not None
        for wait_s in (0.005, 0.015, 0.02):
            with world.network.as_host("client"):
                task = asyncio.create_task(
                    world.loop.create_connection(lambda: Recorder(world.loop), pair.server.address, PORT)
                )
            await asyncio.sleep(wait_s)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        await asyncio.sleep(1)
        assert world.network.open_transports(pair.server.life) == 1
        assert world.network.open_transports(world.loop.outside) == 1

    run_virtual(main, seed=1)


def test_ports_are_taken_once_and_free_after_death():
    async def main(world: VirtualWorld) -> None:
        pair = await connected(world)
        with world.network.as_host("server"), pytest.raises(OSError, match="already listens"):
            await world.loop.create_server(asyncio.Protocol, "127.0.0.1", PORT)
        with world.network.as_host("server"), pytest.raises(OSError, match="does not have address"):
            await world.loop.create_server(asyncio.Protocol, pair.client.address, PORT)
        pair.server.crash()
        with world.network.as_host("server"):
            server = await world.loop.create_server(asyncio.Protocol, None, PORT)
            assert isinstance(server, VirtualServer)
            assert server.sockets[0].getsockname()[1] == PORT
            server.close()
            await server.wait_closed()

    run_virtual(main, seed=1)


def test_counters_say_what_went_over_each_direction():
    async def main(world: VirtualWorld) -> None:
        pair = await connected(world)
        pair.send(b"12345")
        pair.send(b"678")
        pair.reply(b"1")
        await asyncio.sleep(1)
        there, back = world.network.link("client", "server"), world.network.link("server", "client")
        assert (there.message_count, there.byte_count) == (2, 8)
        assert (back.message_count, back.byte_count) == (1, 1)

    run_virtual(main, seed=1)


def test_tcp_is_as_patient_as_it_is_told_to_be():
    async def main(world: VirtualWorld) -> None:
        pair = await connected(world)
        world.network.partition(["server"], ["client"])
        pair.send(b"x")
        await asyncio.sleep(1)
        assert isinstance(pair.near.lost, TimeoutError)

    run_virtual(main, seed=1, world=VirtualWorld(1, tcp=TcpModel(retransmissions_max=1)))
