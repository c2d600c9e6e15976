"""The verification of origin with one party, as every member sees it: open or closed.

Rules:
- Customs verifies with whoever exported or produced the goods (19 CFR 181.71-76). On the ledger are the party, that
  the matter is open or closed, and a salted commitment; which goods, which certificate, which letter is private.
- Under the USMCA Customs may verify with the importer too, and takes data that an exporter or producer sends it
  straight (19 CFR 182.72(a), (c)); the act then says the agreement. Under NAFTA an importer is refused (19 CFR
  181.72(a)).
- Each act of Customs anchors the letter, notice or determination that it sends, addressed to the party and, for a
  visit, to its own country's customs; each answer of the party anchors the answer.
- Only the Customs that opened a verification goes on with it and closes it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

from ledger.contracts.act import (
    COMMITMENT_BYTES,
    Context,
    Writer,
    read_addressees,
    read_organization,
)
from ledger.contracts.document import OFFICIAL, anchor_document, present_document
from ledger.contracts.findings import Finding
from ledger.contracts.regime import REGIMES
from ledger.contracts.table import Actor, Guard, Refusal, RuleViolatedError, Step, Table
from ledger.contracts.verification.records import (
    VerificationRecord,
    VerificationState,
    read_verification,
)
from ledger.fields import Fields
from ledger.genesis import Role
from ledger.state import verification_key

VERIFICATION_ID_BYTES = 16
_PARTIES = frozenset({Role.EXPORTER, Role.PRODUCER})


def _verifies_importer(regime: str | None) -> bool:
    return regime is not None and REGIMES[regime].verifies_importer


@dataclass(frozen=True, slots=True)
class VerificationCase:
    """What a verification's step is judged by."""

    context: Context
    authority: str
    party: str
    regime: str | None = None
    party_may_be_asked: bool = True

    def plays(self, actor: Actor) -> bool:
        """Say whether the sender is that actor here."""
        sender = self.context.sender
        match actor:
            case Actor.CUSTOMS:
                return Role.CUSTOMS in sender.roles
            case Actor.VERIFIER:
                return self.authority == sender.id
            case Actor.VERIFIED:
                return self.party == sender.id
            case Actor.INFORMANT:
                is_seller = not _PARTIES.isdisjoint(sender.roles)
                return self.party == sender.id or (is_seller and _verifies_importer(self.regime))
            case _:
                return False


_ASKED: Guard[VerificationCase] = Guard(
    "a party that has the role exporter or producer, or importer if the act names the USMCA",
    Refusal.UNKNOWN_PARTY,
    lambda case: case.party_may_be_asked,
)

_S = VerificationState
_PRIVATE = "design: official acts are private in detail"
VERIFICATION_TABLE: Table[VerificationState, VerificationCase] = Table(
    "verification",
    VerificationState,
    (
        Step(
            _S.NONE,
            "verification.open",
            Actor.CUSTOMS,
            _S.OFFICIAL_OPEN,
            "19 CFR 181.72(a), 182.72",
            guards=(_ASKED,),
        ),
        Step(_S.OFFICIAL_OPEN, "verification.respond", Actor.INFORMANT, _S.OFFICIAL_OPEN, _PRIVATE),
        Step(_S.OFFICIAL_OPEN, "verification.act", Actor.VERIFIER, _S.OFFICIAL_OPEN, _PRIVATE),
        Step(_S.OFFICIAL_OPEN, "verification.close", Actor.VERIFIER, _S.OFFICIAL_CLOSED, "19 CFR 181.75"),
    ),
)


def _find(context: Context, state: Writer, verification: bytes) -> VerificationRecord:
    key = verification_key(verification)
    data = state.get(key)
    if data is None:
        raise RuleViolatedError(context.event, Refusal.UNKNOWN_VERIFICATION, f"{key} is not on the ledger")
    return read_verification(data)


def _advanced(context: Context, record: VerificationRecord) -> VerificationState:
    case = VerificationCase(context, record.authority, record.party, record.regime)
    return VERIFICATION_TABLE.advance(record.state, context.event, case)


@dataclass(frozen=True, slots=True)
class OpenVerification:
    """`verification.open`: Customs asks an exporter, a producer or, under the USMCA, an importer.

    `also` gets the same document.
    """

    verification: bytes
    party: str
    also: tuple[str, ...]
    fine: bytes
    regime: str | None = None

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Take the body's fields."""
        return cls(
            fields.raw("verification", size=VERIFICATION_ID_BYTES),
            read_organization(fields, "party"),
            read_addressees(fields, "also", 0),
            fields.raw("fine", size=COMMITMENT_BYTES),
            fields.optional_text("regime", 16, "|".join(REGIMES)),
        )

    def apply(self, context: Context, state: Writer) -> tuple[Finding, ...]:
        """Record the verification and its first letter's root."""
        key = verification_key(self.verification)
        if state.get(key) is not None:
            raise RuleViolatedError(
                context.event, Refusal.VERIFICATION_EXISTS, f"{key} is on the ledger already"
            )
        member = context.roster.find(self.party)
        asked = _PARTIES | {Role.IMPORTER} if _verifies_importer(self.regime) else _PARTIES
        able = member is not None and not asked.isdisjoint(member.roles)
        case = VerificationCase(context, context.sender.id, self.party, self.regime, able)
        reached = VERIFICATION_TABLE.advance(VerificationState.NONE, context.event, case)
        addressees = tuple(dict.fromkeys((self.party, *self.also)))
        anchor_document(context, state, OFFICIAL, addressees, subject=key)
        record = VerificationRecord(
            reached, context.sender.id, self.party, self.fine, context.time_ms, self.regime
        )
        state.put(key, record.encode())
        return ()


@dataclass(frozen=True, slots=True)
class MoveVerification:
    """`verification.act`, `verification.close`: Customs goes on, or determines, with a new commitment."""

    verification: bytes
    also: tuple[str, ...]
    fine: bytes

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Take the body's fields."""
        return cls(
            fields.raw("verification", size=VERIFICATION_ID_BYTES),
            read_addressees(fields, "also", 0),
            fields.raw("fine", size=COMMITMENT_BYTES),
        )

    def apply(self, context: Context, state: Writer) -> tuple[Finding, ...]:
        """Record the step and its document's root."""
        record = _find(context, state, self.verification)
        reached = _advanced(context, record)
        key = verification_key(self.verification)
        addressees = tuple(dict.fromkeys((record.party, *self.also)))
        anchor_document(context, state, OFFICIAL, addressees, subject=key)
        state.put(key, replace(record, state=reached, fine=self.fine).encode())
        return ()


@dataclass(frozen=True, slots=True)
class RespondVerification:
    """`verification.respond`: the party answers; the answer's root may be new or of a document it has."""

    verification: bytes

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Take the body's fields."""
        return cls(fields.raw("verification", size=VERIFICATION_ID_BYTES))

    def apply(self, context: Context, state: Writer) -> tuple[Finding, ...]:
        """Record the answer's root. The verification stays as it is."""
        record = _find(context, state, self.verification)
        _advanced(context, record)
        present_document(context, state, OFFICIAL, (), subject=verification_key(self.verification))
        return ()
