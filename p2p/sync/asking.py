"""Whom to ask, and when to ask somebody else.

Rules:
- A question goes to one peer at a time: the one with the fewest open questions, then with the fewest failures.
- One that is not answered in time, or whose link ended, is put again, to another peer if there is one.
- A peer whose answer does not hold is not asked again for a while, unless nobody else is there.
- Only what was asked is taken: an answer by another peer, or to no open question, is dropped.
"""

from __future__ import annotations

import random
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

PENALTY_S = 30.0
FAILURES_MAX = 1 << 20

Q = TypeVar("Q", bound=Hashable)


@dataclass(slots=True)
class Asking(Generic[Q]):
    """The open questions of one kind.

    Attributes:
        timeout_s: seconds after which a question counts as lost.
        open_max: the most questions open at a time.
        chance: this life's stream of chance, to spread what is asked first.
    """

    timeout_s: float
    open_max: int
    chance: random.Random
    timeouts: int = 0
    refused: int = 0
    _open: dict[Q, tuple[str, float]] = field(default_factory=dict)
    _failures: dict[str, int] = field(default_factory=dict)
    _shunned_until: dict[str, float] = field(default_factory=dict)

    @property
    def room(self) -> int:
        """How many questions may still be put."""
        return self.open_max - len(self._open)

    @property
    def is_open(self) -> bool:
        """Whether a question is open."""
        return bool(self._open)

    def asks(self, question: Q) -> bool:
        """Whether this question is open."""
        return question in self._open

    def put(self, question: Q, peers: Sequence[str], now: float) -> str | None:
        """Note a question and return whom to put it to, or None if there is nobody."""
        honest = [peer for peer in peers if self._shunned_until.get(peer, 0.0) <= now]
        candidates = honest or list(peers)
        if not candidates:
            return None
        load: dict[str, int] = {}
        for peer, _ in self._open.values():
            load[peer] = load.get(peer, 0) + 1
        best = min((self._failures.get(p, 0), load.get(p, 0)) for p in candidates)
        peer = self.chance.choice(
            [p for p in candidates if (self._failures.get(p, 0), load.get(p, 0)) == best]
        )
        self._open[question] = (peer, now)
        return peer

    def answered(self, question: Q, peer: str) -> bool:
        """Close a question; say whether it was open and put to this peer."""
        asked = self._open.get(question)
        if asked is None or asked[0] != peer:
            return False
        del self._open[question]
        self._failures.pop(peer, None)
        return True

    def failed(self, peer: str) -> None:
        """Note that a peer could not help."""
        self._failures[peer] = min(FAILURES_MAX, self._failures.get(peer, 0) + 1)

    def lied(self, peer: str, now: float) -> None:
        """Note that a peer's answer did not hold."""
        self.refused += 1
        self.failed(peer)
        self._shunned_until[peer] = now + PENALTY_S

    def lost(self, now: float, connected: Sequence[str]) -> list[Q]:
        """Close and return the questions that will not be answered any more."""
        gone: list[Q] = []
        for question, (peer, asked_at) in list(self._open.items()):
            if now - asked_at >= self.timeout_s or peer not in connected:
                del self._open[question]
                self.failed(peer)
                self.timeouts += 1
                gone.append(question)
        return gone

    def clear(self) -> None:
        """Forget all open questions; late answers are dropped."""
        self._open.clear()
