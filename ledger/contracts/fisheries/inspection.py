"""The fine state of a filed form: private, run by the fisheries authority's, Customs' and the importer's programs.

Rules:
- Nothing here is on the ledger but a salted commitment, carried by the public act that goes with each event.
- NOAA holds, rejects or lets proceed; Customs then releases or refuses entry. A refusal closes the matter with
  the same public acts as a release, so that nobody else can tell them apart (design).
- A hold waits for what is missing; silence is closed by NOAA, after the time given.
- NOAA may audit a released shipment while its records must be kept.
- The agency's message codes are O2 hold intact, O7 may proceed, 23 released.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass, replace
from enum import StrEnum

from ledger.contracts.deadlines import add_calendar_days, anniversary
from ledger.contracts.fisheries.form import FORM370_TABLE
from ledger.contracts.fisheries.records import Form370State
from ledger.contracts.parameters import FORM_370_HOLD_CALENDAR_DAYS, FORM_370_RECORD_YEARS
from ledger.contracts.private import CarriedEvent, commitment
from ledger.contracts.table import Actor, Guard, Refusal, Step, Table

_COMMITMENT_DOMAIN = "seatrial/form370-fine/v1"


class InspectionState(StrEnum):
    """Where a filed form stands between the authorities and its importer."""

    FILED = "FILED"
    HOLD = "HOLD"
    REJECTED = "REJECTED"
    MAY_PROCEED = "MAY_PROCEED"
    RELEASED = "RELEASED"
    REFUSED = "REFUSED"
    AUDIT = "AUDIT"
    AUDITED = "AUDITED"


class InspectionEvent(CarriedEvent):
    """What happens in an inspection."""

    HOLD = ("hold", "fisheries.open")
    CLEAR = ("clear", "fisheries.open")
    REJECT = ("reject", "fisheries.open")
    REJECT_SILENCE = ("reject-silence", "fisheries.act")
    SUBMIT = ("submit", "fisheries.respond")
    RELEASE = ("release", "fisheries.close")
    REFUSE = ("refuse", "fisheries.close")
    AUDIT = ("audit", "fisheries.open")
    CLOSE_AUDIT = ("close-audit", "fisheries.close")


@dataclass(frozen=True, slots=True)
class Inspection:
    """One form's fine state.

    Attributes:
        filed_on: the legal date of its filing.
        state: see the table.
        due_on: the last day of the time given to the importer, while one runs.
    """

    filed_on: datetime.date
    state: InspectionState = InspectionState.FILED
    due_on: datetime.date | None = None


@dataclass(frozen=True, slots=True)
class InspectionCase:
    """What an inspection's step is judged by: who acts, on which day, and the times that run."""

    actor: Actor
    on: datetime.date
    filed_on: datetime.date
    due_on: datetime.date | None

    def plays(self, actor: Actor) -> bool:
        """Say whether the sender is that actor here."""
        return self.actor is actor


def audit_until(filed_on: datetime.date) -> datetime.date:
    """Return the last day on which records of a filing must be there for an audit."""
    return anniversary(filed_on, FORM_370_RECORD_YEARS.value)


_TIME_PASSED: Guard[InspectionCase] = Guard(
    "the time given to the importer to have passed",
    Refusal.TOO_EARLY,
    lambda case: case.due_on is None or case.on > case.due_on,
)
_RECORDS_KEPT: Guard[InspectionCase] = Guard(
    "the time in which records are kept",
    Refusal.TOO_LATE,
    lambda case: case.on <= audit_until(case.filed_on),
)

_S = InspectionState
_E = InspectionEvent
_N = Actor.FISHERIES
_C = Actor.CUSTOMS
_I = Actor.FILER
_CHECK = "50 CFR 216.24(f); PGA message set"
_EXCLUSION = "50 CFR 216.24(f); design: closed like a release"
_AUDIT = "50 CFR 216.93"
_HOLD = str(FORM_370_HOLD_CALENDAR_DAYS)


def _step(
    state: InspectionState,
    event: InspectionEvent,
    actor: Actor,
    target: InspectionState,
    source: str,
    limit: str = "",
    *guards: Guard[InspectionCase],
) -> Step[InspectionState, InspectionCase]:
    return Step(state, event.value, actor, target, source, limit, guards)


