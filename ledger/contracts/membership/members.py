"""Members come and go: `member.add` and `member.remove`.

Rules:
- A newcomer has an id, keys and a node that nobody had before, and proves that it holds its signing keys.
- A newcomer trades at once and does not order; what was said of it stays on the ledger after it left, and its id is
  never given to another.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Self

from ledger.contracts.act import Context, Writer, read_box_key, read_organization
from ledger.contracts.findings import Finding
from ledger.contracts.membership.change import find_member, put_roster
from ledger.contracts.membership.nodes import NodeClaim, ended
from ledger.contracts.membership.possession import Purpose, check_possession
from ledger.contracts.membership.standing import NODE_TABLE, NodeCase, state_of
from ledger.contracts.table import Refusal, RuleViolatedError
from ledger.fields import Fields
from ledger.genesis import Role
from ledger.keys import KEY_BYTES, SIGNATURE_BYTES, PublicKey
from ledger.members import KeyTerm, Member, NodeTerm
from ledger.roster import Roster

NAME_LENGTH_MAX = 120
_COUNTRY = re.compile(r"[A-Z]{2}")


@dataclass(frozen=True, slots=True)
class AddMember:
    """`member.add`: an organization joins, with its keys and its first node."""

    organization: str
    name: str
    country: str
    roles: tuple[Role, ...]
    key: PublicKey
    key_proof: bytes
    box_key: PublicKey
    node: NodeClaim

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Take the body's fields."""
        return cls(
            organization=read_organization(fields, "organization"),
            name=_read_name(fields),
            country=fields.text("country", 2, _COUNTRY),
            roles=_read_roles(fields),
            key=PublicKey(fields.raw("key", size=KEY_BYTES)),
            key_proof=fields.raw("key_proof", size=SIGNATURE_BYTES),
            box_key=read_box_key(fields, "box_key"),
            node=NodeClaim.read(fields),
        )

    def apply(self, context: Context, state: Writer) -> tuple[Finding, ...]:
        """Record the member."""
        return put_roster(self, context, state)

    def change(self, context: Context) -> Roster:
        """Return the roster with the newcomer."""
        roster = context.roster
        if roster.find_ever(self.organization) is not None:
            raise RuleViolatedError(
                context.event, Refusal.MEMBER_EXISTS, f"{self.organization} is or was a member"
            )
        NODE_TABLE.advance(state_of(None), context.event, NodeCase(context, None))
        check_possession(context, self.organization, Purpose.ORGANIZATION, self.key, self.key_proof)
        self.node.check(context, self.organization)
        member = Member(
            id=self.organization,
            name=self.name,
            country=self.country,
            roles=self.roles,
            keys=(KeyTerm(self.key, context.height),),
            box_keys=(KeyTerm(self.box_key, context.height),),
            nodes=(NodeTerm(roster.next_raft_id, 1, self.node.key, self.node.url, context.height),),
            since=context.height,
        )
        return roster.changed(context.height, member, next_raft_id=roster.next_raft_id + 1)


@dataclass(frozen=True, slots=True)
class RemoveMember:
    """`member.remove`: an organization leaves, with its node."""

    organization: str

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Take the body's fields."""
        return cls(read_organization(fields, "organization"))

    def apply(self, context: Context, state: Writer) -> tuple[Finding, ...]:
        """Record that the member left."""
        return put_roster(self, context, state)

    def change(self, context: Context) -> Roster:
        """Return the roster without the member."""
        member = find_member(context, self.organization)
        NODE_TABLE.advance(state_of(member), context.event, NodeCase(context, member))
        height = context.height
        gone = replace(
            member,
            until=height,
            nodes=(*member.nodes[:-1], replace(ended(member.node, height), until=height)),
        )
        return context.roster.changed(height, gone)


def _read_name(fields: Fields) -> str:
    name = fields.text("name", NAME_LENGTH_MAX)
    if not name.isprintable() or name != name.strip():
        fields.refuse("name", f"{name[:60]!r} is not printable, or has a space at an end")
    return name


def _read_roles(fields: Fields) -> tuple[Role, ...]:
    roles: list[Role] = []
    known = {role.value: role for role in Role}
    for place, text in enumerate(fields.texts("roles", len(Role), min_items=1)):
        role = known.get(text)
        if role is None or role in roles:
            fields.refuse(f"roles[{place}]", f"{text!r} is listed twice or is none of {', '.join(Role)}")
        roles.append(role)
    return tuple(roles)
