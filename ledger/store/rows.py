"""The records that the store takes and gives."""

from __future__ import annotations

from dataclasses import dataclass, field

from ledger.codes import Code
from ledger.errors import LedgerError


class SecondCheckpointError(LedgerError):
    """This node was about to keep a second, different checkpoint of a size for which it has signed one."""


@dataclass(frozen=True, slots=True)
class LogRow:
    """One entry of the Raft log.

    Attributes:
        index: place in the log, from 1.
        term: the term in which a leader made the entry.
        type: the entry's type, a small number that belongs to the caller.
        data: the whole entry's bytes.
        block: hash and height if `data` is a block's bytes; those are kept once, with the blocks.
    """

    index: int
    term: int
    type: int
    data: bytes
    block: tuple[bytes, int] | None


@dataclass(frozen=True, slots=True)
class SnapshotRow:
    """What stands for the log up to and with `index`.

    Attributes:
        index: the last entry it stands for; 0 for none at all.
        term: that entry's term.
        configuration: who voted when that entry had been applied, in the caller's bytes.
        data: the caller's: certificate, header and frontier.
        awaited: whether it was received, and the state that it stands for is still being fetched.
    """

    index: int = 0
    term: int = 0
    configuration: bytes = b""
    data: bytes = b""
    awaited: bool = False


@dataclass(frozen=True, slots=True)
class GapRow:
    """What a snapshot let a node pass over, as far as it was not fetched since.

    Attributes:
        leaf_first, leaf_end: leaves of the Merkle log that are not here, without the end.
        height_first, height_end: heights whose rows are not here, without the end.
        frontier: hashes of the complete subtrees of the log of `leaf_end` leaves, largest first.
    """

    leaf_first: int
    leaf_end: int
    height_first: int
    height_end: int
    frontier: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class PoolRow:
    """A transaction that this node has accepted and that has no receipt yet."""

    id: bytes
    raw: bytes
    accepted_ms: int


@dataclass(frozen=True, slots=True)
class StoredReceipt:
    """What became of one ordered transaction.

    Attributes:
        index: its leaf's place in the Merkle log, from 0.
        height: its block.
        position: its place in the block, from 0.
        id: the transaction's id.
        code: the validation code.
        rule: the rule that refused it, if one did.
        findings: recorded legal findings.
        time_ms: its block's time, UTC milliseconds.
    """

    index: int
    height: int
    position: int
    id: bytes
    code: Code
    rule: str | None
    findings: tuple[str, ...]
    time_ms: int


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """An envelope on its way to an addressee; `index` is its number in the outbox, from 1."""

    index: int
    root: bytes
    to: str
    envelope: bytes


@dataclass(frozen=True, slots=True)
class InboxRow:
    """An envelope that has come in; its bytes are read by `inbox_envelope`."""

    index: int
    root: bytes
    sender: str
    received_ms: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Report:
    """What a whole verification found.

    Attributes:
        height: the last executed height.
        blocks: blocks whose bytes, header, signature, place and transactions hold.
        transactions: transactions executed again.
        state_keys: keys of the state compared.
        leaves: leaves of the Merkle log compared.
        certificates: certificates that verify.
        checkpoints: own signed checkpoints compared with what execution gives.
        file_bytes: size of the database file's pages.
        free_bytes: bytes in free pages and in gaps between rows, where damage changes nothing and is not
            looked for.
        damage: what does not hold, each with its place; empty if the store is whole.
        notes: what cannot be seen from inside.
        absent: heights whose blocks this node has still to fetch; they, and what follows, were not executed again.
    """

    height: int
    blocks: int
    transactions: int
    state_keys: int
    leaves: int
    certificates: int
    checkpoints: int
    file_bytes: int
    free_bytes: int
    damage: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())
    absent: int = 0

    @property
    def whole(self) -> bool:
        """Whether everything is here and held."""
        return not self.damage and not self.absent
