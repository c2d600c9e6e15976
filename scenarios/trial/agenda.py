"""The trial's calendar: who waits for which moment.

Rules:
- The calendar stands still (but for protocol time passing) until the trial moves it to the next entry.
- Entries of one moment come up in the order in which they were made.
- With a grain, the calendar stops at full grains (of UTC) alone: who waits for a moment between two comes up at the
  later. Then many act at one moment, and one rest of the network serves them all.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(order=True, slots=True)
class _Entry:
    time_ms: int
    number: int
    awaited: asyncio.Future[None] | Callable[[], None] = field(compare=False)

    @property
    def is_void(self) -> bool:
        """Whether nobody waits for it any more."""
        return isinstance(self.awaited, asyncio.Future) and self.awaited.done()

    def come(self) -> None:
        """Wake or call whoever waits."""
        if isinstance(self.awaited, asyncio.Future):
            self.awaited.set_result(None)
        else:
            self.awaited()


class Agenda:
    """Moments of the calendar that somebody waits for.

    Args:
        grain_ms: the calendar stops at multiples of this alone, milliseconds.
    """

    def __init__(self, grain_ms: int = 1) -> None:
        self._grain_ms = grain_ms
        self._entries: list[_Entry] = []
        self._count = 0

    async def wait_until(self, time_ms: int) -> None:
        """Wait until the calendar has come to `time_ms`, or to the first full grain after it."""
        future = asyncio.get_running_loop().create_future()
        self._enter(time_ms, future)
        await future

    def call_at(self, time_ms: int, call: Callable[[], None]) -> None:
        """Have something called when the calendar has come to `time_ms`, or to the first full grain after it."""
        self._enter(time_ms, call)

    def _enter(self, time_ms: int, awaited: asyncio.Future[None] | Callable[[], None]) -> None:
        self._count += 1
        time_ms += -time_ms % self._grain_ms
        heapq.heappush(self._entries, _Entry(time_ms, self._count, awaited))

    def next_ms(self) -> int | None:
        """Return the earliest moment anybody waits for, or None."""
        while self._entries and self._entries[0].is_void:
            heapq.heappop(self._entries)
        return self._entries[0].time_ms if self._entries else None

    def come_to(self, time_ms: int) -> int:
        """Wake everybody whose moment has come; return how many."""
        woken = 0
        while self._entries and self._entries[0].time_ms <= time_ms:
            entry = heapq.heappop(self._entries)
            if not entry.is_void:
                entry.come()
                woken += 1
        return woken
