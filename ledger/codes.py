"""Validation codes: what became of a transaction, and what its sender should do.

Rules:
- Every ordered transaction gets exactly one code; only VALID changes the state.
- BAD_SIGNATURE and MALFORMED consume neither the id nor the nonce: otherwise a dishonest leader could kill an
  honest transaction by ordering its body with a rubbish signature first.
- A code's remedy is its docstring, so help, API and docs say the same.
"""

from __future__ import annotations

from enum import StrEnum


class Code(StrEnum):
    """What became of a transaction. Each member's docstring is the remedy for its sender."""

    VALID = (
        "VALID",
        "Nothing to do: the transaction has changed the state.",
    )
    BAD_SIGNATURE = (
        "BAD_SIGNATURE",
        "Sign the same transaction again with the creator's registered organization key and send "
        "it; id and nonce are still free.",
    )
    MALFORMED = (
        "MALFORMED",
        "Correct the field that the message names, sign the transaction again and send it; id and "
        "nonce are still free.",
    )
    UNKNOWN_ORGANIZATION = (
        "UNKNOWN_ORGANIZATION",
        "Use an organization id that the ledger knows as creator, addressee or holder; ids are "
        "listed in genesis.",
    )
    REVOKED_KEY = (
        "REVOKED_KEY",
        "Sign with the organization's current key; if this key should be current, register it first.",
    )
    NOT_AUTHORIZED = (
        "NOT_AUTHORIZED",
        "Have an organization with the role that the message names send this; do not send it again "
        "as this one.",
    )
    DUPLICATE = (
        "DUPLICATE",
        "Nothing to do: the same transaction is on the ledger already; its id leads to the receipt "
        "that counts.",
    )
    NONCE_REUSED = (
        "NONCE_REUSED",
        "Take the wallet's next counter, sign again and send; if counters were lost, draw a new "
        "random key epoch.",
    )
    EXPIRED = (
        "EXPIRED",
        "Sign again with a later valid_until and a new nonce; check first that the transaction did "
        "not take effect.",
    )
    VALIDITY_TOO_LONG = (
        "VALIDITY_TOO_LONG",
        "Sign again with an earlier valid_until: it may lie at most valid_for_ms_max after the block's time.",
    )
    QUOTA_EXCEEDED = (
        "QUOTA_EXCEEDED",
        "Wait until earlier transactions of this organization are on the ledger, then send the same "
        "bytes again.",
    )
    RULE_VIOLATED = (
        "RULE_VIOLATED",
        "Look up the rule that the receipt names; the act is impossible in the document's present "
        "state or by this actor.",
    )
    TOO_LARGE = (
        "TOO_LARGE",
        "Make the transaction smaller than transaction_bytes_max; documents belong in envelopes, "
        "only roots on the ledger.",
    )
    WRONG_NETWORK = (
        "WRONG_NETWORK",
        "Sign again for this network's full name, as its genesis or any node's health answer states it.",
    )
    OVERLOADED = (
        "OVERLOADED",
        "Nothing was kept: wait and send the same bytes again, less often each time, until the node "
        "accepts them.",
    )

    def __new__(cls, value: str, remedy: str) -> Code:
        """Make a member of its value and its remedy."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.__doc__ = remedy
        return member

    @property
    def remedy(self) -> str:
        """What the sender should do."""
        return self.__doc__ or ""

    @property
    def consumes(self) -> bool:
        """Whether an ordered transaction with this code uses up its id and nonce."""
        return self in (Code.VALID, Code.RULE_VIOLATED, Code.NOT_AUTHORIZED)

    @property
    def ends(self) -> bool:
        """Whether a transaction that was ordered with this code can take no effect any more."""
        return self.consumes or self in (Code.DUPLICATE, Code.NONCE_REUSED, Code.EXPIRED)
