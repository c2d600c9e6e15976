"""The default campaign's scenario: a minute of protocol time, thirty transactions, faults that hit something."""

import pytest

from scenarios.campaign.execute import FaultWatch
from scenarios.model.catalog import load_scenario
from scenarios.running.options import RunOptions
from scenarios.running.replaying import compare
from scenarios.running.runner import run_scenario


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    scenario = load_scenario("storm")
    watch = FaultWatch(list(scenario.organizations))
    options = RunOptions(
        "virtual", "2", tmp_path_factory.mktemp("storm"), on_event_book=lambda book: book.subscribe(watch)
    )
    return run_scenario(scenario, options), watch


def test_it_lasts_a_minute_and_trades_throughout(run):
    result, watch = run
    assert result.judgment.verdict.value == "passed", result.judgment
    assert 60 <= watch.last_ns / 1e9 <= 75
    handed_in = [event.protocol_ns / 1e9 for event in result.book.named("step.transaction")]
    assert max(handed_in) > 35
    assert result.metrics["transactions_submitted"] >= 30


def test_its_faults_hit_and_every_check_is_exercised(run):
    result, watch = run
    assert sum(bool(fault["met"]) for fault in watch.faults) >= 5
    assert all(result.metrics[f"check_{name}_exercised"] for name in result.trial.scenario.checks)


def test_its_folder_repeats_it_without_the_schedule(run, tmp_path):
    result, _ = run
    kept = load_scenario(str(result.folder.path / "scenario.yaml"))
    assert kept.schedule is None
    assert len(kept.faults) == len(result.trial.scenario.faults) > 0
    again = run_scenario(kept, RunOptions("virtual", "2", tmp_path))
    assert compare(result.folder, again.folder) is None
