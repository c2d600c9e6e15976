"""Membership: who joins, leaves, orders, comes back under a new key, and whose key ends.

`standing` and `keys` are the tables; a change is a pure function of the roster, which `change` writes into the state.
"""

from __future__ import annotations

from ledger.contracts.membership.change import RosterAct, changed_roster
from ledger.contracts.membership.keys import KEY_TABLE, KeyState, RevokeKey, RotateKey
from ledger.contracts.membership.members import AddMember, RemoveMember
from ledger.contracts.membership.nodes import ReadyNode, ReplaceNode
from ledger.contracts.membership.orderers import DemoteOrderer, PromoteOrderer
from ledger.contracts.membership.possession import Purpose, prove_possession
from ledger.contracts.membership.standing import NODE_TABLE, NodeState

__all__ = [
    "KEY_TABLE",
    "NODE_TABLE",
    "AddMember",
    "DemoteOrderer",
    "KeyState",
    "NodeState",
    "PromoteOrderer",
    "Purpose",
    "ReadyNode",
    "RemoveMember",
    "ReplaceNode",
    "RevokeKey",
    "RosterAct",
    "RotateKey",
    "changed_roster",
    "prove_possession",
]
