"""The calendar of a real process, which a trial can make wrong.

Rules:
- It runs with the monotonic clock from where it was last set, so that a step of the host's wall clock cannot move it.
- Its error stays on top of whatever it is set to: an offset, and a drift through every gap that it is moved over since
  the drift began.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

NS_PER_MS = 1_000_000


@dataclass(frozen=True, slots=True)
class CalendarError:
    """How wrong a calendar is.

    Attributes:
        offset_ms: by how much it is fast; negative for slow.
        drift_ppm: millionths by which it runs fast; negative for slow.
        drift_from_ms: the right calendar when the drift began.
    """

    offset_ms: int = 0
    drift_ppm: int = 0
    drift_from_ms: int = 0


class LiveCalendar:
    """A calendar.

    Args:
        time_ms: what it shows now, UTC milliseconds.
        clock_ns: the monotonic clock, nanoseconds.
    """

    def __init__(self, time_ms: int, clock_ns: Callable[[], int]) -> None:
        self._clock_ns = clock_ns
        self._base_ms = time_ms
        self._base_ns = clock_ns()
        self.error = CalendarError()

    def now_ms(self) -> int:
        """Return UTC milliseconds since the epoch, as this process believes them."""
        right_ms = self._base_ms + (self._clock_ns() - self._base_ns) // NS_PER_MS
        error = self.error
        return right_ms + error.offset_ms + (right_ms - error.drift_from_ms) * error.drift_ppm // 1_000_000

    def set(self, time_ms: int) -> None:
        """Move it; its error stays on top."""
        self._base_ms = time_ms
        self._base_ns = self._clock_ns()
