"""How well a figure is known."""

from __future__ import annotations

from typing import Literal, TypeAlias

Mark: TypeAlias = Literal["read", "partly read", "assumption"]
"""Read in a source, partly read and partly inferred, or assumed."""
