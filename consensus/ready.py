"""What a core has for its caller to do: what to store, to send and to apply."""

from collections.abc import Sequence
from dataclasses import dataclass

from consensus.frozen import cheaply_made
from consensus.messages import Message
from consensus.types import Entry, HardState, ReadState, Snapshot, SoftState


@cheaply_made
@dataclass(frozen=True, slots=True)
class Ready:
    """Work for the caller, in this order; see the package docstring for the loop.

    Attributes:
        number: counts the Readies of one life; `RawNode.advance` goes by it.
        soft_state: set when leader or role changed; not to be stored.
        hard_state: set when it changed; to be stored with `entries` in one atomic write.
        snapshot: to be stored with `entries`, before them; it replaces the whole log up to its index and
            everything the state machine has, which the caller fetches for itself.
        entries: to be stored; they replace whatever the log holds from `entries[0].index` on.
        committed_entries: to be applied in order, once this Ready's `entries` are stored.
        messages: may leave at once, while the write is under way.
        messages_after_append: may leave only when `entries` and `hard_state` are durable.
        must_sync: whether the write must reach the disk before `advance` (false: only commit moved).
        read_states: reads confirmed; each may be served once its index is applied.
    """

    number: int
    soft_state: SoftState | None
    hard_state: HardState | None
    entries: Sequence[Entry]
    committed_entries: Sequence[Entry]
    messages: Sequence[Message]
    messages_after_append: Sequence[Message]
    must_sync: bool
    read_states: Sequence[ReadState] = ()
    snapshot: Snapshot | None = None
