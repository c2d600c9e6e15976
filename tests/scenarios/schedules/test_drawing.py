"""Faults drawn from the seed: ordinary records, within the budget, never contradicting each other."""

import pytest

from ledger.genesis import quorum
from scenarios.errors import ScenarioError
from scenarios.model.catalog import load_scenario
from scenarios.model.faultclash import clashes
from scenarios.model.faults import LIVE_KINDS
from scenarios.model.reading import read_scenario
from scenarios.model.schedule import NEVER_SCHEDULED, SCHEDULED_KINDS, SCHEDULED_TRADE_KINDS
from scenarios.model.source import parse_source
from scenarios.model.targets import TargetKind
from scenarios.model.tradefaults import TRADE_KINDS
from scenarios.model.units import Clock
from scenarios.schedules import with_drawn_faults
from scenarios.schedules.kinds import KIND_RULES
from scenarios.schedules.tradekinds import TRADE_KIND_RULES
from scenarios.trial.faultengine import BLOCKING, ONE_AT_A_TIME
from scenarios.trial.majority import Blow, is_majority_left

SEEDS = 80


@pytest.fixture(scope="module")
def storm():
    return load_scenario("storm")


@pytest.fixture(scope="module")
def drawn(storm):
    return [with_drawn_faults(storm, str(seed)) for seed in range(SEEDS)]


def test_every_kind_but_a_restart_is_drawn(drawn):
    assert tuple(KIND_RULES) == SCHEDULED_KINDS
    assert NEVER_SCHEDULED == ("restart", "wrong_data")
    assert {fault.kind for scenario in drawn for fault in scenario.faults} == {
        kind for kind in SCHEDULED_KINDS if kind != "ring"
    }


def test_faults_of_trade_are_drawn_only_where_they_are_named(storm, drawn):
    assert not {fault.kind for scenario in drawn for fault in scenario.faults} & set(TRADE_KINDS)
    assert tuple(TRADE_KIND_RULES) == SCHEDULED_TRADE_KINDS
    kinds = ",".join(SCHEDULED_TRADE_KINDS)
    named = load_scenario("storm", [f"schedule.kinds=[{kinds},crash]", "schedule.leave_out=0"])
    runs = [with_drawn_faults(named, str(seed)) for seed in range(30)]
    of_trade = [fault for run in runs for fault in run.faults if fault.kind in TRADE_KINDS]
    assert {fault.kind for fault in of_trade} == set(SCHEDULED_TRADE_KINDS)
    for fault in of_trade:
        assert fault.lasts.clock is Clock.CALENDAR
        assert fault.at.protocol.ms + fault.lasts.duration.ms // 86_400 <= 58_000, "a day a second"
    assert not [clash for run in runs for clash in clashes(run)]


def test_a_ring_leaves_no_majority_and_is_drawn_only_beyond():
    storm = load_scenario("storm", ["schedule.kinds=[ring]"])
    assert not with_drawn_faults(storm, "1").faults
    assert with_drawn_faults(storm.model_copy(update={"beyond": True}), "1").faults


def test_the_seed_alone_says_what_is_drawn(storm, drawn):
    assert with_drawn_faults(storm, "1") == drawn[1]
    assert drawn[1].faults != drawn[2].faults
    assert all(6 <= len(scenario.faults) <= 10 for scenario in drawn)


def test_a_run_leaves_kinds_out(drawn):
    """Of 34 kinds a run of six to ten faults would hardly ever repeat two if it drew from all."""
    repeating = sum(len({f.kind for f in s.faults}) < len(s.faults) for s in drawn)
    swarm = load_scenario("storm", ["schedule.leave_out=0.9"])
    everything = [with_drawn_faults(swarm, str(seed)) for seed in range(20)]
    assert repeating > SEEDS // 2
    assert max(len({fault.kind for fault in scenario.faults}) for scenario in everything) <= 8


def test_the_drawn_scenario_is_an_ordinary_file(drawn):
    for scenario in drawn[:20]:
        again = read_scenario(parse_source(scenario.resolved(), "again"))
        assert again.schedule is None
        assert again.faults == scenario.faults


def test_no_two_faults_contradict_each_other(drawn):
    assert not [clash for scenario in drawn for clash in clashes(scenario)]


