"""Named draws of one shipment: the same whoever asks, in whatever order, in either arm.

Rules:
- A draw depends on the run's seed, the shipment's number and the draw's name alone. So both arms, and two versions of
  a program, meet the same luck (common random numbers), and the n-th shipment can be made without those before it.
"""

from __future__ import annotations

import hashlib
import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Chance:
    """The draws of one shipment, or of the trade as a whole.

    Attributes:
        seed: the run's.
        name: whose draws: a shipment's number, or a word.
    """

    seed: str
    name: str

    def share(self, draw: str) -> float:
        """Return a number from 0 up to, not including, 1; the same for the same draw."""
        digest = hashlib.sha256(f"{self.seed}\n{self.name}\n{draw}".encode()).digest()
        return int.from_bytes(digest[:7], "big") / (1 << 56)

    def stream(self, draw: str) -> random.Random:
        """Return a generator of further numbers, for a draw that needs several."""
        return random.Random(f"{self.seed}\n{self.name}\n{draw}")

    def happens(self, draw: str, share: float) -> bool:
        """Say whether something that happens in this share of cases happens here."""
        return self.share(draw) < share

    def pick(self, draw: str, options: Sequence[T]) -> T:
        """Return one of the options, each as likely."""
        return options[int(self.share(draw) * len(options))]

    def weighted(self, draw: str, weights: Mapping[T, float]) -> T:
        """Return one of the keys, as likely as its weight says; weights are of 0 or more and not all 0."""
        left = self.share(draw) * sum(weights.values())
        for option, weight in weights.items():
            left -= weight
            if left < 0:
                return option
        return [option for option, weight in weights.items() if weight > 0][-1]

    def whole(self, draw: str, low: int, high: int) -> int:
        """Return a whole number between two, both included."""
        return low + int(self.share(draw) * (high - low + 1))

    def lognormal(self, draw: str, median: float, spread: float) -> float:
        """Return a positive number around a median; `spread` is the standard deviation of its logarithm."""
        return median * math.exp(self.stream(draw).gauss(0.0, spread))
