"""Blocks, executed heights with this node's signed checkpoints, certificates, pool, state, leaves and
receipts.

Rules:
- `put_execution` moves state, leaves, receipts, pool, checkpoint and applied index in one transaction, or not
  at all.
- This node keeps at most one signed checkpoint per size, for ever: heights follow each other, sizes grow, and
  rows of executed heights are never changed or deleted.
- A block's bytes are hashed again at every read; bytes that do not match are never handed out.
- A receipt is kept as the leaf that the Merkle log hashes; its block's time stands beside it.
- Heights that a snapshot let this node pass over are not here until they were fetched, and asking for one says so.
  Its row then has neither checkpoint nor signature: this node states nothing of what it did not execute.
- The receipt of an id is the one that consumed it: a rubbish signature ordered first does not hide what came
  after.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping
from typing import cast

import apsw

from ledger.codes import Code
from ledger.encoding import Value, decode
from ledger.errors import DamagedBlockError, DamagedStoreError, NotHereYetError
from ledger.genesis import Genesis
from ledger.lineage import ConfigurationLink, build_link
from ledger.merkle import MerkleLog
from ledger.receipt import CONSUMING, Execution
from ledger.store.raftrows import RaftRows
from ledger.store.rows import GapRow, PoolRow, SecondCheckpointError, StoredReceipt
from ledger.store.schema import Column, block_digest, row_digest
from ledger.store.session import Progress, Row, check_digest

LEAF_BYTES_MAX = 1 << 20
_CODES = {code.value: code for code in Code}


class LedgerRows(RaftRows):
    """The part of the store that the executed ledger stands on."""

    def __init__(
        self,
        connection: apsw.Connection,
        *,
        progress: Progress,
        hard_state: tuple[int, int, int],
        terms: array[int],
        genesis: Genesis,
        size: int,
    ) -> None:
        super().__init__(connection, progress, hard_state, terms)
        self.genesis = genesis
        self._size = size  # leaves in the Merkle log
        self._gaps: list[GapRow] = []
        self._absent: dict[int, bool] = {}  # heights without whole bytes: true for damaged ones
        self._last_receipt: tuple[int, list[GapRow], int] | None = None  # height, gaps, leaf
        self._stale: list[str] = []  # why derived data must be rebuilt before they are read

    # Blocks.

    def block_hash(self, height: int) -> bytes:
        """Return an executed block's hash; at height 0, genesis'.

        Raises:
            IndexError: if the height is not executed.
            DamagedStoreError: if its row does not match its digest.
        """
        return self.genesis.hash if height == 0 else cast(bytes, self._executed(height)[1])

    def block(self, height: int) -> bytes:
        """Return an executed block's bytes, having hashed them again.

        Raises:
            IndexError: if the height is not executed; genesis has no block.
            NotHereYetError: if this node has not fetched it yet.
            DamagedBlockError: if the bytes are missing or do not match their digest.
        """
        block_hash = cast(bytes, self._executed(height)[1])
        if self._absent.get(height) is False:
            raise NotHereYetError(height)
        try:
            rows = self.rows(
                "block", "SELECT digest, bytes FROM block WHERE height = ? AND hash = ?", (height, block_hash)
            )
        except DamagedStoreError as error:
            self.note_damaged(height)
            raise DamagedBlockError(height, error.reason) from error
        if not rows:
            self.note_damaged(height)
            raise DamagedBlockError(height, "its bytes are missing")
        digest, data = cast("tuple[bytes, bytes]", rows[0])
        if block_digest(height, block_hash, data) != digest:
            self.note_damaged(height)
            raise DamagedBlockError(height, "its bytes do not match their digest")
        return data

    def put_block(self, height: int, block_hash: bytes, data: bytes) -> None:
        """Keep a block that came by another way than the log, or replace a damaged one, in the open
        transaction.

        Args:
            height: the block's.
            block_hash: its header's hash.
            data: its canonical bytes, which the caller has checked to be those of that hash.

        Raises:
            ValueError: if another block was executed at that height.
        """
        if 0 < height <= self.height and self.block_hash(height) != block_hash:
            raise ValueError(f"block {height} is executed with another hash than {block_hash.hex()}")
        self._change()
        self.connection.execute(
            "INSERT OR REPLACE INTO block VALUES (?, ?, ?, ?)",
            (height, block_hash, block_digest(height, block_hash, data), data),
        )
        self._absent.pop(height, None)

    def note_damaged(self, height: int) -> None:
        """Take note that an executed block's bytes were found damaged, so that they are fetched again."""
        self._absent[height] = True

    # Execution.

    def note_applied(self, index: int) -> None:
        """Record in the open transaction that an entry without a block was applied.

        Raises:
            ValueError: if `index` is not beyond what was applied.
        """
        self._check_applied(index)
        self._change(applied_index=index)

    def put_execution(
        self,
        execution: Execution,
        *,
        block_hash: bytes,
        applied_index: int | None,
        checkpoint_signature: bytes,
        removed: Iterable[bytes] = (),
    ) -> None:
        """Keep all that executing a block changed, in the open transaction.

        Args:
            execution: of the next height; its block's bytes are in the store already.
            block_hash: the block's.
            applied_index: index of the log entry that carried it; None for a block that came without the log.
            checkpoint_signature: this node's, over the execution's checkpoint; empty if it does not sign.
            removed: ids of transactions that leave the pool.

        Raises:
            SecondCheckpointError: if this node has signed another checkpoint of that height or size.
            ValueError: if the execution does not follow what the store holds.
        """
        checkpoint = execution.checkpoint
        text = checkpoint.text()
        self._check_next(execution, text, checkpoint_signature)
        if applied_index is not None:
            self._check_applied(applied_index)
        if not self.rows(
            "block", "SELECT 1 FROM block WHERE height = ? AND hash = ?", (execution.height, block_hash)
        ):
            raise ValueError(
                f"block {execution.height} {block_hash.hex()} has no bytes in the store; put them first"
            )
        moved = {} if applied_index is None else {"applied_index": applied_index}
        self._change(height=execution.height, **moved)
        time_ms = self._put_derived(execution)
        columns: tuple[Column, ...] = (
            execution.height,
            block_hash,
            checkpoint.size,
            time_ms,
            applied_index or 0,
            text.encode(),
            checkpoint_signature,
        )
        self._insert_executed(columns)
        self.pool_remove(removed)

    def own_checkpoint(self, height: int) -> tuple[str, bytes]:
        """Return the text of this node's checkpoint at an executed height, and its signature.

        The signature is empty where it signed none: as a node that does not order, or where a certificate told it
        what others executed. The text is empty too for a height that was fetched later.

        Raises:
            IndexError: if the height is not executed.
            NotHereYetError: if this node has not fetched it yet.
            DamagedStoreError: if its row does not match its digest.
        """
        row = self._executed(height)
        return cast(bytes, row[5]).decode(), cast(bytes, row[6])

    def log_index(self, height: int) -> int:
        """Return the index of the log entry that carried an executed block; 0 if it came without the log.

        Raises:
            IndexError: if the height is not executed.
            NotHereYetError: if this node has not fetched it yet.
            DamagedStoreError: if its row does not match its digest.
        """
        return cast(int, self._executed(height)[4])

    def ordered_height(self) -> int:
        """Return the last height that came by the log and is executed, 0 for none."""
        rows = self.rows("executed", "SELECT coalesce(max(height), 0) FROM executed WHERE log_index > 0")
        return cast(int, rows[0][0])

    def is_block(self, height: int, block_hash: bytes) -> bool | None:
        """Say whether an executed height has this block; None if a snapshot passed it over and nobody knows here yet.

        Raises:
            IndexError: if the height is not executed.
            DamagedStoreError: if its row does not match its digest.
        """
        try:
            return self.block_hash(height) == block_hash
        except NotHereYetError:
            return None

    def applied_block(self) -> tuple[int, int]:
        """Return index and height of the last block in the log up to the applied index; (0, 0) if none is there.

        It may have come by another way before: then its own row does not say which entry carries it.
        """
        rows = self.rows("log", _APPLIED_BLOCK, (self.applied_index,))
        return cast("tuple[int, int]", rows[0]) if rows else (0, 0)

    def size_at(self, height: int) -> int:
        """Return the number of leaves in the Merkle log after an executed height.

        Raises:
            IndexError: if the height is not executed.
            NotHereYetError: if this node has not fetched it yet.
            DamagedStoreError: if its row does not match its digest.
        """
        return cast(int, self._executed(height)[2])

    def block_time_ms(self, height: int) -> int:
        """Return an executed block's time, UTC milliseconds.

        Raises:
            IndexError: if the height is not executed.
            DamagedStoreError: if its row does not match its digest.
        """
        return cast(int, self._executed(height)[3])

    # Certificates.

    def put_certificate(self, height: int, note: str) -> None:
        """Keep a height's certificate, a signed note, in the open transaction; a later one replaces it."""
        is_new = not self.rows("certificate", "SELECT 1 FROM certificate WHERE height = ?", (height,))
        self._change(certificates=self._progress.certificates + is_new)
        data = note.encode()
        self.connection.execute(
            "INSERT OR REPLACE INTO certificate VALUES (?, ?, ?)",
            (height, data, row_digest("certificate", height, data)),
        )

    def certificate(self, height: int) -> str | None:
        """Return a height's certificate, or None if this node has none.

        Raises:
            DamagedStoreError: if its row does not match its digest.
        """
        found = self._certificate("SELECT height, note, digest FROM certificate WHERE height = ?", height)
        return found and found[1]

    def latest_certificate(self) -> tuple[int, str] | None:
        """Return the highest certified height and its certificate, or None.

        Raises:
            DamagedStoreError: if its row does not match its digest.
        """
        return self._certificate("SELECT height, note, digest FROM certificate ORDER BY height DESC LIMIT 1")

    def configuration_link(self, height: int, log: MerkleLog) -> ConfigurationLink | None:
        """Return the link of a height that changed the roster, or None while its certificate is not there.

        Args:
            height: as the roster's `heights` name it.
            log: the Merkle log, at that height or later.

        Raises:
            IndexError: if the height is not executed.
            DamagedStoreError: if what is read does not match its digest.
        """
        note = self.certificate(height)
        if note is None:
            return None
        return build_link(self.block(height), note, cast(int, self._executed(height)[2]), log)

    # The pool.

    def pool_put(self, id: bytes, raw: bytes, accepted_ms: int) -> None:  # noqa: A002 (it is the id)
        """Keep an accepted transaction in the open transaction; one that is there stays as it is."""
        self._change()
        self.connection.execute(
            "INSERT INTO pool VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (id, accepted_ms, raw, row_digest("pool", id, accepted_ms, raw)),
        )
        if self.connection.changes():
            self._change(pooled=self._progress.pooled + 1)

    def pool_rows(self) -> list[PoolRow]:
        """Return the pool, in the order of acceptance, then of ids.

        Raises:
            DamagedStoreError: if a row does not match its digest.
        """
        found: list[PoolRow] = []
        for row in self.rows(
            "pool", "SELECT id, accepted_ms, raw, digest FROM pool ORDER BY accepted_ms, id"
        ):
            key, accepted_ms, raw, digest = cast("tuple[bytes, int, bytes, bytes]", row)
            check_digest("pool", f"transaction {key.hex()}", digest, key, accepted_ms, raw)
            found.append(PoolRow(key, raw, accepted_ms))
        return found

    def pool_remove(self, ids: Iterable[bytes]) -> None:
        """Let transactions go from the pool, in the open transaction."""
        keys = [(key,) for key in ids]
        if keys:
            self._change()
            before = self.connection.total_changes()
            self.connection.executemany("DELETE FROM pool WHERE id = ?", keys)
            self._change(pooled=self._progress.pooled - (self.connection.total_changes() - before))

    # Receipts.

    def receipt(self, id: bytes) -> StoredReceipt | None:  # noqa: A002 (it is the id)
        """Return the receipt that consumed a transaction's id, else its last one, or None if it was never
        ordered.

        Raises:
            DamagedStoreError: if a leaf does not match its digest, or derived data wait for `load_ledger`.
        """
        self._require_derived()
        receipt = None
        for row in self.rows("leaf", f"{_LEAVES} WHERE id = ? ORDER BY idx", (id,)):
            receipt = _read_receipt(row)
            if receipt.code in CONSUMING:
                return receipt
        return receipt

    def receipts(self, after_index: int, limit: int) -> list[StoredReceipt]:
        """Return receipts beyond a leaf index (-1 for the first), oldest first, at most `limit`.

        None beyond a leaf that is not here yet: whoever reads on from one to the next misses nothing.

        Raises:
            DamagedStoreError: if a leaf does not match its digest, or derived data wait for `load_ledger`.
        """
        self._require_derived()
        sql = f"{_LEAVES} WHERE idx > ? AND idx < ? AND id IS NOT NULL ORDER BY idx LIMIT ?"
        end = min(
            (gap.leaf_first for gap in self._gaps if gap.leaf_end > after_index + 1), default=self._size
        )
        return [_read_receipt(row) for row in self.rows("leaf", sql, (after_index, end, limit))]

    def last_receipt_index(self, height: int) -> int:
        """Return the leaf index of the last receipt at or below a height, or -1.

        It is kept until another height is asked for or gaps change: who waits for receipts asks at every change.
        """
        self._require_derived()
        height = min(height, self.height)
        if height <= 0:
            return -1
        known = self._last_receipt
        if known is not None and known[0] == height and known[1] is self._gaps:
            return known[2]
        sql = "SELECT idx FROM leaf WHERE idx < ? AND id IS NOT NULL ORDER BY idx DESC LIMIT 1"
        rows = self.rows("leaf", sql, (self._executed(height)[2],))
        index = cast(int, rows[0][0]) if rows else -1
        self._last_receipt = (height, self._gaps, index)
        return index

    # Parts.

    def _executed(self, height: int) -> Row:
        if not 1 <= height <= self.height:
            raise IndexError(f"block {height} is not executed; heights are 1 .. {self.height}")
        rows = self.rows("executed", "SELECT * FROM executed WHERE height = ?", (height,))
        if not rows and any(gap.height_first <= height < gap.height_end for gap in self._gaps):
            raise NotHereYetError(height)
        if not rows:
            raise DamagedStoreError(f"table executed, height {height}", "the row is missing")
        check_digest("executed", f"height {height}", rows[0][-1], *rows[0][:-1])
        return rows[0]

    def _insert_executed(self, columns: tuple[Column, ...]) -> None:
        self.connection.execute(
            "INSERT INTO executed VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (*columns, row_digest("executed", *columns)),
        )

    def _certificate(self, sql: str, *bindings: int) -> tuple[int, str] | None:
        rows = self.rows("certificate", sql, bindings)
        if not rows:
            return None
        height, note, digest = cast("tuple[int, bytes, bytes]", rows[0])
        check_digest("certificate", f"height {height}", digest, height, note)
        return height, note.decode()

    def _check_applied(self, index: int) -> None:
        if index <= self.applied_index:
            raise ValueError(f"log entry {index} is applied already; {self.applied_index} was the last")

    def _check_next(self, execution: Execution, text: str, signature: bytes) -> None:
        height, size = execution.height, execution.checkpoint.size
        if height <= self.height:
            if self.own_checkpoint(height) != (text, signature):
                raise SecondCheckpointError(
                    f"this node has signed another checkpoint of height {height}, size {size}"
                )
            raise ValueError(f"block {height} is executed already; {self.height} was the last")
        if size <= self._size:
            raise SecondCheckpointError(
                f"height {height} has size {size}, but this node has signed checkpoints up to {self._size}"
            )
        if height != self.height + 1 or size != self._size + len(execution.leaves):
            raise ValueError(
                f"height {height} with {len(execution.leaves)} leaves up to size {size} does not follow "
                f"height {self.height} of size {self._size}"
            )

    def _put_derived(self, execution: Execution) -> int:
        """Write state, leaves and receipts; return the block's time, UTC milliseconds."""
        self._put_state(execution.changes)
        rows: list[Row] = []
        for index, columns in enumerate(leaf_columns(execution), self._size):
            rows.append((index, *columns, row_digest("leaf", index, *columns)))
        self.connection.executemany("INSERT INTO leaf VALUES (?, ?, ?, ?, ?)", rows)
        self._size += len(rows)
        return cast(int, rows[-1][2])

    def _put_state(self, changes: Mapping[str, bytes | None]) -> None:
        upserts = [(key, value) for key, value in changes.items() if value is not None]
        deletes = [(key,) for key, value in changes.items() if value is None]
        self.connection.executemany("INSERT OR REPLACE INTO state VALUES (?, ?)", upserts)
        if deletes:
            self.connection.executemany("DELETE FROM state WHERE key = ?", deletes)

    def _require_derived(self) -> None:
        if self._stale:
            raise DamagedStoreError("derived data", f"{'; '.join(self._stale)}; load_ledger rebuilds them")


