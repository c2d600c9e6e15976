"""A member's record: its keys, its nodes and their seats among the orderers, each with the heights of its term.

Rules:
- A term begins after the block `since` (0 is genesis) and ends with the block `until`; None means that it lasts.
  So what block h is judged by is what covers height h - 1.
- Nothing is forgotten: old blocks and certificates are verified with the keys of their time.
- A key whose organization tells of its theft has the height `compromised_since`: what it signed above that height
  proves nothing against its owner.
- A node is (organization, incarnation) with its own key and Raft id; neither is ever used again. A seat's number
  says in which order the orderers stand.
- Reading is a pure function of the bytes, remembered; bytes that are no such record mean a damaged state.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from ledger.encoding import Encodable, Value, decode, encode
from ledger.errors import MalformedError
from ledger.fields import Fields
from ledger.genesis import Organization, Role
from ledger.keys import KEY_BYTES, PublicKey
from ledger.state import VALUE_BYTES_MAX

TERMS_MAX = 1000
"""The most keys, box keys, nodes, or seats of one node that a member may ever have."""

URL_LENGTH_MAX = 200
_REMEMBERED = 1024


@dataclass(frozen=True, slots=True)
class KeyTerm:
    """A key and its term.

    Attributes:
        key: 32 bytes.
        since: height of the block that registered it.
        until: height of the block that replaced or revoked it.
        compromised_since: height above which it proves nothing against its owner, if it was stolen.
    """

    key: PublicKey
    since: int
    until: int | None = None
    compromised_since: int | None = None

    def covers(self, height: int) -> bool:
        """Say whether it is current after the block of a height."""
        return _covers(self.since, self.until, height)


@dataclass(frozen=True, slots=True)
class Seat:
    """A term among the orderers; a lower number stands before a higher one."""

    number: int
    since: int
    until: int | None = None

    def covers(self, height: int) -> bool:
        """Say whether its node is an orderer after the block of a height."""
        return _covers(self.since, self.until, height)


@dataclass(frozen=True, slots=True)
class Learning:
    """A term in which a node receives the log without a vote, to order later."""

    since: int
    until: int | None = None

    def covers(self, height: int) -> bool:
        """Say whether its node is a learner after the block of a height."""
        return _covers(self.since, self.until, height)


@dataclass(frozen=True, slots=True)
class NodeTerm:
    """A node: one incarnation of a member's program.

    Attributes:
        raft_id: its id in Raft.
        incarnation: from 1 within its organization.
        key: signs hello, votes, headers, acks and checkpoints.
        url: base URL of its peer port; None where everyone's configuration names it.
        since: height of the block that registered it.
        until: height of the block that replaced or removed it.
        compromised_since: height above which its key proves nothing against its owner, if it was stolen.
        is_returning: whether it stands for an orderer's node that was replaced, until it takes a seat.
        in_place_of: the orderer who gives up its seat when this learner takes one.
        learning: its terms as a learner.
        seats: its terms as an orderer.
    """

    raft_id: int
    incarnation: int
    key: PublicKey
    url: str | None
    since: int
    until: int | None = None
    compromised_since: int | None = None
    is_returning: bool = False
    in_place_of: str | None = None
    learning: tuple[Learning, ...] = ()
    seats: tuple[Seat, ...] = ()

    @property
    def orders(self) -> bool:
        """Whether it is an orderer now."""
        return bool(self.seats) and self.seats[-1].until is None

    @property
    def is_learner(self) -> bool:
        """Whether it is a learner now."""
        return bool(self.learning) and self.learning[-1].until is None

    def learns_at(self, height: int) -> bool:
        """Say whether it is a learner after the block of a height."""
        return any(term.covers(height) for term in self.learning)

    def covers(self, height: int) -> bool:
        """Say whether it is its member's node after the block of a height."""
        return _covers(self.since, self.until, height)

    def seat_at(self, height: int) -> Seat | None:
        """Return its seat after the block of a height, or None if it did not order then."""
        for seat in self.seats:
            if seat.covers(height):
                return seat
        return None


