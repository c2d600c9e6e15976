"""What a run leaves behind.

Rules:
- A folder per run, `OUT/<scenario>/<time>-<seed>/`; nothing is overwritten. A link `latest` beside it leads to the last
  run that came to its verdict: it is set when all else is written, `run.json` last.
- What cannot be written or read is told by file, reason and remedy.
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
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from scenarios.errors import RefusedError, unwritable
from scenarios.record.eventbook import Event

EVENTS_FILE = "events.ndjson"
TRACE_FILE = "messages.txt"
SCRIPT_FILE = "script.py"
RUN_FILE = "run.json"
TRACEBACK_FILE = "traceback.txt"
_DAMAGED = "the folder is damaged; run the scenario again"
_UNFINISHED = "it was stopped or failed before its verdict; run the scenario again"

_SEED = re.compile(r"[A-Za-z0-9._-]{1,64}")


@dataclass(frozen=True, slots=True)
class RunFolder:
    """One run's folder."""

    path: Path

    @classmethod
    def create(cls, out: Path, scenario: str, seed: str) -> RunFolder:
        """Make a new folder.

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
    def at(cls, path: Path) -> RunFolder:
        """Return the folder of a run that was.

        Raises:
            RefusedError: if it is no run's.
        """
        if not (path / "scenario.yaml").exists():
            raise RefusedError(
                f"{path} is no run's folder", "it has a scenario.yaml", "see runs/<scenario>/latest"
            )
        return cls(path.resolve())

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
        folder = cls(parent / name)
        for part in ("public", "observer", "nodes"):
            (folder.path / part).mkdir()
        return folder

    @property
    def is_finished(self) -> bool:
        """Whether the run came to its verdict: `run.json` is written last."""
        return (self.path / RUN_FILE).exists()

    def publish(self) -> None:
        """Point `latest` at this run.

        Raises:
            RefusedError: if the link cannot be made.
        """
        latest = self.path.parent / "latest"
        fresh = self.path.parent / f".latest-{self.path.name}"
        with _writing(latest):
            fresh.symlink_to(self.path.name)
            fresh.replace(latest)

    @property
    def trace_path(self) -> Path:
        """Where every message is written, if asked for."""
        return self.path / "observer" / TRACE_FILE

    @property
    def nodes(self) -> tuple[str, ...]:
        """The organizations whose nodes' disks are here, by name."""
        return tuple(sorted(path.name for path in (self.path / "nodes").glob("*") if path.is_dir()))

    def node_directory(self, organization: str) -> Path:
        """Return a node's data directory."""
        return self.path / "nodes" / organization

    def write_events(self, events: Iterable[Event]) -> None:
        """Write both event files; the observer's holds everything.

        Raises:
            RefusedError: if they cannot be written.
        """
        with (
            _writing(self.path / "observer" / EVENTS_FILE),
            (self.path / "public" / EVENTS_FILE).open("w", encoding="utf-8") as public,
            (self.path / "observer" / EVENTS_FILE).open("w", encoding="utf-8") as observer,
        ):
            for event in events:
                line = event.line() + "\n"
                observer.write(line)
                if event.public:
                    public.write(line)

    def write_json(self, name: str, value: Mapping[str, object]) -> None:
        """Write a JSON file, keys in their own order; see `write_text`."""
        self.write_text(name, json.dumps(value, indent=2, ensure_ascii=False) + "\n")

    def write_text(self, name: str, text: str) -> None:
        """Write a text file.

        Raises:
            RefusedError: if it cannot be written.
        """
        with _writing(self.path / name):
            (self.path / name).write_text(text, encoding="utf-8")

    def write_disk(self, organization: str, files: Mapping[str, Iterable[bytes]]) -> None:
        """Write what a node's disk kept, each file in pieces; one without any is left out.

        Raises:
            RefusedError: if it cannot be written.
        """
        directory = self.node_directory(organization)
        with _writing(directory):
            directory.mkdir()
            for name, pieces in files.items():
                _write_pieces(directory / name, pieces)

    def read_json(self, name: str) -> dict[str, object]:
        """Read a JSON object.

        Raises:
            RefusedError: if the folder has no such file, or it holds something else.
        """
        try:
            value = json.loads("\n".join(self.lines(name)))
        except ValueError as error:
            raise RefusedError(f"{self.path / name}: no JSON: {error}", "", _DAMAGED) from error
        if not isinstance(value, dict):
            raise RefusedError(f"{self.path / name}: no JSON object", "", _DAMAGED)
        return value

    def lines(self, name: str) -> list[str]:
        """Return the lines of a text file of this folder.

        Raises:
            RefusedError: if there is none, or it cannot be read.
        """
        path = self.path / name
        try:
            return path.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError as error:
            if self.is_finished:
                raise RefusedError(f"{path} is missing", "", _DAMAGED) from error
            raise RefusedError(f"{self.path} is an unfinished run: no {name}", "", _UNFINISHED) from error
        except (OSError, UnicodeDecodeError) as error:
            raise RefusedError(f"{path} cannot be read: {error}", "", _DAMAGED) from error

    def event_lines(self, part: str) -> list[str]:
        """Return the lines of `public` or `observer` events; see `lines`."""
        return self.lines(f"{part}/{EVENTS_FILE}")

    def events(self) -> list[dict[str, object]]:
        """Return the observer's events.

        Raises:
            RefusedError: if there are none, or a line is no event.
        """
        found: list[dict[str, object]] = []
        for number, line in enumerate(self.event_lines("observer"), 1):
            try:
                value = json.loads(line)
            except ValueError:
                value = None
            if not isinstance(value, dict) or not isinstance(value.get("event"), str):
                where = f"{self.path / 'observer' / EVENTS_FILE}:{number}"
                raise RefusedError(
                    f"{where}: no event", "a line is a JSON object with its event's name", _DAMAGED
                )
            found.append(value)
        return found


def _write_pieces(path: Path, pieces: Iterable[bytes]) -> None:
    rest = iter(pieces)
    first = next(rest, b"")
    if first:
        with path.open("wb") as file:
            file.write(first)
            file.writelines(rest)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise unwritable(path, error) from error
