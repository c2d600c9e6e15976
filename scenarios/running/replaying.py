"""A run repeated from its folder, and the first thing that differs.

Rules:
- Only a virtual run can be repeated; the live world has no seed.
- Compared are both event files line by line (the digests of the message trace are among them), the message trace if it
  was written, the metrics and the verdict. `run.json`'s `host` block is not: it says how fast this machine was.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from scenarios.errors import RefusedError
from scenarios.model import Scenario
from scenarios.model.catalog import load_scenario
from scenarios.model.pythonfile import load_script
from scenarios.record.runfolder import EVENTS_FILE, RUN_FILE, SCRIPT_FILE, RunFolder
from scenarios.running.options import RunOptions
from scenarios.running.runner import run_scenario
from scenarios.trial.pilot import Script


@dataclass(frozen=True, slots=True)
class Difference:
    """Where two runs part: file, line (from 1), and both lines."""

    file: str
    line: int
    recorded: str
    repeated: str


@dataclass(frozen=True, slots=True)
class Repeatable:
    """All that repeats a virtual run."""

    scenario: Scenario
    seed: str
    trace_messages: bool
    script: Script | None


def read_repeatable(folder: RunFolder) -> Repeatable:
    """Return what repeats a run.

    Raises:
        RefusedError: if it was a live run, or the folder is no finished run's or damaged.
    """
    run = folder.read_json(RUN_FILE)
    world, seed, trace = (run.get(name) for name in ("world", "seed", "trace_messages"))
    if not isinstance(seed, str) or not isinstance(trace, bool):
        raise RefusedError(
            f"{folder.path / RUN_FILE}: no seed or no trace_messages",
            "",
            "the folder is damaged; run the scenario again",
        )
    if world != "virtual":
        raise RefusedError(
            f"{folder.path} is a run in the {world} world",
            "only virtual runs repeat",
            "run it with --world virtual for one that does",
        )
    scenario = load_scenario(folder.path / "scenario.yaml")
    script_path = folder.path / SCRIPT_FILE
    if run.get("script") and not script_path.exists():
        raise RefusedError(
            f"{folder.path} was run by a script that was no file", "its text is not in the folder", ""
        )
    script = load_script(script_path) if script_path.exists() else None
    return Repeatable(scenario, seed, trace, script)


def replay(folder: RunFolder) -> Difference | None:
    """Repeat a run and return the first difference, or None if there is none.

    Raises:
        RefusedError: if it was a live run, or the folder is no finished run's or damaged.
    """
    repeatable = read_repeatable(folder)
    for name in compared(folder):
        folder.lines(name)  # what is missing is told before the time is spent
    with tempfile.TemporaryDirectory() as directory:
        options = RunOptions(
            "virtual",
            repeatable.seed,
            Path(directory),
            trace_messages=repeatable.trace_messages,
            script=repeatable.script,
        )
        repeated = run_scenario(repeatable.scenario, options).folder
        return compare(folder, repeated)


def compared(folder: RunFolder) -> list[str]:
    """Return the names of the files in which a repeated run must not differ."""
    names = [f"observer/{EVENTS_FILE}", f"public/{EVENTS_FILE}", "metrics.json", "verdict.json"]
    if folder.trace_path.exists():
        names.append(str(folder.trace_path.relative_to(folder.path)))
    return names


def compare(recorded: RunFolder, repeated: RunFolder) -> Difference | None:
    """Return the first difference between two runs' folders, or None.

    Raises:
        RefusedError: if a file is missing or cannot be read.
    """
    for name in compared(recorded):
        ours, theirs = recorded.lines(name), repeated.lines(name)
        for number, (one, other) in enumerate(zip_longest(ours, theirs, fillvalue="(nothing)"), 1):
            if one != other:
                return Difference(name, number, one, other)
    return None