@dataclass(frozen=True, slots=True)
class Member:
    """An organization that belongs, or once belonged, to the network.

    Attributes:
        id: short name on the ledger, never used again for another.
        name: name for people.
        country: ISO 3166-1 alpha-2 code.
        roles: what it may do.
        keys: its organization keys, oldest first.
        box_keys: its X25519 keys, oldest first.
        nodes: its nodes, oldest first; never empty.
        since: height of the block that added it.
        until: height of the block that removed it.
    """

    id: str
    name: str
    country: str
    roles: tuple[Role, ...]
    keys: tuple[KeyTerm, ...]
    box_keys: tuple[KeyTerm, ...]
    nodes: tuple[NodeTerm, ...]
    since: int = 0
    until: int | None = None

    @property
    def is_present(self) -> bool:
        """Whether it belongs to the network now."""
        return self.until is None

    @property
    def key(self) -> PublicKey | None:
        """The current organization key; None while it is revoked without a successor."""
        last = self.keys[-1]
        return last.key if last.until is None else None

    @property
    def box_key(self) -> PublicKey:
        """The X25519 key that documents for it are sealed to."""
        return self.box_keys[-1].key

    @property
    def node(self) -> NodeTerm:
        """Its node; the last one if it was removed."""
        return self.nodes[-1]

    @property
    def node_key(self) -> PublicKey:
        """Its node's key."""
        return self.nodes[-1].key

    def node_at(self, height: int) -> NodeTerm | None:
        """Return its node after the block of a height, or None if it had none then."""
        for node in self.nodes:
            if node.covers(height):
                return node
        return None

    def encode(self) -> bytes:
        """Return the canonical bytes, without the id, which the state's key holds."""
        return encode(
            {
                "name": self.name,
                "country": self.country,
                "roles": self.roles,
                "keys": [_key_map(term) for term in self.keys],
                "box_keys": [_key_map(term) for term in self.box_keys],
                "nodes": [_node_map(node) for node in self.nodes],
                "since": self.since,
                "until": self.until,
            }
        )

    @staticmethod
    def founding(organization: Organization, raft_id: int, seat: int | None) -> Member:
        """Return a founder as it stands at height 0.

        Args:
            organization: as genesis lists it.
            raft_id: its first node's.
            seat: its place among the founding orderers, from 0; None if its node does not order.
        """
        seats = () if seat is None else (Seat(seat, 0),)
        return Member(
            id=organization.id,
            name=organization.name,
            country=organization.country,
            roles=organization.roles,
            keys=(KeyTerm(organization.key, 0),),
            box_keys=(KeyTerm(PublicKey(organization.box_key), 0),),
            nodes=(NodeTerm(raft_id, 1, organization.node_key, None, 0, seats=seats),),
        )


@lru_cache(_REMEMBERED)
def read_member(organization: str, data: bytes) -> Member:
    """Return the member whose canonical bytes are `data`.

    Raises:
        EncodingError, MalformedError: if they are no member's.
    """
    value: Value = decode(data, limit_bytes=VALUE_BYTES_MAX)
    where = f"organization {organization}"
    fields = Fields(value, where)
    member = Member(
        id=organization,
        name=fields.text("name"),
        country=fields.text("country"),
        roles=tuple(_read_role(role, where) for role in fields.texts("roles", len(Role), min_items=1)),
        keys=_read_keys(fields, "keys", where),
        box_keys=_read_keys(fields, "box_keys", where),
        nodes=tuple(
            _read_node(Fields(item, f"{where}.nodes[{i}]"))
            for i, item in enumerate(fields.items("nodes", TERMS_MAX, 1))
        ),
        since=fields.integer("since"),
        until=fields.optional_integer("until"),
    )
    fields.finish()
    return member


def _covers(since: int, until: int | None, height: int) -> bool:
    return since <= height and (until is None or height < until)


def _key_map(term: KeyTerm) -> dict[str, Encodable]:
    return {name: getattr(term, name) for name in KeyTerm.__slots__}


def _node_map(node: NodeTerm) -> dict[str, Encodable]:
    fields: dict[str, Encodable] = {name: getattr(node, name) for name in NodeTerm.__slots__}
    fields["learning"] = [[term.since, term.until] for term in node.learning]
    fields["seats"] = [{name: getattr(seat, name) for name in Seat.__slots__} for seat in node.seats]
    return fields


def _read_role(role: str, where: str) -> Role:
    try:
        return Role(role)
    except ValueError as error:
        raise MalformedError(f"{where}: {role!r} is no role; the state is damaged") from error


def _read_keys(fields: Fields, name: str, where: str) -> tuple[KeyTerm, ...]:
    return tuple(
        _read_key(Fields(item, f"{where}.{name}[{i}]"))
        for i, item in enumerate(fields.items(name, TERMS_MAX, 1))
    )


def _read_key(fields: Fields) -> KeyTerm:
    term = KeyTerm(
        key=PublicKey(fields.raw("key", size=KEY_BYTES)),
        since=fields.integer("since"),
        until=fields.optional_integer("until"),
        compromised_since=fields.optional_integer("compromised_since"),
    )
    fields.finish()
    return term


def _read_node(fields: Fields) -> NodeTerm:
    node = NodeTerm(
        raft_id=fields.integer("raft_id", 1),
        incarnation=fields.integer("incarnation", 1),
        key=PublicKey(fields.raw("key", size=KEY_BYTES)),
        url=fields.optional_text("url", URL_LENGTH_MAX),
        since=fields.integer("since"),
        until=fields.optional_integer("until"),
        compromised_since=fields.optional_integer("compromised_since"),
        is_returning=fields.boolean("is_returning"),
        in_place_of=fields.optional_text("in_place_of"),
        learning=tuple(_read_learning(item) for item in fields.items("learning", TERMS_MAX)),
        seats=tuple(_read_seat(Fields(item, "seat")) for item in fields.items("seats", TERMS_MAX)),
    )
    fields.finish()
    return node


def _read_learning(item: Value) -> Learning:
    match item:
        case [int(since), int(until)]:
            return Learning(since, until)
        case [int(since), None]:
            return Learning(since)
    raise MalformedError("learning: expected [since, until]; the state is damaged")


def _read_seat(fields: Fields) -> Seat:
    seat = Seat(fields.integer("number"), fields.integer("since"), fields.optional_integer("until"))
    fields.finish()
    return seat
