"""The durable log as the core reads it, and one that lives in memory.

Rules:

- The core only reads; the caller writes what a `Ready` hands out.
- What a snapshot stands for may be dropped, never more: `first_index() - 1 <= snapshot().index`. The term of the
  last entry dropped stays known.
- A storage shows what the caller has written up to its last `advance` or later; what is newer the core
  keeps itself, and it never reads an index that a write under way replaces.
- Recent entries are read from the core's own memory; a storage is asked for entries only at a restart and
  for what a slow peer lacks. A SQLite table behind it is fine.
- While a write is under way a storage may be unable to read entries or its snapshot (one connection, busy with
  its COMMIT). It says so, the peer is passed over, and served when the caller says that reading goes on.
"""

from collections.abc import Sequence
from typing import Protocol

from consensus.configuration import ConfState
from consensus.types import Entry, HardState, Snapshot


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

        Raises:
            StorageBusyError: it cannot be read now; asked only for what a slow peer lacks.
        """
        ...

    def snapshot(self) -> Snapshot | None:
        """The latest snapshot, for a peer that needs what was dropped; None if there is none to send now.

        Raises:
            StorageBusyError: it cannot be read now.
        """
        ...


class MemoryStorage:
    """A log and hard state in memory: the twin of a disk, for tests and for trying things out."""

    def __init__(self) -> None:
        self.hard_state = HardState()
        self._entries: list[Entry] = []
        self._first = 1
        self._first_term = 0
        self._snapshot: Snapshot | None = None

    def first_index(self) -> int:
        """See `Storage.first_index`."""
        return self._first

    def last_index(self) -> int:
        """See `Storage.last_index`."""
        return self._first + len(self._entries) - 1

    def term(self, index: int) -> int:
        """See `Storage.term`."""
        return self._entries[index - self._first].term if index >= self._first else self._first_term

    def entries(self, low: int, high: int, bytes_max: int) -> Sequence[Entry]:
        """See `Storage.entries`."""
        return fitting(self._entries[low - self._first : high - self._first], bytes_max)

    def snapshot(self) -> Snapshot | None:
        """See `Storage.snapshot`."""
        return self._snapshot

    def append(self, entries: Sequence[Entry]) -> None:
        """Stores `entries`, replacing whatever was stored from the first one's index on.

        Raises:
            ValueError: they would leave a gap.
        """
        if not entries:
            return
        first = entries[0].index
        if not self._first <= first <= self.last_index() + 1:
            raise ValueError(
                f"entry {first} leaves a gap after {self.last_index()}; store what comes before it first"
            )
        del self._entries[first - self._first :]
        self._entries.extend(entries)

    def create_snapshot(self, index: int, conf_state: ConfState, data: bytes = b"") -> Snapshot:
        """Makes a snapshot of what is applied up to `index`; drops nothing."""
        self._snapshot = Snapshot(index, self.term(index), conf_state, data)
        return self._snapshot

    def compact(self, index: int) -> None:
        """Drops entries up to and with `index`.

        Raises:
            ValueError: no snapshot stands for them.
        """
        if self._snapshot is None or index > self._snapshot.index:
            raise ValueError(f"no snapshot stands for entry {index}; make one first")
        if index >= self._first:
            self._first_term = self.term(index)
            del self._entries[: index + 1 - self._first]
            self._first = index + 1

    def apply_snapshot(self, snapshot: Snapshot) -> None:
        """Puts a snapshot received in the place of the whole log."""
        self._snapshot = snapshot
        self._entries = []
        self._first = snapshot.index + 1
        self._first_term = snapshot.term


def fitting(entries: list[Entry], bytes_max: int) -> list[Entry]:
    """The longest beginning of `entries` that fits `bytes_max`, but at least one where there is one."""
    total = 0
    for position, entry in enumerate(entries):
        total += entry.size_bytes
        if total > bytes_max and position:
            return entries[:position]
    return entries
