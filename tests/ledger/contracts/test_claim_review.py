"""The private review: its limits, who may act, and that each step has its public act."""

from __future__ import annotations

import datetime

import pytest

from ledger.contracts import (
    CLAIM_TABLE,
    REVIEW_TABLE,
    Actor,
    FineState,
    LegalCalendar,
    Review,
    ReviewEvent,
    RuleViolatedError,
    act_of,
    advance_review,
    fine_commitment,
    public_state,
)
from ledger.genesis import Genesis

CBP, IMPORTER = Actor.CUSTOMS, Actor.CLAIMANT


def day(text: str) -> datetime.date:
    return datetime.date.fromisoformat(text)


@pytest.fixture(scope="module")
def calendar(pilot_genesis: Genesis) -> LegalCalendar:
    return LegalCalendar.of(pilot_genesis)


@pytest.mark.parametrize("step", REVIEW_TABLE.steps, ids=lambda step: f"{step.state.value}-{step.event}")
def test_every_private_step_has_a_public_act_that_leads_to_its_public_state(step) -> None:
    act = act_of(step.state, ReviewEvent(step.event))  # type: ignore[call-arg] # mypy reads the members' __new__
    public = CLAIM_TABLE.find(public_state(step.state), act)
    assert public is not None
    assert public.target is public_state(step.target)
    assert public.actor is step.actor


def test_a_request_gives_thirty_days_and_silence_is_closed_only_after(calendar: LegalCalendar) -> None:
    review = advance_review(Review(), ReviewEvent.REQUEST, CBP, day("2018-10-01"), calendar)
    assert review == Review(FineState.CERT_REQUESTED, day("2018-10-31"))
    with pytest.raises(RuleViolatedError, match="to have passed") as refusal:
        advance_review(review, ReviewEvent.DENY_SILENCE, CBP, day("2018-10-31"), calendar)
    assert refusal.value.rule == "deny-silence/too-early"
    denied = advance_review(review, ReviewEvent.DENY_SILENCE, CBP, day("2018-11-01"), calendar)
    assert denied == Review(FineState.DENIED, None)


def test_an_extension_adds_thirty_days_to_what_runs(calendar: LegalCalendar) -> None:
    review = advance_review(Review(), ReviewEvent.REQUEST, CBP, day("2018-10-01"), calendar)
    review = advance_review(review, ReviewEvent.EXTEND, CBP, day("2018-10-20"), calendar)
    assert review.due_on == day("2018-11-30")


def test_a_defect_leaves_five_working_days_to_cure(calendar: LegalCalendar) -> None:
    review = advance_review(Review(), ReviewEvent.REVIEW, CBP, day("2018-10-01"), calendar)
    review = advance_review(review, ReviewEvent.FIND_DEFECT, CBP, day("2018-10-03"), calendar)
    assert review == Review(FineState.CURE, day("2018-10-11"))  # over Columbus Day
    with pytest.raises(RuleViolatedError):
        advance_review(review, ReviewEvent.DENY_SILENCE, CBP, day("2018-10-11"), calendar)
    cured = advance_review(review, ReviewEvent.SUBMIT, IMPORTER, day("2018-10-11"), calendar)
    assert cured == Review(FineState.UNDER_REVIEW, None)


def test_a_proposed_denial_waits_for_its_time(calendar: LegalCalendar) -> None:
    review = advance_review(Review(), ReviewEvent.REVIEW, CBP, day("2018-10-01"), calendar)
    review = advance_review(review, ReviewEvent.PROPOSE_DENIAL, CBP, day("2018-10-01"), calendar)
    with pytest.raises(RuleViolatedError):
        advance_review(review, ReviewEvent.DENY, CBP, day("2018-10-21"), calendar)
    assert (
        advance_review(review, ReviewEvent.DENY, CBP, day("2018-10-22"), calendar).state is FineState.DENIED
    )


def test_only_the_right_side_acts(calendar: LegalCalendar) -> None:
    with pytest.raises(RuleViolatedError) as refusal:
        advance_review(Review(), ReviewEvent.ALLOW, IMPORTER, day("2018-10-01"), calendar)
    assert refusal.value.rule == "allow/wrong-actor"


def test_a_commitment_hides_and_binds() -> None:
    salt = bytes(16)
    commitments = {fine_commitment(salt, "ABC-1234567-8", 1, state) for state in FineState}
    commitments |= {fine_commitment(salt, "ABC-1234567-8", 2, FineState.CURE)}
    commitments |= {fine_commitment(bytes([1]) * 16, "ABC-1234567-8", 1, FineState.CURE)}
    assert len(commitments) == len(FineState) + 2
    assert all(len(commitment) == 32 for commitment in commitments)
    with pytest.raises(ValueError, match="16 bytes"):
        fine_commitment(b"", "ABC-1234567-8", 1, FineState.CURE)


def test_a_denial_after_verification_takes_effect_on_the_thirtieth_day(calendar: LegalCalendar) -> None:
    review = advance_review(Review(), ReviewEvent.VERIFY, CBP, day("2018-10-01"), calendar)
    assert review.state is FineState.VERIFYING
    with pytest.raises(RuleViolatedError):
        advance_review(review, ReviewEvent.DENY, CBP, day("2018-12-01"), calendar)
    review = advance_review(review, ReviewEvent.NOTICE_DENIAL, CBP, day("2018-12-01"), calendar)
    with pytest.raises(RuleViolatedError) as refusal:
        advance_review(review, ReviewEvent.DENY, CBP, day("2018-12-30"), calendar)
    assert refusal.value.rule == "deny/too-early"
    denied = advance_review(review, ReviewEvent.DENY, CBP, day("2018-12-31"), calendar)
    assert denied.state is FineState.DENIED


def test_a_granted_protest_is_liquidated_again_and_a_denied_one_is_the_end(calendar: LegalCalendar) -> None:
    liquidated = Review(FineState.LIQUIDATED)
    protested = advance_review(liquidated, ReviewEvent.PROTEST, IMPORTER, day("2019-10-01"), calendar)
    granted = advance_review(protested, ReviewEvent.GRANT_PROTEST, CBP, day("2019-11-01"), calendar)
    again = advance_review(granted, ReviewEvent.LIQUIDATE, CBP, day("2019-11-02"), calendar)
    assert again.state is FineState.LIQUIDATED
    denied = advance_review(protested, ReviewEvent.DENY_PROTEST, CBP, day("2019-11-01"), calendar)
    assert [step.event for step in REVIEW_TABLE.steps if step.state is denied.state] == []


def test_a_series_notice_gives_thirty_days(calendar: LegalCalendar) -> None:
    review = advance_review(Review(), ReviewEvent.SERIES_NOTICE, CBP, day("2018-10-01"), calendar)
    with pytest.raises(RuleViolatedError):
        advance_review(review, ReviewEvent.DENY_SILENCE, CBP, day("2018-10-31"), calendar)
    denied = advance_review(review, ReviewEvent.DENY_SILENCE, CBP, day("2018-11-01"), calendar)
    assert denied.state is FineState.DENIED
