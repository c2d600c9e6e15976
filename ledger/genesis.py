"""Genesis: who founds a network, and the limits everyone keeps.

Rules:
- Genesis is height 0 and signed by nobody. Its hash stands for it, and the network's name ends in 16 hex
  digits of that hash, so nothing signed for one network is valid in another.
- A `Genesis` that exists is sound: construction checks every field, and an error names field, value, limit
  and remedy.
- All that execution needs from outside is in here: limits, time zone offsets, holidays. Contracts never ask
  the host's databases.
- k = (n + f) // 2 + 1 of the n orderers make a commit proof or a certificate, f being how many may lie.
- A node's Raft id is its organization's position in genesis, from 1.
"""

from __future__ import annotations

import datetime
import hashlib
import re
from dataclasses import dataclass, field
from enum import StrEnum

from ledger.encoding import Value, check_text, decode, encode
from ledger.errors import EncodingError, GenesisError, MalformedError, UnknownOrganizationError
from ledger.fields import Fields
from ledger.keys import KEY_BYTES, PublicKey, note_key_id
from ledger.points import edwards

GENESIS_VERSION = 2
GENESIS_BYTES_MAX = 1 << 20
ORGANIZATIONS_MAX = 256
ORDERERS_MAX = 15
ZONE_OFFSETS_MAX = 1000
HOLIDAYS_MAX = 5000
TIME_MS_MAX = 253_402_300_799_999  # the last millisecond of the year 9999

DAY_MS = 86_400_000

_ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
_ID_REMEDY = "use 1 to 40 of a-z, 0-9 and hyphen, no hyphen first or last"
_COUNTRY = re.compile(r"[A-Z]{2}")
_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_HASH_HEAD = b"seatrial/genesis/v2\n"


class Role(StrEnum):
    """What an organization may do in the pilot."""

    CUSTOMS = "customs"
    FISHERIES = "fisheries"
    EXPORTER = "exporter"
    PRODUCER = "producer"
    PROCESSOR = "processor"
    IMPORTER = "importer"
    BROKER = "broker"
    CHAMBER = "chamber"
    GUARANTEEING = "guaranteeing"
    OBSERVER = "observer"


@dataclass(frozen=True, slots=True)
class Organization:
    """A founding member.

    Attributes:
        id: short name on the ledger.
        name: name for people.
        country: ISO 3166-1 alpha-2 code.
        roles: what it may do.
        key: organization key; signs transactions.
        node_key: first node's key; signs votes, headers, acks and checkpoints.
        box_key: X25519 public key that documents are sealed to.
    """

    id: str
    name: str
    country: str
    roles: tuple[Role, ...]
    key: PublicKey
    node_key: PublicKey
    box_key: bytes


@dataclass(frozen=True, slots=True)
class Limits:
    """What nobody may exceed. Sizes in bytes of the canonical encoding.

    Attributes:
        transaction_bytes_max: of one signed transaction.
        block_bytes_max: of one block.
        block_transactions_max: transactions in one block.
        valid_for_ms_max: how far a transaction's end of validity may lie after the block's time.
        envelope_bytes_max: of one sealed envelope.
        pool_transactions_max: transactions waiting on one node.
        outbox_bytes_max: envelopes that one node holds for others, each counted with 256 bytes more.
        inbox_bytes_max: envelopes that one node has ever taken from one sender, each counted with 256 bytes more.
    """

    transaction_bytes_max: int = 16384
    block_bytes_max: int = 1 << 20
    block_transactions_max: int = 500
    valid_for_ms_max: int = 30 * DAY_MS
    envelope_bytes_max: int = 65536
    pool_transactions_max: int = 20000
    outbox_bytes_max: int = 64 << 20
    inbox_bytes_max: int = 1 << 30


_LIMIT_RANGES: dict[str, tuple[int, int]] = {
    "transaction_bytes_max": (1024, 1 << 20),
    "block_bytes_max": (4096, 64 << 20),
    "block_transactions_max": (1, 100_000),
    "valid_for_ms_max": (1000, 366 * DAY_MS),
    "envelope_bytes_max": (1024, 16 << 20),
    "pool_transactions_max": (1, 10_000_000),
    "outbox_bytes_max": (4096, 1 << 30),
    "inbox_bytes_max": (4096, 1 << 40),
}


