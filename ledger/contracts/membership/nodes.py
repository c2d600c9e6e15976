"""Nodes come back: `node.replace` and `node.ready`, signed by their own organization alone.

Rules:
- A replacement has a new key and the next incarnation, and gets a Raft id that no node ever had: nothing that the
  lost node acknowledged can be asked of it.
- The old node ends with the block; if it ordered, its seat ends too, and the new one learns before it takes a seat.
- `node.ready` takes the seat. Whose seat it was to take, if it was another's, gives it up in the same block.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Self

from ledger.contracts.act import Context, Writer
from ledger.contracts.findings import Finding
from ledger.contracts.membership.change import find_member, put_roster
from ledger.contracts.membership.possession import Purpose, check_possession
from ledger.contracts.membership.standing import NODE_TABLE, NodeCase, NodeState, state_of
from ledger.contracts.table import Refusal, RuleViolatedError
from ledger.fields import Fields
from ledger.keys import KEY_BYTES, SIGNATURE_BYTES, PublicKey
from ledger.members import TERMS_MAX, URL_LENGTH_MAX, Learning, Member, NodeTerm, Seat
from ledger.roster import Roster

PEER_URL = re.compile(r"https?://(?:[A-Za-z0-9.-]+|\[[0-9a-fA-F:]+\]):[0-9]{1,5}")


@dataclass(frozen=True, slots=True)
class NodeClaim:
    """A node that a body registers: its key with proof, and where its peers reach it."""

    key: PublicKey
    proof: bytes
    url: str | None

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Take the node's fields of a body."""
        return cls(
            key=PublicKey(fields.raw("node_key", size=KEY_BYTES)),
            proof=fields.raw("node_key_proof", size=SIGNATURE_BYTES),
            url=fields.optional_text("url", URL_LENGTH_MAX, PEER_URL),
        )

    def check(self, context: Context, organization: str) -> None:
        """Refuse a key whose holder did not sign for its registration."""
        check_possession(context, organization, Purpose.NODE, self.key, self.proof)


def ended(node: NodeTerm, height: int) -> NodeTerm:
    """Return a node that neither orders nor learns after the block of a height."""
    seats, learning = node.seats, node.learning
    if node.orders:
        seats = (*seats[:-1], replace(seats[-1], until=height))
    if node.is_learner:
        learning = (*learning[:-1], replace(learning[-1], until=height))
    return replace(node, seats=seats, learning=learning, is_returning=False, in_place_of=None)


@dataclass(frozen=True, slots=True)
class ReplaceNode:
    """`node.replace`: an organization's node comes back under a new key and the next incarnation."""

    incarnation: int
    node: NodeClaim
    compromised_since: int | None

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Take the body's fields."""
        return cls(
            fields.integer("incarnation", 2, TERMS_MAX),
            NodeClaim.read(fields),
            fields.optional_integer("compromised_since", 0, 2**63 - 1),
        )

    def apply(self, context: Context, state: Writer) -> tuple[Finding, ...]:
        """Record the new node."""
        return put_roster(self, context, state)

    def change(self, context: Context) -> Roster:
        """Return the roster with the new node in the place of the old."""
        member = find_member(context, context.sender.id)
        before = state_of(member)
        case = NodeCase(context, member, incarnation=self.incarnation)
        reached = NODE_TABLE.advance(before, context.event, case)
        self.node.check(context, member.id)
        height, old = context.height, member.node
        check_compromised(context, self.compromised_since, old.since)
        past = replace(ended(old, height), until=height, compromised_since=self.compromised_since)
        new = NodeTerm(
            raft_id=context.roster.next_raft_id,
            incarnation=self.incarnation,
            key=self.node.key,
            url=self.node.url or old.url,
            since=height,
            learning=(Learning(height),) if reached is NodeState.LEARNER else (),
            is_returning=before is NodeState.ORDERER or old.is_returning,
            in_place_of=old.in_place_of,
        )
        after = replace(member, nodes=(*member.nodes[:-1], past, new))
        return context.roster.changed(height, after, next_raft_id=new.raft_id + 1)


@dataclass(frozen=True, slots=True)
class ReadyNode:
    """`node.ready`: a learner takes its seat among the orderers."""

    incarnation: int

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Take the body's fields."""
        return cls(fields.integer("incarnation", 1, TERMS_MAX))

    def apply(self, context: Context, state: Writer) -> tuple[Finding, ...]:
        """Record the seat."""
        return put_roster(self, context, state)

    def change(self, context: Context) -> Roster:
        """Return the roster with one orderer more, or with one in another's place."""
        roster, height = context.roster, context.height
        member = find_member(context, context.sender.id)
        NODE_TABLE.advance(
            state_of(member), context.event, NodeCase(context, member, incarnation=self.incarnation)
        )
        seats = (*member.node.seats, Seat(roster.next_seat, height))
        members = [with_node(member, replace(ended(member.node, height), seats=seats))]
        giver = roster.find(member.node.in_place_of or "")
        if giver is not None and giver.node.orders:
            members.append(with_node(giver, ended(giver.node, height)))
        return roster.changed(height, *members, next_seat=roster.next_seat + 1)


def with_node(member: Member, node: NodeTerm) -> Member:
    """Return a member whose present node is another."""
    return replace(member, nodes=(*member.nodes[:-1], node))


def check_compromised(context: Context, compromised_since: int | None, since: int) -> None:
    """Refuse a height at which a key cannot have been stolen.

    Raises:
        RuleViolatedError: if it is before the key was registered, or after this block.
    """
    if compromised_since is not None and not since <= compromised_since <= context.height:
        raise RuleViolatedError(
            context.event,
            Refusal.COMPROMISED_SINCE,
            f"compromised_since {compromised_since} is outside {since} .. {context.height}",
        )
