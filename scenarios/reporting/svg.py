"""Drawings as inline SVG: elements by hand, so that the same figures give the same bytes.

Rules:
- Every drawing has a title and a description for whoever cannot see it; what it shows in numbers stands in a table too.
- Colors are the page's CSS classes, so that a drawing is light or dark with it. All text is escaped.
- Coordinates are rounded to a tenth.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup, escape


def element(name: str, text: str = "", **attributes: object) -> Markup:
    """Return an element; `class_` is the attribute class, an underscore a hyphen; markup as text stays markup."""
    parts = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_number(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Markup(f"<{name}{parts}>{escape(text)}</{name}>")  # noqa: S704 - both are escaped


def _number(value: object) -> str:
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else str(value)


@dataclass(slots=True)
class Drawing:
    """One drawing.

    Attributes:
        id: unique on the page, such as `latency`.
        title, description: its alternative in words.
        width, height: of its coordinates; the page scales it.
    """

    id: str
    title: str
    description: str
    width: int = 720
    height: int = 240
    _parts: list[Markup] = field(default_factory=list)

    def add(self, name: str, text: str = "", **attributes: object) -> None:
        """Add an element; see `element`."""
        self._parts.append(element(name, text, **attributes))

    def label(self, x: float, y: float, text: str, class_: str = "soft", anchor: str = "start") -> None:
        """Add a text at its baseline."""
        self.add("text", text, x=float(x), y=float(y), class_=class_, text_anchor=anchor)

    def box(self, x: float, y: float, width: float, height: float, class_: str, tip: str = "") -> None:
        """Add a rectangle, with a title shown on hovering if there is one."""
        inner = element("title", tip) if tip else ""
        size = {"width": float(max(0.6, width)), "height": float(max(0.6, height))}
        self.add("rect", inner, x=float(x), y=float(y), class_=class_, **size)

    def line(self, x1: float, y1: float, x2: float, y2: float, class_: str) -> None:
        """Add a straight line."""
        self.add("line", x1=float(x1), y1=float(y1), x2=float(x2), y2=float(y2), class_=class_)

    def path(self, points: Iterable[tuple[float, float]], class_: str) -> None:
        """Add a line through points."""
        joined = " ".join(f"{_number(float(x))},{_number(float(y))}" for x, y in points)
        self.add("polyline", points=joined, class_=class_)

    def markup(self) -> Markup:
        """Return the drawing."""
        inner = Markup("").join(self._parts)
        return Markup(  # noqa: S704 - all parts are escaped
            f'<svg viewBox="0 0 {self.width} {self.height}" role="img" '
            f'aria-labelledby="{self.id}-t {self.id}-d">'
            f"{element('title', self.title, id=f'{self.id}-t')}"
            f"{element('desc', self.description, id=f'{self.id}-d')}{inner}</svg>"
        )


@dataclass(frozen=True, slots=True)
class Scale:
    """Puts values on a line of a drawing.

    Attributes:
        low, high: values at its ends.
        start, end: their coordinates.
    """

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Return a value's coordinate, at the nearer end if it is outside."""
        span = self.high - self.low
        share = (value - self.low) / span if span > 0 else 0.0
        return self.start + min(1.0, max(0.0, share)) * (self.end - self.start)

    def ticks(self, count: int = 5) -> Sequence[float]:
        """Return round values on it, about so many."""
        span = self.high - self.low
        if span <= 0:
            return (self.low,)
        raw = span / count
        power = 10.0 ** math.floor(math.log10(raw))
        step = next(power * nice for nice in (1, 2, 5, 10) if power * nice >= raw * 0.999)
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [round(number * step, 10) for number in range(first, last + 1)]


def short(value: float) -> str:
    """Return a number for an axis."""
    return f"{value:,.0f}" if abs(value) >= 10 or value == int(value) else f"{value:.2g}"
