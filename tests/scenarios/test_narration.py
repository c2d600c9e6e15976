"""What a run says on the terminal."""

from __future__ import annotations

import io
from zoneinfo import ZoneInfo

import pytest
from rich.console import Console

from p2p.observer import RecordField
from scenarios.judging.verdict import JudgedExpectation, Judgment, Verdict
from scenarios.model.catalog import load_scenario
from scenarios.model.expectations import Judgement, Outcome
from scenarios.telling.moments import local
from scenarios.telling.narration import Narrator, print_summary
from scenarios.trial.eventbook import Event
from scenarios.trial.history import History

NEW_YORK = ZoneInfo("America/New_York")
MOMENT_MS = 1_537_363_800_000


def told(name: str, **fields: RecordField) -> str:
    out = io.StringIO()
    Narrator(Console(file=out, width=200), NEW_YORK)(Event(0, MOMENT_MS, 0, name, fields, public=False))
    return out.getvalue()


def test_a_line_says_when_who_and_what() -> None:
    line = told("certificate.delivered", organization="exporter", certificate="c1", holder="importer")
    assert line.split(None, 3) == ["2018-09-19", "09:30", "exporter", "delivers certificate c1 to importer\n"]


@pytest.mark.parametrize("moment_ms", [MOMENT_MS, MOMENT_MS + 59_000])
def test_dates_are_local_to_the_minute(moment_ms: int) -> None:
    assert local(moment_ms, NEW_YORK) == "2018-09-19 09:30"
    assert local(moment_ms, ZoneInfo("UTC")) == "2018-09-19 13:30"


def test_faults_are_the_weathers() -> None:
    line = told("fault.began", fault=1, kind="partition", hit=["cbp", "noaa"], target="minority")
    assert line.endswith(" the weather partition of cbp, noaa\n")


@pytest.mark.parametrize("state", ["CLAIMED", "LIQUIDATED", "UNDER_REVIEW"])
def test_states_that_acts_tell_already_are_silent(state: str) -> None:
    assert told("claim.state", organization="cbp", claim="e1", state=state) == ""
    assert "claim e1 is ALLOWED" in told("claim.state", organization="cbp", claim="e1", state="ALLOWED")


def test_protocol_details_are_silent() -> None:
    assert told("block.executed", node="cbp", height=3) == ""
    assert told("trace", second=1, frames=3, digest="aa") == ""


def test_the_summary_says_what_failed_and_the_verdict() -> None:
    out = io.StringIO()
    metrics: dict[str, RecordField | float] = {
        "transactions_submitted": 17,
        "blocks": 9,
        "messages": 1235,
        "bytes": 6,
    }
    metrics |= {"certified_50_count": 17, "certified_90_count": 0, "certified_100_count": 0}
    metrics |= {"certified_50_median_ms": 142.4, "certified_50_p95_ms": 157.0, "certified_50_max_ms": 157.0}
    judgment = Judgment(
        Verdict.VIOLATED,
        (
            JudgedExpectation("claim e1 is ALLOWED", Outcome(Judgement.HELD, "why it held")),
            JudgedExpectation("claim e2 is ALLOWED", Outcome(Judgement.FAILED, "claim e2 was DENIED")),
        ),
        ("agreement: nodes end apart",),
        ("fault 1 never began",),
    )
    print_summary(
        Console(file=out, width=200), load_scenario("nafta-certificate"), History(), metrics, judgment
    )
    text = out.getvalue()
    assert "held       claim e1 is ALLOWED\n" in text
    assert "why it held" not in text
    assert "failed     claim e2 is ALLOWED  (claim e2 was DENIED)" in text
    assert "violated   agreement: nodes end apart" in text
    assert "open       fault 1 never began" in text
    assert text.rstrip().endswith("verdict    violated")
    assert "not anchored" in text
    assert "not on the ledger" in text
    assert "142 ms" in text
    assert "17 transactions in 9 blocks; 1,235 messages, 6 bytes between nodes" in " ".join(text.split())
