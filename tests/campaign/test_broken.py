"""A run that the program itself fails in: it has a name, leaves what repeats it, and counts for nothing else."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import pytest

from scenarios.campaign.campaign import exit_code
from scenarios.campaign.execute import execute
from scenarios.campaign.job import Job
from scenarios.campaign.result import Result
from scenarios.campaign.summary import summarize
from scenarios.cli import run_command
from scenarios.comparing.sources import read_side
from scenarios.errors import RefusedError
from scenarios.model.catalog import load_scenario
from scenarios.record.runfolder import RunFolder
from scenarios.reporting.recorded import Recorded
from scenarios.running.broken import broken, is_programs_own
from scenarios.running.options import RunOptions
from scenarios.running.replaying import replay
from scenarios.running.runner import run_scenario
from scenarios.shrinking.failure import Failure, failure_of
from scenarios.shrinking.shrinking import read_failure
from scenarios.trial import settling


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the program fail where a trial has come to rest for the third time."""
    rest = settling.Settling.rest
    count: dict[int, int] = {}

    async def fails(self: settling.Settling) -> object:
        count[id(self)] = count.get(id(self), 0) + 1
        if count[id(self)] == 3:
            raise_within()
        return await rest(self)

    monkeypatch.setattr(settling.Settling, "rest", fails)


def raise_within() -> None:
    """Fail inside a function of the program's own."""
    load_scenario("nafta-certificate").documents["no such"]


def small(seed: str) -> Job:
    return Job("nafta-certificate", load_scenario("nafta-certificate").resolved(), None, seed)


@pytest.mark.usefixtures("failing")
def test_a_failure_of_the_program_is_kept_as_a_run_that_can_be_repeated(tmp_path: Path) -> None:
    result = execute(small("7"), tmp_path / "failures")
    assert (result.verdict, result.is_whole) == ("broken", False)
    assert result.violations[0].startswith("program: KeyError in ")
    folder = RunFolder.at(tmp_path / "failures" / "nafta-certificate-7")
    assert "raise_within" in (folder.path / "traceback.txt").read_text()
    assert json.loads((folder.path / "verdict.json").read_text())["violations"] == result.violations
    assert len(folder.lines("observer/events.ndjson")) > 20
    assert replay(folder) is None
    assert read_failure(folder).candidate.failure.verdict == "broken"


@pytest.mark.usefixtures("failing")
def test_a_broken_run_has_neither_report_nor_figures(tmp_path: Path) -> None:
    folder = run_scenario(load_scenario("nafta-certificate"), RunOptions("virtual", "7", tmp_path)).folder
    for read in (lambda: Recorded.at(folder), lambda: read_side(folder.path)):
        with pytest.raises(RefusedError, match="is a run that the program failed in"):
            read()


@pytest.mark.usefixtures("failing")
def test_the_command_says_that_it_is_its_own_fault_and_how_to_go_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["run", "nafta-certificate", "--seed", "7", "--out", str(tmp_path), "--quiet"]) == 70
    said = capsys.readouterr()
    assert "KeyError" in said.err
    assert "a fault of seatrial itself" in said.err
    assert "verdict    broken" in said.out
    assert "seatrial shrink" in said.out


def test_the_innermost_function_of_the_program_s_own_names_the_failure() -> None:
    try:
        load_scenario("nafta-certificate", ["calendar=\x00"])
    except Exception as error:
        judgment = broken(error)
    assert judgment.violations[0].startswith("program: ScenarioError in scenarios/model/")
    grouped = ExceptionGroup("two", [ExceptionGroup("one", [KeyError("x")]), ValueError("y")])
    assert broken(grouped).violations == ("program: KeyError in no function of its own: 'x'",)


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        MemoryError(),
        RefusedError("what", "limit", "remedy"),
        ExceptionGroup("of", [OSError(errno.EMFILE, "Too many open files")]),
    ],
)
def test_what_the_program_was_given_and_where_it_runs_is_not_its_own_failure(error: Exception) -> None:
    assert not is_programs_own(error)


def test_a_reset_connection_that_nobody_took_is_its_own_failure() -> None:
    assert is_programs_own(ConnectionResetError(errno.ECONNRESET, "reset"))


def test_a_campaign_counts_broken_runs_and_leaves_their_figures_out() -> None:
    results = [
        Result("s", "1", "passed", cpu_s=1.0),
        Result("s", "2", "violated", violations=["durability: lost"], cpu_s=2.0),
        Result("s", "3", "broken", violations=["program: KeyError in p2p/x.py, f: 'k'"], cpu_s=50.0),
    ]
    (summary,) = summarize(results).values()
    assert summary.verdicts["broken"] == 1
    assert summary.failing["3"] == "program: KeyError in p2p/x.py, f: 'k'"
    assert summary.plain()["cpu_s_median"] == 1.5
    assert exit_code(results) == 70
    assert exit_code(results[:2]) == 1


def test_two_runs_break_in_the_same_way_where_the_same_function_fails_by_the_same_type() -> None:
    one = failure_of("broken", ["program: KeyError in p2p/x.py, f: 'k'"], {}, [], {})
    assert one == Failure("broken", "KeyError in p2p/x.py, f")
    assert one == failure_of("broken", ["program: KeyError in p2p/x.py, f: 'other'"], {}, [], {})
    assert one != failure_of("broken", ["program: KeyError in p2p/x.py, g: 'k'"], {}, [], {})
