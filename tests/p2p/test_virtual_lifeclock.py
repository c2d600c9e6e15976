"""A process whose timers run wrong: alone in that, never before its own time, and never back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from p2p.virtual import VirtualHost, VirtualMachine, VirtualWorld, run_virtual
from p2p.virtual.lifeclock import LifeClock

NS_PER_S = 1_000_000_000


def ticks(
    fault: Callable[[VirtualHost], None], *, for_s: float = 9.5
) -> dict[str, list[tuple[float, float]]]:
    """Return when two hosts ticked, (right, own) s, one a second; the first suffers a fault at 2.5 s."""
    seen: dict[str, list[tuple[float, float]]] = {"wrong": [], "right": []}

    async def program(machine: VirtualMachine) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            due += 1
            due_now = asyncio.Event()
            loop.call_at(due, due_now.set)
            await due_now.wait()
            assert loop.time() >= due
            seen[machine.name].append((machine.life.loop.now_ns() / NS_PER_S, loop.time()))

    async def main(world: VirtualWorld) -> None:
        for name in seen:
            world.add_host(name).boot(program)
        await asyncio.sleep(2.5)
        fault(world.host("wrong"))
        await asyncio.sleep(for_s - 2.5)

    run_virtual(main, seed=1)
    return seen


@pytest.mark.parametrize("ppm", [-200_000, 250_000, 1_000_000])
def test_timers_that_drift_come_early_or_late_and_nobody_elses_do(ppm):
    seen = ticks(lambda host: host.drift_timers(ppm) and None)
    pace = 1 + ppm / 1e6
    third = 2.5 + 0.5 / pace
    wrong = [right for right, _ in seen["wrong"]]
    assert wrong[:2] == [1, 2]
    assert wrong[2:] == pytest.approx([third + number / pace for number in range(len(wrong) - 2)], abs=1e-6)
    assert [right for right, _ in seen["right"]] == list(range(1, 10))


def test_a_drift_that_has_ended_leaves_what_it_made_wrong_and_the_right_pace():
    def fault(host: VirtualHost) -> None:
        host._loop.call_later(2, host.drift_timers(1_000_000))

    seen = ticks(fault)
    assert [right for right, _ in seen["wrong"]] == [1, 2, 2.75, 3.25, 3.75, 4.25, 5, 6, 7, 8, 9]


def test_all_timers_that_a_jump_passes_over_are_due_at_once():
    seen = ticks(lambda host: host.jump_timers(4 * NS_PER_S))
    assert [right for right, _ in seen["wrong"]] == [1, 2, 2.5, 2.5, 2.5, 2.5, 3, 4, 5, 6, 7, 8, 9]
    assert [right for right, _ in seen["right"]] == list(range(1, 10))


@pytest.mark.parametrize("ppm", [-999_999, -7, 0, 3, 1_000_000])
def test_a_clock_shows_what_is_waited_for_at_the_first_nanosecond_and_not_before(ppm):
    clock = LifeClock(1_000, 5_000, ppm)
    for shown_ns in range(5_000, 5_050):
        comes = clock.comes(shown_ns)
        assert clock.shows(comes) >= shown_ns > clock.shows(comes - 1) or comes == 1_000
    assert clock.paced(2_000, 0).shows(2_000) == clock.shows(2_000)


def test_a_clock_that_stands_is_refused():
    with pytest.raises(ValueError, match="goes back or stands"):
        LifeClock(0, 0, -1_000_000)
