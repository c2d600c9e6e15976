"""The switch to a state that was fetched, the gap that it leaves, and what was fetched so far.

Rules:
- State, height, applied index, certificate and gap change in one transaction, or not at all: a crash leaves the
  old ledger or the new one.
- Nothing here verifies: what comes in was held against a certificate, by its caller, before.
- A gap is filled from its lower end upwards, whole blocks at a time, so that whoever reads receipts in order can
  follow; block bytes come afterwards, in any order, and are missing until then.
- Chunks underway are scratch: one that does not match its digest is not there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import cast

from ledger.checkpoint import Checkpoint
from ledger.errors import DamagedStoreError
from ledger.store.ledgerrows import LedgerRows, decode_leaf
from ledger.store.rows import GapRow, SnapshotRow
from ledger.store.schema import Column, block_digest, row_digest
from ledger.store.session import Row, check_digest

HASH_BYTES = 32


class SyncRows(LedgerRows):
    """The part of the store that state sync stands on."""

    @property
    def gaps(self) -> Sequence[GapRow]:
        """What snapshots let this node pass over and was not fetched since, lowest first."""
        return self._gaps

    @property
    def absent_blocks(self) -> Mapping[int, bool]:
        """Heights whose bytes are not here, oldest entry first; true for those that were here and are damaged."""
        return self._absent

    @property
    def log_size(self) -> int:
        """Leaves in the Merkle log, those in gaps included."""
        return self._size

    def install(
        self,
        checkpoint: Checkpoint,
        *,
        note: str,
        time_ms: int,
        frontier: Sequence[bytes],
        changes: Mapping[str, bytes | None],
        snapshot: SnapshotRow | None,
        removed: Iterable[bytes] = (),
    ) -> None:
        """Go on from a certified height that this node did not execute, in the open transaction.

        Args:
            checkpoint: what its certificate certifies.
            note: the certificate.
            time_ms: its block's time.
            frontier: of the Merkle log at the checkpoint's size, largest subtree first.
            changes: from the present state to the checkpoint's; None is a deletion.
            snapshot: what stood for the log; None for a node without a log.
            removed: ids of transactions that leave the pool.

        Raises:
            ValueError: if the checkpoint is not ahead of what the store holds.
        """
        height, size = checkpoint.height, checkpoint.size
        if height <= self.height or size <= self._size:
            raise ValueError(
                f"a state of height {height}, size {size} is not ahead of {self.height}, size {self._size}"
            )
        gap = GapRow(self._size, size, self.height + 1, height, tuple(frontier))
        moved = {"height": height}
        if snapshot is not None:
            self._check_applied(snapshot.index)
            moved["applied_index"] = snapshot.index
        self._change(**moved)
        self._put_state(changes)
        self._size = size
        index = 0 if snapshot is None else snapshot.index
        columns = (height, checkpoint.block_hash, size, time_ms, index, checkpoint.text().encode(), b"")
        self._insert_executed(columns)
        self._note_bytes(height, checkpoint.block_hash)
        self._write_gap(gap)
        self.put_certificate(height, note)
        if snapshot is not None:
            self.put_snapshot(snapshot)
        self.pool_remove(removed)
        self.clear_chunks()

    def fill_leaves(self, leaves: Sequence[bytes]) -> None:
        """Fill in the lowest gap from its lower end, in the open transaction.

        Args:
            leaves: data of the leaves from there on, verified by the caller; the last one is a block's.

        Raises:
            ValueError: if there is no gap, or the leaves go beyond it or end within a block.
            DamagedStoreError: if a height has another block than this node took over.
        """
        if not self._gaps or len(leaves) > self._gaps[0].leaf_end - self._gaps[0].leaf_first:
            raise ValueError(f"{len(leaves)} leaves do not fit what is missing")
        gap = self._gaps[0]
        self._change()
        index = gap.leaf_first
        waiting: list[tuple[bytes | None, bytes]] = []
        next_height = gap.height_first
        for data in leaves:
            fields = decode_leaf(data)
            if fields[0] != "block":
                waiting.append((cast(bytes, fields[3]) if fields[0] == "receipt" else None, data))
                continue
            _, height, block_hash, time_ms, _ = cast("tuple[str, int, bytes, int, bytes]", tuple(fields))
            rows: list[tuple[Column, ...]] = [(key, time_ms, leaf) for key, leaf in waiting]
            rows.append((None, time_ms, data))
            self._insert_leaves(index, rows)
            index += len(rows)
            waiting.clear()
            self._fill_height(gap, height, block_hash, index, time_ms)
            next_height = height + 1
        if waiting:
            raise ValueError(f"{len(waiting)} leaves without their block's")
        self.connection.execute("DELETE FROM gap WHERE leaf_end = ?", (gap.leaf_end,))
        self._gaps = self._gaps[1:]
        self._change(gaps=self._progress.gaps - 1)
        if index < gap.leaf_end:
            self._write_gap(GapRow(index, gap.leaf_end, next_height, gap.height_end, gap.frontier))

    def leaves(self, first: int, end: int) -> list[bytes]:
        """Return the data of the leaves from one number up to and without another, as far as they are here.

        Raises:
            DamagedStoreError: if one does not match its digest, or derived data wait for `load_ledger`.
        """
        self._require_derived()
        sql = "SELECT idx, id, time_ms, data, digest FROM leaf WHERE idx >= ? AND idx < ? ORDER BY idx"
        found: list[bytes] = []
        for row in self.rows("leaf", sql, (first, end)):
            check_digest("leaf", f"leaf {row[0]!r}", row[-1], *row[:-1])
            found.append(cast(bytes, row[3]))
        return found

    # Chunks of a state underway.

    def put_chunk(self, name: bytes, data: bytes) -> None:
        """Keep a verified chunk under its hash, in the open transaction."""
        self._change()
        self.connection.execute(
            "INSERT OR REPLACE INTO chunk VALUES (?, ?, ?)", (name, data, row_digest("chunk", name, data))
        )

    def chunk(self, name: bytes) -> bytes | None:
        """Return the chunk with this hash, or None if there is none that is whole."""
        rows = self.rows("chunk", "SELECT data, digest FROM chunk WHERE hash = ?", (name,))
        if not rows or row_digest("chunk", name, rows[0][0]) != rows[0][1]:
            return None
        return cast(bytes, rows[0][0])

    def clear_chunks(self) -> None:
        """Forget every chunk, in the open transaction."""
        self._change()
        self.connection.execute("DELETE FROM chunk")

    # Parts.

    def _fill_height(self, gap: GapRow, height: int, block_hash: bytes, size: int, time_ms: int) -> None:
        if height < gap.height_end:
            self._insert_executed((height, block_hash, size, time_ms, 0, b"", b""))
            self._note_bytes(height, block_hash)
        elif self.block_hash(height) != block_hash:
            raise DamagedStoreError(f"height {height}", "its leaf names another block than was taken over")

    def _insert_leaves(self, first: int, rows: Sequence[Row]) -> None:
        numbered = [(index, *columns) for index, columns in enumerate(rows, first)]
        self.connection.executemany(
            "INSERT INTO leaf VALUES (?, ?, ?, ?, ?)",
            [(*columns, row_digest("leaf", *columns)) for columns in numbered],
        )

    def _note_bytes(self, height: int, block_hash: bytes) -> None:
        """Note whether a height's bytes are here; a log may have brought them."""
        rows = self.rows(
            "block", "SELECT digest, bytes FROM block WHERE height = ? AND hash = ?", (height, block_hash)
        )
        if not rows or block_digest(height, block_hash, rows[0][1]) != rows[0][0]:
            self._absent[height] = False

    def _write_gap(self, gap: GapRow) -> None:
        frontier = b"".join(gap.frontier)
        columns = (gap.leaf_end, gap.leaf_first, gap.height_first, gap.height_end, frontier)
        self._change(gaps=self._progress.gaps + 1)
        self.connection.execute(
            "INSERT INTO gap VALUES (?, ?, ?, ?, ?, ?)", (*columns, row_digest("gap", *columns))
        )
        self._gaps = sorted([*self._gaps, gap], key=lambda one: one.leaf_first)
