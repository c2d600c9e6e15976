"""Anchored documents: a root on the ledger, its class, and who it is for.

Rules:
- A root is anchored once. Whoever finds its root taken commits to the fields again with fresh salts.
- Class `official` is for acts of authority; what it is about in detail is nobody's business but the
  addressees'.
- Addressees exist and are not the sender.
- Whoever has the document may disclose it to a further member: the ledger says who did, and to whom; the root stays.
- Once records need not be kept any more its issuer may purge it: every node lets its envelopes go when it executes
  that, a node that was away when it comes back; the root and this record stay as a tombstone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

from ledger.contracts.act import Context, Writer, read_addressees, read_organization
from ledger.contracts.deadlines import anniversary
from ledger.contracts.findings import Finding
from ledger.contracts.parameters import DOCUMENT_RECORD_YEARS
from ledger.contracts.records import DISCLOSURES_MAX, DocumentRecord, DocumentState, read_document
from ledger.contracts.table import Actor, Guard, Refusal, RuleViolatedError, Step, Table
from ledger.fields import Fields
from ledger.genesis import Role
from ledger.state import document_key

OFFICIAL = "official"
COMMERCIAL = "commercial"
ROOT_BYTES = 32
_AUTHORITIES = frozenset({Role.CUSTOMS, Role.FISHERIES})


@dataclass(frozen=True, slots=True)
class DocumentCase:
    """What a document's step is judged by: the record before it, and the further reader, if one is named."""

    context: Context
    record: DocumentRecord | None
    reader: str | None = None

    def plays(self, actor: Actor) -> bool:
        """Say whether the sender is that actor here."""
        if self.record is None:
            return actor is Actor.ANYBODY
        sender = self.context.sender.id
        is_issuer = self.record.issuer == sender
        if actor is Actor.DOCUMENT_PARTY:
            return is_issuer or sender in self.record.readers
        return actor is Actor.DOCUMENT_ISSUER and is_issuer


def _is_new_reader(case: DocumentCase) -> bool:
    record, reader = case.record, case.reader
    return record is not None and reader not in (record.issuer, *record.readers)


def _is_member(case: DocumentCase) -> bool:
    return case.reader is not None and case.context.roster.find(case.reader) is not None


def _records_kept(case: DocumentCase) -> bool:
    if case.record is None:
        return False
    anchored_on = case.context.calendar.legal_date(case.record.anchored_ms)
    return case.context.today > anniversary(anchored_on, DOCUMENT_RECORD_YEARS.value)


_S = DocumentState
DOCUMENT_TABLE: Table[DocumentState, DocumentCase] = Table(
    "document",
    DocumentState,
    (
        Step(
            _S.UNANCHORED,
            "document.anchor",
            Actor.ANYBODY,
            _S.ANCHORED,
            "design: any act may anchor documents",
        ),
        Step(
            _S.ANCHORED,
            "document.disclose",
            Actor.DOCUMENT_PARTY,
            _S.ANCHORED,
            "design: a court or a broker reads what was anchored, without a new document",
            guards=(
                Guard("a reader that is a member of the network", Refusal.UNKNOWN_ADDRESSEE, _is_member),
                Guard("a reader who has no envelope of it yet", Refusal.READS_ALREADY, _is_new_reader),
                Guard(
                    f"at most {DISCLOSURES_MAX} further readers",
                    Refusal.IMPOSSIBLE_TRANSITION,
                    lambda case: case.record is not None and len(case.record.disclosed) < DISCLOSURES_MAX,
                ),
            ),
        ),
        Step(
            _S.ANCHORED,
            "document.purge",
            Actor.DOCUMENT_ISSUER,
            _S.PURGED,
            DOCUMENT_RECORD_YEARS.source,
            limit=str(DOCUMENT_RECORD_YEARS),
            guards=(Guard("that records need not be kept any more", Refusal.TOO_EARLY, _records_kept),),
        ),
    ),
)


