"""Moments as people read them."""

from __future__ import annotations

import datetime
from zoneinfo import ZoneInfo


def local(time_ms: int, zone: ZoneInfo) -> str:
    """Return a moment as local date and time, to the minute."""
    return datetime.datetime.fromtimestamp(time_ms / 1000, zone).strftime("%Y-%m-%d %H:%M")


def local_day(time_ms: int, zone: ZoneInfo) -> str:
    """Return a moment's local date."""
    return local(time_ms, zone)[:10]
