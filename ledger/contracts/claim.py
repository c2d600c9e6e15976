"""The preference claim on one entry line, as every member sees it.

Rules:
- A claim is filed on the entry summary, within ten working days of entry (19 CFR 142.12(b)), or within a year
  of importation if none was made at entry (19 USC 1520(d)).
- The agreement claimed under has its own special program indicators; whether it governs the import is a finding.
- A late claim, one without proven possession, one outside the blanket is VALID with a finding; Customs
  decides.
- A customs broker files, corrects, answers and protests in an importer's name while its power of attorney is in
  force (19 CFR 141.46); the claim and the possession are the importer's, and the record names both.
- A claim on a line that has one is refused, and so is one that names a certificate the ledger does not know.
- The day of a claim is the legal date of its block. Possession is proven if the importer's acknowledgement
  has a block time not later than the claim's, and came before it in the ledger's order.
- A claim that Customs has closed may still be corrected; a liquidated one may be protested, which opens it again.
- Official acts on a claim are for customs of the country of importation, which the agreement names; another's
  customs is refused.
- Of official acts only open and closed is public, with a salted commitment to the fine state.
- Several lines and entries may rest on a single-shipment certificate, and several shipments on one entry;
  another shipment on another entry is the finding SECOND_SHIPMENT (19 CFR 181.22(b)(5)(i)).
"""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass, replace
from typing import ClassVar, Self

from ledger.contracts.act import (
    CERTIFICATE_ID_BYTES,
    COMMITMENT_BYTES,
    ORGANIZATION,
    Context,
    Writer,
    country_of,
    read_legal_date,
)
from ledger.contracts.certificate import SHIPMENT_LENGTH_MAX, find_certificate
from ledger.contracts.claim_findings import (
    ClaimFacts,
    claim_findings,
    correction_findings,
    protest_findings,
)
from ledger.contracts.document import OFFICIAL, anchor_document, present_document
from ledger.contracts.findings import Finding
from ledger.contracts.parameters import (
    CORRECTION_CALENDAR_DAYS,
    POST_CLAIM_YEARS,
    PROTEST_CALENDAR_DAYS,
    SUMMARY_WORKING_DAYS,
)
from ledger.contracts.power import acts_for
from ledger.contracts.records import (
    CertificateRecord,
    ClaimRecord,
    ClaimState,
    HoldingRecord,
    read_claim,
    read_holding,
)
from ledger.contracts.regime import REGIMES
from ledger.contracts.table import Actor, Guard, Refusal, RuleViolatedError, Step, Table
from ledger.fields import Fields
from ledger.genesis import Role
from ledger.state import certificate_key, claim_key, holding_key

ENTRY_NUMBER = re.compile(r"[A-Z0-9]{3}-[0-9]{7}-[0-9]")
"""Filer code, number, check digit. How the digit is computed is not confirmed: only the form is checked."""

LINE_MAX = 9999


@dataclass(frozen=True, slots=True)
class ClaimCase:
    """What a claim's step is judged by.

    Attributes:
        context: where the act stands.
        importer: the importer of record.
        acts_for: whether the sender has its power of attorney.
        importing: the country of importation.
    """

    context: Context
    importer: str
    acts_for: bool = False
    importing: str = ""

    @property
    def is_importer(self) -> bool:
        """Whether the sender is the importer of record itself."""
        return self.importer == self.context.sender.id

    def plays(self, actor: Actor) -> bool:
        """Say whether the sender is that actor here."""
        sender = self.context.sender
        match actor:
            case Actor.ENTRANT:
                return (Role.IMPORTER if self.is_importer else Role.BROKER) in sender.roles
            case Actor.CLAIMANT:
                return self.is_importer or Role.BROKER in sender.roles
            case Actor.CUSTOMS:
                return Role.CUSTOMS in sender.roles
            case _:
                return False


def _of_record(case: ClaimCase) -> bool:
    member = case.context.roster.find(case.importer)
    return member is not None and Role.IMPORTER in member.roles


_OF_RECORD: Guard[ClaimCase] = Guard(
    "an importer of record that is a member with the role importer", Refusal.NOT_IMPORTER, _of_record
)
_EMPOWERED: Guard[ClaimCase] = Guard(
    "the importer's power of attorney in force, if a customs broker acts (19 CFR 141.46)",
    Refusal.NO_POWER,
    lambda case: case.is_importer or case.acts_for,
)

