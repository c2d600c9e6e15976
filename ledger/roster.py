"""Who belongs to the network: members, their keys and nodes, and the orderers, at any height up to the present.

Rules:
- Genesis founds the roster; only configuration transactions change it; it is derived from the state, so that
  everything execution asks is under the state root.
- A roster that exists is sound: ids, keys and Raft ids are nobody else's, orderers are present members, k of the
  orderers can sign, somebody judges claims, and there is an orderer.
- It knows the past: `electorate` tells whose signatures certify a height that it has seen.
- The record `membership` names the heights of all changes and holds a digest over all members; the block that
  changes the roster also puts that digest into the Merkle log, so that a chain of changes can be proven.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from ledger.electorate import Constituency, Electorate
from ledger.encoding import Encodable, decode, encode
from ledger.errors import EncodingError, MalformedError, RosterError, UnknownOrganizationError
from ledger.fields import Fields
from ledger.genesis import ORDERERS_MAX, ORGANIZATIONS_MAX, Genesis, Role, quorum
from ledger.keys import PublicKey, note_key_id
from ledger.members import Member, NodeTerm, read_member
from ledger.state import MEMBERSHIP_KEY, VALUE_BYTES_MAX, Reader, organization_key

RULES_VERSION = 1
"""The version of the rules by which this program executes."""

MEMBERS_EVER_MAX = 4096
"""The most members a network may have had, those that left included."""

CHANGES_MAX = 100_000
"""The most changes of one roster."""

_DIGEST_HEAD = b"seatrial/roster/v1\n"


@dataclass(frozen=True, slots=True)
class Roster:
    """The members of one network after a block.

    Attributes:
        network: the network's full name.
        liars_tolerated: f, how many orderers may lie.
        everyone: all members there ever were, in the order in which they came.
        heights: of the blocks that changed the roster, ascending.
        next_raft_id: the id that the next node gets.
        next_seat: the number that the next orderer's seat gets.
        rules: version of the rules by which blocks are executed.

    Raises:
        RosterError: if the network could not go on with it.
    """

    network: str
    liars_tolerated: int
    everyone: tuple[Member, ...]
    heights: tuple[int, ...]
    next_raft_id: int
    next_seat: int
    rules: int = RULES_VERSION
    members: tuple[Member, ...] = field(init=False, repr=False, compare=False)
    orderers: tuple[str, ...] = field(init=False, repr=False, compare=False)
    _by_id: dict[str, Member] = field(init=False, repr=False, compare=False)
    _by_raft_id: dict[int, Member] = field(init=False, repr=False, compare=False)
    _electorate: Electorate = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        present = tuple(member for member in self.everyone if member.is_present)
        put = object.__setattr__
        put(self, "members", present)
        put(self, "_by_id", {member.id: member for member in self.everyone})
        put(self, "_by_raft_id", {member.node.raft_id: member for member in present})
        put(self, "orderers", tuple(member.id for member, _ in _seated(present, self.height)))
        _check(self)
        put(self, "_electorate", self._electorate_of(self.height))

    @classmethod
    def of_genesis(cls, genesis: Genesis) -> Roster:
        """Return the founders."""
        seats = {orderer: number for number, orderer in enumerate(genesis.orderers)}
        return cls(
            network=genesis.network,
            liars_tolerated=genesis.orderer_liars_tolerated,
            everyone=tuple(
                Member.founding(organization, genesis.raft_id(organization.id), seats.get(organization.id))
                for organization in genesis.organizations
            ),
            heights=(),
            next_raft_id=len(genesis.organizations) + 1,
            next_seat=len(seats),
        )

    @classmethod
    def of_state(cls, genesis: Genesis, state: Reader) -> Roster:
        """Return the roster that a state holds.

        Raises:
            RosterError: if the state holds none, or one that contradicts itself.
        """
        data = state.get(MEMBERSHIP_KEY)
        if data is None:
            raise RosterError(f"state {MEMBERSHIP_KEY} is missing; the state is damaged")
        try:
            return cls._read(genesis, data, state)
        except (EncodingError, MalformedError) as error:
            raise RosterError(f"state {MEMBERSHIP_KEY}: {error}; the state is damaged") from error

    @classmethod
    def _read(cls, genesis: Genesis, data: bytes, state: Reader) -> Roster:
        fields = Fields(decode(data, limit_bytes=VALUE_BYTES_MAX), MEMBERSHIP_KEY)
        everyone: list[Member] = []
        for organization in fields.texts("members", MEMBERS_EVER_MAX):
            record = state.get(organization_key(organization))
            if record is None:
                raise RosterError(f"state {organization_key(organization)} is missing; the state is damaged")
            everyone.append(read_member(organization, record))
        roster = cls(
            network=genesis.network,
            liars_tolerated=genesis.orderer_liars_tolerated,
            everyone=tuple(everyone),
            heights=_read_heights(fields),
            next_raft_id=fields.integer("next_raft_id"),
            next_seat=fields.integer("next_seat"),
            rules=fields.integer("rules", 1, RULES_VERSION),
        )
        orderers = fields.texts("orderers", ORDERERS_MAX)
        digest = fields.raw("digest", size=32)
        fields.finish()
        if orderers != roster.orderers or digest != roster.digest:
            raise RosterError(f"state {MEMBERSHIP_KEY} does not match its members; the state is damaged")
        return roster

    @property
    def height(self) -> int:
        """The last block that changed the roster; 0 is genesis."""
        return self.heights[-1] if self.heights else 0

    @property
    def origin(self) -> str:
        """The origin, and key name, of the network's checkpoints."""
        return f"ledger.invalid/{self.network}"

    @property
    def quorum(self) -> int:
        """How many orderers make a commit proof or a certificate (k)."""
        return quorum(len(self.orderers), self.liars_tolerated)

    @property
    def majority(self) -> int:
        """How many members approve a change of others' standing."""
        return len(self.members) // 2 + 1

    @property
    def voters(self) -> tuple[int, ...]:
        """The Raft ids of the orderers, ascending."""
        return tuple(sorted(self._by_id[orderer].node.raft_id for orderer in self.orderers))

    @property
    def learners(self) -> tuple[int, ...]:
        """The Raft ids of the nodes that are to order and still catch up, ascending."""
        return tuple(sorted(m.node.raft_id for m in self.members if m.node.is_learner))

    def find(self, organization: str) -> Member | None:
        """Return a present member by id, or None."""
        member = self._by_id.get(organization)
        return member if member is not None and member.is_present else None

    def find_ever(self, organization: str) -> Member | None:
        """Return a member by id, whether it is still one or was removed, or None."""
        return self._by_id.get(organization)

    def organization(self, organization: str) -> Member:
        """Return a present member by id.

        Raises:
            UnknownOrganizationError: if there is none.
        """
        member = self._by_id.get(organization)
        if member is None:
            known = ", ".join(m.id for m in self.members)
            raise UnknownOrganizationError(
                f"organization {organization!r} is no member of {self.network}; members are {known}"
            )
        if member.until is not None:
            raise UnknownOrganizationError(
                f"organization {organization!r} was removed from {self.network} at height {member.until}"
            )
        return member

    def raft_id(self, organization: str) -> int:
        """Return the Raft id of a present member's node.

        Raises:
            UnknownOrganizationError: if there is no such member.
        """
        return self.organization(organization).node.raft_id

    def with_raft_id(self, raft_id: int) -> Member | None:
        """Return the present member whose node has a Raft id, or None."""
        return self._by_raft_id.get(raft_id)

    def with_role(self, role: Role) -> tuple[Member, ...]:
        """Return the present members with a role, in the order in which they came."""
        return tuple(member for member in self.members if role in member.roles)

    def orderers_at(self, height: int) -> tuple[str, ...]:
        """Return the orderers after the block of a height, in the order of their seats."""
        return tuple(member.id for member, _ in _seated(self.everyone, height))

    def next_change(self, height: int) -> int | None:
        """Return the lowest height above `height` at which the roster changed, or None."""
        place = bisect_right(self.heights, height)
        return self.heights[place] if place < len(self.heights) else None

    def raft_members_at(self, height: int) -> tuple[set[int], set[int]]:
        """Return the Raft ids of orderers and of learners after the block of a height."""
        nodes = [node for member in self.everyone if (node := member.node_at(height)) is not None]
        voters = {node.raft_id for node in nodes if node.seat_at(height) is not None}
        return voters, {node.raft_id for node in nodes if node.learns_at(height)}

    def proposers(self, height: int) -> Mapping[str, PublicKey]:
        """Return who may propose the block of a height, each with its node's key: the orderers after the one before.

        Args:
            height: at most one above the last block that this roster has seen.
        """
        if height > self.height:
            return self._electorate.keys
        return self._electorate_of(height - 1).keys

    def electorate(self, height: int) -> Electorate:
        """Return whose signatures certify a height.

        Args:
            height: at most one above the last block that this roster has seen: later blocks may change it.
        """
        if height > self.height:
            return self._electorate
        return self._electorate_of(height - 1, height)

    def _electorate_of(self, *heights: int) -> Electorate:
        keys: dict[str, PublicKey] = {}
        constituencies: dict[Constituency, None] = {}
        for height in heights:
            seated = _seated(self.everyone, height)
            keys.update((member.id, node.key) for member, node in seated)
            names = tuple(member.id for member, _ in seated)
            constituencies[Constituency(names, quorum(len(names), self.liars_tolerated))] = None
        return Electorate(self.origin, keys, tuple(constituencies))

    @property
    def digest(self) -> bytes:
        """The sha256 over all members' records, 32 bytes."""
        parts: list[Encodable] = [
            [member.id, hashlib.sha256(member.encode()).digest()] for member in self.everyone
        ]
        return hashlib.sha256(_DIGEST_HEAD + encode(parts)).digest()

    def items(self) -> dict[str, bytes]:
        """Return what the state holds of it, by key."""
        items = {organization_key(member.id): member.encode() for member in self.everyone}
        items[MEMBERSHIP_KEY] = encode(
            {
                "members": [member.id for member in self.everyone],
                "orderers": self.orderers,
                "heights": self.heights,
                "next_raft_id": self.next_raft_id,
                "next_seat": self.next_seat,
                "rules": self.rules,
                "digest": self.digest,
            }
        )
        return items

    def changed(self, height: int, *members: Member, **changes: int) -> Roster:
        """Return the roster after a block that changed it.

        Args:
            height: of the block.
            members: those that are new or changed.
            changes: other attributes that change with them.

        Raises:
            RosterError: if the network could not go on with it.
        """
        given = {member.id: member for member in members}
        everyone = [given.pop(member.id, member) for member in self.everyone]
        return replace(
            self,
            everyone=(*everyone, *given.values()),
            heights=(*self.heights, height),
            **changes,  # type: ignore[arg-type]
        )


