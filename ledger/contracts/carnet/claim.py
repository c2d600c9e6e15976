"""Customs' claim on the guaranteeing association for goods that came in, as every member sees it.

Rules:
- Of official acts only open and closed is public, with a salted commitment to the fine state (`claim_review`); the
  amount, the proof and what was decided are in envelopes along the chain customs, association of the country of
  importation, issuing association, holder.
- Whether a claim came in time, and whether the first answer did, are facts of dates: late ones are recorded as
  findings, and it is for the parties to stand on them.
- An unconditional discharge bars a claim (ATA Convention, Art. 6), unless customs says that it was obtained
  improperly; that it says so is recorded.
- A claim that is closed ends the matter of its voucher, however it was decided.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self

from ledger.contracts.act import COMMITMENT_BYTES, Context, Writer, read_organization
from ledger.contracts.carnet.booklet import find_carnet, find_goods, read_carnet_id
from ledger.contracts.carnet.dates import carnet_claim_due_on, proof_due_on
from ledger.contracts.carnet.goods import MOVES
from ledger.contracts.carnet.records import (
    VOUCHERS_MAX,
    CarnetClaimRecord,
    CarnetClaimState,
    CarnetRecord,
    VoucherRecord,
    VoucherState,
    read_carnet_claim,
)
from ledger.contracts.carnet.voucher import find_voucher
from ledger.contracts.document import OFFICIAL, anchor_document, present_document
from ledger.contracts.findings import Finding
from ledger.contracts.parameters import CARNET_CLAIM_YEARS, CARNET_PROOF_MONTHS
from ledger.contracts.table import Actor, Guard, Refusal, RuleViolatedError, Step, Table
from ledger.fields import Fields
from ledger.genesis import Role
from ledger.members import Member
from ledger.state import carnet_claim_key, carnet_goods_key


@dataclass(frozen=True, slots=True)
class CarnetClaimCase:
    """What a claim's step is judged by.

    Attributes:
        context: of the act.
        voucher: under which the goods came in.
        record: the claim, or None before it.
        association: the member it is made to, if there is one.
        improper: whether customs says that the discharge was obtained improperly.
    """

    context: Context
    voucher: VoucherRecord
    record: CarnetClaimRecord | None = None
    association: Member | None = None
    improper: bool = False

    def plays(self, actor: Actor) -> bool:
        """Say whether the sender is that actor here."""
        sender = self.context.sender
        match actor:
            case Actor.OFFICE:
                return self.voucher.office == sender.id and Role.CUSTOMS in sender.roles
            case Actor.GUARANTOR:
                return self.record is not None and self.record.association == sender.id
            case _:
                return False

    @property
    def is_discharged(self) -> bool:
        """Whether all that came in was discharged without reserve."""
        return not self.voucher.undischarged and self.voucher.unconditional


def _guard(says: str, refusal: Refusal, holds: Callable[[CarnetClaimCase], bool]) -> Guard[CarnetClaimCase]:
    return Guard(says, refusal, holds)


def _is_guarantor_there(case: CarnetClaimCase) -> bool:
    association = case.association
    return (
        association is not None
        and Role.GUARANTEEING in association.roles
        and association.country == case.voucher.country
    )


_BROUGHT_IN = _guard(
    "an endorsed voucher under which goods came in",
    Refusal.WRONG_IMPORT_VOUCHER,
    lambda case: case.voucher.state is VoucherState.ENDORSED and MOVES[case.voucher.kind].brings_in,
)
_ASSOCIATION = _guard(
    "the guaranteeing association of the country of importation",
    Refusal.UNKNOWN_GUARANTOR,
    _is_guarantor_there,
)
_NOT_DISCHARGED = _guard(
    "goods that were not discharged unconditionally, or a discharge said to be improper",
    Refusal.CARNET_DISCHARGED,
    lambda case: case.improper or not case.is_discharged,
)

_S = CarnetClaimState
_PRIVATE = "design: official acts are public as open or closed"
CARNET_CLAIM_TABLE: Table[CarnetClaimState, CarnetClaimCase] = Table(
    "carnet claim",
    CarnetClaimState,
    (
        Step(
            _S.NONE,
            "carnet.claim",
            Actor.OFFICE,
            _S.OFFICIAL_OPEN,
            "ATA Convention (1961), Art. 6",
            limit=f"{CARNET_CLAIM_YEARS}; else a finding",
            guards=(_BROUGHT_IN, _ASSOCIATION, _NOT_DISCHARGED),
        ),
        Step(
            _S.OFFICIAL_OPEN,
            "carnet.answer",
            Actor.GUARANTOR,
            _S.OFFICIAL_OPEN,
            "ATA Convention (1961), Art. 7",
            limit=f"{CARNET_PROOF_MONTHS} for the first answer; else a finding",
        ),
        Step(_S.OFFICIAL_OPEN, "carnet.decide", Actor.OFFICE, _S.OFFICIAL_OPEN, _PRIVATE),
        Step(_S.OFFICIAL_OPEN, "carnet.close", Actor.OFFICE, _S.OFFICIAL_CLOSED, _PRIVATE),
    ),
)


@dataclass(frozen=True, slots=True)
class _Voucher:
    """The voucher that a claim is about, as bodies name it."""

    carnet: bytes
    serial: int

    @classmethod
    def read(cls, fields: Fields) -> Self:
        return cls(read_carnet_id(fields), fields.integer("voucher", 1, VOUCHERS_MAX))

    def find(self, context: Context, state: Writer) -> tuple[CarnetRecord, VoucherRecord]:
        carnet = find_carnet(context.event, state, self.carnet)
        return carnet, find_voucher(context.event, state, carnet, self.serial)


@dataclass(frozen=True, slots=True)
class OpenCarnetClaim:
    """`carnet.claim`: customs claims from the association of its country; the document is for that alone."""

    voucher: _Voucher
    association: str
    improper: bool
    fine: bytes

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Take the body's fields."""
        return cls(
            _Voucher.read(fields),
            read_organization(fields, "association"),
            fields.boolean("improper"),
            fields.raw("fine", size=COMMITMENT_BYTES),
        )

    def apply(self, context: Context, state: Writer) -> tuple[Finding, ...]:
        """Record the claim and what the law has against it."""
        carnet, voucher = self.voucher.find(context, state)
        key = carnet_claim_key(carnet.origin, self.voucher.serial)
        if state.get(key) is not None:
            raise RuleViolatedError(
                context.event, Refusal.DUPLICATE_CARNET_CLAIM, f"{key} is on the ledger already"
            )
        case = CarnetClaimCase(
            context, voucher, association=context.roster.find(self.association), improper=self.improper
        )
        reached = CARNET_CLAIM_TABLE.advance(CarnetClaimState.NONE, context.event, case)
        record = CarnetClaimRecord(
            reached, context.sender.id, self.association, context.today, answered=False, fine=self.fine
        )
        goods = find_goods(state, carnet)
        goods = replace(goods, open_claims=(*goods.open_claims, self.voucher.serial))
        state.put(key, record.encode())
        state.put(carnet_goods_key(carnet.origin), goods.encode())
        anchor_document(context, state, OFFICIAL, (self.association,), subject=key)
        return _claim_findings(case, carnet)


