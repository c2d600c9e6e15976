"""Nothing acknowledged is lost: what was accepted, committed or certified is on every disk at the end."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from sys import intern

from ledger.codes import Code
from ledger.receipt import CONSUMING
from scenarios.filedindex import FiledIndex
from scenarios.judging.checks.check import FinalState, Violation
from scenarios.judging.measure import receipts_of
from scenarios.record.eventbook import Event


@dataclass(slots=True)
class Durability:
    """Nothing acknowledged is lost: accepted, committed or certified."""

    name: str = "durability"
    exercised: int = 0
    violations: list[Violation] = field(default_factory=list)
    _accepted: FiledIndex[str] = field(default_factory=FiledIndex)
    _accepted_at: array[int] = field(default_factory=lambda: array("q"))
    _expired: dict[str, int] = field(default_factory=dict)
    _executed: dict[int, tuple[str, int]] = field(default_factory=dict)
    _certified: dict[int, int] = field(default_factory=dict)
    _receipts: FiledIndex[str] = field(default_factory=FiledIndex)
    _heights: array[int] = field(default_factory=lambda: array("q"))
    _codes: list[str] = field(default_factory=list)

    def __call__(self, event: Event) -> None:
        """Note every acknowledgement."""
        if event.name == "transaction.accepted":
            if self._accepted.number(event.text("id")) == len(self._accepted_at):
                self._accepted_at.append(event.number)
        elif event.name == "transaction.expired":
            self._expired[event.text("id")] = event.number
        elif event.name == "block.executed":
            height = event.integer("height")
            self._executed.setdefault(height, (event.text("hash"), event.number))
            for receipt in receipts_of(event):
                if receipt.code in CONSUMING:
                    if self._receipts.number(receipt.id) == len(self._heights):
                        self._heights.append(height)
                        self._codes.append(intern(receipt.code))
                elif receipt.code == Code.EXPIRED:
                    self._expired.setdefault(receipt.id, event.number)
        elif event.name == "block.certified":
            self._certified.setdefault(event.integer("height"), event.number)

    def finish(self, final: FinalState) -> None:
        """Hold every acknowledgement against every node's own records at the end."""
        for organization, node in final.nodes.items():
            for height, (block_hash, number) in self._executed.items():
                self.exercised += 1
                if node.block_hashes.get(height) != block_hash:
                    self._lost(
                        number, f"block {height} ({block_hash}) was committed; {organization} ends without it"
                    )
            for height, number in self._certified.items():
                self.exercised += 1
                if node.certified < height:
                    self._lost(
                        number, f"height {height} was certified; {organization} ends at {node.certified}"
                    )
            for transaction_id, number in zip(self._accepted, self._accepted_at, strict=True):
                self.exercised += 1
                if transaction_id not in node.receipts and transaction_id not in self._expired:
                    self._lost(
                        number, f"{transaction_id} was accepted; {organization} ends without a receipt of it"
                    )
            receipts = zip(self._receipts, self._heights, self._codes, strict=True)
            for transaction_id, height, code in receipts:
                self.exercised += 1
                if node.receipts.get(transaction_id) != (height, code):
                    self._lost(
                        None,
                        f"{transaction_id} got {code} at height {height}; {organization} ends with"
                        f" {node.receipts.get(transaction_id)}",
                    )

    def _lost(self, number: int | None, text: str) -> None:
        self.violations.append(Violation(self.name, number, text))
