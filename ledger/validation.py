"""Every check of a transaction but its contract's.

Rules:
- In this order, the first that fails gives the code: size, form (envelope, then body), network, creator, signature, id
  executed, nonce, validity, type and role.
- Form is a function of the bytes alone, so what was parsed at admission is taken from memory at execution. The memory
  is bounded; all other checks are made again.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TypeAlias

from ledger.ablation import Safeguards
from ledger.codes import Code
from ledger.contracts.act import Act
from ledger.contracts.rules import TypeRule, read_act
from ledger.errors import MalformedError
from ledger.genesis import Genesis
from ledger.keys import Verifier
from ledger.members import Member
from ledger.nonces import nonce_user
from ledger.roster import Roster
from ledger.state import Reader
from ledger.transaction import SignedTransaction, parse_transaction

PARSED_MAX = 8192
"""How many admitted transactions are kept parsed until they are executed; the oldest go first."""

Parsed: TypeAlias = "tuple[SignedTransaction, tuple[TypeRule, Act] | None]"
"""A transaction whose form holds, and its typed body unless its type is unknown."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A transaction after every check but the contract."""

    signed: SignedTransaction
    member: Member
    act: Act


class Refused(Exception):  # noqa: N818 - a verdict that is caught here, no error
    """A check did not hold; `signed` is known if the bytes parse."""

    def __init__(self, code: Code, message: str, signed: SignedTransaction | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.signed = signed


class Validation:
    """The checks of one network's transactions.

    Args:
        genesis: of the network.
        verifier: for signatures.
        safeguards: all on, but for tests.
    """

    __slots__ = ("_genesis", "_parsed", "_safeguards", "_verifier")

    def __init__(self, genesis: Genesis, verifier: Verifier, safeguards: Safeguards) -> None:
        self._genesis = genesis
        self._verifier = verifier
        self._safeguards = safeguards
        self._parsed: OrderedDict[bytes, Parsed] = OrderedDict()

    def remember(self, raw: bytes, parsed: Parsed) -> None:
        """Keep what was parsed of admitted bytes until they are executed."""
        self._parsed[raw] = parsed
        if len(self._parsed) > PARSED_MAX:
            self._parsed.popitem(last=False)

    def forget(self) -> None:
        """Keep nothing of what was parsed."""
        self._parsed.clear()

    def take(self, raw: bytes) -> Parsed:
        """Return what was remembered of bytes, and forget it, or parse them.

        Raises:
            Refused: if they are too large or do not parse.
        """
        parsed = self._parsed.pop(raw, None)
        return self.parse(raw) if parsed is None else parsed

    def parse(self, raw: bytes) -> Parsed:
        """Return a transaction whose form holds.

        Raises:
            Refused: if it is too large or does not parse.
        """
        limit_bytes = self._genesis.limits.transaction_bytes_max
        if len(raw) > limit_bytes:
            message = f"transaction of {len(raw)} bytes is over transaction_bytes_max, {limit_bytes}"
            raise Refused(Code.TOO_LARGE, message)
        try:
            signed = parse_transaction(raw, limit_bytes)
            return signed, read_act(signed.transaction)
        except MalformedError as error:
            raise Refused(Code.MALFORMED, str(error)) from error

    def check(self, parsed: Parsed, roster: Roster, state: Reader, time_ms: int) -> Checked:
        """Make every check but those of the form and of the contract, in their order.

        Args:
            parsed: the transaction.
            roster: who belongs to the network.
            state: the nonce records as they stand before it.
            time_ms: its block's time, or now.

        Raises:
            Refused: by the first check that does not hold.
        """
        signed, act = parsed
        transaction = signed.transaction
        if transaction.network != self._genesis.network:
            message = f"network {transaction.network} is not this one, {self._genesis.network}"
            raise Refused(Code.WRONG_NETWORK, message, signed)
        member = roster.find_ever(transaction.creator)
        if member is None:
            message = f"creator {transaction.creator} is no organization of {self._genesis.network}"
            raise Refused(Code.UNKNOWN_ORGANIZATION, message, signed)
        if member.until is not None:
            message = f"creator {transaction.creator} was removed at height {member.until}"
            raise Refused(Code.UNKNOWN_ORGANIZATION, message, signed)
        self._check_signature(signed, member)
        if self._safeguards.duplicate_suppression:
            check_nonce(signed, state)
        self._check_validity(signed, time_ms)
        if act is None:
            message = f"no contract has the transaction type {transaction.type}"
            raise Refused(Code.NOT_AUTHORIZED, message, signed)
        rule, body = act
        if rule.roles.isdisjoint(member.roles):
            needed = " or ".join(sorted(rule.roles))
            has = ", ".join(sorted(member.roles))
            message = f"{rule.type} needs the role {needed}; {transaction.creator} has {has}"
            raise Refused(Code.NOT_AUTHORIZED, message, signed)
        return Checked(signed, member, body)

    def _check_signature(self, signed: SignedTransaction, member: Member) -> None:
        current = member.keys[-1]
        if signed.holds(current.key, self._verifier):
            if current.until is None:
                return
            message = f"{member.id}'s key was revoked at height {current.until} and has no successor"
            raise Refused(Code.REVOKED_KEY, message, signed)
        for former in member.keys[:-1]:
            if signed.holds(former.key, self._verifier):
                message = f"the signature is by a key of {member.id} that ended at height {former.until}"
                raise Refused(Code.REVOKED_KEY, message, signed)
        raise Refused(Code.BAD_SIGNATURE, f"the signature is not {member.id}'s over this transaction", signed)

    def _check_validity(self, signed: SignedTransaction, time_ms: int) -> None:
        valid_until_ms = signed.transaction.valid_until_ms
        if valid_until_ms < time_ms:
            message = f"valid_until_ms {valid_until_ms} is past; it is {time_ms}"
            raise Refused(Code.EXPIRED, message, signed)
        latest_ms = time_ms + self._genesis.limits.valid_for_ms_max
        if valid_until_ms > latest_ms:
            message = f"valid_until_ms {valid_until_ms} is later than {latest_ms}, valid_for_ms_max from now"
            raise Refused(Code.VALIDITY_TOO_LONG, message, signed)


def check_nonce(signed: SignedTransaction, state: Reader) -> None:
    """Refuse a transaction whose nonce was used, by itself or by another.

    Raises:
        Refused: if so.
    """
    transaction = signed.transaction
    used_by = nonce_user(state, transaction.creator, transaction.nonce)
    if used_by is None:
        return
    if used_by == signed.id:
        raise Refused(Code.DUPLICATE, f"transaction {signed.id.hex()} is on the ledger already", signed)
    message = f"nonce {transaction.nonce} of {transaction.creator} was used by transaction {used_by.hex()}"
    raise Refused(Code.NONCE_REUSED, message, signed)
