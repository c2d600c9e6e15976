"""What one life of a virtual node tells those who follow it, until that life ends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from consensus import Entry, Ready
from p2p.node import Node
from p2p.observer import RecordField
from p2p.virtual import current_life
from scenarios.worlds.base import Sink

FrameSink = Callable[[int, str, str, str, bytes], None]
"""Takes (protocol ns, source, target, kind, frame)."""


class RaftWitness(Protocol):
    """Follows every node's Raft core from outside; see `scenarios.judging.checks.raft`."""

    def opened(self, node: str, base: int, entries: Sequence[Entry]) -> None:
        """Take note of a log at the start of a life: the last index applied, and the entries after it."""

    def ready(self, node: str, term: int, leads: bool, ready: Ready) -> None:
        """Take note of a Ready."""


class Flights(Protocol):
    """Follows every frame from its sender to its receiver; see `scenarios.diagram.recording`."""

    def sent(self, now_ns: int, source: str, target: str, kind: str, frame: bytes) -> None:
        """Take note of a frame that left."""

    def arrived(self, now_ns: int, source: str, target: str, frame: bytes) -> None:
        """Take note of bytes that came."""

    def dropped(self, source: str, target: str, frame: bytes) -> None:
        """Take note of a frame that was dropped on purpose."""


class Followed(Protocol):
    """A world whose nodes may be followed; who follows may change while they live."""

    sink: Sink
    frame_sink: FrameSink | None
    flights: Flights | None

    def now_ns(self) -> int:
        """Return the protocol clock."""


class LifeObserver:
    """An observer for one life: what a ghost says is not heard."""

    def __init__(self, world: Followed) -> None:
        self._world = world
        self._life = current_life()

    @property
    def _is_heard(self) -> bool:
        return self._life is None or self._life.alive

    def record(self, event: str, **fields: RecordField) -> None:
        """Pass a record on while the life lasts."""
        if self._is_heard:
            self._world.sink(event, fields)

    def frame(self, source: str, target: str, kind: str, frame: bytes) -> None:
        """Pass a frame on while the life lasts."""
        if not self._is_heard:
            return
        if self._world.frame_sink is not None:
            self._world.frame_sink(self._world.now_ns(), source, target, kind, frame)
        if self._world.flights is not None:
            self._world.flights.sent(self._world.now_ns(), source, target, kind, frame)

    def arrived(self, source: str, target: str, frame: bytes) -> None:
        """Pass on what came while the life lasts."""
        if self._world.flights is not None and self._is_heard:
            self._world.flights.arrived(self._world.now_ns(), source, target, frame)

    def dropped(self, source: str, target: str, frame: bytes) -> None:
        """Pass on what was dropped while the life lasts."""
        if self._world.flights is not None and self._is_heard:
            self._world.flights.dropped(source, target, frame)

    def witness(self, node: Node, raft: RaftWitness) -> None:
        """Have a node's core followed while the life lasts."""
        name, ordering = node.organization, node.ordering
        raft.opened(name, ordering.base_index, ordering.unapplied())

        def ready(term: int, leads: bool, ready: Ready) -> None:
            if self._is_heard:
                raft.ready(name, term, leads, ready)

        ordering.witness = ready
