"""Expectations: the sentences, their judgement over a history, and which exclude each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.contracts.claim_review import FineState
from scenarios.errors import RefusedError
from scenarios.judging.measure import Measurement, traffic
from scenarios.model.contradictions import contradictions
from scenarios.model.excuses import judge_sentence
from scenarios.model.expectations import parse_expectation
from scenarios.model.sentences import METRICS, Judgement, States
from scenarios.model.subjects import ClaimState
from scenarios.model.units import UNITS_MS

DAY = UNITS_MS["d"]


@dataclass
class Past:
    """A history written down beforehand."""

    reached_ms: int = 400 * DAY
    complete: bool = True
    claims: Mapping[str, States] = field(default_factory=dict)
    certificates: Mapping[str, States] = field(default_factory=dict)
    holdings: Mapping[tuple[str, str], States] = field(default_factory=dict)
    found: Mapping[str, Sequence[str]] = field(default_factory=dict)
    codes: Mapping[int, str] = field(default_factory=dict)
    rules: Mapping[int, Sequence[str]] = field(default_factory=dict)
    figures: Mapping[str, float] = field(default_factory=dict)
    struck: Sequence[str] = ()

    def states(self, kind: str, name: str) -> States:
        assert kind == "claim"
        return self.claims.get(name, ())

    def certificate_states(self, certificate: str) -> States:
        return self.certificates.get(certificate, ())

    def holding_states(self, certificate: str, holder: str) -> States:
        return self.holdings.get((certificate, holder), ())

    def findings(self, kind: str, name: str) -> Sequence[str]:
        assert kind == "claim"
        return self.found.get(name, ())

    def code_of(self, step: int) -> str | None:
        return self.codes.get(step)

    def rules_of(self, step: int) -> Sequence[str]:
        return self.rules.get(step, ())

    def metric(self, name: str) -> float | None:
        return self.figures.get(name)

    def has_struck(self, kind: str) -> bool:
        return kind in self.struck


def judged(sentence: str, past: Past) -> Judgement:
    return parse_expectation(sentence).evaluate(past).judgement


ALLOWED_ON_DAY_5 = {"e1": ((10 * DAY, "CLAIMED"), (15 * DAY, "ALLOWED"), (20 * DAY, "LIQUIDATED"))}


@pytest.mark.parametrize(
    ("sentence", "judgement"),
    [
        ("claim e1 is ALLOWED within 5 days", Judgement.HELD),  # on the last instant
        ("claim e1 is ALLOWED within 119 hours", Judgement.FAILED),
        ("claim e1 is ALLOWED", Judgement.HELD),  # ever reached, though LIQUIDATED since
        ("claim e1 is DENIED", Judgement.FAILED),
        ("claim e1 is DENIED within 5 days", Judgement.FAILED),
        ("claim e1 is never DENIED", Judgement.HELD),
        ("claim e1 is never ALLOWED", Judgement.FAILED),
        ("claim e1 ends LIQUIDATED", Judgement.HELD),
        ("claim e1 ends ALLOWED", Judgement.FAILED),
        ("claim e2 is ALLOWED", Judgement.FAILED),
        ("claim e2 ends ALLOWED", Judgement.FAILED),
    ],
)
def test_a_claim_is_judged_by_the_states_it_ever_had(sentence: str, judgement: Judgement) -> None:
    assert judged(sentence, Past(claims=ALLOWED_ON_DAY_5)) is judgement


@pytest.mark.parametrize(
    ("sentence", "judgement"),
    [
        ("claim e1 is ALLOWED within 5 days", Judgement.HELD),  # what was seen was seen
        ("claim e1 is DENIED", Judgement.UNDECIDED),
        ("claim e1 is DENIED within 5 days", Judgement.FAILED),  # its time is over
        ("claim e1 is DENIED within 30 days", Judgement.UNDECIDED),
        ("claim e1 is never DENIED", Judgement.UNDECIDED),
        ("claim e1 is never ALLOWED", Judgement.FAILED),
        ("claim e1 ends LIQUIDATED", Judgement.UNDECIDED),
        ("claim e1 has no finding", Judgement.UNDECIDED),
        ("claim e1 has finding NO_POSSESSION", Judgement.UNDECIDED),
        ("transaction of step 1 is VALID", Judgement.UNDECIDED),
    ],
)
def test_a_stopped_trial_decides_only_what_cannot_change(sentence: str, judgement: Judgement) -> None:
    assert judged(sentence, Past(reached_ms=25 * DAY, complete=False, claims=ALLOWED_ON_DAY_5)) is judgement


def test_findings_are_those_the_ledger_recorded() -> None:
    past = Past(claims=ALLOWED_ON_DAY_5, found={"e1": ["NO_POSSESSION"]})
    assert judged("claim e1 has finding NO_POSSESSION", past) is Judgement.HELD
    assert judged("claim e1 has finding SUMMARY_LATE", past) is Judgement.FAILED
    assert judged("claim e1 has no finding", past) is Judgement.FAILED
    assert judged("claim e1 has no finding SUMMARY_LATE", past) is Judgement.HELD
    assert judged("claim e1 has no finding", Past(claims=ALLOWED_ON_DAY_5)) is Judgement.HELD


def test_a_claim_that_never_came_is_not_clean() -> None:
    assert judged("claim e1 has no finding", Past()) is Judgement.FAILED


@pytest.mark.parametrize(
    ("sentence", "struck", "judgement"),
    [
        ("claim e1 is DENIED", ["outage"], Judgement.FAILED),
        ("claim e1 is DENIED unless outage", [], Judgement.FAILED),
        ("claim e1 is DENIED unless outage", ["silence"], Judgement.FAILED),
        ("claim e1 is DENIED unless outage,  silence", ["silence"], Judgement.EXCUSED),
        ("claim e1 is ALLOWED unless outage", ["outage"], Judgement.HELD),
        ("metric certified_50_median_ms <= 10 unless outage", ["outage"], Judgement.UNDECIDED),
    ],
)
def test_only_a_failure_is_excused_and_only_by_a_fault_of_trade_that_struck(
    sentence: str, struck: list[str], judgement: Judgement
) -> None:
    past = Past(claims=ALLOWED_ON_DAY_5, struck=struck)
    outcome = judge_sentence(parse_expectation(sentence), past)
    assert outcome.judgement is judgement
    assert (f"; {struck[-1:] and struck[-1]} struck" in outcome.text) is (judgement is Judgement.EXCUSED)


@pytest.mark.parametrize(
    ("kinds", "told"),
    [
        ("crash", "crash"),
        ("outage silence", "outage silence"),
        ("outage, outage", "names a kind twice"),
        ("", "no expectation"),
    ],
)
def test_what_is_no_fault_of_trade_excuses_nothing(kinds: str, told: str) -> None:
    with pytest.raises(RefusedError, match=told):
        parse_expectation(f"claim e1 is ALLOWED unless {kinds}")


def test_a_step_is_refused_by_the_rule_that_the_sentence_names() -> None:
    past = Past(rules={3: ["certificate.deliver/not-addressed"]})
    assert judged("step 3 is refused by certificate.deliver/not-addressed", past) is Judgement.HELD
    assert judged("step 3 is refused by certificate.deliver/wrong-actor", past) is Judgement.FAILED
    assert judged("step 4 is refused by certificate.deliver/not-addressed", past) is Judgement.FAILED
    stopped = Past(complete=False)
    assert judged("step 3 is refused by certificate.deliver/wrong-actor", stopped) is Judgement.UNDECIDED
    with pytest.raises(RefusedError, match="is no rule"):
        parse_expectation("step 3 is refused by certificate.deliver/nonsense")


def test_a_holding_is_judged_from_the_anchoring_of_its_certificate() -> None:
    past = Past(
        certificates={"c1": ((0, "ACTIVE"),)},
        holdings={("c1", "importer"): ((DAY, "DELIVERED"), (3 * DAY, "HELD"))},
    )
    assert judged("certificate c1 is HELD by importer within 3 days", past) is Judgement.HELD
    assert judged("certificate c1 is HELD by importer within 2 days", past) is Judgement.FAILED
    assert judged("certificate c1 is HELD by other", past) is Judgement.FAILED
    assert judged("certificate c1 is ACTIVE within 1 hour", past) is Judgement.HELD
    assert judged("certificate c1 is NOTICE_GIVEN", past) is Judgement.FAILED


def test_steps_and_metrics_are_compared() -> None:
    past = Past(codes={3: "RULE_VIOLATED"}, figures={"blocks": 7})
    assert judged("transaction of step 3 is RULE_VIOLATED", past) is Judgement.HELD
    assert judged("transaction of step 3 is VALID", past) is Judgement.FAILED
    assert judged("transaction of step 4 is VALID", past) is Judgement.FAILED
    assert judged("metric blocks >= 7", past) is Judgement.HELD
    assert judged("metric blocks > 7", past) is Judgement.FAILED
    assert judged("metric blocks <= 7", past) is Judgement.HELD
    assert judged("metric blocks < 7.5", past) is Judgement.HELD
    assert judged("metric certified_100_p95_ms <= 1", past) is Judgement.UNDECIDED


@pytest.mark.parametrize(
    ("sentence", "part"),
    [
        ("claim e1 is ALOWED", 'unknown claim state "ALOWED"'),
        ("claim e1 is allowed", 'did you mean "ALLOWED"'),
        ("claim e1 has finding LATE_SUMMARY", 'unknown finding "LATE_SUMMARY"'),
        ("transaction of step 1 is OK", 'unknown code "OK"'),
        (
            "metric certified_p95_ms <= 5",
            'did you mean "certified_50_p95_ms"|did you mean "certified_100_p95_ms"|did you mean "certified_90_p95_ms"',
        ),
        ("certificate c1 is HELD", "add by ORGANIZATION"),
        ("certificate c1 is ACTIVE by importer", "remove by importer"),
        ("certificate c1 is HOLD by importer", 'unknown certificate state "HOLD"'),
        ("claim e1 is ALLOWED in 5 days", r"claim NAME is STATE \[within N days\]"),
        ("all is well", "is no expectation"),
    ],
)
def test_a_sentence_that_says_nothing_is_refused_with_the_nearest_word(sentence: str, part: str) -> None:
    with pytest.raises(RefusedError, match=part):
        parse_expectation(sentence)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("claim e1 is ALLOWED", "claim e1 is DENIED"),
        ("claim e1 is ALLOWED within 5 days", "claim e1 ends DENIED"),
        ("claim e1 ends LIQUIDATED", "claim e1 ends ALLOWED"),
        ("claim e1 is LIQUIDATED", "claim e1 ends ALLOWED"),
        ("claim e1 is CURE", "claim e1 is never CURE"),
        ("claim e1 ends DENIED", "claim e1 is never DENIED"),
        ("claim e1 has finding NO_POSSESSION", "claim e1 has no finding"),
        ("claim e1 has finding NO_POSSESSION", "claim e1 has no finding NO_POSSESSION"),
        ("transaction of step 1 is VALID", "transaction of step 1 is EXPIRED"),
        ("metric blocks < 5", "metric blocks >= 5"),
        ("metric blocks <= 4", "metric blocks >= 5"),
    ],
)
def test_expectations_that_exclude_each_other_are_found_in_either_order(one: str, other: str) -> None:
    for first, second in ((one, other), (other, one)):
        (found,) = contradictions([parse_expectation(first), parse_expectation(second)])
        assert (found.first, found.second) == (0, 1)
        assert found.why


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("claim e1 is ALLOWED", "claim e2 is DENIED"),
        ("claim e1 is ALLOWED", "claim e1 ends LIQUIDATED"),
        ("claim e1 is LIQUIDATED", "claim e1 ends LIQUIDATED"),
        ("claim e1 is never CURE", "claim e1 is never VERIFYING"),
        ("claim e1 is never CURE", "claim e1 is never CURE"),
        ("claim e1 is never DENIED", "claim e1 is ALLOWED"),
        ("claim e1 has finding NO_POSSESSION", "claim e1 has no finding SUMMARY_LATE"),
        ("claim e1 has finding NO_POSSESSION", "claim e2 has no finding"),
        ("transaction of step 1 is VALID", "transaction of step 2 is EXPIRED"),
        ("metric blocks <= 5", "metric blocks >= 5"),
        ("metric blocks <= 5", "metric blocks <= 3"),
        ("metric blocks <= 5", "metric term_max >= 7"),
    ],
)
def test_expectations_that_can_hold_together_are_left_alone(one: str, other: str) -> None:
    assert not contradictions([parse_expectation(one), parse_expectation(other)])


_moves = st.lists(st.tuples(st.integers(0, 30), st.sampled_from(list(ClaimState))), max_size=5)
_sentences = st.sampled_from(
    [f"claim e1 {verb} {state}" for verb in ("is", "is never", "ends") for state in ClaimState]
    + ["claim e1 is ALLOWED within 5 days", "claim e1 is DENIED within 9 days"]
)


@given(moves=_moves, one=_sentences, other=_sentences)
def test_no_possible_history_holds_a_contradiction(
    moves: list[tuple[int, ClaimState]], one: str, other: str
) -> None:
    """Possible: decided at most once, and nothing after LIQUIDATED."""
    states = sorted(moves, key=lambda move: move[0])
    names = [state for _, state in states]
    if ClaimState.LIQUIDATED in names[:-1] or {ClaimState.ALLOWED, ClaimState.DENIED} <= set(names):
        return
    past = Past(claims={"e1": [(day * DAY, state.value) for day, state in states]})
    first, second = parse_expectation(one), parse_expectation(other)
    if contradictions([first, second]):
        judgements = [first.evaluate(past).judgement, second.evaluate(past).judgement]
        assert judgements != [Judgement.HELD, Judgement.HELD]


def test_every_expectation_says_what_it_looks_for_and_prints_as_written() -> None:
    for sentence in (
        "claim e1 is ALLOWED within 5 days",
        "claim e1 is never DENIED",
        "claim e1 ends LIQUIDATED",
        "claim e1 has finding NO_POSSESSION",
        "claim e1 has no finding",
        "certificate c1 is HELD by importer within 2 days",
        "transaction of step 3 is VALID",
        "metric blocks <= 5000",
    ):
        expectation = parse_expectation(f"  {sentence.replace(' ', '  ')} ")
        assert str(expectation) == sentence
        assert len(expectation.describe()) > 20


def test_claim_states_are_the_review_table_and_the_public_correction() -> None:
    assert {state.value for state in ClaimState} == {state.value for state in FineState} | {"CORRECTED"}


def test_every_figure_of_a_run_can_be_named() -> None:
    figures = {**Measurement(nodes=["a"]).figures(), **traffic({}, {})}
    assert figures.keys() <= METRICS.keys()