@dataclass(frozen=True, slots=True)
class Genesis:
    """The founding record of a network.

    Attributes:
        name: first part of the network's name.
        time_ms: UTC milliseconds; no block is earlier.
        organizations: the founding members; positions are Raft ids, from 1.
        orderers: ids of the members whose nodes vote in Raft.
        orderer_liars_tolerated: f, how many orderers may lie.
        limits: sizes and durations.
        block_time_tolerance_ms: how far a block's time may be from a follower's calendar.
        zone: IANA name of the time zone in which legal days are counted.
        zone_offsets: (from_ms, offset in minutes east of UTC), ascending; each holds until the next.
        holidays: ISO dates, ascending.
        insecure_keys: whether the keys were made from a seed, as trials do.
        hash: sha256 of the canonical bytes under genesis' own domain.
        network: the network's full name.

    Raises:
        GenesisError: if any field does not hold.
    """

    name: str
    time_ms: int
    organizations: tuple[Organization, ...]
    orderers: tuple[str, ...]
    orderer_liars_tolerated: int = 0
    limits: Limits = field(default_factory=Limits)
    block_time_tolerance_ms: int = 300_000
    zone: str = "UTC"
    zone_offsets: tuple[tuple[int, int], ...] = ((0, 0),)
    holidays: tuple[str, ...] = ()
    insecure_keys: bool = False
    hash: bytes = field(init=False, repr=False, compare=False)
    network: str = field(init=False, repr=False, compare=False)
    _raft_ids: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        _check_head(self)
        _check_organizations(self.organizations)
        _check_orderers(self)
        _check_limits(self.limits)
        _check_calendar(self)
        digest = hashlib.sha256(_HASH_HEAD + self.encode()).digest()
        object.__setattr__(self, "hash", digest)
        object.__setattr__(self, "network", f"{self.name}-{digest.hex()[:16]}")
        ids = {organization.id: position for position, organization in enumerate(self.organizations, 1)}
        object.__setattr__(self, "_raft_ids", ids)
        _check_note_keys(self)

    @property
    def quorum(self) -> int:
        """How many orderers make a commit proof or a certificate (k)."""
        return quorum(len(self.orderers), self.orderer_liars_tolerated)

    @property
    def origin(self) -> str:
        """The origin, and key name, of the network's checkpoints."""
        return f"ledger.invalid/{self.network}"

    def find(self, organization: str) -> Organization | None:
        """Return a member by id, or None."""
        position = self._raft_ids.get(organization)
        return None if position is None else self.organizations[position - 1]

    def organization(self, organization: str) -> Organization:
        """Return a member by id.

        Raises:
            UnknownOrganizationError: if there is none.
        """
        return self.organizations[self.raft_id(organization) - 1]

    def raft_id(self, organization: str) -> int:
        """Return the Raft id of a member's node: its position in genesis, from 1.

        Raises:
            UnknownOrganizationError: if there is no such member.
        """
        position = self._raft_ids.get(organization)
        if position is None:
            known = ", ".join(self._raft_ids)
            raise UnknownOrganizationError(
                f"organization {organization!r} is not in genesis; it lists {known}"
            )
        return position

    def with_role(self, role: Role) -> tuple[Organization, ...]:
        """Return the members with a role, in genesis' order."""
        return tuple(organization for organization in self.organizations if role in organization.roles)

    def encode(self) -> bytes:
        """Return the canonical bytes."""
        return encode(
            {
                "version": GENESIS_VERSION,
                "name": self.name,
                "time_ms": self.time_ms,
                "organizations": [
                    {name: getattr(organization, name) for name in Organization.__slots__}
                    for organization in self.organizations
                ],
                "orderers": self.orderers,
                "orderer_liars_tolerated": self.orderer_liars_tolerated,
                "limits": {name: getattr(self.limits, name) for name in Limits.__slots__},
                "block_time_tolerance_ms": self.block_time_tolerance_ms,
                "zone": self.zone,
                "zone_offsets": self.zone_offsets,
                "holidays": self.holidays,
                "insecure_keys": self.insecure_keys,
            }
        )

    @staticmethod
    def decode(data: bytes) -> Genesis:
        """Return the genesis whose canonical bytes are `data`.

        Raises:
            GenesisError: if the bytes are no genesis, or one that cannot found a network.
        """
        try:
            return _read(Fields(decode(data, limit_bytes=GENESIS_BYTES_MAX), "genesis"))
        except (EncodingError, MalformedError) as error:
            raise GenesisError(f"these bytes are no genesis: {error}") from error


def quorum(orderers: int, liars_tolerated: int) -> int:
    """Return k, how many of n orderers make a commit proof or a certificate when f of them may lie."""
    return (orderers + liars_tolerated) // 2 + 1


