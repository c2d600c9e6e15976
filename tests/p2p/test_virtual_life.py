"""Lives on virtual hosts: boot, death, ghosts, pause and resume."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import weakref
from collections.abc import AsyncIterator

import pytest

from p2p.virtual import (
    DiskOperation,
    VirtualHost,
    VirtualMachine,
    VirtualWorld,
    current_life,
    fenced,
    run_virtual,
)
from p2p.virtual.loop import TURNS_AFTER_BURIAL

PORT = 7000


async def idle(machine: VirtualMachine) -> None:
    await asyncio.Event().wait()


def test_a_program_runs_in_a_life_of_its_own_and_dies_with_it():
    beats: list[float] = []

    async def program(machine: VirtualMachine) -> None:
        async def beat() -> None:
            while True:
                beats.append(machine.life.loop.time())
                await asyncio.sleep(1)

        await asyncio.create_task(beat())

    async def main(world: VirtualWorld) -> None:
        host = world.add_host("host")
        assert current_life() is None
        life = host.boot(program)
        await asyncio.sleep(3.5)
        assert host.is_up
        host.crash()
        assert not host.is_up
        await asyncio.sleep(10)
        assert beats == [0, 1, 2, 3]
        assert host.boot(program) is not life
        await asyncio.sleep(0.5)
        assert len(beats) == 5
        with pytest.raises(RuntimeError, match="host host is up"):
            host.boot(program)

    run_virtual(main, seed=1)


def test_a_program_that_fails_is_heard_of():
    told: list[tuple[str, BaseException]] = []

    async def fails(machine: VirtualMachine) -> None:
        await asyncio.sleep(1)
        raise ValueError("broken")

    async def main(world: VirtualWorld) -> None:
        host = world.add_host("host", on_failure=lambda host, error: told.append((host.name, error)))
        host.boot(fails)
        await asyncio.sleep(2)
        assert isinstance(host.failure, ValueError)
        assert not host.is_up

    run_virtual(main, seed=1)
    assert [(name, str(error)) for name, error in told] == [("host", "broken")]


def test_a_program_that_fails_without_anybody_told_fails_the_run():
    async def fails(machine: VirtualMachine) -> None:
        raise ValueError("broken")

    async def main(world: VirtualWorld) -> None:
        world.add_host("host").boot(fails)
        await asyncio.sleep(2)

    with pytest.raises(BaseExceptionGroup) as caught:
        run_virtual(main, seed=1)
    assert caught.group_contains(ValueError, match="broken")


def test_a_ghost_reaches_neither_disk_nor_network_nor_observer():
    """A host killed inside a disk operation: the rest of that handle still runs, and must have no effect."""
    heard: list[str] = []
    went_on: list[str] = []
    observe = fenced(heard.append)

    async def program(machine: VirtualMachine) -> None:
        transport, _ = await machine.life.loop.create_connection(asyncio.Protocol, "peer", PORT)
        observe("alive")
        database = machine.open_database("node.db")
        database.execute("CREATE TABLE IF NOT EXISTS t(x)")
        database.execute("BEGIN")
        database.execute("INSERT INTO t VALUES(1)")
        observe("before")
        database.execute("COMMIT")  # killed in here
        went_on.append("ghost")
        observe("after")
        transport.write(b"ghost")
        transport.close()
        machine.set_calendar(0)
        database.execute("INSERT INTO t VALUES(2)")
        asyncio.create_task(machine.commit(database, 1))  # noqa: RUF006 - a ghost's task
        machine.life.loop.call_soon(went_on.append, "callback")
        await machine.life.loop.create_server(asyncio.Protocol, None, PORT)
        went_on.append("listening")
        await asyncio.sleep(0)
        went_on.append("another turn")

    async def main(world: VirtualWorld) -> None:
        received: list[bytes] = []

        class Peer(asyncio.Protocol):
            def data_received(self, data: bytes) -> None:
                received.append(data)

            def eof_received(self) -> bool:
                return True

        host = world.add_host("host")
        world.add_host("peer")
        with world.network.as_host("peer"):
            await world.loop.create_server(Peer, None, PORT)
        calendar_ms = host.calendar.now_ms(world.loop)

        def strike(operation: DiskOperation, name: str) -> None:
            if heard == ["alive", "before"]:
                host.crash()

        host.disk.hook = strike
        host.boot(program)
        await asyncio.sleep(5)
        assert host.calendar.now_ms(world.loop) == calendar_ms + 5000
        assert received == []
        with pytest.raises(ConnectionRefusedError):
            await world.loop.create_connection(asyncio.Protocol, host.address, PORT)
        rows: list[int] = []

        async def look(machine: VirtualMachine) -> None:
            database = machine.open_database("node.db")
            rows.extend(row[0] for row in database.execute("SELECT x FROM t"))
            assert machine.read_watermark() is None

        host.disk.hook = None
        host.boot(look)
        await asyncio.sleep(1)
        assert host.failure is None
        assert 2 not in rows

    run_virtual(main, seed=1)
    assert heard == ["alive", "before"]
    assert went_on == ["ghost", "listening"]


def test_the_dead_are_closed_in_their_own_context_until_none_is_left():
    """A `finally` that awaits, starts tasks and looks at its life still ends, as a dead life's code."""
    seen: list[tuple[str, bool]] = []
    marker: contextvars.ContextVar[str] = contextvars.ContextVar("marker", default="outside")

    def note(what: str) -> None:
        life = current_life()
        assert life is not None, "closed in somebody else's context"
        seen.append((f"{what} {life.host}", life.alive))

    async def stream() -> AsyncIterator[int]:
        try:
            while True:
                yield 1
        finally:
            note("generator")

    async def stubborn() -> None:
        try:
            await asyncio.sleep(1e9)
        finally:
            try:
                await asyncio.sleep(1)
            finally:
                note("stubborn")
                asyncio.create_task(asyncio.sleep(1))  # noqa: RUF006 - a ghost's task

    async def consume() -> None:
        async for _ in stream():
            await asyncio.sleep(1)

    async def program(machine: VirtualMachine) -> None:
        marker.set("inside")
        async with asyncio.TaskGroup() as group:
            group.create_task(stubborn())
            group.create_task(consume())

    async def main(world: VirtualWorld) -> None:
        host = world.add_host("host")
        host.boot(program)
        await asyncio.sleep(1.5)
        host.crash()
        assert seen == [], "burial has a turn of its own"
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert sorted(seen) == [("generator host", False), ("stubborn host", False)]
        assert marker.get() == "outside"

    run_virtual(main, seed=1)
    assert len(seen) == 2


