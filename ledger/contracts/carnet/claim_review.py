"""The fine state of customs' claim on a guaranteeing association: private, run by the parties' own programs.

Rules:
- Nothing here is on the ledger but a salted commitment, carried by customs' public acts.
- A proof comes within six months of the claim; without one the association deposits the sum provisionally. Within
  three months of the deposit a proof still recovers it; then customs makes it final (ATA Convention, Art. 7).
- The association objects to a claim that is too late, barred by a discharge, or more than the import duties and
  taxes and ten percent; customs amends it or withdraws it.
- Silence changes nothing by itself: what follows it is an act whose guard asks that the time has passed.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass, replace
from enum import StrEnum

from ledger.contracts.carnet.dates import proof_due_on, recovery_due_on
from ledger.contracts.parameters import CARNET_AMOUNT_PERCENT_MAX, CARNET_PROOF_MONTHS, CARNET_RECOVERY_MONTHS
from ledger.contracts.private import CarriedEvent, commitment
from ledger.contracts.table import Actor, Guard, Refusal, Step, Table

_COMMITMENT_DOMAIN = "seatrial/carnet-fine/v1"


class CarnetFineState(StrEnum):
    """Where a claim stands between customs, the associations and the holder."""

    CLAIM_OPEN = "CLAIM_OPEN"
    CONTESTED = "CONTESTED"
    PROOF_GIVEN = "PROOF_GIVEN"
    PROVISIONAL_DEPOSIT = "PROVISIONAL_DEPOSIT"
    RECOVERY_SOUGHT = "RECOVERY_SOUGHT"
    REGULARIZED = "REGULARIZED"
    WITHDRAWN = "WITHDRAWN"
    FINAL = "FINAL"


class CarnetReviewEvent(CarriedEvent):
    """What happens to a claim."""

    OBJECT = ("object", "carnet.answer")
    PROVE = ("prove", "carnet.answer")
    DEPOSIT = ("deposit", "carnet.answer")
    AMEND = ("amend", "carnet.decide")
    REJECT = ("reject", "carnet.decide")
    ACCEPT = ("accept", "carnet.close")
    WITHDRAW = ("withdraw", "carnet.close")
    FINALIZE = ("finalize", "carnet.close")


class ProofKind(StrEnum):
    """What a proof rests on, best first."""

    DIRECT = "DIRECT"
    INDIRECT = "INDIRECT"


@dataclass(frozen=True, slots=True)
class CarnetReview:
    """One claim's fine state.

    Attributes:
        state: see the table.
        due_on: last day of the association's time: for a proof, then for the recovery of its deposit.
    """

    state: CarnetFineState
    due_on: datetime.date


@dataclass(frozen=True, slots=True)
class CarnetReviewCase:
    """What a step is judged by: who acts, on which day, and the time still running."""

    actor: Actor
    on: datetime.date
    due_on: datetime.date

    def plays(self, actor: Actor) -> bool:
        """Say whether the sender is that actor here."""
        return self.actor is actor


_IN_TIME: Guard[CarnetReviewCase] = Guard(
    "a day within the association's time", Refusal.TOO_LATE, lambda case: case.on <= case.due_on
)
_TIME_PASSED: Guard[CarnetReviewCase] = Guard(
    "the association's time to have passed", Refusal.TOO_EARLY, lambda case: case.on > case.due_on
)

_F = CarnetFineState
_E = CarnetReviewEvent
_ART_6 = "ATA Convention (1961), Art. 6"
_ART_7 = "ATA Convention (1961), Art. 7"
_PROOF = str(CARNET_PROOF_MONTHS)
_RECOVERY = str(CARNET_RECOVERY_MONTHS)


def _step(
    state: CarnetFineState,
    event: CarnetReviewEvent,
    target: CarnetFineState,
    source: str,
    limit: str = "",
    *guards: Guard[CarnetReviewCase],
) -> Step[CarnetFineState, CarnetReviewCase]:
    actor = Actor.GUARANTOR if event.act == "carnet.answer" else Actor.OFFICE
    return Step(state, event.value, actor, target, source, limit, guards)


CARNET_REVIEW_TABLE: Table[CarnetFineState, CarnetReviewCase] = Table(
    "carnet review",
    CarnetFineState,
    (
        _step(_F.CLAIM_OPEN, _E.OBJECT, _F.CONTESTED, _ART_6, str(CARNET_AMOUNT_PERCENT_MAX)),
        _step(_F.CLAIM_OPEN, _E.PROVE, _F.PROOF_GIVEN, _ART_7, _PROOF, _IN_TIME),
        _step(_F.CLAIM_OPEN, _E.DEPOSIT, _F.PROVISIONAL_DEPOSIT, _ART_7, _PROOF),
        _step(_F.CLAIM_OPEN, _E.WITHDRAW, _F.WITHDRAWN, _ART_6),
        _step(_F.CONTESTED, _E.AMEND, _F.CLAIM_OPEN, _ART_6),
        _step(_F.CONTESTED, _E.WITHDRAW, _F.WITHDRAWN, _ART_6),
        _step(_F.PROOF_GIVEN, _E.ACCEPT, _F.REGULARIZED, _ART_7),
        _step(_F.PROOF_GIVEN, _E.REJECT, _F.CLAIM_OPEN, _ART_7),
        _step(_F.PROVISIONAL_DEPOSIT, _E.PROVE, _F.RECOVERY_SOUGHT, _ART_7, _RECOVERY, _IN_TIME),
        _step(_F.PROVISIONAL_DEPOSIT, _E.FINALIZE, _F.FINAL, _ART_7, f"after {_RECOVERY}", _TIME_PASSED),
        _step(_F.RECOVERY_SOUGHT, _E.ACCEPT, _F.REGULARIZED, _ART_7),
        _step(_F.RECOVERY_SOUGHT, _E.REJECT, _F.PROVISIONAL_DEPOSIT, _ART_7),
    ),
)


def open_review(opened_on: datetime.date) -> CarnetReview:
    """Return the review of a claim opened on a day."""
    return CarnetReview(CarnetFineState.CLAIM_OPEN, proof_due_on(opened_on))


def advance_carnet_review(
    review: CarnetReview, event: CarnetReviewEvent, actor: Actor, on: datetime.date
) -> CarnetReview:
    """Return the review after an event.

    Args:
        review: before it.
        event: what happens.
        actor: `Actor.OFFICE` or `Actor.GUARANTOR`.
        on: the legal date of its block.

    Raises:
        RuleViolatedError: if the table does not list the step, its time has not come, or it is over.
    """
    case = CarnetReviewCase(actor, on, review.due_on)
    reached = CARNET_REVIEW_TABLE.advance(review.state, event.value, case)
    due_on = recovery_due_on(on) if event is CarnetReviewEvent.DEPOSIT else review.due_on
    return replace(review, state=reached, due_on=due_on)


def claim_cap(duties: int) -> int:
    """Return the most that may be claimed for some import duties and taxes, in the same unit, rounded down."""
    return duties * CARNET_AMOUNT_PERCENT_MAX.value // 100


def proof_kind(
    imported_on: datetime.date,
    valid_until: datetime.date,
    reexported_on: datetime.date | None,
    seen_elsewhere_on: datetime.date | None,
) -> ProofKind | None:
    """Return which proof there is that goods left: direct, indirect, or None.

    Args:
        imported_on: day of the importation's stamp.
        valid_until: the carnet's last day.
        reexported_on: day of the re-exportation's stamp, if there is one.
        seen_elsewhere_on: day of a re-importation's or another country's importation's stamp, if there is one.
    """
    if reexported_on is not None and imported_on <= reexported_on <= valid_until:
        return ProofKind.DIRECT
    if seen_elsewhere_on is not None and imported_on <= seen_elsewhere_on:
        return ProofKind.INDIRECT
    return None


def carnet_fine_commitment(salt: bytes, carnet: bytes, serial: int, fine: CarnetFineState) -> bytes:
    """Return the salted commitment to a claim's fine state, 32 bytes.

    Args:
        salt: 16 random bytes, fresh for each commitment, kept with the state.
        carnet: id of the carnet that the voucher is of.
        serial: of the voucher.
        fine: the state.

    Raises:
        ValueError: if the salt is not 16 bytes.
    """
    return commitment(_COMMITMENT_DOMAIN, salt, carnet, serial, fine.value)
