"""The JSON Schema of a scenario file, for editors and for `seatrial schema`.

Rules:
- It is generated from the model, so the model's descriptions are what an editor shows.
- A file that `extends` another may leave out anything and may append with `key+`; any other is complete.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from typing import Any

from scenarios.model.scenario import Scenario

_REFERENCE = "#/$defs/"


@functools.cache
def model_schema() -> dict[str, Any]:
    """Return the JSON Schema of a complete scenario."""
    return Scenario.model_json_schema(by_alias=True)


def scenario_schema() -> dict[str, Any]:
    """Return the JSON Schema of a scenario file, complete or laid over another."""
    complete = json.loads(json.dumps(model_schema()))
    definitions: dict[str, Any] = complete.pop("$defs")
    whole = {key: complete[key] for key in ("type", "properties", "required", "additionalProperties")}
    partial_definitions: dict[str, Any] = {}
    over = _partial(whole, definitions, partial_definitions)
    over["required"] = ["scenario", "extends"]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Seatrial scenario",
        "description": complete["description"],
        "if": {"required": ["extends"]},
        "then": over,
        "else": whole,
        "$defs": {**definitions, **partial_definitions},
    }


def schema_text() -> str:
    """Return the schema as it stands in `scenarios/library/scenario.schema.json`."""
    return json.dumps(scenario_schema(), indent=2, ensure_ascii=False) + "\n"


def _partial(part: Mapping[str, Any], definitions: Mapping[str, Any], made: dict[str, Any]) -> dict[str, Any]:
    """Return a schema with nothing required, down through mappings; list items stay whole."""
    partial = dict(part)
    partial.pop("required", None)
    if "$ref" in part:
        name = part["$ref"].removeprefix(_REFERENCE)
        partial["$ref"] = _REFERENCE + _partial_definition(name, definitions, made)
    if "properties" in part:
        partial["properties"] = {}
        for key, below in part["properties"].items():
            partial["properties"][key] = _partial(below, definitions, made)
            if below.get("type") == "array":
                partial["properties"][f"{key}+"] = below
    if isinstance(part.get("additionalProperties"), Mapping):
        partial["additionalProperties"] = _partial(part["additionalProperties"], definitions, made)
    if "patternProperties" in part:
        partial["patternProperties"] = {
            pattern: _partial(below, definitions, made)
            for pattern, below in part["patternProperties"].items()
        }
    for key in ("oneOf", "anyOf"):
        if key in part:
            partial[key] = [_partial(option, definitions, made) for option in part[key]]
    if "discriminator" in part:
        partial.pop("discriminator")
        partial["anyOf"] = partial.pop("oneOf")
    return partial


def _partial_definition(name: str, definitions: Mapping[str, Any], made: dict[str, Any]) -> str:
    partial_name = f"{name}Partial"
    if partial_name not in made:
        made[partial_name] = {}
        made[partial_name].update(_partial(definitions[name], definitions, made))
    return partial_name
