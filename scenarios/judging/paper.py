"""Figures of work on paper: what was written, entered, entered twice, mistyped, and late on the ledger alone.

Rules:
- Without a window on paper there are no figures, not figures of zero.
- What was written and is not reconciled by the end is counted as open.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from p2p.observer import RecordField
from scenarios.record.eventbook import Event

_SUMMED: Mapping[str, str] = {
    "acts": "paper_acts",
    "missing": "paper_missing",
    "doubled": "paper_doubled",
    "mismatched": "paper_mismatched",
    "late": "paper_late",
    "in_time": "paper_in_time",
}
"""A field of `reconciliation.done`, and the figure that sums it."""


@dataclass(slots=True)
class PaperMeasurement:
    """Follows events and gives figures at the end."""

    _written: int = 0
    _reconciled: int = 0
    _windows: int = 0
    _sums: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_SUMMED.values(), 0))

    def __call__(self, event: Event) -> None:
        """Take an event into account."""
        if event.name == "fault.began" and event.text("kind") == "paper_fallback":
            hit = event.fields["hit"]
            self._windows += len(hit) if isinstance(hit, list) else 0
        elif event.name == "paper.written":
            self._written += 1
        elif event.name == "reconciliation.done":
            self._reconciled += event.integer("slips")
            for name, figure in _SUMMED.items():
                self._sums[figure] += event.integer(name)

    def figures(self) -> dict[str, RecordField | float]:
        """Return all figures by name."""
        if not self._windows:
            return {}
        return {"paper_slips": self._written, "paper_open": self._written - self._reconciled, **self._sums}