def test_a_dead_life_is_not_kept_in_memory():
    class Load:
        pass

    async def program(machine: VirtualMachine) -> None:
        load = Load()
        load.itself = load  # type: ignore[attr-defined]
        loads.append(weakref.ref(load))
        machine.open_database("node.db").execute("CREATE TABLE IF NOT EXISTS t(x)")
        await machine.life.loop.create_connection(asyncio.Protocol, "peer", PORT)
        await asyncio.Event().wait()

    loads: list[weakref.ref[Load]] = []

    async def main(world: VirtualWorld) -> None:
        host = world.add_host("host")
        world.add_host("peer")
        with world.network.as_host("peer"):
            await world.loop.create_server(asyncio.Protocol, None, PORT)
        for _ in range(3):
            host.boot(program)
            await asyncio.sleep(1)
            host.crash()
            for _ in range(TURNS_AFTER_BURIAL + 2):
                await asyncio.sleep(0)
            assert loads[-1]() is None

    run_virtual(main, seed=1)
    gc.collect()
    assert [load() for load in loads] == [None, None, None]


def test_a_paused_life_holds_its_handles_and_finds_due_timers_before_arrived_data():
    order: list[str] = []

    async def program(machine: VirtualMachine) -> None:
        loop = machine.life.loop

        class Inbox(asyncio.Protocol):
            def data_received(self, data: bytes) -> None:
                order.append(data.decode())

        await loop.create_server(Inbox, None, PORT)
        for second in range(1, 5):
            loop.call_later(second, order.append, f"timer {second}")
        await asyncio.Event().wait()

    async def main(world: VirtualWorld) -> None:
        host = world.add_host("host")
        host.boot(program)
        transport, _ = await world.loop.create_connection(asyncio.Protocol, host.address, PORT)
        await asyncio.sleep(0.9)
        host.pause()
        assert host.is_up
        assert host.is_paused
        for _ in range(3):
            transport.write(b"data")
            await asyncio.sleep(1)
        late, _ = await world.loop.create_connection(asyncio.Protocol, host.address, PORT)
        late.write(b"late")
        await asyncio.sleep(0.5)
        assert order == []
        host.resume()
        await asyncio.sleep(0.01)
        assert order == ["timer 1", "timer 2", "timer 3", "timer 4", "datadatadata", "late"]

    run_virtual(main, seed=1)


