"""Who belongs to the network, and with which roles, as certified receipts tell it.

Rules:
- Genesis begins the book; `member.add` and `member.remove` go on with it. An agent looks into it at the moment of an
  act.
- Founders stand in genesis' order, newcomers behind them in the order of the log.
- Who left is in no answer but `countries` and `names`: what was done before keeps its meaning.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ledger.codes import Code
from ledger.fields import Fields
from ledger.genesis import Genesis, Role
from scenarios.agents.client import Receipt


@dataclass(frozen=True, slots=True)
class MemberEntry:
    """A member as every other sees it."""

    id: str
    name: str
    country: str
    roles: tuple[Role, ...]


class Members:
    """Everybody who belongs to the network now.

    Args:
        genesis: of the network.
    """

    def __init__(self, genesis: Genesis) -> None:
        self._present: dict[str, MemberEntry] = {}
        self._countries: dict[str, str] = {}
        self._names: dict[str, None] = {}
        for founder in genesis.organizations:
            self._add(MemberEntry(founder.id, founder.name, founder.country, founder.roles))

    @property
    def names(self) -> tuple[str, ...]:
        """The names for people of everybody who ever belonged to the network."""
        return tuple(self._names)

    @property
    def countries(self) -> Mapping[str, str]:
        """The country of everybody who ever belonged to the network, kept up to date."""
        return self._countries

    def find(self, organization: str) -> MemberEntry | None:
        """Return a present member, or None."""
        return self._present.get(organization)

    def has_left(self, organization: str) -> bool:
        """Say whether somebody once belonged to the network and does no more."""
        return organization in self._countries and organization not in self._present

    def with_role(self, role: Role) -> tuple[MemberEntry, ...]:
        """Return the present members that have a role."""
        return tuple(member for member in self._present.values() if role in member.roles)

    def has_role(self, organization: str, role: Role) -> bool:
        """Say whether somebody is a present member with a role."""
        member = self._present.get(organization)
        return member is not None and role in member.roles

    def take(self, receipt: Receipt) -> None:
        """Take one certified receipt into account."""
        if receipt.code != Code.VALID or receipt.type not in ("member.add", "member.remove"):
            return
        body = Fields(dict(receipt.body), receipt.type)
        organization = body.text("organization")
        if receipt.type == "member.remove":
            self._present.pop(organization, None)
            return
        roles = tuple(Role(role) for role in body.texts("roles", len(Role)))
        self._add(MemberEntry(organization, body.text("name"), body.text("country"), roles))

    def _add(self, member: MemberEntry) -> None:
        self._present[member.id] = member
        self._countries[member.id] = member.country
        self._names[member.name] = None
