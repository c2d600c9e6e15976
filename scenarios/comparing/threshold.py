"""What a change may come to, such as `M1 <= +10%`, and whether it does.

Rules:
- A sign before the number makes it a change against the first run; a percent sign makes it relative to that run's mean.
  Without a sign it bounds the other run's own mean.
- Within or outside only if the whole interval is; an interval that straddles, or none, is undecided.
- `M1` is short for `M1 ledger`.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from scenarios.comparing.paired import Change
from scenarios.errors import RefusedError
from scenarios.measuring.definitions import METRICS
from scenarios.measuring.statistics import Interval
from scenarios.model.source import read_source
from scenarios.model.yamltree import Leaf, ListNode

_FORM = re.compile(
    r"\s*(?P<figure>[^<>=]+?)\s*(?P<sign><=|>=|<|>)\s*(?P<number>[+-]?\d+(?:\.\d+)?)\s*(?P<percent>%?)\s*"
)


class Kept(StrEnum):
    """Whether a threshold is kept."""

    WITHIN = "within"
    OUTSIDE = "outside"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Threshold:
    """One bound.

    Attributes:
        text: as it was written.
        figure: its name.
        sign: `<`, `<=`, `>` or `>=`.
        bound: a number; of percent, the number of percent.
        is_change: whether it bounds a change.
        is_relative: whether the change is in percent of the first run's.
    """

    text: str
    figure: str
    sign: str
    bound: float
    is_change: bool
    is_relative: bool

    def judge(self, change: Change) -> Kept:
        """Return whether it is kept, as far as the interval shows."""
        interval = self.interval_of(change)
        if interval is None:
            return Kept.UNDECIDED
        ends = [self._keeps(end) for end in interval]
        if all(ends):
            return Kept.WITHIN
        return Kept.UNDECIDED if any(ends) else Kept.OUTSIDE

    def interval_of(self, change: Change) -> Interval | None:
        """Return the interval of what is bounded."""
        if not self.is_change:
            return change.other_interval
        return change.percent_interval if self.is_relative else change.interval

    def _keeps(self, value: float) -> bool:
        if math.isclose(value, self.bound, rel_tol=1e-12, abs_tol=1e-12):
            return self.sign.endswith("=")
        return value > self.bound if self.sign.startswith(">") else value < self.bound


def read_threshold(text: str) -> Threshold:
    """Read a bound.

    Raises:
        RefusedError: if it is none.
    """
    match = _FORM.fullmatch(text)
    is_change = match is not None and match["number"][0] in "+-"
    if match is None or (match["percent"] and not is_change):
        limit = "FIGURE SIGN NUMBER; a change has + or -, and may end in %"
        raise RefusedError(f'--threshold "{text}" is none', limit, 'such as "M1 <= +10%" or "M1 paper < 30"')
    figure = " ".join(match["figure"].split())
    if figure in METRICS:
        figure += " ledger"
    return Threshold(text, figure, match["sign"], float(match["number"]), is_change, bool(match["percent"]))


def read_thresholds(path: Path) -> list[Threshold]:
    """Read a YAML file with a list `thresholds:` of bounds.

    Raises:
        ScenarioError: if it is no YAML.
        RefusedError: if it has no such list, or a bound is none.
    """
    entry = read_source(path, str(path)).root.entries.get("thresholds")
    node = entry[1] if entry is not None else None
    if not isinstance(node, ListNode) or not node.items:
        raise RefusedError(
            f"{path} has no list of thresholds", "thresholds: [a list]", 'such as - "M1 <= +10%"'
        )
    return [
        read_threshold(str(item.value) if isinstance(item, Leaf) else "a list or a table")
        for item in node.items
    ]
