"""Everything that happened in a trial, in order, split into what members may see and what only the simulator knows.

Rules:
- Every event has a number, the calendar, the protocol time, a name and plain fields; nothing else.
- *Public* is what any member may see: who sent what kind of document to whom and when, receipts, certified blocks.
  *Observer* is the simulator's private truth beside it: fine states of claims, faults, leaders, where nodes stand.
- Values of private document fields are in neither; they never leave wallets and envelopes.
- Two runs of one seed write the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from p2p.observer import RecordField
from scenarios.record.event import Event, iso
from scenarios.record.eventspool import EventSpool

__all__ = ["Event", "EventBook", "Subscriber", "iso"]


Subscriber = Callable[[Event], None]


@dataclass(slots=True)
class EventBook:
    """Keeps events and tells those who subscribed.

    Attributes:
        now_ms: the calendar.
        now_ns: the protocol clock.
        spool: keeps the events.
    """

    now_ms: Callable[[], int]
    now_ns: Callable[[], int]
    spool: EventSpool = field(default_factory=EventSpool)
    _subscribers: list[Subscriber] = field(default_factory=list)

    @property
    def events(self) -> Sequence[Event]:
        """All events so far, in order."""
        return self.spool

    def subscribe(self, subscriber: Subscriber) -> None:
        """Have every event from now on passed to `subscriber`, in order."""
        self._subscribers.append(subscriber)

    def add(self, name: str, fields: Mapping[str, RecordField], *, public: bool = False) -> Event:
        """Write an event down and pass it on."""
        event = Event(len(self.spool), self.now_ms(), self.now_ns(), name, dict(fields), public)
        self.spool.append(event)
        for subscriber in self._subscribers:
            subscriber(event)
        return event

    def named(self, name: str) -> list[Event]:
        """Return all events of one name, in order."""
        return [event for event in self.spool if event.name == name]
