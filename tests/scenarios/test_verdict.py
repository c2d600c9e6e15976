"""How a run is judged."""

from __future__ import annotations

import pytest

from scenarios.judging.checks.agreement import Agreement
from scenarios.judging.checks.check import Violation
from scenarios.judging.checks.liveness import Convergence
from scenarios.judging.verdict import JudgedExpectation, Judgment, Verdict, judge
from scenarios.model.sentences import Judgement, Outcome


def judged(
    judgement: Judgement = Judgement.HELD,
    *,
    exercised: int = 1,
    violated: bool = False,
    open_points: tuple[str, ...] = (),
    violations: tuple[str, ...] = (),
    must_exercise: tuple[str, ...] = ("agreement",),
) -> Judgment:
    check = Agreement(exercised=exercised)
    if violated:
        check.violations.append(Violation("agreement", 7, "nodes end apart"))
    return judge(
        [JudgedExpectation("claim e1 is ALLOWED", Outcome(judgement, "seen"))],
        [check],
        must_exercise=must_exercise,
        open_points=open_points,
        violations=violations,
    )


def test_all_held_and_exercised_is_passed() -> None:
    assert judged().verdict is Verdict.PASSED


def test_a_failed_expectation_a_violated_check_or_a_stuck_run_is_violated() -> None:
    assert judged(Judgement.FAILED).verdict is Verdict.VIOLATED
    assert judged(violated=True).violations == ("agreement: nodes end apart (event 7)",)
    assert judged(violated=True).verdict is Verdict.VIOLATED
    assert judged(violations=("progress: stuck",)).verdict is Verdict.VIOLATED


def test_what_was_not_shown_is_undecided() -> None:
    assert judged(Judgement.UNDECIDED).open_points == ("claim e1 is ALLOWED: seen",)
    assert judged(Judgement.UNDECIDED).verdict is Verdict.UNDECIDED
    assert judged(exercised=0).open_points == ("check agreement was never exercised",)
    assert judged(exercised=0).verdict is Verdict.UNDECIDED
    assert judged(must_exercise=("no such check",)).verdict is Verdict.UNDECIDED
    assert judged(open_points=("fault 1 never began",)).verdict is Verdict.UNDECIDED


def test_a_check_nobody_listed_need_not_be_exercised() -> None:
    assert judged(exercised=0, must_exercise=()).verdict is Verdict.PASSED


def test_what_is_violated_stays_so_whatever_is_open() -> None:
    assert judged(Judgement.FAILED, open_points=("fault 1 never began",)).verdict is Verdict.VIOLATED


@pytest.mark.parametrize(("verdict", "code"), list(zip(Verdict, (0, 1, 2, 70), strict=True)))
def test_exit_codes(verdict: Verdict, code: int) -> None:
    assert verdict.exit_code == code


def test_how_often_each_check_was_exercised_is_told() -> None:
    assert judged(exercised=3).exercised == (("agreement", 3),)
    assert judged(exercised=0).exercised == (("agreement", 0),)


def test_what_a_run_showed_while_it_went_on_comes_before_what_its_end_shows() -> None:
    agreement, convergence = Agreement(exercised=1), Convergence(exercised=1)
    agreement.violations += [
        Violation("agreement", 7, "height 5 differs"),
        Violation("agreement", None, "nodes end apart"),
    ]
    convergence.violations.append(Violation("convergence", 9, "not converged"))
    judgment = judge(
        [],
        [agreement, convergence],
        must_exercise=(),
        open_points=(),
        found_before_end={"agreement": 1, "convergence": 1},
    )
    assert judgment.violations == (
        "agreement: height 5 differs (event 7)",
        "convergence: not converged (event 9)",
        "agreement: nodes end apart",
    )
