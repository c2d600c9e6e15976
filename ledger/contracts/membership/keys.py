"""Keys of organizations: `key.rotate` by the old key, `key.revoke` by the owner or the majority.

Rules:
- A key ends with the block that replaces or revokes it; what it signed before stays valid, what is ordered after is
  REVOKED_KEY.
- A rotation is signed by the old key and carries the new one's proof.
- A revocation names since which height the key may have been in a thief's hands. The owner may revoke any key it ever
  had; a successor to a revoked key needs the majority, since a thief can sign as well as the owner.
- A revoked key without a successor leaves its organization without a voice until the majority gives it one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self

from ledger.contracts.act import Context, Writer, read_optional_box_key, read_organization
from ledger.contracts.findings import Finding
from ledger.contracts.membership.approval import require_majority
from ledger.contracts.membership.change import find_member, put_roster
from ledger.contracts.membership.nodes import check_compromised
from ledger.contracts.membership.possession import Purpose, check_possession
from ledger.contracts.table import Actor, Guard, Refusal, RuleViolatedError, Step, Table
from ledger.errors import MalformedError
from ledger.fields import Fields
from ledger.keys import KEY_BYTES, SIGNATURE_BYTES, PublicKey
from ledger.members import KeyTerm, Member
from ledger.roster import Roster


class KeyState(StrEnum):
    """Where an organization key stands."""

    CURRENT = "CURRENT"
    FORMER = "FORMER"
    REVOKED = "REVOKED"


@dataclass(frozen=True, slots=True)
class KeyCase:
    """What a step of a key is judged by."""

    context: Context
    member: Member
    has_successor: bool = False

    def plays(self, actor: Actor) -> bool:
        """Say whether the sender is that actor here."""
        is_owner = self.member.id == self.context.sender.id
        match actor:
            case Actor.OWNER:
                return is_owner
            case Actor.MAJORITY:
                return require_majority(self.context)
            case Actor.OWNER_OR_MAJORITY:
                return (is_owner and not self.has_successor) or require_majority(self.context)
            case _:
                return False


def _is_last_key(case: KeyCase) -> bool:
    return case.has_successor and case.member.key is None


def _is_not_succeeded(case: KeyCase) -> bool:
    return not case.has_successor


_SUCCESSOR: Guard[KeyCase] = Guard(
    "a successor, for an organization that has no key", Refusal.NO_SUCCESSOR, _is_last_key
)
_NO_SUCCESSOR: Guard[KeyCase] = Guard(
    "no successor: a later key has taken its place", Refusal.HAS_SUCCESSOR, _is_not_succeeded
)

_K = KeyState
_THEFT = "design: stolen keys"
KEY_TABLE: Table[KeyState, KeyCase] = Table(
    "key",
    KeyState,
    (
        Step(_K.CURRENT, "key.rotate", Actor.OWNER, _K.FORMER, "design: membership"),
        Step(_K.CURRENT, "key.revoke", Actor.OWNER_OR_MAJORITY, _K.REVOKED, _THEFT),
        Step(
            _K.FORMER,
            "key.revoke",
            Actor.OWNER_OR_MAJORITY,
            _K.REVOKED,
            _THEFT,
            guards=(_NO_SUCCESSOR,),
        ),
        Step(_K.REVOKED, "key.revoke", Actor.MAJORITY, _K.REVOKED, _THEFT, guards=(_SUCCESSOR,)),
    ),
)


@dataclass(frozen=True, slots=True)
class RotateKey:
    """`key.rotate`: an organization takes a new organization key, a new X25519 key, or both."""

    key: PublicKey | None
    key_proof: bytes | None
    box_key: PublicKey | None

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Take the body's fields."""
        key, proof = _read_claim(fields, "key", "key_proof")
        box_key = read_optional_box_key(fields, "box_key")
        if key is None and box_key is None:
            raise MalformedError("key.rotate body: it names neither key nor box_key; name at least one")
        return cls(key, proof, box_key)

    def apply(self, context: Context, state: Writer) -> tuple[Finding, ...]:
        """Record the new keys."""
        return put_roster(self, context, state)

    def change(self, context: Context) -> Roster:
        """Return the roster with the new keys."""
        member = find_member(context, context.sender.id)
        KEY_TABLE.advance(_state_of(member.keys[-1]), context.event, KeyCase(context, member))
        height = context.height
        if self.key is not None and self.key_proof is not None:
            check_possession(context, member.id, Purpose.ORGANIZATION, self.key, self.key_proof)
            member = replace(member, keys=_followed(member.keys, self.key, height))
        if self.box_key is not None:
            member = replace(member, box_keys=_followed(member.box_keys, self.box_key, height))
        return context.roster.changed(height, member)


@dataclass(frozen=True, slots=True)
class RevokeKey:
    """`key.revoke`: an organization key is stolen or lost."""

    organization: str
    key: PublicKey
    compromised_since: int
    successor: PublicKey | None
    successor_proof: bytes | None

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Take the body's fields."""
        successor, proof = _read_claim(fields, "successor", "successor_proof")
        return cls(
            organization=read_organization(fields, "organization"),
            key=PublicKey(fields.raw("key", size=KEY_BYTES)),
            compromised_since=fields.integer("compromised_since", 0, 2**63 - 1),
            successor=successor,
            successor_proof=proof,
        )

    def apply(self, context: Context, state: Writer) -> tuple[Finding, ...]:
        """Record that the key is revoked."""
        return put_roster(self, context, state)

    def change(self, context: Context) -> Roster:
        """Return the roster with the key revoked, and its successor if there is one."""
        member = find_member(context, self.organization)
        place = next((i for i, term in enumerate(member.keys) if term.key == self.key), None)
        if place is None:
            raise RuleViolatedError(
                context.event, Refusal.UNKNOWN_KEY, f"{self.key.hex()[:16]} was never a key of {member.id}"
            )
        term = member.keys[place]
        case = KeyCase(context, member, self.successor is not None)
        KEY_TABLE.advance(_state_of(term), context.event, case)
        check_compromised(context, self.compromised_since, term.since)
        height = context.height
        until = height if term.until is None else term.until
        keys = list(member.keys)
        keys[place] = replace(term, until=until, compromised_since=self.compromised_since)
        if self.successor is not None and self.successor_proof is not None:
            check_possession(context, member.id, Purpose.ORGANIZATION, self.successor, self.successor_proof)
            keys.append(KeyTerm(self.successor, height))
        return context.roster.changed(height, replace(member, keys=tuple(keys)))


def _state_of(term: KeyTerm) -> KeyState:
    if term.until is None:
        return KeyState.CURRENT
    return KeyState.FORMER if term.compromised_since is None else KeyState.REVOKED


def _followed(terms: tuple[KeyTerm, ...], key: PublicKey, height: int) -> tuple[KeyTerm, ...]:
    return (*terms[:-1], replace(terms[-1], until=height), KeyTerm(key, height))


def _read_claim(fields: Fields, name: str, proof_name: str) -> tuple[PublicKey | None, bytes | None]:
    """Take a new signing key and its proof, or neither."""
    key = fields.optional_raw(name, size=KEY_BYTES)
    proof = fields.optional_raw(proof_name, size=SIGNATURE_BYTES)
    if (key is None) is not (proof is None):
        raise MalformedError(f"{name} and {proof_name} go together; give both or neither")
    return (None if key is None else PublicKey(key)), proof
