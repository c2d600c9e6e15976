"""Messages between cores, and their form as plain fields for a wire codec.

Rules:

- A message is self-contained: any one may be lost, doubled, delayed or overtaken.
- `term` is the sender's, but for a pre-vote and its grant, which carry the term the asker would campaign
  in.
- `session` is chosen by the asker and given back by the answerer; an answer to another session than the
  running one (an earlier campaign, a peer's earlier stay in the cluster) is ignored, even in the same term.
- Fields are only ever added at the end, and left out where they say nothing, so that a message which uses no
  new feature reads the same in an older version. A kind, an entry type or a field that is not known is refused by
  name and never skipped: a message half understood is another message. Who talks to whom is not decided here; the
  caller's links let only equal versions meet.
- `from_fields` refuses what no honest peer sends, and an append whose entries do not follow each other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, NoReturn

from consensus.configuration import ConfState
from consensus.errors import ConfigError, MalformedMessageError
from consensus.frozen import cheaply_made
from consensus.types import Entry, EntryType, Snapshot

Field = int | bytes | Sequence["Field"]
"""What `to_fields` yields: what every codec can carry."""

INTEGER_MAX: Final = (1 << 63) - 1


class MessageType(IntEnum):
    """The kinds of message. Numbers are the wire's and are never reused."""

    APPEND = 1
    APPEND_RESPONSE = 2
    HEARTBEAT = 3
    HEARTBEAT_RESPONSE = 4
    VOTE = 5
    VOTE_RESPONSE = 6
    PRE_VOTE = 7
    PRE_VOTE_RESPONSE = 8
    SNAPSHOT = 9
    TIMEOUT_NOW = 10


@cheaply_made
@dataclass(frozen=True, slots=True)
class Message:
    """One message from one core to another.

    Attributes:
        type: what is asked or answered.
        to: the receiver's id.
        sender: the sender's id.
        term: the sender's term (pre-votes and their grants: the term campaigned for).
        session: which campaign or replication session this belongs to; answers give it back.
        log_term: APPEND: term of the entry before `entries`; VOTE, PRE_VOTE: the candidate's last term;
            a refused APPEND_RESPONSE: term of the entry at `reject_hint`.
        index: APPEND: index of the entry before `entries`; VOTE, PRE_VOTE: the candidate's last index;
            APPEND_RESPONSE: the last index that matches, or the `index` refused.
        commit: APPEND, HEARTBEAT: how far the receiver may commit of what it is known to hold.
        reject: in answers: refused.
        reject_hint: in a refused APPEND_RESPONSE: where the answerer's log may still agree.
        entries: APPEND: consecutive entries from `index + 1` on.
        context: HEARTBEAT: the number of the last read asked for, and its answer gives it back; VOTE: 1 if
            the leader itself asked for this campaign.
        snapshot: SNAPSHOT: it.
    """

    type: MessageType
    to: int
    sender: int
    term: int
    session: int = 0
    log_term: int = 0
    index: int = 0
    commit: int = 0
    reject: bool = False
    reject_hint: int = 0
    entries: tuple[Entry, ...] = ()
    context: int = 0
    snapshot: Snapshot | None = None

    def to_fields(self) -> list[Field]:
        """The message as a flat list of integers, with the entries as a list of lists near the end."""
        fields: list[Field] = [
            int(self.type),
            self.to,
            self.sender,
            self.term,
            self.session,
            self.log_term,
            self.index,
            self.commit,
            int(self.reject),
            self.reject_hint,
            [[entry.term, entry.index, int(entry.type), entry.data] for entry in self.entries],
        ]
        if self.snapshot is not None:
            fields += [self.context, _snapshot_fields(self.snapshot)]
        elif self.context:
            fields.append(self.context)
        return fields

    @classmethod
    def from_fields(cls, fields: object) -> "Message":
        """Reads what `to_fields` wrote, trusting nothing.

        Args:
            fields: what a codec decoded.

        Raises:
            MalformedMessageError: a field is missing, of another type, out of range, or contradicts another.
        """
        if not isinstance(fields, list | tuple) or not _FIELDS_MIN <= len(fields) <= _FIELDS_MAX:
            raise MalformedMessageError(
                f"message must be a list of {_FIELDS_MIN} to {_FIELDS_MAX} fields, got {_brief(fields)}"
            )
        numbers = fields[: len(_BOUNDS)]
        for (name, minimum, maximum), value in zip(_BOUNDS, numbers, strict=True):
            if type(value) is not int or not minimum <= value <= maximum:
                _refuse_integer(name, value, minimum, maximum)
        kind, to, sender, term, session, log_term, index, commit, reject, reject_hint = numbers
        message = cls(
            _message_type(kind),
            to,
            sender,
            term,
            session,
            log_term,
            index,
            commit,
            bool(reject),
            reject_hint,
            _entries(fields[len(_BOUNDS)]),
            *_added(fields[_FIELDS_MIN:]),
        )
        _check_consistent(message)
        return message


_BOUNDS: Final = (
    ("type", 0, INTEGER_MAX),
    ("to", 1, INTEGER_MAX),
    ("sender", 1, INTEGER_MAX),
    ("term", 1, INTEGER_MAX),
    ("session", 0, INTEGER_MAX),
    ("log_term", 0, INTEGER_MAX),
    ("index", 0, INTEGER_MAX),
    ("commit", 0, INTEGER_MAX),
    ("reject", 0, 1),
    ("reject_hint", 0, INTEGER_MAX),
)
"""The integers that begin a message's fields: name, least and most; the entries follow them."""

