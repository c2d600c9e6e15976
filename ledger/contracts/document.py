"""Anchored documents: a root on the ledger, its class, and who it is for.

Rules:
- A root is anchored once. Whoever finds its root taken commits to the fields again with fresh salts.
- Class `official` is for acts of authority; what it is about in detail is nobody's business but the
  addressees'.
- Addressees exist and are not the sender.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from ledger.contracts.act import Context, Writer, read_addressees
from ledger.contracts.findings import Finding
from ledger.contracts.records import DocumentRecord, read_document
from ledger.contracts.table import Refusal, RuleViolatedError
from ledger.fields import Fields
from ledger.genesis import Role
from ledger.state import document_key

OFFICIAL = "official"
COMMERCIAL = "commercial"
_AUTHORITIES = frozenset({Role.CUSTOMS, Role.FISHERIES})


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
    if context.sender.id not in (record.issuer, *record.addressees):
        raise RuleViolatedError(
            context.event,
            Refusal.NOT_CLAIMANT_DOCUMENT,
            f"{document_key(root)} is neither by {context.sender.id} nor for it",
        )
    return root


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
        anchor_document(context, state, self.document_class, self.addressees, subject=None)
        return ()
