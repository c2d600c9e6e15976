"""A failing scenario as plain values, with the cuts that can be made in it.

Rules:
- A cut never changes what it was made in; one that would take away the very thing that fails is none.
- Expectations name steps by number: they are renumbered with the steps, and fall with the step they name. So is the
  failure, if it is such an expectation.
- Whether a cut leaves a sound scenario is not judged here: the file's own checks do that.
"""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeAlias, cast

from scenarios.campaign.job import Plain
from scenarios.model.network import Agent, Network
from scenarios.shrinking.failure import Failure
from scenarios.shrinking.milder import Values, made_milder, ways

Item: TypeAlias = "tuple[str, int | str]"
"""Where in the scenario it stands: the list and its position from 0, or the mapping and its key."""

TITLE_CHARACTERS_MAX = 200
NAME_CHARACTERS_MAX = 64
DAY = datetime.timedelta(days=1)
ENTRIES = ("claims", "verifications", "carnets", "forms", "invoices", "documents")

_NETWORK_KEYS = ("topology", "edges", "latency_ms", "regions", "region_latency_ms")
"""What of a network can be left to its default; how many vote, and how long they wait, are what a run is about."""

_STEP = re.compile(r"\bstep ([0-9]+)\b")


class Part(StrEnum):
    """What can be taken away, in the order in which it is tried."""

    EXPECT = "expect"
    CHECKS = "checks"
    FAULTS = "faults"
    STEPS = "steps"
    ENTRIES = "entries"
    AGENTS = "agents"
    NETWORK = "network"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A scenario that fails, or is asked whether it does.

    Attributes:
        value: the resolved scenario.
        failure: the way of failing that is looked for, in this scenario's numbers of steps.
    """

    value: Values
    failure: Failure

    @property
    def text(self) -> str:
        """The scenario as a text that loads."""
        return json.dumps(self.value, ensure_ascii=True)

    def count(self, part: Part) -> int:
        """Return how much of a part there is."""
        return len(_items(self.value, part))


@dataclass(frozen=True, slots=True)
class Control(Candidate):
    """A candidate without faults, asked about only to see whether it is the faults that make its run fail."""

    @staticmethod
    def of(candidate: Candidate) -> Control:
        """Return a candidate's control."""
        return Control(candidate.value | {"faults": []}, candidate.failure)


def trimmed(candidate: Candidate) -> Candidate:
    """Return it under a name and title of its own, without the story that is no longer told."""
    name = str(candidate.value["scenario"])
    title = f"{name}, shrunk: {candidate.failure}"[:TITLE_CHARACTERS_MAX]
    value = candidate.value | {"scenario": f"{name[: NAME_CHARACTERS_MAX - 7]}-shrunk", "title": title}
    return replace(candidate, value={key: below for key, below in value.items() if key != "about"})


def removable(candidate: Candidate, part: Part) -> tuple[Item, ...]:
    """Return what of a part may be taken away: all but the expectation or check that fails."""
    items = _items(candidate.value, part)
    if part is Part.EXPECT:
        return tuple(
            item for item in items if _expected(candidate.value)[int(item[1])] != candidate.failure.name
        )
    if part is Part.CHECKS:
        names = cast("list[str]", candidate.value.get("checks", []))
        failing = candidate.failure.name.split()
        return tuple(item for item in items if names[int(item[1])] not in failing)
    return items


def with_only(candidate: Candidate, part: Part, kept: Sequence[Item]) -> Candidate | None:
    """Return the candidate with only these of what is removable of a part; None if what fails would fall with it."""
    gone = set(removable(candidate, part)) - set(kept)
    if part in (Part.AGENTS, Part.NETWORK):
        return replace(candidate, value=_left_to_default(candidate.value, part, gone))
    value = dict(candidate.value)
    for key in dict.fromkeys(item[0] for item in removable(candidate, part)):
        below = value[key]
        if isinstance(below, list):
            value[key] = [one for at, one in enumerate(below) if (key, at) not in gone]
        else:
            value[key] = {name: one for name, one in cast(Values, below).items() if (key, name) not in gone}
    if part is Part.CHECKS and "checks_unless" in value:
        excused = cast(Values, value["checks_unless"])
        names = cast("list[str]", value["checks"])
        value["checks_unless"] = {name: kinds for name, kinds in excused.items() if name in names}
    if part is not Part.STEPS:
        return replace(candidate, value=value)
    left = [at for at in range(candidate.count(part)) if ("steps", at) not in gone]
    numbers = {old + 1: new for new, old in enumerate(left, 1)}
    name = _renumbered(candidate.failure.name, numbers) if _is_expected(candidate) else candidate.failure.name
    if name is None:
        return None
    sentences = [_renumbered(sentence, numbers) for sentence in _expected(value)]
    value["expect"] = [sentence for sentence in sentences if sentence is not None]
    return Candidate(value, replace(candidate.failure, name=name))


