"""What a check is, and what it judges: the events of a run, and every node as it ends.

Rules:
- A check follows the events as they happen and says at once when it is violated, and at which event.
- A check counts how often it was exercised; one that never was proves nothing, and a scenario that lists it is
  then undecided.
- What it holds, and where that comes from, stands in the registry alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from ledger.contracts.carnet import CarnetRecord
from ledger.contracts.records import DocumentRecord
from scenarios.record.eventbook import Event


@dataclass(frozen=True, slots=True)
class Violation:
    """A check that did not hold: which, at which event (None at the end), and what was seen."""

    check: str
    event: int | None
    text: str


class Check(Protocol):
    """One property of a run."""

    name: str
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
        leaves: hash per leaf of the Merkle log that is there.
        state: every value by its key.
        stale: why state and leaves do not give the roots that the node signed; None if they do.
    """

    height: int
    certified: int
    block_hashes: Mapping[int, str]
    state_root: str
    receipts: Mapping[str, tuple[int, str]]
    leaves: Mapping[int, bytes] = field(default_factory=dict)
    state: Mapping[str, bytes] = field(default_factory=dict)
    stale: str | None = None


@dataclass(frozen=True, slots=True)
class FinalState:
    """The end of a run.

    Attributes:
        organizations: every member.
        nodes: every node; one that could not be read is missing.
        documents: every document on the ledger by its root, as the node that got furthest has them.
        carnets: every ATA carnet on the ledger by its id, likewise.
    """

    organizations: Sequence[str]
    nodes: Mapping[str, FinalNode]
    documents: Mapping[bytes, DocumentRecord] = field(default_factory=dict)
    carnets: Mapping[bytes, CarnetRecord] = field(default_factory=dict)
