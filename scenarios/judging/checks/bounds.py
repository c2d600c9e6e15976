"""Messages, queues and what nodes keep in memory stay within stated bounds.

Rules:
- What a node keeps is looked at whenever it executes a block, and at all nodes every second with frames: in the virtual
  world, where the trial can see into nodes.
- Frames are bounded by what there was to tell: so many per transaction, envelope, change of role and link, for n nodes,
  besides so many times the leader's heartbeats. The bound is generous; what breaks it grows with something else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from p2p.holdings import Holding
from scenarios.judging.checks.check import FinalState, Violation
from scenarios.record.eventbook import Event

FRAMES_PER_NODE_SQUARED = 3
"""Frames per transaction, envelope, change of role or link, and per pair of nodes."""
HEARTBEATS_FACTOR = 2
"""Times the frames of heartbeats and answers that one leader causes."""
_CAUSES = ("transaction.submitted", "envelope.received", "raft.role", "link.opened")


@dataclass(slots=True)
class Bounds:
    """Counts what is told and what is kept.

    Attributes:
        nodes: all organizations.
        heartbeat_ms: between two heartbeats.
        holdings: of a node that can be looked into now; nothing otherwise.
    """

    nodes: Sequence[str]
    heartbeat_ms: int
    holdings: Callable[[str], Sequence[Holding]]
    name: str = "bounds"
    exercised: int = 0
    violations: list[Violation] = field(default_factory=list)
    frames: int = 0
    _causes: int = 0
    _last_ns: int = 0
    _over: list[tuple[str, str]] = field(default_factory=list)

    @property
    def frames_max(self) -> int:
        """How many frames there may be by now."""
        count = len(self.nodes)
        heartbeats = 2 * count * (1 + self._last_ns // 1_000_000 // self.heartbeat_ms)
        return FRAMES_PER_NODE_SQUARED * count * count * (1 + self._causes) + HEARTBEATS_FACTOR * heartbeats

    def __call__(self, event: Event) -> None:
        """Count, and look at who has just executed a block."""
        self._last_ns = event.protocol_ns
        if event.name in _CAUSES:
            self._causes += 1
        elif event.name == "block.executed":
            self._look(event, event.text("node"))
        elif event.name == "trace":
            self.frames += event.integer("frames")
            self.exercised += 1
            if self.frames > self.frames_max and ("", "frames") not in self._over:
                self._over.append(("", "frames"))
                text = (
                    f"{self.frames} frames by now, {self.frames_max} are the most for what there was to tell"
                )
                self.violations.append(Violation(self.name, event.number, text))
            for node in self.nodes:
                self._look(event, node)

    def finish(self, final: FinalState) -> None:
        """Nothing is left to judge."""

    def _look(self, event: Event, node: str) -> None:
        for holding in self.holdings(node):
            self.exercised += 1
            if holding.held > holding.bound and (node, holding.name) not in self._over:
                self._over.append((node, holding.name))
                text = f"{node} holds {holding.held} {holding.name}, its bound is {holding.bound}"
                self.violations.append(Violation(self.name, event.number, text))
