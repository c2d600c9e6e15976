"""The holding: one importer's possession of one certificate, the ledger's proof of it.

Rules:
- Possession is proven by the importer's own acknowledgement, signed after it opened the envelope and
  recomputed the root; its block time is what a claim's block time is compared with (19 CFR 181.21(a)).
- Who cannot open the envelope, or finds another root, complains; the issuer may then deliver again.
- An importer that certifies itself has its certificate from the anchoring on; nobody has to deliver it.
- Customs of the country of importation may look into one importer's use of it (19 CFR 181.22(c)). Of that only open and
  closed is public, with a salted commitment to the fine state: whether the use was suspended, restored or refused is
  between Customs and the importer (`ledger.contracts.holding_review`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

from ledger.contracts.act import (
    CERTIFICATE_ID_BYTES,
    COMMITMENT_BYTES,
    Context,
    Writer,
    country_of,
    read_organization,
)
from ledger.contracts.document import find_document
from ledger.contracts.evidence import EVIDENCE_SAYS, Complaint, read_complaint
from ledger.contracts.findings import Finding
from ledger.contracts.records import (
    CertificateRecord,
    HoldingRecord,
    HoldingState,
    read_certificate,
    read_holding,
)
from ledger.contracts.regime import REGIME_OF_FORM
from ledger.contracts.table import Actor, Guard, Refusal, RuleViolatedError, Step, Table
from ledger.fields import Fields
from ledger.genesis import Role
from ledger.state import certificate_key, holding_key


@dataclass(frozen=True, slots=True)
class HoldingCase:
    """What a holding's step is judged by."""

    context: Context
    holder: str
    certificate: CertificateRecord | None = None
    holder_is_importer: bool = False
    evidence_holds: bool = True
    importing: str = ""

    def plays(self, actor: Actor) -> bool:
        """Say whether the sender is that actor here."""
        sender = self.context.sender
        match actor:
            case Actor.ISSUER:
                return self.certificate is not None and self.certificate.issuer == sender.id
            case Actor.HOLDER:
                return self.holder == sender.id
            case Actor.CUSTOMS:
                return Role.CUSTOMS in sender.roles
            case _:
                return False


_IMPORTER: Guard[HoldingCase] = Guard(
    "a holder that has the role importer", Refusal.UNKNOWN_HOLDER, lambda case: case.holder_is_importer
)
_ADDRESSED: Guard[HoldingCase] = Guard(
    "a holder that the certificate is addressed to",
    Refusal.NOT_ADDRESSED,
    lambda case: case.certificate is not None and case.holder in case.certificate.addressees,
)

_EVIDENCE: Guard[HoldingCase] = Guard(EVIDENCE_SAYS, Refusal.EVIDENCE, lambda case: case.evidence_holds)

_IN_CHARGE: Guard[HoldingCase] = Guard(
    "customs of the country of importation",
    Refusal.NOT_IN_CHARGE,
    lambda case: country_of(case.context) == case.importing,
)

_S = HoldingState
_PRIVATE = "design: official acts are private in detail"
HOLDING_TABLE: Table[HoldingState, HoldingCase] = Table(
    "holding",
    HoldingState,
    (
        Step(
            _S.NONE,
            "certificate.deliver",
            Actor.ISSUER,
            _S.DELIVERED,
            "19 CFR 181.21(a)",
            guards=(_IMPORTER, _ADDRESSED),
        ),
        Step(
            _S.NONE,
            "certificate.anchor",
            Actor.ISSUER,
            _S.HELD,
            "19 CFR 10.584(a), 182.12(a): the importer certifies itself",
            guards=(_IMPORTER,),
        ),
        Step(
            _S.DISPUTED,
            "certificate.deliver",
            Actor.ISSUER,
            _S.DELIVERED,
            "design: a spoilt envelope is sent again",
            guards=(_IMPORTER, _ADDRESSED),
        ),
        Step(_S.DELIVERED, "holding.acknowledge", Actor.HOLDER, _S.HELD, "19 CFR 181.21(a)"),
        Step(
            _S.DELIVERED,
            "holding.complain",
            Actor.HOLDER,
            _S.DISPUTED,
            "design: all envelopes share one root",
            guards=(_EVIDENCE,),
        ),
        Step(_S.HELD, "holding.open", Actor.CUSTOMS, _S.OFFICIAL_OPEN, _PRIVATE, guards=(_IN_CHARGE,)),
        Step(
            _S.OFFICIAL_CLOSED,
            "holding.open",
            Actor.CUSTOMS,
            _S.OFFICIAL_OPEN,
            _PRIVATE,
            guards=(_IN_CHARGE,),
        ),
        Step(
            _S.OFFICIAL_OPEN,
            "holding.close",
            Actor.CUSTOMS,
            _S.OFFICIAL_CLOSED,
            _PRIVATE,
            guards=(_IN_CHARGE,),
        ),
    ),
)


