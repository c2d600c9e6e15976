"""What a schedule asks of the whole file: a calendar that leaves it time, steps to aim at, orderers for its budget."""

from __future__ import annotations

from collections.abc import Iterator

from scenarios.errors import RefusedError
from scenarios.model.aims import aims_of
from scenarios.model.scenario import Scenario
from scenarios.model.units import UNITS_MS
from scenarios.model.yamltree import Location


def schedule_refusals(scenario: Scenario) -> Iterator[tuple[Location, RefusedError]]:
    """Refuse a schedule that trade ends before, that aims at nothing, or takes more away than the network bears."""
    schedule, calendar = scenario.schedule, scenario.calendar
    if schedule is None:
        return
    if calendar.pace is None:
        what = "the calendar has no pace, so that trade may be over before the faults begin"
        yield ("schedule",), RefusedError(what, "calendar.pace", "add calendar: {pace: 1d}")
        return
    try:
        lasts_ms = (calendar.end_ms - calendar.start_ms) * UNITS_MS["s"] // calendar.pace.ms
    except RefusedError:
        return  # reported where it stands
    if schedule.until.ms > lasts_ms:
        what = f"until {schedule.until} is after the calendar's end"
        limit = f"at a pace of {calendar.pace} per second it ends after {lasts_ms // UNITS_MS['s']} s"
        yield ("schedule", "until"), RefusedError(what, limit, "name an earlier end, or a slower pace")
    if schedule.aimed and not aims_of(scenario):
        what = f"there is nothing to aim {schedule.aimed} faults at"
        limit = f"no step falls due between {schedule.begins} and {schedule.until}"
        yield (
            ("schedule", "aimed"),
            RefusedError(what, limit, "give steps a moment (at) in between, or aim none"),
        )
    down, bearable = schedule.budget.down, (len(scenario.orderers) - 1) // 2
    if down is not None and down > bearable and not scenario.beyond:
        what = f"{down} nodes down at once may leave no majority"
        limit = f"{len(scenario.orderers)} orderers bear {bearable}"
        yield ("schedule", "budget", "down"), RefusedError(what, limit, "name fewer, or say beyond: true")