def test_six_faults_of_every_run_are_aimed_at_steps(storm, drawn):
    """Weather is in force when the step falls due; what takes nodes away waits for its transaction, and lets no other
    such fault keep the calendar from the step."""
    due = [(storm.moment_ms(step.at) - storm.calendar.start_ms) // 86_400 for step in storm.steps if step.at]
    for scenario in drawn:
        aimed = [fault for fault in scenario.faults if any(_is_aimed(fault, moment) for moment in due)]
        assert len(aimed) >= 6, scenario.faults
    taking = [
        (fault, moment)
        for scenario in drawn
        for fault in scenario.faults
        if KIND_RULES[fault.kind].takes_away
        for moment in due
        if moment + 60 <= fault.at.protocol.ms <= moment + 140
    ]
    assert len(taking) > SEEDS


def test_nothing_is_aimed_where_the_schedule_does_not_say_so():
    free = load_scenario("storm", ["schedule.aimed=0"])
    assert all(len(with_drawn_faults(free, str(seed)).faults) >= 6 for seed in range(20))
    assert with_drawn_faults(free, "1").faults != with_drawn_faults(load_scenario("storm"), "1").faults


def test_a_majority_of_orderers_is_never_taken_away_whoever_leads(drawn):
    assert all(
        _majority_is_always_left(scenario, leader) for scenario in drawn for leader in scenario.orderers
    )


def test_beyond_takes_a_majority_away(storm):
    beyond = storm.model_copy(update={"beyond": True})
    runs = [with_drawn_faults(beyond, str(seed)) for seed in range(40)]
    assert not all(_majority_is_always_left(scenario, "cbp") for scenario in runs)
    assert not [clash for scenario in runs for clash in clashes(scenario)]


def test_the_budget_says_how_many_are_down():
    storm = load_scenario("storm", ["schedule.budget.down=0"])
    kinds = {fault.kind for seed in range(30) for fault in with_drawn_faults(storm, str(seed)).faults}
    assert kinds
    assert not kinds & set(BLOCKING)


def test_only_what_the_world_can_do_is_drawn(storm):
    runs = [with_drawn_faults(storm, str(seed), "live") for seed in range(30)]
    assert {fault.kind for scenario in runs for fault in scenario.faults} <= set(LIVE_KINDS)


def test_every_fault_is_over_in_time(drawn):
    for fault in (fault for scenario in drawn for fault in scenario.faults):
        begin_ms = fault.at.protocol.ms
        assert 1_000 <= begin_ms <= 58_000
        assert fault.lasts is None or begin_ms + fault.lasts.duration.ms <= 58_000


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("schedule.kinds=[crush]", "crush"),
        ("schedule.kinds=[restart]", "restart"),
        ("schedule.without=[crash,pause]\nschedule.kinds=[crash]", "leaves no kind"),
        ("schedule.faults=[9,3]", "the most, 3, is less than the fewest, 9"),
        ("schedule.faults=[-1,3]", "-1"),
        ("schedule.aimed=7", "7 are more than the fewest faults of a run; 6 here"),
        ("schedule.from=50s\nschedule.until=58s", "there is nothing to aim 6 faults at"),
        ("schedule.from=58s", "until 58s is not after from 58s"),
        ("schedule.from=-2s", "negative time"),
        ("schedule.until=61s", "until 61s is after the calendar's end"),
        ("schedule.budget.down=3", "3 nodes down at once may leave no majority"),
        ("schedule.intensity=1.5", "1.5"),
        ("calendar.pace=10ms", "a pace of 10ms is none"),
        ("calendar.pace=null", "the calendar has no pace"),
    ],
)
def test_an_impossible_schedule_is_refused(change, told):
    with pytest.raises(ScenarioError) as refused:
        load_scenario("storm", change.split("\n"))
    assert told in str(refused.value)


def _is_aimed(fault, due_ms):
    begins_ms, lasts_ms = fault.at.protocol.ms, fault.lasts.duration.ms if fault.lasts is not None else 0
    earliest_ms = due_ms + 60 - (0 if KIND_RULES[fault.kind].takes_away else lasts_ms)
    return earliest_ms <= begins_ms <= due_ms + 140


def _majority_is_always_left(scenario, leader):
    needed = quorum(len(scenario.orderers), 0)
    blows = [fault for fault in scenario.faults if fault.kind in BLOCKING and fault.kind not in ONE_AT_A_TIME]
    for moment in [fault.at.protocol.ms for fault in blows]:
        now = [
            Blow(fault.kind, _hit(fault, scenario, leader), _sides(fault))
            for fault in blows
            if fault.at.protocol.ms <= moment < _end_ms(fault)
        ]
        if not is_majority_left(scenario.orderers, needed, now):
            return False
    return True


def _end_ms(fault):
    return fault.at.protocol.ms + (fault.lasts.duration.ms if fault.lasts is not None else 5_000)


def _hit(fault, scenario, leader):
    match fault.target.kind:
        case TargetKind.LEADER:
            return (leader,)
        case TargetKind.ALL:
            return tuple(scenario.organizations)
        case _:
            return fault.target.names


def _sides(fault):
    groups = getattr(fault.params, "groups", None) or ()
    return (
        groups if fault.kind == "partition" or not groups else ((*fault.target.names, *groups[1]), groups[0])
    )
