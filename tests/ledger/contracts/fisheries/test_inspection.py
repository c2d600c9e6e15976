"""The private inspection: who acts, its times on both sides, and that each step has its public act."""

from __future__ import annotations

import datetime

import pytest

from ledger.contracts import Actor, RuleViolatedError
from ledger.contracts.fisheries import (
    FORM370_TABLE,
    INSPECTION_TABLE,
    Inspection,
    InspectionEvent,
    InspectionState,
    advance_inspection,
    audit_until,
    form_act_of,
    form_commitment,
    public_form_state,
)

NOAA, CBP, IMPORTER = Actor.FISHERIES, Actor.CUSTOMS, Actor.FILER
E, S = InspectionEvent, InspectionState


def day(text: str) -> datetime.date:
    return datetime.date.fromisoformat(text)


FILED = Inspection(day("2018-09-12"))


@pytest.mark.parametrize("step", INSPECTION_TABLE.steps, ids=lambda step: f"{step.state.value}-{step.event}")
def test_every_private_step_has_a_public_act_that_leads_to_its_public_state(step) -> None:
    act = form_act_of(step.state, InspectionEvent(step.event))  # type: ignore[call-arg] # mypy reads the members' __new__
    public = FORM370_TABLE.find(public_form_state(step.state), act)
    assert public is not None
    assert public.target is public_form_state(step.target)
    authorities = {Actor.FISHERIES, Actor.CUSTOMS}
    assert public.actor is step.actor or (public.actor is Actor.AUTHORITY and step.actor in authorities)


def test_a_refusal_and_a_release_look_alike() -> None:
    """Whatever NOAA decides at once, and Customs after it: the same public acts, the same public states."""
    ways = []
    for decision, end in ((E.CLEAR, E.RELEASE), (E.CLEAR, E.REFUSE), (E.REJECT, E.REFUSE)):
        decided = advance_inspection(FILED, decision, NOAA, day("2018-09-13"))
        closed = advance_inspection(decided, end, CBP, day("2018-09-14"))
        acts = [form_act_of(FILED.state, decision), form_act_of(decided.state, end)]
        ways.append((acts, public_form_state(decided.state), public_form_state(closed.state)))
    assert ways[0] == ways[1] == ways[2]


def test_a_hold_gives_thirty_days_and_silence_is_closed_only_after() -> None:
    held = advance_inspection(FILED, E.HOLD, NOAA, day("2018-09-13"))
    assert held == Inspection(FILED.filed_on, S.HOLD, day("2018-10-13"))
    with pytest.raises(RuleViolatedError) as refusal:
        advance_inspection(held, E.REJECT_SILENCE, NOAA, day("2018-10-13"))
    assert refusal.value.rule == "reject-silence/too-early"
    assert advance_inspection(held, E.REJECT_SILENCE, NOAA, day("2018-10-14")).state is S.REJECTED
    answered = advance_inspection(held, E.SUBMIT, IMPORTER, day("2018-09-20"))
    assert answered == held  # an answer does not stop the time
    assert advance_inspection(answered, E.CLEAR, NOAA, day("2018-09-21")).due_on is None


def test_an_audit_may_begin_while_records_are_kept() -> None:
    released = Inspection(day("2020-02-29"), S.RELEASED)
    assert audit_until(released.filed_on) == day("2022-02-28")
    assert advance_inspection(released, E.AUDIT, NOAA, day("2022-02-28")).state is S.AUDIT
    with pytest.raises(RuleViolatedError) as refusal:
        advance_inspection(released, E.AUDIT, NOAA, day("2022-03-01"))
    assert refusal.value.rule == "audit/too-late"


@pytest.mark.parametrize(
    ("state", "event", "actor"),
    [
        (S.FILED, E.CLEAR, CBP),
        (S.FILED, E.REJECT, IMPORTER),
        (S.MAY_PROCEED, E.RELEASE, NOAA),
        (S.HOLD, E.SUBMIT, NOAA),
        (S.RELEASED, E.AUDIT, CBP),
    ],
)
def test_only_the_right_side_acts(state, event, actor) -> None:
    with pytest.raises(RuleViolatedError) as refusal:
        advance_inspection(Inspection(day("2018-09-12"), state), event, actor, day("2018-09-13"))
    assert refusal.value.rule == f"{event}/wrong-actor"


def test_a_commitment_hides_and_binds() -> None:
    salt, form = bytes(16), bytes([3]) * 16
    commitments = {form_commitment(salt, form, state) for state in S}
    commitments |= {form_commitment(salt, bytes(16), S.HOLD), form_commitment(bytes([1]) * 16, form, S.HOLD)}
    assert len(commitments) == len(S) + 2
    with pytest.raises(ValueError, match="16 bytes"):
        form_commitment(b"", form, S.HOLD)
