"""How well something is guessed from what can be seen, beside how well without looking.

Rules:
- A guess is the commonest value among all *other* cases that look alike: who guesses so is told every other answer, far
  more than an outsider ever is. What it gains over the commonest value of all others is what the visible gives away at
  most.
- With fewer than two cases there is nothing to guess from, and no number.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Guess:
    """Shares of cases guessed right.

    Attributes:
        cases: how many there were.
        looking: among cases that look alike.
        blind: among all.
    """

    cases: int
    looking: float
    blind: float


def guess(cases: Sequence[tuple[Hashable, Hashable]]) -> Guess | None:
    """Return how well the second of each case is guessed from the first; None with fewer than two cases."""
    if len(cases) < 2:
        return None
    every = Counter(value for _, value in cases)
    alike: dict[Hashable, Counter[Hashable]] = {}
    for seen, value in cases:
        alike.setdefault(seen, Counter())[value] += 1
    looking = blind = 0
    for seen, value in cases:
        without = _commonest_other(every, value)
        blind += without == value
        among = _commonest_other(alike[seen], value)
        looking += (without if among is None else among) == value
    return Guess(len(cases), looking / len(cases), blind / len(cases))


def rank_correlation(pairs: Sequence[tuple[float, float]]) -> float | None:
    """Return Spearman's correlation of ranks, ties sharing their mean; None under three pairs or without spread."""
    if len(pairs) < 3:
        return None
    ones, others = (_ranks(column) for column in zip(*pairs, strict=True))
    middle = (len(pairs) + 1) / 2
    covariance = sum((one - middle) * (other - middle) for one, other in zip(ones, others, strict=True))
    spread = sum((rank - middle) ** 2 for rank in ones) * sum((rank - middle) ** 2 for rank in others)
    return None if spread == 0 else covariance / spread**0.5


def _commonest_other(counts: Counter[Hashable], own: Hashable) -> Hashable | None:
    """Return the commonest value with one case of `own` left out, the first seen of several; None if none is left."""
    best: Hashable | None = None
    most = 0
    for value, count in counts.items():
        left = count - (value == own)
        if left > most:
            best, most = value, left
    return best


def _ranks(values: Sequence[float]) -> list[float]:
    ordered = sorted(values)
    return [ordered.index(value) + (ordered.count(value) + 1) / 2 for value in values]
