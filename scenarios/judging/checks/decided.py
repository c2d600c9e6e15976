"""Every transaction takes effect at most once."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field

from ledger.receipt import CONSUMING
from scenarios.filedindex import FiledIndex
from scenarios.judging.checks.check import FinalState, Violation
from scenarios.judging.measure import receipts_of
from scenarios.record.eventbook import Event


@dataclass(slots=True)
class DecidedOnce:
    """Every transaction takes effect at most once."""

    name: str = "decided-once"
    exercised: int = 0
    violations: list[Violation] = field(default_factory=list)
    _decided: FiledIndex[str] = field(default_factory=FiledIndex)
    _heights: array[int] = field(default_factory=lambda: array("q"))

    def __call__(self, event: Event) -> None:
        """Look at the receipts of a height when it is first executed."""
        if event.name != "block.executed":
            return
        height = event.integer("height")
        in_this_block: list[str] = []
        for receipt in receipts_of(event):
            if receipt.code not in CONSUMING:
                continue
            self.exercised += 1
            number = self._decided.number(receipt.id)
            if number == len(self._heights):
                self._heights.append(height)
            first = self._heights[number]
            if first != height or receipt.id in in_this_block:
                text = f"{receipt.id} took effect at heights {first} and {height}"
                self.violations.append(Violation(self.name, event.number, text))
            in_this_block.append(receipt.id)

    def finish(self, final: FinalState) -> None:
        """Nothing is left to judge."""
