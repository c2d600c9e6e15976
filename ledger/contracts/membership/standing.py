"""A node's standing: outside the ordering, a learner of its log, or an orderer.

Rules:
- Who joins does not order. Who is to order first becomes a learner, which receives the log without a vote, and
  says itself when it is ready; the leader orders that only once it has caught up.
- Who loses its disk or its key comes back with a new key under the next incarnation, and learns before it orders;
  its old node is nobody from that block on.
- The majority decides on others' standing; on one's own node one decides alone, one at a time in the network,
  since every orderer that is away makes the others' quorum smaller.
- An orderer may give up its seat to a learner in one block, so that n and k stay what they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ledger.contracts.act import Context
from ledger.contracts.membership.approval import require_majority
from ledger.contracts.table import Actor, Guard, Refusal, Step, Table
from ledger.genesis import ORDERERS_MAX, ORGANIZATIONS_MAX, Role, quorum
from ledger.members import Member


class NodeState(StrEnum):
    """Where a member's node stands."""

    NONE = "NONE"
    OUTSIDE = "OUTSIDE"
    LEARNER = "LEARNER"
    ORDERER = "ORDERER"
    GONE = "GONE"


def state_of(member: Member | None) -> NodeState:
    """Return where a member's node stands."""
    if member is None:
        return NodeState.NONE
    if not member.is_present:
        return NodeState.GONE
    if member.node.orders:
        return NodeState.ORDERER
    return NodeState.LEARNER if member.node.is_learner else NodeState.OUTSIDE


@dataclass(frozen=True, slots=True)
class NodeCase:
    """What a step of a node's standing is judged by.

    Attributes:
        context: of the transaction.
        member: whose node it is, before the block; None for one that joins.
        in_place_of: the orderer who gives up its seat, if one does.
        incarnation: the one that the body names.
    """

    context: Context
    member: Member | None
    in_place_of: str | None = None
    incarnation: int | None = None

    def plays(self, actor: Actor) -> bool:
        """Say whether the sender is that actor here."""
        match actor:
            case Actor.OWNER:
                return self.member is not None and self.member.id == self.context.sender.id
            case Actor.MAJORITY:
                return require_majority(self.context)
            case _:
                return False

    @property
    def orders(self) -> bool:
        """Whether the member's node is an orderer."""
        return self.member is not None and self.member.node.orders


def _has_room_for_member(case: NodeCase) -> bool:
    return len(case.context.roster.members) < ORGANIZATIONS_MAX


def _has_room_for_orderer(case: NodeCase) -> bool:
    roster = case.context.roster
    learning = sum(
        member.node.is_learner and member.node.in_place_of is None and member != case.member
        for member in roster.members
    )
    return case.in_place_of is not None or len(roster.orderers) + learning < ORDERERS_MAX


def _names_an_orderer(case: NodeCase) -> bool:
    return case.in_place_of is None or case.in_place_of in case.context.roster.orderers


def _is_not_last_customs(case: NodeCase) -> bool:
    return any(member != case.member for member in case.context.roster.with_role(Role.CUSTOMS))


def _is_not_last_orderer(case: NodeCase) -> bool:
    return not case.orders or len(case.context.roster.orderers) > 1


def _leaves_a_quorum(case: NodeCase) -> bool:
    roster = case.context.roster
    left = len(roster.orderers) - case.orders
    return quorum(left, roster.liars_tolerated) <= left


def _is_the_only_one_away(case: NodeCase) -> bool:
    return not any(
        member.node.is_returning for member in case.context.roster.members if member != case.member
    )


def _is_next_incarnation(case: NodeCase) -> bool:
    return case.member is not None and case.incarnation == case.member.node.incarnation + 1


def _is_present_incarnation(case: NodeCase) -> bool:
    return case.member is not None and case.incarnation == case.member.node.incarnation


_ROOM: Guard[NodeCase] = Guard(
    f"fewer than {ORGANIZATIONS_MAX} members", Refusal.TOO_MANY_MEMBERS, _has_room_for_member
)
_SEAT: Guard[NodeCase] = Guard(
    f"at most {ORDERERS_MAX} orderers, learners counted", Refusal.TOO_MANY_ORDERERS, _has_room_for_orderer
)
_GIVER: Guard[NodeCase] = Guard("an orderer who gives up its seat", Refusal.NOT_AN_ORDERER, _names_an_orderer)
_CUSTOMS: Guard[NodeCase] = Guard(
    "another member with the role customs", Refusal.LAST_CUSTOMS, _is_not_last_customs
)
_ORDERER: Guard[NodeCase] = Guard("another orderer", Refusal.LAST_ORDERER, _is_not_last_orderer)
_QUORUM: Guard[NodeCase] = Guard(
    "at least k of the orderers that are left", Refusal.NO_QUORUM, _leaves_a_quorum
)
_ALONE: Guard[NodeCase] = Guard(
    "no other orderer's node under replacement", Refusal.REPLACEMENT_UNDER_WAY, _is_the_only_one_away
)
_NEXT: Guard[NodeCase] = Guard(
    "the incarnation after the present one", Refusal.WRONG_INCARNATION, _is_next_incarnation
)
_PRESENT: Guard[NodeCase] = Guard(
    "the present incarnation", Refusal.WRONG_INCARNATION, _is_present_incarnation
)

_S = NodeState
_JOINING = "design: membership; dissertation 4.2.1 (learners first)"
_LEAVING = "design: membership; dissertation 4.2.2 (a leader that is removed)"
_REPLACING = "design: membership; a lost store never comes back as itself"

NODE_TABLE: Table[NodeState, NodeCase] = Table(
    "node",
    NodeState,
    (
        Step(_S.NONE, "member.add", Actor.MAJORITY, _S.OUTSIDE, "design: membership", guards=(_ROOM,)),
        Step(_S.OUTSIDE, "orderer.promote", Actor.MAJORITY, _S.LEARNER, _JOINING, guards=(_GIVER, _SEAT)),
        Step(_S.LEARNER, "node.ready", Actor.OWNER, _S.ORDERER, _JOINING, guards=(_PRESENT,)),
        Step(_S.LEARNER, "orderer.demote", Actor.MAJORITY, _S.OUTSIDE, _LEAVING),
        Step(_S.ORDERER, "orderer.demote", Actor.MAJORITY, _S.OUTSIDE, _LEAVING, guards=(_ORDERER, _QUORUM)),
        Step(_S.OUTSIDE, "node.replace", Actor.OWNER, _S.OUTSIDE, _REPLACING, guards=(_NEXT,)),
        Step(_S.LEARNER, "node.replace", Actor.OWNER, _S.LEARNER, _REPLACING, guards=(_NEXT,)),
        Step(
            _S.ORDERER,
            "node.replace",
            Actor.OWNER,
            _S.LEARNER,
            _REPLACING,
            limit="one at a time in the network",
            guards=(_NEXT, _ALONE, _ORDERER, _QUORUM),
        ),
        Step(_S.OUTSIDE, "member.remove", Actor.MAJORITY, _S.GONE, _LEAVING, guards=(_CUSTOMS,)),
        Step(_S.LEARNER, "member.remove", Actor.MAJORITY, _S.GONE, _LEAVING, guards=(_CUSTOMS,)),
        Step(
            _S.ORDERER,
            "member.remove",
            Actor.MAJORITY,
            _S.GONE,
            _LEAVING,
            guards=(_CUSTOMS, _ORDERER, _QUORUM),
        ),
    ),
)