_IN_CHARGE: Guard[ClaimCase] = Guard(
    "customs of the country of importation",
    Refusal.NOT_IN_CHARGE,
    lambda case: country_of(case.context) == case.importing,
)

_S = ClaimState
_PRIVATE = "design: official acts are private in detail"
_LIQUIDATION = "19 USC 1500; 19 CFR 159.1"
_OFFICIAL = (_IN_CHARGE,)

CLAIM_TABLE: Table[ClaimState, ClaimCase] = Table(
    "claim",
    ClaimState,
    (
        Step(
            _S.NONE,
            "claim.file",
            Actor.ENTRANT,
            _S.CLAIMED,
            "19 CFR 181.21(a), 10.583(a), 182.11(a)",
            limit=f"{SUMMARY_WORKING_DAYS}; else a finding",
            guards=(_OF_RECORD, _EMPOWERED),
        ),
        Step(
            _S.NONE,
            "claim.file_post",
            Actor.ENTRANT,
            _S.CLAIMED,
            "19 USC 1520(d)",
            limit=f"{POST_CLAIM_YEARS}; else a finding",
            guards=(_OF_RECORD, _EMPOWERED),
        ),
        Step(
            _S.CLAIMED,
            "claim.correct",
            Actor.CLAIMANT,
            _S.CORRECTED,
            "19 CFR 181.21(b), 10.583(c)",
            limit=f"{CORRECTION_CALENDAR_DAYS}; else a finding",
            guards=(_EMPOWERED,),
        ),
        Step(
            _S.OFFICIAL_CLOSED,
            "claim.correct",
            Actor.CLAIMANT,
            _S.CORRECTED,
            "19 CFR 181.21(b), 10.583(c)",
            limit=f"{CORRECTION_CALENDAR_DAYS}; else a finding",
            guards=(_EMPOWERED,),
        ),
        Step(_S.CLAIMED, "claim.open", Actor.CUSTOMS, _S.OFFICIAL_OPEN, _PRIVATE, guards=_OFFICIAL),
        Step(
            _S.OFFICIAL_OPEN,
            "claim.respond",
            Actor.CLAIMANT,
            _S.OFFICIAL_OPEN,
            _PRIVATE,
            guards=(_EMPOWERED,),
        ),
        Step(_S.OFFICIAL_OPEN, "claim.act", Actor.CUSTOMS, _S.OFFICIAL_OPEN, _PRIVATE, guards=_OFFICIAL),
        Step(_S.OFFICIAL_OPEN, "claim.close", Actor.CUSTOMS, _S.OFFICIAL_CLOSED, _PRIVATE, guards=_OFFICIAL),
        Step(_S.CLAIMED, "claim.close", Actor.CUSTOMS, _S.OFFICIAL_CLOSED, _PRIVATE, guards=_OFFICIAL),
        Step(_S.CORRECTED, "claim.close", Actor.CUSTOMS, _S.OFFICIAL_CLOSED, _PRIVATE, guards=_OFFICIAL),
        Step(_S.CLAIMED, "claim.liquidate", Actor.CUSTOMS, _S.LIQUIDATED, _LIQUIDATION, guards=_OFFICIAL),
        Step(_S.CORRECTED, "claim.liquidate", Actor.CUSTOMS, _S.LIQUIDATED, _LIQUIDATION, guards=_OFFICIAL),
        Step(
            _S.OFFICIAL_CLOSED,
            "claim.liquidate",
            Actor.CUSTOMS,
            _S.LIQUIDATED,
            _LIQUIDATION,
            guards=_OFFICIAL,
        ),
        Step(
            _S.LIQUIDATED,
            "claim.protest",
            Actor.CLAIMANT,
            _S.OFFICIAL_OPEN,
            "19 USC 1514",
            limit=f"{PROTEST_CALENDAR_DAYS}; else a finding",
            guards=(_EMPOWERED,),
        ),
    ),
)


def _case_of(context: Context, state: Writer, record: ClaimRecord) -> ClaimCase:
    return _case(context, state, record.importer, record.regime)


