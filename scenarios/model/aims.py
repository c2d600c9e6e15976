"""When the steps of a script fall due on the protocol clock, where the calendar keeps a pace.

Rules:
- A step that waits for a predicate falls due at no moment that is known before the run.
- The calendar may come late to a step, if what was submitted before is still under way; it never comes early.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scenarios.errors import RefusedError
from scenarios.model.scenario import Scenario
from scenarios.model.units import UNITS_MS


@dataclass(frozen=True, slots=True)
class Aim:
    """A moment at which a transaction sets out.

    Attributes:
        at_ms: protocol time after the start of trade.
        by: the organization that submits it.
    """

    at_ms: int
    by: str


def aims_of(scenario: Scenario) -> Sequence[Aim]:
    """Return the moments of the steps that fall due between a schedule's first and last; none without a pace."""
    schedule, calendar = scenario.schedule, scenario.calendar
    if schedule is None or calendar.pace is None:
        return ()
    aims = []
    for step in scenario.steps:
        if step.at is None:
            continue
        try:
            after_ms = scenario.moment_ms(step.at) - calendar.start_ms
        except RefusedError:
            continue  # reported where it stands
        aims.append(Aim(after_ms * UNITS_MS["s"] // calendar.pace.ms, step.by))
    return [aim for aim in aims if schedule.begins.ms <= aim.at_ms < schedule.until.ms]
