"""The durable log as the core reads it, and one that lives in memory.

Rules:

- The core only reads; the caller writes what a `Ready` hands out.
- A storage shows what the caller has written up to its last `advance` or later; what is newer the core
  keeps itself, and it never reads an index that a write under way replaces.
- Recent entries are read from the core's own memory; a storage is asked only for what a slow peer or a
  restart needs. A SQLite table behind it is fine.
"""

from collections.abc import Sequence
from typing import Protocol

from consensus.types import Entry, HardState


class Storage(Protocol):
    """The durable log as the core reads it."""

    def first_index(self) -> int:
        """The index of the first entry that is or will be stored; 1 for a log kept from its beginning."""
        ...

    def last_index(self) -> int:
        """The index of the last entry stored; `first_index() - 1` when there is none."""
        ...

    def term(self, index: int) -> int:
        """The term of the entry at `index`, `first_index() - 1 <= index <= last_index()`; 0 for index 0."""
        ...

    def entries(self, low: int, high: int, bytes_max: int) -> Sequence[Entry]:
        """Entries from `low` up to and without `high`, all stored.

        May stop early once `Entry.size_bytes` add up to more than `bytes_max`, but gives at least one.
        """
        ...


class MemoryStorage:
    """A log and hard state in memory: the twin of a disk, for tests and for trying things out."""

    def __init__(self) -> None:
        self.hard_state = HardState()
        self._entries: list[Entry] = []

    def first_index(self) -> int:
        """See `Storage.first_index`."""
        return 1

    def last_index(self) -> int:
        """See `Storage.last_index`."""
        return len(self._entries)

    def term(self, index: int) -> int:
        """See `Storage.term`."""
        return self._entries[index - 1].term if index else 0

    def entries(self, low: int, high: int, bytes_max: int) -> Sequence[Entry]:
        """See `Storage.entries`."""
        return fitting(self._entries[low - 1 : high - 1], bytes_max)

    def append(self, entries: Sequence[Entry]) -> None:
        """Stores `entries`, replacing whatever was stored from the first one's index on.

        Raises:
            ValueError: they would leave a gap.
        """
        if not entries:
            return
        first = entries[0].index
        if first > len(self._entries) + 1:
            raise ValueError(
                f"entry {first} leaves a gap after {len(self._entries)}; store what comes before it first"
            )
        del self._entries[first - 1 :]
        self._entries.extend(entries)


def fitting(entries: list[Entry], bytes_max: int) -> list[Entry]:
    """The longest beginning of `entries` that fits `bytes_max`, but at least one where there is one."""
    total = 0
    for position, entry in enumerate(entries):
        total += entry.size_bytes
        if total > bytes_max and position:
            return entries[:position]
    return entries
