"""Which parts an organization's application is made of, by its roles.

Rules:
- Each role brings its parts; an organization with several roles gets all of theirs in one application, with one
  wallet and one feed. Who has none of these roles is an observer.
- Parts are classes of `Agent`; what they react to and which steps they take is joined. Two parts that claim the
  same step or reaction are a mistake of this program, told at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from ledger.genesis import Role
from scenarios.agents.agent import Agent, Relation
from scenarios.agents.certifier import Certifier
from scenarios.agents.customs import Customs
from scenarios.agents.importer import Importer
from scenarios.agents.observer import Observer
from scenarios.agents.seller import Seller

PARTS: tuple[tuple[Role, type[Agent]], ...] = (
    (Role.CUSTOMS, Customs),
    (Role.EXPORTER, Certifier),
    (Role.EXPORTER, Seller),
    (Role.PRODUCER, Certifier),
    (Role.PRODUCER, Seller),
    (Role.IMPORTER, Certifier),
    (Role.IMPORTER, Importer),
)
"""A role and a part that it brings; a role may bring several, and several roles the same one."""


def application_for(roles: Iterable[Role]) -> type[Agent]:
    """Return the class of the application of an organization with these roles."""
    held = frozenset(roles)
    return joined(tuple(dict.fromkeys(part for role, part in PARTS if role in held)))


@cache
def joined(parts: tuple[type[Agent], ...]) -> type[Agent]:
    """Return one class of all parts.

    Raises:
        TypeError: if two of them take the same step or react to the same receipt.
    """
    if not parts:
        return Observer
    if len(parts) == 1:
        return parts[0]
    steps: dict[str, str] = {}
    reactions: dict[tuple[str, Relation], str] = {}
    for part in parts:
        twice = [*(steps.keys() & part.steps.keys()), *(reactions.keys() & part.reactions.keys())]
        if twice:
            raise TypeError(
                f"{part.__name__}: {twice} belong to another part already; let one of them have it"
            )
        steps |= part.steps
        reactions |= part.reactions
    name = "".join(part.__name__ for part in parts)
    return type(name, parts, {"steps": steps, "reactions": reactions})