def _read(fields: Fields) -> Genesis:
    fields.integer("version", GENESIS_VERSION, GENESIS_VERSION)
    limits = fields.fields("limits")
    genesis = Genesis(
        name=fields.text("name"),
        time_ms=fields.integer("time_ms"),
        organizations=tuple(
            _read_organization(Fields(item, f"genesis.organizations[{i}]"))
            for i, item in enumerate(fields.items("organizations", ORGANIZATIONS_MAX))
        ),
        orderers=fields.texts("orderers", ORDERERS_MAX),
        orderer_liars_tolerated=fields.integer("orderer_liars_tolerated"),
        limits=Limits(**{name: limits.integer(name) for name in Limits.__slots__}),
        block_time_tolerance_ms=fields.integer("block_time_tolerance_ms"),
        zone=fields.text("zone"),
        zone_offsets=tuple(
            _read_offset(item, i) for i, item in enumerate(fields.items("zone_offsets", ZONE_OFFSETS_MAX))
        ),
        holidays=fields.texts("holidays", HOLIDAYS_MAX),
        insecure_keys=fields.boolean("insecure_keys"),
    )
    limits.finish()
    fields.finish()
    return genesis


def _read_organization(fields: Fields) -> Organization:
    organization = Organization(
        id=fields.text("id"),
        name=fields.text("name"),
        country=fields.text("country"),
        roles=tuple(_read_role(role) for role in fields.texts("roles", len(Role))),
        key=PublicKey(fields.raw("key", size=KEY_BYTES)),
        node_key=PublicKey(fields.raw("node_key", size=KEY_BYTES)),
        box_key=fields.raw("box_key", size=KEY_BYTES),
    )
    fields.finish()
    return organization


def _read_role(role: str) -> Role:
    try:
        return Role(role)
    except ValueError as error:
        raise MalformedError(f"genesis: role {role!r} is not one of {', '.join(Role)}") from error


def _read_offset(item: Value, position: int) -> tuple[int, int]:
    match item:
        case [int(from_ms), int(offset_minutes)]:
            return (from_ms, offset_minutes)
    raise MalformedError(f"genesis.zone_offsets[{position}]: expected [from_ms, offset_minutes]")


def _refuse(name: str, reason: str) -> GenesisError:
    return GenesisError(f"genesis.{name}: {reason}")


def _check_range(name: str, value: int, minimum: int, maximum: int) -> None:
    if type(value) is not int or not minimum <= value <= maximum:
        raise _refuse(name, f"{value!r} is outside {minimum} .. {maximum}; choose an integer within")


def _check_name(name: str, value: str, length_max: int) -> None:
    try:
        check_text(value)
    except EncodingError as error:
        raise _refuse(name, str(error)) from error
    if not 1 <= len(value) <= length_max or not value.isprintable() or value != value.strip():
        raise _refuse(
            name,
            f"{value[:60]!r} is not 1 to {length_max} printable characters, no space at the ends",
        )


def _check_head(genesis: Genesis) -> None:
    if _ID.fullmatch(genesis.name) is None:
        raise _refuse("name", f"{genesis.name[:60]!r} is no network name; {_ID_REMEDY}")
    _check_range("time_ms", genesis.time_ms, 0, TIME_MS_MAX)
    _check_range("block_time_tolerance_ms", genesis.block_time_tolerance_ms, 1, DAY_MS)
    if type(genesis.insecure_keys) is not bool:
        raise _refuse("insecure_keys", f"{genesis.insecure_keys!r} is neither true nor false")


def _check_organizations(organizations: tuple[Organization, ...]) -> None:
    if not 1 <= len(organizations) <= ORGANIZATIONS_MAX:
        raise _refuse("organizations", f"has {len(organizations)} members; list 1 to {ORGANIZATIONS_MAX}")
    for i, organization in enumerate(organizations):
        where = f"organizations[{i}]"
        if _ID.fullmatch(organization.id) is None:
            raise _refuse(f"{where}.id", f"{organization.id[:60]!r} is no organization id; {_ID_REMEDY}")
        _check_name(f"{where}.name", organization.name, 120)
        if _COUNTRY.fullmatch(organization.country) is None:
            raise _refuse(f"{where}.country", f"{organization.country!r} is no two-letter code such as US")
        if not organization.roles:
            raise _refuse(f"{where}.roles", f"{organization.id!r} has no role; give it at least one")
        _check_unique(f"{where}.roles", list(organization.roles), "give each role once")
        for name in ("key", "node_key", "box_key"):
            if len(getattr(organization, name)) != KEY_BYTES:
                size = len(getattr(organization, name))
                raise _refuse(f"{where}.{name}", f"has {size} bytes; a public key has {KEY_BYTES}")
        if edwards(organization.box_key) is None:
            raise _refuse(f"{where}.box_key", "is no X25519 key of prime order; derive one as RFC 7748 does")
    _check_unique(
        "organizations", [organization.id for organization in organizations], "give each its own id"
    )
    # A key that signs for two would let one's statement pass for the other's.
    signing = [key for organization in organizations for key in (organization.key, organization.node_key)]
    _check_unique(
        "organizations", [key.hex() for key in signing], "make every organization and node its own key"
    )
    boxes = [organization.box_key.hex() for organization in organizations]
    _check_unique("organizations", boxes, "make every organization its own box_key")
    if not any(Role.CUSTOMS in organization.roles for organization in organizations):
        raise _refuse(
            "organizations", "none has the role customs; give it to at least one, who judges claims"
        )


