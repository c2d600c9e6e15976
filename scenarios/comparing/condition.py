"""A question about a run's figures, such as `M1 ledger > paper`.

Rules:
- Either side is a figure's name or a number; an arm alone on the right is the left figure's in that arm.
- The margin says by how much it holds: above 0 it holds, below it does not; at 0 it holds if equality is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from scenarios.errors import RefusedError, nearest
from scenarios.measuring.flat import ARMS

_FORM = re.compile(r"\s*(?P<left>[^<>=]+?)\s*(?P<sign><=|>=|<|>)\s*(?P<right>[^<>=]+?)\s*")
_WRITE = 'write it as "M1 ledger > paper" or "certified_100_p95_ms > 5000"'


@dataclass(frozen=True, slots=True)
class Condition:
    """One question.

    Attributes:
        text: as it was written.
        left: a figure's name.
        sign: `<`, `<=`, `>` or `>=`.
        right: a figure's name or a number.
    """

    text: str
    left: str
    sign: str
    right: str | float

    def margin(self, figures: Mapping[str, float]) -> float | None:
        """Return by how much it holds, in the figure's unit; None if the run has no such figure."""
        left = figures.get(self.left)
        right = figures.get(self.right) if isinstance(self.right, str) else self.right
        if left is None or right is None:
            return None
        return left - right if self.sign.startswith(">") else right - left

    def holds_by(self, margin: float) -> bool:
        """Whether it holds by such a margin."""
        return margin >= 0 if self.sign.endswith("=") else margin > 0

    @property
    def names(self) -> tuple[str, ...]:
        """The figures it is about."""
        return (self.left,) if isinstance(self.right, float) else (self.left, self.right)

    def check_known(self, known: Mapping[str, float]) -> None:
        """Refuse a name that no run has.

        Args:
            known: every figure that some run has.

        Raises:
            RefusedError: if a name is not among them.
        """
        for name in self.names:
            if name not in known:
                what = f'no run has a figure "{name}" ({self.text})'
                limit = "figures are those of measures.json (M1 ledger, M1 paper mean) and of metrics.json"
                raise RefusedError(what, limit, nearest(name, known) or "see docs/metrics.md")


def read_condition(text: str) -> Condition:
    """Read a question.

    Raises:
        RefusedError: if it is none.
    """
    match = _FORM.fullmatch(text)
    if match is None:
        raise RefusedError(f'--until "{text}" is no condition', "FIGURE SIGN FIGURE, or a number", _WRITE)
    left, right = " ".join(match["left"].split()), " ".join(match["right"].split())
    try:
        return Condition(text, left, match["sign"], float(right))
    except ValueError:
        pass
    if right in ARMS:
        metric, *rest = left.split()
        if not rest or rest[0] not in ARMS:
            raise RefusedError(f'--until "{text}": "{left}" is of no arm', "ledger or paper", _WRITE)
        right = " ".join([metric, right, *rest[1:]])
    return Condition(text, left, match["sign"], right)
