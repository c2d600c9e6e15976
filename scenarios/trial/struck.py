"""Which faults of trade struck: an office that they hit had to wait, or what it sent or wrote went otherwise.

Rules:
- A fault of trade is in force for whoever has nothing to do, read, send or write then, and does nothing to it.
- What it did is told by an event of that organization while the fault is in force.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from scenarios.record.eventbook import Event

EVIDENCE: Mapping[str, str] = {
    "outage": "office.waits",
    "silence": "office.waits",
    "late_document": "envelope.held",
    "lost_document": "envelope.lost",
    "wrong_data": "noncompliance.done",
    "paper_fallback": "paper.written",
}
"""By which event each kind of fault of trade is known to have struck."""
_TELLING = frozenset(EVIDENCE.values())


@dataclass(slots=True)
class Struck:
    """Follows events; knows of every fault of trade whether it struck.

    Attributes:
        numbers: of the faults that struck, with their kinds.
    """

    numbers: dict[int, str] = field(default_factory=dict)
    _in_force: dict[int, tuple[str, Sequence[str]]] = field(default_factory=dict)

    def __call__(self, event: Event) -> None:
        """Take an event into account."""
        if event.name == "fault.began":
            number, kind, hit = event.integer("fault"), event.text("kind"), event.fields["hit"]
            if kind in EVIDENCE and isinstance(hit, list):
                self._in_force[number] = (kind, hit)
        elif event.name == "fault.ended":
            self._in_force.pop(event.integer("fault"), None)
        elif event.name in _TELLING:
            for number, (kind, offices) in self._in_force.items():
                if EVIDENCE[kind] == event.name and event.text("organization") in offices:
                    self.numbers[number] = kind
