"""The virtual loop: time, order, and what it refuses."""

from __future__ import annotations

import asyncio
import signal
import socket
import threading
from collections.abc import Callable

import pytest

from p2p.virtual import (
    NotVirtualError,
    VirtualDeadlockError,
    VirtualLivelockError,
    VirtualTimeLimitError,
    VirtualWorld,
    run_virtual,
)


def test_time_jumps_in_whole_nanoseconds():
    async def main(world: VirtualWorld) -> list[int]:
        seen = [world.now_ns()]
        await asyncio.sleep(3600)
        seen.append(world.now_ns())
        await asyncio.sleep(1e-9)
        seen.append(world.now_ns())
        return seen

    assert run_virtual(main, seed=1) == [0, 3_600_000_000_000, 3_600_000_000_001]


def test_equal_deadlines_fire_in_the_order_they_were_set():
    async def main(world: VirtualWorld) -> list[int]:
        fired: list[int] = []
        for number in range(200):
            world.loop.call_at(1.0, fired.append, number)
        await asyncio.sleep(2)
        return fired

    assert run_virtual(main, seed=1) == list(range(200))


def test_cancelling_timers_does_not_reorder_the_others():
    async def main(world: VirtualWorld) -> list[int]:
        fired: list[int] = []
        timers = [world.loop.call_at(1.0, fired.append, number) for number in range(1000)]
        for number, timer in enumerate(timers):
            if number % 5:
                timer.cancel()
        await asyncio.sleep(2)
        return fired

    assert run_virtual(main, seed=1) == list(range(0, 1000, 5))


def test_a_timer_is_never_told_that_it_is_too_early():
    async def main(world: VirtualWorld) -> list[float]:
        early: list[float] = []

        def check(when: float) -> None:
            if world.loop.time() < when:
                early.append(when)

        stream = world.random("test")
        for _ in range(1000):
            when = stream.random() * 1000
            world.loop.call_at(when, check, when)
        await asyncio.sleep(1001)
        return early

    assert run_virtual(main, seed=1) == []


def test_a_deadlock_is_an_error_that_names_who_waits():
    async def waits_for_ever() -> None:
        await asyncio.Event().wait()

    async def main(world: VirtualWorld) -> None:
        await asyncio.create_task(waits_for_ever(), name="stuck")

    with pytest.raises(VirtualDeadlockError, match=r"stuck in .*waits_for_ever"):
        run_virtual(main, seed=1)


def test_an_instant_without_end_is_an_error(monkeypatch: pytest.MonkeyPatch):
    async def main(world: VirtualWorld) -> None:
        for _ in range(10_000):
            await asyncio.sleep(0)

    monkeypatch.setattr("p2p.virtual.loop.TURNS_PER_INSTANT_MAX", 1000)
    with pytest.raises(VirtualLivelockError, match="without virtual time moving"):
        run_virtual(main, seed=1)


def test_the_time_limit_is_kept():
    async def main(world: VirtualWorld) -> None:
        await asyncio.sleep(59)
        await asyncio.sleep(2)

    with pytest.raises(VirtualTimeLimitError, match="limit of 60"):
        run_virtual(main, seed=1, time_limit_s=60)


def _refused() -> list[tuple[str, Callable[[asyncio.AbstractEventLoop], object]]]:
    return [
        ("signals", lambda loop: loop.add_signal_handler(signal.SIGTERM, print)),
        ("subprocesses", lambda loop: loop.subprocess_exec(asyncio.SubprocessProtocol, "true")),
        ("readers", lambda loop: loop.add_reader(0, print)),
        ("datagrams", lambda loop: loop.create_datagram_endpoint(asyncio.DatagramProtocol)),
        ("unix sockets", lambda loop: loop.create_unix_connection(asyncio.Protocol, "/x")),
        ("files", lambda loop: loop.connect_read_pipe(asyncio.Protocol, None)),
    ]


@pytest.mark.parametrize(("what", "call"), _refused(), ids=[what for what, _ in _refused()])
def test_what_would_leave_the_virtual_world_is_refused(
    what: str, call: Callable[[asyncio.AbstractEventLoop], object]
):
    async def main(world: VirtualWorld) -> None:
        with pytest.raises(NotVirtualError, match="not part of the virtual world"):
            call(world.loop)

    run_virtual(main, seed=1)


def test_servers_on_real_sockets_and_tls_are_refused():
    async def main(world: VirtualWorld) -> None:
        with socket.socket() as real, pytest.raises(NotVirtualError, match="real socket"):
            await world.loop.create_server(asyncio.Protocol, sock=real)
        with pytest.raises(NotVirtualError, match="TLS"):
            await world.loop.create_connection(asyncio.Protocol, "outside", 1, ssl=True)

    run_virtual(main, seed=1)


def test_a_callback_from_another_thread_is_refused():
    async def main(world: VirtualWorld) -> list[str]:
        seen: list[str] = []

        def intrude() -> None:
            try:
                world.loop.call_soon_threadsafe(print)
            except NotVirtualError as error:
                seen.append(str(error))

        thread = threading.Thread(target=intrude)
        thread.start()
        thread.join()
        return seen

    assert "another thread" in run_virtual(main, seed=1)[0]


def test_executors_run_here_and_now():
    async def main(world: VirtualWorld) -> tuple[bool, int]:
        ident = await asyncio.to_thread(threading.get_ident)
        with pytest.raises(ZeroDivisionError):
            await asyncio.to_thread(lambda: 1 // 0)
        return ident == threading.get_ident(), world.now_ns()

    assert run_virtual(main, seed=1) == (True, 0)


def test_an_error_in_a_callback_is_raised_at_the_end():
    async def main(world: VirtualWorld) -> None:
        world.loop.call_soon(lambda: 1 // 0)
        await asyncio.sleep(1)

    with pytest.raises(BaseExceptionGroup) as caught:
        run_virtual(main, seed=1)
    assert caught.group_contains(ZeroDivisionError)


def test_a_task_that_failed_unasked_is_raised_at_the_end():
    async def fails() -> None:
        raise ValueError("nobody asks")

    async def main(world: VirtualWorld) -> asyncio.Task[None]:
        kept = asyncio.create_task(fails())
        await asyncio.sleep(1)
        return kept

    with pytest.raises(BaseExceptionGroup) as caught:
        run_virtual(main, seed=1)
    assert caught.group_contains(ValueError, match="nobody asks")


def test_a_run_leaves_no_task_pending_and_no_warning(recwarn: pytest.WarningsRecorder):
    finished: list[str] = []

    async def lingers() -> None:
        try:
            await asyncio.sleep(1e6)
        finally:
            finished.append("closed")

    async def main(world: VirtualWorld) -> None:
        for _ in range(3):
            asyncio.create_task(lingers())  # noqa: RUF006 - left behind on purpose
        await asyncio.sleep(1)

    run_virtual(main, seed=1)
    assert finished == ["closed"] * 3
    assert not recwarn.list
