"""How far a run has got: the figures follow its events, a terminal gets a panel, anything else a line now and then."""

from __future__ import annotations

import io
import threading
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from rich.console import Console

from scenarios.judging.checks.check import Violation
from scenarios.model.catalog import load_scenario
from scenarios.record.event import Event
from scenarios.running.options import RunOptions
from scenarios.running.progress import Progress
from scenarios.running.replaying import replay
from scenarios.running.runner import run_scenario
from scenarios.telling import panel as panel_module
from scenarios.telling.panel import line, panel, told_progress

ZONE = ZoneInfo("America/New_York")
DAY_MS = 86_400_000
START_MS = 1_536_033_600_000  # 2018-09-04T04:00Z, midnight in New York


def event(number: int, name: str, days: float = 0, /, **fields: object) -> Event:
    return Event(number, START_MS + round(days * DAY_MS), number * 10**9, name, fields, True)  # type: ignore[arg-type]


class Tripped:
    name = "agreement"
    exercised = 7

    def __init__(self) -> None:
        self.violations = [Violation("agreement", 3, "two blocks at one height")]

    def __call__(self, event: Event) -> None:
        raise NotImplementedError

    def finish(self, final: object) -> None:
        raise NotImplementedError


def followed(*events: Event) -> Progress:
    progress = Progress(START_MS, START_MS + 100 * DAY_MS)
    for one in events:
        progress(one)
    return progress


def shown(progress: Progress) -> str:
    console = Console(file=io.StringIO(), width=80, force_terminal=False)
    console.print(panel(progress, ZONE, 12.4))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert max(len(row) for row in text.splitlines()) <= 80
    return str(text)


EVENTS = (
    event(1, "phase", name="trade"),
    event(2, "receipt", 20, code="VALID"),
    event(3, "receipt", 21, code="RULE_VIOLATED"),
    event(4, "fault.began", 22, fault=1, kind="partition"),
    event(5, "fault.began", 23, fault=2, kind="crash"),
    event(6, "fault.ended", 25, fault=2, kind="crash"),
)


def test_a_line_tells_stage_date_clocks_transactions_faults_and_the_verdict_so_far() -> None:
    assert line(followed(*EVENTS), ZONE, 12.4) == (
        "12 s: trade, 2018-09-29 (25%), protocol 6 s, 2 transactions, 1 refused, 1 in force (partition), no violation"
    )


def test_a_panel_tells_the_same_within_eighty_columns() -> None:
    text = shown(followed(*EVENTS))
    for told in (
        "─ trade ─",
        "2018-09-29",
        "protocol 6.0 s, real 12 s",
        "2 certified, 1 of them refused",
        "1 in force (partition), 2 begun so far",
        "no violation",
    ):
        assert told in text


def test_a_violation_is_told_while_the_run_goes_on() -> None:
    progress = followed(*EVENTS)
    progress.checks = [Tripped()]
    assert line(progress, ZONE, 1).endswith("violated once")
    assert "violated once; checks exercised 7 times" in shown(progress)


def test_a_calendar_that_has_passed_its_end_is_whole() -> None:
    assert followed(event(1, "phase", 300, name="heal")).share == 1.0


@pytest.mark.parametrize("is_dumb_terminal", [False, True])
def test_without_a_terminal_lines_come_until_the_run_is_over(
    monkeypatch: pytest.MonkeyPatch, is_dumb_terminal: bool
) -> None:
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setattr(panel_module, "HEARTBEAT_S", 0.001)
    said: list[str] = []
    came = threading.Event()
    progress = followed(*EVENTS)

    def say(text: str) -> None:
        said.append(text)
        came.set()

    output = io.StringIO()
    with told_progress(progress, Console(file=output, force_terminal=is_dumb_terminal), ZONE, say):
        assert came.wait(60)
    count = len(said)
    assert said[0].startswith("0 s: trade, 2018-09-29 (25%)")
    assert not any(thread.name == "heartbeat" for thread in threading.enumerate())
    assert len(said) == count
    assert output.getvalue() == ""


def test_a_heartbeat_that_nobody_hears_ends_quietly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(panel_module, "HEARTBEAT_S", 0.001)
    failures: list[object] = []
    monkeypatch.setattr(threading, "excepthook", failures.append)
    tried = threading.Event()

    def say(_text: str) -> None:
        tried.set()
        raise BrokenPipeError

    with told_progress(followed(*EVENTS), Console(file=io.StringIO(), force_terminal=False), ZONE, say):
        assert tried.wait(60)
    assert not failures


def test_on_a_terminal_a_panel_stands_below_the_story(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    output, said = io.StringIO(), list[str]()
    console = Console(file=output, force_terminal=True, width=80)
    with told_progress(followed(*EVENTS), console, ZONE, said.append):
        console.print("exporter signs")
    assert "1 in force (partition)" in output.getvalue()
    assert "exporter signs" in output.getvalue()
    assert not said


def test_who_follows_a_run_changes_nothing_in_it_and_counts_what_its_events_say(tmp_path: Path) -> None:
    scenario = load_scenario("nafta-certificate-leader-crash")
    progress = Progress(scenario.calendar.start_ms, scenario.calendar.end_ms)
    stages: list[str] = []

    def follow(event: Event) -> None:
        if event.name == "phase":
            stages.append(progress.stage)

    options = RunOptions(
        "virtual", "7", tmp_path, progress=progress, on_event_book=lambda book: book.subscribe(follow)
    )
    result = run_scenario(scenario, options)
    assert progress.stage == "writing"
    assert stages[:2] == ["warm up", "trade"]
    assert progress.certified == len(result.book.named("receipt")) > 0
    assert progress.faults_begun == len(result.book.named("fault.began")) > 0
    assert progress.events == len(result.book.events)
    assert progress.exercised > 0
    assert progress.violations == 0
    assert replay(result.folder) is None
