"""Two runs held against each other: where they part, and what of each transaction and subject came out differently.

Rules:
- Runs of one seed are the same to the last event until something differs; that event is where they part. With another
  seed everything differs from the first draw on: then the first differing event of the trade or of a fault is named.
- Of transactions and subjects only what differs is told: its code or states, or when, if that is an hour apart on
  the calendar or a second on the protocol clock.
- No line is longer than 80 characters.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from scenarios.diagram.repeating import Followed
from scenarios.model.sentences import Judgement
from scenarios.model.units import HOUR_MS
from scenarios.record.eventbook import Event, iso

WIDTH_CHARACTERS = 80
SECOND_NS = 1_000_000_000
LISTED_MAX = 40
_OF_NODES = ("link.", "raft.", "block.", "node.", "envelope", "transaction.", "trace", "sync.", "lineage.")
_LOCAL = (
    "step",
    "do",
    "organization",
    "claim",
    "certificate",
    "carnet",
    "state",
    "kind",
    "code",
    "name",
    "type",
)


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What something came to: in words, and when it did for the last time."""

    words: str
    calendar_ms: int
    protocol_ns: int


def tell_difference(failing: Followed, passing: Followed, how: str) -> list[str]:
    """Return the lines.

    Args:
        failing, passing: both runs.
        how: in words, how the passing scenario differs from the failing one.
    """
    lines = _wrapped(f"failing  {failing.scenario.scenario}, seed {failing.seed}: {_why(failing)}", 9)
    lines += _wrapped(f"passing  {how}", 9)
    lines += ["", *_parting(failing, passing)]
    for title, ours, theirs in (
        ("Transactions", _transactions(failing.events), _transactions(passing.events)),
        ("Subjects", _subjects(failing.events), _subjects(passing.events)),
        ("Expectations", _expectations(failing), _expectations(passing)),
    ):
        lines += ["", *_compared(title, ours, theirs)]
    return lines


def _why(failing: Followed) -> str:
    judgment = failing.judgment
    failed = [e.sentence for e in judgment.expectations if e.outcome.judgement is Judgement.FAILED]
    reasons = [*judgment.violations, *failed, *judgment.open_points]
    return f"{judgment.verdict}: {reasons[0]}" if reasons else str(judgment.verdict)


def _parting(failing: Followed, passing: Followed) -> Iterator[str]:
    same_seed = failing.seed == passing.seed
    ours, theirs = (run.events if same_seed else _of_trade(run.events) for run in (failing, passing))
    for one, other in zip_longest(ours, theirs):
        if one is None or other is None or _essence(one, same_seed) != _essence(other, same_seed):
            yield "They part at" if same_seed else "In the trade and its faults they part at"
            yield from _wrapped(f"  failing  {_event(one)}", 11)
            yield from _wrapped(f"  passing  {_event(other)}", 11)
            return
    yield "Not an event differs: they are judged differently"


def _of_trade(events: Sequence[Event]) -> list[Event]:
    return [event for event in events if not event.name.startswith(_OF_NODES)]


def _essence(event: Event, whole: bool) -> tuple[object, ...]:
    if whole:
        return event.name, event.protocol_ns, event.calendar_ms, dict(event.fields)
    return event.name, {name: event.fields[name] for name in _LOCAL if name in event.fields}


def _event(event: Event | None) -> str:
    if event is None:
        return "the run is over"
    fields = {name: value for name, value in event.fields.items() if value not in (None, [], "")}
    told = " ".join(f"{name}={_brief(value)}" for name, value in fields.items() if name != "body")
    when = f"event {event.number}, {event.protocol_ns / SECOND_NS:.3f} s, {iso(event.calendar_ms)[:16]}"
    return f"{when}: {event.name} {told}"


def _brief(value: object) -> str:
    text = ",".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= 24 else text[:12] + "..."


