"""The certificate of origin: anchored, delivered, found incorrect, replaced.

Rules:
- The chamber signs none of this: a NAFTA certificate is signed by the exporter (19 CFR 181.11), a CAFTA-DR or
  USMCA certification by importer, exporter or producer (19 CFR 10.584(a); 182.12(a)).
- An importer that certifies itself holds its certificate from the block that anchors it.
- Public are the signature date and either the blanket period or the shipment; all else is behind the root.
- A first day before the signature is lawful: the blanket may cover goods already shipped (Form 434, field 2).
- A blanket of more than twelve months is a finding, on the certificate and on each claim that rests on it; so
  is a signature dated after the block. Both are recorded, neither is refused.
- The issuer who learns of an error gives notice to every recipient first (19 USC 1592(f)), then supersedes.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass, replace
from typing import Self

from ledger.contracts.act import (
    CERTIFICATE_ID_BYTES,
    Context,
    Writer,
    read_addressees,
    read_legal_date,
    read_organization,
)
from ledger.contracts.deadlines import last_day_of_period
from ledger.contracts.document import anchor_document
from ledger.contracts.findings import Finding
from ledger.contracts.holding import deliver, hold_own
from ledger.contracts.parameters import BLANKET_MONTHS_MAX
from ledger.contracts.records import (
    Blanket,
    CertificateRecord,
    CertificateState,
    read_certificate,
)
from ledger.contracts.regime import REGIME_OF_FORM
from ledger.contracts.table import Actor, Guard, Refusal, RuleViolatedError, Step, Table
from ledger.fields import Fields
from ledger.genesis import Role
from ledger.state import certificate_key

SHIPMENT_LENGTH_MAX = 64


@dataclass(frozen=True, slots=True)
class CertificateCase:
    """What a certificate's step is judged by: the record before it, and what the act brought."""

    context: Context
    record: CertificateRecord | None
    blanket: Blanket | None = None
    shipment: str | None = None
    successor: CertificateRecord | None = None
    form: str = ""

    def plays(self, actor: Actor) -> bool:
        """Say whether the sender is that actor here."""
        if actor is Actor.CERTIFIER:
            return bool(REGIME_OF_FORM[self.form].certifiers & self.context.sender.roles)
        return (
            actor is Actor.ISSUER and self.record is not None and self.record.issuer == self.context.sender.id
        )


def _is_sound_successor(case: CertificateCase) -> bool:
    after, before = case.successor, case.record
    return (
        after is not None
        and before is not None
        and after.state is CertificateState.ACTIVE
        and after.issuer == before.issuer
    )


_SCOPE: Guard[CertificateCase] = Guard(
    "a blanket period or one shipment",
    Refusal.SCOPE,
    lambda case: (case.blanket is None) != (case.shipment is None),
)
_BLANKET_ORDER: Guard[CertificateCase] = Guard(
    "a blanket whose first day is not after its last",
    Refusal.BLANKET_ORDER,
    lambda case: case.blanket is None or case.blanket.first <= case.blanket.last,
)
_SUCCESSOR: Guard[CertificateCase] = Guard(
    "another active certificate of the same issuer as successor",
    Refusal.UNKNOWN_SUCCESSOR,
    _is_sound_successor,
)

CERTIFICATE_TABLE: Table[CertificateState, CertificateCase] = Table(
    "certificate",
    CertificateState,
    (
        Step(
            CertificateState.UNANCHORED,
            "certificate.anchor",
            Actor.CERTIFIER,
            CertificateState.ACTIVE,
            "19 CFR 181.11(b), 10.584(a), 182.12(a)",
            limit=f"blanket at most {BLANKET_MONTHS_MAX}; else a finding",
            guards=(_SCOPE, _BLANKET_ORDER),
        ),
        Step(
            CertificateState.ACTIVE,
            "certificate.deliver",
            Actor.ISSUER,
            CertificateState.ACTIVE,
            "19 CFR 181.21(a)",
        ),
        Step(
            CertificateState.ACTIVE,
            "certificate.notify",
            Actor.ISSUER,
            CertificateState.NOTICE_GIVEN,
            "19 USC 1592(f), (h)",
        ),
        Step(
            CertificateState.NOTICE_GIVEN,
            "certificate.supersede",
            Actor.ISSUER,
            CertificateState.CORRECTED,
            "19 USC 1592(f), (h)",
            guards=(_SUCCESSOR,),
        ),
    ),
)


def blanket_too_long(blanket: Blanket) -> bool:
    """Say whether a blanket period covers more than twelve months (19 CFR 181.22(b)(5)(ii))."""
    return blanket.last > last_day_of_period(blanket.first, BLANKET_MONTHS_MAX.value)


def find_certificate(event: str, state: Writer, certificate: bytes) -> CertificateRecord:
    """Return an anchored certificate.

    Raises:
        RuleViolatedError: if there is none.
    """
    data = state.get(certificate_key(certificate))
    if data is None:
        raise RuleViolatedError(
            event, Refusal.UNKNOWN_CERTIFICATE, f"certificate {certificate.hex()} is not on the ledger"
        )
    return read_certificate(data)


