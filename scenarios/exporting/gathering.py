"""Parts of a proof, gathered from what one node of a run kept.

Rules:
- All of it is public on the ledger: any node's store will do, and no key is needed.
- Everything is proven against the node's latest certificate; what lies beyond it does not count.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ledger.block import decode_block
from ledger.keys import Verifier
from ledger.lineage import ConfigurationLink
from ledger.proofs import ProvenAct, ProvenLeaf, ProvenRecord
from ledger.store import Store, StoredReceipt
from ledger.transaction import Transaction, parse_transaction
from scenarios.errors import RefusedError
from scenarios.exporting.certified import latest_certified

_PAGE = 500


@dataclass(frozen=True, slots=True)
class Found:
    """A VALID transaction on a node's certified ledger."""

    receipt: StoredReceipt
    transaction: Transaction
    raw: bytes


class Gathering:
    """A proof under way, out of one node's store.

    Args:
        store: the node's.
        verifier: for the signatures.

    Raises:
        RefusedError: if the node has no certificate.
    """

    def __init__(self, store: Store, verifier: Verifier) -> None:
        certified = latest_certified(store, verifier)
        self.store = store
        self.ledger, self.height, self.note = certified.ledger, certified.height, certified.note
        self._size = self.ledger.checkpoint.size

    def valid(self, *types: str) -> Iterator[Found]:
        """Yield the certified VALID transactions of some types, in the ledger's order."""
        after, height = -1, 0
        transactions: tuple[bytes, ...] = ()
        while page := self.store.receipts(after, _PAGE):
            after = page[-1].index
            for receipt in page:
                if receipt.code != "VALID" or receipt.height > self.height:
                    continue
                if receipt.height != height:
                    height = receipt.height
                    limit = self.store.genesis.limits.block_bytes_max
                    transactions = decode_block(self.store.block(height), limit).transactions
                raw = transactions[receipt.position]
                transaction = parse_transaction(raw, len(raw)).transaction
                if transaction.type in types:
                    yield Found(receipt, transaction, raw)

    def links(self) -> Iterator[ConfigurationLink]:
        """Yield every change of the roster up to the certified height, in order."""
        for height in self.ledger.roster.heights:
            link = self.store.configuration_link(height, self.ledger.log)
            if link is None:
                raise RefusedError(
                    f"the node of {self.store.organization} has no certificate of height {height}, which changed who"
                    " belongs to the network",
                    "",
                    "name another --node",
                )
            yield link

    def act(self, found: Found) -> ProvenAct:
        """Return a transaction with the leaves that prove it."""
        height = found.receipt.height
        return ProvenAct(
            found.raw, self._leaf(found.receipt.index), self._leaf(self.store.size_at(height) - 1)
        )

    def _leaf(self, index: int) -> ProvenLeaf:
        (data,) = self.store.leaves(index, index + 1)
        return ProvenLeaf(index, data, self.ledger.log.inclusion_proof(index, self._size))

    def record(self, key: str) -> ProvenRecord:
        """Return a record of the certified state with its proof."""
        value = self.ledger.state.get(key)
        if value is None:
            raise RefusedError(f"the state of {self.store.organization}'s node has no {key} any more")
        return ProvenRecord(value, self.ledger.prove(key).encode())
