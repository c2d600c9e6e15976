"""The paper arm: what mail, cabinets and samples come to on the same trade."""

import dataclasses
from collections import Counter, defaultdict

import pytest

from scenarios.errors import RefusedError, UnknownNameError
from scenarios.model.units import DAY_MS
from scenarios.paper.arm import PaperArm
from scenarios.paper.parameters import read_parameters, standard_parameters
from scenarios.workload.plan import shipments
from tests.scenarios.workload.test_workload import trade

PARAMETERS = standard_parameters()


def play(opened, parameters=PARAMETERS, days=600):
    events = []
    end_ms = opened.hours.place(0.0) + days * DAY_MS
    PaperArm(opened, parameters, end_ms, events.append).run()
    return events


def named(events, name):
    return [e for e in events if e.name == name]


@pytest.fixture(scope="module")
def played():
    opened = trade(shipments=800, noncompliance=0.25, requested=0.3, verified=0.1)
    return opened, play(opened)


def test_the_same_seed_plays_the_same(played):
    _, events = played
    again = play(trade(shipments=800, noncompliance=0.25, requested=0.3, verified=0.1))
    assert [e.line() for e in again] == [e.line() for e in events]


def test_events_are_in_the_order_of_the_calendar(played):
    _, events = played
    assert [e.calendar_ms for e in events] == sorted(e.calendar_ms for e in events)
    assert [e.number for e in events] == list(range(len(events)))


def test_every_shipment_is_played_to_its_end(played):
    _, events = played
    began = {e.text("shipment"): e for e in named(events, "shipment.began")}
    assert len(began) == 800
    of = {
        use_case: {n for n, e in began.items() if e.fields["use_case"] == use_case}
        for use_case in ("origin", "tuna", "carnet")
    }
    assert {e.text("claim") for e in named(events, "claim.decided")} == of["origin"]
    assert {e.text("claim") for e in named(events, "claim.liquidated")} == of["origin"]
    assert {e.text("form370") for e in named(events, "form370.decided")} == of["tuna"]
    assert {e.text("carnet") for e in named(events, "carnet.activated")} == of["carnet"]


def test_a_blanket_is_made_and_sent_once(played):
    _, events = played
    made = Counter(e.text("certificate") for e in named(events, "certificate.issued"))
    assert set(made.values()) == {1}
    claims = Counter(e.fields["certificate"] for e in named(events, "claim.filed"))
    assert max(claims.values()) > 1


def test_only_what_is_asked_about_or_verified_is_denied(played):
    _, events = played
    asked = {e.text("claim") for e in [*named(events, "request.sent"), *named(events, "verification.opened")]}
    denied = {e.text("claim") for e in named(events, "claim.decided") if e.fields["state"] == "DENIED"}
    assert denied
    assert denied <= asked


def test_nobody_answers_before_the_paper_came_or_after_the_limit(played):
    _, events = played
    sent = {e.text("claim"): e.calendar_ms for e in named(events, "request.sent")}
    for e in named(events, "request.answered"):
        assert 0 < e.calendar_ms - sent[e.text("claim")] <= 60 * DAY_MS
    late = [e for e in named(events, "claim.decided") if e.fields["defects"] == ["late-answer"]]
    for e in late:
        assert e.calendar_ms - sent[e.text("claim")] > 60 * DAY_MS


def test_possession_can_be_shown_for_some_claims_and_not_for_others(played):
    _, events = played
    shown = Counter(e.fields["proven"] for e in named(events, "possession.shown"))
    assert 0.15 < shown[True] / shown.total() < 0.6
    false = {s.name for s in shipments(played[0]) if s.noncompliance in ("no-certificate", "back-dated")}
    assert not [
        e for e in named(events, "possession.shown") if e.text("claim") in false and e.fields["proven"]
    ]


def test_a_share_of_one_finds_everything_and_of_zero_nothing():
    opened = trade(
        shipments=300, noncompliance=1.0, requested=1.0, verified=0.0, mix={"carnet": 0.0, "tuna": 0.0}
    )
    names = [n for n in PARAMETERS.by_name if n.startswith("detecting.")]
    plain = {n: p.model_copy(update={"range": (0.0, 1.0)}) for n, p in PARAMETERS.by_name.items()}
    free = dataclasses.replace(PARAMETERS, by_name=plain)

    def found(share):
        events = play(opened, free.with_values(dict.fromkeys(names, share)))
        return {e.text("shipment") for e in named(events, "flagged")}

    answered = {e.text("claim") for e in named(play(opened), "request.answered")}
    broken = {s.name for s in shipments(opened) if s.noncompliance != "wrong-origin"}
    assert found(1.0) >= broken & answered
    assert found(0.0) == set()


