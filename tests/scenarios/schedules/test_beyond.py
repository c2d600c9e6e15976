"""Faults that go beyond what the network can bear, on purpose: no progress is expected, and nothing is lost."""

import pytest

from scenarios.model.catalog import load_scenario
from scenarios.running.options import RunOptions
from scenarios.running.runner import run_scenario

GONE = 'faults=[{at: {protocol: 1s}, for: {protocol: 300s}, kind: crash, target: "nodes cbp, exporter, importer"}]'


@pytest.mark.parametrize("beyond", [True, False])
def test_standing_still_without_a_majority_is_a_violation_unless_it_is_meant(beyond, tmp_path):
    slow_is_no_failure = "expect=[claim e1 is ALLOWED within 5 days]"
    scenario = load_scenario("nafta-certificate", [GONE, slow_is_no_failure, f"beyond={str(beyond).lower()}"])
    result = run_scenario(scenario, RunOptions("virtual", "1", tmp_path))
    assert bool(result.book.named("progress.excused")) is beyond
    assert bool(result.book.named("progress.missed")) is not beyond
    assert result.book.named("progress.made")
    assert [
        text for text in result.judgment.violations if not text.startswith("progress: nothing moved")
    ] == []
    assert result.judgment.verdict.value == ("undecided" if beyond else "violated")
