"""What of a run a diagram shows: a stretch of protocol time with its lanes, arrows, bands, marks and notes.

Rules:
- At most `ARROWS_MAX` arrows: without a stretch named, those around the first violation, most of them before it; where
  nothing was violated, those from the first fault on; where progress or convergence was waited for in vain, those from
  shortly before the last fault that had begun by then, since the wait itself shows nothing.
- Heartbeats say the same again and again: of those in a row from one node to another with the same fate, late or not,
  the first stands for all, with their number.
- What is left out is counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from scenarios.diagram.anchor import Anchor, anchor_of
from scenarios.diagram.recording import Fate, Flight, is_heartbeat, label_of
from scenarios.diagram.repeating import Followed
from scenarios.record.eventbook import Event

ARROWS_MAX = 400
LEAD_NS = 2_000_000_000
"""How much of the time before the first fault is drawn: who led, and what was under way."""
AFTER_NS = 3_000_000_000
"""How much of the time after the violation is drawn: what came of it."""
BEFORE_SHARE = 0.75
"""Of the arrows shown around a violation, how many are before it."""
MARGIN_NS = 5_000_000
LATE_NS = 500_000_000


@dataclass(frozen=True, slots=True)
class Arrow:
    """A frame, or several heartbeats in a row; `to_ns` is None if it never came."""

    from_ns: int
    to_ns: int | None
    source: str
    target: str
    kind: str
    label: str
    fate: Fate
    bytes: int
    count: int = 1

    @property
    def is_late(self) -> bool:
        """Whether it came so late that something must have held it up."""
        return self.to_ns is not None and self.to_ns - self.from_ns > LATE_NS


@dataclass(frozen=True, slots=True)
class Band:
    """A fault in force: at whom, from when to when, and what."""

    nodes: tuple[str, ...]
    from_ns: int
    to_ns: int
    text: str


@dataclass(frozen=True, slots=True)
class Life:
    """A stretch during which a node's program is up."""

    node: str
    from_ns: int
    to_ns: int


@dataclass(frozen=True, slots=True)
class Mark:
    """Something at one node: `leader`, `block`, `up`, `down`."""

    at_ns: int
    node: str
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Note:
    """Something told beside the lanes: `step`, `fault`, `phase`, `state` or `violation`."""

    at_ns: int
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Scene:
    """All that is drawn; times in nanoseconds of protocol time since the world opened.

    Attributes:
        title: which run.
        lanes: the nodes, in the scenario's order.
        from_ns, to_ns: the stretch shown.
        whole_ns: how long the run was.
        arrows, bands, lives, marks, notes: inside the stretch.
        left_out: how many frames of the stretch are not shown.
        violation: what was violated first, in words; empty if nothing was.
    """

    title: str
    lanes: tuple[str, ...]
    from_ns: int
    to_ns: int
    whole_ns: int
    arrows: tuple[Arrow, ...]
    bands: tuple[Band, ...]
    lives: tuple[Life, ...]
    marks: tuple[Mark, ...]
    notes: tuple[Note, ...]
    left_out: int
    violation: str


def scene_of(followed: Followed, from_ns: int | None = None, until_ns: int | None = None) -> Scene:
    """Return what is drawn of a run.

    Args:
        followed: the run.
        from_ns, until_ns: the stretch, where it is named; what is None is chosen.
    """
    events = followed.events
    whole = events[-1].protocol_ns
    anchor = anchor_of(followed.judgment, events)
    arrows = list(_arrows(_within(followed.flights, from_ns, until_ns)))
    low, high = _stretch(arrows, events, anchor, from_ns, until_ns)
    shown = tuple(arrow for arrow in arrows if low <= arrow.from_ns <= high)
    left_out = sum(arrow.count for arrow in shown[ARROWS_MAX:])
    shown = shown[:ARROWS_MAX]
    if left_out:
        high = shown[-1].from_ns + MARGIN_NS
    inside = [event for event in events if low <= event.protocol_ns <= high]
    notes = list(_notes(inside))
    if anchor is not None:
        at = min(max(anchor.event.protocol_ns, low), high)
        where = "" if at == anchor.event.protocol_ns else f" (at {seconds(anchor.event.protocol_ns)})"
        notes.append(Note(at, "violation", f"violated{where}: {anchor.text}"))
    return Scene(
        title=f"{followed.scenario.scenario}, seed {followed.seed}: {followed.judgment.verdict}",
        lanes=tuple(followed.scenario.organizations),
        from_ns=low,
        to_ns=high,
        whole_ns=whole,
        arrows=shown,
        bands=tuple(_bands(events, low, high)),
        lives=tuple(_lives(events, low, high)),
        marks=tuple(_marks(inside)),
        notes=tuple(sorted(notes, key=lambda note: note.at_ns)),
        left_out=left_out,
        violation="" if anchor is None else anchor.text,
    )


