"""The documents that agents send each other, and how their fields are read.

Rules:
- Every document says its kind; everything else in it is private to sender and addressee.
- `PUBLIC_FIELDS` are those whose values stand on the ledger anyway, `CODE_FIELDS` those that take words of a
  fixed vocabulary; a search for leaks looks for all others.
- Nothing read here shows itself: a fault names the field, never the value.
"""

from __future__ import annotations

import datetime
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NoReturn

from ledger.documents import DocumentPlain, OpenedEnvelope, Private
from ledger.encoding import Value
from ledger.forms import CERTIFICATES, FORMS

KIND = "kind"
SUBJECT = "claim"
"""The field that says which claim a document is about."""
FINE = "fine"
"""The field that says which commitment on the ledger a document opens."""
FORM = "form370"
"""The field that says which form 370 a document is about."""


class PaperKind(StrEnum):
    """What a document is."""

    INVOICE = "INVOICE"
    ENTRY_LINE = "ENTRY-LINE"
    INSTRUCTION = "ENTRY-INSTRUCTION"
    REQUEST = "CF-28"
    ANSWER = "CF-28-REPLY"
    EXTENSION = "CF-28-EXTENSION"
    SERIES_NOTICE = "SERIES-NOTICE"
    CURE_NOTICE = "CURE-NOTICE"
    ACTION = "CF-29"
    PROTEST = "PROTEST"
    VERIFICATION_NOTICE = "VERIFICATION-NOTICE"
    QUESTIONS = "CF-446-QUESTIONS"
    QUESTIONNAIRE = "CF-446"
    REMINDER = "CF-446-REMINDER"
    VISIT_NOTICE = "VISIT-NOTICE"
    CONSENT = "VISIT-CONSENT"
    REFUSAL = "VISIT-REFUSAL"
    VISIT_REPORT = "VISIT-REPORT"
    INTENT = "INTENT-TO-DENY"
    DETERMINATION = "DETERMINATION"
    PATTERN_NOTICE = "PATTERN-NOTICE"
    DECISION = "DECISION"
    CORRECTION = "CORRECTION"
    NOTICE = "NOTICE"
    HOLDING_NOTICE = "HOLDING-NOTICE"
    FORM_370 = "NOAA-370"
    CAPTAIN_STATEMENT = "CAPTAIN-STATEMENT"
    OBSERVER_STATEMENT = "OBSERVER-STATEMENT"
    IDCP_CERTIFICATION = "IDCP-CERTIFICATION"
    CUSTODY_STATEMENT = "CUSTODY-STATEMENT"
    FORM_370_FILING = "NOAA-370-FILING"
    FORM_370_DECISION = "NOAA-370-DECISION"
    FORM_370_ANSWER = "NOAA-370-ANSWER"


def is_certificate(kind: str) -> bool:
    """Say whether a kind is a certificate of origin, on whichever form."""
    return kind in CERTIFICATES


PUBLIC_FIELDS: frozenset[str] = frozenset(
    {
        KIND,
        "acknowledgement",
        "blanket_from",
        "blanket_to",
        "certificate",
        "certificate_root",
        "claim",
        "discovered_on",
        "entry",
        "entry_on",
        "fine",
        "form370",
        "import_on",
        "invoice_root",
        "regime",
        "shipment",
        "signed_on",
        "spi",
        "verification",
        *(name for form in FORMS.values() for name in form.public),
    }
)
"""Fields whose values are on the ledger, or follow from what is."""

CODE_FIELDS: frozenset[str] = frozenset(
    {
        "defects",
        "state",
        "subheadings",
        *(name for form in FORMS.values() for name in form.coded),
        "gear",
        "none_killed_or_injured",
        "not_set_on_dolphins",
        "observer_whole_trip",
        "ocean_area",
        "pga_codes",
        "pga_status",
        "species",
        "status",
        "training_completed",
        "vessel_flag",
        "whole_trip",
    }
)
"""Fields whose values are words of a form or of a table: to find such a word elsewhere tells nothing."""


def open_fields(fields: Mapping[str, Value], member_names: Collection[str]) -> frozenset[str]:
    """Return the names of fields whose values may be found anywhere without being a leak.

    Args:
        fields: of a document.
        member_names: the members' names for people, which the ledger tells everybody.
    """
    return frozenset(
        name
        for name, value in fields.items()
        if name.rpartition(".")[2] in PUBLIC_FIELDS | CODE_FIELDS
        or (isinstance(value, str) and value in member_names)
    )


class PaperError(Exception):
    """A document that lacks a field or has it in another form; the message never shows a value."""


@dataclass(frozen=True, slots=True)
class Paper:
    """A document as its reader has it.

    Attributes:
        kind: what it says it is.
        root: recomputed from its digests.
        fields: what was disclosed to this reader.
    """

    kind: str
    root: bytes
    fields: Mapping[str, Private[Value]]

    @staticmethod
    def of(document: OpenedEnvelope | DocumentPlain) -> Paper:
        """Return the document behind an opened envelope, or one's own.

        Raises:
            PaperError: if it does not say its kind.
        """
        fields = {disclosure.name: disclosure.value for disclosure in document.disclosures}
        kind = fields[KIND].reveal() if KIND in fields else None
        if not isinstance(kind, str):
            raise PaperError(f"document {document.root.hex()[:16]} does not say its kind")
        return Paper(kind, document.root, fields)

    def has(self, name: str) -> bool:
        """Whether the field was disclosed and is not empty."""
        return name in self.fields and self.fields[name].reveal() is not None

    def text(self, name: str) -> str:
        """Return a field that is text.

        Raises:
            PaperError: if it is missing or no text.
        """
        value = self._value(name)
        if not isinstance(value, str):
            self._refuse(name, "is no text")
        return value

    def raw(self, name: str) -> bytes:
        """Return a field that is bytes.

        Raises:
            PaperError: if it is missing or no bytes.
        """
        value = self._value(name)
        if not isinstance(value, bytes):
            self._refuse(name, "is no byte string")
        return value

    def integer(self, name: str) -> int:
        """Return a field that is a whole number.

        Raises:
            PaperError: if it is missing or no whole number.
        """
        value = self._value(name)
        if type(value) is not int:
            self._refuse(name, "is no whole number")
        return value

    def date(self, name: str) -> datetime.date:
        """Return a field that is a date.

        Raises:
            PaperError: if it is missing or no date.
        """
        try:
            return datetime.date.fromisoformat(self.text(name))
        except ValueError:
            self._refuse(name, "is no date")

    def plain(self) -> dict[str, Value]:
        """Return all fields in the clear, for whoever may work on them; they must not leave the agent."""
        return {name: value.reveal() for name, value in self.fields.items() if name != KIND}

    def _value(self, name: str) -> Value:
        if name not in self.fields:
            self._refuse(name, "is missing")
        return self.fields[name].reveal()

    def _refuse(self, name: str, reason: str) -> NoReturn:
        raise PaperError(f"document {self.root.hex()[:16]}, {self.kind}: field {name} {reason}") from None
