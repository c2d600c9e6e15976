"""Figures as numbers: medians, quantiles, shares, and how sure they are.

Rules:
- A quantile is a value that occurred (nearest rank). A share comes with its Wilson interval.
- A difference between arms is taken shipment by shipment; its interval is a percentile bootstrap (Efron, 1979) over
  shipments within one run, and over runs where there are several seeds. Without at least two there is none.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from scenarios.measuring.compute import Figure
from scenarios.shares import wilson

RESAMPLES = 2000
DRAWS_AT_ONCE = 2_000_000
BOOTSTRAP_SEED = 20180904
LEVEL = 0.95

Interval: TypeAlias = tuple[float, float]
Floats: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Number:
    """One figure as a number.

    Attributes:
        value: median, share, ratio or sum; None where nothing was counted.
        count: of how many cases.
        open: cases without an end.
        p95, mean: of values per shipment or transaction.
        interval: 95 percent, of a share.
    """

    value: float | None
    count: int
    open: int = 0
    p95: float | None = None
    mean: float | None = None
    interval: Interval | None = None


def number(figure: Figure) -> Number:
    """Return a figure as a number."""
    if figure.total is not None:
        return Number(figure.total, len(figure.by_shipment), figure.open)
    values = sorted(figure.values or figure.by_shipment.values())
    if values:
        return Number(
            quantile(values, 0.5),
            len(values),
            figure.open,
            quantile(values, 0.95),
            math.fsum(values) / len(values),
        )
    if figure.of:
        interval = wilson(figure.hits, figure.of) if figure.hits <= figure.of else None
        return Number(figure.hits / figure.of, figure.of, figure.open, interval=interval)
    return Number(None, 0, figure.open)


def quantile(ordered: Sequence[float], share: float) -> float:
    """Return the nearest-rank quantile of values in ascending order.

    Raises:
        ValueError: if there are none.
    """
    if not ordered:
        raise ValueError("no values, no quantile")
    return ordered[max(0, math.ceil(len(ordered) * share - 1e-9) - 1)]


@dataclass(frozen=True, slots=True)
class Difference:
    """Ledger minus paper.

    Attributes:
        median, mean: of the differences per shipment.
        interval: 95 percent, of the mean; None with fewer than two.
        count: shipments that have a value in both arms.
        only_ledger, only_paper: shipments that have one in a single arm.
    """

    median: float
    mean: float
    interval: Interval | None
    count: int
    only_ledger: int
    only_paper: int


def difference(ledger: Mapping[str, float], paper: Mapping[str, float]) -> Difference | None:
    """Return how the arms differ over the shipments that have a value in both, or None if none has."""
    both = [name for name in ledger if name in paper]
    if not both:
        return None
    differences = sorted(ledger[name] - paper[name] for name in both)
    mean, interval = bootstrap_mean(differences)
    only_ledger, only_paper = len(ledger) - len(both), len(paper) - len(both)
    return Difference(quantile(differences, 0.5), mean, interval, len(both), only_ledger, only_paper)


def bootstrap_mean(values: Sequence[float]) -> tuple[float, Interval | None]:
    """Return the mean of values, and its percentile bootstrap interval if there are two values or more."""
    drawn: Floats = np.asarray(values, dtype=np.float64)
    mean = math.fsum(values) / len(values)
    if len(values) < 2:
        return mean, None
    chance = np.random.default_rng(BOOTSTRAP_SEED)
    at_once = max(1, DRAWS_AT_ONCE // len(drawn))
    parts: list[Floats] = []
    for done in range(0, RESAMPLES, at_once):
        places = chance.integers(0, len(drawn), (min(at_once, RESAMPLES - done), len(drawn)))
        parts.append(drawn[places].mean(axis=1))
    means = np.concatenate(parts)
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return mean, (float(low), float(high))
