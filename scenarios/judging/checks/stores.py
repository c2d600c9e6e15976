"""Every node's store holds the same blocks, receipts and state, and gives the roots that it signed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from scenarios.judging.checks.check import FinalNode, FinalState, Violation
from scenarios.record.eventbook import Event


@dataclass(slots=True)
class Stores:
    """What the nodes' disks hold at the end, row by row."""

    name: str = "stores"
    exercised: int = 0
    violations: list[Violation] = field(default_factory=list)

    def __call__(self, event: Event) -> None:
        """Nothing to do yet: stores are read at the end."""

    def finish(self, final: FinalState) -> None:
        """Compare every store with itself and with the first one."""
        first = next(iter(final.nodes), None)
        for name, node in final.nodes.items():
            if node.stale is not None:
                self._violate(f"{name}'s store: {node.stale}")
            if first is not None and name != first:
                self.exercised += 1
                self._compare(first, final.nodes[first], name, node)

    def _compare(self, first: str, one: FinalNode, name: str, other: FinalNode) -> None:
        self._compare_rows("block", first, one.block_hashes, name, other.block_hashes)
        self._compare_rows("leaf", first, one.leaves, name, other.leaves)
        if one.height == other.height and one.state != other.state:
            keys = sorted(one.state.keys() | other.state.keys())
            key = next(key for key in keys if one.state.get(key) != other.state.get(key))
            self._violate(f"state of height {one.height}: {first} and {name} differ from {key} on")

    def _compare_rows(
        self, what: str, first: str, ours: Mapping[int, object], name: str, theirs: Mapping[int, object]
    ) -> None:
        """Compare rows that both have; what a snapshot passed over is not there."""
        for number in sorted(ours.keys() & theirs.keys()) if ours != theirs else ():
            if ours[number] != theirs[number]:
                self._violate(f"{what} {number}: {first} and {name} have different ones")

    def _violate(self, text: str) -> None:
        self.violations.append(Violation(self.name, None, text))
