"""Every transaction takes effect at most once."""

from __future__ import annotations

from dataclasses import dataclass, field

from ledger.receipt import CONSUMING
from scenarios.judging.checks.check import FinalState, Violation
from scenarios.judging.measure import receipts_of
from scenarios.record.eventbook import Event


@dataclass(slots=True)
class DecidedOnce:
    """Every transaction takes effect at most once."""

    name: str = "decided-once"
    exercised: int = 0
    violations: list[Violation] = field(default_factory=list)
    _decided: dict[str, int] = field(default_factory=dict)

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
            first = self._decided.setdefault(receipt.id, height)
            if first != height or receipt.id in in_this_block:
                text = f"{receipt.id} took effect at heights {first} and {height}"
                self.violations.append(Violation(self.name, event.number, text))
            in_this_block.append(receipt.id)

    def finish(self, final: FinalState) -> None:
        """Nothing is left to judge."""
