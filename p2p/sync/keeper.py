"""Which states a node keeps as they stood, and which of them it offers.

Rules:
- A state is frozen right after execution, at heights that all nodes agree on (every `interval` blocks), so that one
  can be fetched from any of them; and at the next height whenever there is nothing to offer, as after a start.
- It is offered when that very height is certified; a certificate that passes it over lets it go.
- The last `OFFERS_KEPT` are kept, so that whoever fetches one has time until the next but one.
- Frozen states live in memory; what a snapshot means for the log is recorded in the store when it is offered.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ledger.block import Header
from ledger.statechunks import FrozenState
from p2p.sync.offer import Offer

OFFERS_KEPT = 2
CANDIDATES_MAX = 4


@dataclass(frozen=True, slots=True)
class Candidate:
    """A state frozen and not certified yet.

    Attributes:
        state: as it stood.
        header: of its block.
        frontier: of the Merkle log then.
        index: of the log entry that carried the block; 0 for a node without a log.
        configuration: who voted then, in the store's bytes.
    """

    state: FrozenState
    header: Header
    frontier: tuple[bytes, ...]
    index: int
    configuration: bytes


@dataclass(slots=True)
class Keeper:
    """The frozen states of one node.

    Attributes:
        interval: blocks between two snapshots.
    """

    interval: int
    taken: int = 0
    offered: int = 0
    passed_over: int = 0
    _candidates: dict[int, Candidate] = field(default_factory=dict)
    _offers: list[tuple[Offer, Candidate]] = field(default_factory=list)

    def is_due(self, height: int) -> bool:
        """Whether the state after this height is to be frozen."""
        return height % self.interval == 0 or not (self._offers or self._candidates)

    def freeze(self, height: int, make: Callable[[], Candidate]) -> None:
        """Freeze the state after a height."""
        if len(self._candidates) >= CANDIDATES_MAX:
            del self._candidates[min(self._candidates)]
            self.passed_over += 1
        self._candidates[height] = make()
        self.taken += 1

    def certified(self, height: int, note: str) -> tuple[Offer, Candidate] | None:
        """Take note of a certificate; return what can be offered now, if that is its height's."""
        candidate = self._candidates.pop(height, None)
        for lower in [lower for lower in self._candidates if lower < height]:
            del self._candidates[lower]
            self.passed_over += 1
        if candidate is None:
            return None
        made = (Offer(note, candidate.header, candidate.frontier), candidate)
        self._offers = [*self._offers, made][-OFFERS_KEPT:]
        self.offered += 1
        return made

    @property
    def latest(self) -> Offer | None:
        """The newest offer, if there is one."""
        return self._offers[-1][0] if self._offers else None

    def state(self, root: bytes) -> FrozenState | None:
        """Return the kept state with that root, or None."""
        for _, candidate in self._offers:
            if candidate.state.root == root:
                return candidate.state
        return None

    def holds(self, height: int) -> bool:
        """Whether the state of a height is offered."""
        return any(offer.height == height for offer, _ in self._offers)

    def forget(self) -> None:
        """Let everything go: the ledger went on from another state."""
        self._candidates.clear()
        self._offers.clear()
