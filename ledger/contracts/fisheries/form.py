"""NOAA Form 370, the fisheries certificate of origin, as every member sees it.

Rules:
- The exporter drafts the form for one shipment and names everyone who takes custody of it, in order; each
  endorses once, signed and dated (50 CFR 216.24(f)(4)). Who has endorsed is public, so anyone can count hops.
- The importer at the end of the chain files it with the customs entry number, at or before importation. Late,
  with an endorsement missing, or without a trade permit it is VALID with a finding; the authority decides.
- An endorsement may still come after the filing, with a finding: it may cure a hold, it hides nothing.
- Species, weights, vessels, trips and the status are private; so is what the authorities do: of official acts
  only open and closed is public, with a salted commitment to the private state.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass, replace
from typing import Self

from ledger.contracts.act import (
    COMMITMENT_BYTES,
    Context,
    Writer,
    read_addressees,
    read_legal_date,
    read_organization,
)
from ledger.contracts.certificate import SHIPMENT_LENGTH_MAX
from ledger.contracts.claim import ENTRY_NUMBER
from ledger.contracts.document import COMMERCIAL, OFFICIAL, anchor_document, present_document
from ledger.contracts.findings import Finding
from ledger.contracts.fisheries.permit import has_permit, is_in_charge
from ledger.contracts.fisheries.records import Form370Record, Form370State, Hop, read_form370
from ledger.contracts.table import Actor, Guard, Refusal, RuleViolatedError, Step, Table
from ledger.fields import Fields
from ledger.genesis import Role
from ledger.state import form370_key, shipment_key

FORM_ID_BYTES = 16
HOPS_MIN = 2
HOPS_MAX = 8
CUSTODY_ROLES = (Role.EXPORTER, Role.PROCESSOR, Role.IMPORTER)


@dataclass(frozen=True, slots=True)
class FormCase:
    """What a form's step is judged by: the record before it, and the chain that a draft brings."""

    context: Context
    record: Form370Record | None
    custody: tuple[Hop, ...] = ()
    has_roles: bool = False

    def plays(self, actor: Actor) -> bool:
        """Say whether the sender is that actor here."""
        sender = self.context.sender
        match actor:
            case Actor.EXPORTER:
                return Role.EXPORTER in sender.roles
            case Actor.CUSTODIAN:
                return self.record is not None and self.record.hop_of(sender.id) is not None
            case Actor.FILER:
                return self.record is not None and self.record.importer == sender.id
            case Actor.AUTHORITY:
                return bool(sender.roles & {Role.FISHERIES, Role.CUSTOMS})
            case _:
                return False


def _is_chain(case: FormCase) -> bool:
    first, last = case.custody[0], case.custody[-1]
    members = [hop.organization for hop in case.custody]
    return (
        case.has_roles
        and first == Hop(case.context.sender.id, Role.EXPORTER)
        and last.role is Role.IMPORTER
        and len(set(members)) == len(members)
    )


def _has_not_endorsed(case: FormCase) -> bool:
    hop = None if case.record is None else case.record.hop_of(case.context.sender.id)
    return hop is not None and hop.endorsed_ms is None


_CHAIN: Guard[FormCase] = Guard(
    "a chain of custody from the sender, as exporter, to an importer, each member once and in a role it has",
    Refusal.CUSTODY,
    _is_chain,
)
_ONCE: Guard[FormCase] = Guard(
    "a party that has not endorsed yet", Refusal.ALREADY_ENDORSED, _has_not_endorsed
)

_IN_CHARGE: Guard[FormCase] = Guard(
    "an authority of the United States", Refusal.NOT_IN_CHARGE, lambda case: is_in_charge(case.context)
)

_S = Form370State
_CHARGE = (_IN_CHARGE,)
_ENDORSEMENT = "50 CFR 216.24(f)(4); 16 USC 1385(d)(2)(B)(iii)"
_FILING = "50 CFR 216.24(f)"
_PRIVATE = "design: official acts are private in detail"
_LATE = "after the filing: a finding"