def _claim_findings(case: CarnetClaimCase, carnet: CarnetRecord) -> tuple[Finding, ...]:
    today, voucher, findings = case.context.today, case.voucher, []
    if carnet.valid_until is not None and today > carnet_claim_due_on(carnet.valid_until):
        findings.append(Finding.CARNET_CLAIM_LATE)
    if voucher.undischarged and voucher.final_on is not None and today <= voucher.final_on:
        findings.append(Finding.CARNET_CLAIM_EARLY)
    if case.is_discharged:
        findings.append(Finding.DISCHARGE_DISPUTED)
    return tuple(findings)


@dataclass(frozen=True, slots=True)
class AnswerCarnetClaim:
    """`carnet.answer`: the association answers, with a proof, an objection or a deposit; which, is private."""

    voucher: _Voucher

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Take the body's fields."""
        return cls(_Voucher.read(fields))

    def apply(self, context: Context, state: Writer) -> tuple[Finding, ...]:
        """Record the answer's root, and whether the first one came late."""
        _, key, record = _step(self.voucher, context, state)
        state.put(key, replace(record, answered=True).encode())
        present_document(context, state, OFFICIAL, (record.customs,), subject=key)
        late = not record.answered and context.today > proof_due_on(record.opened_on)
        return (Finding.CARNET_ANSWER_LATE,) if late else ()


@dataclass(frozen=True, slots=True)
class DecideCarnetClaim:
    """`carnet.decide`, `carnet.close`: customs moves its claim, with a new commitment."""

    voucher: _Voucher
    fine: bytes

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Take the body's fields."""
        return cls(_Voucher.read(fields), fields.raw("fine", size=COMMITMENT_BYTES))

    def apply(self, context: Context, state: Writer) -> tuple[Finding, ...]:
        """Record the step; a closed claim leaves nothing open under its voucher."""
        carnet, key, record = _step(self.voucher, context, state)
        state.put(key, replace(record, fine=self.fine).encode())
        if record.state is CarnetClaimState.OFFICIAL_CLOSED:
            serial = self.voucher.serial
            goods = find_goods(state, carnet)
            goods = replace(
                goods,
                open_claims=tuple(known for known in goods.open_claims if known != serial),
                open_imports=tuple(known for known in goods.open_imports if known != serial),
            )
            state.put(carnet_goods_key(carnet.origin), goods.encode())
        return ()


def _step(voucher: _Voucher, context: Context, state: Writer) -> tuple[CarnetRecord, str, CarnetClaimRecord]:
    """Return the carnet, the claim's key, and the claim with its next state, not yet written."""
    carnet, brought_in = voucher.find(context, state)
    key = carnet_claim_key(carnet.origin, voucher.serial)
    data = state.get(key)
    if data is None:
        raise RuleViolatedError(context.event, Refusal.UNKNOWN_CARNET_CLAIM, f"{key} is not on the ledger")
    record = read_carnet_claim(data)
    case = CarnetClaimCase(context, brought_in, record)
    return carnet, key, replace(record, state=CARNET_CLAIM_TABLE.advance(record.state, context.event, case))
