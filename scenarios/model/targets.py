"""Whom a fault hits.

Rules:
- A target that several nodes fit is drawn from the fault's own stream of chance; a text that names no target is refused
  with the forms there are.
- Nobody may fit at a moment; that nobody ever can is told before the run.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from ledger.genesis import Role
from scenarios.errors import RefusedError, UnknownNameError
from scenarios.model.units import Text

ORGANIZATION_PATTERN = r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?"


class TargetKind(StrEnum):
    """Ways to say whom a fault hits."""

    NODES = "nodes"
    ORGANIZATIONS = "organizations"
    LEADER = "leader"
    FOLLOWER = "follower"
    MINORITY = "minority"
    MAJORITY = "majority"
    ROLE = "role"
    REGION = "region"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Target:
    """Whom a fault hits.

    Args:
        kind: The way it is said.
        names: The organizations named, for `nodes` and `organizations`.
        role: The role named, for `role`.
        region: The region named, for `region`.
    """

    kind: TargetKind
    names: tuple[str, ...] = ()
    role: Role | None = None
    region: str = ""

    def __str__(self) -> str:
        if self.names:
            word = self.kind.value.removesuffix("s") if len(self.names) == 1 else self.kind.value
            return f"{word} {', '.join(self.names)}"
        if self.kind is TargetKind.REGION:
            return f"region:{self.region}"
        return f"role:{self.role}" if self.role is not None else self.kind.value

    def choose(
        self,
        roles: Mapping[str, Sequence[Role]],
        orderers: Sequence[str],
        leader: str | None,
        chance: random.Random,
        regions: Mapping[str, Sequence[str]],
    ) -> tuple[str, ...]:
        """Return the organizations hit, in genesis' order; empty if nobody fits at this moment.

        Args:
            roles: Every organization's roles, in genesis' order.
            orderers: The organizations whose nodes vote.
            leader: Who leads now, if anybody does.
            chance: The fault's own stream of chance.
            regions: Every region's organizations.
        """
        match self.kind:
            case TargetKind.NODES | TargetKind.ORGANIZATIONS:
                chosen = list(self.names)
            case TargetKind.ALL:
                chosen = list(roles)
            case TargetKind.LEADER:
                chosen = [leader] if leader is not None else []
            case TargetKind.FOLLOWER:
                chosen = _draw([orderer for orderer in orderers if orderer != leader], 1, chance)
            case TargetKind.MINORITY:
                chosen = _draw(orderers, (len(orderers) - 1) // 2, chance)
            case TargetKind.MAJORITY:
                chosen = _draw(orderers, len(orderers) // 2 + 1, chance)
            case TargetKind.ROLE:
                chosen = _draw([name for name, held in roles.items() if self.role in held], 1, chance)
            case TargetKind.REGION:
                chosen = list(regions.get(self.region, ()))
        return tuple(name for name in roles if name in chosen)


def _draw(names: Sequence[str], count: int, chance: random.Random) -> list[str]:
    return chance.sample(list(names), min(count, len(names)))


_NAMED = re.compile(rf"(node|organization)s? ({ORGANIZATION_PATTERN}(?:, ?{ORGANIZATION_PATTERN})*)")
TARGET_FORMS = (
    "leader | follower | minority | majority | all | node NAME | nodes NAME, NAME | role:ROLE | region:NAME;"
    " of faults of trade all | organization NAME | organizations NAME, NAME | role:ROLE | region:NAME"
)
OFFICES = (TargetKind.ORGANIZATIONS, TargetKind.ROLE, TargetKind.REGION, TargetKind.ALL)
"""The ways to say whose office a fault of trade hits; all others but `organizations` say whose node one hits."""

_WITH_A_NAME = (TargetKind.NODES, TargetKind.ORGANIZATIONS, TargetKind.ROLE, TargetKind.REGION)


def parse_target(text: str) -> Target:
    """Return whom `leader`, `node cbp`, `nodes cbp, noaa`, `role:customs` and so on name.

    Raises:
        RefusedError: The text names no target, or an unknown role.
    """
    match = _NAMED.fullmatch(text)
    if match is not None:
        names = tuple(name.strip() for name in match[2].split(","))
        if len(set(names)) != len(names):
            raise RefusedError(f'"{text}" names a {match[1]} twice', "", f"name each {match[1]} once")
        return Target(TargetKind(f"{match[1]}s"), names)
    if text.startswith("role:"):
        name = text.removeprefix("role:")
        if name not in list(Role):
            raise UnknownNameError("role", name, Role)
        return Target(TargetKind.ROLE, role=Role(name))
    if text.startswith("region:"):
        name = text.removeprefix("region:")
        if re.fullmatch(ORGANIZATION_PATTERN, name) is None:
            raise RefusedError(f'"{text}" names no region', "", "write region:NAME, of network.regions")
        return Target(TargetKind.REGION, region=name)
    plain = [kind.value for kind in TargetKind if kind not in _WITH_A_NAME]
    if text not in plain:
        refusal = UnknownNameError("target", text, plain)
        remedy = refusal.remedy or f'if this is an organization, write "node {text}"'
        if text in {"node", "nodes", "organization", "organizations"}:
            remedy = f'name whose: "{text} cbp"'
        raise RefusedError(refusal.what, f"one of: {TARGET_FORMS}", remedy)
    return Target(TargetKind(text))


TargetText = Annotated[Target, Text(parse_target, {"examples": ["leader"]})]


def check_target(
    target: Target,
    roles: Mapping[str, Sequence[Role]],
    orderers: Sequence[str],
    regions: Mapping[str, Sequence[str]],
) -> RefusedError | None:
    """Return why nobody in this consortium can ever be the target, or None.

    Args:
        target: Whom a fault hits.
        roles: Every organization's roles.
        orderers: The organizations whose nodes vote.
        regions: Every region's organizations.
    """
    match target.kind:
        case TargetKind.NODES | TargetKind.ORGANIZATIONS:
            for name in target.names:
                if name not in roles:
                    return UnknownNameError("organization", name, roles)
        case TargetKind.ROLE:
            if not any(target.role in held for held in roles.values()):
                present = sorted({role.value for held in roles.values() for role in held})
                return RefusedError(f"nobody is {target.role}", f"roles here: {', '.join(present)}", "")
        case TargetKind.REGION if target.region not in regions:
            if not regions:
                remedy = "add network.regions: {NAME: [organization, ...]}"
                return RefusedError(f'there is no region "{target.region}"', "no region is named", remedy)
            return UnknownNameError("region", target.region, regions)
        case TargetKind.FOLLOWER if len(orderers) < 2:
            return RefusedError("there is never a follower", "two orderers at least", "hit the leader")
        case TargetKind.MINORITY if len(orderers) < 3:
            limit = f"three orderers at least, there are {len(orderers)}"
            return RefusedError("there is no minority", limit, "name a node")
        case _:
            pass
    return None
