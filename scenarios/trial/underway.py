"""A trial under way, as those see it who act in it: a script's pilot, and a generated trade."""

from __future__ import annotations

from typing import Protocol

from scenarios.agents.agent import Agent
from scenarios.model import Scenario
from scenarios.record.eventbook import EventBook
from scenarios.trial.agenda import Agenda
from scenarios.trial.faultengine import FaultEngine
from scenarios.trial.history import History
from scenarios.worlds.base import World


class TrialUnderWay(Protocol):
    """What whoever acts in a trial asks of it.

    Attributes:
        scenario: what is to happen.
        world: where.
        book: takes what is worth writing down.
        agenda: who waits for which moment of the calendar.
        history: what has happened.
        agents: the organizations' programs, by organization.
        faults: begins faults, and ends them.
    """

    scenario: Scenario
    world: World
    book: EventBook
    agenda: Agenda
    history: History
    agents: dict[str, Agent]
    faults: FaultEngine

    def now_ms(self) -> int:
        """Return the calendar, UTC milliseconds."""

    async def leader(self) -> str | None:
        """Return whose node leads, if anybody's."""