def anchor_document(
    context: Context, state: Writer, document_class: str, addressees: tuple[str, ...], *, subject: str | None
) -> bytes:
    """Record the act's one document and return its root.

    Raises:
        RuleViolatedError: if the root is known already or an addressee is not.
    """
    (root,) = context.documents
    key = document_key(root)
    if state.get(key) is not None:
        raise RuleViolatedError(context.event, Refusal.DOCUMENT_EXISTS, f"{key} is on the ledger already")
    for addressee in addressees:
        if addressee == context.sender.id or context.roster.find(addressee) is None:
            raise RuleViolatedError(
                context.event,
                Refusal.UNKNOWN_ADDRESSEE,
                f"addressee {addressee} is the sender or no organization",
            )
    record = DocumentRecord(document_class, context.sender.id, addressees, subject, context.time_ms)
    state.put(key, record.encode())
    return root


def present_document(
    context: Context, state: Writer, document_class: str, addressees: tuple[str, ...], *, subject: str
) -> bytes:
    """Return the one document's root: a new one is recorded, a known one must be the sender's or for it.

    Raises:
        RuleViolatedError: if the root is known and neither issued by nor addressed to the sender.
    """
    (root,) = context.documents
    data = state.get(document_key(root))
    if data is None:
        return anchor_document(context, state, document_class, addressees, subject=subject)
    record = read_document(data)
    if context.sender.id not in (record.issuer, *record.readers):
        raise RuleViolatedError(
            context.event,
            Refusal.NOT_CLAIMANT_DOCUMENT,
            f"{document_key(root)} is neither by {context.sender.id} nor for it",
        )
    return root


def find_document(context: Context, state: Writer, root: bytes) -> DocumentRecord:
    """Return an anchored document.

    Raises:
        RuleViolatedError: if there is none.
    """
    data = state.get(document_key(root))
    if data is None:
        raise RuleViolatedError(
            context.event, Refusal.UNKNOWN_DOCUMENT, f"no document has the root {root.hex()}"
        )
    return read_document(data)


@dataclass(frozen=True, slots=True)
class AnchorDocument:
    """`document.anchor`: any other document's root."""

    document_class: str
    addressees: tuple[str, ...]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Take the body's fields."""
        return cls(
            fields.text("class", 16, f"{OFFICIAL}|{COMMERCIAL}"),
            read_addressees(fields, "addressees", 1),
        )

    def apply(self, context: Context, state: Writer) -> tuple[Finding, ...]:
        """Record the document."""
        if self.document_class == OFFICIAL and not context.sender.roles & _AUTHORITIES:
            raise RuleViolatedError(
                context.event, Refusal.NOT_OFFICIAL, f"{context.sender.id} is neither customs nor fisheries"
            )
        DOCUMENT_TABLE.advance(DocumentState.UNANCHORED, context.event, DocumentCase(context, None))
        anchor_document(context, state, self.document_class, self.addressees, subject=None)
        return ()


@dataclass(frozen=True, slots=True)
class DiscloseDocument:
    """`document.disclose`: one who has the document sends it to a further member."""

    root: bytes
    to: str

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Take the body's fields."""
        return cls(fields.raw("root", size=ROOT_BYTES), read_organization(fields, "to"))

    def apply(self, context: Context, state: Writer) -> tuple[Finding, ...]:
        """Record the further reader, and by whom."""
        record = find_document(context, state, self.root)
        reached = DOCUMENT_TABLE.advance(record.state, context.event, DocumentCase(context, record, self.to))
        disclosed = (*record.disclosed, (self.to, context.sender.id))
        after = replace(record, state=reached, disclosed=disclosed)
        state.put(document_key(self.root), after.encode())
        return ()


@dataclass(frozen=True, slots=True)
class PurgeDocument:
    """`document.purge`: the issuer has every envelope of the document deleted."""

    root: bytes

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Take the body's fields."""
        return cls(fields.raw("root", size=ROOT_BYTES))

    def apply(self, context: Context, state: Writer) -> tuple[Finding, ...]:
        """Leave a tombstone."""
        record = find_document(context, state, self.root)
        reached = DOCUMENT_TABLE.advance(record.state, context.event, DocumentCase(context, record))
        after = replace(record, state=reached, purged_ms=context.time_ms)
        state.put(document_key(self.root), after.encode())
        return ()


def purged_roots(changes: Mapping[str, bytes | None]) -> tuple[bytes, ...]:
    """Return the roots of documents that are purged in these changes of the state."""
    prefix = document_key(b"")
    return tuple(
        bytes.fromhex(key.removeprefix(prefix))
        for key, value in changes.items()
        if key.startswith(prefix) and value is not None and read_document(value).state is DocumentState.PURGED
    )
