"""The verdict on a run, and the exit codes.

Rules:
- *violated*: a check did not hold or an expectation failed. *undecided*: nothing failed, but something that was to be
  shown was not: an expectation stayed open, a listed check was never exercised, a fault never began. Else *passed*.
  *Broken*: the program itself failed in the run, so that nothing was judged.
- Exit codes: 0 passed, 1 violated, 2 undecided; 64 a wrong call or file, 70 a failure of the program itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from scenarios.judging.checks.check import Check
from scenarios.model.sentences import Judgement, Outcome

EXIT_USAGE = 64
EXIT_INTERNAL = 70


class Verdict(StrEnum):
    """What a run came to."""

    PASSED = "passed"
    VIOLATED = "violated"
    UNDECIDED = "undecided"
    BROKEN = "broken"

    @property
    def exit_code(self) -> int:
        """The process's exit code."""
        return _EXIT_CODES[self]


_EXIT_CODES = {
    Verdict.PASSED: 0,
    Verdict.VIOLATED: 1,
    Verdict.UNDECIDED: 2,
    Verdict.BROKEN: EXIT_INTERNAL,
}


@dataclass(frozen=True, slots=True)
class JudgedExpectation:
    """An expectation's sentence and what became of it."""

    sentence: str
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Judgment:
    """Verdict with its grounds.

    Attributes:
        verdict: what the run came to.
        expectations: each expectation with its outcome.
        violations: every violated check, in words.
        open_points: what was to be shown and was not.
        exercised: every check's name and how often it was exercised.
    """

    verdict: Verdict
    expectations: tuple[JudgedExpectation, ...]
    violations: tuple[str, ...]
    open_points: tuple[str, ...]
    exercised: tuple[tuple[str, int], ...] = ()


def judge(
    expectations: Sequence[JudgedExpectation],
    checks: Sequence[Check],
    *,
    must_exercise: Sequence[str],
    open_points: Sequence[str],
    violations: Sequence[str] = (),
    found_before_end: Mapping[str, int] | None = None,
) -> Judgment:
    """Return the verdict.

    What was found while the run went on comes before what its end shows: nodes that never converged end apart and
    without what others have, which says less of the cause.

    Args:
        expectations: with their outcomes.
        checks: after their end.
        must_exercise: names of the checks the scenario lists.
        open_points: what else was to be shown and was not.
        violations: what else did not hold.
        found_before_end: how many violations each check had before its end; all of them if absent.
    """
    violated = list(violations)
    before = found_before_end or {}
    found = [(check.violations, before.get(check.name, len(check.violations))) for check in checks]
    ordered = [one for all_of, until in found for one in all_of[:until]]
    ordered += [one for all_of, until in found for one in all_of[until:]]
    violated += [
        f"{violation.check}: {violation.text}"
        + ("" if violation.event is None else f" (event {violation.event})")
        for violation in ordered
    ]
    failed = any(e.outcome.judgement is Judgement.FAILED for e in expectations)
    points = list(open_points)
    points += [
        f"{e.sentence}: {e.outcome.text}" for e in expectations if e.outcome.judgement is Judgement.UNDECIDED
    ]
    exercised = {check.name for check in checks if check.exercised}
    points += [f"check {name} was never exercised" for name in must_exercise if name not in exercised]
    verdict = Verdict.PASSED
    if violated or failed:
        verdict = Verdict.VIOLATED
    elif points:
        verdict = Verdict.UNDECIDED
    counts = tuple((check.name, check.exercised) for check in checks)
    return Judgment(verdict, tuple(expectations), tuple(violated), tuple(points), counts)