def seconds(at_ns: int) -> str:
    """Return a protocol time in seconds, to the millisecond."""
    return f"{at_ns / 1e9:.3f} s"


def _within(flights: Sequence[Flight], from_ns: int | None, until_ns: int | None) -> Iterator[Flight]:
    for flight in flights:
        if (from_ns is None or from_ns <= flight.sent_ns) and (
            until_ns is None or flight.sent_ns <= until_ns
        ):
            yield flight


def _arrows(flights: Iterable[Flight]) -> list[Arrow]:
    """Return an arrow per frame, heartbeats in a row with the same fate as one."""
    arrows: list[Arrow] = []
    rows: dict[tuple[str, str], int] = {}
    for flight in flights:
        way = flight.source, flight.target
        beats = is_heartbeat(flight)
        row = rows.get(way) if beats else None
        alike = row is not None and (arrows[row].fate, arrows[row].is_late) == (flight.fate, _is_late(flight))
        if row is not None and alike:
            arrows[row] = replace(arrows[row], count=arrows[row].count + 1)
            continue
        if beats:
            rows[way] = len(arrows)
        kind = "HEARTBEAT" if beats else flight.kind
        arrows.append(
            Arrow(
                flight.sent_ns,
                flight.came_ns,
                flight.source,
                flight.target,
                kind,
                label_of(flight),
                flight.fate,
                len(flight.frame),
            )
        )
    return arrows


def _is_late(flight: Flight) -> bool:
    return flight.came_ns is not None and flight.came_ns - flight.sent_ns > LATE_NS


def _stretch(
    arrows: Sequence[Arrow],
    events: Sequence[Event],
    anchor: Anchor | None,
    from_ns: int | None,
    until_ns: int | None,
) -> tuple[int, int]:
    """Return from when to when is drawn."""
    end = events[-1].protocol_ns if until_ns is None else until_ns
    if from_ns is not None or until_ns is not None:
        return from_ns or 0, end
    if anchor is not None:
        end = min(end, anchor.event.protocol_ns + AFTER_NS)
        arrows = [arrow for arrow in arrows if arrow.from_ns <= end]
    if len(arrows) <= ARROWS_MAX:
        return _before_faults(events, anchor), end
    began = [event.protocol_ns for event in events if event.name == "fault.began"]
    if anchor is not None and anchor.is_of_waiting and began and began[0] <= anchor.event.protocol_ns:
        around = max(0, max(ns for ns in began if ns <= anchor.event.protocol_ns) - LEAD_NS)
        before = 0
    elif anchor is not None:
        around = anchor.event.protocol_ns
        before = round(ARROWS_MAX * BEFORE_SHARE)
    else:
        around = began[0] if began else 0
        before = 0
    at = next((at for at, arrow in enumerate(arrows) if arrow.from_ns > around), len(arrows))
    first = max(0, min(at - before, len(arrows) - ARROWS_MAX))
    last = first + ARROWS_MAX - 1
    return max(0, arrows[first].from_ns - MARGIN_NS), max(arrows[last].from_ns, min(around, end))


def _before_faults(events: Sequence[Event], anchor: Anchor | None) -> int:
    """Return shortly before the first fault of a run in which something was violated after it; else the start."""
    began = next((event.protocol_ns for event in events if event.name == "fault.began"), None)
    if began is None or anchor is None or anchor.event.protocol_ns < began:
        return 0
    return max(0, began - LEAD_NS)


