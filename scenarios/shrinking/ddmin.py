"""Delta debugging: which parts of a list are enough to fail.

The algorithm is ddmin of Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input" (IEEE
Transactions on Software Engineering 28(2), 2002), written as a generator: it yields a list, is sent whether that fails,
and knows nothing of what failing means.

Rules:
- The whole list is known to fail and is not asked for; whether nothing at all fails is asked first.
- What is returned has failed, is a part of what was given in its order, and is 1-minimal: without any one of its items
  it does not fail.
- At most n * n + 3 * n + 1 questions are asked of n items; asking the same one twice is left to the caller's memory.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from itertools import pairwise
from typing import TypeAlias, TypeVar

Item = TypeVar("Item")
Asking: TypeAlias = Generator[tuple[Item, ...], bool, tuple[Item, ...]]


def ddmin(items: Sequence[Item]) -> Asking[Item]:
    """Ask for parts of a failing list until what is left is 1-minimal, and return that."""
    kept = tuple(items)
    if not kept or (yield ()):
        return ()
    parts = 2
    while len(kept) >= 2:
        pieces = _split(kept, parts)
        rests = [_without(pieces, at) for at in range(parts)] if parts > 2 else []
        for number, asked in enumerate([*pieces, *rests]):
            if (yield asked):
                kept = asked
                parts = 2 if number < parts else parts - 1
                break
        else:
            if parts == len(kept):
                break
            parts = min(2 * parts, len(kept))
    return kept


def _split(items: tuple[Item, ...], parts: int) -> list[tuple[Item, ...]]:
    bounds = [len(items) * part // parts for part in range(parts + 1)]
    return [items[low:high] for low, high in pairwise(bounds)]


def _without(pieces: list[tuple[Item, ...]], at: int) -> tuple[Item, ...]:
    return tuple(item for number, piece in enumerate(pieces) if number != at for item in piece)
