"""What `--over` says: a value of the scenario, and the values or the range it takes.

Rules:
- `KEY=A,B,C` is a list of values; `KEY=LOW..HIGH` is a range, both ends with the same unit (`1d..90d`).
- A key is a path as `--set` takes it: `workload.requested`, `paper.people.answer`, `faults.1.for.calendar`.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from scenarios.errors import RefusedError

POINTS_MAX = 1000
_RANGE = re.compile(
    r"(?P<low>-?\d+(?:\.\d+)?)(?P<unit>[A-Za-z]*)\.\.(?P<high>-?\d+(?:\.\d+)?)(?P<other>[A-Za-z]*)"
)


@dataclass(frozen=True, slots=True)
class Values:
    """One key and its values, as they are written in an override."""

    key: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Range:
    """One key and the range of its value, ends included, with the unit that is written behind a number."""

    key: str
    low: float
    high: float
    unit: str
    whole: bool

    def override(self, value: float) -> str:
        """Return the override that sets a value."""
        return f"{self.key}={self.written(value)}"

    def written(self, value: float) -> str:
        """Return a value with its unit."""
        return f"{value:.10g}{self.unit}"


def read_values(text: str) -> Values:
    """Read `KEY=A,B,C`; a comma within brackets or braces parts nothing.

    Raises:
        RefusedError: if it is no such text.
    """
    key, equals, listed = text.partition("=")
    values = tuple(part.strip() for part in _parted(listed))
    if not equals or not key.strip() or not all(values):
        raise RefusedError(
            f"--over {text} is no list of values", "KEY=A,B,C", "such as workload.requested=0.05,0.1,0.2"
        )
    twice = [value for place, value in enumerate(values) if value in values[:place]]
    if twice:
        raise RefusedError(f"--over {text} has {twice[0]} twice", "each value once", "leave one out")
    return Values(key.strip(), values)


def read_range(text: str) -> Range:
    """Read `KEY=LOW..HIGH`.

    Raises:
        RefusedError: if it is no such text, or the range is empty.
    """
    key, _, span = text.partition("=")
    match = _RANGE.fullmatch(span.strip())
    if match is None or match["unit"] != match["other"] or not key.strip():
        remedy = "such as faults.1.for.calendar=1d..90d"
        raise RefusedError(f"--over {text} is no range", "KEY=LOW..HIGH, both with the same unit", remedy)
    low, high = float(match["low"]), float(match["high"])
    if low >= high:
        raise RefusedError(f"--over {text} is empty", "LOW below HIGH", "write the lower end first")
    whole = "." not in match["low"] + match["high"]
    return Range(key.strip(), low, high, match["unit"], whole)


def grid(keys: Sequence[Values]) -> list[tuple[str, ...]]:
    """Return the overrides of every combination of values, the last key's values changing fastest.

    Raises:
        RefusedError: if there are too many, or a key comes twice.
    """
    names = [values.key for values in keys]
    twice = next((name for place, name in enumerate(names) if name in names[:place]), None)
    if twice is not None:
        raise RefusedError(f"--over {twice} comes twice", "each key once", "put its values into one list")
    points = list(
        itertools.product(*([f"{values.key}={value}" for value in values.values] for values in keys))
    )
    if len(points) > POINTS_MAX:
        raise RefusedError(f"{len(points):,} combinations", f"at most {POINTS_MAX:,}", "give fewer values")
    return points


def _parted(text: str) -> Iterator[str]:
    depth, part = 0, ""
    for character in text:
        depth += (character in "[{") - (character in "]}")
        if character == "," and depth == 0:
            yield part
            part = ""
        else:
            part += character
    yield part
