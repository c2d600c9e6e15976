"""A network's founding: genesis and everybody's secret keys.

Rules:
- `found_from_seed` makes every key from a run's seed; its genesis says so (`insecure_keys`), and only `run` uses it.
- `found_from_system` draws keys from the system's randomness, for networks meant to stay.
- Nobody but whoever founds a network ever holds more than one organization's keys; the trial does, since it plays
  all of them.
"""

from __future__ import annotations

import datetime
import hashlib
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from ledger.genesis import Genesis, Limits, Organization, Role
from ledger.holidays_data import YEAR_MAX, calendar_data
from ledger.keys import BoxKey, SigningKey, seed_for

YEARS_COVERED = 8
"""Years of holidays and zone offsets written into genesis, from the year before it: certificates live four years."""


@dataclass(frozen=True, slots=True)
class Member:
    """What one founding organization is."""

    id: str
    name: str
    country: str
    roles: tuple[Role, ...]


@dataclass(frozen=True, slots=True)
class Secrets:
    """One organization's secrets.

    Attributes:
        organization_key: signs transactions.
        node_key: signs hello, headers and checkpoints.
        box_key: opens envelopes.
        token: bearer token of its node's API.
        control_token: bearer token of its node's control channel.
    """

    organization_key: SigningKey
    node_key: SigningKey
    box_key: BoxKey
    token: str
    control_token: str


@dataclass(frozen=True, slots=True)
class Founding:
    """A genesis and the secrets behind it, by organization."""

    genesis: Genesis
    secrets: Mapping[str, Secrets]


@dataclass(frozen=True, slots=True)
class Charter:
    """What is decided before keys are made.

    Attributes:
        name: first part of the network's name.
        time_ms: genesis' time, UTC milliseconds.
        members: the founding organizations, in the order of their Raft ids.
        zone: IANA zone of legal days.
        orderers: whose nodes vote; all members' if empty.
        orderer_liars_tolerated: f.
        limits: sizes and durations.
    """

    name: str
    time_ms: int
    members: Sequence[Member]
    zone: str = "America/New_York"
    orderers: tuple[str, ...] = ()
    orderer_liars_tolerated: int = 0
    limits: Limits = field(default_factory=Limits)


def found_from_seed(charter: Charter, seed: str) -> Founding:
    """Found a network whose every secret follows from `seed`: for trials only."""

    return _found(charter, _drawn_from(seed), insecure=True)


def secrets_from_seed(organization: str, seed: str) -> Secrets:
    """Return the secrets with which an organization of a trial begins, a founder or one that joins later."""
    return _secrets(organization, _drawn_from(seed))


def key_stream(organization: str) -> str:
    """Return the name of the stream of chance that a trial draws an organization's later keys from."""
    return f"{organization}: keys"


def found_from_system(charter: Charter) -> Founding:
    """Found a network with secrets from the system's randomness."""
    return _found(charter, lambda _organization, _purpose: secrets.token_bytes(32), insecure=False)


def _drawn_from(seed: str) -> Callable[[str, str], bytes]:
    def draw(organization: str, purpose: str) -> bytes:
        return seed_for(seed, f"{organization}/{purpose}")

    return draw


def _found(charter: Charter, draw: Callable[[str, str], bytes], *, insecure: bool) -> Founding:
    by_organization = {member.id: _secrets(member.id, draw) for member in charter.members}
    year = datetime.datetime.fromtimestamp(charter.time_ms / 1000, datetime.UTC).year
    offsets, holidays = calendar_data(charter.zone, year - 1, min(year + YEARS_COVERED, YEAR_MAX))
    genesis = Genesis(
        name=charter.name,
        time_ms=charter.time_ms,
        organizations=tuple(
            Organization(
                id=member.id,
                name=member.name,
                country=member.country,
                roles=member.roles,
                key=by_organization[member.id].organization_key.public,
                node_key=by_organization[member.id].node_key.public,
                box_key=by_organization[member.id].box_key.public,
            )
            for member in charter.members
        ),
        orderers=charter.orderers or tuple(member.id for member in charter.members),
        orderer_liars_tolerated=charter.orderer_liars_tolerated,
        limits=charter.limits,
        zone=charter.zone,
        zone_offsets=offsets,
        holidays=holidays,
        insecure_keys=insecure,
    )
    return Founding(genesis, by_organization)


def _secrets(organization: str, draw: Callable[[str, str], bytes]) -> Secrets:
    return Secrets(
        organization_key=SigningKey.from_seed(draw(organization, "organization-key")),
        node_key=SigningKey.from_seed(draw(organization, "node-key")),
        box_key=BoxKey.from_seed(draw(organization, "box-key")),
        token=_token(draw(organization, "token")),
        control_token=_token(draw(organization, "control-token")),
    )


def _token(material: bytes) -> str:
    return hashlib.sha256(b"seatrial/token/v1\n" + material).hexdigest()[:40]