def _case(context: Context, state: Writer, importer: str, regime: str) -> ClaimCase:
    return ClaimCase(context, importer, acts_for(context, state, importer), REGIMES[regime].importing)


@dataclass(frozen=True, slots=True)
class _Line:
    """An entry line."""

    entry: str
    line: int

    @classmethod
    def read(cls, fields: Fields) -> Self:
        return cls(fields.text("entry", 13, ENTRY_NUMBER), fields.integer("line", 1, LINE_MAX))

    @property
    def key(self) -> str:
        return claim_key(self.entry, self.line)

    def find(self, context: Context, state: Writer) -> ClaimRecord:
        data = state.get(self.key)
        if data is None:
            raise RuleViolatedError(context.event, Refusal.UNKNOWN_CLAIM, f"{self.key} is not on the ledger")
        return read_claim(data)


@dataclass(frozen=True, slots=True)
class FileClaim:
    """`claim.file`: a claim on the entry summary; who files for another names the importer of record."""

    post: ClassVar[bool] = False

    line: _Line
    regime: str
    spi: str
    certificate: bytes | None
    entry_on: datetime.date
    import_on: datetime.date
    shipment: str | None
    fine: bytes
    importer_of_record: str | None = None

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Take the body's fields."""
        regime = fields.choice("regime", REGIMES)
        return cls(
            line=_Line.read(fields),
            regime=regime,
            spi=fields.choice("spi", REGIMES[regime].origins_of_spi),
            certificate=fields.optional_raw("certificate", size=CERTIFICATE_ID_BYTES),
            entry_on=read_legal_date(fields, "entry_on"),
            import_on=read_legal_date(fields, "import_on"),
            shipment=fields.optional_text("shipment", SHIPMENT_LENGTH_MAX),
            fine=fields.raw("fine", size=COMMITMENT_BYTES),
            importer_of_record=fields.optional_text("importer_of_record", 40, ORGANIZATION),
        )

    def apply(self, context: Context, state: Writer) -> tuple[Finding, ...]:
        """Record the claim with its findings."""
        key = self.line.key
        if state.get(key) is not None:
            raise RuleViolatedError(
                context.event, Refusal.DUPLICATE_ENTRY_LINE, f"{key} is on the ledger already"
            )
        importer = self.importer_of_record or context.sender.id
        reached = CLAIM_TABLE.advance(
            ClaimState.NONE, context.event, _case(context, state, importer, self.regime)
        )
        certificate, holding = self._evidence(context, state, importer)
        facts = ClaimFacts(
            post=self.post,
            regime=REGIMES[self.regime],
            claimed_on=context.today,
            claimed_ms=context.time_ms,
            entry=self.line.entry,
            entry_on=self.entry_on,
            import_on=self.import_on,
            shipment=self.shipment,
            certificate=certificate,
            holding=holding,
            calendar=context.calendar,
        )
        findings = claim_findings(facts)
        record = ClaimRecord(
            state=reached,
            importer=importer,
            filer=context.sender.id,
            post=self.post,
            regime=self.regime,
            spi=self.spi,
            certificate=self.certificate,
            entry_on=self.entry_on,
            import_on=self.import_on,
            shipment=self.shipment,
            fine=self.fine,
            filed_ms=context.time_ms,
            findings=tuple(finding.value for finding in findings),
        )
        state.put(key, record.encode())
        self._bind(state, certificate)
        return findings

    def _evidence(
        self, context: Context, state: Writer, importer: str
    ) -> tuple[CertificateRecord | None, HoldingRecord | None]:
        if self.certificate is None:
            return None, None
        certificate = find_certificate(context.event, state, self.certificate)
        data = state.get(holding_key(self.certificate, importer))
        return certificate, None if data is None else read_holding(data)

    def _bind(self, state: Writer, certificate: CertificateRecord | None) -> None:
        """Remember the entry on which a single-shipment certificate was first used for its own shipment."""
        if (
            certificate is not None
            and self.certificate is not None
            and certificate.entry is None
            and certificate.shipment is not None
            and certificate.shipment == self.shipment
        ):
            bound = replace(certificate, entry=self.line.entry)
            state.put(certificate_key(self.certificate), bound.encode())


