"""The survey of a run: looking for little at once finds what looking for all at once finds."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenarios.model.catalog import load_scenario
from scenarios.privacy import survey
from scenarios.running.options import RunOptions, RunResult
from scenarios.running.runner import run_scenario


def _run(out: Path) -> RunResult:
    return run_scenario(load_scenario("nafta-certificate"), RunOptions("virtual", "1", out))


def test_looking_for_some_values_at_a_time_gives_the_same_readings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = _run(tmp_path / "whole")
    monkeypatch.setattr(survey, "SOUGHT_AT_ONCE_MAX", 30)
    parts = _run(tmp_path / "parts")
    assert parts.readings == whole.readings
    assert sum(account.could for account in parts.readings.accounts.values()) > 100
    assert parts.judgment == whole.judgment