def _transactions(events: Sequence[Event]) -> dict[str, _Outcome]:
    """Return what became of each transaction, by type, creator, what it is about, and number among such."""
    found: dict[str, _Outcome] = {}
    counts: dict[str, int] = {}
    pending: dict[str, Event] = {}
    for event in events:
        if event.name == "transaction.submitted":
            pending.setdefault(event.text("id"), event)
        elif event.name == "receipt":
            pending.pop(event.text("id"), None)
            about = next((f" of {event.fields[k]}" for k in _ABOUT if event.fields.get(k) is not None), "")
            name = f"{event.text('type')} by {event.text('creator')}{about}"
            counts[name] = counts.get(name, 0) + 1
            number = f" ({counts[name]})" if counts[name] > 1 else ""
            code = event.text("code")
            words = code if code == "VALID" else f"{code} {event.fields.get('rule') or ''}".rstrip()
            found[name + number] = _Outcome(words, event.calendar_ms, event.protocol_ns)
    for at, event in enumerate(pending.values(), 1):
        name = f"never on the ledger, {at}"
        found[name] = _Outcome(f"of {event.text('node')}", event.calendar_ms, event.protocol_ns)
    return found


_ABOUT = ("claim", "carnet_claim", "voucher", "carnet", "form370", "certificate")


def _subjects(events: Sequence[Event]) -> dict[str, _Outcome]:
    """Return each subject's states with month and day, and each drawn shipment's course, by name."""
    found: dict[str, _Outcome] = {}
    for event in events:
        kind, _, what = event.name.partition(".")
        if what == "state" and kind in event.fields:
            name = f"{kind.replace('_', ' ')} {event.fields[kind]}"
            word = f"{event.fields.get('state')} {iso(event.calendar_ms)[5:10]}"
        elif event.fields.get("shipment") is not None and kind not in {"shipment", "receipt"}:
            name, word = f"shipment {event.fields['shipment']}", event.name
        else:
            continue
        before = found.get(name)
        words = word if before is None else f"{before.words}, {word}"
        found[name] = _Outcome(words, event.calendar_ms, event.protocol_ns)
    return found


def _expectations(run: Followed) -> dict[str, _Outcome]:
    return {
        e.sentence: _Outcome(f"{e.outcome.judgement}: {e.outcome.text}", 0, 0)
        for e in run.judgment.expectations
    }


def _compared(title: str, ours: Mapping[str, _Outcome], theirs: Mapping[str, _Outcome]) -> Iterator[str]:
    names = [name for name in {**ours, **theirs} if _differs(ours.get(name), theirs.get(name))]
    same = len({**ours, **theirs}) - len(names)
    rest = f"; {same} alike" if same else ""
    yield f"{title}: {len(names)} come out differently{rest}"
    for name in names[:LISTED_MAX]:
        yield from _wrapped(f"  {name}", 4)
        yield from _wrapped(f"    failing  {_told(ours.get(name))}", 13)
        yield from _wrapped(f"    passing  {_told(theirs.get(name))}", 13)
    if len(names) > LISTED_MAX:
        yield f"  and {len(names) - LISTED_MAX} more"


def _differs(one: _Outcome | None, other: _Outcome | None) -> bool:
    if one is None or other is None:
        return one is not other
    return (
        one.words != other.words
        or abs(one.calendar_ms - other.calendar_ms) >= HOUR_MS
        or abs(one.protocol_ns - other.protocol_ns) >= SECOND_NS
    )


def _told(outcome: _Outcome | None) -> str:
    if outcome is None:
        return "nothing"
    if not outcome.protocol_ns:
        return outcome.words
    return f"{outcome.words}; {iso(outcome.calendar_ms)[:16]}, at {outcome.protocol_ns / SECOND_NS:.3f} s"


def _wrapped(text: str, indent: int) -> list[str]:
    return textwrap.wrap(
        text, WIDTH_CHARACTERS, subsequent_indent=" " * indent, break_on_hyphens=False, drop_whitespace=True
    )
