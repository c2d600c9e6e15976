"""What to try next: the order in which a failing scenario is made smaller.

Rules:
- No run is made here: a candidate is yielded, and whether it fails in the same way is sent back.
- Expectations and checks go first, since hardly a run depends on them and they hold on to what else could go; then
  faults, steps, claims and documents, and what agents and the network are told to do otherwise than by
  default; then every fault that is left is made milder: by halves, by a node or field.
  At last a calendar with a pace is made shorter by halves, as long as it is not its being short that makes the
  run fail: without any fault, a run under the shorter one must not fail in the same way.
- All of it is gone through again until nothing changes. Then no single expectation, check, fault, step, claim,
  document or setting of an agent can be taken away, no node out of a fault or a partition's groups, and none of its
  times or amounts halved, without another outcome.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeAlias

from scenarios.shrinking.candidate import (
    Candidate,
    Control,
    Part,
    milder,
    removable,
    trimmed,
    with_milder,
    with_only,
    with_shorter_calendar,
)
from scenarios.shrinking.ddmin import ddmin

Trying: TypeAlias = Generator[Candidate, bool, Candidate]


def tries(candidate: Candidate) -> Trying:
    """Yield candidates and be sent whether each fails in the same way; return the smallest.

    Args:
        candidate: known to fail.
    """
    bare = trimmed(candidate)
    if (yield bare):
        candidate = bare
    while True:
        before = candidate
        for part in Part:
            candidate = yield from _fewer(candidate, part)
        candidate = yield from _milder(candidate)
        candidate = yield from _shorter(candidate)
        if candidate == before:
            return candidate


def _fewer(candidate: Candidate, part: Part) -> Trying:
    best = candidate
    asking = ddmin(removable(candidate, part))
    fails: bool | None = None
    while True:
        try:
            kept = next(asking) if fails is None else asking.send(fails)
        except StopIteration:
            return best
        smaller = with_only(candidate, part, kept)
        fails = False
        if smaller is not None and (yield smaller):
            fails, best = True, smaller


def _milder(candidate: Candidate) -> Trying:
    for at, way in list(milder(candidate)):
        while (less := with_milder(candidate, at, way)) is not None and (yield less):
            candidate = less
    return candidate


def _shorter(candidate: Candidate) -> Trying:
    has_faults = candidate.count(Part.FAULTS) > 0
    while (less := with_shorter_calendar(candidate)) is not None:
        if (has_faults and (yield Control.of(less))) or not (yield less):
            return candidate
        candidate = less
    return candidate
