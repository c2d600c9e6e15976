"""The report's colors, light and dark, and their contrast.

Rules:
- Text has a contrast of at least 4.5 to what it stands on, marks of a chart at least 3 (WCAG 2.1, 1.4.3 and 1.4.11).
- Color never says anything alone: a word, a sign or a place says it too (WCAG 2.1, 1.4.1).
"""

from __future__ import annotations

from collections.abc import Mapping

Palette = Mapping[str, str]

LIGHT: Palette = {
    "page": "#fbfaf7",
    "card": "#ffffff",
    "ink": "#1b2430",
    "soft": "#566070",
    "line": "#d9d6cd",
    "link": "#0b5a8a",
    "ledger": "#0b6e8f",
    "paper": "#a3581a",
    "good": "#1c6b3f",
    "bad": "#b3261e",
    "even": "#5d6673",
    "band": "#f6d9c4",
    "mark": "#7a4fa3",
}
DARK: Palette = {
    "page": "#12171e",
    "card": "#1a212b",
    "ink": "#e8eaee",
    "soft": "#a5afbd",
    "line": "#343d4a",
    "link": "#7cc4f0",
    "ledger": "#56bfe0",
    "paper": "#eba467",
    "good": "#6fcf97",
    "bad": "#ff8a80",
    "even": "#a9b3c0",
    "band": "#4a3325",
    "mark": "#c9a2ee",
}
TEXTS = ("ink", "soft", "link", "ledger", "paper", "good", "bad", "even", "mark")
"""Colors that text is set in, on a page or a card."""
GROUNDS = ("page", "card")
CONTRAST_TEXT_MIN = 4.5


def css_variables(palette: Palette) -> str:
    """Return a palette as declarations of CSS custom properties."""
    return "".join(f"--{name}:{color};" for name, color in palette.items())


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colors `#rrggbb`, 1 to 21 (WCAG 2.1)."""
    bright, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def _luminance(color: str) -> float:
    """Return the relative luminance (WCAG 2.1)."""
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
