"""What a leader knows of one peer's log, and how much it may send it.

Rules:

- `match < next` always; `match` only grows while the leader leads.
- PROBE: the peer's log is not yet known to agree. One append per answer or heartbeat answer, then wait.
- REPLICATE: it agrees up to `match`; appends are sent ahead of the answers, `next` moving with what was
  sent, until the window (messages or bytes in flight) is full. Then one empty append per heartbeat answer
  keeps the flow alive, so that a window lost whole does not stall the peer.
- SNAPSHOT: what it needs next is no longer in the log. The snapshot is repeated with each answer to a heartbeat
  until the peer acknowledges its index or any other from which the log goes on, or the caller says what became
  of it.
- An answer that no message of ours can still cause (rejected at or below `match`, or not at the place being
  probed) is stale and changes nothing.
"""

from collections import deque
from enum import Enum


class ProgressState(Enum):
    """How appends are sent to a peer."""

    PROBE = "probe"
    REPLICATE = "replicate"
    SNAPSHOT = "snapshot"


class Inflights:
    """The window of appends sent and not yet acknowledged, bounded in messages and bytes.

    The bound in bytes is passed by at most one message, so that an entry larger than it can be sent at all.
    """

    __slots__ = ("_bytes", "_bytes_max", "_messages", "_messages_max")

    def __init__(self, messages_max: int, bytes_max: int) -> None:
        self._messages_max = messages_max
        self._bytes_max = bytes_max
        self._messages: deque[tuple[int, int]] = deque()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._messages)

    @property
    def is_full(self) -> bool:
        """Whether no further entries may be sent ahead."""
        return len(self._messages) >= self._messages_max or self._bytes >= self._bytes_max

    def add(self, last_index: int, size_bytes: int) -> None:
        """Notes an append that ends at `last_index`."""
        self._messages.append((last_index, size_bytes))
        self._bytes += size_bytes

    def free_through(self, index: int) -> None:
        """Forgets every append that ends at or before `index`."""
        messages = self._messages
        while messages and messages[0][0] <= index:
            self._bytes -= messages.popleft()[1]

    def clear(self) -> None:
        """Forgets every append."""
        self._messages.clear()
        self._bytes = 0


class Progress:
    """One peer as its leader sees it.

    Attributes:
        session: names this stay of the peer under this leader; answers to another are ignored.
        match: the highest index known to be durable there.
        next: the next index to send.
        state: PROBE, REPLICATE or SNAPSHOT.
        pending_snapshot: in SNAPSHOT: the index of the one it was sent.
        paused: wait for an answer before sending anything.
        awaits_storage: it was to be sent what the storage was too busy to give.
        recent_active: answered since the last check of the quorum.
        sent_commit: the highest commit index it was told.
        read_number: the number of the last read it has confirmed this leader for.
        inflights: the window.
    """

    __slots__ = (
        "awaits_storage",
        "inflights",
        "match",
        "next",
        "paused",
        "pending_snapshot",
        "read_number",
        "recent_active",
        "sent_commit",
        "session",
        "state",
    )

    def __init__(self, session: int, next_index: int, inflights: Inflights) -> None:
        self.session = session
        self.match = 0
        self.next = next_index
        self.state = ProgressState.PROBE
        self.pending_snapshot = 0
        self.paused = False
        self.awaits_storage = False
        self.recent_active = False
        self.sent_commit = 0
        self.read_number = 0
        self.inflights = inflights

    def become_probe(self) -> None:
        """Goes back to one append at a time, from what is known to match."""
        self._enter(ProgressState.PROBE)

    def become_replicate(self) -> None:
        """Goes on to sending ahead."""
        self._enter(ProgressState.REPLICATE)

    def become_snapshot(self, index: int) -> None:
        """Sends nothing but the snapshot of `index` until it has arrived."""
        self._enter(ProgressState.SNAPSHOT)
        self.pending_snapshot = index
        self.next = max(self.next, index + 1)
        self.paused = True

    def leave_snapshot(self, *, ok: bool) -> None:
        """Probes after the snapshot if it arrived, else from what is known; not before the peer was heard."""
        after = self.pending_snapshot + 1 if ok else 0
        self.become_probe()
        self.next = max(self.next, after)
        self.paused = True

    def _enter(self, state: ProgressState) -> None:
        self.state = state
        self.pending_snapshot = 0
        self.paused = False
        self.next = self.match + 1
        self.sent_commit = min(self.sent_commit, self.match)
        self.inflights.clear()

    def sent_append(self, entry_count: int, size_bytes: int, commit: int) -> None:
        """Notes an append that was sent, and pauses where the rules say so."""
        self.sent_commit = max(self.sent_commit, min(commit, self.next - 1 + entry_count))
        if self.state is ProgressState.PROBE:
            self.paused = True
            return
        if entry_count:
            self.next += entry_count
            self.inflights.add(self.next - 1, size_bytes)
        self.paused = self.inflights.is_full

    def can_bump_commit(self, commit: int) -> bool:
        """Whether an empty append would teach the peer a higher commit index."""
        return self.sent_commit < min(commit, self.next - 1)

    def accepted(self, index: int, *, log_goes_on: bool = False) -> bool:
        """Takes an acknowledgement up to `index`; tells whether it says anything new.

        Args:
            index: the last index that matches.
            log_goes_on: whether the leader's log has what follows it, so that no snapshot is needed.
        """
        if index < self.match or (index == self.match and self.state is ProgressState.REPLICATE):
            return False
        self.match = index
        self.next = max(self.next, index + 1)
        if self.state is ProgressState.SNAPSHOT and index < self.pending_snapshot and not log_goes_on:
            return True
        self.paused = False
        if self.state is not ProgressState.REPLICATE:
            self.become_replicate()
        else:
            self.inflights.free_through(index)
        return True

    def rejected(self, index: int, hint: int) -> bool:
        """Takes a refusal of the append after `index`; tells whether it says anything new.

        Args:
            index: the index before the refused entries.
            hint: the highest index where the logs may still agree.
        """
        if self.state is ProgressState.REPLICATE:
            if index <= self.match:
                return False
            self.become_probe()
            return True
        if self.state is ProgressState.SNAPSHOT or index != self.next - 1:
            return False
        self.next = max(min(index, hint + 1), self.match + 1)
        self.sent_commit = min(self.sent_commit, self.next - 1)
        self.paused = False
        return True
