"""What became of a block and of its transactions."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.checkpoint import Checkpoint
from ledger.codes import Code
from ledger.encoding import encode

CONSUMING = frozenset(code for code in Code if code.consumes)
"""The codes with which an ordered transaction uses up its id and nonce."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one ordered transaction.

    Attributes:
        height: its block.
        position: its place in the block, from 0.
        id: the transaction's id; `malformed_id` of the bytes if they are none.
        code: the validation code.
        rule: id of the form rule that refused it, if one did.
        findings: recorded legal findings.
    """

    height: int
    position: int
    id: bytes
    code: Code
    rule: str | None = None
    findings: tuple[str, ...] = ()

    def leaf(self) -> bytes:
        """Return the Merkle log's leaf data."""
        return encode(
            ["receipt", self.height, self.position, self.id, self.code.value, self.rule, self.findings]
        )


@dataclass(frozen=True, slots=True)
class Execution:
    """The result of one block.

    Attributes:
        height: of the block.
        receipts: one per transaction, in order.
        changes: changed keys and values in the order of the keys; None is a deletion.
        leaves: data of the leaves that it added to the Merkle log.
        checkpoint: what a node states of the log after it.
        changes_roster: whether who belongs to the network is another than before.
    """

    height: int
    receipts: tuple[Receipt, ...]
    changes: dict[str, bytes | None]
    leaves: tuple[bytes, ...]
    checkpoint: Checkpoint
    changes_roster: bool = False
