"""What a reader says of its envelope of a document: acknowledged, or disputed with a complaint that anyone can check.

Rules:
- A reader acknowledges after it opened the envelope and recomputed the root; who cannot, complains.
- A complaint rests on what the envelope's sender signed (`ledger.contracts.evidence`): digests that give another root,
  or the seal of the envelope. One without, or with what is not that sender's, is refused: nobody is accused by a mere
  word.
- A disputed reading ends with an acknowledgement, once a sound envelope has come.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from ledger.contracts.act import Context, Writer
from ledger.contracts.document import ROOT_BYTES, find_document
from ledger.contracts.evidence import EVIDENCE_SAYS, Complaint, read_complaint
from ledger.contracts.findings import Finding
from ledger.contracts.records import (
    DocumentRecord,
    DocumentState,
    ReadingRecord,
    ReadingState,
    read_reading,
)
from ledger.contracts.table import Actor, Guard, Refusal, Step, Table
from ledger.fields import Fields
from ledger.state import reading_key


@dataclass(frozen=True, slots=True)
class ReadingCase:
    """What a reading's step is judged by: the document, and what is complained of."""

    context: Context
    document: DocumentRecord
    root: bytes
    complaint: Complaint | None = None

    def plays(self, actor: Actor) -> bool:
        """Say whether the sender is that actor here."""
        return actor is Actor.READER and self.context.sender.id in self.document.readers


def _guard(says: str, refusal: Refusal, holds: Callable[[ReadingCase], bool]) -> Guard[ReadingCase]:
    return Guard(says, refusal, holds)


_NOT_PURGED = _guard(
    "a document that was not purged",
    Refusal.IMPOSSIBLE_TRANSITION,
    lambda case: case.document.state is DocumentState.ANCHORED,
)
_EVIDENCE = _guard(
    EVIDENCE_SAYS,
    Refusal.EVIDENCE,
    lambda case: case.complaint is not None and case.complaint.holds(case.context, case.root, case.document),
)
_ALL_SHARE = "design: all envelopes share one root"
_S = ReadingState
READING_TABLE: Table[ReadingState, ReadingCase] = Table(
    "reading",
    ReadingState,
    (
        Step(
            _S.NONE, "document.acknowledge", Actor.READER, _S.ACKNOWLEDGED, _ALL_SHARE, guards=(_NOT_PURGED,)
        ),
        Step(
            _S.NONE,
            "document.complain",
            Actor.READER,
            _S.DISPUTED,
            _ALL_SHARE,
            guards=(_NOT_PURGED, _EVIDENCE),
        ),
        Step(
            _S.DISPUTED,
            "document.acknowledge",
            Actor.READER,
            _S.ACKNOWLEDGED,
            "design: a spoilt envelope is sent again",
            guards=(_NOT_PURGED,),
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class AcknowledgeDocument:
    """`document.acknowledge`: a reader has opened its envelope and recomputed the root."""

    root: bytes

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Take the body's fields."""
        return cls(fields.raw("root", size=ROOT_BYTES))

    def apply(self, context: Context, state: Writer) -> tuple[Finding, ...]:
        """Record it at the block's time."""
        document = find_document(context, state, self.root)
        reached = _advance(context, state, self.root, ReadingCase(context, document, self.root))
        record = ReadingRecord(reached, context.time_ms)
        state.put(reading_key(self.root, context.sender.id), record.encode())
        return ()


@dataclass(frozen=True, slots=True)
class ComplainDocument:
    """`document.complain`: a reader could not open its envelope, or it has another root."""

    root: bytes
    complaint: Complaint

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Take the body's fields."""
        return cls(
            fields.raw("root", size=ROOT_BYTES),
            read_complaint(fields),
        )

    def apply(self, context: Context, state: Writer) -> tuple[Finding, ...]:
        """Record the dispute, and whom it accuses or convicts."""
        document = find_document(context, state, self.root)
        case = ReadingCase(context, document, self.root, self.complaint)
        reached = _advance(context, state, self.root, case)
        record = ReadingRecord(reached, context.time_ms, self.complaint.record)
        state.put(reading_key(self.root, context.sender.id), record.encode())
        return self.complaint.findings


def _advance(context: Context, state: Writer, root: bytes, case: ReadingCase) -> ReadingState:
    data = state.get(reading_key(root, context.sender.id))
    before = ReadingState.NONE if data is None else read_reading(data).state
    return READING_TABLE.advance(before, context.event, case)
