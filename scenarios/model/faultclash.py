"""Faults that contradict each other: two of one family that hold the same node at the same time.

Rules:
- Only what is certain counts: whom both hit, and that both are in force at one moment, must follow from the file alone.
- A family is a condition that a node or its links can be in once: how they are cut, how long a line takes, how its
  process stands, how its disk fails or lags, how its calendar goes. Two losses, two
  limits of bandwidth or two clogs only add up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from scenarios.errors import RefusedError
from scenarios.model.faults import FaultRecord
from scenarios.model.scenario import Scenario
from scenarios.model.targets import Target, TargetKind
from scenarios.model.units import Clock, Span

_CUT = "how links are cut"
_DISK = "how its disk fails"
_CALENDAR = "how its calendar goes"
_PROCESS = "how its process stands"
_OFFICE = "how its office works"
_POST = "what becomes of its envelopes"
FAMILIES: Mapping[str, str] = {
    "partition": _CUT,
    "bridge": _CUT,
    "ring": _CUT,
    "flapping": _CUT,
    "latency": "how long its lines take",
    "crash": _PROCESS,
    "pause": _PROCESS,
    "power_loss": _PROCESS,
    "restart_loop": _PROCESS,
    "rolling_restart": _PROCESS,
    "other_version": _PROCESS,
    "flip_bits": _PROCESS,
    "lost_file": _PROCESS,
    "rebuild": _PROCESS,
    "crash_at": "at which point its program dies",
    "slow_disk": "how its disk lags",
    "disk_full": _DISK,
    "sync_failure": _DISK,
    "read_failure": _DISK,
    "write_failure": _DISK,
    "calendar_offset": _CALENDAR,
    "calendar_jump": _CALENDAR,
    "calendar_drift": _CALENDAR,
    "outage": _OFFICE,
    "silence": _OFFICE,
    "paper_fallback": _OFFICE,
    "late_document": _POST,
    "lost_document": _POST,
}
"""What a kind of fault decides alone."""


@dataclass(frozen=True, slots=True)
class Clash:
    """Two faults, by their position from 0, that cannot both have their way, and why."""

    first: int
    second: int
    refusal: RefusedError


def clashes(scenario: Scenario) -> tuple[Clash, ...]:
    """Return every two faults of a scenario that contradict each other for certain."""
    found = []
    for (first, one), (second, other) in combinations(enumerate(scenario.faults), 2):
        family = FAMILIES.get(one.kind)
        if family is None or family != FAMILIES.get(other.kind):
            continue
        whom = _both(scenario, one, other)
        if whom and _meet(scenario, one, other):
            what = f"{other.kind} of {whom} while fault {first + 1}, {one.kind}, is in force"
            refusal = RefusedError(what, f"one at a time decides {family}", "move one, or remove it")
            found.append(Clash(first, second, refusal))
    return tuple(found)


def _both(scenario: Scenario, one: FaultRecord, other: FaultRecord) -> str:
    """Say whom both hit for certain; empty if nobody."""
    mine, others = _names(scenario, one.target), _names(scenario, other.target)
    if mine is not None and others is not None:
        return ", ".join(name for name in mine if name in others)
    alike = one.target == other.target and one.target.kind is TargetKind.LEADER
    if alike and (one.at, one.when, one.after) == (other.at, other.when, other.after):
        return "the leader"
    return ""


def _names(scenario: Scenario, target: Target) -> Sequence[str] | None:
    match target.kind:
        case TargetKind.NODES | TargetKind.ORGANIZATIONS:
            return target.names
        case TargetKind.ALL:
            return tuple(scenario.organizations)
        case TargetKind.REGION:
            return scenario.network.regions.get(target.region, ())
        case _:
            return None


@dataclass(frozen=True, slots=True)
class _Window:
    """When a fault is in force, on one clock, from one beginning: from here, and before there."""

    clock: Clock
    beginning: str
    from_ms: int
    to_ms: int


def _meet(scenario: Scenario, one: FaultRecord, other: FaultRecord) -> bool:
    return any(
        mine.clock is theirs.clock
        and mine.beginning == theirs.beginning
        and mine.from_ms < theirs.to_ms
        and theirs.from_ms < mine.to_ms
        for mine in _windows(scenario, one)
        for theirs in _windows(scenario, other)
    )


def _windows(scenario: Scenario, fault: FaultRecord) -> list[_Window]:
    """Return when a fault is in force for certain: on each clock on which its beginning is known."""
    if fault.at is not None and fault.at.protocol is not None:
        begins = {Clock.PROTOCOL: ("the start", fault.at.protocol.ms)}
    elif fault.at is not None and fault.at.calendar is not None:
        begins = {Clock.CALENDAR: ("the calendar", _moment_ms(scenario, fault))}
    elif fault.after is not None:
        begins = {fault.after.clock: (str(fault.when), fault.after.duration.ms)}
    else:
        begins = {clock: (str(fault.when), 0) for clock in Clock}
    return [
        _Window(clock, beginning, from_ms, from_ms + _length_ms(fault.lasts, clock))
        for clock, (beginning, from_ms) in begins.items()
    ]


def _moment_ms(scenario: Scenario, fault: FaultRecord) -> int:
    assert fault.at is not None  # noqa: S101 - asked for such only
    assert fault.at.calendar is not None  # noqa: S101
    try:
        return scenario.moment_ms(fault.at.calendar)
    except RefusedError:
        return -1  # reported where it stands


def _length_ms(lasts: Span | None, clock: Clock) -> int:
    """Return how long a fault lasts at least on a clock: a moment if its end is on the other."""
    return lasts.duration.ms if lasts is not None and lasts.clock is clock else 1
