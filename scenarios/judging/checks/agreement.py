"""Every node executes the same blocks to the same state."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from scenarios.judging.checks.check import FinalState, Violation
from scenarios.record.eventbook import Event


@dataclass(slots=True)
class Agreement:
    """Same height, same block, same state, same receipts, on every node."""

    name: str = "agreement"
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
            hashlib.blake2b(repr(event.fields["receipts"]).encode(), digest_size=16).digest(),
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