_APPLIED_BLOCK = (
    "SELECT idx, block_height FROM log WHERE idx <= ? AND block_hash IS NOT NULL ORDER BY idx DESC LIMIT 1"
)
_LEAVES = "SELECT idx, id, time_ms, data, digest FROM leaf"


def _read_receipt(row: Row) -> StoredReceipt:
    index, key, time_ms, data, digest = cast("tuple[int, bytes, int, bytes, bytes]", row)
    check_digest("leaf", f"leaf {index}", digest, index, key, time_ms, data)
    fields = cast("tuple[str, int, int, bytes, str, str | None, list[str]]", decode_leaf(data))
    _, height, position, transaction_id, code, rule, findings = fields
    return StoredReceipt(
        index, height, position, transaction_id, _CODES[code], rule, tuple(findings), time_ms
    )


def leaf_columns(execution: Execution) -> list[tuple[bytes | None, int, bytes]]:
    """Return the columns of an execution's leaf rows between number and digest, in order."""
    count = len(execution.receipts)
    receipts, others = execution.leaves[:count], execution.leaves[count:]
    time_ms = cast(int, decode_leaf(others[-1])[3])
    rows: list[tuple[bytes | None, int, bytes]] = [
        (receipt.id, time_ms, data) for receipt, data in zip(execution.receipts, receipts, strict=True)
    ]
    return [*rows, *((None, time_ms, data) for data in others)]


def decode_leaf(leaf: bytes) -> list[Value]:
    """Return the fields of a leaf's data, its kind first."""
    return cast("list[Value]", decode(leaf, limit_bytes=LEAF_BYTES_MAX))
