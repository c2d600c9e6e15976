"""The ATA carnet as a booklet: applied for, secured, issued, activated, returned, discharged, replaced.

Rules:
- The application freezes the general list: its root is what every customs checks goods against, and its item
  numbers and pieces are the only public part of it. Nothing is added to it later.
- A carnet is the association's own act on this ledger, so what it may not issue is refused: a validity of more than
  a year, or one that is over. What happens to goods in the world is recorded, however late (see `voucher`).
- Returned is a carnet whose goods are all at home or settled. The security is released with the discharge, when no
  import is left to claim on.
- A lost carnet is replaced by one with the same expiry and description (19 CFR 114.25); the old one is dead. Goods,
  vouchers and claims are those of the line, and go on.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Self

from ledger.contracts.act import CERTIFICATE_ID_BYTES, Context, Writer, read_legal_date, read_organization
from ledger.contracts.carnet.dates import CarnetStatus, carnet_claim_due_on, carnet_status, valid_until_max
from ledger.contracts.carnet.records import (
    CarnetRecord,
    CarnetState,
    GoodsRecord,
    Pieces,
    read_carnet,
    read_goods,
    read_pieces,
)
from ledger.contracts.document import COMMERCIAL, anchor_document
from ledger.contracts.findings import Finding
from ledger.contracts.parameters import CARNET_SECURITY_PERCENT, CARNET_VALID_YEARS_MAX
from ledger.contracts.table import Actor, Guard, Refusal, RuleViolatedError, Step, Table
from ledger.fields import Fields
from ledger.genesis import Role
from ledger.members import Member
from ledger.state import carnet_goods_key, carnet_key

TRADERS = frozenset({Role.EXPORTER, Role.PRODUCER, Role.PROCESSOR, Role.IMPORTER, Role.BROKER})
"""Roles of whoever may hold a carnet."""

ISSUERS = frozenset({Role.CHAMBER, Role.GUARANTEEING})
"""Roles of whoever may issue one."""

_NO_GOODS = GoodsRecord(listed={}, home={}, out={}, inside={}, settled={})


@dataclass(frozen=True, slots=True)
class CarnetCase:
    """What a carnet's step is judged by: the record before it, and what the act brought.

    Attributes:
        context: of the act.
        record: the carnet, or None before the application.
        goods: of the carnet's line.
        home: country of the holder.
        country: country of the sender.
        issuer: the issuer that an application names, if it is a member.
        guarantor: the guarantor that an issue names, if it is a member.
        valid_until: the last day that an issue gives.
    """

    context: Context
    record: CarnetRecord | None
    goods: GoodsRecord = field(default_factory=lambda: _NO_GOODS)
    home: str = ""
    country: str = ""
    issuer: Member | None = None
    guarantor: Member | None = None
    valid_until: datetime.date | None = None

    def plays(self, actor: Actor) -> bool:
        """Say whether the sender is that actor here."""
        sender = self.context.sender
        match actor:
            case Actor.TRADER:
                return not TRADERS.isdisjoint(sender.roles)
            case Actor.CARNET_HOLDER:
                return self.record is not None and self.record.holder == sender.id
            case Actor.CARNET_ISSUER:
                return self.record is not None and self.record.issuer == sender.id
            case Actor.HOME_CUSTOMS:
                return Role.CUSTOMS in sender.roles and self.country == self.home
            case _:
                return False

    @property
    def is_valid_today(self) -> bool:
        """Whether the carnet has not expired."""
        return (
            self.record is not None
            and carnet_status(self.record, self.context.today) is not CarnetStatus.EXPIRED
        )

    @property
    def may_be_claimed_on(self) -> bool:
        """Whether a claim is open, or could still be made on an import that is not discharged."""
        valid_until = None if self.record is None else self.record.valid_until
        in_time = valid_until is None or self.context.today <= carnet_claim_due_on(valid_until)
        return bool(self.goods.open_claims) or (bool(self.goods.open_imports) and in_time)


def _is_issuer_at_home(case: CarnetCase) -> bool:
    issuer = case.issuer
    return issuer is not None and not ISSUERS.isdisjoint(issuer.roles) and issuer.country == case.home


def _is_guarantor_at_home(case: CarnetCase) -> bool:
    guarantor = case.guarantor
    return guarantor is not None and Role.GUARANTEEING in guarantor.roles and guarantor.country == case.home


def _is_lawful_validity(case: CarnetCase) -> bool:
    today = case.context.today
    return case.valid_until is not None and today <= case.valid_until <= valid_until_max(today)


def _guard(says: str, refusal: Refusal, holds: Callable[[CarnetCase], bool]) -> Guard[CarnetCase]:
    return Guard(says, refusal, holds)


_ISSUER = _guard(
    "a chamber or guaranteeing association of the holder's country",
    Refusal.UNKNOWN_ISSUER,
    _is_issuer_at_home,
)
_GUARANTOR = _guard(
    "the guaranteeing association of the issuing country", Refusal.UNKNOWN_GUARANTOR, _is_guarantor_at_home
)
_VALIDITY = _guard("a last day from today to the anniversary", Refusal.VALIDITY, _is_lawful_validity)
_VALID = _guard("a carnet that has not expired", Refusal.CARNET_EXPIRED, lambda case: case.is_valid_today)
_ALL_HOME = _guard(
    "all goods at home or settled",
    Refusal.GOODS_ABROAD,
    lambda case: not any(case.goods.out.values()) and not any(map(any, _counts(case.goods))),
)
_NO_CLAIM = _guard(
    "no claim open or still possible", Refusal.CLAIM_POSSIBLE, lambda case: not case.may_be_claimed_on
)

_S = CarnetState
_ATA = "ATA Convention (1961)"
CARNET_TABLE: Table[CarnetState, CarnetCase] = Table(
    "carnet",
    CarnetState,
    (
        Step(_S.NONE, "carnet.apply", Actor.TRADER, _S.APPLIED, _ATA, guards=(_ISSUER,)),
        Step(
            _S.APPLIED,
            "carnet.secure",
            Actor.CARNET_HOLDER,
            _S.SECURED,
            "practice of associations",
            limit=f"{CARNET_SECURITY_PERCENT}, which the association checks in private",
        ),
        Step(
            _S.SECURED,
            "carnet.issue",
            Actor.CARNET_ISSUER,
            _S.ISSUED,
            _ATA,
            limit=str(CARNET_VALID_YEARS_MAX),
            guards=(_GUARANTOR, _VALIDITY),
        ),
        Step(_S.ISSUED, "carnet.activate", Actor.HOME_CUSTOMS, _S.ACTIVE, _ATA, guards=(_VALID,)),
        Step(
            _S.ISSUED,
            "carnet.return",
            Actor.CARNET_HOLDER,
            _S.RETURNED,
            "design: a carnet may stay unused",
        ),
        Step(_S.ACTIVE, "carnet.present", Actor.CARNET_HOLDER, _S.ACTIVE, _ATA),
        Step(_S.ACTIVE, "carnet.return", Actor.CARNET_HOLDER, _S.RETURNED, _ATA, guards=(_ALL_HOME,)),
        Step(
            _S.RETURNED,
            "carnet.discharge",
            Actor.CARNET_ISSUER,
            _S.DISCHARGED,
            _ATA,
            limit="the security is released",
            guards=(_NO_CLAIM,),
        ),
        Step(_S.ISSUED, "carnet.replace", Actor.CARNET_ISSUER, _S.REPLACED, "19 CFR 114.25"),
        Step(_S.ACTIVE, "carnet.replace", Actor.CARNET_ISSUER, _S.REPLACED, "19 CFR 114.25"),
    ),
)


def _counts(goods: GoodsRecord) -> list[list[int]]:
    return [list(there.values()) for there in goods.inside.values()]


def find_carnet(event: str, state: Writer, carnet: bytes) -> CarnetRecord:
    """Return a carnet on the ledger.

    Raises:
        RuleViolatedError: if there is none.
    """
    data = state.get(carnet_key(carnet))
    if data is None:
        raise RuleViolatedError(event, Refusal.UNKNOWN_CARNET, f"carnet {carnet.hex()} is not on the ledger")
    return read_carnet(data)


def find_goods(state: Writer, record: CarnetRecord) -> GoodsRecord:
    """Return the goods of a carnet's line."""
    data = state.get(carnet_goods_key(record.origin))
    if data is None:
        raise AssertionError(f"carnet line {record.origin.hex()} has no goods record; the state is damaged")
    return read_goods(data)


