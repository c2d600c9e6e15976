"""How one fault is made milder: half as long, half as hard, or with one node or field fewer.

Rules:
- A step is small enough to be tried again and again, until the failure goes away or nothing is left to take.
- What is left is a sound fault: one node, one field, groups of which none is empty, a time that is longer than nothing.
- A node that leaves a partition's groups is parted from nobody; where there are more than two groups, one may go whole.
"""

from __future__ import annotations

from typing import TypeAlias, cast

from scenarios.campaign.job import Plain
from scenarios.model.units import Duration, parse_duration

Values: TypeAlias = "dict[str, Plain]"

PERCENT_MIN = 0.01
DISTRIBUTION_MS_MIN = 1.0
HALVED = (
    "for",
    "percent",
    "range_ms",
    "normal",
    "lognormal",
    "exponential",
    "bytes_per_s",
    "frames",
    "times",
    "nth",
    "seconds",
    "ppm",
    "bits",
    "ms",
    "every_ms",
    "up_ms",
    "down_ms",
    "entry_minutes",
    "twice_percent",
    "mistyped_percent",
)
"""What of a fault can be halved: how long it lasts, or a value of its params; of a bandwidth, what it takes away."""
BYTES_PER_S_MILD = 10_000_000
"""A bandwidth that is doubled no more: it holds nothing up."""
_NODES = "nodes "
_TARGET = "target without "
_FIELDS = "fields without "
_GROUP = "groups without group "
_MEMBER = "groups without "


def ways(fault: Values) -> list[str]:
    """Return the ways in which a fault can be made milder now."""
    fields = cast("list[str]", cast(Values, fault.get("params", {})).get("fields", []))
    groups = _groups(fault)
    every = (
        *HALVED,
        *(_TARGET + name for name in _nodes(fault)),
        *(_FIELDS + name for name in fields),
        *(_GROUP + ", ".join(group) for group in groups if len(groups) > 2),
        *(_MEMBER + name for group in groups for name in group),
    )
    return [way for way in every if made_milder(fault, way) is not None]


def made_milder(fault: Values, way: str) -> Values | None:
    """Return a fault one step milder; None if it cannot be in this way, or no more.

    Args:
        fault: as a scenario file has it.
        way: a name of `HALVED`, or `target without cbp`, `fields without certificate/hs6`, `groups without noaa`,
            `groups without group noaa, chamber`.
    """
    if way.startswith(_TARGET):
        names = _without(_nodes(fault), way.removeprefix(_TARGET))
        if names is None:
            return None
        return fault | {"target": f"node {names[0]}" if len(names) == 1 else _NODES + ", ".join(names)}
    if way.startswith(_FIELDS):
        params = cast(Values, fault["params"])
        fields = _without(cast("list[str]", params["fields"]), way.removeprefix(_FIELDS))
        return None if fields is None else fault | {"params": params | {"fields": list(fields)}}
    if way.startswith(_GROUP):
        members = way.removeprefix(_GROUP).split(", ")
        groups = [group for group in _groups(fault) if group != members]
        return _regrouped(fault, groups) if len(groups) >= 2 else None
    if way.startswith(_MEMBER):
        name = way.removeprefix(_MEMBER)
        return _regrouped(fault, [[other for other in group if other != name] for group in _groups(fault)])
    return _halved(fault, way)


def _groups(fault: Values) -> list[list[str]]:
    return cast("list[list[str]]", cast(Values, fault.get("params", {})).get("groups") or [])


def _regrouped(fault: Values, groups: list[list[str]]) -> Values | None:
    """Return a fault with other groups; None if they are the same or one is empty."""
    if not all(groups) or groups == _groups(fault):
        return None
    params = cast(Values, fault["params"])
    return fault | {"params": params | {"groups": cast("list[Plain]", groups)}}


def _nodes(fault: Values) -> list[str]:
    target = str(fault["target"])
    return target.removeprefix(_NODES).split(", ") if target.startswith(_NODES) else []


def _without(names: list[str], name: str) -> list[str] | None:
    """Return the others; None if it is not among them, or the only one."""
    left = [other for other in names if other != name]
    return left if left and len(left) < len(names) else None


def _halved(fault: Values, what: str) -> Values | None:
    if what == "for":
        span = fault.get("for")
        if not isinstance(span, dict):
            return None
        ((clock, text),) = span.items()
        shorter = Duration(parse_duration(str(text)).ms // 2)
        return fault | {"for": {clock: str(shorter)}} if shorter.ms else None
    params = cast(Values, fault.get("params", {}))
    if what not in params:
        return None
    now = params[what]
    less: Plain
    if isinstance(now, dict):
        less = {name: round(float(cast(float, value)) / 2, 4) for name, value in now.items()}
        if max(cast("list[float]", list(less.values()))) < DISTRIBUTION_MS_MIN:
            return None
    elif what == "bytes_per_s":
        less = 2 * int(cast(int, now))
        if less > BYTES_PER_S_MILD:
            return None
    elif isinstance(now, list):
        less = [int(cast(int, end)) // 2 for end in now]
    elif isinstance(now, int) and what != "percent":
        less = int(now / 2)
        if not less:
            return None
    else:
        less = round(float(cast(float, now)) / 2, 4)
        if abs(less) < PERCENT_MIN:
            return None
    return fault | {"params": params | {what: less}} if less != now else None
