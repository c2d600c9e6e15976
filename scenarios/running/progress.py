"""How far a run has got, in figures that follow its events.

Rules:
- The figures are made of events and of the checks' own counts alone; following them changes nothing in the run.
- Nothing is kept per transaction: a run of any length costs the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ledger.codes import Code
from scenarios.judging.checks.check import Check
from scenarios.record.event import Event


@dataclass(slots=True)
class Progress:
    """Where one run stands.

    Attributes:
        start_ms, end_ms: the calendar from and to which it trades, UTC milliseconds.
        checks: what judges it as it goes.
        stage: what is under way: a phase of the trial, or work after it.
        calendar_ms: the calendar, UTC milliseconds.
        protocol_ns: protocol time, nanoseconds since the world opened.
        events: how many there were.
        certified, refused: transactions with a certified receipt, and those of them that took no effect.
        faults: those in force by their number, each in words.
        faults_begun: how many began.
    """

    start_ms: int
    end_ms: int
    checks: Sequence[Check] = ()
    stage: str = "opening"
    calendar_ms: int = 0
    protocol_ns: int = 0
    events: int = 0
    certified: int = 0
    refused: int = 0
    faults: dict[int, str] = field(default_factory=dict)
    faults_begun: int = 0

    def __post_init__(self) -> None:
        self.calendar_ms = self.start_ms

    def __call__(self, event: Event) -> None:
        """Follow an event."""
        self.events += 1
        self.calendar_ms = event.calendar_ms
        self.protocol_ns = event.protocol_ns
        match event.name:
            case "receipt":
                self.certified += 1
                self.refused += event.fields["code"] != Code.VALID.value
            case "phase":
                self.stage = event.text("name")
            case "fault.began":
                self.faults_begun += 1
                self.faults[event.integer("fault")] = event.text("kind")
            case "fault.ended":
                self.faults.pop(event.integer("fault"), None)

    @property
    def share(self) -> float:
        """How much of the calendar has passed, 0 to 1."""
        return min(1.0, max(0.0, (self.calendar_ms - self.start_ms) / max(1, self.end_ms - self.start_ms)))

    @property
    def violations(self) -> int:
        """How often a check was violated so far."""
        return sum(len(check.violations) for check in self.checks)

    @property
    def exercised(self) -> int:
        """How often the checks were exercised so far."""
        return sum(check.exercised for check in self.checks)
