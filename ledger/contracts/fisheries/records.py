"""The records of fisheries certificates of origin and permits in the state.

Rules:
- A form's record has who takes custody, who endorsed and when, entry number, dates and states. Species,
  weights, vessels, trips and the dolphin-safe status are behind the document's root.
- ENDORSED means that every party of the chain has endorsed; `missing` says who has not.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from ledger.encoding import Encodable, decode, encode
from ledger.fields import Fields
from ledger.genesis import Role
from ledger.state import VALUE_BYTES_MAX

_REMEMBERED = 4096


class Form370State(StrEnum):
    """What every member may know of a form. The trip's end and its certification happen off the ledger."""

    NONE = "NONE"
    DRAFT = "DRAFT"
    ENDORSED = "ENDORSED"
    FILED = "FILED"
    OFFICIAL_OPEN = "OFFICIAL_OPEN"
    OFFICIAL_CLOSED = "OFFICIAL_CLOSED"


@dataclass(frozen=True, slots=True)
class Hop:
    """One party that takes custody.

    Attributes:
        organization: its id.
        role: the capacity in which it takes custody: exporter, processor or importer.
        signed_on: the date that its endorsement bears, or None before it.
        endorsed_ms: block time of the endorsement, or None.
    """

    organization: str
    role: Role
    signed_on: datetime.date | None = None
    endorsed_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Form370Record:
    """A fisheries certificate of origin.

    Attributes:
        state: see the table.
        issuer: the exporter that drafted it.
        shipment: the exporter's name for the one shipment it covers.
        custody: every party that takes custody, in order; the last is the importer.
        addressees: organization ids.
        root: the document's root.
        drafted_ms: block time.
        entry: customs entry number, once filed.
        import_on: declared day of importation, once filed.
        filed_ms: block time of the filing, or None.
        fine: salted commitment to the private state of its inspection, once filed.
        findings: legal findings recorded so far, in order of record.
    """

    state: Form370State
    issuer: str
    shipment: str
    custody: tuple[Hop, ...]
    addressees: tuple[str, ...]
    root: bytes
    drafted_ms: int
    entry: str | None = None
    import_on: datetime.date | None = None
    filed_ms: int | None = None
    fine: bytes | None = None
    findings: tuple[str, ...] = ()

    @property
    def importer(self) -> str:
        """The party at the end of the chain, who files."""
        return self.custody[-1].organization

    @property
    def missing(self) -> tuple[str, ...]:
        """Who takes custody and has not endorsed, in the chain's order."""
        return tuple(hop.organization for hop in self.custody if hop.endorsed_ms is None)

    def hop_of(self, organization: str) -> Hop | None:
        """Return an organization's place in the chain, or None."""
        return next((hop for hop in self.custody if hop.organization == organization), None)

    def encode(self) -> bytes:
        """Return the canonical bytes."""
        return encode(
            {
                "state": self.state.value,
                "issuer": self.issuer,
                "shipment": self.shipment,
                "custody": [_hop(hop) for hop in self.custody],
                "addressees": self.addressees,
                "root": self.root,
                "drafted_ms": self.drafted_ms,
                "entry": self.entry,
                "import_on": None if self.import_on is None else self.import_on.isoformat(),
                "filed_ms": self.filed_ms,
                "fine": self.fine,
                "findings": self.findings,
            }
        )


@dataclass(frozen=True, slots=True)
class PermitRecord:
    """An importer's international fisheries trade permit; both named days are covered."""

    first: datetime.date
    last: datetime.date
    granted_ms: int

    def covers(self, day: datetime.date) -> bool:
        """Say whether the permit is in force on `day`."""
        return self.first <= day <= self.last

    def encode(self) -> bytes:
        """Return the canonical bytes."""
        return encode(
            {
                "from": self.first.isoformat(),
                "to": self.last.isoformat(),
                "granted_ms": self.granted_ms,
            }
        )


@lru_cache(_REMEMBERED)
def read_form370(data: bytes) -> Form370Record:
    """Return the form whose canonical bytes are `data`."""
    fields = Fields(decode(data, limit_bytes=VALUE_BYTES_MAX), "form 370 record")
    return Form370Record(
        state=Form370State(fields.text("state")),
        issuer=fields.text("issuer"),
        shipment=fields.text("shipment"),
        custody=tuple(
            _read_hop(Fields(item, "form 370 record.custody")) for item in fields.items("custody", 1000)
        ),
        addressees=fields.texts("addressees", 1000),
        root=fields.raw("root"),
        drafted_ms=fields.integer("drafted_ms"),
        entry=fields.optional_text("entry"),
        import_on=fields.optional_date("import_on"),
        filed_ms=fields.optional_integer("filed_ms"),
        fine=fields.optional_raw("fine"),
        findings=fields.texts("findings", 1000),
    )


@lru_cache(_REMEMBERED)
def read_permit(data: bytes) -> PermitRecord:
    """Return the permit whose canonical bytes are `data`."""
    fields = Fields(decode(data, limit_bytes=VALUE_BYTES_MAX), "permit record")
    return PermitRecord(fields.date("from"), fields.date("to"), fields.integer("granted_ms"))


def _hop(hop: Hop) -> dict[str, Encodable]:
    return {
        "organization": hop.organization,
        "role": hop.role.value,
        "signed_on": None if hop.signed_on is None else hop.signed_on.isoformat(),
        "endorsed_ms": hop.endorsed_ms,
    }


def _read_hop(fields: Fields) -> Hop:
    return Hop(
        organization=fields.text("organization"),
        role=Role(fields.text("role")),
        signed_on=fields.optional_date("signed_on"),
        endorsed_ms=fields.optional_integer("endorsed_ms"),
    )
