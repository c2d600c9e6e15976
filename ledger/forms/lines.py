"""A form's lines as single fields, each with its own digest, and back.

Rules:
- The field of line 2 that is called `hs6` is committed to as `goods.2.hs6`; lines count from 1.
- A field that is left empty is not committed to.
"""

from __future__ import annotations

from collections.abc import Mapping

from ledger.encoding import Value


def flatten_lines(fields: Mapping[str, Value], lines: str) -> dict[str, Value]:
    """Return a form's fields one by one.

    Args:
        fields: as filled in.
        lines: name of the field that is a list of maps, such as `goods`.
    """
    flat: dict[str, Value] = {}
    for name, value in fields.items():
        if name == lines and type(value) is list:
            for place, line in enumerate(value, 1):
                if type(line) is dict:
                    flat |= {f"{lines}.{place}.{key}": item for key, item in line.items() if item is not None}
        elif value is not None:
            flat[name] = value
    return flat


def unflatten_lines(flat: Mapping[str, Value], lines: str) -> dict[str, Value]:
    """Return a form's fields out of single ones, as disclosed in an envelope; lines keep their order."""
    fields: dict[str, Value] = {}
    found: dict[int, dict[str, Value]] = {}
    for name, value in flat.items():
        match name.split("."):
            case [first, place, key] if first == lines and place.isdecimal():
                found.setdefault(int(place), {})[key] = value
            case _:
                fields[name] = value
    if found:
        listed: list[Value] = [found[place] for place in sorted(found)]
        fields[lines] = listed
    return fields
