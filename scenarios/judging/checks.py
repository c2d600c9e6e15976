"""What must hold in every run, whatever the scenario says.

Rules:
- A check follows the events as they happen and says at once when it is violated, and at which event.
- A check counts how often it was exercised; one that never was proves nothing, and a scenario that lists it is
  then undecided.
- Each check names its property and where the property comes from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from ledger.codes import Code
from ledger.execution import CONSUMING
from scenarios.judging.leaks import LeakSearch
from scenarios.judging.measure import receipts_of
from scenarios.trial.eventbook import Event


@dataclass(frozen=True, slots=True)
class Violation:
    """A check that did not hold: which, at which event (None at the end), and what was seen."""

    check: str
    event: int | None
    text: str


class Check(Protocol):
    """One property of a run."""

    name: str
    property: str
    source: str
    exercised: int
    violations: list[Violation]

    def __call__(self, event: Event) -> None:
        """Follow an event."""

    def finish(self, final: FinalState) -> None:
        """Judge the end of the run."""


@dataclass(frozen=True, slots=True)
class FinalNode:
    """One node at the end of a run, as it answers for itself.

    Attributes:
        height, certified: executed and certified height.
        block_hashes: hash per executed height.
        state_root: of its last executed height.
        receipts: per transaction id its (height, code), by the receipt that counts.
    """

    height: int
    certified: int
    block_hashes: Mapping[int, str]
    state_root: str
    receipts: Mapping[str, tuple[int, str]]


@dataclass(frozen=True, slots=True)
class FinalState:
    """Every node at the end of a run; a node that could not be read is missing."""

    organizations: Sequence[str]
    nodes: Mapping[str, FinalNode]


@dataclass(slots=True)
class Agreement:
    """Same height, same block, same state, same receipts, on every node."""

    name: str = "agreement"
    property: str = "At every height all nodes execute the same block to the same state, log and receipts."
    source: str = "Raft paper, figure 3: State Machine Safety"
    exercised: int = 0
    violations: list[Violation] = field(default_factory=list)
    _first: dict[int, tuple[str, tuple[object, ...]]] = field(default_factory=dict)

    def __call__(self, event: Event) -> None:
        """Compare a node's execution with the first one of that height."""
        if event.name == "checkpoint.divergent":
            self.violations.append(
                Violation(
                    self.name,
                    event.number,
                    f"{event.text('node')} and {event.text('orderer')} state different checkpoints of height "
                    f"{event.integer('height')}",
                )
            )
        if event.name != "block.executed":
            return
        height = event.integer("height")
        seen = (
            event.fields["hash"],
            event.fields["state_root"],
            event.fields["log_root"],
            tuple(receipts_of(event)),
        )
        node, first = self._first.setdefault(height, (event.text("node"), seen))
        if node != event.text("node"):
            self.exercised += 1
        if seen != first:
            self.violations.append(
                Violation(
                    self.name,
                    event.number,
                    f"height {height}: {event.text('node')} executed {seen[0]} to state {seen[1]},"
                    f" {node} had executed {first[0]} to {first[1]}",
                )
            )

    def finish(self, final: FinalState) -> None:
        """After convergence every node stands at the same height with the same state."""
        for organization in final.organizations:
            if organization not in final.nodes:
                self.violations.append(
                    Violation(self.name, None, f"{organization}'s node does not answer at the end")
                )
        ends = {name: (node.height, node.certified, node.state_root) for name, node in final.nodes.items()}
        self.exercised += max(0, len(ends) - 1)
        if len(set(ends.values())) > 1:
            self.violations.append(Violation(self.name, None, f"nodes end apart: {ends}"))


@dataclass(slots=True)
class Durability:
    """Nothing acknowledged is lost: accepted, committed or certified."""

    name: str = "durability"
    property: str = (
        "What a node called accepted is executed, or expires; what was committed or certified stays."
    )
    source: str = "Raft paper, section 8 (client interaction); Leader Completeness, figure 3"
    exercised: int = 0
    violations: list[Violation] = field(default_factory=list)
    _accepted: dict[str, int] = field(default_factory=dict)
    _expired: dict[str, int] = field(default_factory=dict)
    _executed: dict[int, tuple[str, int]] = field(default_factory=dict)
    _certified: dict[int, int] = field(default_factory=dict)
    _receipts: dict[str, tuple[int, str]] = field(default_factory=dict)

    def __call__(self, event: Event) -> None:
        """Note every acknowledgement."""
        if event.name == "transaction.accepted":
            self._accepted.setdefault(event.text("id"), event.number)
        elif event.name == "transaction.expired":
            self._expired[event.text("id")] = event.number
        elif event.name == "block.executed":
            height = event.integer("height")
            self._executed.setdefault(height, (event.text("hash"), event.number))
            for receipt in receipts_of(event):
                if receipt.code in CONSUMING:
                    self._receipts.setdefault(receipt.id, (height, receipt.code))
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
            for transaction_id, number in self._accepted.items():
                self.exercised += 1
                if transaction_id not in node.receipts and transaction_id not in self._expired:
                    self._lost(
                        number, f"{transaction_id} was accepted; {organization} ends without a receipt of it"
                    )
            for transaction_id, (height, code) in self._receipts.items():
                self.exercised += 1
                if node.receipts.get(transaction_id) != (height, code):
                    self._lost(
                        None,
                        f"{transaction_id} got {code} at height {height}; {organization} ends with"
                        f" {node.receipts.get(transaction_id)}",
                    )

    def _lost(self, number: int | None, text: str) -> None:
        self.violations.append(Violation(self.name, number, text))


@dataclass(slots=True)
class DecidedOnce:
    """Every transaction takes effect at most once."""

    name: str = "decided-once"
    property: str = "No transaction has two receipts that consume its id."
    source: str = "Raft dissertation, section 6.3 (linearizable semantics: at most one effect)"
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


@dataclass(slots=True)
class Confidentiality:
    """No private value is where it must not be."""

    search: LeakSearch
    name: str = "confidentiality"
    property: str = (
        "No private field's value or salt is on any node's disk, in any frame, record, metric or public file."
    )
    source: str = "strtrade.com (2018): certificates are not open to all members of the network"
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
