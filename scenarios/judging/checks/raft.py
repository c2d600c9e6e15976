"""The five properties that Raft guarantees at all times, seen from outside the nodes.

Rules:
- In the virtual world every Ready of every node is followed: the log is kept as one rolling digest per entry, so that
  two logs that agree at an index and term are compared whole at the cost of one comparison.
- In both worlds the nodes' own records tell who led which term; what was executed is the check `agreement`.
- A node that starts again is followed from what its disk kept. What it had applied is committed, and known from then.
- A violation is found at the Ready that shows it; the event named is the last one before.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from consensus import Entry, Ready
from scenarios.judging.checks.check import FinalState, Violation
from scenarios.record.eventbook import Event

Digest = bytes
_UNKNOWN: Digest = b""
"""Of a log whose beginning was never seen."""


@dataclass(slots=True)
class _Log:
    """One node's log: an entry's term and rolling digest from `base` on.

    Attributes:
        base: index of the last entry that is not kept here; it is committed.
        digest: of the log up to `base`.
        entries: (term, rolling digest) of each entry after it.
        committed: the highest index that this node was told is committed.
        led: the term that it was last seen leading, 0 if none.
    """

    base: int
    digest: Digest
    entries: list[tuple[int, Digest]] = field(default_factory=list)
    committed: int = 0
    led: int = 0

    @property
    def last(self) -> int:
        return self.base + len(self.entries)

    def at(self, index: int) -> tuple[int, Digest] | None:
        """Return term and digest at an index, None where it is not kept."""
        place = index - self.base - 1
        return self.entries[place] if 0 <= place < len(self.entries) else None

    def append(self, entry: Entry) -> Digest:
        before = self.entries[-1][1] if self.entries else self.digest
        if before is _UNKNOWN and self.last:
            digest = _UNKNOWN
        else:
            head = b"%b%d,%d:" % (before, entry.term, entry.type)
            digest = hashlib.blake2b(head + entry.data, digest_size=16).digest()
        self.entries.append((entry.term, digest))
        return digest


@dataclass(slots=True)
class RaftProperties:
    """Election Safety, Leader Append-Only, Log Matching, Leader Completeness, State Machine Safety."""

    name: str = "raft"
    exercised: int = 0
    violations: list[Violation] = field(default_factory=list)
    _event: int | None = None
    _leaders: dict[int, str] = field(default_factory=dict)
    _logs: dict[str, _Log] = field(default_factory=dict)
    _seen: dict[tuple[int, int], tuple[Digest, str]] = field(default_factory=dict)
    _committed: dict[int, tuple[int, Digest]] = field(default_factory=dict)
    _committed_last: int = 0

    def __call__(self, event: Event) -> None:
        """Take note of who is said to lead."""
        self._event = event.number
        if event.name == "raft.role" and isinstance(event.fields["leader"], str):
            self._led(event.integer("term"), event.text("leader"))

    def opened(self, node: str, base: int, entries: Sequence[Entry]) -> None:
        """Follow a node's log from what its disk has at the start of a life.

        Args:
            node: whose.
            base: the last index applied there.
            entries: those after it.
        """
        self._logs[node] = log = _Log(base, self._committed.get(base, (0, _UNKNOWN))[1], committed=base)
        self._append(node, log, entries)

    def ready(self, node: str, term: int, leads: bool, ready: Ready) -> None:
        """Follow what a node is to store and to apply.

        Args:
            node: whose.
            term: in which its core is now.
            leads: whether that leads.
            ready: its work.
        """
        log = self._logs[node]
        if ready.snapshot is not None:
            self._jump(node, log, ready.snapshot.index, ready.snapshot.term)
        if ready.entries:
            self._overwrite(node, log, ready.entries[0].index, term if leads else 0)
            self._append(node, log, ready.entries)
        if leads and log.led != term:
            log.led = term
            self._led(term, node)
            self._complete(node, log, term)
        for entry in ready.committed_entries:
            self._commit(node, log, entry.index)

    def finish(self, final: FinalState) -> None:
        """Nothing is left to judge."""

    def _led(self, term: int, node: str) -> None:
        first = self._leaders.setdefault(term, node)
        self.exercised += 1
        if first != node:
            self._violate(f"election safety: {node} leads term {term}, which {first} led")

    def _jump(self, node: str, log: _Log, index: int, term: int) -> None:
        known = self._committed.get(index)
        if known is not None and known[0] != term:
            self._violate(
                f"log matching: {node} takes a snapshot of index {index} and term {term}, {known[0]} is committed"
            )
        log.base, log.digest = index, _UNKNOWN if known is None else known[1]
        log.entries.clear()
        log.committed = max(log.committed, index)

    def _overwrite(self, node: str, log: _Log, index: int, leads: int) -> None:
        """Cut what entries from `index` on replace."""
        if index > log.last:
            return
        self.exercised += 1
        if leads and log.led == leads:
            self._violate(
                f"leader append-only: {node}, which leads term {leads}, writes over its entry {index}"
            )
        if index <= log.committed:
            self._violate(f"state machine safety: {node} writes over its committed entry {index}")
        del log.entries[max(0, index - log.base - 1) :]

    def _append(self, node: str, log: _Log, entries: Sequence[Entry]) -> None:
        for entry in entries:
            digest = log.append(entry)
            if digest is _UNKNOWN:
                continue
            first, other = self._seen.setdefault((entry.index, entry.term), (digest, node))
            if other != node:
                self.exercised += 1
            if first != digest:
                self._violate(
                    f"log matching: {node} and {other} have an entry {entry.index} of term {entry.term},"
                    " and differ up to there"
                )

    def _complete(self, node: str, log: _Log, term: int) -> None:
        """Compare the log of one that begins to lead with what was committed before."""
        last = self._committed_last
        if last <= log.base:
            return
        self.exercised += 1
        known, own = self._committed[last], log.at(last)
        if own is None or (own != known and _UNKNOWN not in (own[1], known[1])):
            self._violate(
                f"leader completeness: {node} leads term {term} without the entries up to {last},"
                f" committed in term {known[0]}"
            )

    def _commit(self, node: str, log: _Log, index: int) -> None:
        log.committed = max(log.committed, index)
        own = log.at(index)
        if own is None:
            return
        first = self._committed.setdefault(index, own)
        self._committed_last = max(self._committed_last, index)
        if first is not own:
            self.exercised += 1
        if first != own and _UNKNOWN not in (first[1], own[1]):
            self._violate(
                f"state machine safety: {node} applies another entry {index}, of term {own[0]},"
                f" than was applied first, of term {first[0]}"
            )

    def _violate(self, text: str) -> None:
        self.violations.append(Violation(self.name, self._event, text))
