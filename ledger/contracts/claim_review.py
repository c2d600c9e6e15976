"""The fine state of a claim under review: private, run by Customs' and the importer's own programs.

Rules:
- Nothing here is on the ledger but a salted commitment, carried by the public act that goes with each event.
- Silence changes nothing by itself: Customs closes it with an act whose guard asks that the time has passed.
- Allowed is our word for Customs closing its review in the importer's favor (design).
- Most claims are never asked about: CLAIMED may be allowed or liquidated at once. A late or unsupported claim
  may be denied at once; a defect that can be cured gets at least five working days first (19 CFR 181.22(c)).
- A claim whose goods are under verification is denied on the determination, not before it takes effect
  (19 CFR 181.76(b)).
- A liquidated claim may be protested; Customs grants or denies that, and after granting liquidates again.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass, replace
from enum import StrEnum

from ledger.contracts.claim import CLAIM_TABLE
from ledger.contracts.deadlines import LegalCalendar, add_calendar_days
from ledger.contracts.parameters import (
    BACKUP_CALENDAR_DAYS,
    CURE_WORKING_DAYS,
    DENIAL_EFFECTIVE_CALENDAR_DAYS,
    LIQUIDATION_CALENDAR_DAYS,
    PROPOSED_DENIAL_CALENDAR_DAYS,
    PROTEST_CALENDAR_DAYS,
    REQUEST_CALENDAR_DAYS,
    SERIES_NOTICE_CALENDAR_DAYS,
)
from ledger.contracts.private import CarriedEvent, PrivateCase, commitment
from ledger.contracts.records import ClaimState
from ledger.contracts.table import Actor, Guard, Refusal, Step, Table

_COMMITMENT_DOMAIN = "seatrial/fine/v1"


class FineState(StrEnum):
    """Where a claim stands between Customs and its importer."""

    CLAIMED = "CLAIMED"
    CERT_REQUESTED = "CERT_REQUESTED"
    UNDER_REVIEW = "UNDER_REVIEW"
    CURE = "CURE"
    VERIFYING = "VERIFYING"
    DENIAL_NOTICED = "DENIAL_NOTICED"
    ALLOWED = "ALLOWED"
    DENIED = "DENIED"
    LIQUIDATED = "LIQUIDATED"
    PROTESTED = "PROTESTED"
    PROTEST_GRANTED = "PROTEST_GRANTED"
    PROTEST_DENIED = "PROTEST_DENIED"


class ReviewEvent(CarriedEvent):
    """What happens in a review."""

    REQUEST = ("request", "claim.open")
    SERIES_NOTICE = ("series-notice", "claim.open")
    REVIEW = ("review", "claim.open")
    EXTEND = ("extend", "claim.act")
    SUBMIT = ("submit", "claim.respond")
    FIND_DEFECT = ("find-defect", "claim.act")
    VERIFY = ("verify", "claim.open")
    NOTICE_DENIAL = ("notice-denial", "claim.act")
    PROPOSE_DENIAL = ("propose-denial", "claim.act")
    ALLOW = ("allow", "claim.close")
    DENY = ("deny", "claim.close")
    DENY_SILENCE = ("deny-silence", "claim.close")
    LIQUIDATE = ("liquidate", "claim.liquidate")
    PROTEST = ("protest", "claim.protest")
    GRANT_PROTEST = ("grant-protest", "claim.close")
    DENY_PROTEST = ("deny-protest", "claim.close")


@dataclass(frozen=True, slots=True)
class Review:
    """One claim's fine state.

    Attributes:
        state: see the table.
        due_on: the last day of the time given to the importer, or before a denial takes effect, while one runs.
    """

    state: FineState = FineState.CLAIMED
    due_on: datetime.date | None = None


_TIME_PASSED: Guard[PrivateCase] = Guard(
    "the time given to the importer to have passed",
    Refusal.TOO_EARLY,
    lambda case: case.due_on is None or case.on > case.due_on,
)

_F = FineState
_E = ReviewEvent
_C = Actor.CUSTOMS
_I = Actor.CLAIMANT
_CF28 = "19 CFR 181.22(a); CBP Form 28"
_CF29 = "19 CFR 181.22(c); CBP Form 29"
_VERIFY = "19 CFR 181.72"
_REVIEW = "design: closing a review"
_LIQUIDATION = "19 USC 1500"
_PROTEST = "19 USC 1514, 1515"
_AFTER_ENTRY = str(LIQUIDATION_CALENDAR_DAYS)


def _step(
    state: FineState,
    event: ReviewEvent,
    actor: Actor,
    target: FineState,
    source: str,
    limit: str = "",
    *guards: Guard[PrivateCase],
) -> Step[FineState, PrivateCase]:
    return Step(state, event.value, actor, target, source, limit, guards)


REVIEW_TABLE: Table[FineState, PrivateCase] = Table(
    "review",
    FineState,
    (
        _step(_F.CLAIMED, _E.REQUEST, _C, _F.CERT_REQUESTED, _CF28, str(REQUEST_CALENDAR_DAYS)),
        _step(
            _F.CLAIMED,
            _E.SERIES_NOTICE,
            _C,
            _F.CERT_REQUESTED,
            "19 CFR 10.586(b)",
            str(SERIES_NOTICE_CALENDAR_DAYS),
        ),
        _step(_F.CLAIMED, _E.REVIEW, _C, _F.UNDER_REVIEW, "19 CFR 181.22(a)"),
        _step(_F.CLAIMED, _E.ALLOW, _C, _F.ALLOWED, _REVIEW),
        _step(_F.CLAIMED, _E.DENY, _C, _F.DENIED, _CF29),
        _step(_F.CLAIMED, _E.LIQUIDATE, _C, _F.LIQUIDATED, _LIQUIDATION, _AFTER_ENTRY),
        _step(_F.CERT_REQUESTED, _E.SUBMIT, _I, _F.UNDER_REVIEW, _CF28, str(REQUEST_CALENDAR_DAYS)),
        _step(_F.CERT_REQUESTED, _E.EXTEND, _C, _F.CERT_REQUESTED, "practice", str(BACKUP_CALENDAR_DAYS)),
        _step(
            _F.CERT_REQUESTED, _E.DENY_SILENCE, _C, _F.DENIED, _CF29, "after the request's time", _TIME_PASSED
        ),
        _step(_F.UNDER_REVIEW, _E.REQUEST, _C, _F.CERT_REQUESTED, _CF28, str(REQUEST_CALENDAR_DAYS)),
        _step(_F.UNDER_REVIEW, _E.SUBMIT, _I, _F.UNDER_REVIEW, _CF28),
        _step(_F.UNDER_REVIEW, _E.FIND_DEFECT, _C, _F.CURE, "19 CFR 181.22(c)", str(CURE_WORKING_DAYS)),
        _step(_F.UNDER_REVIEW, _E.VERIFY, _C, _F.VERIFYING, _VERIFY),
        _step(
            _F.UNDER_REVIEW,
            _E.PROPOSE_DENIAL,
            _C,
            _F.UNDER_REVIEW,
            _CF29,
            str(PROPOSED_DENIAL_CALENDAR_DAYS),
        ),
        _step(_F.UNDER_REVIEW, _E.ALLOW, _C, _F.ALLOWED, _REVIEW),
        _step(_F.UNDER_REVIEW, _E.DENY, _C, _F.DENIED, _CF29, "after a proposal's time", _TIME_PASSED),
        _step(_F.CURE, _E.SUBMIT, _I, _F.UNDER_REVIEW, "19 CFR 181.22(c)", str(CURE_WORKING_DAYS)),
        _step(
            _F.CURE,
            _E.DENY_SILENCE,
            _C,
            _F.DENIED,
            "19 CFR 181.22(c)",
            "after the time to cure",
            _TIME_PASSED,
        ),
        _step(_F.CLAIMED, _E.VERIFY, _C, _F.VERIFYING, _VERIFY),
        _step(_F.VERIFYING, _E.ALLOW, _C, _F.ALLOWED, "19 CFR 181.75"),
        _step(
            _F.VERIFYING,
            _E.NOTICE_DENIAL,
            _C,
            _F.DENIAL_NOTICED,
            "19 CFR 181.75, 181.76(b)",
            str(DENIAL_EFFECTIVE_CALENDAR_DAYS),
        ),
        _step(
            _F.DENIAL_NOTICED,
            _E.DENY,
            _C,
            _F.DENIED,
            "19 CFR 181.76(b)",
            "not before it takes effect",
            _TIME_PASSED,
        ),
        _step(_F.ALLOWED, _E.LIQUIDATE, _C, _F.LIQUIDATED, _LIQUIDATION, _AFTER_ENTRY),
        _step(_F.DENIED, _E.LIQUIDATE, _C, _F.LIQUIDATED, _LIQUIDATION, _AFTER_ENTRY),
        _step(_F.LIQUIDATED, _E.PROTEST, _I, _F.PROTESTED, _PROTEST, str(PROTEST_CALENDAR_DAYS)),
        _step(_F.PROTESTED, _E.GRANT_PROTEST, _C, _F.PROTEST_GRANTED, _PROTEST),
        _step(_F.PROTESTED, _E.DENY_PROTEST, _C, _F.PROTEST_DENIED, _PROTEST),
        _step(_F.PROTEST_GRANTED, _E.LIQUIDATE, _C, _F.LIQUIDATED, "19 USC 1515: liquidated again"),
    ),
)

_PUBLIC = {
    FineState.CLAIMED: ClaimState.CLAIMED,
    FineState.CERT_REQUESTED: ClaimState.OFFICIAL_OPEN,
    FineState.UNDER_REVIEW: ClaimState.OFFICIAL_OPEN,
    FineState.CURE: ClaimState.OFFICIAL_OPEN,
    FineState.VERIFYING: ClaimState.OFFICIAL_OPEN,
    FineState.DENIAL_NOTICED: ClaimState.OFFICIAL_OPEN,
    FineState.ALLOWED: ClaimState.OFFICIAL_CLOSED,
    FineState.DENIED: ClaimState.OFFICIAL_CLOSED,
    FineState.LIQUIDATED: ClaimState.LIQUIDATED,
    FineState.PROTESTED: ClaimState.OFFICIAL_OPEN,
    FineState.PROTEST_GRANTED: ClaimState.OFFICIAL_CLOSED,
    FineState.PROTEST_DENIED: ClaimState.OFFICIAL_CLOSED,
}


def public_state(state: FineState) -> ClaimState:
    """Return what every member may know of a fine state."""
    return _PUBLIC[state]


def act_of(state: FineState, event: ReviewEvent) -> str:
    """Return the public transaction type that carries an event from a fine state.

    A request or verification from UNDER_REVIEW is a further act of an open matter; from CLAIMED it opens one.
    """
    if event.act == "claim.open" and CLAIM_TABLE.find(public_state(state), event.act) is None:
        return "claim.act"
    return event.act


def advance_review(
    review: Review, event: ReviewEvent, actor: Actor, on: datetime.date, calendar: LegalCalendar
) -> Review:
    """Return the review after an event.

    Args:
        review: before it.
        event: what happens.
        actor: `Actor.CUSTOMS` or `Actor.CLAIMANT`.
        on: the legal date of its block.
        calendar: of the network.

    Raises:
        RuleViolatedError: if the table does not list the step, or its time has not come.
    """
    case = PrivateCase(actor, on, review.due_on)
    reached = REVIEW_TABLE.advance(review.state, event.value, case)
    return replace(review, state=reached, due_on=_due_on(event, on, review.due_on, calendar))


def _due_on(
    event: ReviewEvent, on: datetime.date, running: datetime.date | None, calendar: LegalCalendar
) -> datetime.date | None:
    match event:
        case ReviewEvent.REQUEST:
            return add_calendar_days(on, REQUEST_CALENDAR_DAYS.value)
        case ReviewEvent.SERIES_NOTICE:
            return add_calendar_days(on, SERIES_NOTICE_CALENDAR_DAYS.value)
        case ReviewEvent.EXTEND:
            return add_calendar_days(running or on, BACKUP_CALENDAR_DAYS.value)
        case ReviewEvent.FIND_DEFECT:
            return calendar.add_working_days(on, CURE_WORKING_DAYS.value)
        case ReviewEvent.PROPOSE_DENIAL:
            return add_calendar_days(on, PROPOSED_DENIAL_CALENDAR_DAYS.value)
        case ReviewEvent.NOTICE_DENIAL:
            # The last day on which it has no effect yet.
            return add_calendar_days(on, DENIAL_EFFECTIVE_CALENDAR_DAYS.value - 1)
        case _:
            return None


def fine_commitment(salt: bytes, entry: str, line: int, fine: FineState) -> bytes:
    """Return the salted commitment to a claim's fine state, 32 bytes.

    Args:
        salt: 16 random bytes, fresh for each commitment, kept with the state.
        entry: entry number.
        line: entry line.
        fine: the state.

    Raises:
        ValueError: if the salt is not 16 bytes.
    """
    return commitment(_COMMITMENT_DOMAIN, salt, entry, line, fine.value)
