"""Runs of library scenarios, made once and looked at by many tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import pytest

from scenarios.model.catalog import load_scenario
from scenarios.running.options import RunOptions, RunResult
from scenarios.running.runner import run_scenario
from scenarios.trial.trial import Trial

ROOT = Path(__file__).parents[2]
FAIR_SEED = "7"


class RunVirtual(Protocol):
    """Runs a scenario in the virtual world."""

    def __call__(
        self, scenario: str | Path, seed: str = ..., tamper: Callable[[Trial], None] = ...
    ) -> RunResult: ...


@pytest.fixture
def run_virtual_scenario(tmp_path: Path) -> RunVirtual:
    def run(
        scenario: str | Path, seed: str = "1", tamper: Callable[[Trial], None] = lambda _trial: None
    ) -> RunResult:
        return run_scenario(
            load_scenario(scenario), RunOptions("virtual", seed, tmp_path / "runs", tamper=tamper)
        )

    return run


@pytest.fixture(scope="session")
def fair_run(tmp_path_factory: pytest.TempPathFactory) -> RunResult:
    """The pilot in fair weather, every message written down: not the first run of its process."""
    options = RunOptions("virtual", FAIR_SEED, tmp_path_factory.mktemp("fair"), trace_messages=True)
    first = RunOptions("virtual", "another-seed", tmp_path_factory.mktemp("first"))
    run_scenario(load_scenario("nafta-certificate"), first)
    return run_scenario(load_scenario("nafta-certificate"), options)
