"""What a node tells its own organization: statuses, receipts, blocks, proofs. Reads only.

Rules:
- A receipt is told once it is certified: an agent acts on nothing that a fork could take back.
- A block is re-hashed whenever it is read; a damaged one is refused by name, the rest is served: a receipt whose
  block is damaged is told, with the damage in place of its transaction's body.
- Proofs are against the latest certificate, so that whoever holds genesis can check them alone.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

from ledger.block import Block, decode_block
from ledger.codes import Code
from ledger.contracts.membership.standing import state_of
from ledger.encoding import Value, decode, encode
from ledger.errors import DamagedBlockError, MalformedError, NotHereYetError
from ledger.members import Member
from ledger.merkle import leaf_hash
from ledger.state import VALUE_BYTES_MAX
from ledger.store import StoredReceipt
from ledger.transaction import Transaction, parse_transaction
from p2p.answers import Json
from p2p.finality import Finality, TransactionStatus
from p2p.node import Node

RECEIPTS_MAX = 500
BLOCKS_CACHED = 16


@dataclass(slots=True)
class Views:
    """The reading side of one node."""

    node: Node
    _blocks: OrderedDict[int, Block] = field(default_factory=OrderedDict)

    def status(self, transaction_id: bytes) -> TransactionStatus | None:
        """Return how final a transaction is, or None if this node does not know it.

        Raises:
            NotHereYetError: if it may be in what this node has not fetched yet.
        """
        node = self.node
        receipt = node.store.receipt(transaction_id)
        waiting = node.pool.get(transaction_id)
        if receipt is not None and (waiting is None or Code[receipt.code].ends):
            certified = receipt.height <= node.certifier.certified_height
            return TransactionStatus(
                transaction_id,
                Finality.CERTIFIED if certified else Finality.COMMITTED,
                receipt.code,
                receipt.rule,
                receipt.findings,
                receipt.height,
                receipt.position,
                receipt.index,
                receipt.time_ms,
            )
        if waiting is None and node.store.gaps:
            raise NotHereYetError(node.store.gaps[0].height_first)  # it may be in there
        if waiting is None:
            expired = node.intake.expired_ids
            if transaction_id not in expired:
                return None
            return TransactionStatus(transaction_id, Finality.EXPIRED, expired[transaction_id])
        if node.pool.is_ordered(transaction_id, node.ordering.staged_index):
            step = Finality.ORDERED
        elif waiting.is_accepted:
            step = Finality.ACCEPTED
        else:
            return None  # on its way to the disk: not accepted yet, and nothing may say so
        return TransactionStatus(transaction_id, step, accepted_ms=waiting.accepted_ms)

    def receipts(self, after: int, limit: int) -> tuple[int, list[Json]]:
        """Return certified receipts beyond leaf `after`, oldest first, and where to go on.

        Args:
            after: the last leaf index already seen, -1 for none.
            limit: the most receipts to return.
        """
        certified = self.node.certifier.certified_height
        found: list[StoredReceipt] = []
        for receipt in self.node.store.receipts(after, min(limit, RECEIPTS_MAX)):
            # Receipts come before the blocks when history is fetched; none is told without its transaction.
            if receipt.height > certified or self.node.store.absent_blocks.get(receipt.height) is False:
                break
            found.append(receipt)
        return (found[-1].index if found else after), [self._receipt(receipt) for receipt in found]

    def has_receipts(self, after: int) -> bool:
        """Whether there is a certified receipt beyond leaf `after`."""
        store, certified = self.node.store, self.node.certifier.certified_height
        if after >= store.last_receipt_index(certified):
            return False
        if not store.gaps and not store.absent_blocks:  # all of the past is here: no row need be read
            return True
        return any(
            r.height <= certified and store.absent_blocks.get(r.height) is not False
            for r in store.receipts(after, 1)
        )

    def block(self, height: int) -> Block:
        """Return a block.

        Raises:
            DamagedBlockError: if its bytes on this disk no longer match its hash.
            NotHereYetError: if this node has not fetched it yet.
        """
        block = self._blocks.get(height)
        if block is None:
            limit = self.node.config.genesis.limits.block_bytes_max
            block = decode_block(self.node.store.block(height), limit)
            self._blocks[height] = block
            if len(self._blocks) > BLOCKS_CACHED:
                self._blocks.popitem(last=False)
        return block

    def block_json(self, height: int) -> Json:
        """Return a block with its header's fields and its transactions' bytes."""
        node = self.node
        block = decode_block(node.store.block(height), node.config.genesis.limits.block_bytes_max)
        header = block.header
        return {
            "height": header.height,
            "hash": block.hash.hex(),
            "previous": header.previous.hex(),
            "term": header.term,
            "time_ms": header.time_ms,
            "transactions_root": header.transactions_root.hex(),
            "proposer": header.proposer,
            "signature": block.signature.hex(),
            "transactions": [raw.hex() for raw in block.transactions],
            "certified": height <= node.certifier.certified_height,
        }

    def proof(self, transaction_id: bytes) -> Json:
        """Return the inclusion proof of a certified transaction's receipt, or None if it is not certified.

        The proof is an RFC 6962 audit path from the receipt's leaf to the root of the latest certificate.
        """
        receipt = self.node.store.receipt(transaction_id)
        latest = self.node.store.latest_certificate()
        if receipt is None or latest is None or receipt.height > latest[0]:
            return None
        size = self.node.store.size_at(latest[0])
        leaf = encode(
            [
                "receipt",
                receipt.height,
                receipt.position,
                receipt.id,
                receipt.code,
                receipt.rule,
                list(receipt.findings),
            ]
        )
        log = self.node.ledger.log
        if self.node.store.gaps and receipt.index < self.node.store.gaps[-1].leaf_end:
            raise NotHereYetError(receipt.height)
        if leaf_hash(leaf) != log.leaf(receipt.index):
            raise AssertionError(f"receipt {receipt.index} does not give the leaf the log holds")
        return {
            "id": transaction_id.hex(),
            "leaf": leaf.hex(),
            "index": receipt.index,
            "size": size,
            "path": [step.hex() for step in log.inclusion_proof(receipt.index, size)],
            "certificate": latest[1],
        }

    def members(self) -> Json:
        """Return the roster after the last executed block, with every key and node there ever was."""
        roster = self.node.ledger.roster
        return {
            "height": self.node.ledger.height,
            "heights": list(roster.heights),
            "orderers": list(roster.orderers),
            "quorum": roster.quorum,
            "majority": roster.majority,
            "next_raft_id": roster.next_raft_id,
            "rules": roster.rules,
            "members": [
                {"id": member.id, **_record(member), "standing": state_of(member).value}
                for member in roster.everyone
            ],
        }

    def state(self, key: str, *, with_proof: bool) -> Json:
        """Return a state value, absent or not, and on demand its proof against the state root."""
        ledger = self.node.ledger
        value = ledger.state.get(key)
        answer: dict[str, Json] = {
            "key": key,
            "height": ledger.height,
            "state_root": ledger.state_root.hex(),
            "value": None if value is None else value.hex(),
        }
        if value is not None:
            answer["fields"] = to_json(ledger.state.get_map(key))
        if with_proof:
            answer["proof"] = ledger.prove(key).encode().hex()
        return answer

    def _receipt(self, receipt: StoredReceipt) -> Json:
        answer: dict[str, Json] = {
            "index": receipt.index,
            "height": receipt.height,
            "position": receipt.position,
            "id": receipt.id.hex(),
            "code": receipt.code,
            "rule": receipt.rule,
            "findings": list(receipt.findings),
            "time_ms": receipt.time_ms,
        }
        try:
            transaction = self._transaction(receipt)
        except DamagedBlockError as error:
            answer["damaged"] = str(error)
            return answer
        if transaction is not None:
            answer["type"] = transaction.type
            answer["creator"] = transaction.creator
            answer["documents"] = [root.hex() for root in transaction.documents]
            answer["body"] = to_json(transaction.body)
        return answer

    def _transaction(self, receipt: StoredReceipt) -> Transaction | None:
        """Return the transaction behind a receipt, or None if its bytes were malformed."""
        raw = self.block(receipt.height).transactions[receipt.position]
        try:
            limit = self.node.config.genesis.limits.transaction_bytes_max
            return parse_transaction(raw, limit).transaction
        except MalformedError:
            return None


def _record(member: Member) -> dict[str, Json]:
    record = to_json(decode(member.encode(), limit_bytes=VALUE_BYTES_MAX))
    if not isinstance(record, dict):
        raise TypeError("a member's record is a map")
    return record


def to_json(value: Value) -> Json:
    """Return a canonical value as JSON: bytes become lower-case hex."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, list):
        return [to_json(item) for item in value]
    if isinstance(value, dict):
        return {key: to_json(item) for key, item in value.items()}
    return value
