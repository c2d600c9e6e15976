"""Faults that run a course of their own: what happens again and again, or to one node after the other.

Rules:
- A course carries out, as a strike does; it knows its world and whom it hits, and draws from its own stream of chance.
- It may be ended at any of its waits: what ends the fault puts everything right.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from random import Random

from scenarios.model.nodefaults import CalendarJump, RestartLoop, RollingRestart
from scenarios.model.units import RangeMs
from scenarios.worlds.base import EndFault, World

CAUGHT_UP_POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class Course:
    """A fault under way.

    Attributes:
        run: lets it happen; the fault is over when it returns.
        end: puts everything right, after `run` or amid it.
        must_finish: whether what ends the fault waits for `run` instead: half of it would be worse than nothing.
    """

    run: Callable[[], Coroutine[object, object, None]]
    end: EndFault
    must_finish: bool = False


async def restart_again_and_again(
    world: World, fault: RestartLoop, hit: Sequence[str], chance: Random
) -> None:
    """Kill the nodes and start them again, as often as the fault says."""
    for _ in range(fault.params.times):
        for organization in hit:
            await world.crash(organization)
        await _pause(fault.params.down_ms, chance)
        for organization in hit:
            await world.restart(organization)
        await _pause(fault.params.up_ms, chance)


async def restart_one_after_the_other(world: World, fault: RollingRestart, hit: Sequence[str]) -> None:
    """Stop each node in good order and start it; go on when it has caught up, or after the stated span."""
    for organization in hit:
        await world.stop(organization)
        await world.restart(organization)
        if fault.params.every_ms is not None:
            await asyncio.sleep(fault.params.every_ms / 1000)
        else:
            while not await has_caught_up(world, organization):  # noqa: ASYNC110 - a node tells nobody of it
                await asyncio.sleep(CAUGHT_UP_POLL_S)


async def jump_forth_and_back(world: World, fault: CalendarJump, hit: Sequence[str]) -> None:
    """Set calendars wrong and right again until ended, which leaves them right."""
    while True:
        mend = await world.calendar_offset(fault.params.seconds, hit)
        try:
            await asyncio.sleep(fault.params.every_ms / 1000)
        finally:
            await mend()
        await asyncio.sleep(fault.params.every_ms / 1000)


async def has_caught_up(world: World, organization: str) -> bool:
    """Whether a node follows a leader, if it orders, and is certified as far as any other node that is up."""
    own = await world.standing(organization)
    if own is None or (own.orders and own.leader is None):
        return False
    others = [await world.standing(other) for other in world.organizations if other != organization]
    return own.certified >= max((other.certified for other in others if other is not None), default=0)


async def _pause(range_ms: RangeMs, chance: Random) -> None:
    await asyncio.sleep(chance.uniform(*range_ms) / 1000)
