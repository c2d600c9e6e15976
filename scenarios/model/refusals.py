"""Turns what pydantic found into faults with file, line and remedy.

Rules:
- The place is the value's own; a missing key's place is the record it is missing from.
- A number where text is wanted gets the remedy "quote it" with the text exactly as it stands in the file.
- An unknown key or tag gets the nearest known one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from scenarios.errors import Fault, RefusedError, nearest
from scenarios.model.source import Source
from scenarios.model.yamltree import Leaf, Location, Node, child, dotted

_KINDS = {
    "int_type": ("a whole number", "write a whole number without quotes"),
    "int_from_float": ("a whole number", "write a whole number"),
    "float_type": ("a number", "write a number without quotes"),
    "bool_type": ("true or false", "write true or false without quotes"),
    "tuple_type": ("a list", "write [a, b] or lines that begin with a dash"),
    "dict_type": ("a mapping", "write key: value below it"),
    "model_type": ("a mapping", "write key: value below it"),
    "model_attributes_type": ("a mapping", "write key: value below it"),
}


def faults_of(error: ValidationError, source: Source, schema: Mapping[str, Any]) -> list[Fault]:
    """Return a fault for everything pydantic found.

    Args:
        error: What it raised.
        source: The text it looked at.
        schema: The model's JSON Schema, which knows the keys of every record.
    """
    found = error.errors(include_url=False)
    inner = {details["loc"][:length] for details in found for length in range(len(details["loc"]))}
    return [
        _fault(details, source, schema)
        for details in found
        if details["type"] != "too_short" or details["loc"] not in inner  # short of items that are wrong
    ]


def _fault(details: ErrorDetails, source: Source, schema: Mapping[str, Any]) -> Fault:
    location = _in_source(details["loc"], source)
    if details["type"] == "missing":
        location = (*location, details["loc"][-1])
    refusal = details.get("ctx", {}).get("error")
    if isinstance(refusal, RefusedError):
        inside = (*location, *refusal.inside)
        return Fault(source.place(inside), _named(inside, refusal.what), refusal.limit, refusal.remedy)
    match details["type"]:
        case "missing":
            name = dotted(location)
            keys = list(_record_at(details["loc"], schema).get("required", ()))
            form = f" {{{', '.join(f'{key}: ...' for key in keys)}}}" if keys else ""
            return Fault(source.place(location), f"{name}: is missing", "", f"add {location[-1]}:{form}")
        case "extra_forbidden":
            return _unknown_key(location, details["loc"], source, schema)
        case "union_tag_invalid" | "union_tag_not_found":
            return _unknown_tag(location, details, source)
        case "string_type":
            return _no_text(location, source)
        case "literal_error" | "enum":
            known = details["ctx"]["expected"].replace("'", '"')
            what = _named(location, f"{_shown(location, source)} is not allowed")
            remedy = nearest(str(details["input"]), known.replace('"', "").replace(" or ", ", ").split(", "))
            return Fault(source.place(location), what, f"one of {known}", remedy)
        case "string_pattern_mismatch":
            what = _named(location, f"{_shown(location, source)} has the wrong form")
            remedy = "rename it" if details["loc"][-1] == "[key]" else "correct it"
            return Fault(source.place(location), what, f"the form is {details['ctx']['pattern']}", remedy)
        case "too_short" | "too_long" as kind:
            count = details["ctx"]["actual_length"]
            bound = "at least" if kind == "too_short" else "at most"
            length = details["ctx"]["min_length" if kind == "too_short" else "max_length"]
            what = _named(location, f"has {count} items")
            return Fault(source.place(location), what, f"{bound} {length}", "")
        case kind if kind in _KINDS:
            wanted, remedy = _KINDS[kind]
            what = _named(location, f"{_shown(location, source)} is not {wanted}")
            return Fault(source.place(location), what, "", remedy)
        case _:
            message = details["msg"][:1].lower() + details["msg"][1:]
            return Fault(source.place(location), _named(location, _shown(location, source)), message, "")


def _in_source(loc: tuple[int | str, ...], source: Source) -> Location:
    """Return a location as the file has it: without the tags of unions, up to what stands there."""
    node: Node = source.root
    found: list[int | str] = []
    for step in loc:
        below = child(node, step)
        if below is not None:
            node = below
            found.append(step)
    return tuple(found)


def _named(location: Location, what: str) -> str:
    return f"{dotted(location)}: {what}" if location else what


def _shown(location: Location, source: Source) -> str:
    node = source.find(location)
    if isinstance(node, Leaf):
        return f'"{node.text}"' if len(node.text) <= 80 else f'"{node.text[:77]}..."'
    return "this"


def _no_text(location: Location, source: Source) -> Fault:
    node = source.find(location)
    place = source.place(location)
    if isinstance(node, Leaf) and node.text not in ("", "~"):
        what = _named(location, f"{node.text} is a {_kind_of(node)} here, not text")
        return Fault(place, what, "codes are text", f'quote it: "{node.text}"')
    return Fault(place, _named(location, "is not text"), "", 'write text, "" if it is empty')


def _kind_of(leaf: Leaf) -> str:
    if isinstance(leaf.value, bool):
        return "truth value"
    return "null" if leaf.value is None else "number"


def _unknown_key(
    location: Location, loc: tuple[int | str, ...], source: Source, schema: Mapping[str, Any]
) -> Fault:
    known = _keys_at(loc[:-1], schema)
    name = str(location[-1])
    what = _named(location[:-1], f'unknown key "{name}"')
    limit = f"known: {', '.join(known)}" if known else "it takes no key"
    return Fault(source.key_place(location), what, limit, nearest(name, known) or "remove it")


def _unknown_tag(location: Location, details: ErrorDetails, source: Source) -> Fault:
    context = details["ctx"]
    key = context["discriminator"].strip("'")
    if details["type"] == "union_tag_not_found":
        return Fault(source.place(location), _named(location, f"{key} is missing"), "", f"add {key}:")
    known = context["expected_tags"].replace("'", "").split(", ")
    inside = (*location, key)
    what = _named(inside, f'unknown {key} "{context["tag"]}"')
    return Fault(source.place(inside), what, f"known: {', '.join(known)}", nearest(context["tag"], known))


def _keys_at(loc: tuple[int | str, ...], schema: Mapping[str, Any]) -> list[str]:
    """Return the keys a record may have."""
    return list(_record_at(loc, schema).get("properties", {}))


def _record_at(loc: tuple[int | str, ...], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the schema of what stands at a location with the tags of unions."""
    here: Mapping[str, Any] = _followed(schema, schema)
    for step in loc:
        mapping = here.get("discriminator", {}).get("mapping", {})
        if step in mapping:
            here = _followed({"$ref": mapping[step]}, schema)
        elif "properties" in here and step in here["properties"]:
            here = _followed(here["properties"][step], schema)
        elif "additionalProperties" in here or "patternProperties" in here:
            patterns = list(here.get("patternProperties", {}).values())
            here = _followed(patterns[0] if patterns else here["additionalProperties"], schema)
        elif "items" in here:
            here = _followed(here["items"], schema)
    return here


def _followed(part: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow references, and look through `anyOf` with null."""
    while True:
        if "$ref" in part:
            part = schema["$defs"][part["$ref"].rsplit("/", 1)[-1]]
        elif "anyOf" in part:
            part = next(option for option in part["anyOf"] if option.get("type") != "null")
        else:
            return part
