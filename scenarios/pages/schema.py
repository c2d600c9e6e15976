"""The scenario file's vocabulary as a page, made of its JSON Schema.

Rules:
- Every record and key of the schema stands on it, with type, default and meaning; a test holds it to the schema.
- A record links to those it contains by its name.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from scenarios.model.schema import model_schema

_HEAD = """# Scenario schema

This page is made of the program's own models (`python -m scenarios.pages`; `seatrial schema` prints the same as JSON
Schema); a test holds it to them. [Scenario files](../scenario-files.md) explains how they are meant. A file that
`extends` another may leave out anything; `key+` adds to a list of the other's.

"""
_LIMITS = {
    "minimum": ">= {}",
    "exclusiveMinimum": "> {}",
    "maximum": "<= {}",
    "exclusiveMaximum": "< {}",
    "minLength": "{} characters or more",
    "maxLength": "{} characters at most",
    "minItems": "{} or more",
    "maxItems": "{} at most",
    "pattern": "matches `{}`",
}


def schema_page() -> str:
    """Return the page in Markdown."""
    schema = model_schema()
    parts = [_HEAD, "## Scenario\n\n", _record(schema)]
    for name, definition in sorted(schema["$defs"].items()):
        parts.append(f"## {name}\n\n{_record(definition)}")
    return "".join(parts).rstrip("\n") + "\n"


def _record(definition: Mapping[str, Any]) -> str:
    """Return what a record is, and a table of its keys, if it has any."""
    told = _cell(definition.get("description", ""), newline="\n\n")
    text = f"{told}\n\n" if told else ""
    if "properties" not in definition:
        return f"{text}Type: {type_text(definition)}\n\n"
    if not definition["properties"]:
        return f"{text}It has no keys.\n\n"
    required = definition.get("required", ())
    rows = [_row(key, part, key in required) for key, part in definition["properties"].items()]
    return f"{text}| key | type | default | meaning |\n|---|---|---|---|\n{''.join(rows)}\n"


def _row(key: str, part: Mapping[str, Any], required: bool) -> str:
    default = "required" if required else _default(part)
    return f"| `{key}` | {type_text(part)} | {default} | {_cell(part.get('description', ''))} |\n"


def _default(part: Mapping[str, Any]) -> str:
    value = part.get("default")
    return "" if value is None else f"`{_cell(json.dumps(value, ensure_ascii=False))}`"


def type_text(part: Mapping[str, Any]) -> str:
    """Return what a value may be, in one table cell."""
    limits = [_cell(text.format(part[key])) for key, text in _LIMITS.items() if key in part]
    return ", ".join([_kind(part), *limits])


def _kind(part: Mapping[str, Any]) -> str:
    if "$ref" in part:
        name = part["$ref"].rsplit("/", 1)[-1]
        return f"[{name}](#{name.lower()})"
    if "const" in part or "enum" in part:
        values: Sequence[object] = part.get("enum", [part.get("const")])
        return " or ".join(f"`{_cell(str(value))}`" for value in values)
    for key in ("anyOf", "oneOf"):
        if key in part:
            return " or ".join(
                dict.fromkeys(type_text(choice) for choice in part[key] if choice.get("type") != "null")
            )
    match part.get("type"):
        case "array":
            inside = part.get("items") or {"anyOf": part.get("prefixItems", [])}
            return f"list of {type_text(inside)}"
        case "object":
            return f"map of names to {type_text(_values(part))}"
        case None:
            return "anything"
        case kind:
            return {"string": "text", "integer": "whole number", "boolean": "true or false"}.get(
                kind, str(kind)
            )


def _values(part: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a map's values are."""
    patterns = part.get("patternProperties")
    if patterns:
        return {"anyOf": list(patterns.values())}
    values = part.get("additionalProperties")
    return values if isinstance(values, Mapping) else {}


def _cell(text: str, newline: str = "<br>") -> str:
    """Return text that stands in one cell as it is."""
    return text.strip().replace("|", "\\|").replace("<", "&lt;").replace("\n\n", newline).replace("\n", " ")
