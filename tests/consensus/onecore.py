"""A single core, for tests that play its peers by hand."""

from collections.abc import Iterable
from random import Random
from typing import Any

from consensus import Config, Entry, EntryType, HardState, MemoryStorage, Message, MessageType, RawNode, Role
from tests.consensus.observer import log_of


def make_node(
    node: int = 1,
    voters: int | tuple[int, ...] = 3,
    storage: MemoryStorage | None = None,
    applied: int = 0,
    seed: int = 0,
    **settings: Any,
) -> tuple[RawNode, MemoryStorage]:
    """A single core on its own storage, for tests that play its peers by hand."""
    ids = voters if isinstance(voters, tuple) else tuple(range(1, voters + 1))
    disk = storage if storage is not None else MemoryStorage()
    settings.setdefault("accept_snapshots", True)
    config = Config(id=node, voters=ids, rng=Random(f"{seed}:{node}"), **settings)
    return RawNode(config, disk.hard_state, disk, applied), disk


def entries(*terms: int, start: int = 1, mark: str = "") -> tuple[Entry, ...]:
    """Entries of these terms, from index `start` on."""
    return tuple(
        Entry(term, index, EntryType.NORMAL, f"{mark}{term}.{index}".encode())
        for index, term in enumerate(terms, start)
    )


def disk_with(*terms: int, term: int | None = None, vote: int = 0, commit: int = 0) -> MemoryStorage:
    """A storage whose log has entries of these terms."""
    disk = MemoryStorage()
    disk.append(entries(*terms))
    disk.hard_state = HardState(term if term is not None else max(terms, default=0), vote, commit)
    return disk


def work(node: RawNode, disk: MemoryStorage) -> list[Message]:
    """Does everything a core asks for, as a prompt caller would; gives what it sent."""
    sent: list[Message] = []
    while node.has_ready():
        ready = node.ready()
        sent.extend(ready.messages)
        disk.append(ready.entries)
        if ready.hard_state is not None:
            disk.hard_state = ready.hard_state
        sent.extend(ready.messages_after_append)
        node.advance(ready)
    return sent


def elect(node: RawNode, disk: MemoryStorage) -> list[Message]:
    """Makes a core the leader by granting whatever it asks; gives what it sent as a leader."""
    node.campaign()
    sent = work(node, disk)
    while node.role is not Role.LEADER:
        asked = [message for message in sent if message.type in (MessageType.PRE_VOTE, MessageType.VOTE)]
        assert asked, "the core asks for no more votes"
        for message in asked:
            node.step(grant(message))
        sent = work(node, disk)
    return sent


def grant(message: Message) -> Message:
    """The answer of a peer that votes for the sender."""
    kind = (
        MessageType.PRE_VOTE_RESPONSE if message.type is MessageType.PRE_VOTE else MessageType.VOTE_RESPONSE
    )
    return Message(kind, message.sender, message.to, message.term, message.session)


def ack(message: Message, index: int | None = None) -> Message:
    """The answer of a peer that took an append in."""
    last = message.index + len(message.entries) if index is None else index
    return Message(
        MessageType.APPEND_RESPONSE, message.sender, message.to, message.term, message.session, index=last
    )


def beat_answer(message: Message) -> Message:
    """The answer to a heartbeat."""
    return Message(
        MessageType.HEARTBEAT_RESPONSE,
        message.sender,
        message.to,
        message.term,
        message.session,
        context=message.context,
    )


def append(
    term: int,
    after: tuple[int, int] = (0, 0),
    new: Iterable[Entry] = (),
    *,
    commit: int = 0,
    sender: int = 2,
    to: int = 1,
    session: int = 7,
) -> Message:
    """A leader's append of `new` after the entry `after` = (index, term)."""
    return Message(
        MessageType.APPEND, to, sender, term, session, after[1], after[0], commit=commit, entries=tuple(new)
    )


def heartbeat(term: int, *, commit: int = 0, sender: int = 2, to: int = 1, session: int = 7) -> Message:
    """A leader's heartbeat."""
    return Message(MessageType.HEARTBEAT, to, sender, term, session, commit=commit)


def only(messages: list[Message], kind: MessageType, to: int | None = None) -> list[Message]:
    """The messages of one kind, to one peer if given."""
    return [message for message in messages if message.type is kind and to in (None, message.to)]


def terms_of(node: RawNode) -> list[int]:
    """The terms of a core's log, read from outside as its peers would see it."""
    return [entry.term for entry in log_of(node)]