def country_of(context: Context, organization: str) -> str:
    """Return the country of an organization that is or once was a member, "" if there never was one."""
    member = context.roster.find_ever(organization)
    return "" if member is None else member.country


def read_carnet_id(fields: Fields, name: str = "carnet") -> bytes:
    """Take a carnet's random id, 16 bytes."""
    return fields.raw(name, size=CERTIFICATE_ID_BYTES)


@dataclass(frozen=True, slots=True)
class ApplyCarnet:
    """`carnet.apply`: a trader applies for a carnet; the document is its cover and general list."""

    carnet: bytes
    issuer: str
    items: Pieces

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Take the body's fields."""
        return cls(
            read_carnet_id(fields), read_organization(fields, "issuer"), read_pieces(fields, "items", 1)
        )

    def apply(self, context: Context, state: Writer) -> tuple[Finding, ...]:
        """Record the application and where its goods are: at home."""
        key = carnet_key(self.carnet)
        if state.get(key) is not None:
            raise RuleViolatedError(context.event, Refusal.CARNET_EXISTS, f"{key} is on the ledger already")
        home = country_of(context, context.sender.id)
        case = CarnetCase(context, None, home=home, issuer=context.roster.find(self.issuer))
        reached = CARNET_TABLE.advance(CarnetState.NONE, context.event, case)
        root = anchor_document(context, state, COMMERCIAL, (self.issuer,), subject=key)
        record = CarnetRecord(reached, self.carnet, context.sender.id, self.issuer, root)
        goods = GoodsRecord(listed=self.items, home=self.items, out={}, inside={}, settled={})
        state.put(key, record.encode())
        state.put(carnet_goods_key(self.carnet), goods.encode())
        return ()


