"""Draws a run's faults whole from its seed, within the schedule's budget.

Rules:
- What is drawn are ordinary fault records, which stand in the run's resolved scenario in place of the schedule: a run
  is replayed and shrunk by them one by one.
- Some kinds are left out of a run altogether (swarm testing).
- A fault that would contradict one drawn before, or go over the budget, is drawn again, so many times, then left out.
- Aimed faults are drawn first. Each is in force when a step falls due, or begins while its transaction is under way.
  What takes nodes away holds the calendar up, and so the step: it begins after the moment that it is aimed at, and
  none that began before is in force then.
- At no moment are more nodes down or cut off than the budget says, and a majority of orderers is up and together,
  unless the scenario goes beyond on purpose. Lost stores stay within what the network can bear even then.
"""

from __future__ import annotations

import datetime
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from pydantic import TypeAdapter

from scenarios.model.aims import Aim, aims_of
from scenarios.model.faultclash import FAMILIES
from scenarios.model.faults import KINDS_BY_WORLD, FaultRecord
from scenarios.model.network import Calendar
from scenarios.model.scenario import Scenario
from scenarios.model.schedule import Schedule
from scenarios.model.units import DAY_MS, UNITS_MS
from scenarios.schedules.kinds import COURSE_MS, KIND_RULES, Die, Drawn, KindRule
from scenarios.schedules.tradekinds import TRADE_KIND_RULES

TRIES = 40
"""How often one fault is drawn before the run goes without it."""
TRIES_AIMED = 400
"""How often one that is aimed is."""
UNDER_WAY_MS = (60, 140)
"""How long after a step falls due its transaction is under way: the calendar comes to it within 60 ms where nothing
keeps it, and four messages in a row and two waits, 110 ms at least, bring it to every node under a certificate."""
CATCHES_UP_MS = 2_000
"""For so long after a node was away the calendar may still wait for it."""
AIMED_OF_TRADE = 0.75
"""How many faults of trade hit the office that has a step to take; the others hit any, at any time."""
LASTS_LEAST_MS = 200
RECOVERY_MS = 2_000
"""For so long after its end a fault that stops nodes still counts: they catch up."""

_RULES = {**KIND_RULES, **TRADE_KIND_RULES}
_RECORDS: TypeAdapter[list[FaultRecord]] = TypeAdapter(list[FaultRecord])


@dataclass(frozen=True, slots=True)
class Planned:
    """A fault drawn, and when it counts as in force: from here, and before there.

    Attributes:
        days: how long it lasts on the calendar instead, on which it then begins too.
        aim: what it is aimed at, if it is.
    """

    kind: str
    rule: KindRule
    drawn: Drawn
    from_ms: int
    lasts_ms: int | None
    to_ms: int
    days: int | None = None
    aim: Aim | None = None

    def meets(self, other: Planned) -> bool:
        """Say whether both are in force at one moment."""
        return self.from_ms < other.to_ms and other.from_ms < self.to_ms

    def shares_a_node(self, other: Planned) -> bool:
        """Say whether both may hit the same node: an unknown leader may be anybody."""
        mine, others = _nodes(self), _nodes(other)
        return mine is None or others is None or bool(mine & others)

    def record(self, calendar: Calendar) -> dict[str, object]:
        """Return it as a scenario file has it."""
        at = (
            {"protocol": f"{self.from_ms}ms"}
            if self.days is None
            else {"calendar": _moment(calendar, self.from_ms)}
        )
        value: dict[str, object] = {"at": at, "kind": self.kind, "target": self.drawn.target}
        if self.days is not None:
            value["for"] = {"calendar": f"{self.days}d"}
        elif self.lasts_ms is not None:
            value["for"] = {"protocol": f"{self.lasts_ms}ms"}
        if self.drawn.params:
            value["params"] = self.drawn.params
        return value


def with_drawn_faults(scenario: Scenario, seed: str, world: str = "virtual") -> Scenario:
    """Return the scenario with its schedule's faults drawn after those that it names; itself if it has no schedule.

    Args:
        scenario: with or without a schedule.
        seed: the run's.
        world: `virtual` or `live`: only what it can do is drawn.
    """
    schedule = scenario.schedule
    if schedule is None:
        return scenario
    planned = draw(scenario, schedule, Random(f"{seed}:schedule"), world)
    records = _RECORDS.validate_json(json.dumps([fault.record(scenario.calendar) for fault in planned]))
    return scenario.model_copy(update={"schedule": None, "faults": (*scenario.faults, *records)})


def draw(scenario: Scenario, schedule: Schedule, chance: Random, world: str) -> list[Planned]:
    """Draw a schedule's faults, in the order in which they begin.

    Args:
        scenario: whose nodes they hit.
        schedule: what may be drawn.
        chance: the schedule's stream.
        world: `virtual` or `live`.
    """
    able = [kind for kind in schedule.drawable if kind in KINDS_BY_WORLD[world]]
    kinds = _kept(able, schedule, chance) or [chance.choice(able)]
    die = Die(chance, schedule.intensity, tuple(scenario.organizations), scenario.orderers, scenario.roles)
    limits = _Limits(scenario, schedule)
    pace = scenario.calendar.pace
    day_ms = 0 if pace is None else math.ceil(DAY_MS * UNITS_MS["s"] / pace.ms)
    planned: list[Planned] = []
    aims = aims_of(scenario)
    for count in range(chance.randint(*schedule.faults)):
        aimed = count < schedule.aimed
        for _ in range(TRIES_AIMED if aimed else TRIES):
            aim = chance.choice(aims) if aimed else None
            fault = _one(die, schedule, chance.choice(kinds), day_ms, aim)
            if fault is not None and limits.allow(fault, planned):
                planned.append(fault)
                break
    planned += _of_trade(die, schedule, day_ms, limits, aims)
    return sorted(planned, key=lambda fault: fault.from_ms)