FORM370_TABLE: Table[Form370State, FormCase] = Table(
    "form 370",
    Form370State,
    (
        Step(_S.NONE, "fisheries.draft", Actor.EXPORTER, _S.DRAFT, "NOAA Form 370", guards=(_CHAIN,)),
        Step(
            _S.DRAFT,
            "fisheries.endorse",
            Actor.CUSTODIAN,
            _S.ENDORSED,
            _ENDORSEMENT,
            limit="reached with the last endorsement; until then it stays DRAFT",
            guards=(_ONCE,),
        ),
        Step(
            _S.DRAFT,
            "fisheries.file",
            Actor.FILER,
            _S.FILED,
            _FILING,
            limit="at or before importation, else a finding; endorsements missing: a finding",
        ),
        Step(
            _S.ENDORSED,
            "fisheries.file",
            Actor.FILER,
            _S.FILED,
            _FILING,
            limit="at or before importation, else a finding",
        ),
        Step(_S.FILED, "fisheries.endorse", Actor.CUSTODIAN, _S.FILED, _ENDORSEMENT, _LATE, (_ONCE,)),
        Step(_S.FILED, "fisheries.open", Actor.AUTHORITY, _S.OFFICIAL_OPEN, _PRIVATE, guards=_CHARGE),
        Step(
            _S.OFFICIAL_OPEN,
            "fisheries.endorse",
            Actor.CUSTODIAN,
            _S.OFFICIAL_OPEN,
            _ENDORSEMENT,
            _LATE,
            (_ONCE,),
        ),
        Step(_S.OFFICIAL_OPEN, "fisheries.respond", Actor.FILER, _S.OFFICIAL_OPEN, _PRIVATE),
        Step(
            _S.OFFICIAL_OPEN,
            "fisheries.act",
            Actor.AUTHORITY,
            _S.OFFICIAL_OPEN,
            _PRIVATE,
            guards=_CHARGE,
        ),
        Step(
            _S.OFFICIAL_OPEN,
            "fisheries.close",
            Actor.AUTHORITY,
            _S.OFFICIAL_CLOSED,
            _PRIVATE,
            guards=_CHARGE,
        ),
        Step(
            _S.OFFICIAL_CLOSED,
            "fisheries.open",
            Actor.AUTHORITY,
            _S.OFFICIAL_OPEN,
            "50 CFR 216.93",
            guards=_CHARGE,
        ),
    ),
)


def _find(context: Context, state: Writer, form: bytes) -> Form370Record:
    data = state.get(form370_key(form))
    if data is None:
        raise RuleViolatedError(
            context.event, Refusal.UNKNOWN_FORM_370, f"form {form.hex()} is not on the ledger"
        )
    return read_form370(data)


def _has_role(context: Context, hop: Hop) -> bool:
    member = context.roster.find(hop.organization)
    return member is not None and hop.role in member.roles


def _with_findings(record: Form370Record, findings: tuple[Finding, ...]) -> tuple[str, ...]:
    return (*record.findings, *(finding.value for finding in findings))


@dataclass(frozen=True, slots=True)
class DraftForm:
    """`fisheries.draft`: an exporter puts a form's root, its shipment and its chain of custody on the ledger."""

    form: bytes
    shipment: str
    custody: tuple[Hop, ...]
    addressees: tuple[str, ...]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Take the body's fields."""
        return cls(
            form=fields.raw("form370", size=FORM_ID_BYTES),
            shipment=fields.text("shipment", SHIPMENT_LENGTH_MAX),
            custody=_read_custody(fields),
            addressees=read_addressees(fields, "addressees", 1),
        )

    def apply(self, context: Context, state: Writer) -> tuple[Finding, ...]:
        """Record the form and its document."""
        key = form370_key(self.form)
        if state.get(key) is not None:
            raise RuleViolatedError(context.event, Refusal.FORM_370_EXISTS, f"{key} is on the ledger already")
        has_roles = all(_has_role(context, hop) for hop in self.custody)
        case = FormCase(context, None, self.custody, has_roles)
        reached = FORM370_TABLE.advance(Form370State.NONE, context.event, case)
        root = anchor_document(context, state, COMMERCIAL, self.addressees, subject=key)
        record = Form370Record(
            state=reached,
            issuer=context.sender.id,
            shipment=self.shipment,
            custody=self.custody,
            addressees=self.addressees,
            root=root,
            drafted_ms=context.time_ms,
        )
        state.put(key, record.encode())
        return ()


@dataclass(frozen=True, slots=True)
class EndorseForm:
    """`fisheries.endorse`: a party that takes custody signs for it and anchors what it weighed, in private."""

    form: bytes
    signed_on: datetime.date
    addressees: tuple[str, ...]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Take the body's fields."""
        return cls(
            form=fields.raw("form370", size=FORM_ID_BYTES),
            signed_on=read_legal_date(fields, "signed_on"),
            addressees=read_addressees(fields, "addressees", 1),
        )

    def apply(self, context: Context, state: Writer) -> tuple[Finding, ...]:
        """Record the endorsement."""
        record = _find(context, state, self.form)
        reached = FORM370_TABLE.advance(record.state, context.event, FormCase(context, record))
        anchor_document(context, state, COMMERCIAL, self.addressees, subject=form370_key(self.form))
        findings = []
        if self.signed_on > context.today:
            findings.append(Finding.DATE_IN_FUTURE)
        if record.filed_ms is not None:
            findings.append(Finding.ENDORSED_AFTER_FILING)
        custody = tuple(
            replace(hop, signed_on=self.signed_on, endorsed_ms=context.time_ms)
            if hop.organization == context.sender.id
            else hop
            for hop in record.custody
        )
        after = replace(record, custody=custody, findings=_with_findings(record, tuple(findings)))
        after = replace(after, state=record.state if after.missing else reached)
        state.put(form370_key(self.form), after.encode())
        return tuple(findings)


