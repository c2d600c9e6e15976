"""The fine state of a holding that Customs looks into: private, run by Customs' and the importer's own programs.

Rules:
- Nothing here is on the ledger but a salted commitment, carried by the public act that goes with each event.
- Customs suspends one importer's use of a certificate; then it restores the use, or accepts the certificate no more.
- The importer has at least five working days to cure before its certificate is refused (19 CFR 181.22(c)).
- A refusal also bars later identical imports of that importer in the blanket; which those are is judged in private.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from enum import StrEnum

from ledger.contracts.deadlines import LegalCalendar
from ledger.contracts.parameters import CURE_WORKING_DAYS
from ledger.contracts.private import CarriedEvent, PrivateCase, commitment
from ledger.contracts.records import HoldingState
from ledger.contracts.table import Actor, Guard, Refusal, Step, Table

_COMMITMENT_DOMAIN = "seatrial/holding-fine/v1"


class HoldingFineState(StrEnum):
    """Where one importer's use of a certificate stands between Customs and the importer."""

    HELD = "HELD"
    SUSPENDED = "SUSPENDED"
    REINSTATED = "REINSTATED"
    NOT_ACCEPTED = "NOT_ACCEPTED"


class HoldingEvent(CarriedEvent):
    """What Customs does."""

    SUSPEND = ("suspend", "holding.open")
    REINSTATE = ("reinstate", "holding.close")
    REJECT = ("reject", "holding.close")


@dataclass(frozen=True, slots=True)
class HoldingReview:
    """One holding's fine state.

    Attributes:
        state: see the table.
        due_on: the last day of the time to cure, while one runs.
    """

    state: HoldingFineState = HoldingFineState.HELD
    due_on: datetime.date | None = None


_TIME_PASSED: Guard[PrivateCase] = Guard(
    "the time given to the importer to have passed",
    Refusal.TOO_EARLY,
    lambda case: case.due_on is None or case.on > case.due_on,
)

_F = HoldingFineState
_E = HoldingEvent
_SOURCE = "19 CFR 181.22(c)"


def _step(
    state: HoldingFineState,
    event: HoldingEvent,
    target: HoldingFineState,
    limit: str = "",
    *guards: Guard[PrivateCase],
) -> Step[HoldingFineState, PrivateCase]:
    return Step(state, event.value, Actor.CUSTOMS, target, _SOURCE, limit, guards)


HOLDING_REVIEW_TABLE: Table[HoldingFineState, PrivateCase] = Table(
    "holding review",
    HoldingFineState,
    (
        _step(_F.HELD, _E.SUSPEND, _F.SUSPENDED, str(CURE_WORKING_DAYS)),
        _step(_F.REINSTATED, _E.SUSPEND, _F.SUSPENDED, str(CURE_WORKING_DAYS)),
        _step(_F.SUSPENDED, _E.REINSTATE, _F.REINSTATED),
        _step(_F.SUSPENDED, _E.REJECT, _F.NOT_ACCEPTED, "after the time to cure", _TIME_PASSED),
    ),
)

_PUBLIC = {
    HoldingFineState.HELD: HoldingState.HELD,
    HoldingFineState.SUSPENDED: HoldingState.OFFICIAL_OPEN,
    HoldingFineState.REINSTATED: HoldingState.OFFICIAL_CLOSED,
    HoldingFineState.NOT_ACCEPTED: HoldingState.OFFICIAL_CLOSED,
}


def public_holding_state(state: HoldingFineState) -> HoldingState:
    """Return what every member may know of a fine state."""
    return _PUBLIC[state]


def advance_holding_review(
    review: HoldingReview, event: HoldingEvent, actor: Actor, on: datetime.date, calendar: LegalCalendar
) -> HoldingReview:
    """Return the review after an event.

    Args:
        review: before it.
        event: what happens.
        actor: `Actor.CUSTOMS`; nobody else acts here.
        on: the legal date of its block.
        calendar: of the network.

    Raises:
        RuleViolatedError: if the table does not list the step, or its time has not come.
    """
    reached = HOLDING_REVIEW_TABLE.advance(review.state, event.value, PrivateCase(actor, on, review.due_on))
    is_suspended = event is HoldingEvent.SUSPEND
    return HoldingReview(
        reached, calendar.add_working_days(on, CURE_WORKING_DAYS.value) if is_suspended else None
    )


def holding_commitment(salt: bytes, certificate: bytes, holder: str, fine: HoldingFineState) -> bytes:
    """Return the salted commitment to a holding's fine state, 32 bytes.

    Args:
        salt: 16 random bytes, fresh for each commitment, kept with the state.
        certificate: its id.
        holder: the importer.
        fine: the state.

    Raises:
        ValueError: if the salt is not 16 bytes.
    """
    return commitment(_COMMITMENT_DOMAIN, salt, certificate, holder, fine.value)