def roster_leaf(roster: Roster) -> bytes:
    """Return the Merkle log's leaf data that a block adds which made `roster` what it is."""
    return encode(["roster", roster.height, len(roster.heights), roster.digest])


def _read_heights(fields: Fields) -> tuple[int, ...]:
    heights: list[int] = []
    for item in fields.items("heights", CHANGES_MAX):
        if type(item) is not int or item <= (heights[-1] if heights else 0):
            fields.refuse("heights", f"{item!r} is no height above the one before it")
        heights.append(item)
    return tuple(heights)


def _seated(members: Iterable[Member], height: int) -> list[tuple[Member, NodeTerm]]:
    """Return the orderers after the block of a height, in the order of their seats."""
    found: list[tuple[int, Member, NodeTerm]] = []
    for member in members:
        node = member.node_at(height)
        seat = None if node is None else node.seat_at(height)
        if node is not None and seat is not None:
            found.append((seat.number, member, node))
    found.sort(key=_seat_number)
    return [(member, node) for _, member, node in found]


def _seat_number(seated: tuple[int, Member, NodeTerm]) -> int:
    return seated[0]


def _check(roster: Roster) -> None:
    """Refuse a roster with which the network could not go on."""
    count = len(roster.members)
    if count > ORGANIZATIONS_MAX or len(roster.everyone) > MEMBERS_EVER_MAX:
        raise RosterError(
            f"{count} members, {len(roster.everyone)} ever, are over the limits of {ORGANIZATIONS_MAX} and "
            f"{MEMBERS_EVER_MAX}"
        )
    if not any(Role.CUSTOMS in member.roles for member in roster.members):
        raise RosterError("no member is left with the role customs, who judges claims; add another first")
    if len(roster.heights) > CHANGES_MAX:
        raise RosterError(f"{len(roster.heights)} changes are over the limit of {CHANGES_MAX}")
    n = len(roster.orderers)
    if not 1 <= n <= ORDERERS_MAX:
        raise RosterError(f"{n} orderers are outside 1 .. {ORDERERS_MAX}")
    k = roster.quorum
    if k > n:
        raise RosterError(
            f"{roster.liars_tolerated} liars among {n} orderers would need k = {k} signatures of {n}"
        )
    _check_distinct(roster)


