"""The examples of docs/python-scenarios.md, run as they stand."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from scenarios.testing import Flown

ROOT = Path(__file__).parents[2]
SCENARIO, TEST = re.findall(
    r"```python\n(.*?)```", (ROOT / "docs" / "python-scenarios.md").read_text(encoding="utf-8"), re.DOTALL
)


def seatrial(*arguments):
    command = [sys.executable, "-m", "scenarios", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


def test_the_documented_scenario_passes_and_repeats(tmp_path):
    path = tmp_path / "leader-dies-twice.py"
    path.write_text(SCENARIO, encoding="utf-8")
    ran = seatrial("run", path, "--seed", "3", "--out", tmp_path)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    again = seatrial("replay", tmp_path / "leader-dies-twice" / "latest")
    assert again.returncode == 0, again.stdout + again.stderr
    assert "identical" in again.stdout


def test_the_documented_fault_test_has_ten_lines_and_passes(pilot):
    assert len([line for line in TEST.splitlines() if line.strip()]) <= 10
    namespace = {}
    exec(TEST, namespace)  # noqa: S102 - our own example
    namespace["test_a_crash_of_the_leader_loses_no_certificate"](pilot)


def test_pytest_finds_the_fixture_by_itself(tmp_path):
    """In a project of its own, without a conftest."""
    (tmp_path / "test_mine.py").write_text("def test_mine(pilot):\n    assert callable(pilot)\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", tmp_path],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "1 passed" in done.stdout, done.stdout + done.stderr


def test_the_fixture_s_result_says_what_a_failing_assertion_needs(pilot):
    async def trade(p):
        p.expect("certificate c1 is ACTIVE")

    flown = pilot("nafta-certificate", trade, keep_steps=False)
    assert isinstance(flown, Flown)
    assert not flown.passed
    assert "certificate c1 is ACTIVE" in repr(flown)
    assert str(flown.folder) in repr(flown)


@pytest.mark.parametrize("verdict", ["passed"])
def test_a_library_scenario_flies_without_a_script(pilot, verdict):
    assert pilot("nafta-certificate", seed="7").verdict == verdict