@dataclass(frozen=True, slots=True)
class FilePostClaim(FileClaim):
    """`claim.file_post`: a claim within a year of importation, where none was made at entry."""

    post: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class CorrectClaim:
    """`claim.correct`: the importer corrects its claim and pays the duty."""

    line: _Line
    discovered_on: datetime.date
    fine: bytes

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Take the body's fields."""
        return cls(
            _Line.read(fields),
            read_legal_date(fields, "discovered_on"),
            fields.raw("fine", size=COMMITMENT_BYTES),
        )

    def apply(self, context: Context, state: Writer) -> tuple[Finding, ...]:
        """Record the correction."""
        record = self.line.find(context, state)
        reached = CLAIM_TABLE.advance(
            record.state, context.event, _case(context, state, record.importer, record.regime)
        )
        findings = correction_findings(self.discovered_on, context.today)
        known = (*record.findings, *(finding.value for finding in findings))
        after = replace(record, state=reached, fine=self.fine, findings=known)
        state.put(self.line.key, after.encode())
        return findings


@dataclass(frozen=True, slots=True)
class DecideClaim:
    """`claim.act`, `claim.close`: Customs moves a claim, with a new commitment."""

    line: _Line
    fine: bytes

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Take the body's fields."""
        return cls(_Line.read(fields), fields.raw("fine", size=COMMITMENT_BYTES))

    def apply(self, context: Context, state: Writer) -> tuple[Finding, ...]:
        """Record the step."""
        self.step(context, state)
        return ()

    def step(self, context: Context, state: Writer) -> ClaimRecord:
        """Write and return the claim with its next state."""
        record = self.line.find(context, state)
        reached = CLAIM_TABLE.advance(
            record.state, context.event, _case(context, state, record.importer, record.regime)
        )
        after = replace(record, state=reached, fine=self.fine)
        state.put(self.line.key, after.encode())
        return after


@dataclass(frozen=True, slots=True)
class LiquidateClaim(DecideClaim):
    """`claim.liquidate`: Customs liquidates; the first time is when the time to protest begins."""

    def apply(self, context: Context, state: Writer) -> tuple[Finding, ...]:
        """Record the step and its time."""
        record = self.step(context, state)
        if record.liquidated_ms is None:
            state.put(self.line.key, replace(record, liquidated_ms=context.time_ms).encode())
        return ()


@dataclass(frozen=True, slots=True)
class OpenClaim(DecideClaim):
    """`claim.open`: Customs opens an official matter and anchors its request, whatever it asks for."""

    def apply(self, context: Context, state: Writer) -> tuple[Finding, ...]:
        """Record the step and the request's root, addressed to the importer."""
        record = self.step(context, state)
        anchor_document(context, state, OFFICIAL, (record.importer,), subject=self.line.key)
        return ()


@dataclass(frozen=True, slots=True)
class RespondClaim:
    """`claim.respond`: the importer answers; the answer's root may be new or of a document it has."""

    line: _Line

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Take the body's fields."""
        return cls(_Line.read(fields))

    def apply(self, context: Context, state: Writer) -> tuple[Finding, ...]:
        """Record the answer's root. The claim stays as it is."""
        record = self.line.find(context, state)
        CLAIM_TABLE.advance(
            record.state, context.event, _case(context, state, record.importer, record.regime)
        )
        present_document(context, state, OFFICIAL, (), subject=self.line.key)
        return ()


@dataclass(frozen=True, slots=True)
class ProtestClaim(DecideClaim):
    """`claim.protest`: the importer protests a liquidation; its grounds' root may be new or of one it has."""

    def apply(self, context: Context, state: Writer) -> tuple[Finding, ...]:
        """Record the protest: the claim is open again."""
        liquidated_ms = self.line.find(context, state).liquidated_ms
        record = self.step(context, state)
        present_document(context, state, OFFICIAL, (), subject=self.line.key)
        if liquidated_ms is None:
            raise AssertionError(f"{self.line.key} is protested and was never liquidated")
        findings = protest_findings(context.calendar.legal_date(liquidated_ms), context.today)
        known = (*record.findings, *(finding.value for finding in findings))
        state.put(self.line.key, replace(record, findings=known).encode())
        return findings
