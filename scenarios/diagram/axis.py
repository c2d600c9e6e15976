"""The axis of a diagram: protocol time to height, with idle stretches cut short.

Rules:
- Time runs down, at one pace wherever something happens; between two happenings it never takes more than `GAP_MAX`.
- Where it is cut short, that is known and can be drawn.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable

PIXELS_PER_MS = 2.0
GAP_MAX = 60.0
HEIGHT_MAX = 6000.0


class Axis:
    """Turns protocol times into heights.

    Args:
        times_ns: of all that happens.
        top: the height of the first of them.
    """

    def __init__(self, times_ns: Iterable[int], top: float) -> None:
        self._times = sorted(set(times_ns)) or [0]
        pace, gap = PIXELS_PER_MS / 1e6, GAP_MAX
        length = sum(min((b - a) * pace, gap) for a, b in zip(self._times, self._times[1:], strict=False))
        if length > HEIGHT_MAX:
            pace, gap = pace * HEIGHT_MAX / length, gap * HEIGHT_MAX / length
        self._heights = [top]
        self.breaks: list[float] = []
        for before, after in zip(self._times, self._times[1:], strict=False):
            step = (after - before) * pace
            if step > gap:
                self.breaks.append(self._heights[-1] + gap / 2)
            self._heights.append(self._heights[-1] + min(step, gap))

    @property
    def bottom(self) -> float:
        """The height of the last."""
        return self._heights[-1]

    def height(self, at_ns: int) -> float:
        """Return the height of a time, in proportion between the two happenings around it."""
        after = bisect_right(self._times, at_ns)
        if after == 0:
            return self._heights[0]
        if after == len(self._times):
            return self._heights[-1]
        low, high = self._times[after - 1], self._times[after]
        share = (at_ns - low) / (high - low)
        return self._heights[after - 1] + share * (self._heights[after] - self._heights[after - 1])
