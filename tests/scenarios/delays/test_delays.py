"""Every delay of every role: prompt is at once, a drawn one is as drawn, and never is silence with what follows."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

import pytest

from ledger.genesis import Role
from scenarios.agents.agent import Agent
from scenarios.model.misdeeds import WRITTEN
from scenarios.model.network import AGENT_ROLES, Delay
from scenarios.model.network import Agent as Behavior
from scenarios.model.sentences import Judgement
from scenarios.model.units import DAY_MS
from scenarios.running.options import RunOptions, RunResult
from scenarios.running.runner import run_scenario
from tests.scenarios.delays.everybody import ORGANIZATIONS, PARTS, TRADERS, VALID_UNTIL, careless, everybody
from tests.scenarios.delays.occasions import OCCASIONS, Occasion, moment

pytestmark = pytest.mark.slow

SLACK_MS = 5_000
"""Protocol time that an act may take beside its delay: envelopes, and the transactions before it."""
DELAYS = tuple(name for name, info in Behavior.model_fields.items() if info.annotation is Delay)
PROMPT = {"final_after": "40d", "liquidate_after": "45d"}
"""What is no delay of an act, or would be over before what other acts need; the rest is 0ms."""
DRAWN = {"final_after": "30d..45d", "prove_after": "2d..4d", "liquidate_after": "45d..60d"}
"""Where less than some hours would be over before what the act waits for besides."""

SHORTEST_MS = 2 * 3_600_000
"""What a drawn delay lasts at least."""

Agents = Mapping[str, Mapping[str, str]]


def roles_of(key: str) -> tuple[Role, ...]:
    roles = AGENT_ROLES[key]
    return roles if isinstance(roles, tuple) else (roles,)


def everyones(value_of: Callable[[str], str]) -> dict[str, dict[str, str]]:
    """Return a behavior for every organization, with a value for each delay that its roles have."""
    return {
        name: {key: value_of(key) for key in DELAYS if any(role in roles for role in roles_of(key))}
        for name, (_, roles) in ORGANIZATIONS.items()
    }


def range_of(key: str) -> str:
    """Return a range of some hours whose text is this key's alone."""
    return DRAWN.get(key) or f"{SHORTEST_MS + 1 + DELAYS.index(key)}ms..20h"


@dataclass(frozen=True)
class Silence:
    """A run in which some never act, and what must come of it.

    Attributes:
        part: of the scenario.
        agents: who never does what; the rest is prompt.
        expect: sentences that hold.
        holders: of carnets who take part.
    """

    part: str
    agents: Agents
    expect: tuple[str, ...]
    holders: tuple[str, ...] = TRADERS


