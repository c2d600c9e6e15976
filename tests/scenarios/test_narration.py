"""What a run says on the terminal."""

from __future__ import annotations

import io
from zoneinfo import ZoneInfo

import pytest
from rich.console import Console
from rich.text import Text

from p2p.observer import RecordField
from scenarios.judging.verdict import JudgedExpectation, Judgment, Verdict
from scenarios.model.catalog import load_scenario
from scenarios.model.sentences import Judgement, Outcome
from scenarios.record.eventbook import Event, EventBook
from scenarios.telling.moments import local
from scenarios.telling.narration import Narrator, print_summary, print_wrapped
from scenarios.trial.history import History

NEW_YORK = ZoneInfo("America/New_York")
MOMENT_MS = 1_537_363_800_000


def told(name: str, **fields: RecordField) -> str:
    out = io.StringIO()
    narrator = Narrator(Console(file=out, width=200), NEW_YORK)
    narrator(Event(0, MOMENT_MS, 0, name, fields, public=False))
    return out.getvalue()


def test_an_act_is_told_before_the_weather_that_it_brought_on() -> None:
    out = io.StringIO()
    narrator = Narrator(Console(file=out, width=200), NEW_YORK)
    acts: list[tuple[str, dict[str, RecordField], bool]] = [
        ("receipt", {"creator": "exporter", "code": "VALID", "certificate": "c1"}, True),
        ("fault.began", {"fault": 1, "kind": "crash", "hit": ["noaa"], "target": "leader"}, False),
        (
            "certificate.issued",
            {"organization": "exporter", "certificate": "c1", "addressees": ["importer"]},
            True,
        ),
    ]
    for name, fields, public in acts:
        narrator(Event(0, MOMENT_MS, 0, name, fields, public=public))
    first, second = out.getvalue().splitlines()
    assert "exporter    signs and anchors certificate c1 for importer" in first
    assert "the weather crash of noaa" in second


def test_complaints_and_claims_after_importation_are_told() -> None:
    fields = {"certificate": "c1", "accused": "exporter", "reason": "UNREADABLE"}
    line = told("certificate.complained", organization="importer", **fields)
    assert line.endswith("complains about exporter's envelope of certificate c1: UNREADABLE\n")
    filed: dict[str, RecordField] = {"organization": "importer", "claim": "e1", "ledger_id": "SX7/1"}
    assert "preference e1 (SX7/1) after importation without" in told("claim.filed", **filed, post=True)
    assert "preference e1 (SX7/1) without" in told("claim.filed", **filed, post=False)


def test_the_summary_s_tables_fit_a_narrow_terminal_and_cut_nothing_off() -> None:
    out = io.StringIO()
    scenario, history = load_scenario("nafta-certificate"), History()
    book = EventBook(lambda: MOMENT_MS, lambda: 0)
    book.subscribe(history)
    for claim in scenario.claims:
        receipt = {
            "type": "claim.file",
            "code": "VALID",
            "claim": claim,
            "creator": "importer",
            "time_ms": MOMENT_MS,
        }
        book.add("receipt", {**receipt, "findings": [], "id": "00", "body": "{}"}, public=True)
        for state in ("DENIED", "LIQUIDATED"):
            official: dict[str, RecordField] = {"claim": claim, "state": state, "organization": "cbp"}
            if state == "DENIED":
                book.add("claim.decided", {**official, "defects": ["NOT_FILLED_IN", "POSSESSION_NOT_PROVEN"]})
            book.add("claim.state", {**official, "time_ms": MOMENT_MS, "by": "cbp"})
    metrics: dict[str, RecordField | float] = {
        "transactions_submitted": 17,
        "blocks": 9,
        "messages": 1,
        "bytes": 6,
    }
    metrics |= {f"certified_{share}_count": 17 for share in (50, 90, 100)}
    judgment = Judgment(Verdict.PASSED, (), (), ())
    print_summary(Console(file=out, width=80, soft_wrap=True), scenario, history, metrics, judgment)
    text = out.getvalue()
    assert max(map(len, text.splitlines())) <= 80
    lines = [line.split() for line in text.splitlines()]
    for claim in scenario.claims:
        row = lines.index([claim, "importer", "2018-09-19", "DENIED", "LIQUIDATED", "NOT_FILLED_IN"])
        assert lines[row + 1] == ["POSSESSION_NOT_PROVEN"]


def test_on_a_terminal_a_long_line_is_wrapped_between_words_and_indented() -> None:
    out = io.StringIO()
    console = Console(file=out, width=60, force_terminal=True, color_system=None)
    print_wrapped(console, Text("2018-09-19 09:30  importer    " + "a word after another " * 5), 30)
    lines = out.getvalue().splitlines()
    assert len(lines) > 2
    assert all(len(line) <= 60 for line in lines)
    assert all(line.startswith(" " * 30) and line[30] != " " for line in lines[1:])
    assert " ".join(" ".join(lines).split()).count("a word after another") == 5
    piped = io.StringIO()
    print_wrapped(Console(file=piped, width=60, soft_wrap=True), Text("a word " * 30), 30)
    assert len(piped.getvalue().splitlines()) == 1


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
