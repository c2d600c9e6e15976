"""`seatrial shrink`: one of four faults makes the run fail; that one is left, and its file fails in the same way."""

import subprocess
import sys
from pathlib import Path

import pytest

from scenarios.errors import RefusedError
from scenarios.model.catalog import load_scenario
from scenarios.running.options import RunOptions
from scenarios.running.runner import run_scenario
from scenarios.shrinking.shrinking import End, read_failure, shrink_run
from scenarios.shrinking.told import tell_shrunk, write_beside, write_shrunk

ROOT = Path(__file__).parents[2]
FAILING = """
scenario: four-faults
extends: nafta-certificate
title: One fault of four makes Customs late
steps:
  - {at: "2018-09-04T10:00:00", by: exporter, do: issue-certificate, document: c1}
  - {at: "2018-09-19T09:30:00", by: importer, do: file-claim, claim: e1}
  - {at: "2018-10-15T09:30:00", by: importer, do: file-claim, claim: e2}
faults:
  - {when: certificate c1 anchored, for: {protocol: 4s}, kind: crash, target: node noaa}
  - {at: {calendar: "2018-09-10T09:00:00"}, for: {protocol: 3s}, kind: pause, target: node chamber}
  - {at: {calendar: "2018-09-19T08:00:00"}, for: {calendar: 16d}, kind: partition, target: node cbp}
  - {at: {calendar: "2018-10-15T08:00:00"}, for: {protocol: 3s}, kind: loss, target: all, params: {percent: 5}}
checks: [agreement, durability]
expect: [claim e1 is ALLOWED within 5 days, certificate c1 is HELD by importer within 2 days]
"""


@pytest.fixture(scope="module")
def failed(tmp_path_factory):
    directory = tmp_path_factory.mktemp("failed")
    (directory / "four-faults.yaml").write_text(FAILING)
    scenario = load_scenario(directory / "four-faults.yaml")
    return run_scenario(scenario, RunOptions("virtual", "5", directory)).folder


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_the_fault_that_makes_it_fail_is_left_and_its_file_fails_in_the_same_way(failed, tmp_path):
    said = []
    shrunk = shrink_run(read_failure(failed), 60, said.append, other_seeds=("1",))
    assert shrunk.best.failure.name == "claim e1 is ALLOWED within 5 days"
    assert [fault["kind"] for fault in shrunk.best.value["faults"]] == ["partition"]
    assert shrunk.counts["faults"] == (1, 4)
    assert shrunk.counts["steps"][0] == 2
    assert shrunk.best.value["expect"] == ["claim e1 is ALLOWED within 5 days"]
    assert list(shrunk.seeds) == ["1"]  # what is just too long with one seed may not be with another
    assert shrunk.runs <= 60
    assert len(said) >= shrunk.runs
    path = tmp_path / "shrunk.yaml"
    write_shrunk(shrunk, path)
    assert any(str(path) in line for line in tell_shrunk(shrunk, path))
    beside = write_beside(shrunk, path)
    assert (tmp_path / "shrunk.svg").read_text().startswith("<svg")
    assert "claim e1 is ALLOWED within 5 days" in (tmp_path / "shrunk.txt").read_text()
    difference = (tmp_path / "shrunk.diff.txt").read_text()
    assert any("milder fault 1, partition of node cbp" in line for line in beside), beside
    assert "passing  held: claim e1 was ALLOWED" in difference
    again = run_scenario(load_scenario(path), RunOptions("virtual", "5", tmp_path))
    assert read_failure(again.folder).candidate.failure.name == "claim e1 is ALLOWED within 5 days"


def test_a_budget_ends_the_search_with_the_smallest_so_far(failed):
    shrunk = shrink_run(read_failure(failed), 3, lambda _line: None, other_seeds=())
    assert shrunk.end is End.BUDGET
    assert shrunk.runs == 3
    assert len(shrunk.best.text) < len(shrunk.recorded.candidate.text)


def test_a_run_that_passed_is_not_shrunk(tmp_path):
    folder = run_scenario(load_scenario("nafta-certificate"), RunOptions("virtual", "1", tmp_path)).folder
    with pytest.raises(RefusedError, match="is a run that passed"):
        read_failure(folder)


def test_the_command_refuses_what_is_no_run(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "scenarios", "shrink", tmp_path],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, "Traceback" in done.stderr) == (64, False), done.stderr
