"""The calendar's moments: who waits for which, and what a grain makes of them."""

from __future__ import annotations

import asyncio

from scenarios.trial.agenda import Agenda

HOUR_MS = 3_600_000


async def stops(agenda: Agenda, moments: list[int]) -> list[tuple[int, list[int]]]:
    """Return where the calendar stops for these moments, and whom it wakes there."""
    woken: list[int] = []

    async def wait(moment: int) -> None:
        await agenda.wait_until(moment)
        woken.append(moment)

    async with asyncio.TaskGroup() as group:
        for moment in moments:
            group.create_task(wait(moment))
        await asyncio.sleep(0)
        found: list[tuple[int, list[int]]] = []
        while (following := agenda.next_ms()) is not None:
            agenda.come_to(following)
            await asyncio.sleep(0)
            found.append((following, woken.copy()))
            woken.clear()
    return found


async def test_everybody_comes_up_at_the_very_moment_waited_for() -> None:
    assert await stops(Agenda(), [7, 5, 5]) == [(5, [5, 5]), (7, [7])]


async def test_with_a_grain_the_calendar_stops_at_full_grains_alone_and_nobody_comes_up_early() -> None:
    early, full, late = HOUR_MS - 1, HOUR_MS, HOUR_MS + 1
    assert await stops(Agenda(HOUR_MS), [late, full, early]) == [
        (HOUR_MS, [full, early]),
        (2 * HOUR_MS, [late]),
    ]
