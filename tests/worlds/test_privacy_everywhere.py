"""Whatever runs a trial compares what may be read with what could: a fault test, a campaign, a scenario in Python."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenarios.agents import wallet as wallet_module
from scenarios.campaign.execute import execute
from scenarios.campaign.job import Job
from scenarios.model.catalog import load_scenario, load_script_of
from scenarios.running.options import RunOptions
from scenarios.running.runner import run_scenario

LEAK = ".exporter_email stands in a ENVELOPE frame from exporter to importer (raw)"
SCRIPT = """
async def scenario(pilot):
    await pilot.do("issue-certificate", by="exporter", document="c1")
    await pilot.until("certificate c1 held")
"""


@pytest.fixture(params=["sealed", "open"])
def is_open(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether envelopes go unsealed: the safeguard's ablation."""
    if request.param == "open":
        monkeypatch.setattr(wallet_module, "seal", lambda envelope, _recipient, _random: envelope)
    return request.param == "open"


def judged(violations: list[str], pairs: float, is_open: bool) -> None:
    assert pairs > 0
    assert any(text.startswith("confidentiality: ") and LEAK in text for text in violations) is is_open
    assert any(text.startswith("confidentiality: ") for text in violations) is is_open


def test_in_a_fault_test_of_ten_lines(pilot, is_open: bool) -> None:
    async def script(p):
        await p.do("issue-certificate", by="exporter", document="c1")
        await p.until("certificate c1 held") if not is_open else None
        await p.after("1d")

    flown = pilot("nafta-certificate", script, keep_steps=False)
    judged(list(flown.violations), flown.result.readings.pairs, is_open)


def test_in_a_campaign(is_open: bool) -> None:
    plain = load_scenario("nafta-certificate", ["steps=[]", "faults=[]", "expect=[]", "checks=[]"]).resolved()
    result = execute(Job("nafta-certificate", plain, SCRIPT, "1"))
    judged(result.violations, result.metrics["privacy_pairs"], is_open)


def test_in_a_scenario_written_in_python(tmp_path: Path, is_open: bool) -> None:
    text = 'SCENARIO = """\nscenario: mine\nextends: nafta-certificate\nsteps: []\nexpect: []\n"""\n' + SCRIPT
    file = tmp_path / "mine.py"
    file.write_text(text, encoding="utf-8")
    loaded = load_script_of(file)
    assert loaded is not None
    options = RunOptions("virtual", "1", tmp_path / "runs", script=loaded[0])
    result = run_scenario(load_scenario(file), options)
    judged(list(result.judgment.violations), float(result.metrics["privacy_pairs"]), is_open)
