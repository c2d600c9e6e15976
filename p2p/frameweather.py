"""What is done on purpose to the frames that leave a node: dropped, duplicated, delivered late, corrupted.

Rules:
- TCP does none of this to a peer that behaves; a program at fault, or a peer that does not, may do all of it.
- Each rule strikes a share of the frames, drawn from a stream of chance of its own; without rules nothing is drawn.
- A rule may strike several frames in a row, to whomever they go: a burst.
- A corrupted frame has one byte changed; what the receiver makes of it is the receiver's business.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

LATE_S_MAX = 1.0


class Mishap(StrEnum):
    """What may happen to a frame."""

    DROP = "drop"
    BURST_DROP = "burst_drop"
    DUPLICATE = "duplicate"
    REORDER = "reorder"
    CORRUPT = "corrupt"


@dataclass(frozen=True, slots=True)
class Rule:
    """A mishap and the frames it strikes.

    Attributes:
        mishap: what happens to them.
        share: how many, 0 to 1, begin a run.
        run: how many frames in a row are struck.
    """

    mishap: Mishap
    share: float
    run: int = 1


class FrameWeather:
    """The rules in force for the frames of one node.

    Args:
        chance: draws which frames are struck, and how.
    """

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._rules: dict[int, Rule] = {}
        self._left: dict[int, int] = {}
        self._count = 0
        self.struck = dict.fromkeys(Mishap, 0)

    @property
    def is_calm(self) -> bool:
        """Whether no rule is in force."""
        return not self._rules

    def add(self, rule: Rule) -> Callable[[], None]:
        """Put a rule in force; return what ends it."""
        self._count += 1
        number = self._count
        self._rules[number] = rule
        return lambda: self._end(number)

    def replace(self, rules: list[Rule]) -> None:
        """Put these rules in force in place of all others."""
        self._rules = dict(enumerate(rules))
        self._left.clear()

    def shape(self, data: bytes) -> list[tuple[float, bytes]]:
        """Return what becomes of a frame: (seconds by which it is late, its bytes), nothing if it is lost."""
        outcome = [(0.0, data)]
        for number, rule in self._rules.items():
            left = self._left.get(number, 0)
            if not left and self._chance.random() < rule.share:
                left = rule.run
            if left:
                self._left[number] = left - 1
                self.struck[rule.mishap] += 1
                outcome = _STRIKES[rule.mishap](self._chance, outcome)
        return outcome

    def _end(self, number: int) -> None:
        self._rules.pop(number, None)
        self._left.pop(number, None)


_Outcome = list[tuple[float, bytes]]


def _late(chance: random.Random) -> float:
    return chance.uniform(0.0, LATE_S_MAX)


def _corrupt(chance: random.Random, data: bytes) -> bytes:
    if not data:
        return data
    changed = bytearray(data)
    changed[chance.randrange(len(data))] ^= chance.randint(1, 255)
    return bytes(changed)


_STRIKES: Mapping[Mishap, Callable[[random.Random, _Outcome], _Outcome]] = {
    Mishap.DROP: lambda _chance, _outcome: [],
    Mishap.BURST_DROP: lambda _chance, _outcome: [],
    Mishap.DUPLICATE: lambda chance, outcome: [
        *outcome,
        *((late + _late(chance), data) for late, data in outcome),
    ],
    Mishap.REORDER: lambda chance, outcome: [(late + _late(chance), data) for late, data in outcome],
    Mishap.CORRUPT: lambda chance, outcome: [(late, _corrupt(chance, data)) for late, data in outcome],
}
