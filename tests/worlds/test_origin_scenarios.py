"""The library's scenarios of origin pass, and with a rule broken each says which sentence no longer holds."""

from __future__ import annotations

import datetime
from collections.abc import Callable

import pytest

from ledger.contracts import claim_findings
from ledger.contracts.records import Blanket
from scenarios.agents import examination
from scenarios.agents.evidence import Archive
from scenarios.judging.verdict import Verdict
from scenarios.model.expectations import Judgement
from scenarios.trial.runner import RunResult

RunVirtual = Callable[..., RunResult]
Break = Callable[[pytest.MonkeyPatch], None]

pytestmark = pytest.mark.slow

DAY = datetime.timedelta(days=1)


def failed(result: RunResult) -> set[str]:
    return {
        each.sentence for each in result.judgment.expectations if each.outcome.judgement is Judgement.FAILED
    }


def no_series(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Archive, "_is_series", lambda _self, _claim, _line: False)


def a_day_more_than_a_year(monkeypatch: pytest.MonkeyPatch) -> None:
    due_on = claim_findings.post_claim_due_on
    monkeypatch.setattr(claim_findings, "post_claim_due_on", lambda day: due_on(day) + DAY)


def any_date_is_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examination, "_has_slip", lambda _evidence, _answer: True)


def a_day_more_than_the_blanket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Blanket, "covers", lambda self, day: self.first <= day <= self.last + DAY)


def a_day_more_to_correct(monkeypatch: pytest.MonkeyPatch) -> None:
    due_on = claim_findings.correction_due_on
    monkeypatch.setattr(claim_findings, "correction_due_on", lambda day: due_on(day) + DAY)


def each_claim_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Archive, "_earlier", lambda _self, _claim: iter(()))


BROKEN: tuple[tuple[str, Break, set[str]], ...] = (
    (
        "cafta-importer-knowledge",
        no_series,
        {"claim b3 is denied for NO_ANSWER", "claim g3 is denied for NO_ANSWER"},
    ),
    (
        "post-importation",
        a_day_more_than_a_year,
        {f"claim {name} is denied for LATE_POST_CLAIM" for name in ("a2", "f2", "g2")},
    ),
    ("back-dated", any_date_is_believed, {"claim x1 is never ALLOWED", "claim x2 is never ALLOWED"}),
    ("revoked-certificate", a_day_more_to_correct, {"claim r1 has finding CORRECTION_LATE"}),
    ("over-claim", each_claim_alone, {"claim o3 is denied for OVER_INVOICE", "claim o3 is never ALLOWED"}),
    ("blanket-misuse", a_day_more_than_the_blanket, {"claim d2 is denied for OUTSIDE_BLANKET"}),
)


@pytest.mark.parametrize("name", [name for name, _, _ in BROKEN])
def test_the_scenario_passes(run_virtual_scenario: RunVirtual, name: str) -> None:
    result = run_virtual_scenario(name, "3")
    assert failed(result) == set()
    assert result.judgment.verdict is Verdict.PASSED


@pytest.mark.parametrize(
    ("name", "broken", "sentences"), BROKEN, ids=lambda part: getattr(part, "__name__", None)
)
def test_with_the_rule_broken_it_does_not(
    run_virtual_scenario: RunVirtual,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    broken: Break,
    sentences: set[str],
) -> None:
    broken(monkeypatch)
    result = run_virtual_scenario(name, "3")
    assert sentences <= failed(result)
    assert result.judgment.verdict is Verdict.VIOLATED
