"""The network makes progress whenever a majority can, and converges when all can.

Rules:
- What is demanded, within what bound, is the trial's business (`scenarios.trial.healing`, `scenarios.trial.settling`);
  these checks hold the outcomes against it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from scenarios.judging.checks.check import FinalState, Violation
from scenarios.record.eventbook import Event


@dataclass(slots=True)
class Progress:
    """The network never stands still unexplained, and a majority healed alone goes on."""

    name: str = "progress"
    exercised: int = 0
    violations: list[Violation] = field(default_factory=list)

    def __call__(self, event: Event) -> None:
        """Take note of a demand that was met or missed."""
        if event.name == "progress.made":
            self.exercised += 1
        elif event.name == "progress.missed":
            self.violations.append(Violation(self.name, event.number, event.text("text")))

    def finish(self, final: FinalState) -> None:
        """Nothing is left to judge."""


@dataclass(slots=True)
class Convergence:
    """All nodes stand alike, with nothing pending, soon after everything is healed."""

    name: str = "convergence"
    exercised: int = 0
    violations: list[Violation] = field(default_factory=list)

    def __call__(self, event: Event) -> None:
        """Take note of an end that converged or did not."""
        if event.name == "convergence.made":
            self.exercised += event.integer("faults") > 0
        elif event.name == "convergence.missed":
            self.violations.append(Violation(self.name, event.number, event.text("text")))

    def finish(self, final: FinalState) -> None:
        """Nothing is left to judge."""
