"""Raft's term, vote, commit and log.

Rules:
- The log is numbered without gaps from `first_index` to `last_index`; both stand in the progress row.
- A block's bytes are kept once, with the blocks; its log row names hash and height.
- Appending first deletes every row from the first new index on, and with them the bytes of blocks that no row
  names any longer and that were not executed. Executed entries are never deleted so.
- Compaction deletes log rows alone; executed blocks stay for ever. It goes no further than a snapshot that was
  recorded, and committed, before.
- Who Raft's members are is kept beside the applied index: a node starts from it, in the middle of a joint
  configuration too.
- A snapshot received takes the place of the whole log in one transaction; what it stands for is *awaited* until the
  state is here, and nothing is executed before.
- What is read is checked against its digest; terms are kept in memory, since Raft asks for them all the time.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import cast

import apsw

from ledger.errors import DamagedBlockError, DamagedStoreError
from ledger.store.rows import LogRow, SnapshotRow
from ledger.store.schema import block_digest, row_digest
from ledger.store.session import Progress, Session, check_digest

_ENTRIES = (
    "SELECT l.idx, l.term, l.type, l.data, l.block_hash, l.block_height, l.digest, b.digest, b.bytes "
    "FROM log l LEFT JOIN block b ON b.height = l.block_height AND b.hash = l.block_hash "
    "WHERE l.idx >= ? AND l.idx < ? ORDER BY l.idx"
)


class RaftRows(Session):
    """The part of the store that Raft stands on."""

    def __init__(
        self,
        connection: apsw.Connection,
        progress: Progress,
        hard_state: tuple[int, int, int],
        terms: array[int],
    ) -> None:
        super().__init__(connection, progress)
        self._hard_state = hard_state
        self._terms = terms  # of entries first_index .. last_index
        self._snapshot = SnapshotRow()
        self._snapshot_sequence = 0
        self._configuration = (0, b"")
        self._peers = b""

    def hard_state(self) -> tuple[int, int, int]:
        """Return term, vote (0 for none) and commit index, as last set."""
        return self._hard_state

    def set_hard_state(self, term: int, vote: int, commit: int) -> None:
        """Record term, vote and commit index in the open transaction.

        Raises:
            ValueError: if term or commit would go back, or the vote of a term would change.
        """
        old_term, old_vote, old_commit = self._hard_state
        if (term, vote, commit) == self._hard_state:
            return
        if term < old_term or commit < old_commit or (term == old_term and old_vote not in {0, vote}):
            raise ValueError(
                f"term, vote and commit {(term, vote, commit)} take back {self._hard_state}; Raft never does"
            )
        self._change()
        columns = (1, term, vote, commit)
        self.connection.execute(
            "INSERT OR REPLACE INTO hard_state VALUES (?, ?, ?, ?, ?)",
            (*columns, row_digest("hard_state", *columns)),
        )
        self._hard_state = (term, vote, commit)

    @property
    def configuration(self) -> tuple[int, bytes]:
        """The index of the last entry applied that changed Raft's members, and who they are, in the caller's bytes;
        (0, b"") before any did.
        """
        return self._configuration

    def set_configuration(self, index: int, data: bytes) -> None:
        """Record Raft's members as they are once the entry at `index` is applied, in the open transaction."""
        self._change()
        self.connection.execute(
            "INSERT OR REPLACE INTO configuration VALUES (1, ?, ?, ?)",
            (index, data, row_digest("configuration", 1, index, data)),
        )
        self._configuration = (index, data)

    @property
    def peers(self) -> bytes:
        """What the caller keeps of the peers that this node has met, in its own bytes."""
        return self._peers

    def set_peers(self, data: bytes) -> None:
        """Record what is to be kept of the peers, in the open transaction."""
        self._change()
        self.connection.execute(
            "INSERT OR REPLACE INTO peers VALUES (1, ?, ?)", (data, row_digest("peers", 1, data))
        )
        self._peers = data

    def entry_term(self, index: int) -> int:
        """Return the term of the entry at `index`, from `first_index - 1` to `last_index`; 0 for index 0.

        Raises:
            IndexError: if the log does not reach there, or no longer does.
        """
        offset = index - self.first_index
        if offset == -1:
            return self._progress.before_term
        if not 0 <= offset < len(self._terms):
            raise IndexError(f"log index {index} is outside {self.first_index - 1} .. {self.last_index}")
        return self._terms[offset]

    def entries(self, low: int, high: int, max_bytes: int) -> list[LogRow]:
        """Return entries `low` up to and without `high`.

        Args:
            low: first index.
            high: index after the last.
            max_bytes: stop before the data add up to more than this, but never before the first entry.

        Raises:
            IndexError: if the log does not hold all of them.
            DamagedBlockError: if an entry's block no longer matches its digest.
            DamagedStoreError: if a log row does not.
        """
        if not self.first_index <= low <= high <= self.last_index + 1:
            raise IndexError(
                f"log entries {low} .. {high - 1} are outside {self.first_index} .. {self.last_index}"
            )
        found: list[LogRow] = []
        size = 0
        for row in self.scan("log", _ENTRIES, (low, high)):
            entry = _read_entry(
                cast("tuple[int, int, int, bytes | None, bytes | None, int, bytes, bytes, bytes]", row)
            )
            size += len(entry.data)
            if found and size > max_bytes:
                return found
            if entry.index != low + len(found):
                break
            found.append(entry)
        if len(found) != high - low:
            raise DamagedStoreError(f"table log, entry {low + len(found)}", "the row is missing")
        return found

    def append_entries(self, rows: Sequence[LogRow]) -> None:
        """Replace the log from the first row's index on, in the open transaction.

        Args:
            rows: consecutive entries; empty does nothing.

        Raises:
            ValueError: if the rows have gaps, would leave one, or would replace executed entries.
        """
        if not rows:
            return
        first, last = rows[0].index, rows[-1].index
        if [row.index for row in rows] != list(range(first, last + 1)):
            raise ValueError(f"log entries {first} .. {last} are not consecutive")
        if not max(self.applied_index, self.first_index - 1) < first <= self.last_index + 1:
            raise ValueError(
                f"log entries from {first} do not fit a log of {self.first_index} .. {self.last_index}, "
                f"executed up to {self.applied_index}"
            )
        is_conflict = first <= self.last_index
        self._change(last_index=last)
        if is_conflict:
            self._truncate(first)
        self._insert_blocks([(*row.block, row.data) for row in rows if row.block is not None])
        self.connection.executemany("INSERT INTO log VALUES (?, ?, ?, ?, ?, ?, ?)", map(_log_columns, rows))
        self._terms.extend(row.term for row in rows)

    @property
    def snapshot(self) -> SnapshotRow:
        """The last snapshot taken or received; of index 0 if there was none."""
        return self._snapshot

    @property
    def releasable_index(self) -> int:
        """Up to where log entries may be forgotten: a snapshot committed before stands for them."""
        is_open = self.connection.in_transaction and self._snapshot_sequence == self.sequence
        return 0 if self._snapshot.awaited or is_open else self._snapshot.index

    def put_snapshot(self, snapshot: SnapshotRow) -> None:
        """Record a snapshot that this node took of what it has executed, in the open transaction.

        Raises:
            ValueError: if it is of something that was not executed, or older than the last one.
        """
        if not self._snapshot.index <= snapshot.index <= self.applied_index:
            raise ValueError(
                f"a snapshot at {snapshot.index} is not within {self._snapshot.index} .. {self.applied_index}"
            )
        self._write_snapshot(snapshot)

    def restore_log(self, snapshot: SnapshotRow) -> None:
        """Put a snapshot received in the place of the whole log, in the open transaction; its state is awaited.

        Raises:
            ValueError: if it is not ahead of everything executed.
        """
        if snapshot.index <= max(self.applied_index, self.first_index - 1):
            raise ValueError(
                f"a snapshot at {snapshot.index} is not ahead of what was executed ({self.applied_index})"
            )
        index = snapshot.index
        self._change(first_index=index + 1, before_term=snapshot.term, last_index=index)
        self._truncate(0)
        self._write_snapshot(snapshot)

    def _write_snapshot(self, snapshot: SnapshotRow) -> None:
        self._change()
        columns = (1, int(snapshot.awaited), snapshot.index, snapshot.term)
        rest = (snapshot.configuration, snapshot.data)
        self.connection.execute(
            "INSERT OR REPLACE INTO snapshot VALUES (?, ?, ?, ?, ?, ?, ?)",
            (*columns, *rest, row_digest("snapshot", *columns, *rest)),
        )
        self._snapshot = snapshot
        self._snapshot_sequence = self.sequence

    def compact(self, index: int) -> None:
        """Forget log entries up to and with `index`, in the open transaction; executed blocks stay.

        Raises:
            ValueError: if an entry would go that was not executed, or that no snapshot committed before stands for.
        """
        if index > self.applied_index:
            raise ValueError(f"log entry {index} is not executed yet ({self.applied_index} is); it must stay")
        if index > self.releasable_index:
            raise ValueError(
                f"log entry {index} must stay: no snapshot recorded and committed before stands for it "
                f"(the last is at {self._snapshot.index})"
            )
        if index < self.first_index:
            return
        self._change(first_index=index + 1, before_term=self.entry_term(index))
        self.connection.execute("DELETE FROM log WHERE idx <= ?", (index,))
        del self._terms[: len(self._terms) - (self.last_index - index)]

    def _truncate(self, first: int) -> None:
        gone = self.rows(
            "log",
            "SELECT DISTINCT block_height, block_hash FROM log WHERE idx >= ? AND block_hash IS NOT NULL",
            (first,),
        )
        self.connection.execute("DELETE FROM log WHERE idx >= ?", (first,))
        del self._terms[max(0, first - self.first_index) :]
        self.connection.executemany(
            "DELETE FROM block WHERE height = ?1 AND hash = ?2 "
            "AND NOT EXISTS (SELECT 1 FROM executed WHERE height = ?1 AND hash = ?2) "
            "AND NOT EXISTS (SELECT 1 FROM log WHERE block_hash = ?2)",
            gone,
        )

    def _insert_blocks(self, blocks: Sequence[tuple[bytes, int, bytes]]) -> None:
        self.connection.executemany(
            "INSERT INTO block VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (
                (height, block_hash, block_digest(height, block_hash, data), data)
                for block_hash, height, data in blocks
            ),
        )


def _log_columns(row: LogRow) -> tuple[int | bytes | None, ...]:
    block_hash, height = row.block or (None, None)
    columns = (row.index, row.term, row.type, None if row.block else row.data, block_hash, height)
    return (*columns, row_digest("log", *columns))


def _read_entry(
    row: tuple[int, int, int, bytes | None, bytes | None, int, bytes, bytes | None, bytes | None],
) -> LogRow:
    index, term, kind, data, block_hash, height, digest, stored_digest, stored = row
    check_digest("log", f"entry {index}", digest, index, term, kind, data, block_hash, height)
    if block_hash is None:
        return LogRow(index, term, kind, data or b"", None)
    if stored is None or block_digest(height, block_hash, stored) != stored_digest:
        raise DamagedBlockError(
            height, f"the bytes of log entry {index} are missing or do not match their digest"
        )
    return LogRow(index, term, kind, stored, (block_hash, height))
