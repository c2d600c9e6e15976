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
from scenarios.model.catalog import load_scenario
from scenarios.model.pythonfile import load_script
from scenarios.trial.runfolder import EVENTS_FILE, SCRIPT_FILE, RunFolder
from scenarios.trial.runner import RunOptions, run_scenario


@dataclass(frozen=True, slots=True)
class Difference:
    """Where two runs part: file, line (from 1), and both lines."""

    file: str
    line: int
    recorded: str
    repeated: str


def replay(folder: RunFolder) -> Difference | None:
    """Repeat a run and return the first difference, or None if there is none.

    Raises:
        RefusedError: if it was a live run, or the folder is no run's.
    """
    try:
        run = folder.read_json("run.json")
    except FileNotFoundError as error:
        raise RefusedError(f"{folder.path} is no finished run: it has no run.json") from error
    if run["world"] != "virtual":
        raise RefusedError(
            f"{folder.path} is a run in the {run['world']} world", "only virtual runs repeat", ""
        )
    scenario = load_scenario(folder.path / "scenario.yaml")
    script_path = folder.path / SCRIPT_FILE
    if run.get("script") and not script_path.exists():
        raise RefusedError(
            f"{folder.path} was run by a script that was no file", "its text is not in the folder", ""
        )
    script = load_script(script_path) if script_path.exists() else None
    with tempfile.TemporaryDirectory() as directory:
        options = RunOptions(
            "virtual",
            str(run["seed"]),
            Path(directory),
            trace_messages=bool(run["trace_messages"]),
            script=script,
        )
        repeated = run_scenario(scenario, options).folder
        return compare(folder, repeated)


def compare(recorded: RunFolder, repeated: RunFolder) -> Difference | None:
    """Return the first difference between two runs' folders, or None."""
    names = [f"observer/{EVENTS_FILE}", f"public/{EVENTS_FILE}", "metrics.json", "verdict.json"]
    if recorded.trace_path.exists():
        names.append(str(recorded.trace_path.relative_to(recorded.path)))
    for name in names:
        ours = (recorded.path / name).read_text(encoding="utf-8").splitlines()
        theirs = (repeated.path / name).read_text(encoding="utf-8").splitlines()
        for number, (one, other) in enumerate(zip_longest(ours, theirs, fillvalue="(nothing)"), 1):
            if one != other:
                return Difference(name, number, one, other)
    return None
