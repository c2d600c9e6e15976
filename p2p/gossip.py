"""What to push and to whom, what to ask for; no I/O.

Rules:
- Push: a transaction seen for the first time goes to at most `fanout` neighbors that are not known to hold it,
  the current leader first, since only the leader cuts blocks.
- Pushes wait in a batch until `take_pushes`, so that a burst costs one frame per neighbor.
- Reconciliation: now and then one neighbor gets the short ids of what waits here; it answers with what we lack
  and asks for what it lacks. That repairs every gap the push left.
- Memory is bounded by what waits in the pool: what leaves the pool is forgotten here.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from p2p.frames import IDS_MAX, SHORT_ID_BYTES


@dataclass(slots=True)
class GossipFigures:
    """Counters of one node's gossip."""

    pushed: int = 0
    delivered: int = 0
    duplicates: int = 0
    repaired: int = 0


@dataclass(slots=True)
class Gossip:
    """One node's gossip state.

    Attributes:
        neighbors: the members this node gossips with.
        fanout: the most neighbors a transaction is pushed to from here.
        chance: this life's stream of chance.
    """

    neighbors: Sequence[str]
    fanout: int
    chance: random.Random
    figures: GossipFigures = field(default_factory=GossipFigures)
    _known_by: dict[bytes, list[str]] = field(default_factory=dict)
    _outgoing: dict[str, list[bytes]] = field(default_factory=dict)
    _by_short: dict[bytes, bytes] = field(default_factory=dict)

    def learn(self, transaction_id: bytes, source: str | None, leader: str | None) -> None:
        """Take note of a transaction new to this node and choose whom to push it to.

        Args:
            transaction_id: its id.
            source: the neighbor it came from, or None when it entered the network here.
            leader: the current leader's organization, if known.
        """
        known = [source] if source is not None else []
        self._known_by[transaction_id] = known
        self._by_short[transaction_id[:SHORT_ID_BYTES]] = transaction_id
        if source is not None:
            self.figures.delivered += 1
        candidates = [peer for peer in self.neighbors if peer not in known]
        chosen = [leader] if leader in candidates else []
        rest = [peer for peer in candidates if peer not in chosen]
        chosen += self.chance.sample(rest, min(len(rest), self.fanout - len(chosen)))
        for peer in chosen:
            self._outgoing.setdefault(peer, []).append(transaction_id)

    def knows(self, transaction_id: bytes) -> bool:
        """Whether a transaction was learned and not forgotten."""
        return transaction_id in self._known_by

    def seen_again(self, transaction_id: bytes, source: str) -> None:
        """Take note that `source` holds a transaction this node had already."""
        self.figures.duplicates += 1
        known = self._known_by.get(transaction_id)
        if known is not None and source not in known:
            known.append(source)

    def forget(self, transaction_id: bytes) -> None:
        """Drop what is remembered of a transaction that left the pool."""
        self._known_by.pop(transaction_id, None)
        short = transaction_id[:SHORT_ID_BYTES]
        if self._by_short.get(short) == transaction_id:
            del self._by_short[short]

    @property
    def has_pushes(self) -> bool:
        """Whether anything waits to be pushed."""
        return bool(self._outgoing)

    def take_pushes(self) -> list[tuple[str, list[bytes]]]:
        """Return and clear the pushes that wait: per neighbor the ids it is not known to hold by now."""
        pushes: list[tuple[str, list[bytes]]] = []
        for peer, ids in self._outgoing.items():
            wanted = [i for i in ids if i in self._known_by and peer not in self._known_by[i]]
            for transaction_id in wanted:
                self._known_by[transaction_id].append(peer)
            if wanted:
                self.figures.pushed += len(wanted)
                pushes.append((peer, wanted))
        self._outgoing.clear()
        return pushes

    def choose_partner(self) -> str | None:
        """Return the neighbor to reconcile with next, or None if there is none."""
        return self.chance.choice(self.neighbors) if self.neighbors else None

    def summary(self) -> list[bytes]:
        """Return the short ids of what waits here, at most `IDS_MAX`, a random window if there are more."""
        ids = list(self._by_short)
        if len(ids) <= IDS_MAX:
            return ids
        start = self.chance.randrange(len(ids))
        return (ids[start:] + ids[:start])[:IDS_MAX]

    def compare(
        self, short_ids: Iterable[bytes], is_done: Callable[[bytes], bool]
    ) -> tuple[list[bytes], list[bytes]]:
        """Hold a neighbor's summary against what waits here.

        Args:
            short_ids: the neighbor's summary.
            is_done: whether a short id belongs to a transaction executed lately.

        Returns:
            The ids to send because the neighbor lacks them, and the short ids to ask for.
        """
        theirs = dict.fromkeys(short_ids)
        missing_here = [short for short in theirs if short not in self._by_short and not is_done(short)]
        missing_there = [full for short, full in self._by_short.items() if short not in theirs]
        return missing_there, missing_here

    def resolve(self, short_ids: Iterable[bytes]) -> list[bytes]:
        """Return the ids, of those asked for, that wait here."""
        return [self._by_short[short] for short in short_ids if short in self._by_short]
