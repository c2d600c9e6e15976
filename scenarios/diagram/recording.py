"""Every frame of a run from its sender to its receiver, and what became of it.

Rules:
- A frame that came is paired with the oldest one of the same bytes that is still under way between the same two: a
  link keeps order. What was under way when its sender opened the link anew never came.
- Bytes that were never sent are a frame changed on its way: the oldest of the same length that is under way, refused.
- Nothing here changes the run: it is followed from outside.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum

from consensus import MalformedMessageError, Message, MessageType
from p2p.errors import FrameError
from p2p.framecodec import decode_frame
from p2p.frames import RaftFrame
from scenarios.record.eventbook import Event


class Fate(StrEnum):
    """What became of a frame."""

    CAME = "came"
    LOST = "never came"
    REFUSED = "came changed, and was refused"


@dataclass(slots=True)
class Flight:
    """One frame between two nodes.

    Attributes:
        sent_ns: when it left, on the protocol clock.
        source, target: between whom.
        kind: its frame's, in capitals.
        frame: its bytes.
        came_ns: when it came; None if it never did.
        fate: what became of it.
    """

    sent_ns: int
    source: str
    target: str
    kind: str
    frame: bytes
    came_ns: int | None = None
    fate: Fate = Fate.LOST


@dataclass(slots=True)
class Recording:
    """The frames of a run; followed as `scenarios.worlds.virtual.Flights` and as a subscriber of events."""

    flights: list[Flight] = field(default_factory=list)
    _under_way: dict[tuple[str, str], deque[Flight]] = field(default_factory=dict)

    def sent(self, now_ns: int, source: str, target: str, kind: str, frame: bytes) -> None:
        """Take note of a frame that left."""
        flight = Flight(now_ns, source, target, kind, frame)
        self.flights.append(flight)
        self._under_way.setdefault((source, target), deque()).append(flight)

    def arrived(self, now_ns: int, source: str, target: str, frame: bytes) -> None:
        """Pair what came with what was sent; a second copy is paired with nothing."""
        waiting = self._under_way.get((source, target), deque())
        same = next((flight for flight in waiting if flight.frame == frame), None)
        fate = Fate.CAME
        if same is None and _is_harmed(frame):
            same = next((flight for flight in waiting if len(flight.frame) == len(frame)), None)
            fate = Fate.REFUSED
        if same is not None:
            waiting.remove(same)
            same.came_ns, same.fate = now_ns, fate

    def dropped(self, source: str, target: str, frame: bytes) -> None:
        """Take note that the last of these bytes to leave never does."""
        waiting = self._under_way.get((source, target), deque())
        for flight in reversed(waiting):
            if flight.frame == frame:
                waiting.remove(flight)
                return

    def __call__(self, event: Event) -> None:
        """Give up what was under way on a link that is opened anew."""
        if event.name == "link.opened":
            self._under_way.pop((event.text("node"), event.text("peer")), None)


_WORDS = {
    MessageType.APPEND: "append",
    MessageType.APPEND_RESPONSE: "appended",
    MessageType.HEARTBEAT: "heartbeat",
    MessageType.HEARTBEAT_RESPONSE: "heartbeat answer",
    MessageType.VOTE: "vote?",
    MessageType.VOTE_RESPONSE: "vote",
    MessageType.PRE_VOTE: "pre-vote?",
    MessageType.PRE_VOTE_RESPONSE: "pre-vote",
    MessageType.SNAPSHOT: "snapshot",
    MessageType.TIMEOUT_NOW: "campaign now",
}
_HEARTBEATS = frozenset({MessageType.HEARTBEAT, MessageType.HEARTBEAT_RESPONSE})
_ALIVE = "ALIVE"


def messages_of(flight: Flight) -> tuple[Message, ...]:
    """Return the Raft messages that a frame carries; none of another frame."""
    if flight.kind != "RAFT":
        return ()
    try:
        frame = decode_frame(flight.frame)
    except FrameError:
        return ()
    if not isinstance(frame, RaftFrame):
        return ()
    try:
        return tuple(Message.from_fields(fields) for fields in frame.messages)
    except MalformedMessageError:
        return ()


def is_heartbeat(flight: Flight) -> bool:
    """Whether a frame only says that its sender is there: nothing is asked, ordered or answered."""
    messages = messages_of(flight)
    return flight.kind == _ALIVE or (bool(messages) and all(m.type in _HEARTBEATS for m in messages))


def label_of(flight: Flight) -> str:
    """Return in a few words what a frame carries."""
    words = [_said(message) for message in messages_of(flight)]
    if not words:
        return flight.kind.lower().replace("_", " ")
    return words[0] + (f" and {len(words) - 1} more" if len(words) > 1 else "")


def _said(message: Message) -> str:
    word = _WORDS[message.type]
    if message.entries:
        first, last = message.entries[0].index, message.entries[-1].index
        word += f" {first}" if first == last else f" {first} to {last}"
    elif message.type is MessageType.APPEND_RESPONSE:
        word += f" up to {message.index}"
    refused = ", refused" if message.reject else ""
    return f"{word} (term {message.term}{refused})"


def _is_harmed(frame: bytes) -> bool:
    try:
        decode_frame(frame)
    except FrameError:
        return True
    return False
