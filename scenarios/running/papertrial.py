"""The paper arm beside a run: the same trade on paper, its events in the run's folder."""

from __future__ import annotations

import datetime
from pathlib import Path

from scenarios.measuring.comparison import PAPER_EVENTS
from scenarios.model import Scenario
from scenarios.paper.arm import PaperArm
from scenarios.paper.parameters import standard_parameters
from scenarios.record.eventbook import Event
from scenarios.workload.cast import Member
from scenarios.workload.plan import open_trade
from scenarios.workload.trade import Trade

MEASURES_FILE = "measures.json"


def trade_of(scenario: Scenario, seed: str) -> Trade | None:
    """Return the generated trade that a scenario asks for, or None.

    Raises:
        RefusedError: if its organizations cannot play it.
    """
    if scenario.workload is None:
        return None
    members = [Member(name, o.country, frozenset(o.roles)) for name, o in scenario.organizations.items()]
    start = datetime.datetime.fromtimestamp(scenario.calendar.start_ms / 1000, scenario.zone).date()
    return open_trade(seed, scenario.workload, members, scenario.zone, start)


def play_on_paper(trade: Trade, scenario: Scenario, folder: Path) -> None:
    """Play a trade on paper and write its events into a run's folder, one by one."""
    path = folder / PAPER_EVENTS
    path.parent.mkdir(parents=True)
    parameters = standard_parameters().with_values(scenario.paper)
    with path.open("w", encoding="utf-8") as lines:

        def write(event: Event) -> None:
            lines.write(event.line() + "\n")

        PaperArm(trade, parameters, scenario.calendar.end_ms, write, scenario.calendar.grain_ms).run()
