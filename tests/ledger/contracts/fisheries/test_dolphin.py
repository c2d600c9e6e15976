"""The dolphin-safe status: each rule with and without its evidence, their order, every edge."""

from __future__ import annotations

import datetime
from dataclasses import replace

import pytest

from ledger.contracts.fisheries import (
    STATUS_RULES,
    DolphinStatus,
    Evidence,
    Gear,
    Trip,
    captain_certifies,
    determine,
    idcp_certifies,
    is_embargoed,
    observer_certifies,
    pga_code,
)

CAPTAIN, OBSERVER, IDCP = Evidence.CAPTAIN, Evidence.OBSERVER, Evidence.IDCP
ALL = frozenset(Evidence)
SEINE = Trip(
    Gear.PURSE_SEINE, in_etp=False, capacity_short_tons=900, associated=False, identified=False, evidence=ALL
)
LINE = replace(SEINE, gear=Gear.LONGLINE)
CASES = {
    1: replace(SEINE, gear=Gear.HIGH_SEAS_DRIFTNET),
    2: replace(SEINE, in_etp=True),
    3: replace(SEINE, in_etp=True, capacity_short_tons=400),
    4: replace(SEINE, associated=True),
    5: SEINE,
    6: LINE,
}
NEEDED = {1: (), 2: (IDCP, OBSERVER), 3: (CAPTAIN,), 4: (CAPTAIN, OBSERVER), 5: (CAPTAIN,), 6: (CAPTAIN,)}
STATUS = {1: "5A", 2: "5B5", 3: "5B4", 4: "5B3", 5: "5B2", 6: "5B1"}


@pytest.mark.parametrize("rule", CASES)
def test_with_its_evidence_each_rule_gives_its_status(rule: int) -> None:
    found = determine(replace(CASES[rule], evidence=frozenset(NEEDED[rule])))
    assert (found.rule, found.status.value, found.missing) == (rule, STATUS[rule], ())
    assert found.excluded is (rule == 1)


@pytest.mark.parametrize(("rule", "lacking"), [(rule, e) for rule, needed in NEEDED.items() for e in needed])
def test_without_any_one_piece_only_5a_is_left(rule: int, lacking: Evidence) -> None:
    found = determine(replace(CASES[rule], evidence=ALL - {lacking}))
    assert (found.rule, found.status, found.missing) == (7, DolphinStatus.NOT_CERTIFIED, (lacking,))
    assert not found.excluded


def test_the_first_rule_that_matches_decides() -> None:
    trip = replace(CASES[1], in_etp=True, associated=True, identified=True)
    assert determine(trip).rule == 1
    assert determine(replace(trip, gear=Gear.PURSE_SEINE)).rule == 2
    assert determine(replace(trip, gear=Gear.PURSE_SEINE, capacity_short_tons=100)).rule == 3
    assert determine(replace(trip, gear=Gear.PURSE_SEINE, in_etp=False)).rule == 4


@pytest.mark.parametrize(("capacity", "rule"), [(399, 3), (400, 3), (401, 2), (None, 2)])
def test_a_vessel_of_four_hundred_short_tons_is_a_small_one(capacity: int | None, rule: int) -> None:
    assert determine(replace(CASES[2], capacity_short_tons=capacity)).rule == rule


def test_capacity_matters_in_the_etp_and_association_outside_of_it_alone() -> None:
    assert determine(replace(SEINE, capacity_short_tons=10)).rule == 5
    assert determine(replace(LINE, in_etp=True, associated=True)).rule == 6


def test_an_identified_fishery_asks_for_an_observer_too() -> None:
    without = replace(LINE, evidence=frozenset({CAPTAIN}))
    assert determine(without).status is DolphinStatus.OTHER_GEAR
    assert determine(replace(without, identified=True)).missing == (OBSERVER,)
    assert determine(replace(LINE, identified=True)).status is DolphinStatus.OTHER_GEAR


def test_every_trip_has_a_rule_and_rules_are_numbered_in_order() -> None:
    assert [rule.number for rule in STATUS_RULES] == [1, 2, 3, 4, 5, 6]
    assert all(rule.source for rule in STATUS_RULES)
    assert determine(replace(LINE, gear=Gear.GILLNET, evidence=frozenset())).rule == 7


@pytest.mark.parametrize(
    ("begin", "trained", "holds"),
    [("2016-05-20", False, True), ("2016-05-21", False, False), ("2016-05-21", True, True)],
)
def test_the_training_is_certified_for_trips_from_its_day_on(begin: str, trained: bool, holds: bool) -> None:
    day = datetime.date.fromisoformat(begin)
    certifies = captain_certifies(
        trip_begin=day, not_set_on_dolphins=True, none_killed_or_injured=True, training_completed=trained
    )
    assert certifies is holds


@pytest.mark.parametrize("lacking", ["not_set_on_dolphins", "none_killed_or_injured"])
def test_statements_certify_everything_or_nothing(lacking: str) -> None:
    both = {"not_set_on_dolphins": True, "none_killed_or_injured": True}
    day = datetime.date(2018, 1, 1)
    assert captain_certifies(trip_begin=day, training_completed=True, **both)
    assert not captain_certifies(trip_begin=day, training_completed=True, **(both | {lacking: False}))
    assert observer_certifies(whole_trip=True, **both)
    assert not observer_certifies(whole_trip=True, **(both | {lacking: False}))
    assert not observer_certifies(whole_trip=False, **both)


def test_an_idcp_certification_needs_the_observer_and_no_harm() -> None:
    assert idcp_certifies(observer_whole_trip=True, none_killed_or_injured=True)
    assert not idcp_certifies(observer_whole_trip=False, none_killed_or_injured=True)
    assert not idcp_certifies(observer_whole_trip=True, none_killed_or_injured=False)


def test_the_embargo_is_on_yellowfin_of_etp_purse_seines_under_that_flag() -> None:
    trip = CASES[2]
    assert is_embargoed(trip, "YFT", "VE", ("VE",))
    assert not is_embargoed(trip, "SKJ", "VE", ("VE",))
    assert not is_embargoed(trip, "YFT", "MX", ("VE",))
    assert not is_embargoed(replace(trip, in_etp=False), "YFT", "VE", ("VE",))
    assert not is_embargoed(replace(trip, gear=Gear.LONGLINE), "YFT", "VE", ("VE",))
    assert [pga_code(species) for species in ("YFT", "SKJ")] == ["YFT", "NOT"]