def test_a_paused_life_can_be_killed_and_its_peers_learn_of_it():
    async def program(machine: VirtualMachine) -> None:
        await machine.life.loop.create_server(asyncio.Protocol, None, PORT)
        await asyncio.Event().wait()

    async def main(world: VirtualWorld) -> list[BaseException | None]:
        lost: list[BaseException | None] = []

        class Client(asyncio.Protocol):
            def connection_lost(self, exc: BaseException | None) -> None:
                lost.append(exc)

        host = world.add_host("host")
        host.boot(program)
        await asyncio.sleep(0.01)
        await world.loop.create_connection(Client, host.address, PORT)
        await asyncio.sleep(1)
        host.pause()
        writer, _ = await world.loop.create_connection(Client, host.address, PORT)
        writer.write(b"unread")
        await asyncio.sleep(1)
        assert not lost
        host.crash()
        await asyncio.sleep(1)
        return lost

    lost = run_virtual(main, seed=1)
    assert len(lost) == 2
    assert None in lost
    assert any(isinstance(error, ConnectionResetError) for error in lost)


def test_lives_differ_in_chance_and_share_the_calendar_and_the_files():
    drawn: list[float] = []
    clocks: list[int] = []
    contents: list[bytes | None] = []

    async def program(machine: VirtualMachine) -> None:
        drawn.append(machine.random.random())
        clocks.append(machine.now_ms())
        contents.append(machine.file_bytes("node.db"))
        machine.open_database("node.db").execute("CREATE TABLE IF NOT EXISTS t(x)")
        machine.set_calendar(1_600_000_000_000)
        await asyncio.Event().wait()

    async def main(world: VirtualWorld) -> None:
        host = world.add_host("host")
        host.boot(program)
        await asyncio.sleep(60)
        host.crash()
        host.boot(program)
        await asyncio.sleep(0)

    run_virtual(main, seed=1)
    assert drawn[0] != drawn[1]
    assert clocks == [1_514_764_800_000, 1_600_000_060_000]
    assert contents[0] is None
    assert contents[1] is not None
    again = list(drawn)
    drawn.clear()
    clocks.clear()
    contents.clear()
    run_virtual(main, seed=1)
    assert drawn == again


def test_a_background_task_that_failed_before_the_crash_is_heard_of():
    async def fails() -> None:
        raise ValueError("in the background")

    async def program(machine: VirtualMachine) -> None:
        kept = asyncio.create_task(fails())
        await asyncio.Event().wait()
        await kept

    async def main(world: VirtualWorld) -> None:
        host = world.add_host("host")
        host.boot(program)
        await asyncio.sleep(1)
        host.crash()
        await asyncio.sleep(1)

    with pytest.raises(BaseExceptionGroup) as caught:
        run_virtual(main, seed=1)
    assert caught.group_contains(ValueError, match="in the background")


def test_ending_twice_does_nothing():
    async def main(world: VirtualWorld) -> None:
        host: VirtualHost = world.add_host("host")
        host.crash()
        host.pause()
        host.resume()
        host.boot(idle)
        host.crash()
        host.crash()
        host.pause()
        host.resume()
        host.power_loss()
        host.power_loss()
        host.boot(idle)
        await asyncio.sleep(1)
        assert host.is_up
        assert not host.is_paused

    run_virtual(main, seed=1)