def _check_unique(name: str, values: list[str] | list[Role], remedy: str) -> None:
    seen: set[str] = set()
    for value in values:
        if value in seen:
            raise _refuse(name, f"{str(value)!r} appears twice; {remedy}")
        seen.add(value)


def _check_orderers(genesis: Genesis) -> None:
    n = len(genesis.orderers)
    if not 1 <= n <= ORDERERS_MAX:
        raise _refuse("orderers", f"has {n} orderers; list 1 to {ORDERERS_MAX} organizations")
    _check_unique("orderers", list(genesis.orderers), "list each orderer once")
    ids = [organization.id for organization in genesis.organizations]
    for orderer in genesis.orderers:
        if orderer not in ids:
            raise _refuse("orderers", f"{orderer!r} is no organization; choose among {', '.join(ids)}")
    f = genesis.orderer_liars_tolerated
    _check_range("orderer_liars_tolerated", f, 0, ORDERERS_MAX)
    if quorum(n, f) > n:
        raise _refuse(
            "orderer_liars_tolerated",
            f"{f} liars among {n} orderers would need k = {quorum(n, f)} signatures of {n}; "
            f"tolerate fewer or add orderers",
        )


def _check_limits(limits: Limits) -> None:
    for name, (minimum, maximum) in _LIMIT_RANGES.items():
        _check_range(f"limits.{name}", getattr(limits, name), minimum, maximum)
    # A block of one largest transaction needs room for its header too.
    if limits.transaction_bytes_max + 1024 > limits.block_bytes_max:
        raise _refuse(
            "limits.block_bytes_max",
            f"{limits.block_bytes_max} has no room for transactions of {limits.transaction_bytes_max} bytes "
            f"and a header of 1024; raise it or lower transaction_bytes_max",
        )

    for name in ("outbox_bytes_max", "inbox_bytes_max"):
        if getattr(limits, name) < 2 * limits.envelope_bytes_max:
            raise _refuse(
                f"limits.{name}",
                f"{getattr(limits, name)} has no room for two envelopes of {limits.envelope_bytes_max} bytes; "
                f"raise it or lower envelope_bytes_max",
            )


def _check_calendar(genesis: Genesis) -> None:
    _check_name("zone", genesis.zone, 64)
    offsets = genesis.zone_offsets
    if not 1 <= len(offsets) <= ZONE_OFFSETS_MAX:
        raise _refuse(
            "zone_offsets", f"has {len(offsets)} entries; list 1 to {ZONE_OFFSETS_MAX}, or ((0, 0),) for UTC"
        )
    for i, (from_ms, offset_minutes) in enumerate(offsets):
        _check_range(f"zone_offsets[{i}].from_ms", from_ms, 0, TIME_MS_MAX)
        _check_range(f"zone_offsets[{i}].offset_minutes", offset_minutes, -14 * 60, 14 * 60)
    _check_ascending("zone_offsets", [from_ms for from_ms, _ in offsets])
    first_ms = offsets[0][0]
    if first_ms > genesis.time_ms:
        reason = f"begins at {first_ms} ms, after time_ms {genesis.time_ms}; add the offset before"
        raise _refuse("zone_offsets", reason)
    if len(genesis.holidays) > HOLIDAYS_MAX:
        raise _refuse("holidays", f"has {len(genesis.holidays)} dates; list at most {HOLIDAYS_MAX}")
    for i, holiday in enumerate(genesis.holidays):
        if not _is_date(holiday):
            raise _refuse(f"holidays[{i}]", f"{holiday[:60]!r} is no date; write it like 2018-09-03")
    _check_ascending("holidays", list(genesis.holidays))


def _is_date(text: str) -> bool:
    if _ISO_DATE.fullmatch(text) is None:
        return False
    try:
        datetime.date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _check_ascending(name: str, values: list[int] | list[str]) -> None:
    for i in range(1, len(values)):
        if not values[i - 1] < values[i]:  # type: ignore[operator]
            raise _refuse(
                f"{name}[{i}]", f"{values[i]!r} does not come after {values[i - 1]!r}; sort, each once"
            )


def _check_note_keys(genesis: Genesis) -> None:
    """Refuse node keys that share the 4-byte id by which signed notes name them."""
    ids = [note_key_id(genesis.origin, organization.node_key).hex() for organization in genesis.organizations]
    _check_unique("organizations", ids, "two node keys share a note key id; make a new node_key")
