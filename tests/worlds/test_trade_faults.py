"""Faults of trade over whole runs: offices close, fall silent, lose their post and write what was not agreed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scenarios.campaign.execute import FaultWatch
from scenarios.judging.verdict import Verdict
from scenarios.model.units import DAY_MS
from scenarios.running.options import RunResult

pytestmark = pytest.mark.slow

Play = Callable[..., RunResult]
HEAD = """\
scenario: offices
extends: nafta-certificate
title: An office does not do as it should
calendar: {{ end: "2018-12-31T00:00:00Z" }}
steps:
  - {{ at: "2018-09-04T10:00:00", by: exporter, do: issue-certificate, document: c1 }}
  - {{ at: "2018-09-19T09:30:00", by: importer, do: file-claim, claim: e1 }}
  - {{ at: "2018-10-02T09:30:00", by: exporter, do: notify-incorrect, document: c1, reason: a slip }}
faults:
  - {{ {fault} }}
expect:
  - certificate c1 is ACTIVE
"""


@pytest.fixture
def play(run_virtual_scenario: Play, tmp_path: Path) -> Play:
    def run(fault: str) -> RunResult:
        path = tmp_path / "offices.yaml"
        path.write_text(HEAD.format(fault=fault), encoding="utf-8")
        return run_virtual_scenario(path)

    return run


def window(result: RunResult) -> tuple[int, int]:
    (began,), (ended,) = result.book.named("fault.began"), result.book.named("fault.ended")
    return began.calendar_ms, ended.calendar_ms


def has_met(result: RunResult) -> bool:
    watch = FaultWatch(list(result.trial.scenario.organizations))
    for event in result.book.events:
        watch(event)
    (fault,) = watch.faults
    return fault["met"] is True


def test_an_office_that_is_away_does_nothing_while_its_node_runs_and_does_it_all_afterwards(
    play: Play,
) -> None:
    away = 'at: { calendar: "2018-09-18T08:00:00" }, for: { calendar: 16d }, kind: outage, target: organization cbp'
    result = play(away)
    begins_ms, ends_ms = window(result)
    assert result.judgment.verdict is Verdict.PASSED
    of_cbp = [e for e in result.book.named("block.executed") if e.text("node") == "cbp"]
    executed = [e for e in of_cbp if begins_ms < e.calendar_ms < ends_ms]
    assert executed, "the node of an office that is away goes on"
    meanwhile = [e for e in result.book.events if begins_ms < e.calendar_ms < ends_ms]
    assert not [
        e.name for e in meanwhile if e.fields.get("organization") == "cbp" and e.name != "office.waits"
    ]
    assert not [e for e in meanwhile if e.name == "receipt" and e.text("creator") == "cbp"]
    first = next(e for e in result.book.named("receipt") if e.text("creator") == "cbp")
    assert ends_ms <= first.integer("time_ms") <= ends_ms + DAY_MS
    assert has_met(result)


@pytest.mark.parametrize(("kind", "heard_at_once"), [("silence", True), ("outage", False)])
def test_a_silent_office_hears_and_one_that_is_away_does_not(
    play: Play, kind: str, heard_at_once: bool
) -> None:
    """When somebody heard counts: an importer corrects within thirty days of it (19 CFR 181.21(b))."""
    week = 'at: { calendar: "2018-10-01T08:00:00" }, for: { calendar: 7d }'
    result = play(f"{week}, kind: {kind}, target: organization importer")
    begins_ms, ends_ms = window(result)
    (heard,) = result.book.named("notice.received")
    assert begins_ms < heard.calendar_ms
    assert (heard.calendar_ms < ends_ms) is heard_at_once
    spoke = [e for e in result.book.named("receipt") if e.text("creator") == "importer"]
    assert not [e for e in spoke if begins_ms < e.calendar_ms < ends_ms]


def test_a_late_document_is_held_although_its_root_is_on_the_ledger(play: Play) -> None:
    fault = 'at: { calendar: "2018-09-04T08:00:00" }, for: { calendar: 9d }, kind: late_document'
    result = play(f"{fault}, target: organization exporter, params: {{ to: importer }}")
    _, ends_ms = window(result)
    (issued,) = result.book.named("certificate.issued")
    (held,) = result.book.named("certificate.acknowledged")
    assert issued.calendar_ms < ends_ms <= held.integer("time_ms") < ends_ms + DAY_MS
    assert [e.text("to") for e in result.book.named("envelope.released")] == ["importer"]
    assert has_met(result)


def test_a_lost_document_never_comes_and_the_claim_on_it_has_no_possession(play: Play) -> None:
    fault = 'at: { calendar: "2018-09-04T08:00:00" }, for: { calendar: 1d }, kind: lost_document'
    result = play(f"{fault}, target: organization exporter, params: {{ to: importer }}")
    assert result.book.named("certificate.delivered"), "its root is on the ledger"
    assert not result.book.named("certificate.acknowledged")
    assert [e.text("to") for e in result.book.named("envelope.lost")] == ["importer"]
    assert "NO_POSSESSION" in result.trial.history.findings("claim", "e1")
    assert has_met(result)


@pytest.mark.parametrize(
    ("lost_on", "judgement", "verdict"),
    [
        ("2018-09-04", "excused", Verdict.PASSED),  # the certificate itself
        ("2018-09-06", "failed", Verdict.VIOLATED),  # nothing is sent on that day: it struck nothing
    ],
)
def test_a_lost_document_excuses_an_expectation_and_a_check_only_if_one_was_lost(
    run_virtual_scenario: Play, tmp_path: Path, lost_on: str, judgement: str, verdict: Verdict
) -> None:
    path = tmp_path / "offices.yaml"
    fault = f'at: {{ calendar: "{lost_on}T08:00:00" }}, for: {{ calendar: 1d }}, kind: lost_document'
    expected = "metric blocks <= 1 unless lost_document"
    checks = "checks: [carnet-balances]\nchecks_unless: { carnet-balances: [lost_document] }\n"
    text = HEAD.format(fault=f"{fault}, target: organization exporter")
    path.write_text(f"{text}  - {expected}\n{checks}", encoding="utf-8")
    result = run_virtual_scenario(path)
    judged = {one.sentence: one.outcome.judgement.value for one in result.judgment.expectations}
    assert judged[expected] == judgement
    assert result.judgment.verdict is verdict
    never = "check carnet-balances was never exercised"
    assert (never in result.judgment.open_points) is (verdict is Verdict.VIOLATED)


def test_data_that_was_not_agreed_is_uploaded_and_the_observer_knows(play: Play) -> None:
    fault = 'at: { calendar: "2018-09-04T08:00:00" }, for: { calendar: 1d }, kind: wrong_data'
    result = play(f"{fault}, target: organization exporter, params: {{ fields: [certificate/hs6] }}")
    (done,) = result.book.named("noncompliance.done")
    assert done.fields["kind"] == "wrong-data"
    assert done.fields["fields"] == ["certificate/hs6"]
    decided = [e.fields["defects"] for e in result.book.named("claim.decided")]
    assert decided[-1], "Customs, who sees certificate and entry line, finds that they do not agree"
    assert has_met(result)


def test_a_fault_that_holds_nobody_up_has_met_nothing(play: Play) -> None:
    away = 'at: { calendar: "2018-11-18T08:00:00" }, for: { calendar: 6d }, kind: outage, target: organization noaa'
    assert not has_met(play(away))


@pytest.mark.parametrize(
    ("whom", "from_", "what_is_due"),
    [
        ("importer", "2018-09-19T08:00:00", "a step"),
        ("cbp", "2018-09-19T20:00:00", "a review that was to begin on a day of the outage"),
    ],
)
def test_what_falls_due_while_an_office_is_away_is_not_even_begun(
    play: Play, whom: str, from_: str, what_is_due: str
) -> None:
    away = (
        f'at: {{ calendar: "{from_}" }}, for: {{ calendar: 5d }}, kind: outage, target: organization {whom}'
    )
    waits = [e for e in play(away).book.named("office.waits") if e.text("what") != "news"]
    assert [(e.text("organization"), e.text("what")) for e in waits] == [(whom, "the office")], what_is_due


def test_a_script_closes_an_office_and_opens_it_again(pilot: Callable[..., Any]) -> None:
    async def script(p: Any) -> None:
        reopen = await p.fault("outage", target="organization importer")
        await p.do("issue-certificate", by="exporter", document="c1")
        await p.after("3d")
        assert p.holds("certificate c1 delivered")
        assert not p.holds("certificate c1 held")
        await reopen()
        await p.until("certificate c1 held")

    assert pilot("nafta-certificate", script, keep_steps=False).passed


def test_envelopes_of_an_office_on_paper_leave_when_the_window_is_over(play: Play) -> None:
    on_paper = 'at: { calendar: "2018-09-04T08:00:00" }, for: { calendar: 3d }, kind: paper_fallback'
    result = play(f"{on_paper}, target: organization exporter")
    _, ends_ms = window(result)
    came = [e for e in result.book.named("envelope.received") if e.text("sender") == "exporter"]
    assert len(came) >= 2
    assert all(e.calendar_ms >= ends_ms for e in came)
    assert result.book.named("certificate.issued")[0].calendar_ms >= ends_ms
    assert has_met(result)
