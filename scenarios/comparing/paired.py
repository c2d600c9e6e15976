"""How two versions or designs differ, figure by figure, over pairs of the same seed or the same shipment.

Rules:
- Only pairs are compared; who has a value on one side alone is counted.
- A mean difference and a relative change come with percentile bootstrap intervals over pairs (Efron, 1979); with one
  pair there is none.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from scenarios.measuring.statistics import BOOTSTRAP_SEED, LEVEL, RESAMPLES, Floats, Interval, bootstrap_mean


@dataclass(frozen=True, slots=True)
class Change:
    """One figure, second against first.

    Attributes:
        figure: its name.
        per: what a pair is: `seed` or `shipment`.
        pairs: how many.
        alone: values on one side only.
        first, other: means over the pairs.
        difference: mean of other minus first.
        interval: 95 percent, of `difference`; None with one pair.
        percent: `difference` in percent of the first's mean; None where that is 0.
        percent_interval: 95 percent, of `percent`.
        other_interval: 95 percent, of `other`.
    """

    figure: str
    per: str
    pairs: int
    alone: int
    first: float
    other: float
    difference: float
    interval: Interval | None
    percent: float | None
    percent_interval: Interval | None
    other_interval: Interval | None

    @property
    def is_sure(self) -> bool:
        """Whether the interval leaves no doubt which way it changed."""
        return self.interval is not None and (self.interval[0] > 0 or self.interval[1] < 0)


def change_of(figure: str, per: str, first: Mapping[str, float], other: Mapping[str, float]) -> Change | None:
    """Return how a figure differs over the pairs, or None if there is none.

    Args:
        figure: its name.
        per: what a pair is.
        first, other: values by the pair's name.
    """
    names = sorted(name for name in first if name in other)
    if not names:
        return None
    one = np.array([first[name] for name in names], dtype=np.float64)
    two = np.array([other[name] for name in names], dtype=np.float64)
    difference, interval = bootstrap_mean((two - one).tolist())
    mean_of_other, other_interval = bootstrap_mean(two.tolist())
    mean_of_first = math.fsum(one) / len(names)
    percent = 100 * difference / abs(mean_of_first) if mean_of_first else None
    alone = len(first) + len(other) - 2 * len(names)
    return Change(
        figure,
        per,
        len(names),
        alone,
        mean_of_first,
        mean_of_other,
        difference,
        interval,
        percent,
        _percent_interval(one, two),
        other_interval,
    )


def _percent_interval(one: Floats, two: Floats) -> Interval | None:
    """Return the interval of the relative change of the means; None if some resample of the first has mean 0."""
    if len(one) < 2:
        return None
    chance = np.random.default_rng(BOOTSTRAP_SEED)
    places = chance.integers(0, len(one), (RESAMPLES, len(one)))
    base = one[places].mean(axis=1)
    if not base.all():
        return None
    percents = 100 * (two[places].mean(axis=1) - base) / np.abs(base)
    low, high = np.quantile(percents, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
