"""Orderers are chosen: `orderer.promote` and `orderer.demote`.

Rules:
- Who is promoted first learns; `node.ready` takes the seat.
- A promotion may name an orderer who gives up its seat when the new one takes it.
- Who is demoted stays a member.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

from ledger.contracts.act import ORGANIZATION, Context, Writer, read_organization
from ledger.contracts.findings import Finding
from ledger.contracts.membership.change import find_member, put_roster
from ledger.contracts.membership.nodes import ended, with_node
from ledger.contracts.membership.standing import NODE_TABLE, NodeCase, state_of
from ledger.fields import Fields
from ledger.members import Learning
from ledger.roster import Roster


@dataclass(frozen=True, slots=True)
class PromoteOrderer:
    """`orderer.promote`: a member's node is to order, in another's place if one is named."""

    organization: str
    in_place_of: str | None

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Take the body's fields."""
        return cls(
            read_organization(fields, "organization"), fields.optional_text("in_place_of", 40, ORGANIZATION)
        )

    def apply(self, context: Context, state: Writer) -> tuple[Finding, ...]:
        """Record the learner."""
        return put_roster(self, context, state)

    def change(self, context: Context) -> Roster:
        """Return the roster with one learner more."""
        member = find_member(context, self.organization)
        NODE_TABLE.advance(state_of(member), context.event, NodeCase(context, member, self.in_place_of))
        learning = (*member.node.learning, Learning(context.height))
        node = replace(member.node, learning=learning, in_place_of=self.in_place_of)
        return context.roster.changed(context.height, with_node(member, node))


@dataclass(frozen=True, slots=True)
class DemoteOrderer:
    """`orderer.demote`: a member's node no longer orders, or no longer learns to."""

    organization: str

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Take the body's fields."""
        return cls(read_organization(fields, "organization"))

    def apply(self, context: Context, state: Writer) -> tuple[Finding, ...]:
        """Record that it does not order."""
        return put_roster(self, context, state)

    def change(self, context: Context) -> Roster:
        """Return the roster with one orderer or learner less."""
        member = find_member(context, self.organization)
        NODE_TABLE.advance(state_of(member), context.event, NodeCase(context, member))
        return context.roster.changed(context.height, with_node(member, ended(member.node, context.height)))
