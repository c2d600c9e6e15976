"""Storage and what is not yet stored, seen as one log.

Rules:

- `applied <= applying <= commit <= last`, `stable <= handed <= last`, and commit never goes back.
- The log begins after what a snapshot stands for: from there on every term is known, below it none.
- A snapshot received replaces everything. Until it is written nothing above the old commit index is stable, and
  no write under way can make it so.
- Truncation happens only where an entry of another term stands at the index (Raft paper, section 5.3); what
  is committed is never truncated.
- An entry is stable when the write that carries it is done *and* nothing has replaced it since: a
  truncation lowers every write under way, so a late completion cannot vouch for entries it did not write.
- Everything from `offset` on is in memory: all that is not both stable and applied, and a bounded tail of
  the rest, so that the usual reads never touch the storage. What a storage is asked for is stable and applied.
"""

from collections import deque
from collections.abc import Sequence

from consensus.errors import CommittedConflictError, InconsistentStateError
from consensus.storage import Storage, fitting
from consensus.types import Entry, HardState, Snapshot

PAGE_BYTES = 1 << 20


class RaftLog:
    """The log of one node.

    Attributes:
        last_index: the last entry's index.
        last_term: the last entry's term.
        stable: the last index known to be durable as it now reads.
        handed: the last index handed out to be written.
        commit: the highest index known to be committed.
        applying: the last index handed out to be applied.
        applied: the last index the caller has applied.
        truncates_on_conflict_only: false only where a test shows what that costs.
        pending_snapshot: a snapshot received and not yet handed out.
    """

    __slots__ = (
        "_before_term",
        "_entries",
        "_floor",
        "_offset",
        "_storage",
        "_tail_bytes",
        "_tail_bytes_max",
        "_writes",
        "applied",
        "applying",
        "commit",
        "handed",
        "last_index",
        "last_term",
        "pending_snapshot",
        "stable",
        "truncates_on_conflict_only",
    )

    def __init__(self, storage: Storage, hard_state: HardState, applied: int, tail_bytes_max: int) -> None:
        last = storage.last_index()
        check_restart(storage, hard_state, applied)
        self._storage = storage
        self._entries: list[Entry] = _unapplied(storage, applied, last)
        self._offset = applied + 1
        self._floor = 0
        self.truncates_on_conflict_only = True
        self.pending_snapshot: Snapshot | None = None
        self._before_term = storage.term(applied) if applied else 0
        self._tail_bytes = sum(entry.size_bytes for entry in self._entries)
        self._tail_bytes_max = tail_bytes_max
        self._writes: deque[list[int]] = deque()
        self.last_index = last
        self.last_term = storage.term(last) if last else 0
        self.stable = last
        self.handed = last
        self.commit = max(hard_state.commit, applied)
        self.applying = applied
        self.applied = applied

    @property
    def first_index(self) -> int:
        """The first index this log can show."""
        return max(self._storage.first_index(), self._floor + 1)

    def stored_snapshot(self) -> Snapshot | None:
        """The storage's snapshot, if it has one that stands for all that was dropped."""
        snapshot = self._storage.snapshot()
        if snapshot is None or snapshot.index + 1 < self._storage.first_index():
            return None
        return snapshot

    def term(self, index: int) -> int | None:
        """The term of the entry at `index`; None where this log cannot tell."""
        position = index - self._offset
        if position >= 0:
            return self._entries[position].term if position < len(self._entries) else None
        if position == -1:
            return self._before_term
        if index < self.first_index - 1:
            return None
        return self._storage.term(index)

    def matches(self, index: int, term: int) -> bool:
        """Whether this log has an entry of `term` at `index`."""
        return self.term(index) == term

    def is_up_to_date(self, index: int, term: int) -> bool:
        """Whether a log that ends so is at least as up to date as this one (Raft paper, section 5.4.1)."""
        return (term, index) >= (self.last_term, self.last_index)

    def slice(self, low: int, high: int, bytes_max: int) -> list[Entry]:
        """Entries from `low` up to and without `high`, within `bytes_max` but at least one if any."""
        if low >= self._offset:
            return fitting(self._entries[low - self._offset : high - self._offset], bytes_max)
        stored_end = min(high, self._offset)
        found = list(self._storage.entries(low, stored_end, bytes_max))
        if high > stored_end and len(found) == stored_end - low:
            found.extend(self._entries[: high - self._offset])
        return fitting(found, bytes_max)

    def size_bytes(self, low: int, high: int) -> int:
        """What the entries in memory from `low` up to and without `high` count for."""
        offset = self._offset
        return sum(entry.size_bytes for entry in self._entries[max(low - offset, 0) : max(high - offset, 0)])

    def append(self, entry: Entry) -> None:
        """Appends a leader's own entry, which is the next one."""
        self._entries.append(entry)
        self._tail_bytes += entry.size_bytes
        self.last_index = entry.index
        self.last_term = entry.term

    def merge(self, index: int, term: int, entries: Sequence[Entry], sender: int) -> int | None:
        """Takes in a leader's entries that follow the entry of `term` at `index`.

        Returns:
            The last index the message covers, or None if this log has no such entry. Of a message that
            begins below the log's own beginning it takes nothing: that place is committed here and there.

        Raises:
            CommittedConflictError: they contradict what is committed; the log is unchanged.
        """
        before = self.term(index)
        if before is None and index < self.commit:
            return index
        if before != term:
            if before is not None and index <= self.commit:
                raise CommittedConflictError(index, before, term, self.commit, sender)
            return None
        for position, entry in enumerate(entries):
            ours = self.term(entry.index)
            if ours != entry.term:
                if ours is not None:
                    if entry.index <= self.commit:
                        raise CommittedConflictError(entry.index, ours, entry.term, self.commit, sender)
                    self._truncate(entry.index)
                for new in entries[position:]:
                    self.append(new)
                break
        covered = index + len(entries)
        if not self.truncates_on_conflict_only and self.last_index > covered:
            self._truncate(covered + 1)
        return covered

    def _truncate(self, index: int) -> None:
        """Drops the entry at `index` and all after it, also from what writes under way vouch for."""
        before = self.term(index - 1)
        if before is None:
            raise InconsistentStateError(
                f"the log cannot tell the term of entry {index - 1}, so cannot cut there"
            )
        if index >= self._offset:
            del self._entries[index - self._offset :]
        else:
            self._entries.clear()
            self._offset = index
            self._before_term = before
        self._tail_bytes = sum(entry.size_bytes for entry in self._entries)
        self.last_index = index - 1
        self.last_term = before
        self.stable = min(self.stable, index - 1)
        self.handed = min(self.handed, index - 1)
        for write in self._writes:
            write[1] = min(write[1], index - 1)

    def restore(self, snapshot: Snapshot) -> None:
        """Puts a snapshot ahead of the commit index in the place of the whole log."""
        self.stable = min(self.stable, self.commit)
        for write in self._writes:
            write[1] = min(write[1], self.commit)
        self._entries = []
        self._tail_bytes = 0
        self._floor = self.commit = self.applying = self.handed = self.last_index = snapshot.index
        self._offset = snapshot.index + 1
        self._before_term = self.last_term = snapshot.term
        self.pending_snapshot = snapshot

    def nearest_by_term(self, index: int, term: int) -> tuple[int, int]:
        """The last index at or below `index` whose term is at most `term`, and its term (0 if unknown).

        Whoever holds an entry of `term` at `index` can only agree with this log there or below, so a whole
        term of conflicting entries is passed in one step.
        """
        while index > 0:
            ours = self.term(index)
            if ours is None:
                return index, 0
            if ours <= term:
                return index, ours
            index -= 1
        return 0, 0

    def commit_to(self, index: int) -> None:
        """Raises commit to `index`, never past the last entry, never back."""
        self.commit = max(self.commit, min(index, self.last_index))

    def hand_out(self, number: int) -> list[Entry]:
        """Entries to be written with Ready `number`: all that no earlier one carried."""
        entries = self._entries[self.handed + 1 - self._offset :] if self.handed < self.last_index else []
        self.handed = self.last_index
        self._writes.append([number, self.last_index])
        return entries

    def hand_out_snapshot(self) -> Snapshot | None:
        """A snapshot to be written with the next entries, once."""
        snapshot = self.pending_snapshot
        self.pending_snapshot = None
        return snapshot

    def written(self, number: int) -> bool:
        """Takes the completion of Ready `number` and all before it; tells whether more became stable."""
        stable = self.stable
        while self._writes and self._writes[0][0] <= number:
            stable = max(stable, self._writes.popleft()[1])
        moved = stable > self.stable
        self.stable = stable
        return moved

    def next_committed(self, bytes_max: int) -> list[Entry]:
        """Committed entries to be applied, in order, each handed out once."""
        if self.applying >= self.commit:
            return []
        entries = self.slice(self.applying + 1, self.commit + 1, bytes_max)
        self.applying = entries[-1].index
        return entries

    def applied_to(self, index: int) -> None:
        """Notes that the caller has applied up to `index`, and forgets what the tail need not hold."""
        self.applied = max(self.applied, index)
        dropped = self._storage.first_index() - self._offset
        # Trimming to half makes each entry move once on average, not at every commit.
        kept_bytes = (
            self._tail_bytes_max // 2 if self._tail_bytes > self._tail_bytes_max else self._tail_bytes
        )
        if dropped <= 0 and kept_bytes == self._tail_bytes:
            return
        removable = min(self.stable, self.applied) + 1 - self._offset
        count = 0
        while count < removable and (count < dropped or self._tail_bytes > kept_bytes):
            self._tail_bytes -= self._entries[count].size_bytes
            count += 1
        if count:
            self._before_term = self._entries[count - 1].term
            self._offset += count
            del self._entries[:count]


