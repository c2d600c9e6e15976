"""Which directions between nodes a link fault hits: pairs of organizations, from whom to whom."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import combinations, permutations

from p2p.linkweather import Direction


def links_of(members: Sequence[str], hit: Collection[str], way: str = "both") -> list[Direction]:
    """Return the directions of every link that has one of `hit` at an end.

    Args:
        members: all organizations, in genesis' order.
        hit: some of them.
        way: `both`, `outgoing` (what they send) or `incoming` (what is sent to them).
    """
    ends = {"both": (0, 1), "outgoing": (0,), "incoming": (1,)}[way]
    return [pair for pair in permutations(members, 2) if any(pair[end] in hit for end in ends)]


def between(groups: Sequence[Sequence[str]]) -> list[Direction]:
    """Return both directions between any two of different groups."""
    pairs = [(a, b) for one, other in combinations(groups, 2) for a in one for b in other]
    return [*pairs, *((b, a) for a, b in pairs)]


def border(members: Sequence[str], hit: Collection[str]) -> list[Direction]:
    """Return both directions between `hit` and the rest; between any two if there is no rest."""
    rest = [member for member in members if member not in hit]
    return between([list(hit), rest]) if rest else list(permutations(members, 2))


def halves(members: Sequence[str], orderers: Collection[str], bridge: Collection[str]) -> list[list[str]]:
    """Return two halves of all but the bridge: every other one, orderers first."""
    rest = [member for member in members if member not in bridge]
    ordered = [m for m in rest if m in orderers] + [m for m in rest if m not in orderers]
    return [ordered[::2], ordered[1::2]]


def ring(hit: Sequence[str]) -> list[Direction]:
    """Return every direction between two of `hit` that are not neighbors on a ring in this order."""
    count = len(hit)
    return [
        (hit[one], hit[other])
        for one, other in permutations(range(count), 2)
        if (one - other) % count not in (1, count - 1)
    ]
