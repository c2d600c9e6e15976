"""What peers send each other: one frame per WebSocket message.

Rules:
- Every list has a limit, and so has every text. A frame larger than `FRAME_BYTES_MAX` is refused by the socket before
  it reaches us.
- Raft messages travel as the flat fields `consensus` defines; blocks, transactions and envelopes as opaque bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

FRAME_BYTES_MAX = 8 << 20
FRAME_BYTES_AIMED = 4 << 20
"""Senders begin a new frame rather than let one grow beyond this."""
CHECKPOINT_TEXT_MAX = 1024
NOTE_MAX = 64 << 10
RAFT_MESSAGES_MAX = 256
TRANSACTIONS_MAX = 1024
IDS_MAX = 4096
SHORT_ID_BYTES = 8
PLACES_MAX = 16
"""The most places of a state tree asked for in one frame."""
BLOCKS_MAX = 1024
LINKS_MAX = 16
"""The most changes of the roster in one frame; the next summary is answered with more."""
PATH_MAX = 64
LOG_PIECES_MAX = 1024
READ_ID_BYTES = 16


class FrameKind(IntEnum):
    """What a frame carries. Numbers are the wire's and are never reused."""

    RAFT = 1
    CHECKPOINT = 2
    CERTIFICATE = 3
    TRANSACTIONS = 4
    HAVE = 5
    WANT = 6
    ENVELOPE = 7
    ENVELOPE_STORED = 8
    ALIVE = 9
    READ = 10
    READ_ANSWER = 11
    BLOCKS_WANT = 12
    BLOCKS = 13
    SNAPSHOT_WANT = 14
    SNAPSHOT = 15
    STATE_WANT = 16
    STATE_PART = 17
    LOG_WANT = 18
    LOG_PART = 19
    LINEAGE = 20


URGENT = frozenset(
    {FrameKind.RAFT, FrameKind.CHECKPOINT, FrameKind.CERTIFICATE, FrameKind.READ, FrameKind.READ_ANSWER}
)
"""Kinds that queues send before the others and drop last."""


RaftFields = list[object]


@dataclass(frozen=True, slots=True)
class RaftFrame:
    """Raft messages, each as the flat fields of `consensus.Message`."""

    messages: Sequence[RaftFields]


@dataclass(frozen=True, slots=True)
class CheckpointFrame:
    """One orderer's signature over the checkpoint text of `height`."""

    height: int
    text: str
    signature: bytes


@dataclass(frozen=True, slots=True)
class CertificateFrame:
    """A whole certificate (a C2SP note with k signatures)."""

    note: str


@dataclass(frozen=True, slots=True)
class TransactionsFrame:
    """Signed transactions, each as its bytes."""

    transactions: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class HaveFrame:
    """What the sender holds: heights, and the short ids of the transactions waiting in its pool."""

    executed: int
    certified: int
    short_ids: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class WantFrame:
    """Short ids of transactions the sender lacks."""

    short_ids: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class EnvelopeFrame:
    """One sealed envelope for the receiving node's organization."""

    root: bytes
    envelope: bytes


@dataclass(frozen=True, slots=True)
class EnvelopeStoredFrame:
    """The receiver has the envelope of `root` (with this digest) on disk."""

    root: bytes
    digest: bytes


@dataclass(frozen=True, slots=True)
class AliveFrame:
    """Nothing but a sign of life on a link that was silent."""


@dataclass(frozen=True, slots=True)
class ReadFrame:
    """Asks the leader up to which index everything acknowledged so far stands; `id` is fresh per attempt."""

    id: bytes


@dataclass(frozen=True, slots=True)
class ReadAnswerFrame:
    """The leader's answer to a `ReadFrame`: an index, or that it cannot tell."""

    id: bytes
    refused: bool
    index: int


@dataclass(frozen=True, slots=True)
class BlocksWantFrame:
    """Asks for executed blocks from a height on, at most `count`."""

    first: int
    count: int


@dataclass(frozen=True, slots=True)
class BlocksFrame:
    """Blocks from a height on, each as its bytes, and the certificate of the last one; empty without one."""

    first: int
    blocks: Sequence[bytes]
    note: str


@dataclass(frozen=True, slots=True)
class SnapshotWantFrame:
    """Asks what state can be had."""


@dataclass(frozen=True, slots=True)
class SnapshotFrame:
    """What state can be had from the sender; empty if none."""

    data: bytes


@dataclass(frozen=True, slots=True)
class LineageFrame:
    """Changes of the roster with their proofs: block, certificate and audit path of each, in order."""

    links: Sequence[tuple[bytes, str, Sequence[bytes]]]


@dataclass(frozen=True, slots=True)
class StateWantFrame:
    """Asks for the chunks at some places of the state with this root; a place is a path's first digits."""

    root: bytes
    places: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class StatePartFrame:
    """The chunk at a place; empty if the sender does not have that state."""

    root: bytes
    place: bytes
    chunk: bytes


@dataclass(frozen=True, slots=True)
class LogWantFrame:
    """Asks what lies `down` levels below a complete subtree of the Merkle log: hashes, or at level 0 leaves."""

    level: int
    index: int
    down: int


@dataclass(frozen=True, slots=True)
class LogPartFrame:
    """The answer to a `LogWantFrame`: all hashes, or all leaves' data, in order; empty if the sender lacks one."""

    level: int
    index: int
    down: int
    pieces: Sequence[bytes]


Frame = (
    RaftFrame
    | CheckpointFrame
    | CertificateFrame
    | TransactionsFrame
    | HaveFrame
    | WantFrame
    | EnvelopeFrame
    | EnvelopeStoredFrame
    | AliveFrame
    | ReadFrame
    | ReadAnswerFrame
    | BlocksWantFrame
    | BlocksFrame
    | SnapshotWantFrame
    | SnapshotFrame
    | StateWantFrame
    | StatePartFrame
    | LogWantFrame
    | LogPartFrame
    | LineageFrame
)

KIND_OF: dict[type[Frame], FrameKind] = {
    RaftFrame: FrameKind.RAFT,
    CheckpointFrame: FrameKind.CHECKPOINT,
    CertificateFrame: FrameKind.CERTIFICATE,
    TransactionsFrame: FrameKind.TRANSACTIONS,
    HaveFrame: FrameKind.HAVE,
    WantFrame: FrameKind.WANT,
    EnvelopeFrame: FrameKind.ENVELOPE,
    EnvelopeStoredFrame: FrameKind.ENVELOPE_STORED,
    AliveFrame: FrameKind.ALIVE,
    ReadFrame: FrameKind.READ,
    ReadAnswerFrame: FrameKind.READ_ANSWER,
    BlocksWantFrame: FrameKind.BLOCKS_WANT,
    BlocksFrame: FrameKind.BLOCKS,
    SnapshotWantFrame: FrameKind.SNAPSHOT_WANT,
    SnapshotFrame: FrameKind.SNAPSHOT,
    StateWantFrame: FrameKind.STATE_WANT,
    StatePartFrame: FrameKind.STATE_PART,
    LogWantFrame: FrameKind.LOG_WANT,
    LogPartFrame: FrameKind.LOG_PART,
    LineageFrame: FrameKind.LINEAGE,
}


def kind_of(frame: Frame) -> FrameKind:
    """Return the kind of `frame`."""
    return KIND_OF[type(frame)]
