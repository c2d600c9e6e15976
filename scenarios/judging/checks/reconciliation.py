"""What an organization's reconciliation of its paper says is what the ledger's receipts show.

Rules:
- Every slip of a window that was reconciled is in the reconciliation, and every act of a slip that was entered.
- An act stands on the ledger as often as there are receipts by its creator, from the first slip on, of its type and
  with its body and documents. Bodies are compared as the receipts tell them, without the organization's program.
- Lateness is a finding that a receipt of it bears.
- All receipts are held against it that the organization had read by then; they are all known at the run's end.
- A window that is not over, or whose slips were not all entered, is not judged.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from scenarios.agents.paperdue import LATE
from scenarios.judging.checks.check import FinalState, Violation
from scenarios.record.eventbook import Event


@dataclass(slots=True)
class _Books:
    """One window on paper, as events tell it.

    Attributes:
        slips: written.
        ids: of the transactions that entered acts of them, with their slip.
        rows: of the reconciliation.
    """

    slips: list[int] = field(default_factory=list)
    ids: dict[str, int] = field(default_factory=dict)
    rows: list[Event] = field(default_factory=list)


@dataclass(slots=True)
class Reconciled:
    """Holds reconciliations against receipts."""

    name: str = "reconciliation"
    exercised: int = 0
    violations: list[Violation] = field(default_factory=list)
    _books: dict[tuple[str, int], _Books] = field(default_factory=dict)
    _done: list[tuple[Event, _Books]] = field(default_factory=list)
    _receipts: dict[str, list[Event]] = field(default_factory=dict)
    _is_followed: bool = False

    def __call__(self, event: Event) -> None:
        """Take paper, receipts and reconciliations into account."""
        match event.name:
            case "paper.written":
                self._is_followed = True
                self._of(event).slips.append(event.integer("slip"))
            case "paper.entered":
                self._of(event).ids[event.text("id")] = event.integer("slip")
            case "paper.reconciled":
                self._of(event).rows.append(event)
            case "receipt" if self._is_followed and isinstance(event.fields["creator"], str):
                self._receipts.setdefault(event.text("creator"), []).append(event)
            case "reconciliation.done":
                self._done.append((event, self._of(event)))

    def finish(self, final: FinalState) -> None:
        """Hold every reconciliation against the receipts."""
        for event, books in self._done:
            self._judge(event, books)

    def _of(self, event: Event) -> _Books:
        window = event.text("organization"), event.integer("window")
        return self._books.setdefault(window, _Books())

    def _judge(self, event: Event, books: _Books) -> None:
        told = {row.integer("slip") for row in books.rows}
        for slip in books.slips:
            if slip not in told:
                self._violated(event, f"slip {slip} is in no reconciliation")
        named = {row.fields["id"] for row in books.rows}
        for id_, slip in books.ids.items():
            if slip in told and id_ not in named:
                self._violated(event, f"slip {slip}: {id_[:12]} entered it and is in no reconciliation")
        for row in books.rows:
            self.exercised += 1
            for text in self._faults(row, event.integer("seen_receipt")):
                self._violated(row, f"slip {row.integer('slip')}, {row.text('act')}: {text}")
        for figure, seen in _figures(books.rows):
            if event.fields[figure] != seen:
                self._violated(event, f"it sums {figure} up to {event.fields[figure]}, its acts to {seen}")

    def _faults(self, row: Event, seen: int) -> Iterator[str]:
        receipts = [
            one for one in self._receipts.get(row.text("organization"), []) if one.integer("index") <= seen
        ]
        own = next((one for one in receipts if one.fields["id"] == row.fields["id"]), None)
        if own is None:
            if row.integer("entries"):
                yield f"{row.integer('entries')} entries are told, and what entered it has no receipt"
            return
        body = own.fields["body"], own.fields["documents"]
        same = [
            one
            for one in receipts
            if one.fields["type"] == row.fields["act"]
            and (one.fields["body"], one.fields["documents"]) == body
        ]
        if len(same) != row.integer("entries"):
            yield f"{row.integer('entries')} entries are told, the ledger has {len(same)}"
        valid = sum(one.text("code") == "VALID" for one in same)
        if valid != row.integer("valid"):
            yield f"{row.integer('valid')} VALID entries are told, the ledger has {valid}"
        late = row.fields["late"]
        missed = [
            name for one in same for name in _late(one) if not isinstance(late, list) or name not in late
        ]
        if missed:
            yield f"the ledger found {', '.join(dict.fromkeys(missed))}, which is not told"

    def _violated(self, event: Event, text: str) -> None:
        self.violations.append(
            Violation(self.name, event.number, f"reconciliation of {event.text('organization')}: {text}")
        )


def _late(receipt: Event) -> Iterator[str]:
    findings = receipt.fields["findings"]
    return (name for name in findings if name in LATE) if isinstance(findings, list) else iter(())


def _figures(rows: list[Event]) -> Iterator[tuple[str, int]]:
    yield "acts", len(rows)
    yield "missing", sum(not row.integer("entries") for row in rows)
    yield "doubled", sum(row.integer("entries") > 1 for row in rows)
    yield "late", sum(bool(row.fields["late"]) for row in rows)
    yield "in_time", sum(bool(row.fields["in_time"]) for row in rows)
