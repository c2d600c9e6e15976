"""Raft's ids, and the organizations whose nodes bear them."""

from __future__ import annotations

from collections.abc import Sequence

from consensus import Message
from ledger.roster import Roster
from p2p.frames import FRAME_BYTES_AIMED, RAFT_MESSAGES_MAX, RaftFields


class RaftPeers:
    """Who is who between Raft's core, which knows ids, and the links, which know organizations.

    Args:
        roster: who belongs to the network.
    """

    __slots__ = ("_ids", "_organizations")

    def __init__(self, roster: Roster) -> None:
        self.meet(roster)

    def meet(self, roster: Roster) -> None:
        """Take note of who the nodes are, be it ahead of what is executed here; who left is still known."""
        self._organizations = {member.node.raft_id: member.id for member in roster.everyone}
        self._ids = {member.id: member.node.raft_id for member in roster.everyone}

    def organization(self, raft_id: int) -> str | None:
        """Return whose node bears an id; None if nobody's does (any more)."""
        return self._organizations.get(raft_id)

    def raft_id(self, organization: str) -> int:
        """Return the id of an organization's node; 0, which is nobody's, if there is none."""
        return self._ids.get(organization, 0)

    def addressed(self, messages: Sequence[Message]) -> list[tuple[str, list[RaftFields]]]:
        """Return messages as fields, grouped by peer in order of first appearance, each group fit for a frame."""
        groups: list[tuple[str, list[RaftFields]]] = []
        open_groups: dict[str, tuple[list[RaftFields], int]] = {}
        for message in messages:
            peer = self._organizations.get(message.to)
            if peer is None:
                continue  # a node that was replaced: nobody answers to its id any more
            size = sum(entry.size_bytes for entry in message.entries) if message.entries else 0
            group, total = open_groups.get(peer, ([], 0))
            if not group or len(group) >= RAFT_MESSAGES_MAX or total + size > FRAME_BYTES_AIMED:
                group, total = [], 0
                groups.append((peer, group))
            group.append(list(message.to_fields()))
            open_groups[peer] = (group, total + size)
        return groups
