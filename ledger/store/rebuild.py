"""The executed ledger out of the store: restored from derived tables, or executed again.

Rules:
- What is restored must give the state root and the log root of the last checkpoint that this node signed.
- Where it does not, every block is checked and executed again from genesis, and each must give the checkpoint
  that was signed over it. If one does not, or its bytes are damaged, nothing is left to rebuild from.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from ledger.block import check_block, decode_block
from ledger.checkpoint import parse_checkpoint
from ledger.errors import BadBlockError, DamagedStoreError, LedgerError
from ledger.execution import Ledger
from ledger.keys import Verifier
from ledger.merkle import MerkleLog, leaf_hash
from ledger.receipt import Execution
from ledger.store.schema import row_digest
from ledger.store.session import Row
from ledger.store.syncrows import SyncRows


class StaleError(Exception):
    """Derived data are damaged, or do not give what this node has signed."""


def restore(store: SyncRows, verifier: Verifier) -> Ledger:
    """Return the ledger that the derived tables hold.

    Raises:
        StaleError: if they are damaged, or do not give the roots of the last signed checkpoint.
    """
    try:
        log = _read_log(store)
        items = cast(
            "list[tuple[str, bytes]]", store.rows("state", "SELECT key, value FROM state ORDER BY key")
        )
        height = store.height
        if height == 0:
            ledger = Ledger(store.genesis, verifier)
            if list(ledger.state.items()) != items or log.size:
                raise StaleError("the state is not genesis'")
            return ledger
        ledger = Ledger.restore(
            store.genesis,
            verifier,
            height=height,
            block_hash=store.block_hash(height),
            time_ms=store.block_time_ms(height),
            state_items=items,
            log=log,
        )
    except DamagedStoreError as error:
        raise StaleError(f"{error.what}: {error.reason}") from error
    except LedgerError as error:
        raise StaleError(f"table state: {error}") from error
    signed = parse_checkpoint(store.own_checkpoint(height)[0])
    if ledger.state_root != signed.state_root:
        raise StaleError(f"the state gives another root than this node signed at height {height}")
    if ledger.log.size != signed.size or ledger.log.root() != signed.root:
        raise StaleError(f"the leaves give another log than this node signed at height {height}")
    return ledger


def _read_log(store: SyncRows) -> MerkleLog:
    log = MerkleLog()
    gaps = list(store.gaps)
    for row in read_leaves(store):
        while gaps and gaps[0].leaf_first == log.size:
            log.skip(gaps[0].leaf_end, gaps.pop(0).frontier)
        log.append(leaf_hash(cast(bytes, row[3])))
    for gap in gaps:
        log.skip(gap.leaf_end, gap.frontier)
    return log


def read_leaves(store: SyncRows) -> Iterator[Row]:
    """Yield the leaf rows that are here, in order, each checked.

    Raises:
        DamagedStoreError: if one does not match its digest, or the numbers have a gap.
    """
    expected = -1
    ends = {gap.leaf_first: gap.leaf_end for gap in store.gaps}
    for row in store.scan("leaf", "SELECT * FROM leaf"):
        expected += 1
        while expected in ends:
            expected = ends[expected]
        if row_digest("leaf", *row[:-1]) != row[-1]:
            raise DamagedStoreError(f"table leaf, leaf {row[0]!r}", "the row does not match its digest")
        if row[0] != expected:
            raise DamagedStoreError(f"table leaf, leaf {expected}", "the row is missing")
        yield row


def execute_again(store: SyncRows, ledger: Ledger) -> Iterator[Execution]:
    """Check and execute every block, and compare it with the checkpoint that was signed over it.

    Args:
        store: with the blocks.
        ledger: at genesis; it goes along.

    Yields:
        Each block's execution.

    Raises:
        DamagedStoreError: at the first block that is damaged, does not hold, or gives another checkpoint.
        NotHereYetError: at the first block that is not here yet.
    """
    genesis = store.genesis
    for height in range(1, store.height + 1):
        data = store.block(height)
        try:
            block = decode_block(data, genesis.limits.block_bytes_max)
            check_block(
                block,
                genesis,
                ledger.roster,
                ledger.verifier,
                height=height,
                previous=ledger.block_hash,
                not_before_ms=ledger.time_ms,
                size_bytes=len(data),
            )
        except BadBlockError as error:
            raise DamagedStoreError(f"block {height}", str(error)) from error
        execution = ledger.execute(block, store.block_hash(height))
        stated = store.own_checkpoint(height)[0]
        if stated and execution.checkpoint.text() != stated:
            raise DamagedStoreError(
                f"block {height}", "executing it gives another checkpoint than this node signed"
            )
        yield execution
