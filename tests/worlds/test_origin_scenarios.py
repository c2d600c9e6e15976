"""The library's scenarios of origin, each with one rule broken: its sentences fail, and no other does."""

from __future__ import annotations

import datetime
from collections.abc import Callable

import pytest

from ledger.contracts import Finding, claim, claim_findings
from ledger.contracts.records import Blanket
from ledger.contracts.verification import inquiry
from scenarios.agents import examination, verifier
from scenarios.agents.evidence import Archive
from scenarios.judging.verdict import Verdict
from scenarios.model.sentences import Judgement
from scenarios.trial.runner import RunResult

RunVirtual = Callable[..., RunResult]
Break = Callable[[pytest.MonkeyPatch], None]

pytestmark = pytest.mark.slow

DAY = datetime.timedelta(days=1)


def failed(result: RunResult) -> set[str]:
    """Return what failed sentences are about, such as `claim e1`."""
    return {
        " ".join(each.sentence.split()[:2])
        for each in result.judgment.expectations
        if each.outcome.judgement is Judgement.FAILED
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


def any_books_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verifier, "supports", lambda _books, _goods, _regime: True)
    monkeypatch.setattr(verifier, "is_pattern", lambda _results: False)


def any_broker_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claim, "acts_for", lambda _context, _state, _importer: True)


def importers_are_verified_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inquiry, "_verifies_importer", lambda _regime: True)


def notices_are_overlooked(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = tuple(row for row in claim_findings._FINDINGS if row[0] is not Finding.NOTICE_GIVEN)
    monkeypatch.setattr(claim_findings, "_FINDINGS", kept)


BROKEN: tuple[tuple[str, Break, set[str]], ...] = (
    ("cafta-importer-knowledge", no_series, {"claim b3", "claim p3", "claim g3"}),
    ("post-importation", a_day_more_than_a_year, {"claim a2", "claim f2", "claim g2"}),
    ("back-dated", any_date_is_believed, {"claim x1", "claim x2"}),
    ("verification", any_books_will_do, {"claim r2", "claim s3", "verification v4"}),
    ("usmca-verification", any_books_will_do, {"claim q1", "verification v2"}),
    ("usmca-verification", importers_are_verified_everywhere, {"step 3"}),
    ("revoked-certificate", a_day_more_to_correct, {"claim r1"}),
    ("forged-signature", notices_are_overlooked, {"claim f1"}),
    ("over-claim", each_claim_alone, {"claim o3", "claim t2"}),
    (
        "broker-entry",
        any_broker_may,
        {"claim b2", "claim r2", "step 7", "step 14", "step 16", "transaction of"},
    ),
    ("blanket-misuse", a_day_more_than_the_blanket, {"claim d2"}),
)
"""Scenario, the rule that is broken in it, and what the sentences that then fail are about."""


@pytest.mark.parametrize(
    ("name", "broken", "subjects"), BROKEN, ids=lambda part: getattr(part, "__name__", None)
)
def test_with_one_rule_broken_its_sentences_fail_and_all_others_hold(
    run_virtual_scenario: RunVirtual,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    broken: Break,
    subjects: set[str],
) -> None:
    broken(monkeypatch)
    result = run_virtual_scenario(name, "3")
    assert failed(result) == subjects
    assert result.judgment.verdict is Verdict.VIOLATED
