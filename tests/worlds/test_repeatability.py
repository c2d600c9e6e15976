"""One seed, one run: over processes, hash seeds and what ran before in the same process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from scenarios.record.runfolder import RunFolder
from scenarios.reporting.commands import REPORT_FILE
from scenarios.running.options import RunResult
from scenarios.running.replaying import compare

RunVirtual = Callable[..., RunResult]

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]


def seatrial(*arguments: str | Path, hash_seed: str = "0") -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    command = [sys.executable, "-m", "scenarios", *map(str, arguments)]
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=100, check=False
    )


def run_apart(out: Path, hash_seed: str) -> RunFolder:
    done = seatrial(
        "run", "nafta-certificate", "--seed", "7", "--trace", "messages", "--out", out, hash_seed=hash_seed
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return RunFolder((out / "nafta-certificate" / "latest").resolve())


def contents(folder: RunFolder) -> dict[str, bytes]:
    """Return every file of a run by its name in the folder, without what is the machine's own."""
    files = {
        str(path.relative_to(folder.path)): path.read_bytes()
        for path in sorted(folder.path.rglob("*"))
        if path.is_file()
    }
    run = json.loads(files["run.json"])
    del run["host"]
    return files | {"run.json": json.dumps(run).encode()}


def test_a_seed_repeats_over_processes_hash_seeds_and_earlier_runs(
    fair_run: RunResult, tmp_path: Path
) -> None:
    second_of_two = contents(fair_run.folder)
    fresh = contents(run_apart(tmp_path / "one", "1"))
    other_hashes = contents(run_apart(tmp_path / "two", "4242"))
    # the report is made by the command; a run within a program leaves none
    assert fresh.keys() == other_hashes.keys() == second_of_two.keys() | {REPORT_FILE}
    assert {"observer/events.ndjson", "public/events.ndjson", "observer/messages.txt"} <= fresh.keys()
    for name, data in fresh.items():
        assert other_hashes[name] == data, f"{name} depends on the process"
        assert name == REPORT_FILE or second_of_two[name] == data, f"{name} depends on what ran before"


def test_every_second_with_frames_has_a_digest_of_all_frames_so_far(fair_run: RunResult) -> None:
    digests = fair_run.book.named("trace")
    frames = fair_run.folder.trace_path.read_text().splitlines()
    assert sum(event.integer("frames") for event in digests) == len(frames) > 500
    assert len({event.text("digest") for event in digests}) == len(digests) > 1


def test_another_seed_is_another_run(fair_run: RunResult, run_virtual_scenario: RunVirtual) -> None:
    other = run_virtual_scenario("nafta-certificate", "8")
    difference = compare(fair_run.folder, other.folder)
    assert difference is not None
    assert difference.file == "observer/events.ndjson"


def test_replay_says_identical(fair_run: RunResult) -> None:
    done = seatrial("replay", fair_run.folder.path, hash_seed="99")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith(f"identical: {len(fair_run.book.events)} events")


def test_replay_names_the_first_line_that_differs(fair_run: RunResult, tmp_path: Path) -> None:
    altered = RunFolder(tmp_path)
    for name, data in contents(fair_run.folder).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    events = tmp_path / "observer" / "events.ndjson"
    lines = events.read_text().splitlines()
    place = next(number for number, line in enumerate(lines, 1) if '"event":"certificate.issued"' in line)
    lines[place - 1] = lines[place - 1].replace('"certificate":"c1"', '"certificate":"c9"')
    lines[-1] = lines[-1].replace("closed", "open")
    events.write_text("\n".join(lines) + "\n")
    done = seatrial("replay", altered.path)
    assert done.returncode == 1, done.stdout + done.stderr
    assert f"observer/events.ndjson:{place}\n" in done.stdout
    recorded, repeated = done.stdout.splitlines()[1:3]
    assert recorded.strip() == f"recorded {lines[place - 1]}"
    assert '"certificate":"c1"' in repeated
