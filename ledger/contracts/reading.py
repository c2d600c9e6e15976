"""What a reader says of its envelope of a document: acknowledged, or disputed with a complaint that anyone can check.

Rules:
- A reader acknowledges after it opened the envelope and recomputed the root; who cannot, complains.
- A complaint may carry evidence: digests that the envelope's sender signed as those of this root, and that give
  another. Anybody can check it, and it tells nothing of any field. Without evidence a complaint is a statement.
- Evidence that does not prove this is refused, so that nobody is accused by an act that looks like proof.
- A disputed reading ends with an acknowledgement, once a sound envelope has come.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from ledger.contracts.act import Context, Writer, read_organization
from ledger.contracts.document import ROOT_BYTES, find_document
from ledger.contracts.findings import Finding
from ledger.contracts.records import (
    DocumentRecord,
    DocumentState,
    ReadingRecord,
    ReadingState,
    read_reading,
)
from ledger.contracts.table import Actor, Guard, Refusal, Step, Table
from ledger.documents import DIGEST_BYTES, digests_statement, document_root
from ledger.fields import Fields
from ledger.keys import SIGNATURE_BYTES, Domain
from ledger.state import reading_key

COMPLAINTS = ("ROOT_MISMATCH", "UNREADABLE")
DIGESTS_BYTES_MAX = 384 * DIGEST_BYTES
"""What fits a transaction of the default size: a document with more digests is complained of without evidence."""


@dataclass(frozen=True, slots=True)
class ReadingCase:
    """What a reading's step is judged by: the document, and whether the evidence holds, if any was given."""

    context: Context
    document: DocumentRecord
    evidence_holds: bool = True

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
    "evidence that proves the complaint, or none", Refusal.EVIDENCE, lambda case: case.evidence_holds
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
class Evidence:
    """Digests that somebody signed as those of a root.

    Attributes:
        by: who signed.
        digests: all of them, 32 bytes each, one after the other.
        signature: over `digests_statement` under `Domain.ENVELOPE`.
    """

    by: str
    digests: bytes
    signature: bytes

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Take the fields."""
        evidence = cls(
            read_organization(fields, "by"),
            fields.raw("digests", max_size=DIGESTS_BYTES_MAX),
            fields.raw("signature", size=SIGNATURE_BYTES),
        )
        if not evidence.digests or len(evidence.digests) % DIGEST_BYTES:
            fields.refuse(
                "digests", f"{len(evidence.digests)} bytes are no digests of {DIGEST_BYTES} bytes each"
            )
        fields.finish()
        return evidence

    def convicts(self, context: Context, root: bytes, document: DocumentRecord) -> bool:
        """Say whether it proves that one who may have sent the envelope signed for another root's digests.

        A key that was stolen convicts nobody.
        """
        senders = (document.issuer, *(by for _, by in document.disclosed))
        member = context.roster.find(self.by)
        if self.by not in senders or member is None:
            return False
        size = len(self.digests)
        digests = [self.digests[at : at + DIGEST_BYTES] for at in range(0, size, DIGEST_BYTES)]
        if document_root(digests) == root:
            return False
        payload = digests_statement(root, digests)
        return any(
            term.compromised_since is None
            and context.verifier.verify(
                term.key, Domain.ENVELOPE, context.roster.network, payload, self.signature
            )
            for term in member.keys
        )


def read_evidence(fields: Fields) -> Evidence | None:
    """Take a complaint's evidence, if it carries any."""
    value = fields.optional_map("evidence")
    return None if value is None else Evidence.read(Fields(value, "evidence"))


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
        reached = _advance(context, state, self.root, ReadingCase(context, document))
        record = ReadingRecord(reached, context.time_ms)
        state.put(reading_key(self.root, context.sender.id), record.encode())
        return ()


@dataclass(frozen=True, slots=True)
class ComplainDocument:
    """`document.complain`: a reader could not open its envelope, or it has another root."""

    root: bytes
    reason: str
    evidence: Evidence | None

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Take the body's fields."""
        return cls(
            fields.raw("root", size=ROOT_BYTES),
            fields.text("reason", 16, "|".join(COMPLAINTS)),
            read_evidence(fields),
        )

    def apply(self, context: Context, state: Writer) -> tuple[Finding, ...]:
        """Record the dispute, and whom its evidence convicts."""
        document = find_document(context, state, self.root)
        holds = self.evidence is None or self.evidence.convicts(context, self.root, document)
        reached = _advance(context, state, self.root, ReadingCase(context, document, holds))
        convicted = None if self.evidence is None else self.evidence.by
        record = ReadingRecord(reached, context.time_ms, self.reason, convicted)
        state.put(reading_key(self.root, context.sender.id), record.encode())
        return () if convicted is None else (Finding.ENVELOPE_CONTRADICTS_ROOT,)


def _advance(context: Context, state: Writer, root: bytes, case: ReadingCase) -> ReadingState:
    data = state.get(reading_key(root, context.sender.id))
    before = ReadingState.NONE if data is None else read_reading(data).state
    return READING_TABLE.advance(before, context.event, case)
