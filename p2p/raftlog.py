"""The store's log as the Raft core reads it."""

from __future__ import annotations

from collections.abc import Sequence

from consensus import Entry, EntryType
from ledger.store import LogRow, Store


class StoredLog:
    """Reads entries out of the store; `consensus.Storage` in the shape of a table."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def first_index(self) -> int:
        """The index of the first entry that is or will be stored."""
        return self._store.first_index

    def last_index(self) -> int:
        """The index of the last entry stored."""
        return self._store.last_index

    def term(self, index: int) -> int:
        """The term of the entry at `index`; 0 for index 0."""
        return self._store.entry_term(index)

    def entries(self, low: int, high: int, bytes_max: int) -> Sequence[Entry]:
        """Entries from `low` up to and without `high`, at least one, stopping early past `bytes_max`."""
        return [to_entry(row) for row in self._store.entries(low, high, bytes_max)]


def to_entry(row: LogRow) -> Entry:
    """Return a stored row as the core knows it."""
    return Entry(row.term, row.index, EntryType(row.type), row.data)