def deliver(
    context: Context, state: Writer, certificate_id: bytes, certificate: CertificateRecord, holder: str
) -> None:
    """Open a holding, or open it again after a complaint.

    Raises:
        RuleViolatedError: if the holder is no importer, is not addressed, or has the certificate already.
    """
    member = context.roster.find(holder)
    is_importer = member is not None and Role.IMPORTER in member.roles
    key = holding_key(certificate_id, holder)
    data = state.get(key)
    before = HoldingState.NONE if data is None else read_holding(data).state
    case = HoldingCase(context, holder, certificate, is_importer)
    reached = HOLDING_TABLE.advance(before, context.event, case)
    state.put(key, HoldingRecord(reached, context.time_ms).encode())


def hold_own(context: Context, state: Writer, certificate_id: bytes, certificate: CertificateRecord) -> None:
    """Record that an importer has the certificate that it has just signed itself."""
    case = HoldingCase(context, context.sender.id, certificate, Role.IMPORTER in context.sender.roles)
    reached = HOLDING_TABLE.advance(HoldingState.NONE, context.event, case)
    record = HoldingRecord(reached, delivered_ms=context.time_ms, acknowledged_ms=context.time_ms)
    state.put(holding_key(certificate_id, context.sender.id), record.encode())


def _find(context: Context, state: Writer, certificate: bytes, holder: str) -> HoldingRecord:
    data = state.get(holding_key(certificate, holder))
    if data is None:
        raise RuleViolatedError(
            context.event,
            Refusal.UNKNOWN_HOLDING,
            f"certificate {certificate.hex()} was never delivered to {holder}",
        )
    return read_holding(data)


def _holds(complaint: Complaint, context: Context, state: Writer, certificate: bytes) -> bool:
    data = state.get(certificate_key(certificate))
    root = None if data is None else read_certificate(data).root
    return root is not None and complaint.holds(context, root, find_document(context, state, root))


def _step(
    context: Context, state: Writer, certificate: bytes, holder: str, *, complaint: Complaint | None = None
) -> HoldingRecord:
    """Return the holding with its next state, not yet written."""
    record = _find(context, state, certificate, holder)
    holds = complaint is None or _holds(complaint, context, state, certificate)
    data = state.get(certificate_key(certificate))
    importing = "" if data is None else REGIME_OF_FORM[read_certificate(data).form].importing
    case = HoldingCase(context, holder, evidence_holds=holds, importing=importing)
    reached = HOLDING_TABLE.advance(record.state, context.event, case)
    return replace(record, state=reached)


@dataclass(frozen=True, slots=True)
class AcknowledgeHolding:
    """`holding.acknowledge`: the importer has opened the envelope and recomputed the root."""

    certificate: bytes

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Take the body's fields."""
        return cls(fields.raw("certificate", size=CERTIFICATE_ID_BYTES))

    def apply(self, context: Context, state: Writer) -> tuple[Finding, ...]:
        """Record possession at the block's time."""
        holder = context.sender.id
        record = _step(context, state, self.certificate, holder)
        after = replace(record, acknowledged_ms=context.time_ms)
        state.put(holding_key(self.certificate, holder), after.encode())
        return ()


@dataclass(frozen=True, slots=True)
class ComplainHolding:
    """`holding.complain`: the importer could not open the envelope, or it has another root."""

    certificate: bytes
    complaint: Complaint

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Take the body's fields."""
        return cls(
            fields.raw("certificate", size=CERTIFICATE_ID_BYTES),
            read_complaint(fields),
        )

    def apply(self, context: Context, state: Writer) -> tuple[Finding, ...]:
        """Record the dispute, and whom it accuses or convicts."""
        holder = context.sender.id
        record = _step(context, state, self.certificate, holder, complaint=self.complaint)
        after = replace(record, complaint=self.complaint.record)
        state.put(holding_key(self.certificate, holder), after.encode())
        return self.complaint.findings


@dataclass(frozen=True, slots=True)
class DecideHolding:
    """`holding.open`, `holding.close`: Customs on one importer's use of it, with a new commitment."""

    certificate: bytes
    holder: str
    fine: bytes

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Take the body's fields."""
        return cls(
            fields.raw("certificate", size=CERTIFICATE_ID_BYTES),
            read_organization(fields, "holder"),
            fields.raw("fine", size=COMMITMENT_BYTES),
        )

    def apply(self, context: Context, state: Writer) -> tuple[Finding, ...]:
        """Record the step."""
        record = _step(context, state, self.certificate, self.holder)
        state.put(holding_key(self.certificate, self.holder), replace(record, fine=self.fine).encode())
        return ()
