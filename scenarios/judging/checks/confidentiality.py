"""No private value is where it must not be."""

from __future__ import annotations

from dataclasses import dataclass, field

from scenarios.judging.checks.check import FinalState, Violation
from scenarios.judging.leaks import LeakSearch
from scenarios.trial.eventbook import Event


@dataclass(slots=True)
class Confidentiality:
    """No private value is where it must not be."""

    search: LeakSearch
    name: str = "confidentiality"
    exercised: int = 0
    violations: list[Violation] = field(default_factory=list)

    def __call__(self, event: Event) -> None:
        """Nothing to do yet: whoever has frames, disks and records searches them at the end."""

    def finish(self, final: FinalState) -> None:
        """Report what the search found."""
        self.exercised = self.search.canaries if self.search.bytes_searched else 0
        for leak in self.search.leaks:
            text = f"{leak.where} stands in {leak.place} ({leak.form})"
            self.violations.append(Violation(self.name, None, text))
