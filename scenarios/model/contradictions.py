"""Expectations that exclude each other, whatever a trial brings.

Rules:
- Such expectations are refused before the run: a trial that must fail proves nothing.
- Only what is certain counts: a claim is decided once, ALLOWED or DENIED, and nothing but a protest follows
  LIQUIDATED.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TypeAlias

from scenarios.model.sentences import (
    Ends,
    Expectation,
    HasFinding,
    HasNoFinding,
    MetricBound,
    Never,
    Reaches,
    TransactionIs,
)
from scenarios.model.subjects import ClaimState


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Two expectations, by their position from 0, that cannot both hold, and why."""

    first: int
    second: int
    why: str


def contradictions(expectations: Sequence[Expectation]) -> tuple[Contradiction, ...]:
    """Return every pair of expectations that cannot both hold in any trial."""
    found = []
    for (first, one), (second, other) in combinations(enumerate(expectations), 2):
        why = _clash(one, other) or _clash(other, one)
        if why:
            found.append(Contradiction(first, second, why))
    return tuple(found)


def _clash(one: Expectation, other: Expectation) -> str:
    """Return why `one` excludes `other`, looking from one side only; empty if it does not."""
    match one, other:
        case Reaches() | Ends() | Never(), Reaches() | Ends() | Never():
            return _state_clash(one, other) if one.subject == other.subject else ""
        case HasFinding(), HasNoFinding() if one.subject == other.subject:
            return "one finding cannot be there and not there" if other.finding in (None, one.finding) else ""
        case TransactionIs(), TransactionIs() if one.step == other.step and one.code != other.code:
            return "a step comes to one code"
        case MetricBound(), MetricBound() if one.metric == other.metric:
            return "no value satisfies both" if _excludes(one, other) else ""
        case _:
            return ""


_OutcomeOfClaim: TypeAlias = Reaches | Ends | Never


def _state_clash(one: _OutcomeOfClaim, other: _OutcomeOfClaim) -> str:
    """A claim is decided once, ALLOWED or DENIED, and nothing but a protest follows LIQUIDATED."""
    if isinstance(one, Never):
        if isinstance(other, Never) or one.state != other.state:
            return ""
        return f"it is {one.state}, and never is"
    if isinstance(other, Never):
        return ""
    if isinstance(one, Ends) and isinstance(other, Ends) and one.state != other.state:
        return f"a {one.kind.word} ends in one state"
    if one.kind.word != "claim":
        return ""
    if {one.state, other.state} == {ClaimState.ALLOWED, ClaimState.DENIED}:
        return "a claim is ALLOWED or DENIED, not both"
    after = (ClaimState.PROTESTED, ClaimState.PROTEST_GRANTED, ClaimState.PROTEST_DENIED)
    if isinstance(one, Ends) and ClaimState.LIQUIDATED == other.state != one.state and one.state not in after:
        return "a LIQUIDATED claim ends LIQUIDATED"
    return ""


def _excludes(one: MetricBound, other: MetricBound) -> bool:
    """Say whether `one` is an upper and `other` a lower bound with nothing between."""
    if one.comparison not in ("<", "<=") or other.comparison not in (">", ">="):
        return False
    strict = one.comparison == "<" or other.comparison == ">"
    return one.bound < other.bound or (strict and one.bound == other.bound)