def _bands(events: Sequence[Event], low: int, high: int) -> Iterator[Band]:
    began: dict[int, Event] = {}
    spans: list[tuple[Event, int]] = []
    for event in events:
        if event.name == "fault.began":
            began[event.integer("fault")] = event
        elif event.name == "fault.ended" and event.integer("fault") in began:
            spans.append((began.pop(event.integer("fault")), event.protocol_ns))
    spans += [(event, event.protocol_ns) for event in began.values()]  # over at once
    for event, until in sorted(spans, key=lambda span: span[0].protocol_ns):
        if event.protocol_ns <= high and until >= low:
            text = f"fault {event.integer('fault')} {event.text('kind')}"
            yield Band(_hit(event), max(event.protocol_ns, low), min(until, high), text)


def _hit(event: Event) -> tuple[str, ...]:
    hit = event.fields["hit"]
    return tuple(hit) if isinstance(hit, list) else ()


_ENDS = ("node.stopped", "node.failed", "node.killed", "power.lost", "point.struck")


def _lives(events: Sequence[Event], low: int, high: int) -> Iterator[Life]:
    """Yield when each node is up. A crash leaves no record of the node's own: its fault tells of it."""
    up: dict[str, int] = {}
    lives: list[Life] = []
    for event in events:
        for node in _down(event):
            if node in up:
                lives.append(Life(node, up.pop(node), event.protocol_ns))
        if event.name == "node.started":
            up[event.text("node")] = event.protocol_ns
    lives += [Life(node, since, events[-1].protocol_ns) for node, since in up.items()]
    for life in lives:
        if life.from_ns <= high and life.to_ns >= low:
            yield Life(life.node, max(life.from_ns, low), min(life.to_ns, high))


def _down(event: Event) -> tuple[str, ...]:
    if event.name in _ENDS or event.name == "node.started":
        return (event.text("node"),)
    if event.name == "fault.began" and event.text("kind") in (
        "crash",
        "read_failure",
        "flip_bits",
        "rebuild",
    ):
        return _hit(event)
    return ()


def _marks(events: Sequence[Event]) -> Iterator[Mark]:
    for event in events:
        if event.name == "raft.role" and event.fields["role"] == "leader":
            yield Mark(event.protocol_ns, event.text("node"), "leader", f"leads, term {event.fields['term']}")
        elif event.name == "block.executed":
            yield Mark(event.protocol_ns, event.text("node"), "block", f"{event.fields['height']}")
        elif event.name == "node.started":
            yield Mark(event.protocol_ns, event.text("node"), "up", "starts")
        elif event.name in _ENDS:
            yield Mark(event.protocol_ns, event.text("node"), "down", event.name.replace(".", " "))


def _notes(events: Sequence[Event]) -> Iterator[Note]:
    for event in events:
        fields = event.fields
        match event.name:
            case "step.began":
                text = f"step {fields['step']}: {fields['do']} by {fields['organization']}"
                yield Note(event.protocol_ns, "step", text)
            case "phase":
                yield Note(event.protocol_ns, "phase", f"phase: {fields['name']}")
            case "fault.began" | "fault.ended":
                verb = event.name.removeprefix("fault.")
                text = f"fault {fields['fault']} {fields['kind']} {verb}: {', '.join(_hit(event))}"
                yield Note(event.protocol_ns, "fault", text)
            case "fault.missed":
                text = f"fault {fields['fault']} {fields['kind']} hit nobody"
                yield Note(event.protocol_ns, "fault", text)
            case name if name.endswith(".state"):
                kind = name.removesuffix(".state")
                text = f"{kind.replace('_', ' ')} {fields.get(kind)} is {fields.get('state')}"
                yield Note(event.protocol_ns, "state", text)
            case "receipt" if fields.get("code") != "VALID":
                text = f"{fields['type']} of {fields['creator']}: {fields['code']} {fields.get('rule') or ''}"
                yield Note(event.protocol_ns, "state", text.rstrip())
            case _:
                pass
