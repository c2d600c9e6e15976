"""The records that contracts keep in the state, and their only spelling in bytes.

Rules:
- Records hold public facts alone: who, what kind, when, dates, status, and roots or salted commitments.
- Reading is a pure function of the bytes, remembered; bytes that are no such record mean a damaged state.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from ledger.encoding import Encodable, Value, decode, encode
from ledger.errors import MalformedError
from ledger.fields import Fields
from ledger.state import VALUE_BYTES_MAX

_REMEMBERED = 4096

DISCLOSURES_MAX = 256
"""To how many further readers one document may be disclosed."""


class CertificateState(StrEnum):
    """A certificate of origin. DRAFT and SIGNED happen off the ledger and are UNANCHORED here."""

    UNANCHORED = "UNANCHORED"
    ACTIVE = "ACTIVE"
    NOTICE_GIVEN = "NOTICE_GIVEN"
    CORRECTED = "CORRECTED"


class HoldingState(StrEnum):
    """What every member may know of one importer's possession of one certificate; the fine state is private."""

    NONE = "NONE"
    DELIVERED = "DELIVERED"
    HELD = "HELD"
    DISPUTED = "DISPUTED"
    OFFICIAL_OPEN = "OFFICIAL_OPEN"
    OFFICIAL_CLOSED = "OFFICIAL_CLOSED"


class ClaimState(StrEnum):
    """What every member may know of a claim; the fine state is private."""

    NONE = "NONE"
    CLAIMED = "CLAIMED"
    CORRECTED = "CORRECTED"
    OFFICIAL_OPEN = "OFFICIAL_OPEN"
    OFFICIAL_CLOSED = "OFFICIAL_CLOSED"
    LIQUIDATED = "LIQUIDATED"


@dataclass(frozen=True, slots=True)
class Blanket:
    """A blanket period; both named days are covered."""

    first: datetime.date
    last: datetime.date

    def covers(self, day: datetime.date) -> bool:
        """Say whether `day` lies in the period."""
        return self.first <= day <= self.last


@dataclass(frozen=True, slots=True)
class CertificateRecord:
    """An anchored certificate of origin.

    Attributes:
        state: see the table.
        form: NAFTA-434, CAFTA-DR or USMCA.
        issuer: organization id.
        signed_on: the declared signature date.
        blanket: the period covered, or None for a single shipment.
        shipment: the shipment covered, or None for a blanket.
        addressees: organization ids.
        root: the document's root.
        anchored_ms: block time.
        successor: id of the certificate that replaced it.
        entry: the entry on which a single-shipment certificate was first used for its own shipment.
    """

    state: CertificateState
    form: str
    issuer: str
    signed_on: datetime.date
    blanket: Blanket | None
    shipment: str | None
    addressees: tuple[str, ...]
    root: bytes
    anchored_ms: int
    successor: bytes | None = None
    entry: str | None = None

    def encode(self) -> bytes:
        """Return the canonical bytes."""
        blanket = None
        if self.blanket is not None:
            blanket = {"from": self.blanket.first.isoformat(), "to": self.blanket.last.isoformat()}
        return encode(
            {
                "state": self.state.value,
                "form": self.form,
                "issuer": self.issuer,
                "signed_on": self.signed_on.isoformat(),
                "blanket": blanket,
                "shipment": self.shipment,
                "addressees": self.addressees,
                "root": self.root,
                "anchored_ms": self.anchored_ms,
                "successor": self.successor,
                "entry": self.entry,
            }
        )


@dataclass(frozen=True, slots=True)
class ComplaintRecord:
    """What a reader says of an envelope.

    Attributes:
        reason: a code word.
        accused: who sent it, by its own signature.
        envelope: sha256 of the sealed bytes; None if digests that the accused signed convict it already.
    """

    reason: str
    accused: str
    envelope: bytes | None = None

    def as_map(self) -> dict[str, Encodable]:
        """Return the canonical map."""
        return {"reason": self.reason, "accused": self.accused, "envelope": self.envelope}


@dataclass(frozen=True, slots=True)
class HoldingRecord:
    """One importer's holding of one certificate, with the block times that prove it.

    Attributes:
        state: see the table.
        delivered_ms, acknowledged_ms: block times of delivery and acknowledgement.
        fine: the latest commitment to the fine state, once Customs has looked into it.
        complaint: of the envelope that came, until the certificate is delivered again.
    """

    state: HoldingState
    delivered_ms: int
    acknowledged_ms: int | None = None
    fine: bytes | None = None
    complaint: ComplaintRecord | None = None

    def encode(self) -> bytes:
        """Return the canonical bytes."""
        return encode(
            {
                "state": self.state.value,
                "delivered_ms": self.delivered_ms,
                "acknowledged_ms": self.acknowledged_ms,
                "fine": self.fine,
                "complaint": None if self.complaint is None else self.complaint.as_map(),
            }
        )


