"""Entries, and the states of a core.

Rules:

- Every value here is immutable; what the core hands out it never touches again.
- Ids are positive integers; 0 means "nobody". Terms start at 1 with the first election; indexes at 1 with
  the first entry; term 0 and index 0 stand for "before the log".
- An entry's data is opaque. A normal entry without data is the one a leader appends at the start of its term
  (Raft paper, section 8) and carries nothing for the state machine; a change of members without data leaves a
  joint configuration.
"""

from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import Final

from consensus.configuration import ConfState
from consensus.frozen import cheaply_made

NOBODY: Final = 0
"""The id that no node has: no leader known, no vote cast."""

ENTRY_OVERHEAD_BYTES: Final = 32
"""What an entry counts for beside its data wherever bytes are bounded: tiny entries are bounded too."""


class EntryType(IntEnum):
    """What an entry is for. Values follow etcd, whose 1 is a form of change that is not used here."""

    NORMAL = 0
    CONF_CHANGE = 2


@cheaply_made
@dataclass(frozen=True, slots=True)
class Entry:
    """One place in the log."""

    term: int
    index: int
    type: EntryType
    data: bytes

    @property
    def is_empty(self) -> bool:
        """Whether this is the entry that opens a term; it has nothing for the state machine."""
        return not self.data and self.type is EntryType.NORMAL

    @property
    def size_bytes(self) -> int:
        """What the entry counts for wherever bytes are bounded."""
        return len(self.data) + ENTRY_OVERHEAD_BYTES


@dataclass(frozen=True, slots=True)
class HardState:
    """What must survive a crash beside the log. A new node starts from `HardState()`."""

    term: int = 0
    vote: int = NOBODY
    commit: int = 0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What stands for the log up to and with `index`.

    Attributes:
        index: the last entry it stands for.
        term: that entry's term.
        conf_state: the configuration when that entry had been applied.
        data: the caller's; small, since it travels in one message.
    """

    index: int
    term: int
    conf_state: ConfState
    data: bytes


class Role(Enum):
    """Raft's roles (paper, figure 4), and the pre-candidate of the dissertation's section 9.6."""

    FOLLOWER = "follower"
    PRE_CANDIDATE = "pre-candidate"
    CANDIDATE = "candidate"
    LEADER = "leader"


@dataclass(frozen=True, slots=True)
class SoftState:
    """What need not survive a crash: who leads (0: nobody known) and in which role we are."""

    lead: int
    role: Role


@dataclass(frozen=True, slots=True)
class ReadState:
    """An answered read: a state machine that has applied up to `index` shows what the reader may see.

    Attributes:
        index: the commit index when the read was asked for.
        context: what the caller gave with it.
    """

    index: int
    context: bytes
