"""Work on paper over whole runs: true dates, later entry, and a reconciliation that is held against the ledger."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from scenarios.agents import Agent, paperbook, paperwork, reconciling
from scenarios.agents.reconciling import Reconciliation
from scenarios.judging.verdict import Verdict
from scenarios.measuring.comparison import Comparison, compare_run
from scenarios.measuring.compute import ALL
from scenarios.measuring.effort import standard_effort
from scenarios.model.sentences import Judgement
from scenarios.model.units import DAY_MS
from scenarios.running.options import RunResult

pytestmark = pytest.mark.slow

Play = Callable[..., RunResult]
MINUTE_MS = 60_000
QUARTER = """\
scenario: quarter
extends: pilot-quarter
title: A quarter in which everybody works on paper for two weeks, and Customs' portal is down for ten days more
workload: { shipments: 5, days: 40, mix: { origin: 1, carnet: 0, tuna: 0 } }
faults:
  - at: { calendar: "2018-09-10T08:00:00" }
    for: { calendar: 21d }
    kind: paper_fallback
    target: all
    params: { twice_percent: 40 }
  - { at: { calendar: "2018-11-01T08:00:00" }, for: { calendar: 10d }, kind: outage, target: organization cbp }
"""


def violations(result: RunResult, check: str) -> list[str]:
    assert result.judgment.verdict is Verdict.VIOLATED
    return [text for text in result.judgment.violations if text.startswith(f"{check}: ")]


def failed(result: RunResult) -> list[str]:
    return [e.sentence for e in result.judgment.expectations if e.outcome.judgement is Judgement.FAILED]


def test_acts_on_paper_bear_their_dates_and_are_entered_in_their_order_once_the_window_has_ended(
    run_virtual_scenario: Play,
) -> None:
    result = run_virtual_scenario("paper-fallback", "2")
    assert result.judgment.verdict is Verdict.PASSED, result.judgment
    ends_ms = [e.calendar_ms for e in result.book.named("fault.ended")]
    first, second, third = result.book.named("paper.written")
    acts = [(e.integer("slip"), e.text("act"), e.calendar_ms) for e in result.book.named("paper.entered")]
    assert [e.text("act") for e in (first, second, third)] == [
        "holding.acknowledge",
        "document.anchor",
        "document.anchor",
    ]
    assert second.text("job") == "file-claim"
    assert first.integer("time_ms") < ends_ms[0] - 5 * DAY_MS
    assert [act[:2] for act in acts] == [
        (1, "holding.acknowledge"),
        (2, "document.anchor"),
        (2, "claim.file"),
        (3, "document.anchor"),
        (3, "claim.file"),
    ]
    due_ms = [ends_ms[0] + 30 * MINUTE_MS, ends_ms[0] + 60 * MINUTE_MS, ends_ms[1] + 90 * MINUTE_MS]
    for slip, _, entered_ms in acts:
        assert due_ms[slip - 1] <= entered_ms < due_ms[slip - 1] + MINUTE_MS
    writes = [e for e in result.book.named("receipt") if e.text("creator") == "importer"]
    assert not [e for e in writes if e.calendar_ms < ends_ms[0]], "nothing came on the ledger meanwhile"


def test_the_slip_of_an_acknowledgement_on_paper_is_what_customs_is_shown(run_virtual_scenario: Play) -> None:
    result = run_virtual_scenario("paper-fallback")
    assert "NO_POSSESSION" in result.trial.history.findings("claim", "e2")
    assert result.trial.history.reasons("claim", "e2") == []


def test_a_slip_that_is_not_shown_is_no_possession(
    run_virtual_scenario: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paperwork.Paperwork, "acknowledged_on_paper", lambda _self, _certificate: None)
    result = run_virtual_scenario("paper-fallback")
    assert "claim e2 is ALLOWED within 10 days" in failed(result)


def test_a_second_entry_that_is_not_told_is_seen(
    run_virtual_scenario: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = reconciling.reconcile

    def once(*arguments: object) -> Reconciliation:
        found = real(*arguments)  # type: ignore[arg-type]
        return replace(found, acts=tuple(replace(act, entries=min(1, act.entries)) for act in found.acts))

    monkeypatch.setattr("scenarios.agents.paperwork.reconcile", once)
    result = run_virtual_scenario("paper-fallback")
    told = violations(result, "reconciliation")
    assert "slip 3, claim.file: 1 entries are told, the ledger has 2" in " ".join(told)
    assert "metric paper_doubled >= 2" in failed(result)


@pytest.mark.parametrize(
    ("broken", "told", "sentence"),
    [
        (
            lambda found: replace(found, acts=found.acts[1:]),
            "slip 1 is in no reconciliation",
            "metric paper_late >= 2",
        ),
        (
            lambda found: replace(found, acts=tuple(replace(act, late=(), in_time=()) for act in found.acts)),
            "the ledger found SUMMARY_LATE, which is not told",
            "metric paper_in_time >= 2",
        ),
        (
            lambda found: replace(found, mismatches=()),
            "",
            "metric paper_mismatched >= 1",
        ),
    ],
)
def test_a_broken_reconciliation_fails_the_librarys_scenario(
    run_virtual_scenario: Play,
    monkeypatch: pytest.MonkeyPatch,
    broken: Callable[[Reconciliation], Reconciliation],
    told: str,
    sentence: str,
) -> None:
    real = reconciling.reconcile
    monkeypatch.setattr("scenarios.agents.paperwork.reconcile", lambda *arguments: broken(real(*arguments)))
    result = run_virtual_scenario("paper-fallback")
    assert sentence in failed(result)
    assert told in " ".join(violations(result, "reconciliation"))


def test_what_is_on_paper_and_never_entered_is_open_and_its_check_is_not_exercised(
    run_virtual_scenario: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paperbook.Paperbook, "is_entered", property(lambda _book: False))
    result = run_virtual_scenario("paper-fallback")
    assert {"metric paper_open <= 0", "metric paper_late >= 2"} <= set(failed(result))
    assert any("reconciliation" in point for point in result.judgment.open_points)


def test_a_feed_that_lags_makes_no_act_missing(
    run_virtual_scenario: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    take = Agent._take_receipts

    async def late(agent: Agent) -> None:
        await asyncio.sleep(3)
        await take(agent)

    monkeypatch.setattr(Agent, "_take_receipts", late)
    result = run_virtual_scenario("paper-fallback")
    assert result.judgment.verdict is Verdict.PASSED, result.judgment
    assert result.metrics["paper_missing"] == 0


def test_the_pilots_metrics_see_closed_offices_and_what_is_entered_again(
    run_virtual_scenario: Play, tmp_path: Path
) -> None:
    quarter = tmp_path / "quarter.yaml"
    quarter.write_text(QUARTER, encoding="utf-8")
    folder = run_virtual_scenario(quarter, "3").folder.path
    table = standard_effort()
    as_it_is = compare_run(folder)
    without = compare_run(folder, {name: act for name, act in table.items() if not name.startswith("paper.")})

    def ledger(comparison: Comparison, metric: str, whom: str = ALL) -> float:
        row = comparison.row(metric, whom)
        assert row is not None
        assert row.ledger.value is not None
        return row.ledger.value

    assert ledger(as_it_is, "M12-open", "cbp") < ledger(as_it_is, "M12-open", "exporter") < 1
    assert ledger(as_it_is, "M5-keyed") > ledger(without, "M5-keyed")
    assert ledger(as_it_is, "M9") > ledger(without, "M9")
