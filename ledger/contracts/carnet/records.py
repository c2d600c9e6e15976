"""The records of ATA carnets that contracts keep in the state, and their only spelling in bytes.

Rules:
- Public are item numbers and pieces, dates, who and where; descriptions, values and serial numbers are private
  behind the general list's root.
- A carnet that replaces a lost one belongs to the same *line*, named by its first carnet's id (`origin`): goods,
  vouchers and claims are the line's.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache

from ledger.encoding import Value, decode, encode
from ledger.errors import MalformedError
from ledger.fields import Fields
from ledger.state import VALUE_BYTES_MAX

ITEMS_MAX = 200
ITEM_NUMBER_MAX = 9999
PIECES_MAX = 1_000_000
VOUCHERS_MAX = 999
_REMEMBERED = 4096

Pieces = Mapping[int, int]
"""Item number to pieces; items without pieces are left out, in the order of the numbers."""


class CarnetState(StrEnum):
    """A carnet on the ledger. Whether it is EXPIRED is a matter of the day: see `carnet_status`."""

    NONE = "NONE"
    APPLIED = "APPLIED"
    SECURED = "SECURED"
    ISSUED = "ISSUED"
    ACTIVE = "ACTIVE"
    RETURNED = "RETURNED"
    DISCHARGED = "DISCHARGED"
    REPLACED = "REPLACED"


class VoucherState(StrEnum):
    """One voucher with its counterfoil."""

    NONE = "NONE"
    PRESENTED = "PRESENTED"
    ENDORSED = "ENDORSED"
    REFUSED = "REFUSED"


class VoucherKind(StrEnum):
    """What a voucher is for; yellow, white and blue are its color in the booklet."""

    EXPORT = "EXPORT"
    IMPORT = "IMPORT"
    REEXPORT = "REEXPORT"
    TRANSIT_ENTRY = "TRANSIT_ENTRY"
    TRANSIT_EXIT = "TRANSIT_EXIT"
    REIMPORT = "REIMPORT"


class CarnetClaimState(StrEnum):
    """What every member may know of customs' claim; the fine state is private."""

    NONE = "NONE"
    OFFICIAL_OPEN = "OFFICIAL_OPEN"
    OFFICIAL_CLOSED = "OFFICIAL_CLOSED"


@dataclass(frozen=True, slots=True)
class CarnetRecord:
    """An ATA carnet.

    Attributes:
        state: see the table.
        origin: id of the first carnet of its line; its own unless it replaces a lost one.
        holder: organization id.
        issuer: the chamber or association that it was applied for to.
        guarantor: the guaranteeing association of the issuing country, once issued.
        root: of the cover and general list, frozen by the application.
        issued_on: legal day of issue.
        valid_until: the last day of validity.
        successor: id of the carnet that replaced it.
    """

    state: CarnetState
    origin: bytes
    holder: str
    issuer: str
    root: bytes
    guarantor: str | None = None
    issued_on: datetime.date | None = None
    valid_until: datetime.date | None = None
    successor: bytes | None = None

    def encode(self) -> bytes:
        """Return the canonical bytes."""
        return encode(
            {
                "state": self.state.value,
                "origin": self.origin,
                "holder": self.holder,
                "issuer": self.issuer,
                "root": self.root,
                "guarantor": self.guarantor,
                "issued_on": _iso(self.issued_on),
                "valid_until": _iso(self.valid_until),
                "successor": self.successor,
            }
        )


@dataclass(frozen=True, slots=True)
class GoodsRecord:
    """Where the goods of a carnet's line are.

    Attributes:
        listed: pieces per item on the general list.
        home: in the holder's country.
        out: between countries.
        inside: per country, where an importation or transit voucher holds them.
        settled: per country, lawfully destroyed, stolen, or sold with duty paid.
        open_imports: serials of importation and transit vouchers that are not wholly discharged without reserve.
        open_claims: serials of vouchers with an open claim.
    """

    listed: Pieces
    home: Pieces
    out: Pieces
    inside: Mapping[str, Pieces]
    settled: Mapping[str, Pieces]
    open_imports: tuple[int, ...] = ()
    open_claims: tuple[int, ...] = ()

    def encode(self) -> bytes:
        """Return the canonical bytes."""
        return encode(
            {
                "listed": write_pieces(self.listed),
                "home": write_pieces(self.home),
                "out": write_pieces(self.out),
                "inside": {country: write_pieces(there) for country, there in self.inside.items()},
                "settled": {country: write_pieces(there) for country, there in self.settled.items()},
                "open_imports": self.open_imports,
                "open_claims": self.open_claims,
            }
        )


@dataclass(frozen=True, slots=True)
class VoucherRecord:
    """A voucher that was presented.

    Attributes:
        state: see the table.
        carnet: id of the carnet it was torn from.
        kind: what it is for.
        office: the customs organization.
        country: of that office.
        items: pieces per item that it covers.
        cites: serial of the importation or transit voucher that the goods came in under.
        endorsed_on: date of customs' stamp.
        final_on: last day for re-export, of goods that came in.
        inside: pieces that are still held under it, of goods that came in.
        undischarged: pieces that customs has not endorsed as gone or settled, of goods that came in.
        unconditional: whether every discharge of it so far was unconditional.
    """

    state: VoucherState
    carnet: bytes
    kind: VoucherKind
    office: str
    country: str
    items: Pieces
    cites: int | None
    endorsed_on: datetime.date | None = None
    final_on: datetime.date | None = None
    inside: Pieces = field(default_factory=dict)
    undischarged: Pieces = field(default_factory=dict)
    unconditional: bool = True

    def encode(self) -> bytes:
        """Return the canonical bytes."""
        return encode(
            {
                "state": self.state.value,
                "carnet": self.carnet,
                "kind": self.kind.value,
                "office": self.office,
                "country": self.country,
                "items": write_pieces(self.items),
                "cites": self.cites,
                "endorsed_on": _iso(self.endorsed_on),
                "final_on": _iso(self.final_on),
                "inside": write_pieces(self.inside),
                "undischarged": write_pieces(self.undischarged),
                "unconditional": self.unconditional,
            }
        )


@dataclass(frozen=True, slots=True)
class CarnetClaimRecord:
    """Customs' claim on what came in under one voucher.

    Attributes:
        state: the public state.
        customs: who claims.
        association: the guaranteeing association it is made to.
        opened_on: legal day of the claim.
        answered: whether the association has answered.
        fine: salted commitment to the private fine state.
    """

    state: CarnetClaimState
    customs: str
    association: str
    opened_on: datetime.date
    answered: bool
    fine: bytes

    def encode(self) -> bytes:
        """Return the canonical bytes."""
        return encode(
            {
                "state": self.state.value,
                "customs": self.customs,
                "association": self.association,
                "opened_on": self.opened_on.isoformat(),
                "answered": self.answered,
                "fine": self.fine,
            }
        )


@lru_cache(_REMEMBERED)
def read_carnet(data: bytes) -> CarnetRecord:
    """Return the carnet whose canonical bytes are `data`."""
    fields = _fields(data, "carnet record")
    return CarnetRecord(
        state=CarnetState(fields.text("state")),
        origin=fields.raw("origin"),
        holder=fields.text("holder"),
        issuer=fields.text("issuer"),
        root=fields.raw("root"),
        guarantor=fields.optional_text("guarantor"),
        issued_on=fields.optional_date("issued_on"),
        valid_until=fields.optional_date("valid_until"),
        successor=fields.optional_raw("successor"),
    )


@lru_cache(_REMEMBERED)
def read_goods(data: bytes) -> GoodsRecord:
    """Return the goods whose canonical bytes are `data`."""
    fields = _fields(data, "carnet goods record")
    return GoodsRecord(
        listed=read_pieces(fields, "listed"),
        home=read_pieces(fields, "home"),
        out=read_pieces(fields, "out"),
        inside=_by_country(fields.map("inside")),
        settled=_by_country(fields.map("settled")),
        open_imports=_serials(fields, "open_imports"),
        open_claims=_serials(fields, "open_claims"),
    )


@lru_cache(_REMEMBERED)
def read_voucher(data: bytes) -> VoucherRecord:
    """Return the voucher whose canonical bytes are `data`."""
    fields = _fields(data, "carnet voucher record")
    return VoucherRecord(
        state=VoucherState(fields.text("state")),
        carnet=fields.raw("carnet"),
        kind=VoucherKind(fields.text("kind")),
        office=fields.text("office"),
        country=fields.text("country"),
        items=read_pieces(fields, "items"),
        cites=fields.optional_integer("cites"),
        endorsed_on=fields.optional_date("endorsed_on"),
        final_on=fields.optional_date("final_on"),
        inside=read_pieces(fields, "inside"),
        undischarged=read_pieces(fields, "undischarged"),
        unconditional=fields.boolean("unconditional"),
    )


@lru_cache(_REMEMBERED)
def read_carnet_claim(data: bytes) -> CarnetClaimRecord:
    """Return the claim whose canonical bytes are `data`."""
    fields = _fields(data, "carnet claim record")
    return CarnetClaimRecord(
        state=CarnetClaimState(fields.text("state")),
        customs=fields.text("customs"),
        association=fields.text("association"),
        opened_on=fields.date("opened_on"),
        answered=fields.boolean("answered"),
        fine=fields.raw("fine"),
    )


def read_pieces(fields: Fields, name: str, min_items: int = 0) -> Pieces:
    """Take `[[item, pieces], ...]`: item numbers ascending, each once, each with at least one piece."""
    pieces: dict[int, int] = {}
    last = 0
    for place, pair in enumerate(fields.items(name, ITEMS_MAX, min_items)):
        match pair:
            case [int(item), int(count)] if _is_pair(item, count, last):
                pieces[item] = count
                last = item
            case _:
                fields.refuse(
                    f"{name}[{place}]",
                    f"expected [item, pieces], item numbers ascending to {ITEM_NUMBER_MAX}, 1 to {PIECES_MAX} pieces",
                )
    return pieces


def _is_pair(item: int, count: int, last: int) -> bool:
    """Whether an item and its pieces are whole numbers (true and false are not) within their bounds."""
    return type(item) is type(count) is int and last < item <= ITEM_NUMBER_MAX and 1 <= count <= PIECES_MAX


def write_pieces(pieces: Pieces) -> list[Value]:
    """Return pieces as they stand in bodies and records."""
    return [[item, pieces[item]] for item in sorted(pieces) if pieces[item]]


def _by_country(value: Mapping[str, Value]) -> Mapping[str, Pieces]:
    fields = Fields(dict(value), "carnet goods record")
    return {country: read_pieces(fields, country) for country in sorted(value)}


def _serials(fields: Fields, name: str) -> tuple[int, ...]:
    return tuple(_integers(fields.items(name, VOUCHERS_MAX), name))


def _integers(values: Iterable[Value], name: str) -> Iterable[int]:
    for value in values:
        if type(value) is not int:
            raise MalformedError(f"carnet goods record.{name}: a serial is no integer; the state is damaged")
        yield value


def _iso(day: datetime.date | None) -> str | None:
    return None if day is None else day.isoformat()


def _fields(data: bytes, where: str) -> Fields:
    value: Value = decode(data, limit_bytes=VALUE_BYTES_MAX)
    return Fields(value, where)