def _of_trade(
    die: Die, schedule: Schedule, day_ms: int, limits: _Limits, aims: Sequence[Aim]
) -> list[Planned]:
    """Draw the faults of trade; they share no node's condition with any other."""
    planned: list[Planned] = []
    if schedule.trade is None:
        return planned
    kinds = _kept(schedule.trade.kinds, schedule, die.chance)
    for _ in range(die.chance.randint(*schedule.trade.faults) if kinds else 0):
        aimed = bool(aims) and die.chance.random() < AIMED_OF_TRADE
        for _ in range(TRIES):
            aim = die.chance.choice(aims) if aimed else None
            fault = _one(die, schedule, die.chance.choice(kinds), day_ms, aim)
            if fault is not None and limits.allow(fault, planned):
                planned.append(fault)
                break
    return planned


def _kept(kinds: Sequence[str], schedule: Schedule, chance: Random) -> list[str]:
    """Return the kinds that a run does not leave out; maybe none."""
    return [kind for kind in kinds if chance.random() >= schedule.leave_out]


def _one(die: Die, schedule: Schedule, kind: str, day_ms: int, aim: Aim | None) -> Planned | None:
    """Draw one fault; None if it does not fit between the schedule's first and last moment, or to its aim."""
    rule, first, last = _RULES[kind], schedule.begins.ms, schedule.until.ms
    days = None if rule.days is None else die.up_to(1, rule.days)
    lasts_ms = None if rule.ms is None else die.up_to(LASTS_LEAST_MS, rule.ms)
    lasts_ms = lasts_ms if days is None else days * day_ms
    latest = last - (lasts_ms or 0)
    drawn = rule.draw(die)
    if aim is not None and days is not None and aim.by not in drawn.hit:
        return None
    if aim is not None:
        first, latest = _around(aim, rule, lasts_ms, first, latest)
    if latest < first:
        return None
    from_ms = die.chance.randint(first, latest)
    counted_ms = rule.counted_ms if lasts_ms is None else lasts_ms
    after_ms = (COURSE_MS if rule.loses and lasts_ms is not None else RECOVERY_MS) if rule.stops else 0
    return Planned(kind, rule, drawn, from_ms, lasts_ms, from_ms + counted_ms + after_ms, days, aim)


def _around(aim: Aim, rule: KindRule, lasts_ms: int | None, first: int, latest: int) -> tuple[int, int]:
    """Return the first and the last moment to begin at, of those given, so that the aim's transaction is met."""
    least_ms, most_ms = UNDER_WAY_MS
    if rule.days is not None:
        most_ms = 0  # an office is struck before the step falls due, however long it takes
    if lasts_ms is not None and not rule.takes_away:
        least_ms -= lasts_ms
    return max(first, aim.at_ms + least_ms), min(latest, aim.at_ms + most_ms)


def _moment(calendar: Calendar, after_ms: int) -> str:
    """Return the calendar's moment so long after the start at its pace, to the second before."""
    pace_ms = UNITS_MS["s"] if calendar.pace is None else calendar.pace.ms
    since_s = (calendar.start_ms + after_ms * pace_ms // UNITS_MS["s"]) // UNITS_MS["s"]
    return datetime.datetime.fromtimestamp(since_s, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _nodes(fault: Planned) -> set[str] | None:
    """Return whom a fault hits, or None if that is not known; a cut of all touches all."""
    if fault.drawn.target == "all" or fault.kind == "bridge":
        return None
    named = fault.drawn.target.removeprefix("nodes ").removeprefix("node ").split(", ")
    return None if fault.drawn.target == "leader" else {*named, *fault.drawn.hit}


@dataclass(frozen=True, slots=True)
class _Limits:
    """What may be in force together."""

    scenario: Scenario
    schedule: Schedule

    def allow(self, fault: Planned, planned: Sequence[Planned]) -> bool:
        """Say whether a fault goes with those drawn before it."""
        together = [other for other in planned if fault.meets(other)]
        if any(_contradict(fault, other) for other in together):
            return False
        if any(_spoils(fault, other) or _spoils(other, fault) for other in planned):
            return False
        if self.scenario.beyond or not fault.rule.takes_away:
            return True
        rolling = [one.kind == "rolling_restart" for one in (fault, *together) if one.rule.takes_away]
        down = self.schedule.budget.down
        most = (len(self.scenario.orderers) - 1) // 2 if down is None else down
        if any(rolling):
            # It takes one node after the other, and which one at which moment is not known.
            return len(rolling) == 1 and most > 0
        return all(
            _away([one for one in (fault, *together) if one.from_ms <= moment < one.to_ms]) <= most
            for moment in (fault.from_ms, *(other.from_ms for other in together))
        )


def _spoils(fault: Planned, aimed: Planned) -> bool:
    """Say whether a fault may keep the calendar from the moment that the other is aimed at."""
    aim = aimed.aim
    return (
        aim is not None and fault.rule.takes_away and fault.from_ms <= aim.at_ms < fault.to_ms + CATCHES_UP_MS
    )


def _away(faults: Sequence[Planned]) -> int:
    """Return how many nodes are down or cut off at most; an unknown leader is one more."""
    taking = [fault for fault in faults if fault.rule.takes_away]
    named = {name for fault in taking for name in fault.drawn.hit}
    return len(named) + sum(not fault.drawn.hit for fault in taking)


def _contradict(one: Planned, other: Planned) -> bool:
    if one.rule.loses and other.rule.loses:
        return True
    if not one.shares_a_node(other):
        return False
    if one.rule.stops and other.rule.stops:
        return True
    family = FAMILIES.get(one.kind)
    return family is not None and family == FAMILIES.get(other.kind)
