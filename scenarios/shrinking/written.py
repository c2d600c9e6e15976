"""A scenario as a short YAML text for people to read.

Rules:
- What is left to its default is not written. The text is read back, and if it held another scenario than it was
  written from, the long text is written instead, which never does.
- Plain texts stand bare only where every reader of YAML takes them for text; all others are quoted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence

from scenarios.campaign.job import Plain
from scenarios.errors import ScenarioError
from scenarios.model import Scenario, read_scenario
from scenarios.model.network import AGENT_ROLES, plays
from scenarios.model.source import parse_source

WIDTH_CHARACTERS = 110

_BARE = re.compile(r"[A-Za-z][A-Za-z0-9_./()<=%-]*(?: [A-Za-z0-9_./()<=>%-]+)*|[1-9][0-9]*(?:ms|s|min|h|d)")
_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
"""Words that some reader of YAML takes for something else than text."""


def written(scenario: Scenario) -> str:
    """Return the scenario as YAML text that loads to the same scenario."""
    value = scenario.model_dump(
        mode="json", by_alias=True, exclude_none=True, exclude_defaults=True, exclude={"extends"}
    )
    for name, organization in scenario.organizations.items():
        agent = value["organizations"][name].pop("agent", {})
        own = {key: delay for key, delay in agent.items() if plays(organization.roles, AGENT_ROLES[key])}
        if own:
            value["organizations"][name]["agent"] = own
    text = "\n".join(_mapping(value, "")) + "\n"
    try:
        same = read_scenario(parse_source(text, scenario.scenario)).resolved() == scenario.resolved()
    except ScenarioError:
        same = False
    return text if same else scenario.resolved()


def _mapping(value: Mapping[str, Plain], indent: str) -> Iterator[str]:
    for key, below in value.items():
        head = f"{indent}{_scalar(key)}:"
        if not indent and isinstance(below, dict | list) and below:
            yield ""
        flow = f"{head} {_flow(below)}"
        if not isinstance(below, dict | list) or not below or (indent and len(flow) <= WIDTH_CHARACTERS):
            yield flow
        elif isinstance(below, dict):
            yield head
            yield from _mapping(below, indent + "  ")
        else:
            yield head
            yield from _sequence(below, indent + "  ")


def _sequence(value: Sequence[Plain], indent: str) -> Iterator[str]:
    for below in value:
        flow = f"{indent}- {_flow(below)}"
        if isinstance(below, dict) and below and len(flow) > WIDTH_CHARACTERS:
            first, *rest = _mapping(below, indent + "  ")
            yield f"{indent}- {first.lstrip()}"
            yield from rest
        else:
            yield flow


def _flow(value: Plain) -> str:
    if isinstance(value, dict):
        inside = ", ".join(f"{_scalar(key)}: {_flow(below)}" for key, below in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    if isinstance(value, list):
        return f"[{', '.join(_flow(below) for below in value)}]"
    return _scalar(value)


def _scalar(value: str | float | bool | None) -> str:
    if isinstance(value, str) and _BARE.fullmatch(value) and value.lower() not in _WORDS:
        return value
    return json.dumps(value, ensure_ascii=isinstance(value, str) and not value.isprintable())