def test_carnets_end_discharged_or_claimed():
    opened = trade(shipments=400, noncompliance=0.4, mix={"origin": 0.0, "tuna": 0.0, "carnet": 1.0})
    events = play(opened, days=1500)
    discharged = {e.text("carnet") for e in named(events, "carnet.discharged")}
    expired = {e.text("carnet") for e in named(events, "carnet.expired")}
    assert discharged
    assert expired
    at = {(e.name, e.text("carnet")): e.calendar_ms for e in events if e.name.startswith("carnet.")}
    for name in discharged & expired:  # given back after it had expired
        assert at["carnet.expired", name] < at["carnet.returned", name] == at["carnet.discharged", name]
    truth = {s.name: s.noncompliance for s in shipments(opened)}
    claims = defaultdict(set)
    for e in named(events, "carnet_claim.closed"):
        claims[e.text("outcome")].add(e.text("carnet"))
    assert claims["REGULARIZED"] <= {e.text("carnet") for e in named(events, "goods.unstamped")}
    assert {truth[name] for name in claims["FINAL"]} >= {"not-re-exported", "late-re-export"}


def test_a_form_is_filed_in_time_with_the_endorsements_that_a_slow_chain_has_given_by_then():
    opened = trade(shipments=200, noncompliance=0.0, mix={"origin": 0.0, "tuna": 1.0, "carnet": 0.0})
    slow = PARAMETERS.with_values({"fisheries.passing_on": 5.0})
    endorsed = []
    for parameters in (PARAMETERS, slow):
        events = play(opened, parameters)
        assert all(e.fields["on_time"] for e in named(events, "form370.filed"))
        endorsed.append(len(named(events, "form370.endorsed")))
    assert endorsed[0] > endorsed[1] > 0


def test_a_denial_after_a_verification_waits_until_it_takes_effect(played):
    _, events = played
    closed = {e.text("claim"): e for e in named(events, "verification.closed")}
    decided = {e.text("claim"): e for e in named(events, "claim.decided")}
    outcomes = Counter(e.text("outcome") for e in closed.values())
    assert outcomes["NEGATIVE"]
    assert outcomes["POSITIVE"]
    for name, e in closed.items():
        waited_ms = decided[name].calendar_ms - e.calendar_ms
        assert waited_ms == (30 * DAY_MS if e.text("outcome") == "NEGATIVE" else 0)


def test_every_claim_is_decided_once(played):
    _, events = played
    decided = Counter(e.text("claim") for e in named(events, "claim.decided"))
    assert set(decided.values()) == {1}


def test_everything_happens_when_the_calendar_stops():
    opened, events, grain_ms = trade(shipments=200, requested=0.3), [], 4 * 3_600_000
    end_ms = opened.hours.place(0.0) + 600 * DAY_MS
    PaperArm(opened, PARAMETERS, end_ms, events.append, grain_ms).run()
    assert len(events) > 1000
    assert {e.calendar_ms % grain_ms for e in events if e.name != "shipment.began"} == {0}


def test_fewer_officers_make_reviews_wait():
    opened = trade(shipments=600, requested=1.0, mix={"carnet": 0.0, "tuna": 0.0})

    def last(officers):
        events = play(opened, PARAMETERS.with_values({"customs.officers": officers, "customs.review": 8.0}))
        return max(e.calendar_ms for e in named(events, "claim.decided"))

    assert last(1.0) > last(50.0)


def test_values_outside_their_range_and_unknown_names_are_refused():
    with pytest.raises(RefusedError, match=r"paper\.carrying\.lost is 0\.9; 0 to 0\.05 share"):
        PARAMETERS.with_values({"carrying.lost": 0.9})
    with pytest.raises(UnknownNameError, match="paper parameter"):
        PARAMETERS.with_values({"carrying.lots": 0.01})


def test_a_file_that_does_not_hold_is_refused():
    with pytest.raises(ValueError, match="exactly one of fixed"):
        read_parameters(
            "g:\n  n: {value: {fixed: 1, uniform: [0, 2]}, unit: u, range: [0, 2], mark: read, source: s}"
        )
    with pytest.raises(ValueError, match="not within its range"):
        read_parameters("g:\n  n: {value: {fixed: 3}, unit: u, range: [0, 2], mark: read, source: s}")


def test_every_parameter_of_the_file_is_used_by_the_program():
    """A number that nothing reads is no parameter."""
    used = set()

    class Watching(type(PARAMETERS)):
        def _known(self, name):
            used.add(name)
            return super()._known(name)

    watching = Watching(PARAMETERS.by_name)
    opened = trade(shipments=1500, noncompliance=0.6, requested=0.5, verified=0.3, careless=0.3)
    play(opened, watching, days=1200)
    assert used == set(PARAMETERS.by_name)
