"""Each scenario of the library with rules of the law broken: the sentences that rest on them fail, and no others do.

Rules:
- What a rule stands for is broken alone, or with others that other sentences rest on, so that each is told apart.
- The lawful controls of a scenario are the sentences that go on holding; that all of them hold while every rule is in
  force is what the scenario's page says, and the test of the page.
- Every scenario that the project ships under a number has a case.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from scenarios.judging.verdict import Verdict
from scenarios.model.catalog import load_scenario
from scenarios.model.scenario import Scenario
from scenarios.model.sentences import Judgement
from scenarios.running.options import RunOptions
from scenarios.running.runner import run_scenario
from tests.worlds.brokencases import CASES, Case
from tests.worlds.brokentuna import TUNA

pytestmark = pytest.mark.slow

SEED = "3"
SHIPPED = {
    1: "nafta-certificate",
    2: "cafta-importer-knowledge",
    3: "post-importation",
    4: "back-dated",
    5: "blanket-misuse",
    6: "revoked-certificate",
    7: "forged-signature",
    8: "over-claim",
    9: "carnet-journey",
    10: "carnet-fraud",
    11: "tuna-matrix",
    12: "verification",
}
"""The library's scenarios by the number under which the pilot counts them."""


_ABOUT = ("claim", "form370", "verification", "carnet")


def cut(scenario: Scenario, case: Case) -> Scenario:
    """Return the part of a scenario that a case plays, with the sentences about it."""
    steps, expect = scenario.steps, scenario.expect
    if case.steps is not None:
        steps = steps[: case.steps]
        played = {f"step {number}" for number in range(1, case.steps + 1)}
        expect = tuple(each for each in expect if " ".join(str(each).split()[:2]) in played)
    forms = scenario.forms
    if case.only:
        only = set(case.only)
        forms = {name: form for name, form in forms.items() if name in only}
        steps = tuple(
            step
            for step in steps
            if all(getattr(step, name, case.only[0]) in only for name in _ABOUT)
            and (step.when is None or only & set(str(step.when).split()))
        )
        expect = tuple(
            each for each in expect if only & set(str(each).split()) or str(each).startswith("metric code")
        )
    return scenario.model_copy(update={"forms": forms, "steps": steps, "expect": expect})


@pytest.mark.parametrize("case", [*CASES, *TUNA], ids=str)
def test_with_a_rule_broken_its_sentences_fail_and_all_others_hold(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = load_scenario(case.scenario)
    for rule in case.broken:
        rule(monkeypatch)
    result = run_scenario(cut(whole, case), RunOptions("virtual", SEED, tmp_path))
    failed = [
        str(each.sentence)
        for each in result.judgment.expectations
        if each.outcome.judgement is Judgement.FAILED
    ]
    assert sorted(failed) == sorted(case.sentences())
    assert result.judgment.verdict is Verdict.VIOLATED


def test_every_shipped_scenario_has_a_case_and_every_case_blames_a_sentence_of_its_scenario() -> None:
    every = (*CASES, *TUNA)
    assert list(SHIPPED) == list(range(1, 13))
    assert set(SHIPPED.values()) <= {case.scenario for case in every}
    for case in every:
        told = {str(each) for each in load_scenario(case.scenario).expect}
        assert set(case.sentences()) <= told, case
        assert all(case.broken.values()), case
