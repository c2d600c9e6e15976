"""A node's ledger as it was at a certified height, out of the node's store.

Rules:
- What is handed out rests on a certificate; what the node executed beyond its latest one does not count.
- A node that stands higher executes its blocks again up to there.
"""

from __future__ import annotations

from dataclasses import dataclass

from ledger.block import decode_block
from ledger.execution import Ledger
from ledger.keys import Verifier
from ledger.store import Store
from scenarios.errors import RefusedError


@dataclass(frozen=True, slots=True)
class CertifiedLedger:
    """A ledger, and what certifies it.

    Attributes:
        ledger: executed up to that height.
        note: the certificate: a checkpoint with the orderers' signatures.
    """

    ledger: Ledger
    note: str

    @property
    def height(self) -> int:
        """The certified height."""
        return self.ledger.height


def latest_certified(store: Store, verifier: Verifier) -> CertifiedLedger:
    """Return a node's ledger at its latest certified height.

    Args:
        store: the node's.
        verifier: for the signatures.

    Raises:
        RefusedError: if the node has no certificate.
        DamagedStoreError, NotHereYetError: as `ledger_at`.
    """
    certificate = store.latest_certificate()
    if certificate is None:
        raise RefusedError(
            f"the node of {store.organization} has no certificate: nothing can be proven by it",
            "",
            "take another organization's node, or a run that converged",
        )
    height, note = certificate
    return CertifiedLedger(ledger_at(store, verifier, height), note)


def ledger_at(store: Store, verifier: Verifier, height: int) -> Ledger:
    """Return a node's ledger as it was at a height; one that stands higher executes its blocks again up to there.

    Args:
        store: whose derived data `load_ledger` may read.
        verifier: for the signatures.
        height: executed by the node.

    Raises:
        DamagedStoreError: if a block is damaged.
        NotHereYetError: if a block is not here.
    """
    ledger = store.load_ledger(verifier)
    if ledger.height == height:
        return ledger
    again = Ledger(store.genesis, verifier)
    while again.height < height:
        block = decode_block(store.block(again.height + 1), store.genesis.limits.block_bytes_max)
        again.execute(block, block.hash)
    return again
