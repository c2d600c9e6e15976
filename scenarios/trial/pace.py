"""How fast the calendar may go against protocol time.

Rules:
- A calendar without a pace goes to its next moment as soon as the network is at rest.
- One with a pace is held back until so much protocol time has passed since the trade began, and runs to its end.
"""

from __future__ import annotations

import asyncio
import math

from scenarios.model.units import Duration

STEP_MAX_S = 5.0
"""The longest time held back at once: what faults do in between is looked at again."""


class Pace:
    """Holds a calendar back.

    Args:
        per_s: how much of the calendar passes in a second of protocol time at most, or None for at once.
        start_ms: the calendar's start, UTC milliseconds.
    """

    def __init__(self, per_s: Duration | None, start_ms: int) -> None:
        self._per_s = per_s
        self._start_ms = start_ms
        self._begun_s: float | None = None

    def begin(self) -> None:
        """Count from now."""
        self._begun_s = asyncio.get_running_loop().time()

    async def keep(self, moment_ms: int) -> bool:
        """Let protocol time pass if the calendar may not come to a moment yet; return whether it had to.

        Args:
            moment_ms: UTC milliseconds.
        """
        if self._per_s is None or self._begun_s is None:
            return False
        due_s = self._begun_s + (moment_ms - self._start_ms) / self._per_s.ms
        left_s = due_s - asyncio.get_running_loop().time()
        if left_s <= 0:
            return False
        await asyncio.sleep(min(math.ceil(left_s * 1000) / 1000, STEP_MAX_S))
        return True
