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
    assert NEVER_SCHEDULED == ("restart",)
    assert {fault.kind for scenario in drawn for fault in scenario.faults} == {
        kind for kind in (*SCHEDULED_KINDS, *SCHEDULED_TRADE_KINDS) if kind != "ring"
    }


def test_faults_of_trade_are_drawn_besides_and_only_where_a_schedule_asks_for_them(storm):
    assert tuple(TRADE_KIND_RULES) == SCHEDULED_TRADE_KINDS
    without = load_scenario("storm", ["schedule.trade=null"])
    with_many = load_scenario("storm", ["schedule.trade.faults=[2,4]", "schedule.leave_out=0"])
    for seed in range(30):
        weather = with_drawn_faults(without, str(seed)).faults
        assert 6 <= len(weather) <= 10
        assert not [fault for fault in weather if fault.kind in TRADE_KINDS]
        run = with_drawn_faults(with_many, str(seed))
        of_trade = [fault for fault in run.faults if fault.kind in TRADE_KINDS]
        assert 2 <= len(of_trade) <= 4
        assert all(fault.lasts.clock is Clock.CALENDAR for fault in of_trade)
        assert all(_begins_ms(run, fault) + fault.lasts.duration.ms // 86_400 <= 58_000 for fault in of_trade)
        assert not clashes(run)


def test_a_run_leaves_kinds_of_trade_out(storm):
    few = load_scenario("storm", ["schedule.trade.faults=[9,9]", "schedule.leave_out=0.8"])
    runs = [with_drawn_faults(few, str(seed)) for seed in range(30)]
    kinds = [{fault.kind for fault in run.faults if fault.kind in TRADE_KINDS} for run in runs]
    assert max(map(len, kinds)) < len(TRADE_KINDS)
    assert set() in kinds


def test_most_faults_of_trade_hit_an_office_that_has_a_step_to_take():
    many = load_scenario("storm", ["schedule.trade.faults=[2,2]", "schedule.leave_out=0"])
    due = [(_due_ms(many, step), step.by) for step in many.steps if step.at]
    hits = total = 0
    for seed in range(40):
        run = with_drawn_faults(many, str(seed))
        for fault in (fault for fault in run.faults if fault.kind in TRADE_KINDS):
            begins_ms = _begins_ms(run, fault)
            ends_ms = begins_ms + fault.lasts.duration.ms // 86_400
            total += 1
            hits += any(begins_ms <= at_ms < ends_ms and by in fault.target.names for at_ms, by in due)
    assert hits > 0.7 * total


def test_a_ring_leaves_no_majority_and_is_drawn_only_beyond():
    storm = load_scenario("storm", ["schedule.kinds=[ring]", "schedule.trade=null"])
    assert not with_drawn_faults(storm, "1").faults
    assert with_drawn_faults(storm.model_copy(update={"beyond": True}), "1").faults


def test_the_seed_alone_says_what_is_drawn(storm, drawn):
    assert with_drawn_faults(storm, "1") == drawn[1]
    assert drawn[1].faults != drawn[2].faults
    weather = [[fault for fault in scenario.faults if fault.kind not in TRADE_KINDS] for scenario in drawn]
    assert all(6 <= len(faults) <= 10 for faults in weather)


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
    due = [_due_ms(storm, step) for step in storm.steps if step.at]
    for scenario in drawn:
        weather = [fault for fault in scenario.faults if fault.kind not in TRADE_KINDS]
        aimed = [fault for fault in weather if any(_is_aimed(fault, moment) for moment in due)]
        assert len(aimed) >= 6, scenario.faults
    taking = [
        (fault, moment)
        for scenario in drawn
        for fault in scenario.faults
        if fault.kind in KIND_RULES and KIND_RULES[fault.kind].takes_away
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
    kinds = {fault.kind for scenario in runs for fault in scenario.faults}
    assert kinds <= set(LIVE_KINDS)
    assert kinds & set(TRADE_KINDS)


def test_every_fault_is_over_in_time(drawn):
    for fault in (f for scenario in drawn for f in scenario.faults if f.kind not in TRADE_KINDS):
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
        ("schedule.kinds=[outage]", "outage"),
        ("schedule.trade.faults=[3,1]", "the most, 1, is less than the fewest, 3"),
        ("schedule.trade.kinds=[]", "trade"),
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


def _due_ms(scenario, step):
    return (scenario.moment_ms(step.at) - scenario.calendar.start_ms) // 86_400


def _begins_ms(scenario, fault):
    """Return when a fault of trade begins, on the protocol clock: a day a second."""
    return (scenario.moment_ms(fault.at.calendar) - scenario.calendar.start_ms) // 86_400


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
