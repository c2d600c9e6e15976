"""State sync: one way to catch up for an orderer that lags and for a member that does not order.

`offer` says what a snapshot is, `keeper` takes them, `serving` answers whoever asks. `pulling` fetches a state,
`backfill` what a snapshot passed over, `following` certified blocks; none of them does any I/O, and `asking` chooses
whom to ask. `fetching` brings a node to a state that it pulls, `sync` joins everything to the node.
"""

from __future__ import annotations

from p2p.sync.asking import Asking
from p2p.sync.backfill import Backfill
from p2p.sync.following import Following
from p2p.sync.keeper import Keeper
from p2p.sync.offer import Offer, verify_offer
from p2p.sync.pulling import StatePull
from p2p.sync.serving import Serving

__all__ = [
    "Asking",
    "Backfill",
    "Following",
    "Keeper",
    "Offer",
    "Serving",
    "StatePull",
    "verify_offer",
]
