"""How a leader leaves in good order: it hands leadership over before it stops (dissertation, section 3.10).

Rules:
- The successor is the voter whose log is the most complete, of those that were heard within the last few heartbeats;
  of equals the one with the lowest id.
- One that falls silent meanwhile is given up for the next best.
- It is over when somebody else leads, when nobody is left to hand over to, or after the shortest election timeout:
  from then on the others elect somebody without help.
- Whoever does not lead has nothing to hand over.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from consensus import TransferRefusedError
from p2p.ordering import Ordering


@dataclass(slots=True)
class Handover:
    """One leader's leaving.

    Attributes:
        ordering: its Raft core.
        heard: tells the peers that were heard lately.
        ends_at: protocol time at which it is over in any case, seconds.
    """

    ordering: Ordering
    heard: Callable[[], Sequence[str]]
    ends_at: float

    def is_over(self, now: float) -> bool:
        """Whether nothing is to be waited for any more; chooses a successor, or another one, if need be."""
        ordering = self.ordering
        if not ordering.is_leader:
            return ordering.leader is not None or now >= self.ends_at
        if now >= self.ends_at or ordering.forked is not None:
            return True
        if ordering.successor in self.heard():
            return False
        return not self._choose()

    def _choose(self) -> bool:
        for peer in self.ordering.candidates(self.heard()):
            try:
                self.ordering.hand_over(peer)
            except TransferRefusedError:
                continue
            return True
        return False
