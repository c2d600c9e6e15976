"""Draws the faults of a run from its seed."""

from __future__ import annotations

from scenarios.schedules.drawing import with_drawn_faults

__all__ = ["with_drawn_faults"]