@dataclass(frozen=True, slots=True)
class AnchorCertificate:
    """`certificate.anchor`: who may certify puts a certificate's root and public facts on the ledger."""

    certificate: bytes
    form: str
    signed_on: datetime.date
    blanket: Blanket | None
    shipment: str | None
    addressees: tuple[str, ...]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Take the body's fields."""
        blanket = fields.optional_map("blanket")
        return cls(
            certificate=fields.raw("certificate", size=CERTIFICATE_ID_BYTES),
            form=fields.choice("form", REGIME_OF_FORM),
            signed_on=read_legal_date(fields, "signed_on"),
            blanket=None if blanket is None else _read_blanket(Fields(blanket, "body.blanket")),
            shipment=fields.optional_text("shipment", SHIPMENT_LENGTH_MAX),
            addressees=read_addressees(fields, "addressees", 1),
        )

    def apply(self, context: Context, state: Writer) -> tuple[Finding, ...]:
        """Record the certificate and its document."""
        key = certificate_key(self.certificate)
        if state.get(key) is not None:
            raise RuleViolatedError(
                context.event, Refusal.CERTIFICATE_EXISTS, f"{key} is on the ledger already"
            )
        case = CertificateCase(context, None, self.blanket, self.shipment, form=self.form)
        reached = CERTIFICATE_TABLE.advance(CertificateState.UNANCHORED, context.event, case)
        root = anchor_document(context, state, "commercial", self.addressees, subject=key)
        record = CertificateRecord(
            state=reached,
            form=self.form,
            issuer=context.sender.id,
            signed_on=self.signed_on,
            blanket=self.blanket,
            shipment=self.shipment,
            addressees=self.addressees,
            root=root,
            anchored_ms=context.time_ms,
        )
        state.put(key, record.encode())
        sender = context.sender
        if Role.IMPORTER in sender.roles and Role.IMPORTER in REGIME_OF_FORM[self.form].certifiers:
            hold_own(context, state, self.certificate, record)
        findings = []
        if self.blanket is not None and blanket_too_long(self.blanket):
            findings.append(Finding.BLANKET_TOO_LONG)
        if self.signed_on > context.today:
            findings.append(Finding.DATE_IN_FUTURE)
        return tuple(findings)


@dataclass(frozen=True, slots=True)
class DeliverCertificate:
    """`certificate.deliver`: the issuer states that it sent an importer its envelope."""

    certificate: bytes
    holder: str

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Take the body's fields."""
        return cls(
            fields.raw("certificate", size=CERTIFICATE_ID_BYTES),
            read_organization(fields, "holder"),
        )

    def apply(self, context: Context, state: Writer) -> tuple[Finding, ...]:
        """Open the importer's holding."""
        record = find_certificate(context.event, state, self.certificate)
        CERTIFICATE_TABLE.advance(record.state, context.event, CertificateCase(context, record))
        deliver(context, state, self.certificate, record, self.holder)
        return ()


@dataclass(frozen=True, slots=True)
class NotifyCertificate:
    """`certificate.notify`: the issuer tells every recipient that the certificate is incorrect.

    What is incorrect is in its notice to them; the ledger tells nobody else.
    """

    certificate: bytes

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Take the body's fields."""
        return cls(fields.raw("certificate", size=CERTIFICATE_ID_BYTES))

    def apply(self, context: Context, state: Writer) -> tuple[Finding, ...]:
        """Record the notice."""
        record = find_certificate(context.event, state, self.certificate)
        reached = CERTIFICATE_TABLE.advance(record.state, context.event, CertificateCase(context, record))
        state.put(certificate_key(self.certificate), replace(record, state=reached).encode())
        return ()


@dataclass(frozen=True, slots=True)
class SupersedeCertificate:
    """`certificate.supersede`: the issuer names the corrected certificate."""

    certificate: bytes
    successor: bytes

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Take the body's fields."""
        return cls(
            fields.raw("certificate", size=CERTIFICATE_ID_BYTES),
            fields.raw("successor", size=CERTIFICATE_ID_BYTES),
        )

    def apply(self, context: Context, state: Writer) -> tuple[Finding, ...]:
        """Record the successor."""
        record = find_certificate(context.event, state, self.certificate)
        data = state.get(certificate_key(self.successor))
        successor = None if data is None else read_certificate(data)
        case = CertificateCase(context, record, successor=successor)
        reached = CERTIFICATE_TABLE.advance(record.state, context.event, case)
        after = replace(record, state=reached, successor=self.successor)
        state.put(certificate_key(self.certificate), after.encode())
        return ()


def _read_blanket(fields: Fields) -> Blanket:
    blanket = Blanket(read_legal_date(fields, "from"), read_legal_date(fields, "to"))
    fields.finish()
    return blanket
