"""With whom a node needs a link, and which side of it dials.

Rules:
- Always with whom it gossips or orders; with others as long as it has an envelope for them, or after they asked to be
  dialed until that link has opened.
- The node with the lower Raft id dials; the other one waits, or asks for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from ledger.roster import Roster
from p2p.config import NodeConfig
from p2p.topology import neighbors_now


@dataclass(slots=True)
class Acquaintance:
    """The peers of one node.

    Attributes:
        config: the node's.
        roster: who belongs to the network, as far as this node knows.
        addressed: returns for whom this node has envelopes.
    """

    config: NodeConfig
    roster: Roster
    addressed: Callable[[], Iterable[str]]
    _asked: dict[str, None] = field(default_factory=dict)

    def asked(self, peer: str) -> None:
        """Note that a peer asked to be dialed."""
        self._asked[peer] = None

    def answered(self, peer: str) -> None:
        """Note that a link to a peer has opened: whoever asked for it has it."""
        self._asked.pop(peer, None)

    def needed(self) -> list[str]:
        """Return with whom a link is needed now, sorted."""
        needed = self._standing()
        needed |= {peer for peer in (*self.addressed(), *self._asked) if self.roster.find(peer) is not None}
        needed.discard(self.config.organization)
        return sorted(needed)

    def occasional(self) -> list[str]:
        """Return for whom there is an envelope, though neither gossip nor ordering needs a link."""
        addressed = list(self.addressed())
        if not addressed:
            return []
        standing = self._standing()
        return [peer for peer in addressed if peer not in standing]

    def dials(self, peer: str) -> bool:
        """Whether a link to a peer is needed and this node's to dial, and where is known."""
        member = self.roster.find(peer)
        return (
            member is not None
            and member.node.raft_id > self.config.raft_id
            and self.url(peer) is not None
            and peer in self.needed()
        )

    def awaits(self, peer: str) -> bool:
        """Whether a link to a peer is needed and the peer's to dial."""
        member = self.roster.find(peer)
        return member is not None and member.node.raft_id < self.config.raft_id and peer in self.needed()

    def url(self, peer: str) -> str | None:
        """Return where a peer's node listens: where the ledger says, else where the configuration does."""
        member = self.roster.find(peer)
        url = None if member is None else member.node.url
        return url or self.config.peers.get(peer)

    def _standing(self) -> set[str]:
        roster = self.roster
        ordering = {m.id for m in roster.members if m.node.orders or m.node.is_learner}
        standing = set(neighbors_now(self.config, roster))
        if self.config.organization in ordering:
            standing |= ordering
        standing.discard(self.config.organization)
        return standing
