"""What follows a run while it happens: figures, checks, the message trace, frames kept to be searched.

Rules:
- Whoever is told first sees an event first: figures, then checks in the order of their table.
- Only what nodes told is marked as theirs, so that it can be searched for what they must not tell.
- Frames are kept once if copies are near each other; envelopes for every peer, as it matters who got them.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from p2p.frames import FrameKind
from p2p.observer import RecordField
from scenarios.judging.checks.check import Check
from scenarios.judging.checks.raft import RaftProperties
from scenarios.judging.measure import Measurement
from scenarios.judging.paper import PaperMeasurement
from scenarios.judging.tuna import TunaMeasurement
from scenarios.privacy.framespool import FrameSpool
from scenarios.privacy.survey import frame_label
from scenarios.record.eventbook import Event, EventBook
from scenarios.record.eventspool import EventSpool
from scenarios.trial.tracing import MessageTrace

_ENVELOPE = FrameKind.ENVELOPE.name


class Watch:
    """Everything that is told of each event and each frame of a run.

    Args:
        organizations: every member.
        checks: that judge the run.
        directory: where events and frames wait in files without a name.

    Attributes:
        spool: keeps the events of the book that is followed.
        frames: every frame, until it can be searched.
        trace: who sent how much of what to whom, when.
        measurement, tuna, paper: figures.
    """

    def __init__(self, organizations: Sequence[str], checks: Sequence[Check], directory: Path) -> None:
        self.checks = checks
        self.spool = EventSpool(directory)
        self.frames = FrameSpool(directory)
        self.trace = MessageTrace(self._note_second)
        self.measurement = Measurement(list(organizations))
        self.tuna = TunaMeasurement()
        self.paper = PaperMeasurement()
        self._node_records = array("Q")

    @property
    def raft(self) -> RaftProperties:
        """The check that follows every node's Raft core."""
        return next(check for check in self.checks if isinstance(check, RaftProperties))

    def follow(self, book: EventBook) -> None:
        """Be told of every event of a book; what nodes and the trace tell is written into it from now on."""
        self._book = book
        for figures in (self.measurement, self.tuna, self.paper):
            book.subscribe(figures)
        for check in self.checks:
            book.subscribe(check)

    def record(self, event: str, fields: Mapping[str, RecordField]) -> None:
        """Write down what a node tells."""
        self._node_records.append(self._book.add(event, fields).number)

    def frame(self, now_ns: int, source: str, target: str, kind: str, frame: bytes) -> None:
        """Trace and keep a frame that left a node."""
        self.trace.frame(now_ns, source, target, kind, frame)
        self.frames.keep(frame_label(kind, source, target), frame, per_place=kind == _ENVELOPE)

    def records_of_nodes(self) -> Iterator[Event]:
        """Give the events that nodes told, in order."""
        numbers = iter(self._node_records)
        following = next(numbers, None)
        for event in self._book.events:
            if event.number == following:
                yield event
                following = next(numbers, None)

    def _note_second(self, second: int, frames: int, size_bytes: int, digest: str) -> None:
        fields: dict[str, RecordField] = {
            "second": second,
            "frames": frames,
            "bytes": size_bytes,
            "digest": digest,
        }
        self._book.add("trace", fields)
