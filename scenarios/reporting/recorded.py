"""What a run's folder holds, as a report reads it: the small files whole, the events one at a time.

Rules:
- Nothing else is read: no clock, no store, no network. One folder gives one report, byte for byte.
- A run that was stopped before its verdict, or in which the program failed, has no report.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import cast

from p2p.observer import RecordField
from scenarios.errors import RefusedError
from scenarios.judging.verdict import Verdict
from scenarios.model import Scenario
from scenarios.model.catalog import load_scenario
from scenarios.record.eventbook import Event
from scenarios.record.runfolder import EVENTS_FILE, TRACEBACK_FILE, RunFolder
from scenarios.running.papertrial import MEASURES_FILE

Plain = Mapping[str, object]

LEDGER_EVENTS = f"observer/{EVENTS_FILE}"
PUBLIC_EVENTS = f"public/{EVENTS_FILE}"
PAPER_EVENTS = f"paper/observer/{EVENTS_FILE}"
_DAMAGED = "the folder is damaged; run the scenario again"
_FRAME = ("number", "calendar", "protocol_ns", "event")
_NODE_CHATTER = ('"event":"block.', '"event":"link.', '"event":"trace"', '"event":"envelope.received"')


@dataclass(frozen=True, slots=True)
class Recorded:
    """One run as its files tell it.

    Attributes:
        folder: where.
        scenario: that was run.
        run, verdict, metrics: the JSON files of these names.
        measures: of both arms; empty where no trade was drawn.
    """

    folder: RunFolder
    scenario: Scenario
    run: Plain
    verdict: Plain
    metrics: Plain
    measures: Plain = field(default_factory=dict)

    @classmethod
    def at(cls, folder: RunFolder) -> Recorded:
        """Read a finished run.

        Raises:
            RefusedError: if a file is missing or damaged, the run was stopped before its verdict, or the program
                failed in it.
        """
        verdict = folder.read_json("verdict.json")
        if verdict.get("verdict") == Verdict.BROKEN:
            raise RefusedError(
                f"{folder.path} is a run that the program failed in",
                f"{TRACEBACK_FILE} there says where",
                "`seatrial diagram` draws it, `seatrial shrink` makes it shorter",
            )
        has_measures = (folder.path / MEASURES_FILE).exists()
        return cls(
            folder,
            load_scenario(folder.path / "scenario.yaml"),
            folder.read_json("run.json"),
            verdict,
            folder.read_json("metrics.json"),
            folder.read_json(MEASURES_FILE) if has_measures else {},
        )

    @property
    def has_paper(self) -> bool:
        """Whether the same trade was played on paper."""
        return (self.folder.path / PAPER_EVENTS).exists()

    def events(self, *, trade_only: bool = False) -> Iterator[Event]:
        """Yield the ledger's events in order.

        Args:
            trade_only: leave out what only nodes do among themselves: blocks, links, envelopes.

        Raises:
            RefusedError: if a line is no event.
        """
        public = self._lines(PUBLIC_EVENTS)
        awaited = next(public, None)
        for place, line in self._numbered(LEDGER_EVENTS):
            is_public = line == awaited
            if is_public:
                awaited = next(public, None)
            if not trade_only or not any(mark in line for mark in _NODE_CHATTER):
                yield _event(line, place, public=is_public)

    def paper_events(self) -> Iterator[Event]:
        """Yield the paper arm's events in order, none where there is no such arm; see `events`."""
        if self.has_paper:
            for place, line in self._numbered(PAPER_EVENTS):
                yield _event(line, place, public=False)

    def _numbered(self, name: str) -> Iterator[tuple[str, str]]:
        for number, line in enumerate(self._lines(name), 1):
            yield f"{self.folder.path / name}:{number}", line

    def _lines(self, name: str) -> Iterator[str]:
        path = self.folder.path / name
        try:
            with path.open(encoding="utf-8") as lines:
                yield from lines
        except (OSError, UnicodeDecodeError) as error:
            raise RefusedError(f"{path} cannot be read: {error}", "", _DAMAGED) from error


def _event(line: str, place: str, *, public: bool) -> Event:
    try:
        record = json.loads(line)
        moment = datetime.datetime.fromisoformat(record["calendar"])
        number, protocol_ns, name = int(record["number"]), int(record["protocol_ns"]), str(record["event"])
    except (ValueError, KeyError, TypeError) as error:
        limit = "a line is a JSON object with number, calendar, protocol_ns and event"
        raise RefusedError(f"{place}: no event", limit, _DAMAGED) from error
    fields = cast(
        "dict[str, RecordField]", {key: value for key, value in record.items() if key not in _FRAME}
    )
    return Event(number, round(moment.timestamp() * 1000), protocol_ns, name, fields, public)


def mapping(value: object) -> Plain:
    """Return a JSON object, an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def rows(value: object) -> list[Plain]:
    """Return the objects of a JSON list, none for anything else."""
    return [mapping(item) for item in value] if isinstance(value, list) else []


def real(value: object) -> float | None:
    """Return a number, or None for anything else."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
