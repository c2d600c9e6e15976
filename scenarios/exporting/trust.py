"""Whose signatures under a checkpoint a stranger is to believe, as JSON.

Rules:
- It follows the roster of a certified height: an orderer that left, came or has another node key is as it is there.
- It names the heights it holds for: from the last change of members and keys on. A checkpoint from before is refused
  by whoever goes by it, and with it every key that was replaced or revoked since.
- The block that changed the orderers needs k of the old and k of the new; for its height alone both are listed.
"""

from __future__ import annotations

from ledger.credentials import verifier_key
from ledger.credentials.cryptosuite import Json
from ledger.roster import Roster


def trust_of(roster: Roster, height: int) -> dict[str, Json]:
    """Return what a verifier needs to believe: the network, the orderers' keys, how many of them must sign.

    Args:
        roster: after the block of the height.
        height: certified.
    """
    electorate = roster.electorate(height)
    is_change = height == roster.height
    return {
        "network": roster.network,
        "origin": roster.origin,
        "heights": {
            "first": height if is_change else roster.height + 1,
            "last": height if is_change else None,
        },
        "electorate": [
            {
                "quorum": constituency.quorum,
                "orderers": [
                    {
                        "organization": orderer,
                        "key": verifier_key(roster.origin, electorate.keys[orderer]),
                    }
                    for orderer in constituency.orderers
                ],
            }
            for constituency in electorate.constituencies
        ],
    }
