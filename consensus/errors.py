"""What can go wrong in the core, and whose fault it is.

    RaftError
    ├── ConfigError              the caller's: a setting that no cluster can run with
    ├── ConfChangeError          the caller's: a change of members that cannot be made from where they are
    ├── InconsistentStateError   the disk's: what was kept contradicts itself, so this node may not vote
    ├── MalformedMessageError    the peer's: drop the message, count it, keep the link under suspicion
    ├── CommittedConflictError   the leader's: it wants a committed entry replaced; nothing was changed
    ├── StorageBusyError         nobody's: the storage cannot be read while a write is under way
    └── RefusedError             nobody's: ask another node, or later (the reason says which)
        ├── ProposalRefusedError
        ├── ReadRefusedError
        └── TransferRefusedError

A lost, late, doubled or stale message is no error: the core ignores it.
"""

from enum import StrEnum


class RaftError(Exception):
    """Base of everything this package raises on purpose."""


class ConfigError(RaftError):
    """A `Config` that no cluster can run with; names the setting, the value and what is allowed."""


class ConfChangeError(RaftError):
    """A change that the configuration does not allow, or that is not the next to apply; nothing changed."""


class InconsistentStateError(RaftError):
    """Hard state, log and applied index contradict each other at start.

    A node in this state must not vote: it may have forgotten what it promised. It returns under a new id.
    """


class MalformedMessageError(RaftError):
    """A message that no honest peer sends; names the field, the value and what is allowed."""


class StorageBusyError(RaftError):
    """Raised by a `Storage` that cannot be read now; the core asks again after `RawNode.storage_available`."""


class CommittedConflictError(RaftError):
    """A leader's append would replace an entry this node knows to be committed.

    Raft between honest nodes never comes here. Log and commit are as they were before the message.

    Attributes:
        index: the committed entry in question.
        sender: the leader that asked for it.
    """

    def __init__(self, index: int, ours: int, theirs: int, commit: int, sender: int) -> None:
        super().__init__(
            f"node {sender} would replace entry {index} of term {ours} by one of term {theirs}, but commit "
            f"is {commit}: that leader is dishonest or a disk forgot; stop following it and compare logs"
        )
        self.index = index
        self.sender = sender


class Refusal(StrEnum):
    """Why something was not taken, and what its owner should do."""

    NOT_LEADER = "NOT_LEADER"
    """This node does not lead: offer it to the leader (`RawNode.lead`, 0 when none is known)."""

    TRANSFERRING = "TRANSFERRING"
    """This leader is handing over or removed: offer it to the next one, or here again after an election timeout."""

    TERM_NOT_COMMITTED = "TERM_NOT_COMMITTED"
    """This leader has committed nothing in its term, so it may not know what is: again in a moment."""

    TOO_MANY_READS = "TOO_MANY_READS"
    """`Config.reads_max` reads wait for an answer: try again when some have been answered."""

    CHANGE_IN_FLIGHT = "CHANGE_IN_FLIGHT"
    """Members change one step at a time: again when the last change is applied and, if joint, left."""

    CHANGE_NOT_ALLOWED = "CHANGE_NOT_ALLOWED"
    """The configuration cannot become that: the detail says what to do first."""

    LEARNER_BEHIND = "LEARNER_BEHIND"
    """A learner that has not caught up would hold up commits as a voter: again when it has."""

    NOT_A_VOTER = "NOT_A_VOTER"
    """Only a voter can lead: name one."""

    TOO_MUCH_UNCOMMITTED = "TOO_MUCH_UNCOMMITTED"
    """The bounded uncommitted log is full: try again after the next commit."""

    TOO_LARGE = "TOO_LARGE"
    """Larger than `Config.uncommitted_bytes_max`: no moment will ever be right for it; split it."""

    EMPTY = "EMPTY"
    """Empty data marks the start of a term, or the leaving of a joint configuration: propose something."""


class RefusedError(RaftError):
    """Something was asked of this node that it cannot do now; nothing has changed.

    Attributes:
        reason: why, as a `Refusal`.
    """

    def __init__(self, reason: Refusal, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason


class ProposalRefusedError(RefusedError):
    """A proposal was not appended, and leaves no trace in the log."""


class ReadRefusedError(RefusedError):
    """A read was not accepted and will never be answered."""


class TransferRefusedError(RefusedError):
    """Leadership will not be handed over."""
