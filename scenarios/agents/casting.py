"""Which parts an organization's application is made of, by its roles.

Rules:
- Everybody has an archive, and forges if the scenario says so.
- Each role brings its parts; an organization with several roles gets all of theirs in one
  application, with one wallet and one feed. Who has none of these roles is an observer.
- Parts are classes of `Agent`. Every part reacts to receipts by its own table, in the order of `PARTS`, so several may
  react to one; the steps that they take are joined. Two parts that claim the same step, or have methods of one
  name, are a mistake of this program, told at once. A part may be made of another, whose methods it then has too.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from ledger.contracts.carnet import TRADERS
from ledger.genesis import Role
from scenarios.agents.agent import Agent
from scenarios.agents.archive import Archive
from scenarios.agents.broker import Broker
from scenarios.agents.carnetassociation import CarnetAssociation
from scenarios.agents.carnetclaimant import CarnetClaimant
from scenarios.agents.carnetholder import CarnetHolder
from scenarios.agents.carnetoffice import CarnetOffice
from scenarios.agents.certifier import Certifier
from scenarios.agents.custody import Custodian
from scenarios.agents.drafter import Drafter
from scenarios.agents.filer import Filer
from scenarios.agents.fisheries import Fisheries
from scenarios.agents.forger import Forger
from scenarios.agents.importer import Importer
from scenarios.agents.observer import Observer
from scenarios.agents.principal import Principal
from scenarios.agents.release import TunaRelease
from scenarios.agents.seller import Seller
from scenarios.agents.verified import Verified
from scenarios.agents.verifier import Verifier

PARTS: tuple[tuple[Role, type[Agent]], ...] = (
    (Role.CUSTOMS, Verifier),
    (Role.EXPORTER, Certifier),
    (Role.EXPORTER, Seller),
    (Role.PRODUCER, Certifier),
    (Role.PRODUCER, Seller),
    (Role.EXPORTER, Verified),
    (Role.PRODUCER, Verified),
    (Role.IMPORTER, Verified),
    (Role.IMPORTER, Certifier),
    (Role.IMPORTER, Importer),
    (Role.IMPORTER, Principal),
    (Role.BROKER, Broker),
    (Role.CUSTOMS, TunaRelease),
    (Role.FISHERIES, Fisheries),
    (Role.EXPORTER, Drafter),
    (Role.IMPORTER, Filer),
    (Role.PROCESSOR, Custodian),  # after the parts that are made of it
    (Role.CUSTOMS, CarnetOffice),
    (Role.CUSTOMS, CarnetClaimant),
    *((role, CarnetHolder) for role in Role if role in TRADERS),
    (Role.CHAMBER, CarnetAssociation),
    (Role.GUARANTEEING, CarnetAssociation),
)
"""A role and a part that it brings; a role may bring several, and several roles the same one."""

_TABLES = ("steps", "reactions", "parts")


def application_for(roles: Iterable[Role]) -> type[Agent]:
    """Return the class of the application of an organization with these roles."""
    held = frozenset(roles)
    parts = tuple(dict.fromkeys(part for role, part in PARTS if role in held))
    return joined((*parts, Archive, Forger)) if parts else Observer


@cache
def joined(parts: tuple[type[Agent], ...]) -> type[Agent]:
    """Return one class of all parts.

    Raises:
        TypeError: if two of them take the same step, or have a method of one name.
    """
    if not parts:
        return Observer
    if len(parts) == 1:
        return parts[0]
    _refuse_collisions(parts)
    steps: dict[str, str] = {}
    for part in parts:
        others = parts[: parts.index(part)]
        twice = [step for step in part.steps if not _is_one_claim(step, part, others)]
        if twice:
            raise TypeError(
                f"{part.__name__}: {twice} belong to another part already; let one of them have it"
            )
        steps |= part.steps
    name = "".join(part.__name__ for part in parts)
    return type(name, parts, {"steps": steps, "reactions": {}, "parts": parts})


def _is_one_claim(step: str, part: type[Agent], others: Iterable[type[Agent]]) -> bool:
    """Say whether a step that a part takes is nobody else's, or inherited from a part of both."""
    own = _claim(step, part)
    return own is not None and all(_claim(step, other) in (None, own) for other in others)


def _claim(step: str, part: type[Agent]) -> object:
    """Return the method with which a part takes a step, or None."""
    name = part.steps.get(step)
    return None if name is None else getattr(part, name, None)


def _refuse_collisions(parts: tuple[type[Agent], ...]) -> None:
    """Refuse parts that would take each other's methods away without meaning to."""
    owners: dict[str, type] = {}
    for part in parts:
        for owner in part.__mro__[: part.__mro__.index(Agent)]:
            for name in vars(owner):
                other = owners.setdefault(name, owner)
                related = issubclass(other, owner) or issubclass(owner, other)
                if not related and not name.startswith("__") and name not in _TABLES:
                    raise TypeError(
                        f"{owner.__name__} and {other.__name__} both have {name}; name one of them otherwise"
                    )
