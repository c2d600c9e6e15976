"""Verification of an exporter or producer: open and closed in public, deadlines on both sides in private."""

from __future__ import annotations

import datetime

import pytest

from ledger.codes import Code
from ledger.contracts import Actor, RuleViolatedError, read_document
from ledger.contracts.verification import (
    VERIFICATION_REVIEW_TABLE,
    VERIFICATION_TABLE,
    Verification,
    VerificationEvent,
    VerificationFineState,
    VerificationState,
    advance_verification,
    denial_effective_on,
    determination_is_late,
    is_pattern,
    read_verification,
    verification_act_of,
    verification_commitment,
    verification_public_state,
)
from ledger.encoding import Value
from ledger.state import verification_key

V1 = bytes([7]) * 16
FINE = bytes(32)
OPEN: dict[str, Value] = {"verification": V1, "party": "mill", "also": [], "fine": FINE}
MOVE: dict[str, Value] = {"verification": V1, "also": [], "fine": bytes([1]) * 32}
CBP, PARTY = Actor.VERIFIER, Actor.VERIFIED
E, F = VerificationEvent, VerificationFineState


def day(text: str) -> datetime.date:
    return datetime.date.fromisoformat(text)


# In public.


def test_a_verification_is_open_until_customs_closes_it(pilot) -> None:
    assert pilot.act("cbp", "verification.open", OPEN, document=True).code is Code.VALID
    assert pilot.act("mill", "verification.respond", {"verification": V1}, document=True).code is Code.VALID
    assert pilot.act("cbp", "verification.act", MOVE, document=True).code is Code.VALID
    data = pilot.ledger.state.get(verification_key(V1))
    record = read_verification(data)
    assert (record.state, record.party, record.authority) == (VerificationState.OFFICIAL_OPEN, "mill", "cbp")
    assert pilot.act("cbp", "verification.close", MOVE, document=True).code is Code.VALID
    record = read_verification(pilot.ledger.state.get(verification_key(V1)))
    assert (record.state, record.fine) == (VerificationState.OFFICIAL_CLOSED, MOVE["fine"])
    again = pilot.act("cbp", "verification.close", MOVE, document=True)
    assert again.rule == "verification.close/impossible-transition"


def test_on_the_ledger_is_whom_customs_wrote_to_and_not_what_about(pilot) -> None:
    receipt = pilot.act("cbp", "verification.open", OPEN | {"also": ["globex"]}, document=True)
    assert receipt.code is Code.VALID
    keys = [key for key, _ in pilot.ledger.state.items() if key.startswith("document/")]
    document = read_document(pilot.ledger.state.get(keys[0]))
    assert (document.document_class, document.addressees) == ("official", ("mill", "globex"))
    assert document.subject == verification_key(V1)


@pytest.mark.parametrize(
    ("sender", "kind", "changes", "rule"),
    [
        ("cbp", "verification.open", {"party": "globex"}, "verification.open/unknown-party"),
        ("cbp", "verification.open", {"party": "nobody"}, "verification.open/unknown-party"),
        ("cbp", "verification.open", {"verification": bytes(16)}, None),
        ("acme", "verification.respond", {}, "verification.respond/wrong-actor"),
    ],
)
def test_who_may(pilot, sender: str, kind: str, changes: dict[str, Value], rule: str | None) -> None:
    if kind != "verification.open":
        pilot.act("cbp", "verification.open", OPEN, document=True)
    body = OPEN | changes if kind == "verification.open" else {"verification": V1} | changes
    assert pilot.act(sender, kind, body, document=True).rule == rule


def test_an_unknown_verification_goes_nowhere_and_an_id_is_used_once(pilot) -> None:
    for kind, sender in (("respond", "mill"), ("act", "cbp"), ("close", "cbp")):
        body = {"verification": V1} if kind == "respond" else MOVE
        receipt = pilot.act(sender, f"verification.{kind}", body, document=True)
        assert receipt.rule == f"verification.{kind}/unknown-verification"
    pilot.act("cbp", "verification.open", OPEN, document=True)
    twice = pilot.act("cbp", "verification.open", OPEN, document=True)
    assert twice.rule == "verification.open/verification-exists"


