"""What the core tells whoever watches it, in etcd's words.

The names are those of etcd's state trace, so that its TLA+ trace specification can read ours. Heartbeats
are told as empty append requests and answers, as there; pre-votes bind nobody and are not told.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from consensus.messages import Message, MessageType
from consensus.types import Role


class TraceName(StrEnum):
    """etcd's names of what happened."""

    INIT_STATE = "InitState"
    BECOME_FOLLOWER = "BecomeFollower"
    BECOME_CANDIDATE = "BecomeCandidate"
    BECOME_LEADER = "BecomeLeader"
    REPLICATE = "Replicate"
    COMMIT = "Commit"
    READY = "Ready"
    SEND_APPEND_ENTRIES_REQUEST = "SendAppendEntriesRequest"
    RECEIVE_APPEND_ENTRIES_REQUEST = "ReceiveAppendEntriesRequest"
    APPLY_CONF_CHANGE = "ApplyConfChange"
    SEND_SNAPSHOT = "SendSnapshot"
    RECEIVE_SNAPSHOT = "ReceiveSnapshot"
    SEND_APPEND_ENTRIES_RESPONSE = "SendAppendEntriesResponse"
    RECEIVE_APPEND_ENTRIES_RESPONSE = "ReceiveAppendEntriesResponse"
    SEND_REQUEST_VOTE_REQUEST = "SendRequestVoteRequest"
    RECEIVE_REQUEST_VOTE_REQUEST = "ReceiveRequestVoteRequest"
    SEND_REQUEST_VOTE_RESPONSE = "SendRequestVoteResponse"
    RECEIVE_REQUEST_VOTE_RESPONSE = "ReceiveRequestVoteResponse"


@dataclass(frozen=True, slots=True)
class TraceEvent:
    """One thing that happened in one core, with the core's state after it.

    Attributes:
        name: what happened.
        node: the core's id.
        term: its term.
        vote: its vote in that term, 0 for none.
        commit: its commit index.
        role: its role.
        last_index: the end of its log.
        message: the message sent or received, if that is what happened.
    """

    name: TraceName
    node: int
    term: int
    vote: int
    commit: int
    role: Role
    last_index: int
    message: Message | None


Trace = Callable[[TraceEvent], None]
"""What `Config.trace` takes."""

SENT = {
    MessageType.APPEND: TraceName.SEND_APPEND_ENTRIES_REQUEST,
    MessageType.SNAPSHOT: TraceName.SEND_SNAPSHOT,
    MessageType.HEARTBEAT: TraceName.SEND_APPEND_ENTRIES_REQUEST,
    MessageType.APPEND_RESPONSE: TraceName.SEND_APPEND_ENTRIES_RESPONSE,
    MessageType.HEARTBEAT_RESPONSE: TraceName.SEND_APPEND_ENTRIES_RESPONSE,
    MessageType.VOTE: TraceName.SEND_REQUEST_VOTE_REQUEST,
    MessageType.VOTE_RESPONSE: TraceName.SEND_REQUEST_VOTE_RESPONSE,
}
RECEIVED = {
    MessageType.APPEND: TraceName.RECEIVE_APPEND_ENTRIES_REQUEST,
    MessageType.SNAPSHOT: TraceName.RECEIVE_SNAPSHOT,
    MessageType.HEARTBEAT: TraceName.RECEIVE_APPEND_ENTRIES_REQUEST,
    MessageType.APPEND_RESPONSE: TraceName.RECEIVE_APPEND_ENTRIES_RESPONSE,
    MessageType.HEARTBEAT_RESPONSE: TraceName.RECEIVE_APPEND_ENTRIES_RESPONSE,
    MessageType.VOTE: TraceName.RECEIVE_REQUEST_VOTE_REQUEST,
    MessageType.VOTE_RESPONSE: TraceName.RECEIVE_REQUEST_VOTE_RESPONSE,
}
