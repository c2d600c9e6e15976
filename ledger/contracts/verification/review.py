"""The fine state of a verification: private, run by Customs' and the verified party's own programs.

Rules:
- A questionnaire or letter has its time; silence is followed up, and silence after that may be determined against the
  party (19 CFR 181.72). A visit needs consent; refusal, silence or missing records may lead to denial after a notice of
  intent (181.73-74), in whose time the party may still consent.
- The determination is in writing within sixty calendar days of what it rests on. A late one is late, not void.
- A denial takes effect not before thirty calendar days after the determination (181.76(b)).
- A pattern of conduct is at least two verifications and two negative determinations (181.76(c)); identical goods may
  then be denied after notice.
- Nothing here is on the ledger but a salted commitment, carried by the public act that goes with each event.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from ledger.contracts.deadlines import add_calendar_days
from ledger.contracts.parameters import (
    DENIAL_EFFECTIVE_CALENDAR_DAYS,
    DETERMINATION_CALENDAR_DAYS,
    INTENT_CALENDAR_DAYS,
    PATTERN_NEGATIVE_MIN,
    PATTERN_VERIFICATIONS_MIN,
    VERIFICATION_FOLLOW_UP_CALENDAR_DAYS,
    VERIFICATION_REPLY_CALENDAR_DAYS,
    VISIT_CONSENT_CALENDAR_DAYS,
    Parameter,
)
from ledger.contracts.private import CarriedEvent, PrivateCase, commitment
from ledger.contracts.table import Actor, Guard, Refusal, Step, Table
from ledger.contracts.verification.inquiry import VERIFICATION_TABLE
from ledger.contracts.verification.records import VerificationState

_COMMITMENT_DOMAIN = "seatrial/verification/v1"


class VerificationFineState(StrEnum):
    """Where a verification stands between Customs and the party."""

    OPEN = "OPEN"
    WAITING = "WAITING"
    FOLLOW_UP = "FOLLOW_UP"
    CONSENT_WAIT = "CONSENT_WAIT"
    VISIT = "VISIT"
    REFUSED = "REFUSED"
    INTENT = "INTENT"
    ANSWERED = "ANSWERED"
    POSITIVE = "POSITIVE"
    NEGATIVE = "NEGATIVE"


class VerificationEvent(CarriedEvent):
    """What happens in a verification."""

    QUESTIONNAIRE = ("questionnaire", "verification.open")
    VISIT_NOTICE = ("visit-notice", "verification.open")
    REPLY = ("reply", "verification.respond")
    CONSENT = ("consent", "verification.respond")
    REFUSE = ("refuse", "verification.respond")
    REMIND = ("remind", "verification.act")
    NO_CONSENT = ("no-consent", "verification.act")
    VISITED = ("visited", "verification.act")
    NO_RECORDS = ("no-records", "verification.act")
    INTEND = ("intend", "verification.act")
    DETERMINE_POSITIVE = ("determine-positive", "verification.close")
    DETERMINE_NEGATIVE = ("determine-negative", "verification.close")
    SILENCE = ("silence", "verification.close")


@dataclass(frozen=True, slots=True)
class Verification:
    """One verification's fine state.

    Attributes:
        state: see the table.
        due_on: the last day of the time that runs, for the party or, once it has answered, for Customs.
    """

    state: VerificationFineState = VerificationFineState.OPEN
    due_on: datetime.date | None = None


_TIME_PASSED: Guard[PrivateCase] = Guard(
    "the time given to the party to have passed",
    Refusal.TOO_EARLY,
    lambda case: case.due_on is not None and case.on > case.due_on,
)

_F = VerificationFineState
_E = VerificationEvent
_C = Actor.VERIFIER
_P = Actor.VERIFIED
_LETTER = "19 CFR 181.72(a)"
_FOLLOW = "19 CFR 181.72(d)"
_VISIT = "19 CFR 181.73-74"
_DETERMINATION = "19 CFR 181.75"


def _step(
    state: _F,
    event: _E,
    actor: Actor,
    target: _F,
    source: str,
    limit: str = "",
    *guards: Guard[PrivateCase],
) -> Step[_F, PrivateCase]:
    return Step(state, event.value, actor, target, source, limit, guards)


_REPLY_TIME = str(VERIFICATION_REPLY_CALENDAR_DAYS)
_FOLLOW_TIME = str(VERIFICATION_FOLLOW_UP_CALENDAR_DAYS)
_CONSENT_TIME = str(VISIT_CONSENT_CALENDAR_DAYS)
_DETERMINATION_TIME = str(DETERMINATION_CALENDAR_DAYS)

VERIFICATION_REVIEW_TABLE: Table[_F, PrivateCase] = Table(
    "verification review",
    VerificationFineState,
    (
        _step(_F.OPEN, _E.QUESTIONNAIRE, _C, _F.WAITING, _LETTER, _REPLY_TIME),
        _step(_F.OPEN, _E.VISIT_NOTICE, _C, _F.CONSENT_WAIT, _VISIT, _CONSENT_TIME),
        _step(_F.WAITING, _E.REPLY, _P, _F.ANSWERED, _LETTER, _REPLY_TIME),
        _step(_F.WAITING, _E.REMIND, _C, _F.FOLLOW_UP, _FOLLOW, _FOLLOW_TIME, _TIME_PASSED),
        _step(_F.FOLLOW_UP, _E.REPLY, _P, _F.ANSWERED, _FOLLOW, _FOLLOW_TIME),
        _step(_F.FOLLOW_UP, _E.SILENCE, _C, _F.NEGATIVE, _FOLLOW, "after the follow-up's time", _TIME_PASSED),
        _step(_F.CONSENT_WAIT, _E.CONSENT, _P, _F.VISIT, _VISIT, _CONSENT_TIME),
        _step(_F.CONSENT_WAIT, _E.REFUSE, _P, _F.REFUSED, _VISIT),
        _step(
            _F.CONSENT_WAIT, _E.NO_CONSENT, _C, _F.REFUSED, _VISIT, "after the time to consent", _TIME_PASSED
        ),
        _step(_F.VISIT, _E.VISITED, _C, _F.ANSWERED, _VISIT),
        _step(_F.VISIT, _E.NO_RECORDS, _C, _F.REFUSED, _VISIT),
        _step(_F.REFUSED, _E.INTEND, _C, _F.INTENT, _VISIT, str(INTENT_CALENDAR_DAYS)),
        _step(
            _F.INTENT,
            _E.DETERMINE_NEGATIVE,
            _C,
            _F.NEGATIVE,
            _VISIT,
            "after the notice of intent's time",
            _TIME_PASSED,
        ),
        _step(_F.INTENT, _E.CONSENT, _P, _F.VISIT, _VISIT, str(INTENT_CALENDAR_DAYS)),
        _step(_F.ANSWERED, _E.VISIT_NOTICE, _C, _F.CONSENT_WAIT, _VISIT, _CONSENT_TIME),
        _step(_F.ANSWERED, _E.DETERMINE_POSITIVE, _C, _F.POSITIVE, _DETERMINATION, _DETERMINATION_TIME),
        _step(_F.ANSWERED, _E.DETERMINE_NEGATIVE, _C, _F.NEGATIVE, _DETERMINATION, _DETERMINATION_TIME),
    ),
)

_CLOSED = (_F.POSITIVE, _F.NEGATIVE)


def verification_public_state(state: VerificationFineState) -> VerificationState:
    """Return what every member may know of a fine state."""
    if state is VerificationFineState.OPEN:
        return VerificationState.NONE
    return VerificationState.OFFICIAL_CLOSED if state in _CLOSED else VerificationState.OFFICIAL_OPEN


def verification_act_of(state: VerificationFineState, event: VerificationEvent) -> str:
    """Return the public transaction type that carries an event from a fine state.

    A visit notice in an open verification is a further act of it; the first one opens it.
    """
    public = verification_public_state(state)
    if event.act == "verification.open" and VERIFICATION_TABLE.find(public, event.act) is None:
        return "verification.act"
    return event.act


def advance_verification(
    verification: Verification, event: VerificationEvent, actor: Actor, on: datetime.date
) -> Verification:
    """Return the verification after an event.

    Args:
        verification: before it.
        event: what happens.
        actor: `Actor.VERIFIER` or `Actor.VERIFIED`.
        on: the legal date of its block.

    Raises:
        RuleViolatedError: if the table does not list the step, or its time has not come.
    """
    case = PrivateCase(actor, on, verification.due_on)
    reached = VERIFICATION_REVIEW_TABLE.advance(verification.state, event.value, case)
    given = _TIME_GIVEN.get(event)
    due_on = None if given is None else add_calendar_days(on, given.value)
    return replace(verification, state=reached, due_on=due_on)


_TIME_GIVEN: dict[VerificationEvent, Parameter] = {
    VerificationEvent.QUESTIONNAIRE: VERIFICATION_REPLY_CALENDAR_DAYS,
    VerificationEvent.REMIND: VERIFICATION_FOLLOW_UP_CALENDAR_DAYS,
    VerificationEvent.VISIT_NOTICE: VISIT_CONSENT_CALENDAR_DAYS,
    VerificationEvent.INTEND: INTENT_CALENDAR_DAYS,
    VerificationEvent.REPLY: DETERMINATION_CALENDAR_DAYS,
    VerificationEvent.VISITED: DETERMINATION_CALENDAR_DAYS,
}


def determination_is_late(verification: Verification, on: datetime.date) -> bool:
    """Say whether a determination on that day comes after its sixty days (19 CFR 181.75)."""
    answered = verification.state is VerificationFineState.ANSWERED
    return answered and verification.due_on is not None and on > verification.due_on


def denial_effective_on(determined_on: datetime.date) -> datetime.date:
    """Return the first day on which a negative determination may take effect (19 CFR 181.76(b))."""
    return add_calendar_days(determined_on, DENIAL_EFFECTIVE_CALENDAR_DAYS.value)


def is_pattern(determinations: Sequence[VerificationFineState]) -> bool:
    """Say whether a party's determinations on identical goods show a pattern of conduct (19 CFR 181.76(c))."""
    negative = sum(state is VerificationFineState.NEGATIVE for state in determinations)
    return len(determinations) >= PATTERN_VERIFICATIONS_MIN.value and negative >= PATTERN_NEGATIVE_MIN.value


def verification_commitment(salt: bytes, verification: bytes, fine: VerificationFineState) -> bytes:
    """Return the salted commitment to a verification's fine state, 32 bytes.

    Args:
        salt: 16 random bytes, fresh for each commitment, kept with the state.
        verification: its id.
        fine: the state.

    Raises:
        ValueError: if the salt is not 16 bytes.
    """
    return commitment(_COMMITMENT_DOMAIN, salt, verification, fine.value)
