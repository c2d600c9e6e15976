"""In which way a run failed: its verdict and the first thing that did not hold, by name.

Rules:
- Two runs fail in the same way if they have the same verdict and the same first violated check, or else the same first
  failed expectation, for the same reason: a claim that was not allowed in time is another failure than one that never
  came. What was seen besides (ids, heights, times, present states) is no part of it.
- Of an undecided run it is the first point left open: an expectation's sentence, a check that was not exercised, a step
  that never began or could not be taken, or a fault that never began, without its number.
- Of a broken run it is the failure's type and the function that it came from.
- A run that passed, or came to no verdict, failed in no way.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scenarios.judging.verdict import Verdict
from scenarios.model.sentences import Judgement

_NEVER_BEGAN = re.compile(r"(step|fault) [0-9]+ (\(.*?\) (?:never began|could not be taken))")


@dataclass(frozen=True, slots=True)
class Failure:
    """A way to fail.

    Attributes:
        verdict: `violated`, `undecided` or `broken`.
        name: a check's name, an expectation's sentence, what was left open, or where the program failed.
        reason: why an expectation failed, without numbers.
    """

    verdict: str
    name: str
    reason: str = ""

    def __str__(self) -> str:
        return f"{self.verdict}: {self.name}"


def failure_of(
    verdict: str,
    violations: Sequence[str],
    expectations: Mapping[str, str],
    open_points: Sequence[str],
    seen: Mapping[str, str],
) -> Failure | None:
    """Return in which way a run failed, or None.

    Args:
        verdict: what it came to.
        violations: each with its check's name before the first colon.
        expectations: each sentence with its judgement, in the scenario's order.
        open_points: in words.
        seen: of every sentence that did not hold, what was seen instead.
    """
    if verdict == Verdict.VIOLATED:
        failed = [sentence for sentence, judged in expectations.items() if judged == Judgement.FAILED]
        name = [*(text.partition(":")[0] for text in violations), *failed][0]
        return Failure(verdict, name, _reason(seen.get(name, "")))
    if verdict == Verdict.BROKEN:
        return Failure(verdict, violations[0].split(": ")[1])
    if verdict == Verdict.UNDECIDED:
        return Failure(verdict, _open_name(open_points[0], expectations))
    return None


def _reason(seen: str) -> str:
    """Return what was seen without numbers, and without where things stand now."""
    return re.sub(r"[0-9][0-9.:-]*", "N", seen.partition(";")[0])


def _open_name(point: str, expectations: Mapping[str, str]) -> str:
    for sentence, judged in expectations.items():
        if judged == Judgement.UNDECIDED and point.startswith(f"{sentence}: "):
            return sentence
    never = _NEVER_BEGAN.match(point)
    return f"{never[1]} {never[2]}" if never is not None else point