SILENCES = {
    "exporter and customs": Silence(
        "origin",
        {
            "importer": {"acknowledge_after": "never", "correct_after": "never"},
            "broker": {"file_after": "never"},
            "exporter": {"reply_after": "never"},
            "producer": {"consents": "NEVER"},
            "cbp": {"liquidate_after": "never"},
        },
        (
            "claim asked has finding NO_POSSESSION",
            "claim noticed has finding NO_POSSESSION",
            "claim noticed is never CORRECTED",
            "claim brokered is never CLAIMED",
            "verification by-letter-exporter is FOLLOW_UP within 32 days",
            "verification by-letter-exporter ends NEGATIVE",
            "claim by-letter-exporter is denied for NO_REPLY",
            "verification by-visit-exporter is never VISIT",
            "claim by-visit-exporter is denied for VISIT_REFUSED",
            "verification straight-exporter ends NEGATIVE",
            "verification by-letter-producer is POSITIVE",
            "verification by-visit-producer is never VISIT",
            "verification by-visit-producer ends NEGATIVE",
            "claim by-visit-producer is denied for VISIT_REFUSED",
            "claim allowed is never LIQUIDATED",
        ),
    ),
    "importer and broker": Silence(
        "origin",
        {
            "importer": {"answer_after": "never", "reply_after": "never"},
            "broker": {"answer_after": "never"},
            "producer": {"reply_after": "never"},
            "exporter": {"consents": "NO"},
            "cbp": {"liquidate_after": "0ms"},
        },
        (
            "claim asked is denied for NO_ANSWER",
            "claim brokered is denied for NO_ANSWER",
            "verification by-letter-importer ends NEGATIVE",
            "claim by-letter-importer is denied for NO_REPLY",
            "claim by-letter-producer is denied for NO_REPLY",
            "claim straight-producer is denied for NO_REPLY",
            "claim by-visit-producer is denied for VISIT_REFUSED",
            "verification by-letter-exporter is POSITIVE",
            "verification by-visit-exporter is REFUSED within 1 days",
            "claim by-visit-exporter is denied for VISIT_REFUSED",
            "claim allowed is LIQUIDATED within 1 days",
        ),
    ),
    "reviewing customs": Silence(
        "origin",
        {"cbp": {"review_after": "never"}},
        (
            "claim allowed is never ALLOWED",
            "claim allowed is LIQUIDATED",  # as it was entered
            "claim allowed is never PROTEST_GRANTED",
            "claim allowed is never PROTEST_DENIED",
            "claim asked ends UNDER_REVIEW",
            "verification by-letter-exporter ends ANSWERED",
            "verification by-visit-exporter ends ANSWERED",
            "claim by-letter-exporter ends VERIFYING",
        ),
    ),
    "issuers": Silence(
        "carnets",
        {"chamber": {"issue_after": "never"}, "council": {"issue_after": "never"}},
        ("carnet exporter ends SECURED", "carnet broker ends SECURED"),
        ("exporter", "broker"),
    ),
    "holders": Silence(
        "carnets",
        {trader: {"prove_after": "never", "return_after": "never"} for trader in TRADERS},
        tuple(
            sentence
            for trader in TRADERS
            for sentence in (
                f"carnet {trader} is never RETURNED",
                f"carnet claim {trader}/2 is never PROOF_GIVEN",
                f"carnet claim {trader}/2 is PROVISIONAL_DEPOSIT",
                f"carnet claim {trader}/2 ends FINAL",
            )
        ),
    ),
    "claiming customs": Silence(
        "carnets",
        {"cbsa": {"carnet_claim_after": "never"}},
        ("carnet claim broker/2 is never CLAIM_OPEN", "carnet broker ends RETURNED"),
        ("broker",),
    ),
    "association abroad": Silence(
        "carnets",
        {"ca-council": {"pass_on_after": "never"}},
        (
            "carnet claim broker/2 ends CLAIM_OPEN",
            "carnet claim disputed/2 is never CONTESTED",
            "carnet claim disputed/2 ends CLAIM_OPEN",
        ),
        ("broker", "importer"),
    ),
    "association at home": Silence(
        "carnets",
        {"council": {"pass_on_after": "never"}},
        ("carnet claim broker/2 is never PROOF_GIVEN", "carnet claim broker/2 ends FINAL"),
        ("broker",),
    ),
    "deciding customs": Silence(
        "carnets",
        {"cbsa": {"review_after": "never"}},
        ("carnet claim broker/2 ends PROOF_GIVEN", "carnet claim disputed/2 ends CONTESTED"),
        ("broker", "importer"),
    ),
    "office abroad": Silence(
        "carnets",
        {"cbsa": {"endorse_after": "never", "final_after": "never"}},
        ("voucher broker/1 is ENDORSED", "voucher broker/2 ends PRESENTED"),
        ("broker",),
    ),
    "office at home": Silence(
        "carnets",
        {"cbp": {"endorse_after": "never"}},
        ("carnet broker is never ACTIVE", "carnet broker is ISSUED"),
        ("broker",),
    ),
    "fisheries": Silence(
        "tuna",
        {"noaa": {"check_after": "never"}},
        ("form safe ends FILED", "form held ends FILED"),
    ),
    "releasing customs": Silence(
        "tuna",
        {"cbp": {"release_after": "never"}, "importer": {"answer_after": "never"}},
        ("form safe ends MAY_PROCEED", "form held ends REJECTED", "defect of form held is NO_ANSWER"),
    ),
}
"""Every delay of every role is never in one of these at least."""