@dataclass(frozen=True, slots=True)
class MoveCarnet:
    """`carnet.activate`, `carnet.return`, `carnet.discharge`: the carnet goes from hand to hand."""

    carnet: bytes

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Take the body's fields."""
        return cls(read_carnet_id(fields))

    def apply(self, context: Context, state: Writer) -> tuple[Finding, ...]:
        """Record the step."""
        self.step(context, state)
        return ()

    def step(self, context: Context, state: Writer) -> CarnetRecord:
        """Write and return the carnet with its next state."""
        record = find_carnet(context.event, state, self.carnet)
        case = CarnetCase(
            context,
            record,
            find_goods(state, record),
            home=country_of(context, record.holder),
            country=country_of(context, context.sender.id),
        )
        after = replace(record, state=CARNET_TABLE.advance(record.state, context.event, case))
        state.put(carnet_key(self.carnet), after.encode())
        return after


@dataclass(frozen=True, slots=True)
class SecureCarnet(MoveCarnet):
    """`carnet.secure`: the holder gives its security; form and amount are for the association alone."""

    def apply(self, context: Context, state: Writer) -> tuple[Finding, ...]:
        """Record the step and the security's root."""
        record = self.step(context, state)
        anchor_document(context, state, COMMERCIAL, (record.issuer,), subject=carnet_key(self.carnet))
        return ()


@dataclass(frozen=True, slots=True)
class IssueCarnet:
    """`carnet.issue`: the association issues it, under the guarantee of its country's association."""

    carnet: bytes
    guarantor: str
    valid_until: datetime.date

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Take the body's fields."""
        return cls(
            read_carnet_id(fields),
            read_organization(fields, "guarantor"),
            read_legal_date(fields, "valid_until"),
        )

    def apply(self, context: Context, state: Writer) -> tuple[Finding, ...]:
        """Record issue and validity."""
        record = find_carnet(context.event, state, self.carnet)
        case = CarnetCase(
            context,
            record,
            home=country_of(context, record.holder),
            guarantor=context.roster.find(self.guarantor),
            valid_until=self.valid_until,
        )
        after = replace(
            record,
            state=CARNET_TABLE.advance(record.state, context.event, case),
            guarantor=self.guarantor,
            issued_on=context.today,
            valid_until=self.valid_until,
        )
        state.put(carnet_key(self.carnet), after.encode())
        return ()


@dataclass(frozen=True, slots=True)
class ReplaceCarnet:
    """`carnet.replace`: the association replaces a lost carnet; expiry and general list stay."""

    carnet: bytes
    successor: bytes

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Take the body's fields."""
        return cls(read_carnet_id(fields), read_carnet_id(fields, "successor"))

    def apply(self, context: Context, state: Writer) -> tuple[Finding, ...]:
        """Record the old carnet's end and its successor, which stands where the old one stood."""
        record = find_carnet(context.event, state, self.carnet)
        reached = CARNET_TABLE.advance(record.state, context.event, CarnetCase(context, record))
        key = carnet_key(self.successor)
        if state.get(key) is not None:
            raise RuleViolatedError(context.event, Refusal.CARNET_EXISTS, f"{key} is on the ledger already")
        state.put(carnet_key(self.carnet), replace(record, state=reached, successor=self.successor).encode())
        state.put(key, record.encode())
        return ()
