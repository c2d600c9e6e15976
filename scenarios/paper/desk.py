"""The paper arm's clock, its record of events, and the desks at which officers work.

Rules:
- Time is the calendar, UTC milliseconds; a process is a generator that yields what it waits for (simpy).
- Whatever is waited for is over at a full multiple of the scenario's grain, as on the ledger's calendar.
- An event is what happened at an organization's desk, in the words that the ledger's arm uses for the same thing.
- Nothing on paper is public: no event is.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import TypeAlias

import simpy

from p2p.observer import RecordField
from scenarios.paper.parameters import PaperParameters
from scenarios.record.eventbook import Event
from scenarios.workload.officehours import OfficeHours

Process: TypeAlias = Generator[simpy.Event, object, None]


@dataclass(slots=True)
class Desk:
    """What every process of the paper arm works with.

    Attributes:
        parameters: the numbers.
        hours: when people work.
        write: takes events as they happen; they are not kept here.
        grain_ms: the calendar's, 1 or more.
        clock: simpy's, in milliseconds of the calendar.
        officers: of Customs, for reviews.
    """

    parameters: PaperParameters
    hours: OfficeHours
    write: Callable[[Event], None]
    start_ms: int
    grain_ms: int = 1
    clock: simpy.Environment = field(init=False)
    officers: simpy.Resource = field(init=False)
    _count: int = 0

    def __post_init__(self) -> None:
        self.clock = simpy.Environment(initial_time=self.start_ms)
        self.officers = simpy.Resource(self.clock, capacity=round(self.parameters.share("customs.officers")))

    @property
    def now_ms(self) -> int:
        """The calendar, UTC milliseconds."""
        return int(self.clock.now)

    def record(self, name: str, **fields: RecordField) -> None:
        """Write down what happened now."""
        self.write(Event(self._count, self.now_ms, 0, name, fields, public=False))
        self._count += 1

    def sleep(self, duration_ms: int) -> simpy.Event:
        """Return what happens after a duration, at the calendar's next stop."""
        over_ms = self.now_ms + max(0, duration_ms)
        return self.clock.timeout(-(-over_ms // self.grain_ms) * self.grain_ms - self.now_ms)

    def until(self, moment_ms: int) -> simpy.Event:
        """Return what happens at a moment; at once if it has passed."""
        return self.sleep(moment_ms - self.now_ms)

    def office_opens(self) -> simpy.Event:
        """Return what happens when somebody is at work: now, or the next morning of a working day."""
        day = self.hours.day_of(self.now_ms)
        opens, closes = self.hours.moment(day, 0.0), self.hours.moment(day, 1.0)
        if self.hours.next_working_day(day) == day and self.now_ms < closes:
            return self.until(opens)
        return self.until(self.hours.moment(self.hours.add_working_days(day, 1), 0.0))

    def start(self, process: Process) -> simpy.Process:
        """Start a process."""
        return self.clock.process(process)
