"""Whether the faults in force leave a majority of orderers up and together.

Rules:
- A cut parts whom it hits from the rest, or the groups that it names; other faults that block take their hits away.
- A bridge stands with the larger half; who is on a ring, clogged or on links that flap counts as away.
- What only delays or harms takes nobody away.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

CUTS = ("partition", "one_way", "bridge")
"""Kinds that part nodes and stop none."""


@dataclass(frozen=True, slots=True)
class Blow:
    """A blocking fault in force: its kind, whom it hit, and the groups that it parts, if it names them."""

    kind: str
    hit: Sequence[str]
    groups: Sequence[Sequence[str]] = ()


def is_majority_left(orderers: Sequence[str], quorum: int, blows: Sequence[Blow]) -> bool:
    """Say whether at least `quorum` of the orderers are up and on one side of every cut."""
    away = {name for blow in blows if blow.kind not in CUTS for name in blow.hit}
    cuts = [blow for blow in blows if blow.kind in CUTS]
    sides = Counter(tuple(_side(cut, name) for cut in cuts) for name in orderers if name not in away)
    return max(sides.values(), default=0) >= quorum


def _side(cut: Blow, name: str) -> int:
    for number, group in enumerate(cut.groups or (cut.hit,)):
        if name in group:
            return number
    return -1
