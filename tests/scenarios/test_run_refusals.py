"""A file that cannot be run is refused with all its faults, each by file and line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
FAULTY = """\
scenario: faulty
extends: nafta-certificate
title: Everything wrong at once
claims:
  e1:
    port: 2709
    entry_on: "2018-02-30"
    colour: blue
  e2:
    importer: importeur
steps:
  - { at: "2018-09-04T10:00:00", by: nobody, do: issue-certificate, document: c1 }
expect+:
  - claim e3 is DENIED
  - claim e3 is GRANTED
"""
EXPECTED = {6: "quote", 7: "2018-02-30", 8: "colour", 10: "importeur", 12: "nobody", 15: "GRANTED"}
"""Per line a word that its message must have."""


def seatrial(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "scenarios", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=90, check=False)


def test_run_names_every_fault_at_once_and_starts_nothing(tmp_path: Path) -> None:
    file = tmp_path / "faulty.yaml"
    file.write_text(FAULTY)
    done = seatrial("run", str(file), "--out", str(tmp_path / "runs"))
    assert done.returncode == 64
    lines = done.stderr.splitlines()
    for number, word in EXPECTED.items():
        assert any(line.startswith(f"{file}:{number}:") and word in line for line in lines), (number, lines)
    assert lines[-1].endswith("faults; nothing was started")
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert not (tmp_path / "runs").exists()


def test_an_expectation_that_contradicts_another_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "torn.yaml"
    file.write_text(
        "scenario: torn\nextends: nafta-certificate\ntitle: Torn\nexpect+:\n  - claim e1 is not ALLOWED\n"
    )
    done = seatrial("run", str(file), "--out", str(tmp_path / "runs"))
    assert done.returncode == 64
    assert f"{file}:5:" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run"], "seatrial --help"),
        (["run", "no-such-scenario"], "unknown scenario"),
        (["replay", "no-such-folder"], "no run's folder"),
        (["run", "nafta-certificate", "--seed", "a b"], "seed 'a b' cannot be used"),
        (
            ["run", "nafta-certificate", "--out", "/dev/null/runs"],
            "no run folder can be made in /dev/null/runs",
        ),
        (["node", "--config", "no-such-file"], "give the node.yaml"),
        (["up", "no-such-network"], "genesis.bin"),
        (["sign", "no-such-network", "cbp", "no-such-file"], "genesis.bin"),
        (["verify", "no-such-folder"], "no node's database"),
        (["verify", __file__], "is not called node.db"),
    ],
)
def test_a_wrong_call_is_64_without_a_traceback(arguments: list[str], words: str) -> None:
    done = seatrial(*arguments)
    assert done.returncode == 64, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr
