"""One voucher with its counterfoil: presented by the holder, endorsed or refused by customs.

Rules:
- Voucher and counterfoil bear one serial, used once in a carnet's line; a line's serials count on through a
  replacement (design).
- What could not be true of the goods is refused: an item that is not on the list, more pieces than are there, an
  importation voucher under which they did not come in, an office of the wrong country.
- What is unlawful about a border that was really crossed is recorded: gone after the final date, back after the
  carnet's validity, come from a country that endorsed no exit. A ledger that refused these would not know where the
  goods are. But nobody brings goods in, or out of the home country, under an expired carnet: that is customs' own
  act, and it is refused.
- The date of the stamp is declared by customs and governs; the block's time is when the ledger heard of it.
- Why customs refuses goods is in an envelope to the holder.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Self

from ledger.contracts.act import Context, Writer, read_legal_date, read_organization
from ledger.contracts.carnet.booklet import (
    CARNET_TABLE,
    CarnetCase,
    country_of,
    find_carnet,
    find_goods,
    read_carnet_id,
)
from ledger.contracts.carnet.goods import CLOSED_BY, MOVES, covers, discharged, moved, pieces_at_source
from ledger.contracts.carnet.records import (
    VOUCHERS_MAX,
    CarnetRecord,
    CarnetState,
    GoodsRecord,
    Pieces,
    VoucherKind,
    VoucherRecord,
    VoucherState,
    read_pieces,
    read_voucher,
)
from ledger.contracts.document import COMMERCIAL, OFFICIAL, anchor_document
from ledger.contracts.findings import Finding
from ledger.contracts.table import Actor, Guard, Refusal, RuleViolatedError, Step, Table
from ledger.fields import Fields
from ledger.genesis import Role
from ledger.state import carnet_goods_key, carnet_key, carnet_voucher_key


@dataclass(frozen=True, slots=True)
class VoucherCase:
    """What a voucher's step is judged by.

    Attributes:
        context: of the act.
        carnet: it was torn from.
        voucher: as presented.
        goods: of the carnet's line.
        home: country of the holder.
        serials: of the voucher and of its counterfoil.
        cited: the voucher that it cites, if that stands under the line.
        endorsed_on: date of the stamp, at an endorsement.
        final_on: last day for re-export, at an endorsement.
        settling: pieces that customs settles.
    """

    context: Context
    carnet: CarnetRecord
    voucher: VoucherRecord
    goods: GoodsRecord
    home: str
    serials: tuple[int, int] = (0, 0)
    cited: VoucherRecord | None = None
    endorsed_on: datetime.date | None = None
    final_on: datetime.date | None = None
    settling: Pieces = field(default_factory=dict)

    def plays(self, actor: Actor) -> bool:
        """Say whether the sender is that actor here."""
        sender = self.context.sender
        match actor:
            case Actor.CARNET_HOLDER:
                return self.carnet.holder == sender.id
            case Actor.OFFICE:
                return self.voucher.office == sender.id and Role.CUSTOMS in sender.roles
            case _:
                return False


def _is_right_country(case: VoucherCase) -> bool:
    return (case.voucher.country == case.home) == MOVES[case.voucher.kind].at_home


def _is_listed(case: VoucherCase) -> bool:
    return all(item in case.goods.listed for item in case.voucher.items)


def _is_there(case: VoucherCase) -> bool:
    return covers(pieces_at_source(case.goods, case.voucher.kind, case.cited), case.voucher.items)


def _cites_rightly(case: VoucherCase) -> bool:
    """A closing voucher cites what it closes; one that comes from elsewhere may say from where; no other cites."""
    move, cited = MOVES[case.voucher.kind], case.cited
    if case.voucher.cites is None:
        return not move.closes
    if cited is None or cited.state is not VoucherState.ENDORSED or not MOVES[cited.kind].brings_in:
        return False
    if move.closes:
        return cited.kind is CLOSED_BY[case.voucher.kind] and cited.country == case.voucher.country
    return move.may_cite and cited.country != case.voucher.country


def _is_in_order(case: VoucherCase) -> bool:
    before = None if case.cited is None else case.cited.endorsed_on
    return before is None or case.endorsed_on is None or before <= case.endorsed_on


def _is_valid(case: VoucherCase) -> bool:
    last, day = case.carnet.valid_until, case.endorsed_on
    return not MOVES[case.voucher.kind].needs_validity or last is None or day is None or day <= last


def _has_final_date(case: VoucherCase) -> bool:
    if not MOVES[case.voucher.kind].brings_in:
        return case.final_on is None
    first, last = case.endorsed_on, case.carnet.valid_until
    return (
        case.final_on is not None
        and first is not None
        and last is not None
        and first <= case.final_on <= last
    )


def _guard(says: str, refusal: Refusal, holds: Callable[[VoucherCase], bool]) -> Guard[VoucherCase]:
    return Guard(says, refusal, holds)


_COUNTERFOIL = _guard(
    "a counterfoil with the voucher's serial",
    Refusal.COUNTERFOIL,
    lambda case: case.serials[0] == case.serials[1],
)
_COUNTRY = _guard(
    "home customs for export and re-import, another country's for the rest",
    Refusal.WRONG_COUNTRY,
    _is_right_country,
)
_LISTED = _guard("items of the general list", Refusal.UNLISTED_ITEM, _is_listed)
_CITED = _guard(
    "the endorsed voucher under which the goods came in", Refusal.WRONG_IMPORT_VOUCHER, _cites_rightly
)
_THERE = _guard("as many pieces where the goods come from", Refusal.PIECES_MISSING, _is_there)
_ORDER = _guard("a stamp not before the cited voucher's", Refusal.DATE_ORDER, _is_in_order)
_VALID = _guard("a carnet that is valid on the day of the stamp", Refusal.CARNET_EXPIRED, _is_valid)
_FINAL = _guard(
    "a final date within the validity for goods that come in, none otherwise",
    Refusal.FINAL_DATE,
    _has_final_date,
)
_HELD = _guard(
    "as many pieces held under the voucher",
    Refusal.PIECES_MISSING,
    lambda case: covers(case.voucher.inside, case.settling),
)

_S = VoucherState
VOUCHER_TABLE: Table[VoucherState, VoucherCase] = Table(
    "voucher",
    VoucherState,
    (
        Step(
            _S.NONE,
            "carnet.present",
            Actor.CARNET_HOLDER,
            _S.PRESENTED,
            "ATA Convention (1961)",
            guards=(_COUNTERFOIL, _COUNTRY, _LISTED, _CITED, _THERE),
        ),
        Step(
            _S.PRESENTED,
            "carnet.endorse",
            Actor.OFFICE,
            _S.ENDORSED,
            "ATA Convention (1961), Art. 5",
            limit="gone after the final date, or back after the validity: a finding",
            guards=(_THERE, _ORDER, _VALID, _FINAL),
        ),
        Step(
            _S.PRESENTED,
            "carnet.refuse",
            Actor.OFFICE,
            _S.REFUSED,
            "design: an official act, private in its reasons",
        ),
        Step(
            _S.ENDORSED,
            "carnet.settle",
            Actor.OFFICE,
            _S.ENDORSED,
            "ATA Convention (1961)",
            guards=(_HELD,),
        ),
    ),
)


def find_voucher(event: str, state: Writer, carnet: CarnetRecord, serial: int) -> VoucherRecord:
    """Return a voucher of a carnet's line.

    Raises:
        RuleViolatedError: if there is none.
    """
    voucher = _look_up(state, carnet, serial)
    if voucher is None:
        message = f"no voucher {serial} was presented under carnet line {carnet.origin.hex()}"
        raise RuleViolatedError(event, Refusal.UNKNOWN_VOUCHER, message)
    return voucher


def endorsement_findings(case: VoucherCase) -> tuple[Finding, ...]:
    """Return what the law has against a border crossing that customs endorsed."""
    day, findings = case.endorsed_on, []
    if day is None:
        return ()
    move, cited = MOVES[case.voucher.kind], case.cited
    if move.closes and cited is not None and cited.final_on is not None and day > cited.final_on:
        findings.append(Finding.REEXPORT_LATE)
    if not move.needs_validity and case.carnet.valid_until is not None and day > case.carnet.valid_until:
        findings.append(Finding.CARNET_EXPIRED_ABROAD)
    if cited is not None and not move.closes:
        findings.append(Finding.EXIT_UNRECORDED)
    if day > case.context.today:
        findings.append(Finding.DATE_IN_FUTURE)
    return tuple(findings)


def _look_up(state: Writer, carnet: CarnetRecord, serial: int) -> VoucherRecord | None:
    data = state.get(carnet_voucher_key(carnet.origin, serial))
    return None if data is None else read_voucher(data)


@dataclass(frozen=True, slots=True)
class PresentVoucher:
    """`carnet.present`: the holder presents goods with a voucher; serial numbers and values are in its document."""

    carnet: bytes
    serial: int
    counterfoil: int
    kind: VoucherKind
    office: str
    items: Pieces
    cites: int | None

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Take the body's fields."""
        return cls(
            carnet=read_carnet_id(fields),
            serial=fields.integer("serial", 1, VOUCHERS_MAX),
            counterfoil=fields.integer("counterfoil", 1, VOUCHERS_MAX),
            kind=fields.member("kind", VoucherKind),
            office=read_organization(fields, "office"),
            items=read_pieces(fields, "items", 1),
            cites=fields.optional_integer("cites", 1, VOUCHERS_MAX),
        )

    def apply(self, context: Context, state: Writer) -> tuple[Finding, ...]:
        """Record the voucher and its document's root. No goods move yet."""
        record = find_carnet(context.event, state, self.carnet)
        if record.state is CarnetState.REPLACED:
            message = f"carnet {self.carnet.hex()} was replaced"
            raise RuleViolatedError(context.event, Refusal.CARNET_REPLACED, message)
        CARNET_TABLE.advance(record.state, context.event, CarnetCase(context, record))
        if _look_up(state, record, self.serial) is not None:
            message = f"voucher {self.serial} of carnet line {record.origin.hex()} was presented before"
            raise RuleViolatedError(context.event, Refusal.VOUCHER_USED, message)
        office = context.roster.find(self.office)
        if office is None or Role.CUSTOMS not in office.roles:
            raise RuleViolatedError(context.event, Refusal.UNKNOWN_OFFICE, f"{self.office} is no customs")
        voucher = VoucherRecord(
            VoucherState.PRESENTED,
            self.carnet,
            self.kind,
            self.office,
            office.country,
            self.items,
            self.cites,
        )
        case = VoucherCase(
            context=context,
            carnet=record,
            voucher=voucher,
            goods=find_goods(state, record),
            home=country_of(context, record.holder),
            serials=(self.serial, self.counterfoil),
            cited=None if self.cites is None else _look_up(state, record, self.cites),
        )
        VOUCHER_TABLE.advance(VoucherState.NONE, context.event, case)
        anchor_document(context, state, COMMERCIAL, (self.office,), subject=carnet_key(self.carnet))
        state.put(carnet_voucher_key(record.origin, self.serial), voucher.encode())
        return ()


@dataclass(frozen=True, slots=True)
class RefuseVoucher:
    """`carnet.refuse`: customs refuses goods that were presented; the reason goes to the holder alone."""

    carnet: bytes
    serial: int

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Take the body's fields."""
        return cls(read_carnet_id(fields), fields.integer("serial", 1, VOUCHERS_MAX))

    def apply(self, context: Context, state: Writer) -> tuple[Finding, ...]:
        """Record the refusal."""
        record = find_carnet(context.event, state, self.carnet)
        voucher = find_voucher(context.event, state, record, self.serial)
        case = VoucherCase(context, record, voucher, find_goods(state, record), home="")
        after = replace(voucher, state=VOUCHER_TABLE.advance(voucher.state, context.event, case))
        state.put(carnet_voucher_key(record.origin, self.serial), after.encode())
        anchor_document(context, state, OFFICIAL, (record.holder,), subject=carnet_key(self.carnet))
        return ()


@dataclass(frozen=True, slots=True)
class EndorseVoucher:
    """`carnet.endorse`: customs stamps voucher and counterfoil, and the goods have crossed."""

    carnet: bytes
    serial: int
    endorsed_on: datetime.date
    final_on: datetime.date | None
    unconditional: bool

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Take the body's fields."""
        return cls(
            carnet=read_carnet_id(fields),
            serial=fields.integer("serial", 1, VOUCHERS_MAX),
            endorsed_on=read_legal_date(fields, "endorsed_on"),
            final_on=fields.optional_date("final_on"),
            unconditional=fields.boolean("unconditional"),
        )

    def apply(self, context: Context, state: Writer) -> tuple[Finding, ...]:
        """Move the goods, discharge the voucher they came in under, and record what the law has against it."""
        record = find_carnet(context.event, state, self.carnet)
        voucher = find_voucher(context.event, state, record, self.serial)
        cited = None if voucher.cites is None else _look_up(state, record, voucher.cites)
        goods = find_goods(state, record)
        case = VoucherCase(
            context=context,
            carnet=record,
            voucher=voucher,
            goods=goods,
            home=country_of(context, record.holder),
            cited=cited,
            endorsed_on=self.endorsed_on,
            final_on=self.final_on,
        )
        reached = VOUCHER_TABLE.advance(voucher.state, context.event, case)
        move = MOVES[voucher.kind]
        held: Pieces = voucher.items if move.brings_in else {}
        after = replace(
            voucher,
            state=reached,
            endorsed_on=self.endorsed_on,
            final_on=self.final_on,
            inside=held,
            undischarged=held,
        )
        goods = moved(goods, voucher.kind, voucher.country, voucher.items, cited)
        if move.brings_in:
            goods = replace(goods, open_imports=(*goods.open_imports, self.serial))
        if cited is not None and voucher.cites is not None:
            left = discharged(cited, voucher.items, endorsed=move.closes, unconditional=self.unconditional)
            state.put(carnet_voucher_key(record.origin, voucher.cites), left.encode())
            goods = close_import(goods, voucher.cites, left)
        state.put(carnet_voucher_key(record.origin, self.serial), after.encode())
        state.put(carnet_goods_key(record.origin), goods.encode())
        anchor_document(context, state, OFFICIAL, (record.holder,), subject=carnet_key(self.carnet))
        return endorsement_findings(case)


def close_import(goods: GoodsRecord, serial: int, voucher: VoucherRecord) -> GoodsRecord:
    """Return the goods without a voucher among the open imports, if it is wholly discharged without reserve."""
    if voucher.undischarged or not voucher.unconditional:
        return goods
    return replace(goods, open_imports=tuple(known for known in goods.open_imports if known != serial))