@dataclass
class Flown:
    """A run, and what its agents drew.

    Attributes:
        result: of the run.
        draws: by organization and the delay's text, what was drawn, milliseconds or None for never.
    """

    result: RunResult
    draws: dict[tuple[str, str], list[int | None]] = field(default_factory=dict)


Fly = Callable[..., Flown]


@pytest.fixture
def fly(tmp_path_factory: pytest.TempPathFactory) -> Fly:
    """Runs a part of the scenario and writes down what is drawn."""

    def flown(part: str, agents: Agents, seed: str = "1", **more: tuple[str, ...]) -> Flown:
        folder = tmp_path_factory.mktemp(part)
        mine = {name: agents.get(name, {}) for name in PARTS[part]}
        scenario = everybody(folder, part, mine, **more)
        draws: dict[tuple[str, str], list[int | None]] = {}
        draw_ms = Agent.draw_ms

        def noted(agent: Agent, delay: Delay) -> int | None:
            drawn = draw_ms(agent, delay)
            draws.setdefault((agent.id, str(delay)), []).append(drawn)
            return drawn

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Agent, "draw_ms", noted)
            result = run_scenario(scenario, RunOptions("virtual", seed, folder / "run"))
        judgment = result.judgment
        broken = {
            one.sentence: one.outcome.text
            for one in judgment.expectations
            if one.outcome.judgement is not Judgement.HELD
        }
        assert broken == {}, "what was expected and is not so"
        assert judgment.violations == ()
        return Flown(result, draws)

    return flown


def prompt() -> dict[str, dict[str, str]]:
    """Return the behaviors of those who act at once."""
    return everyones(lambda key: PROMPT.get(key, "0ms"))


def missed_ms(occasion: Occasion, result: RunResult, drawn_ms: Collection[int]) -> str | None:
    """Return by how much an act missed the times at which it may come, or None if it came at one of them."""
    since_ms, does_ms = occasion.since_ms(result), occasion.does.ms(result)
    after_ms = 0 if occasion.after is None else occasion.after.ms(result)
    if since_ms is None or after_ms is None:
        return "the occasion never came"
    if does_ms is None:
        return "it never acted"
    by_ms = min((does_ms - max(since_ms + ms, after_ms) for ms in drawn_ms), key=abs)
    return f"it acted {by_ms} ms off" if abs(by_ms) > SLACK_MS else None


def acts_on(claim: str, result: RunResult) -> list[str]:
    """Return the types of the acts about a claim, in the ledger's order."""
    return [
        event.text("type")
        for event in result.book.events
        if event.name == "receipt" and event.fields.get("claim") == claim
    ]


def test_every_delay_of_every_role_has_an_occasion_and_a_silence() -> None:
    every = {(key, role) for key in DELAYS for role in roles_of(key)}
    seen = {(occasion.key, occasion.role) for occasion in OCCASIONS}
    assert seen == every - {("final_after", Role.CUSTOMS)}
    silenced = {
        (key, Role(role))
        for silence in SILENCES.values()
        for who, behavior in silence.agents.items()
        for key, value in behavior.items()
        for role in ORGANIZATIONS[who][1]
        if value == "never" and Role(role) in roles_of(key)
    }
    assert silenced == every