def _check_distinct(roster: Roster) -> None:
    """Refuse a key that signs for two: one's statement would pass for the other's."""
    owners: dict[bytes, str] = {}
    notes: dict[bytes, str] = {}
    raft_ids: dict[int, str] = {}
    boxes: dict[bytes, str] = {}
    for member in roster.everyone:
        for key in (*(term.key for term in member.keys), *(node.key for node in member.nodes)):
            _own(owners, key, member.id, f"key {key.hex()[:16]}")
        for term in member.box_keys:
            _own(boxes, term.key, member.id, f"box key {term.key.hex()[:16]}")
        for node in member.nodes:
            _own(notes, note_key_id(roster.origin, node.key), member.id, "a node key's note id")
            if node.raft_id >= roster.next_raft_id:
                raise RosterError(f"Raft id {node.raft_id} is not below the next, {roster.next_raft_id}")
            if raft_ids.setdefault(node.raft_id, member.id) != member.id:
                raise RosterError(f"Raft id {node.raft_id} is {raft_ids[node.raft_id]}'s and {member.id}'s")


def _own(owners: dict[bytes, str], key: bytes, owner: str, what: str) -> None:
    if key in owners:
        raise RosterError(f"{what} is registered already, by {owners[key]}; make a new key")
    owners[key] = owner
