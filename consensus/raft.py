"""Raft's one entrance for messages and ticks: terms first, then a table by kind.

Rules:

- A higher term makes anyone a follower of it (Raft paper, section 5.1), but for pre-votes, which bind
  nobody, and for vote requests to a node that hears its leader and was not asked by it.
- A message of an older term changes nothing; where silence would leave its sender stuck, it is told our
  term.
- Appends, heartbeats and the word to take over come from the term's one leader; a second sender in one term
  is ignored.
- What an answer means for replication comes first, then what it means for reads and for a transfer.
"""

from collections.abc import Callable, Mapping
from typing import Final

from consensus import election, membership, reads, replication, snapshots, transfer
from consensus.core import Core
from consensus.errors import MalformedMessageError
from consensus.messages import Message, MessageType
from consensus.types import NOBODY, Role

_FROM_LEADER: Final = (
    MessageType.APPEND,
    MessageType.HEARTBEAT,
    MessageType.SNAPSHOT,
    MessageType.TIMEOUT_NOW,
)
_REFUSALS: Final[Mapping[MessageType, MessageType]] = {
    MessageType.APPEND: MessageType.APPEND_RESPONSE,
    MessageType.HEARTBEAT: MessageType.APPEND_RESPONSE,
    MessageType.SNAPSHOT: MessageType.APPEND_RESPONSE,
    MessageType.VOTE: MessageType.VOTE_RESPONSE,
    MessageType.PRE_VOTE: MessageType.PRE_VOTE_RESPONSE,
}
_Handler = Callable[[Core, Message], None]


def tick(core: Core) -> None:
    """Lets one tick pass."""
    if core.role is Role.LEADER:
        transfer.tick_leader(core)
        election.tick_leader(core)
    else:
        election.tick_follower(core)


def step(core: Core, message: Message) -> None:
    """Takes in one message.

    Raises:
        MalformedMessageError: it is addressed to another node, or claims to come from this one.
        CommittedConflictError: it would replace a committed entry.
    """
    if message.to != core.id or message.sender == core.id:
        raise MalformedMessageError(
            f"node {core.id} got a message from {message.sender} to {message.to}; deliver it to its address"
        )
    core.received(message)
    if message.term < core.term:
        _answer_older_term(core, message)
        return
    if message.term > core.term and not _enter_newer_term(core, message):
        return
    _HANDLERS[message.type](core, message)


def _enter_newer_term(core: Core, message: Message) -> bool:
    """Follows a newer term where it binds; tells whether the message is to be handled."""
    kind = message.type
    asks = kind in (MessageType.VOTE, MessageType.PRE_VOTE)
    if asks and not message.context and election.hears_leader(core):
        return False
    if kind is MessageType.PRE_VOTE or (kind is MessageType.PRE_VOTE_RESPONSE and not message.reject):
        return True
    election.become_follower(core, message.term, message.sender if kind in _FROM_LEADER else NOBODY)
    return True


def _answer_older_term(core: Core, message: Message) -> None:
    """Tells a leader or candidate of an older term the newer one, so that it joins it."""
    kind = _REFUSALS.get(message.type)
    if kind is not None:
        core.send(Message(kind, message.sender, core.id, core.term, message.session, reject=True))


def _from_leader(handle: _Handler) -> _Handler:
    def handler(core: Core, message: Message) -> None:
        if core.role is Role.FOLLOWER and core.lead == message.sender:
            core.election_elapsed = 0
        elif core.role is Role.LEADER or core.lead != NOBODY:
            return
        else:
            election.become_follower(core, core.term, message.sender)
        handle(core, message)

    return handler


def _in_turn(*handlers: _Handler) -> _Handler:
    def handler(core: Core, message: Message) -> None:
        for handle in handlers:
            handle(core, message)

    return handler


_HANDLERS: Final[Mapping[MessageType, _Handler]] = {
    MessageType.APPEND: _from_leader(replication.handle_append),
    MessageType.APPEND_RESPONSE: _in_turn(
        replication.handle_append_response, transfer.peer_answered, membership.peer_answered
    ),
    MessageType.HEARTBEAT: _from_leader(replication.handle_heartbeat),
    MessageType.HEARTBEAT_RESPONSE: _in_turn(
        replication.handle_heartbeat_response, reads.peer_answered, transfer.peer_answered
    ),
    MessageType.VOTE: election.handle_vote,
    MessageType.VOTE_RESPONSE: election.handle_vote_response,
    MessageType.PRE_VOTE: election.handle_pre_vote,
    MessageType.PRE_VOTE_RESPONSE: election.handle_pre_vote_response,
    MessageType.SNAPSHOT: _from_leader(snapshots.handle),
    MessageType.TIMEOUT_NOW: _from_leader(transfer.handle_timeout_now),
}