_FIELDS_MIN: Final = len(_BOUNDS) + 1
_FIELDS_MAX: Final = _FIELDS_MIN + 2
_SNAPSHOT_FIELD_COUNT: Final = 8
_ENTRY_FIELD_COUNT: Final = 4
_MESSAGE_TYPES: Final = {int(kind): kind for kind in MessageType}
_ENTRY_TYPES: Final = {int(kind): kind for kind in EntryType}
_REJECTABLE: Final = (MessageType.APPEND_RESPONSE, MessageType.VOTE_RESPONSE, MessageType.PRE_VOTE_RESPONSE)


def _brief(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _integer(name: str, value: object, *, minimum: int = 0, maximum: int = INTEGER_MAX) -> int:
    if type(value) is not int or not minimum <= value <= maximum:
        _refuse_integer(name, value, minimum, maximum)
    return value


def _refuse_integer(name: str, value: object, minimum: int, maximum: int) -> NoReturn:
    raise MalformedMessageError(
        f"message field {name} must be an integer from {minimum} to {maximum}, got {_brief(value)}"
    )


def _snapshot_fields(snapshot: Snapshot) -> list[Field]:
    conf = snapshot.conf_state
    return [
        snapshot.index,
        snapshot.term,
        conf.voters,
        conf.voters_outgoing,
        conf.learners,
        conf.learners_next,
        int(conf.auto_leave),
        snapshot.data,
    ]


def _added(fields: Sequence[object]) -> tuple[int, Snapshot | None]:
    """The fields that came with later versions."""
    if len(fields) < 2:
        return (_integer("context", fields[0], minimum=1) if fields else 0, None)
    return _integer("context", fields[0]), _snapshot(fields[1])


def _snapshot(value: object) -> Snapshot:
    if not isinstance(value, list | tuple) or len(value) != _SNAPSHOT_FIELD_COUNT:
        raise MalformedMessageError(
            f"snapshot must be a list of {_SNAPSHOT_FIELD_COUNT} fields, got {_brief(value)}"
        )
    if not isinstance(value[7], bytes):
        raise MalformedMessageError(f"snapshot data must be bytes, got {_brief(value[7])}")
    try:
        conf_state = ConfState(
            _ids("voters", value[2]),
            _ids("voters_outgoing", value[3]),
            _ids("learners", value[4]),
            _ids("learners_next", value[5]),
            bool(_integer("auto_leave", value[6], maximum=1)),
        )
    except ConfigError as error:
        raise MalformedMessageError(f"snapshot configuration: {error}") from error
    index = _integer("snapshot.index", value[0], minimum=1)
    return Snapshot(index, _integer("snapshot.term", value[1], minimum=1), conf_state, value[7])


def _ids(name: str, value: object) -> tuple[int, ...]:
    if not isinstance(value, list | tuple):
        raise MalformedMessageError(f"{name} must be a list of ids, got {_brief(value)}")
    return tuple(_integer(name, item, minimum=1) for item in value)


def _message_type(value: int) -> MessageType:
    known = _MESSAGE_TYPES.get(value)
    if known is None:
        raise MalformedMessageError(f"message type {value} is unknown; known are {sorted(_MESSAGE_TYPES)}")
    return known


def _entries(value: object) -> tuple[Entry, ...]:
    if not isinstance(value, list | tuple):
        raise MalformedMessageError(f"message field entries must be a list, got {_brief(value)}")
    return tuple([_entry(item) for item in value]) if value else ()


def _entry(value: object) -> Entry:
    if not isinstance(value, list | tuple) or len(value) != _ENTRY_FIELD_COUNT:
        raise MalformedMessageError(
            f"entry must be a list of {_ENTRY_FIELD_COUNT} fields, got {_brief(value)}"
        )
    kind = _ENTRY_TYPES.get(_integer("entry.type", value[2]))
    if kind is None:
        raise MalformedMessageError(f"entry type {value[2]} is unknown; known are {sorted(_ENTRY_TYPES)}")
    if not isinstance(value[3], bytes):
        raise MalformedMessageError(f"entry data must be bytes, got {_brief(value[3])}")
    term = _integer("entry.term", value[0], minimum=1)
    return Entry(term, _integer("entry.index", value[1], minimum=1), kind, value[3])


def _check_consistent(message: Message) -> None:
    if message.sender == message.to:
        raise MalformedMessageError(
            f"node {message.sender} sent a message to itself; a core answers itself unseen"
        )
    if message.reject and message.type not in _REJECTABLE:
        raise MalformedMessageError(f"{message.type.name} cannot be a refusal; only answers are")
    if message.entries and message.type is not MessageType.APPEND:
        raise MalformedMessageError(
            f"{message.type.name} carries {len(message.entries)} entries; only APPEND may"
        )
    if (message.snapshot is not None) != (message.type is MessageType.SNAPSHOT):
        raise MalformedMessageError(
            f"{message.type.name} and a snapshot: SNAPSHOT carries one, nothing else may"
        )
    if message.snapshot is not None and message.snapshot.term > message.term:
        raise MalformedMessageError(
            f"a snapshot of term {message.snapshot.term} is after the message's own term {message.term}"
        )
    if message.log_term > message.term:
        raise MalformedMessageError(
            f"log_term {message.log_term} is after the message's own term {message.term}"
        )
    if (message.log_term == 0) != (message.index == 0) and message.type in _POSITIONED:
        raise MalformedMessageError(
            f"{message.type.name} names index {message.index} of term {message.log_term}; 0 goes with 0"
        )
    term = message.log_term
    for index, entry in enumerate(message.entries, message.index + 1):
        if entry.index != index or not term <= entry.term <= message.term:
            raise MalformedMessageError(
                f"entry {entry.index} of term {entry.term} cannot follow index {index - 1} of term {term} "
                f"in a message of term {message.term}"
            )
        term = entry.term


_POSITIONED: Final = (MessageType.APPEND, MessageType.VOTE, MessageType.PRE_VOTE)