class PowerState(StrEnum):
    """A power of attorney from an importer to a customs broker."""

    NONE = "NONE"
    GRANTED = "GRANTED"
    REVOKED = "REVOKED"


@dataclass(frozen=True, slots=True)
class PowerRecord:
    """A power of attorney, as far as every member sees it; who granted it to whom is in its key.

    Attributes:
        state: see the table.
        first: the first day on which it is in force.
        last: the last one, or None if it ends by revocation alone.
        granted_ms: block time of the latest grant.
        revoked_ms: block time of the revocation, or None.
    """

    state: PowerState
    first: datetime.date
    last: datetime.date | None
    granted_ms: int
    revoked_ms: int | None = None

    def covers(self, day: datetime.date) -> bool:
        """Say whether the power is in force on `day`; both named days are covered."""
        in_time = self.first <= day and (self.last is None or day <= self.last)
        return self.state is PowerState.GRANTED and in_time

    def encode(self) -> bytes:
        """Return the canonical bytes."""
        return encode(
            {
                "state": self.state.value,
                "from": self.first.isoformat(),
                "to": None if self.last is None else self.last.isoformat(),
                "granted_ms": self.granted_ms,
                "revoked_ms": self.revoked_ms,
            }
        )


@dataclass(frozen=True, slots=True)
class ClaimRecord:
    """A preference claim on one entry line.

    Attributes:
        state: the public state.
        importer: organization id of the importer of record.
        filer: organization id of who filed it: the importer itself, or its customs broker.
        post: whether it is a post-importation claim.
        regime: NAFTA, CAFTA-DR or USMCA.
        spi: special program indicator.
        certificate: id of the certificate it rests on, if it names one.
        entry_on: declared entry date.
        import_on: declared import date.
        shipment: the shipment it is for, if named.
        fine: salted commitment to the private fine state.
        filed_ms: block time of the claim.
        findings: legal findings recorded so far, in order of record.
        liquidated_ms: block time of the first liquidation, from which the time to protest runs.
    """

    state: ClaimState
    importer: str
    filer: str
    post: bool
    regime: str
    spi: str
    certificate: bytes | None
    entry_on: datetime.date
    import_on: datetime.date
    shipment: str | None
    fine: bytes
    filed_ms: int
    findings: tuple[str, ...] = ()
    liquidated_ms: int | None = None

    def encode(self) -> bytes:
        """Return the canonical bytes."""
        return encode(
            {
                "state": self.state.value,
                "importer": self.importer,
                "filer": self.filer,
                "post": self.post,
                "regime": self.regime,
                "spi": self.spi,
                "certificate": self.certificate,
                "entry_on": self.entry_on.isoformat(),
                "import_on": self.import_on.isoformat(),
                "shipment": self.shipment,
                "fine": self.fine,
                "filed_ms": self.filed_ms,
                "findings": self.findings,
                "liquidated_ms": self.liquidated_ms,
            }
        )


class DocumentState(StrEnum):
    """An anchored document."""

    UNANCHORED = "UNANCHORED"
    ANCHORED = "ANCHORED"
    PURGED = "PURGED"


class ReadingState(StrEnum):
    """What one reader of a document has said of its envelope."""

    NONE = "NONE"
    ACKNOWLEDGED = "ACKNOWLEDGED"
    DISPUTED = "DISPUTED"


@dataclass(frozen=True, slots=True)
class DocumentRecord:
    """An anchored document: who told whom, when.

    Attributes:
        document_class: `official` or `commercial`.
        issuer: organization id.
        addressees: whom it was anchored for.
        subject: state key of what it is about.
        anchored_ms: block time.
        state: see the table.
        disclosed: (reader, by whom) of everyone it was disclosed to later, in order.
        purged_ms: block time of its purge.
    """

    document_class: str
    issuer: str
    addressees: tuple[str, ...]
    subject: str | None
    anchored_ms: int
    state: DocumentState = DocumentState.ANCHORED
    disclosed: tuple[tuple[str, str], ...] = ()
    purged_ms: int | None = None

    def senders_to(self, reader: str) -> tuple[str, ...]:
        """Return who sent a reader an envelope: the issuer if it is an addressee, and whoever disclosed it to it."""
        issuer = (self.issuer,) if reader in self.addressees else ()
        return (*issuer, *(by for to, by in self.disclosed if to == reader))

    @property
    def readers(self) -> tuple[str, ...]:
        """Everyone who was sent an envelope: addressees, and those it was disclosed to."""
        return (*self.addressees, *(reader for reader, _ in self.disclosed))

    def encode(self) -> bytes:
        """Return the canonical bytes."""
        return encode(
            {
                "class": self.document_class,
                "issuer": self.issuer,
                "addressees": self.addressees,
                "subject": self.subject,
                "anchored_ms": self.anchored_ms,
                "state": self.state.value,
                "disclosed": [list(pair) for pair in self.disclosed],
                "purged_ms": self.purged_ms,
            }
        )


