"""Everything that happened in a trial, in order, split into what members may see and what only the simulator knows.

Rules:
- Every event has a number, the calendar, the protocol time, a name and plain fields; nothing else.
- *Public* is what any member may see: who sent what kind of document to whom and when, receipts, certified blocks.
  *Observer* is the simulator's private truth beside it: fine states of claims, faults, leaders, where nodes stand.
- Values of private document fields are in neither; they never leave wallets and envelopes.
- Two runs of one seed write the same bytes.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from p2p.observer import RecordField


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened.

    Attributes:
        number: its place among all events of the run, from 0.
        calendar_ms: the calendar, UTC milliseconds.
        protocol_ns: protocol time, nanoseconds since the world opened.
        name: what happened.
        fields: its facts.
        public: whether any member may see it.
    """

    number: int
    calendar_ms: int
    protocol_ns: int
    name: str
    fields: Mapping[str, RecordField]
    public: bool

    def line(self) -> str:
        """Return the event as one line of JSON, keys sorted."""
        record = {
            "number": self.number,
            "calendar": iso(self.calendar_ms),
            "protocol_ns": self.protocol_ns,
            "event": self.name,
            **self.fields,
        }
        return json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    def text(self, name: str) -> str:
        """Return a field that is text.

        Raises:
            KeyError: if there is no such text.
        """
        value = self.fields[name]
        if not isinstance(value, str):
            raise KeyError(f"{self.name}.{name} is no text")
        return value

    def integer(self, name: str) -> int:
        """Return a field that is a whole number.

        Raises:
            KeyError: if there is no such number.
        """
        value = self.fields[name]
        if not isinstance(value, int):
            raise KeyError(f"{self.name}.{name} is no whole number")
        return value


Subscriber = Callable[[Event], None]


@dataclass(slots=True)
class EventBook:
    """Keeps events and tells those who subscribed.

    Attributes:
        now_ms: the calendar.
        now_ns: the protocol clock.
    """

    now_ms: Callable[[], int]
    now_ns: Callable[[], int]
    events: list[Event] = field(default_factory=list)
    _subscribers: list[Subscriber] = field(default_factory=list)

    def subscribe(self, subscriber: Subscriber) -> None:
        """Have every event from now on passed to `subscriber`, in order."""
        self._subscribers.append(subscriber)

    def add(self, name: str, fields: Mapping[str, RecordField], *, public: bool = False) -> Event:
        """Write an event down and pass it on."""
        event = Event(len(self.events), self.now_ms(), self.now_ns(), name, dict(fields), public)
        self.events.append(event)
        for subscriber in self._subscribers:
            subscriber(event)
        return event

    def named(self, name: str) -> list[Event]:
        """Return all events of one name, in order."""
        return [event for event in self.events if event.name == name]


def iso(time_ms: int) -> str:
    """Return UTC milliseconds as ISO 8601 text."""
    moment = datetime.datetime.fromtimestamp(time_ms / 1000, datetime.UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{time_ms % 1000:03d}Z"