def _unapplied(storage: Storage, applied: int, last: int) -> list[Entry]:
    """What was stored and not applied, whose applying or sending must not wait for the storage."""
    entries: list[Entry] = []
    while applied + len(entries) < last:
        page = storage.entries(applied + len(entries) + 1, last + 1, PAGE_BYTES)
        if not page:
            raise InconsistentStateError(
                f"entry {applied + len(entries) + 1} of a log that ends at {last} cannot be read; part of what was "
                f"written is gone: do not vote with it, return under a new id"
            )
        entries.extend(page)
    return entries


def check_restart(storage: Storage, hard_state: HardState, applied: int) -> None:
    """Refuses a start from things that contradict each other.

    Raises:
        InconsistentStateError: commit or applied beyond the log's end, or entries of a term the node never
            knew. Something durable was lost, so this node may have forgotten votes and acknowledgements.
    """
    last = storage.last_index()
    last_term = storage.term(last) if last else 0
    remedy = "part of what was written is gone: do not vote with it, return under a new id"
    for name, value in (("commit", hard_state.commit), ("applied", applied)):
        if value > last:
            raise InconsistentStateError(f"{name} is {value} but the log ends at {last}; {remedy}")
    if last_term > hard_state.term:
        raise InconsistentStateError(
            f"the log ends in term {last_term} but the stored term is {hard_state.term}; {remedy}"
        )
    if applied < storage.first_index() - 1:
        raise InconsistentStateError(
            f"applied is {applied} but the log begins at {storage.first_index()}; entries between are gone"
        )