@dataclass(frozen=True, slots=True)
class ReadingRecord:
    """One reader's word on its envelope.

    Attributes:
        state: see the table.
        said_ms: block time.
        complaint: what it complains of.
    """

    state: ReadingState
    said_ms: int
    complaint: ComplaintRecord | None = None

    def encode(self) -> bytes:
        """Return the canonical bytes."""
        return encode(
            {
                "state": self.state.value,
                "said_ms": self.said_ms,
                "complaint": None if self.complaint is None else self.complaint.as_map(),
            }
        )


@lru_cache(_REMEMBERED)
def read_certificate(data: bytes) -> CertificateRecord:
    """Return the certificate whose canonical bytes are `data`."""
    fields = _fields(data, "certificate record")
    blanket = fields.optional_map("blanket")
    return CertificateRecord(
        state=CertificateState(fields.text("state")),
        form=fields.text("form"),
        issuer=fields.text("issuer"),
        signed_on=fields.date("signed_on"),
        blanket=None if blanket is None else _read_blanket(Fields(blanket, "certificate record.blanket")),
        shipment=fields.optional_text("shipment"),
        addressees=fields.texts("addressees", 1000),
        root=fields.raw("root"),
        anchored_ms=fields.integer("anchored_ms"),
        successor=fields.optional_raw("successor"),
        entry=fields.optional_text("entry"),
    )


@lru_cache(_REMEMBERED)
def read_holding(data: bytes) -> HoldingRecord:
    """Return the holding whose canonical bytes are `data`."""
    fields = _fields(data, "holding record")
    return HoldingRecord(
        state=HoldingState(fields.text("state")),
        delivered_ms=fields.integer("delivered_ms"),
        acknowledged_ms=fields.optional_integer("acknowledged_ms"),
        fine=fields.optional_raw("fine", size=32),
        complaint=_read_complaint(fields),
    )


@lru_cache(_REMEMBERED)
def read_claim(data: bytes) -> ClaimRecord:
    """Return the claim whose canonical bytes are `data`."""
    fields = _fields(data, "claim record")
    return ClaimRecord(
        state=ClaimState(fields.text("state")),
        importer=fields.text("importer"),
        filer=fields.text("filer"),
        post=fields.boolean("post"),
        regime=fields.text("regime"),
        spi=fields.text("spi"),
        certificate=fields.optional_raw("certificate"),
        entry_on=fields.date("entry_on"),
        import_on=fields.date("import_on"),
        shipment=fields.optional_text("shipment"),
        fine=fields.raw("fine"),
        filed_ms=fields.integer("filed_ms"),
        findings=fields.texts("findings", 1000),
        liquidated_ms=fields.optional_integer("liquidated_ms"),
    )


@lru_cache(_REMEMBERED)
def read_power(data: bytes) -> PowerRecord:
    """Return the power of attorney whose canonical bytes are `data`."""
    fields = _fields(data, "power record")
    return PowerRecord(
        state=PowerState(fields.text("state")),
        first=fields.date("from"),
        last=fields.optional_date("to"),
        granted_ms=fields.integer("granted_ms"),
        revoked_ms=fields.optional_integer("revoked_ms"),
    )


@lru_cache(_REMEMBERED)
def read_document(data: bytes) -> DocumentRecord:
    """Return the document whose canonical bytes are `data`."""
    fields = _fields(data, "document record")
    return DocumentRecord(
        document_class=fields.text("class"),
        issuer=fields.text("issuer"),
        addressees=fields.texts("addressees", 1000),
        subject=fields.optional_text("subject", 1000),
        anchored_ms=fields.integer("anchored_ms"),
        state=DocumentState(fields.text("state")),
        disclosed=tuple(_read_pair(item) for item in fields.items("disclosed", DISCLOSURES_MAX)),
        purged_ms=fields.optional_integer("purged_ms"),
    )


@lru_cache(_REMEMBERED)
def read_reading(data: bytes) -> ReadingRecord:
    """Return the reading whose canonical bytes are `data`."""
    fields = _fields(data, "reading record")
    return ReadingRecord(
        state=ReadingState(fields.text("state")),
        said_ms=fields.integer("said_ms"),
        complaint=_read_complaint(fields),
    )


def _read_complaint(fields: Fields) -> ComplaintRecord | None:
    value = fields.optional_map("complaint")
    if value is None:
        return None
    complaint = Fields(value, "complaint record")
    return ComplaintRecord(
        reason=complaint.text("reason"),
        accused=complaint.text("accused"),
        envelope=complaint.optional_raw("envelope", size=32),
    )


def _read_pair(item: Value) -> tuple[str, str]:
    match item:
        case [str(reader), str(by)]:
            return reader, by
    raise MalformedError("document record.disclosed: expected [reader, by]")


def _fields(data: bytes, where: str) -> Fields:
    value: Value = decode(data, limit_bytes=VALUE_BYTES_MAX)
    return Fields(value, where)


def _read_blanket(fields: Fields) -> Blanket:
    return Blanket(fields.date("from"), fields.date("to"))