@pytest.mark.parametrize("sender", ["chamber", "watcher", "swift"])
def test_nobody_else_asks_or_answers(pilot, sender: str) -> None:
    assert pilot.act(sender, "verification.open", OPEN, document=True).code is Code.NOT_AUTHORIZED
    answer = pilot.act(sender, "verification.respond", {"verification": V1}, document=True)
    assert answer.code is Code.NOT_AUTHORIZED


def test_an_importer_asks_nobody_and_answers_for_no_exporter(pilot) -> None:
    assert pilot.act("globex", "verification.open", OPEN, document=True).code is Code.NOT_AUTHORIZED
    pilot.act("cbp", "verification.open", OPEN, document=True)
    answer = pilot.act("globex", "verification.respond", {"verification": V1}, document=True)
    assert answer.rule == "verification.respond/wrong-actor"


# In private.


@pytest.mark.parametrize("step", VERIFICATION_REVIEW_TABLE.steps, ids=lambda s: f"{s.state.value}-{s.event}")
def test_every_private_step_has_a_public_act_that_leads_to_its_public_state(step) -> None:
    act = verification_act_of(step.state, VerificationEvent(step.event))  # type: ignore[call-arg] # mypy reads the members' __new__
    public = VERIFICATION_TABLE.find(verification_public_state(step.state), act)
    assert public is not None
    assert public.target is verification_public_state(step.target)
    takes_others_too = public.actor is Actor.INFORMANT and step.actor is Actor.VERIFIED
    assert takes_others_too or public.actor in (step.actor, Actor.CUSTOMS)


def played(*events: tuple[VerificationEvent, Actor, str]) -> Verification:
    verification = Verification()
    for event, actor, on in events:
        verification = advance_verification(verification, event, actor, day(on))
    return verification


def test_silence_gets_thirty_days_and_thirty_more() -> None:
    asked = played((E.QUESTIONNAIRE, CBP, "2018-10-01"))
    assert asked == Verification(F.WAITING, day("2018-10-31"))
    with pytest.raises(RuleViolatedError) as early:
        advance_verification(asked, E.REMIND, CBP, day("2018-10-31"))
    assert early.value.rule == "remind/too-early"
    reminded = advance_verification(asked, E.REMIND, CBP, day("2018-11-01"))
    assert reminded == Verification(F.FOLLOW_UP, day("2018-12-01"))
    with pytest.raises(RuleViolatedError):
        advance_verification(reminded, E.SILENCE, CBP, day("2018-12-01"))
    assert advance_verification(reminded, E.SILENCE, CBP, day("2018-12-02")).state is F.NEGATIVE
    assert advance_verification(reminded, E.REPLY, PARTY, day("2018-12-01")).state is F.ANSWERED


def test_a_refused_visit_is_denied_only_after_a_notice_of_intent() -> None:
    noticed = played((E.VISIT_NOTICE, CBP, "2018-10-01"))
    assert noticed == Verification(F.CONSENT_WAIT, day("2018-10-31"))
    refused = advance_verification(noticed, E.REFUSE, PARTY, day("2018-10-05"))
    for event in (E.DETERMINE_NEGATIVE, E.SILENCE):
        with pytest.raises(RuleViolatedError):
            advance_verification(refused, event, CBP, day("2019-10-05"))
    intended = advance_verification(refused, E.INTEND, CBP, day("2018-10-08"))
    assert intended.due_on == day("2018-11-07")
    with pytest.raises(RuleViolatedError):
        advance_verification(intended, E.DETERMINE_NEGATIVE, CBP, day("2018-11-07"))
    assert advance_verification(intended, E.DETERMINE_NEGATIVE, CBP, day("2018-11-08")).state is F.NEGATIVE


