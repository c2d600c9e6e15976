"""A campaign's results on disk as they come, so that it can be taken up again.

Rules:
- `campaign.json` says what the campaign is: version, scenarios with a digest of their text, seeds. A directory holds
  one campaign; another one in its place is refused.
- `results.ndjson` has a line per run, written and synced before the run counts as done. A line that was cut off by a
  crash is dropped, and its run is run again.
- A `lost` run is not done: taking the campaign up again gives it another chance.
- One process at a time holds the directory, from before it looks what is there until it has closed it.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import IO

from scenarios.campaign.hold import Hold
from scenarios.campaign.job import Job
from scenarios.campaign.result import LOST, Result
from scenarios.errors import RefusedError

PLAN_FILE = "campaign.json"
RESULTS_FILE = "results.ndjson"
FAILURES = "failures"


@dataclass(slots=True)
class Journal:
    """One campaign's directory.

    Attributes:
        directory: where.
        results: every run that is done, by name.
    """

    directory: Path
    results: dict[str, Result] = field(default_factory=dict)
    _file: IO[str] | None = None
    _hold: Hold | None = None

    @classmethod
    def open(cls, directory: Path, jobs: Sequence[Job]) -> Journal:
        """Begin a campaign in a directory, or take up the one that is there.

        Raises:
            RefusedError: if another campaign is there, another process holds it, or it cannot be written.
        """
        journal = cls(directory)
        try:
            journal._open(_plan(jobs))
        except OSError as error:
            journal.close()
            raise RefusedError(
                f"{directory} cannot be written: {error.strerror}", "a directory of yours", "give --out"
            ) from error
        except RefusedError:
            journal.close()
            raise
        return journal

    def _open(self, plan: dict[str, object]) -> None:
        (self.directory / FAILURES).mkdir(parents=True, exist_ok=True)
        self._hold = Hold(self.directory)
        path = self.directory / PLAN_FILE
        if path.exists():
            _check_same(path, plan)
        else:
            new_path = path.with_name(path.name + ".new")
            new_path.write_text(json.dumps(plan, indent=2) + "\n", encoding="utf-8")
            new_path.replace(path)
        self._read()
        self._file = (self.directory / RESULTS_FILE).open("a", encoding="utf-8")

    def add(self, result: Result) -> None:
        """Write a result down; it counts from when this returns."""
        assert self._file is not None  # noqa: S101 - made by `open`
        self._file.write(json.dumps(result.plain(), sort_keys=True) + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())
        self.results[result.name] = result

    def close(self) -> None:
        """Close the file and let others have the directory."""
        if self._file is not None:
            self._file.close()
        if self._hold is not None:
            self._hold.release()

    def is_done(self, job: Job) -> bool:
        """Whether a job has its result."""
        result = self.results.get(job.name)
        return result is not None and result.verdict != LOST

    def _read(self) -> None:
        path = self.directory / RESULTS_FILE
        if not path.exists():
            return
        data = path.read_bytes()
        whole, _, cut = data.rpartition(b"\n")
        if cut:
            with path.open("r+b") as file:
                file.truncate(len(whole) + 1 if whole else 0)
        for number, line in enumerate(whole.decode("utf-8").splitlines(), 1):
            try:
                result = Result.of_plain(json.loads(line))
            except (ValueError, TypeError) as error:
                raise RefusedError(
                    f"{path}:{number} is no result of a campaign: {error}", "", "give another --out"
                ) from error
            self.results[result.name] = result


def _plan(jobs: Sequence[Job]) -> dict[str, object]:
    digests: dict[str, str] = {}
    seeds: dict[str, None] = {}
    for job in jobs:
        digest = hashlib.sha256(f"{job.text}\n{job.script or ''}".encode()).hexdigest()
        digests.setdefault(job.scenario, digest)
        seeds.setdefault(job.seed, None)
    return {"version": version("seatrial"), "scenarios": digests, "seeds": list(seeds)}


def _check_same(path: Path, plan: dict[str, object]) -> None:
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise RefusedError(f"{path} is no campaign's plan: {error}", "", "give another --out") from error
    for what in ("version", "scenarios", "seeds"):
        if known.get(what) != plan[what]:
            raise RefusedError(
                f"{path.parent} holds another campaign: its {what} are not these",
                "a directory holds one campaign, over one version and the same scenarios and seeds",
                "give another --out",
            )
