"""Seeds that once failed, replayed; the list beside this file says what was wrong with each."""

from pathlib import Path

import pytest

from scenarios.model.catalog import load_scenario
from scenarios.running.options import RunOptions
from scenarios.running.runner import run_scenario
from scenarios.shrinking.keeping import replayed

HERE = Path(__file__).parent


@pytest.mark.slow
@pytest.mark.parametrize(("scenario", "seed"), list(replayed(HERE)))
def test_what_once_failed_passes(scenario, seed, tmp_path):
    judgment = run_scenario(load_scenario(scenario), RunOptions("virtual", seed, tmp_path)).judgment
    assert judgment.verdict.value == "passed", judgment


def test_every_file_that_is_kept_is_replayed():
    names = {Path(scenario).name for scenario, _ in replayed(HERE)}
    assert {path.name for path in HERE.glob("*.yaml")} <= names
