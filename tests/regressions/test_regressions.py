"""Seeds that once failed, replayed: each names what was wrong."""

from pathlib import Path

import pytest

from scenarios.model.catalog import load_scenario
from scenarios.trial.runner import RunOptions, run_scenario

HERE = Path(__file__).parent

ONCE_FAILED = [
    # A deposed leader restarted with a block nobody took, and held it against the next leader's chain for ever.
    ("nafta-certificate-power-loss", "2c8ae4c3"),
    # A transaction that outlived its validity behind a partition was refused by all others and never ended.
    ("verification-offline", "7"),
    # An envelope changed on its way was stored and answered for; Customs took it for the answer, and denied.
    (str(HERE / "changed-envelope.yaml"), "7"),
    # What was committed over a sync that had failed was gone with the power, forty commits later.
    (str(HERE / "over-a-failed-sync.yaml"), "46"),
    # A node that stopped for a full disk was taken for up, and not started again.
    (str(HERE / "full-while-stopping.yaml"), "47"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("scenario", "seed"), ONCE_FAILED)
def test_what_once_failed_passes(scenario, seed, tmp_path):
    judgment = run_scenario(load_scenario(scenario), RunOptions("virtual", seed, tmp_path)).judgment
    assert judgment.verdict.value == "passed", judgment
