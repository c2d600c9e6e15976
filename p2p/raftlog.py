"""The store's log as the Raft core reads it.

Rules:
- An executed block whose bytes are damaged is not sent to anybody: what stands before it is, and a follower that
  needs it waits for another leader. The node goes on with everything else.
- While a commit is under way nothing is read: the connection may be at work in a thread. What is in the store's
  memory, terms and bounds, is told all the same.
- A snapshot is told only while the state that it stands for can be had from this node.
- Damage in what is not executed yet stops the node: it has promised those bytes to others.
"""

from __future__ import annotations

from collections.abc import Sequence

from consensus import ConfState, Entry, EntryType, Snapshot, StorageBusyError
from ledger.encoding import decode, encode
from ledger.errors import DamagedBlockError, DamagedStoreError, EncodingError, MalformedError
from ledger.fields import Fields
from ledger.store import LogRow, Store

CONFIGURATION_BYTES_MAX = 4096
_SETS = ("voters", "voters_outgoing", "learners", "learners_next")


class StoredLog:
    """Reads entries out of the store; `consensus.Storage` in the shape of a table."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.withheld = 0  # how often a damaged block was asked for
        self.is_busy = False
        self.was_asked = False  # while busy
        self.refused = 0  # how often it was
        self.offers = False  # whether the state behind the store's snapshot is kept

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
        """Entries from `low` up to and without `high`, at least one, stopping early past `bytes_max`.

        None at all if the block of the first one is executed and damaged.

        Raises:
            StorageBusyError: while a commit is under way.
        """
        if self.is_busy:
            self.was_asked = True
            self.refused += 1
            raise StorageBusyError(
                f"entries {low} .. {high - 1} are not in memory, and a commit is under way"
            )
        try:
            return [to_entry(row) for row in self._store.entries(low, high, bytes_max)]
        except DamagedBlockError:
            return self._whole(low, high, bytes_max)

    def snapshot(self) -> Snapshot | None:
        """The latest snapshot, for a follower that needs what was dropped; None if its state is not kept here."""
        row = self._store.snapshot
        if not self.offers or row.awaited or not row.index:
            return None
        return Snapshot(row.index, row.term, read_configuration(row.configuration), row.data)

    def _whole(self, low: int, high: int, bytes_max: int) -> list[Entry]:
        """Entries before the first damaged one."""
        found: list[Entry] = []
        for index in range(low, high):
            try:
                (row,) = self._store.entries(index, index + 1, bytes_max)
            except DamagedBlockError as error:
                if index > self._store.applied_index:
                    raise
                self._store.note_damaged(error.height)
                self.withheld += 1
                break
            bytes_max -= len(row.data)
            if found and bytes_max < 0:
                break
            found.append(to_entry(row))
        return found


def configuration_bytes(conf: ConfState) -> bytes:
    """Return the canonical bytes of a configuration, as stores keep it."""
    return encode(
        {
            "voters": conf.voters,
            "voters_outgoing": conf.voters_outgoing,
            "learners": conf.learners,
            "learners_next": conf.learners_next,
            "auto_leave": conf.auto_leave,
        }
    )


def read_configuration(data: bytes) -> ConfState:
    """Return the configuration whose canonical bytes are `data`.

    Raises:
        DamagedStoreError: if the bytes are none.
    """
    try:
        fields = Fields(decode(data, limit_bytes=CONFIGURATION_BYTES_MAX), "configuration")
        sets = {name: _ids(fields, name) for name in _SETS}
        conf = ConfState(**sets, auto_leave=fields.boolean("auto_leave"))
        fields.finish()
    except (EncodingError, MalformedError) as error:
        raise DamagedStoreError("table snapshot, configuration", str(error)) from error
    return conf


def _ids(fields: Fields, name: str) -> tuple[int, ...]:
    ids = [item for item in fields.items(name, CONFIGURATION_BYTES_MAX) if type(item) is int]
    return tuple(ids)


def to_entry(row: LogRow) -> Entry:
    """Return a stored row as the core knows it."""
    return Entry(row.term, row.index, EntryType(row.type), row.data)
