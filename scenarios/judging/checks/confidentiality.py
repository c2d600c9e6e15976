"""No private value lies open anywhere, and nobody can read what it may not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from scenarios.judging.checks.check import FinalState, Violation
from scenarios.privacy.leaks import LeakSearch
from scenarios.privacy.readings import Readings
from scenarios.record.eventbook import Event


@dataclass(slots=True)
class Confidentiality:
    """No private value lies open anywhere, and nobody can read what it may not.

    Args:
        search: has searched everything for private values and salts by the time of `finish`.
        compare: holds what every organization may read against what it could, given the end of the run.
    """

    search: LeakSearch
    compare: Callable[[FinalState], Readings]
    name: str = "confidentiality"
    exercised: int = 0
    violations: list[Violation] = field(default_factory=list)

    def __call__(self, event: Event) -> None:
        """Nothing to do yet: whoever has frames, disks and records searches them at the end."""

    def finish(self, final: FinalState) -> None:
        """Compare, and report what lies open and what can be opened."""
        if not self.search.bytes_searched:
            return
        readings = self.compare(final)
        self.exercised = readings.pairs
        texts = [f"{leak.where} stands in {leak.place} ({leak.form})" for leak in self.search.leaks]
        self.violations += [Violation(self.name, None, text) for text in (*texts, *readings.leaks)]
