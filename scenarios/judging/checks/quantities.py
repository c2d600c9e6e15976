"""What Customs allows on one invoice is never more than was invoiced.

Rules:
- Quantities are private: they are those of the scenario, which the trial knows and the ledger does not.
- A claim counts from the decision that allows it, until one denies it; more than invoiced may be claimed, not allowed.
- A dishonest importer enters more than the scenario says; its claim counts with the least it can be, the scenario's.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from scenarios.judging.checks.check import FinalState, Violation
from scenarios.model import Scenario
from scenarios.record.eventbook import Event

_ALLOWED = ("ALLOWED", "PROTEST_GRANTED")
_DENIED = ("DENIED", "PROTEST_DENIED")


@dataclass(slots=True)
class ClaimedQuantities:
    """Adds up what is allowed on each invoice.

    Attributes:
        scenario: with claims and invoices.
    """

    scenario: Scenario
    name: str = "claimed-quantities"
    exercised: int = 0
    violations: list[Violation] = field(default_factory=list)
    _allowed: dict[str, dict[str, int]] = field(default_factory=dict)

    def __call__(self, event: Event) -> None:
        """Take a decision."""
        claim = (
            self.scenario.claims.get(str(event.fields.get("claim")))
            if event.name == "claim.decided"
            else None
        )
        if claim is None or claim.invoice is None:
            return
        allowed = self._allowed.setdefault(claim.invoice, {})
        if event.text("state") in _DENIED:
            allowed.pop(event.text("claim"), None)
        elif event.text("state") in _ALLOWED:
            allowed[event.text("claim")] = claim.goods.quantity
        self.exercised += 1
        invoiced = sum(line.quantity for line in self.scenario.invoices[claim.invoice].lines)
        total = sum(allowed.values())
        if total > invoiced:
            text = f"{total} allowed by claims {', '.join(allowed)} on invoice {claim.invoice}, {invoiced} invoiced"
            self.violations.append(Violation(self.name, event.number, text))

    def finish(self, final: FinalState) -> None:
        """Nothing is left to judge."""