def test_silence_about_a_visit_counts_as_refusal_after_thirty_days() -> None:
    noticed = played((E.VISIT_NOTICE, CBP, "2018-10-01"))
    with pytest.raises(RuleViolatedError):
        advance_verification(noticed, E.NO_CONSENT, CBP, day("2018-10-31"))
    assert advance_verification(noticed, E.NO_CONSENT, CBP, day("2018-11-01")).state is F.REFUSED


@pytest.mark.parametrize(("on", "late"), [("2018-12-09", False), ("2018-12-10", True)])
def test_a_determination_is_due_in_sixty_days_and_late_is_not_void(on: str, late: bool) -> None:
    answered = played((E.QUESTIONNAIRE, CBP, "2018-10-01"), (E.REPLY, PARTY, "2018-10-10"))
    assert determination_is_late(answered, day(on)) is late
    assert advance_verification(answered, E.DETERMINE_POSITIVE, CBP, day(on)).state is F.POSITIVE


def test_a_denial_takes_effect_thirty_days_after_the_determination() -> None:
    assert denial_effective_on(day("2018-12-02")) == day("2019-01-01")
    assert denial_effective_on(day("2020-01-30")) == day("2020-02-29")


@pytest.mark.parametrize(
    ("results", "pattern"),
    [
        ((), False),
        ((F.NEGATIVE,), False),
        ((F.NEGATIVE, F.POSITIVE), False),
        ((F.NEGATIVE, F.NEGATIVE), True),
        ((F.NEGATIVE, F.POSITIVE, F.NEGATIVE), True),
    ],
)
def test_a_pattern_is_two_negative_determinations(results: tuple[F, ...], pattern: bool) -> None:
    assert is_pattern(results) is pattern


def test_only_the_right_side_acts() -> None:
    with pytest.raises(RuleViolatedError) as refusal:
        advance_verification(played((E.QUESTIONNAIRE, CBP, "2018-10-01")), E.REPLY, CBP, day("2018-10-02"))
    assert refusal.value.rule == "reply/wrong-actor"


def test_a_commitment_hides_and_binds() -> None:
    salt = bytes(16)
    made = {verification_commitment(salt, V1, state) for state in F}
    made |= {verification_commitment(salt, bytes(16), F.OPEN), verification_commitment(V1, V1, F.OPEN)}
    assert len(made) == len(F) + 2
    with pytest.raises(ValueError, match="16 bytes"):
        verification_commitment(b"", V1, F.OPEN)


# The importer, under the USMCA (19 CFR 182.72).


@pytest.mark.parametrize(
    ("regime", "party", "rule"),
    [
        ("USMCA", "globex", None),
        ("NAFTA", "globex", "verification.open/unknown-party"),
        ("CAFTA-DR", "globex", "verification.open/unknown-party"),
        (None, "globex", "verification.open/unknown-party"),
        ("USMCA", "mill", None),
        ("NAFTA", "mill", None),
        ("USMCA", "swift", "verification.open/unknown-party"),
    ],
)
def test_an_importer_is_verified_under_the_usmca_alone(pilot, regime, party, rule) -> None:
    receipt = pilot.act("cbp", "verification.open", OPEN | {"party": party, "regime": regime}, document=True)
    assert receipt.rule == rule


def test_exporter_and_producer_send_data_straight_to_customs_under_the_usmca_alone(pilot) -> None:
    other = bytes([8]) * 16
    pilot.act("cbp", "verification.open", OPEN | {"party": "globex", "regime": "USMCA"}, document=True)
    pilot.act("cbp", "verification.open", OPEN | {"verification": other}, document=True)
    for who in ("globex", "mill", "acme"):
        answer = pilot.act(who, "verification.respond", {"verification": V1}, document=True)
        assert answer.code is Code.VALID
    stranger = pilot.act("initech", "verification.respond", {"verification": V1}, document=True)
    assert stranger.rule == "verification.respond/wrong-actor"
    nafta = pilot.act("acme", "verification.respond", {"verification": other}, document=True)
    assert nafta.rule == "verification.respond/wrong-actor"