def milder(candidate: Candidate) -> Iterator[tuple[int, str]]:
    """Yield what can be made milder: a fault's position from 0, and in which way."""
    for at, fault in enumerate(cast("list[Values]", candidate.value.get("faults", []))):
        yield from ((at, way) for way in ways(fault))


def with_milder(candidate: Candidate, at: int, way: str) -> Candidate | None:
    """Return the candidate with one fault milder in one way; None if it cannot be any more.

    Args:
        candidate: whose fault it is.
        at: the fault's position from 0.
        way: one of `ways` of it.
    """
    faults = list(cast("list[Plain]", candidate.value["faults"]))
    fault = made_milder(cast(Values, faults[at]), way)
    if fault is None:
        return None
    faults[at] = fault
    return replace(candidate, value=candidate.value | {"faults": faults})


def with_shorter_calendar(candidate: Candidate) -> Candidate | None:
    """Return the candidate with a calendar half as long; None if it would be under a day, or costs no time anyway."""
    calendar = cast(Values, candidate.value["calendar"])
    if calendar.get("pace") is None:
        return None
    start, end = (datetime.datetime.fromisoformat(str(calendar[name])) for name in ("start", "end"))
    if start.tzinfo is None or end.tzinfo is None:
        return None
    half = (end - start) / 2
    if half < DAY:
        return None
    earlier = (start + half).astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return replace(candidate, value=candidate.value | {"calendar": calendar | {"end": earlier}})


def _left_to_default(value: Values, part: Part, gone: set[Item]) -> Values:
    """Return the value with what an agent or the network was told to do gone, as if the file had never said it."""
    if part is Part.NETWORK:
        network = cast(Values, value["network"])
        return value | {"network": {k: one for k, one in network.items() if (part.value, k) not in gone}}
    organizations: Values = {}
    for name, organization in cast("dict[str, Values]", value["organizations"]).items():
        agent: Values = {}
        for key, one in cast(Values, organization.get("agent", {})).items():
            if isinstance(one, dict):
                agent[key] = {kind: how for kind, how in one.items() if (name, f"{key}/{kind}") not in gone}
            elif (name, key) not in gone:
                agent[key] = one
        organizations[name] = organization | {"agent": agent}
    return value | {"organizations": organizations}


def _told_agents(value: Values) -> Iterator[Item]:
    """Yield what agents do otherwise than by default, by organization: a setting, or a kind of a map such as frauds."""
    usual = Agent.model_validate({}).model_dump(mode="json")
    for name, organization in cast("dict[str, Values]", value.get("organizations", {})).items():
        for key, one in cast(Values, organization.get("agent", {})).items():
            if isinstance(one, dict):
                yield from ((name, f"{key}/{kind}") for kind in one)
            elif one != usual[key]:
                yield name, key


def _told_network(value: Values) -> Iterator[Item]:
    usual = Network.model_validate({}).model_dump(mode="json")
    network = cast(Values, value.get("network", {}))
    yield from (
        (Part.NETWORK.value, key) for key in _NETWORK_KEYS if key in network and network[key] != usual[key]
    )


def _items(value: Values, part: Part) -> tuple[Item, ...]:
    if part is Part.AGENTS:
        return tuple(_told_agents(value))
    if part is Part.NETWORK:
        return tuple(_told_network(value))
    if part is Part.ENTRIES:
        return tuple((group, name) for group in ENTRIES for name in cast(Values, value.get(group, {})))
    return tuple((part.value, at) for at in range(len(cast("list[Plain]", value.get(part.value, [])))))


def _expected(value: Values) -> list[str]:
    return cast("list[str]", value.get("expect", []))


def _is_expected(candidate: Candidate) -> bool:
    return candidate.failure.name in _expected(candidate.value)


def _renumbered(sentence: str, numbers: dict[int, int]) -> str | None:
    """Return a sentence with its steps' new numbers; None if one of them is gone."""
    if any(int(number) not in numbers for number in _STEP.findall(sentence)):
        return None
    return _STEP.sub(lambda match: f"step {numbers[int(match[1])]}", sentence)