@dataclass(frozen=True, slots=True)
class FileForm:
    """`fisheries.file`: the importer files the form under its customs entry."""

    form: bytes
    entry: str
    import_on: datetime.date
    addressees: tuple[str, ...]
    fine: bytes

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Take the body's fields."""
        return cls(
            form=fields.raw("form370", size=FORM_ID_BYTES),
            entry=fields.text("entry", 13, ENTRY_NUMBER),
            import_on=read_legal_date(fields, "import_on"),
            addressees=read_addressees(fields, "addressees", 1),
            fine=fields.raw("fine", size=COMMITMENT_BYTES),
        )

    def apply(self, context: Context, state: Writer) -> tuple[Finding, ...]:
        """Record the filing with its findings."""
        record = _find(context, state, self.form)
        reached = FORM370_TABLE.advance(record.state, context.event, FormCase(context, record))
        anchor_document(context, state, COMMERCIAL, self.addressees, subject=form370_key(self.form))
        findings = self._findings(context, state, record)
        after = replace(
            record,
            state=reached,
            entry=self.entry,
            import_on=self.import_on,
            filed_ms=context.time_ms,
            fine=self.fine,
            findings=_with_findings(record, findings),
        )
        state.put(form370_key(self.form), after.encode())
        self._bind(state, record)
        return findings

    def _findings(self, context: Context, state: Writer, record: Form370Record) -> tuple[Finding, ...]:
        first = state.get(shipment_key(record.issuer, record.shipment))
        checks = (
            (Finding.MISSING_ENDORSEMENT, bool(record.missing)),
            (Finding.FILED_AFTER_IMPORTATION, context.today > self.import_on),
            (Finding.NO_IFTP_PERMIT, not has_permit(state, record.importer, context.today)),
            (Finding.SECOND_FORM, first is not None),
        )
        return tuple(finding for finding, holds in checks if holds)

    def _bind(self, state: Writer, record: Form370Record) -> None:
        """Remember the form that was filed first for a shipment."""
        key = shipment_key(record.issuer, record.shipment)
        if state.get(key) is None:
            state.put_map(key, {"form370": self.form})


@dataclass(frozen=True, slots=True)
class DecideForm:
    """`fisheries.open`, `fisheries.act`, `fisheries.close`: an authority moves a form.

    Each brings a new commitment and anchors one official document, whatever that says.
    """

    form: bytes
    addressees: tuple[str, ...]
    fine: bytes

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Take the body's fields."""
        return cls(
            form=fields.raw("form370", size=FORM_ID_BYTES),
            addressees=read_addressees(fields, "addressees", 1),
            fine=fields.raw("fine", size=COMMITMENT_BYTES),
        )

    def apply(self, context: Context, state: Writer) -> tuple[Finding, ...]:
        """Record the step and its document."""
        record = _find(context, state, self.form)
        reached = FORM370_TABLE.advance(record.state, context.event, FormCase(context, record))
        anchor_document(context, state, OFFICIAL, self.addressees, subject=form370_key(self.form))
        state.put(form370_key(self.form), replace(record, state=reached, fine=self.fine).encode())
        return ()


@dataclass(frozen=True, slots=True)
class RespondForm:
    """`fisheries.respond`: the importer answers a notice; the form stays as it is."""

    form: bytes

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Take the body's fields."""
        return cls(fields.raw("form370", size=FORM_ID_BYTES))

    def apply(self, context: Context, state: Writer) -> tuple[Finding, ...]:
        """Record the answer's root."""
        record = _find(context, state, self.form)
        FORM370_TABLE.advance(record.state, context.event, FormCase(context, record))
        present_document(context, state, OFFICIAL, (), subject=form370_key(self.form))
        return ()


def _read_custody(fields: Fields) -> tuple[Hop, ...]:
    hops = []
    for place, item in enumerate(fields.items("custody", HOPS_MAX, HOPS_MIN)):
        hop = Fields(item, f"body.custody[{place}]")
        hops.append(
            Hop(read_organization(hop, "organization"), Role(hop.choice("role", map(str, CUSTODY_ROLES))))
        )
        hop.finish()
    return tuple(hops)
