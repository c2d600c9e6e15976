"""Where a noisy, rising margin crosses zero, found by bisection with an interval.

Rules:
- Every value tried is measured with the same seeds, so that values differ by the value and not by luck.
- Which half is taken follows from the mean margin; how sure that is, from a bootstrap over seeds (Efron, 1979).
- The margin is taken to rise with the value: for the interval, means that fall are pooled (isotonic regression). Values
  at which they fell are counted, not hidden.
- A budget that runs out ends the search with the bracket it has.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

import numpy as np

from scenarios.measuring.statistics import BOOTSTRAP_SEED, LEVEL, RESAMPLES, Interval, bootstrap_mean

Margins: TypeAlias = Mapping[str, float]
"""Per seed, by how much the condition holds."""


class End(StrEnum):
    """How a search ended."""

    FOUND = "found"
    SPENT = "spent"
    ALREADY = "already"
    NEVER = "never"
    UNMEASURED = "unmeasured"


@dataclass(frozen=True, slots=True)
class Point:
    """One value that was tried.

    Attributes:
        value: which.
        margins: per seed that has the figure.
        mean: of the margins.
        interval: 95 percent, of the mean; None with fewer than two seeds.
        holds: whether the condition holds by the mean.
    """

    value: float
    margins: Margins
    mean: float
    interval: Interval | None
    holds: bool

    @property
    def is_sure(self) -> bool:
        """Whether the interval leaves no doubt on which side the mean is."""
        return self.interval is not None and (self.interval[0] > 0 or self.interval[1] < 0)


@dataclass(frozen=True, slots=True)
class Crossing:
    """What was found.

    Attributes:
        end: how the search ended.
        points: every value tried, in ascending order.
        low, high: the bracket: it does not hold at `low` and holds at `high`; None where that was not seen.
        interval: 95 percent, of where the mean crosses, by bootstrap over seeds; an end outside the range tried is
            infinite; None where it cannot be told.
        falls: pairs of neighboring values between which the mean fell.
    """

    end: End
    points: tuple[Point, ...]
    low: float | None
    high: float | None
    interval: Interval | None
    falls: int


@dataclass(frozen=True, slots=True)
class Search:
    """What is searched.

    Attributes:
        low, high: the range.
        precision: the bracket that is narrow enough.
        points_max: how many values may be tried.
        whole: whether only whole numbers are tried.
        holds_by: whether the condition holds by a margin.
    """

    low: float
    high: float
    precision: float
    points_max: int
    whole: bool = False
    holds_by: Callable[[float], bool] = lambda margin: margin > 0


def bisect(search: Search, measure: Callable[[float], Margins]) -> Crossing:
    """Find the smallest value at which a condition holds.

    Args:
        search: the range, and when to stop.
        measure: returns per seed the margin at a value; seeds without the figure are left out.
    """
    points: dict[float, Point] = {}

    def tried(value: float) -> Point | None:
        margins = measure(value)
        if not margins:
            return None
        mean, interval = bootstrap_mean(list(margins.values()))
        points[value] = Point(value, margins, mean, interval, search.holds_by(mean))
        return points[value]

    def ended(end: End, low: float | None, high: float | None) -> Crossing:
        ordered = tuple(points[value] for value in sorted(points))
        falls = sum(b.mean < a.mean for a, b in itertools.pairwise(ordered))
        return Crossing(end, ordered, low, high, crossing_interval(ordered), falls)

    first, last = tried(search.low), tried(search.high)
    if first is None or last is None:
        return ended(End.UNMEASURED, None, None)
    if first.holds:
        return ended(End.ALREADY, None, search.low)
    if not last.holds:
        return ended(End.NEVER, search.high, None)
    low, high = search.low, search.high
    while high - low > search.precision:
        middle = (low + high) / 2
        middle = float(math.floor(middle)) if search.whole else middle
        if middle in points:
            break
        if len(points) >= search.points_max:
            return ended(End.SPENT, low, high)
        point = tried(middle)
        if point is None:
            return ended(End.UNMEASURED, low, high)
        low, high = (low, middle) if point.holds else (middle, high)
    return ended(End.FOUND, low, high)


def crossing_interval(points: Sequence[Point]) -> Interval | None:
    """Return the interval of where the mean margin crosses zero, over resampled seeds that have every value."""
    if len(points) < 2:
        return None
    seeds = [seed for seed in points[0].margins if all(seed in point.margins for point in points)]
    if len(seeds) < 2:
        return None
    table = np.array([[point.margins[seed] for seed in seeds] for point in points])
    values = [point.value for point in points]
    chance = np.random.default_rng(BOOTSTRAP_SEED)
    crossings = sorted(
        _crossing(values, table[:, chance.integers(0, len(seeds), len(seeds))].mean(axis=1).tolist())
        for _ in range(RESAMPLES)
    )
    tail = (1 - LEVEL) / 2
    low = crossings[math.floor(tail * (RESAMPLES - 1))]
    return low, crossings[math.ceil((1 - tail) * (RESAMPLES - 1))]


def _crossing(values: Sequence[float], means: Sequence[float]) -> float:
    """Return where means, made to rise, cross zero; infinite where they do so outside the values."""
    risen = rising(means)
    above = next((place for place, mean in enumerate(risen) if mean > 0), None)
    if above is None:
        return math.inf
    if above == 0:
        return -math.inf
    share = -risen[above - 1] / (risen[above] - risen[above - 1])
    return values[above - 1] + share * (values[above] - values[above - 1])


def rising(means: Sequence[float]) -> list[float]:
    """Return the nearest sequence that never falls (pool adjacent violators)."""
    blocks: list[tuple[float, int]] = []
    for mean in means:
        block = (mean, 1)
        while blocks and blocks[-1][0] > block[0]:
            value, count = blocks.pop()
            together = count + block[1]
            block = ((value * count + block[0] * block[1]) / together, together)
        blocks.append(block)
    return [value for value, count in blocks for _ in range(count)]
