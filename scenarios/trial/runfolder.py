"""What a run leaves behind.

Rules:
- A folder per run, `OUT/<scenario>/<time>-<seed>/`, and a link `latest` beside it; nothing is overwritten.
- `scenario.yaml` is the whole scenario after `extends` and overrides; with `run.json`, and
  with `script.py` where the scenario is written in Python, it is all that a replay needs.
- `public/` is what any member may see, `observer/` the simulator's private truth; both have `events.ndjson`.
- `nodes/<organization>/` has each node's database and watermark as its disk kept them.
- In the virtual world everything but `run.json`'s `host` block repeats bit for bit from scenario and seed.
"""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from scenarios.errors import RefusedError
from scenarios.trial.eventbook import Event

EVENTS_FILE = "events.ndjson"
TRACE_FILE = "messages.txt"
SCRIPT_FILE = "script.py"

_SEED = re.compile(r"[A-Za-z0-9._-]{1,64}")


@dataclass(frozen=True, slots=True)
class RunFolder:
    """One run's folder."""

    path: Path

    @classmethod
    def create(cls, out: Path, scenario: str, seed: str) -> RunFolder:
        """Make a new folder and point `latest` at it.

        Raises:
            RefusedError: if the seed is no part of a folder's name, or the folder cannot be made.
        """
        if _SEED.fullmatch(seed) is None:
            limit = "1 to 64 letters, digits, dots, hyphens and underscores, as it is part of the run folder's name"
            raise RefusedError(f"seed {seed!r} cannot be used", limit, "choose another")
        try:
            return cls._create(out, scenario, seed)
        except OSError as error:
            raise RefusedError(
                f"no run folder can be made in {out}: {error.strerror}",
                "a directory that can be written",
                "give --out",
            ) from error

    @classmethod
    def _create(cls, out: Path, scenario: str, seed: str) -> RunFolder:
        now = datetime.datetime.now(datetime.UTC).strftime("%Y%m%dT%H%M%S")
        parent = out / scenario
        parent.mkdir(parents=True, exist_ok=True)
        number = 0
        while True:
            name = f"{now}-{seed}" + (f".{number}" if number else "")
            try:
                (parent / name).mkdir()
                break
            except FileExistsError:
                number += 1
        latest = parent / "latest"
        fresh = parent / f".latest-{name}"
        fresh.symlink_to(name)
        fresh.replace(latest)
        folder = cls(parent / name)
        for part in ("public", "observer", "nodes"):
            (folder.path / part).mkdir()
        return folder

    @property
    def trace_path(self) -> Path:
        """Where every message is written, if asked for."""
        return self.path / "observer" / TRACE_FILE

    def node_directory(self, organization: str) -> Path:
        """Return a node's data directory."""
        return self.path / "nodes" / organization

    def write_events(self, events: Iterable[Event]) -> None:
        """Write both event files; the observer's holds everything."""
        with (
            (self.path / "public" / EVENTS_FILE).open("w", encoding="utf-8") as public,
            (self.path / "observer" / EVENTS_FILE).open("w", encoding="utf-8") as observer,
        ):
            for event in events:
                line = event.line() + "\n"
                observer.write(line)
                if event.public:
                    public.write(line)

    def write_json(self, name: str, value: Mapping[str, object]) -> None:
        """Write a JSON file, keys in their own order."""
        text = json.dumps(value, indent=2, ensure_ascii=False) + "\n"
        (self.path / name).write_text(text, encoding="utf-8")

    def write_text(self, name: str, text: str) -> None:
        """Write a text file."""
        (self.path / name).write_text(text, encoding="utf-8")

    def read_json(self, name: str) -> dict[str, object]:
        """Read a JSON object.

        Raises:
            FileNotFoundError: if the folder has no such file.
            TypeError: if it holds something else.
        """
        value = json.loads((self.path / name).read_text(encoding="utf-8"))
        if not isinstance(value, dict):
            raise TypeError(f"{self.path / name}: expected a JSON object")
        return value

    def event_lines(self, part: str) -> list[str]:
        """Return the lines of `public` or `observer` events."""
        return (self.path / part / EVENTS_FILE).read_text(encoding="utf-8").splitlines()
