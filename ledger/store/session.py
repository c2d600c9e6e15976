"""The store's connection, its open transaction, and the one row that says how far everything has got.

Rules:
- The first change after a commit opens a transaction and takes the next sequence number; the caller has it sealed,
  which writes the one row, commits, and then records the number in the watermark file. Nothing here commits.
- A transaction that was rolled back leaves this object's memory behind the file: the store must be opened
  again.
- The WAL is copied into the database only before a transaction begins, never inside a commit: so what is
  copied has been answered for by the watermark, and a WAL cut short by a flipped bit cannot mix with pages of
  a later commit that nobody would miss.
- What SQLite cannot read is named as damage of the table that was read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import cast

import apsw

from ledger.errors import DamagedStoreError
from ledger.store.schema import Column, row_digest

WAL_PAGES_MAX = 1000
"""WAL pages from which the next transaction begins with copying them into the database."""

Row = tuple[Column, ...]


_BROKEN = (apsw.CorruptError, apsw.NotADBError, UnicodeDecodeError)
_ELSEWHERE = (
    apsw.IOError,
    apsw.FullError,
    apsw.NoMemError,
    apsw.BusyError,
    apsw.LockedError,
    apsw.InterruptError,
)


@contextmanager
def damage_named(what: str, *, anything: bool = False) -> Iterator[None]:
    """Turn what SQLite says of a broken file into damage of `what`.

    Args:
        what: the name of the damage.
        anything: take every complaint of SQLite's for damage but those about disk and memory: right only for
            statements that never fail on a whole file.
    """
    try:
        yield
    except _ELSEWHERE:
        raise
    except _BROKEN as error:
        raise DamagedStoreError(what, str(error)) from error
    except apsw.Error as error:
        if anything:
            raise DamagedStoreError(what, str(error)) from error
        raise


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the store has got.

    Attributes:
        sequence: number of the open transaction, or of the last one.
        first_index: index of the first log entry that is or will be kept.
        before_term: term of the entry before it.
        last_index: index of the last log entry.
        applied_index: index of the last entry that was executed.
        height: the last executed block.
        inbox_index: the last received envelope.
        certificates: rows of certificates.
        pooled: rows of the pool.
        outgoing: rows of the outbox.
        gaps: rows of gaps that snapshots left.
    """

    sequence: int = 0
    first_index: int = 1
    before_term: int = 0
    last_index: int = 0
    applied_index: int = 0
    height: int = 0
    inbox_index: int = 0
    certificates: int = 0
    pooled: int = 0
    outgoing: int = 0
    gaps: int = 0

    def columns(self) -> tuple[int, ...]:
        """Return the row's columns between key and digest."""
        return (
            self.sequence,
            self.first_index,
            self.before_term,
            self.last_index,
            self.applied_index,
            self.height,
            self.inbox_index,
            self.certificates,
            self.pooled,
            self.outgoing,
            self.gaps,
        )


class Session:
    """A connection with its transaction and progress; the kinds of rows build on it.

    Attributes:
        connection: as given: exclusive, WAL, `synchronous=FULL`.
        repairs: what was found damaged and yet did not stop the node: rebuilt, or refused when asked for.
    """

    def __init__(self, connection: apsw.Connection, progress: Progress) -> None:
        self.connection = connection
        self.repairs: list[str] = []
        self._progress = progress
        self._wal_pages = pages = [0]

        def note_wal(_connection: apsw.Connection, _database: str, count: int) -> int:
            pages[0] = count
            return apsw.SQLITE_OK

        connection.set_wal_hook(note_wal)

    @property
    def sequence(self) -> int:
        """Number of the open transaction, or of the last one: what the watermark says after its commit."""
        return self._progress.sequence

    @property
    def first_index(self) -> int:
        """Index of the first log entry that is or will be kept."""
        return self._progress.first_index

    @property
    def last_index(self) -> int:
        """Index of the last log entry; `first_index - 1` if there is none."""
        return self._progress.last_index

    @property
    def applied_index(self) -> int:
        """Index of the last entry that was executed, in the same transaction as its effects."""
        return self._progress.applied_index

    @property
    def height(self) -> int:
        """The last executed block's height; 0 is genesis."""
        return self._progress.height

    def copy_wal(self) -> None:
        """Copy the WAL into the database; only while no transaction is open and the last one is in the
        watermark.

        The store does it by itself when the WAL has grown; a caller with a slow disk may do it at a better
        time.
        """
        self.connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        self._wal_pages[0] = 0

    def _change(self, **progress: int) -> None:
        """Open a transaction if none is open, and note progress, which is recorded when it is sealed."""
        if not self.connection.in_transaction:
            if self._wal_pages[0] >= WAL_PAGES_MAX:
                self.copy_wal()
            self.connection.execute("BEGIN IMMEDIATE")
            progress["sequence"] = self._progress.sequence + 1
        if progress:
            self._progress = replace(self._progress, **progress)

    def seal(self) -> int:
        """Record in the open transaction how far everything has got, and return its number; the caller commits it."""
        columns = self._progress.columns()
        self.connection.execute(
            "INSERT OR REPLACE INTO progress VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (*columns, row_digest("progress", 1, *columns)),
        )
        return self._progress.sequence

    def rows(self, table: str, sql: str, bindings: Sequence[Column] = ()) -> list[Row]:
        """Return all rows of a query over `table`."""
        with damage_named(f"table {table}"):
            return cast("list[Row]", self.connection.execute(sql, bindings).fetchall())

    def scan(self, table: str, sql: str, bindings: Sequence[Column] = ()) -> Iterator[Row]:
        """Yield the rows of a query over `table`, one by one."""
        with damage_named(f"table {table}"):
            yield from cast("Iterable[Row]", self.connection.execute(sql, bindings))


def check_digest(table: str, name: str, digest: Column, *columns: Column) -> None:
    """Refuse a row whose digest does not match.

    Args:
        table: the row's table.
        name: what an error calls the row.
        digest: as stored.
        columns: all other columns, key first.

    Raises:
        DamagedStoreError: if the row is not what was written.
    """
    if row_digest(table, *columns) != digest:
        raise DamagedStoreError(f"table {table}, {name}", "the row does not match its digest")