@pytest.mark.parametrize("part", PARTS)
def test_who_is_prompt_acts_at_once(part: str, fly: Fly) -> None:
    exact = {who: {"careless": careless(who, WRITTEN, 0.0)} for who in PARTS[part]}
    result = fly(part, {who: {**prompt()[who], **exact[who]} for who in PARTS[part]}).result
    assert [event for event in result.book.events if event.name == "noncompliance.done"] == []
    missed = {
        str(occasion): missed_ms(occasion, result, [0])
        for occasion in OCCASIONS
        if occasion.part == part and occasion.key not in PROMPT
    }
    assert {name: what for name, what in missed.items() if what is not None} == {}
    if part == "origin":
        assert acts_on("mismatched", result)[2:] == ["claim.respond", "claim.close", "claim.liquidate"]


@pytest.mark.parametrize("part", PARTS)
def test_who_takes_a_drawn_time_acts_when_it_is_over(part: str, fly: Fly) -> None:
    agents = everyones(range_of)
    agents["cbp"]["denial"] = "PROPOSED"
    flown = fly(part, agents)
    missed = {}
    for occasion in OCCASIONS:
        if occasion.part == part:
            asked = flown.draws.get((occasion.by, range_of(occasion.key)), [])
            draws = [ms for ms in asked if ms is not None]
            assert draws, f"{occasion.by} never asks how long it takes by {occasion.key}"
            assert min(draws) >= SHORTEST_MS
            missed[str(occasion)] = missed_ms(occasion, flown.result, draws)
    assert {name: what for name, what in missed.items() if what is not None} == {}
    if part == "origin":
        proposed = ["claim.respond", "claim.act", "claim.close", "claim.liquidate"]
        assert acts_on("mismatched", flown.result)[2:] == proposed


@pytest.mark.parametrize("name", SILENCES)
def test_who_never_acts_is_silent_and_the_rules_say_what_follows(name: str, fly: Fly) -> None:
    silence, rest = SILENCES[name], prompt()
    agents = {who: {**rest[who], **silence.agents.get(who, {})} for who in rest}
    flown = fly(silence.part, agents, holders=silence.holders, expect=silence.expect)
    mute = {
        (who, key)
        for who, behavior in silence.agents.items()
        for key, value in behavior.items()
        if value == "never"
    }
    met = set()
    for occasion in OCCASIONS:
        if occasion.part == silence.part and (occasion.by, occasion.key) in mute:
            if occasion.since_ms(flown.result) is not None:
                met.add((occasion.by, occasion.key))
            assert occasion.does.ms(flown.result) is None, str(occasion)
    assert met == {(who, key) for who, key in mute if key != "final_after"}, "no occasion came for the others"


def test_the_same_seed_draws_the_same_times_and_another_seed_others(fly: Fly) -> None:
    once, again, other = (fly("tuna", everyones(range_of), seed=seed) for seed in ("1", "1", "2"))
    acts = [
        {str(occasion): occasion.does.ms(flown.result) for occasion in OCCASIONS if occasion.part == "tuna"}
        for flown in (once, again, other)
    ]
    assert once.draws == again.draws
    assert acts[0] == acts[1]
    assert all(acts[0][name] != acts[2][name] for name in acts[0])


def final_day(flown: Flown) -> tuple[datetime.date, datetime.date]:
    """Return the days of an importation's stamp and of the final date that it gives."""
    stamp = moment("carnet.endorse", "cbsa", voucher="broker/2").find(flown.result)
    assert stamp is not None
    body = json.loads(stamp.text("body"))
    return datetime.date.fromisoformat(body["endorsed_on"]), datetime.date.fromisoformat(body["final_on"])


def test_goods_get_as_many_days_as_the_office_gives_and_the_validity_if_it_names_none(fly: Fly) -> None:
    def given(final_after: str) -> Flown:
        return fly("carnets", {"cbsa": {"final_after": final_after}}, holders=("broker",))

    stamped, final = final_day(given("40d"))
    assert (final - stamped).days == 40
    drawn = given("30d..45d")
    stamped, final = final_day(drawn)
    (drawn_ms,) = [ms for ms in drawn.draws["cbsa", "30d..45d"] if ms is not None]
    assert (final - stamped).days == drawn_ms // DAY_MS
    assert final_day(given("never"))[1] == VALID_UNTIL
