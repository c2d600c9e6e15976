"""Who the peers are by now, told ahead of the ledger: a node that was away may know none of their keys any more.

Rules:
- A node that has not executed the latest changes of the roster is sent their links, by every peer that hears of it.
- Links are verified from the roster that this node has, so that nobody's word is enough; the roster they lead to serves
  to know peers and to judge certificates, never to execute.
- Once the ledger has come as far, its own roster is the one that counts.
"""

from __future__ import annotations

from dataclasses import dataclass

from ledger.block import decode_block
from ledger.contracts.table import RuleViolatedError
from ledger.errors import (
    BadBlockError,
    BadLinkError,
    BadProofError,
    DamagedBlockError,
    MalformedError,
    NoProofError,
    NotHereYetError,
)
from ledger.execution import Ledger
from ledger.lineage import ConfigurationLink, follow_link
from ledger.roster import Roster
from ledger.store import Store
from p2p.frames import LINKS_MAX, LineageFrame

_UNFIT = (BadBlockError, BadProofError, MalformedError, RuleViolatedError)
_NOT_HERE = (DamagedBlockError, NoProofError, NotHereYetError)


@dataclass(slots=True)
class Peerage:
    """What one node knows of the roster, its ledger's or further on.

    Attributes:
        ledger, store: the node's.
    """

    ledger: Ledger
    store: Store
    _ahead: Roster | None = None

    @property
    def roster(self) -> Roster:
        """The latest roster known here."""
        ahead, own = self._ahead, self.ledger.roster
        return ahead if ahead is not None and len(ahead.heights) > len(own.heights) else own

    def links_after(self, height: int, certified: int) -> LineageFrame | None:
        """Return what leads a peer that has executed up to a height to this node's roster, or None if it lacks nothing.

        Args:
            height: the peer's.
            certified: this node's certified height.
        """
        links: list[ConfigurationLink] = []
        change = self.ledger.roster.next_change(height)
        while change is not None and change <= certified and len(links) < LINKS_MAX:
            try:
                link = self.store.configuration_link(change, self.ledger.log)
            except _NOT_HERE:
                return None
            if link is None:
                return None
            links.append(link)
            change = self.ledger.roster.next_change(change)
        return LineageFrame([(link.block, link.certificate, link.path) for link in links]) if links else None

    def take(self, frame: LineageFrame) -> bool:
        """Take links; return whether they lead further than what is known here.

        Raises:
            BadLinkError: if one does not hold.
        """
        roster = self.roster
        known = roster
        for block, note, path in frame.links:
            link = ConfigurationLink(block, note, tuple(path))
            try:
                block_bytes_max = self.ledger.genesis.limits.block_bytes_max
                if decode_block(block, block_bytes_max).header.height > roster.height:
                    roster = follow_link(self.ledger.genesis, roster, link, self.ledger.verifier)
            except _UNFIT as error:
                raise BadLinkError(f"a link after height {roster.height}: {error}") from error
        if roster is known:
            return False
        self._ahead = roster
        return True
