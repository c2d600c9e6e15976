"""The private side of a holding: what Customs does, and that nobody else can tell what it did."""

from __future__ import annotations

import datetime
from itertools import pairwise

import pytest

from ledger.contracts import (
    HOLDING_REVIEW_TABLE,
    HOLDING_TABLE,
    Actor,
    HoldingEvent,
    HoldingFineState,
    HoldingReview,
    LegalCalendar,
    RuleViolatedError,
    advance_holding_review,
    holding_commitment,
    public_holding_state,
)
from ledger.encoding import Value
from ledger.genesis import Genesis
from ledger.state import holding_key

C1 = bytes([1]) * 16
E, F = HoldingEvent, HoldingFineState


@pytest.fixture(scope="module")
def calendar(pilot_genesis: Genesis) -> LegalCalendar:
    return LegalCalendar.of(pilot_genesis)


def after(calendar: LegalCalendar, *events: tuple[HoldingEvent, str]) -> HoldingReview:
    review = HoldingReview()
    for event, on in events:
        review = advance_holding_review(
            review, event, Actor.CUSTOMS, datetime.date.fromisoformat(on), calendar
        )
    return review


@pytest.mark.parametrize("step", HOLDING_REVIEW_TABLE.steps, ids=lambda step: f"{step.state}-{step.event}")
def test_every_private_step_has_a_public_act_that_leads_to_its_public_state(step) -> None:
    event = HoldingEvent(step.event)  # type: ignore[call-arg] # mypy reads the members' __new__
    public = HOLDING_TABLE.find(public_holding_state(step.state), event.act)
    assert public is not None
    assert public.target is public_holding_state(step.target)
    assert public.actor is step.actor


def test_five_working_days_to_cure_come_before_a_refusal_and_not_before_a_restoration(
    calendar: LegalCalendar,
) -> None:
    suspended = (E.SUSPEND, "2018-10-03")
    assert after(calendar, suspended) == HoldingReview(F.SUSPENDED, datetime.date(2018, 10, 11))
    with pytest.raises(RuleViolatedError) as refusal:
        after(calendar, suspended, (E.REJECT, "2018-10-11"))
    assert refusal.value.rule == "reject/too-early"
    assert after(calendar, suspended, (E.REJECT, "2018-10-12")) == HoldingReview(F.NOT_ACCEPTED)
    assert after(calendar, suspended, (E.REINSTATE, "2018-10-04")) == HoldingReview(F.REINSTATED)


def test_a_restored_use_may_be_suspended_again_and_a_refusal_is_the_end(calendar: LegalCalendar) -> None:
    back = ((E.SUSPEND, "2018-10-03"), (E.REINSTATE, "2018-10-04"))
    assert after(calendar, *back, (E.SUSPEND, "2018-11-01")).state is F.SUSPENDED
    for event in E:
        with pytest.raises(RuleViolatedError) as refusal:
            after(calendar, (E.SUSPEND, "2018-10-03"), (E.REJECT, "2018-10-12"), (event, "2019-01-01"))
        assert refusal.value.rule == f"{event}/impossible-transition"


def test_only_customs_acts(calendar: LegalCalendar) -> None:
    on = datetime.date(2018, 10, 3)
    with pytest.raises(RuleViolatedError) as refusal:
        advance_holding_review(HoldingReview(), E.SUSPEND, Actor.HOLDER, on, calendar)
    assert refusal.value.rule == "suspend/wrong-actor"


def test_a_commitment_hides_and_binds() -> None:
    salts = [bytes([number]) * 16 for number in range(2)]
    made = {
        holding_commitment(salt, certificate, holder, state)
        for salt in salts
        for certificate in salts
        for holder in ("globex", "initech")
        for state in F
    }
    assert len(made) == 8 * len(F)
    with pytest.raises(ValueError, match="16 bytes"):
        holding_commitment(b"", C1, "globex", F.HELD)


def test_a_refused_use_and_a_restored_one_are_the_same_on_the_ledger(new_pilot) -> None:
    """Two networks that differ in Customs' decision alone leave the same but for a commitment that nobody can open."""
    left = []
    for end in (F.REINSTATED, F.NOT_ACCEPTED):
        pilot = new_pilot()
        pilot.possess()
        for act, state in (("holding.open", F.SUSPENDED), ("holding.close", end)):
            fine = holding_commitment(bytes(16), C1, "globex", state)
            body: dict[str, Value] = {"certificate": C1, "holder": "globex", "fine": fine}
            assert pilot.act("cbp", act, body, on="2018-12-01").rule is None
        claim = pilot.claim("2018-12-03", entry_on="2018-12-03", import_on="2018-12-03")
        left.append((claim.findings, pilot.ledger.state.get(holding_key(C1, "globex")).replace(fine, b"")))
    assert all(one == other for one, other in pairwise(left))