INSPECTION_TABLE: Table[InspectionState, InspectionCase] = Table(
    "inspection",
    InspectionState,
    (
        _step(_S.FILED, _E.HOLD, _N, _S.HOLD, _CHECK, _HOLD),
        _step(_S.FILED, _E.CLEAR, _N, _S.MAY_PROCEED, _CHECK),
        _step(_S.FILED, _E.REJECT, _N, _S.REJECTED, _CHECK),
        _step(_S.HOLD, _E.SUBMIT, _I, _S.HOLD, _CHECK, _HOLD),
        _step(_S.HOLD, _E.CLEAR, _N, _S.MAY_PROCEED, _CHECK),
        _step(_S.HOLD, _E.REJECT, _N, _S.REJECTED, _CHECK),
        _step(
            _S.HOLD, _E.REJECT_SILENCE, _N, _S.REJECTED, _CHECK, "after the time of the hold", _TIME_PASSED
        ),
        _step(_S.MAY_PROCEED, _E.RELEASE, _C, _S.RELEASED, "PGA message set"),
        _step(_S.MAY_PROCEED, _E.REFUSE, _C, _S.REFUSED, _EXCLUSION),
        _step(_S.REJECTED, _E.REFUSE, _C, _S.REFUSED, _EXCLUSION),
        _step(_S.RELEASED, _E.AUDIT, _N, _S.AUDIT, _AUDIT, str(FORM_370_RECORD_YEARS), _RECORDS_KEPT),
        _step(_S.AUDIT, _E.SUBMIT, _I, _S.AUDIT, _AUDIT),
        _step(_S.AUDIT, _E.CLOSE_AUDIT, _N, _S.AUDITED, "design: closing an audit"),
    ),
)

_PUBLIC = {
    InspectionState.FILED: Form370State.FILED,
    InspectionState.HOLD: Form370State.OFFICIAL_OPEN,
    InspectionState.REJECTED: Form370State.OFFICIAL_OPEN,
    InspectionState.MAY_PROCEED: Form370State.OFFICIAL_OPEN,
    InspectionState.RELEASED: Form370State.OFFICIAL_CLOSED,
    InspectionState.REFUSED: Form370State.OFFICIAL_CLOSED,
    InspectionState.AUDIT: Form370State.OFFICIAL_OPEN,
    InspectionState.AUDITED: Form370State.OFFICIAL_CLOSED,
}

PGA_STATUS = {
    InspectionState.HOLD: "O2 hold intact, 25/132 documentation needed",
    InspectionState.MAY_PROCEED: "O7 may proceed",
    InspectionState.RELEASED: "23 released",
}
"""The agency's message codes, as far as they are known."""


def public_form_state(state: InspectionState) -> Form370State:
    """Return what every member may know of a fine state."""
    return _PUBLIC[state]


def form_act_of(state: InspectionState, event: InspectionEvent) -> str:
    """Return the public transaction type that carries an event from a fine state.

    A decision from HOLD is a further act of an open matter; from FILED it opens one.
    """
    if event.act == "fisheries.open" and FORM370_TABLE.find(public_form_state(state), event.act) is None:
        return "fisheries.act"
    return event.act


def advance_inspection(
    inspection: Inspection, event: InspectionEvent, actor: Actor, on: datetime.date
) -> Inspection:
    """Return the inspection after an event.

    Args:
        inspection: before it.
        event: what happens.
        actor: `Actor.FISHERIES`, `Actor.CUSTOMS` or `Actor.FILER`.
        on: the legal date of its block.

    Raises:
        RuleViolatedError: if the table does not list the step, or its time has not come or has passed.
    """
    case = InspectionCase(actor, on, inspection.filed_on, inspection.due_on)
    reached = INSPECTION_TABLE.advance(inspection.state, event.value, case)
    due_on = inspection.due_on if event is InspectionEvent.SUBMIT else None
    if event is InspectionEvent.HOLD:
        due_on = add_calendar_days(on, FORM_370_HOLD_CALENDAR_DAYS.value)
    return replace(inspection, state=reached, due_on=due_on)


def form_commitment(salt: bytes, form: bytes, state: InspectionState) -> bytes:
    """Return the salted commitment to a form's fine state, 32 bytes.

    Args:
        salt: 16 random bytes, fresh for each commitment, kept with the state.
        form: the form's id.
        state: the state.

    Raises:
        ValueError: if the salt is not 16 bytes.
    """
    return commitment(_COMMITMENT_DOMAIN, salt, form, state.value)
