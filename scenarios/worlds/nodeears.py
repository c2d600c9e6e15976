"""The records of one live node's process, fetched from its control channel page by page until the process ends.

Rules:
- Every record is told once and in order, whoever fetches it: who listens, or who is about to end the process.
- What a process recorded and nobody fetched before its end is gone with it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from pydantic import BaseModel, ConfigDict

from scenarios.worlds.base import Sink

EVENTS_WAIT_MS = 1000
PAUSE_S = 0.05


class EventPage(BaseModel):
    """Records of a node, as its control channel tells them."""

    model_config = ConfigDict(strict=True)

    next: int
    events: list[dict[str, str | int | bool | list[str] | None]]


class NodeEars:
    """Hears one process.

    Args:
        ask: asks its control channel for a path; None if it does not answer.
        sink: takes the records.
    """

    def __init__(self, ask: Callable[[str], Awaitable[dict[str, object] | None]], sink: Sink) -> None:
        self._ask = ask
        self._sink = sink
        self._heard = 0

    async def hear(self, wait_ms: int = 0) -> bool:
        """Fetch what there is to hear, waiting so long for the first; return whether the process answered."""
        answer = await self._ask(f"/control/events?after={self._heard}&wait_ms={wait_ms}")
        if answer is None:
            return False
        page = EventPage.model_validate(answer)
        first = page.next - len(page.events)
        for number, record in enumerate(page.events, first):
            if number < self._heard:
                continue  # another fetch was quicker
            self._heard = number + 1
            fields = {name: value for name, value in record.items() if name not in {"event", "protocol_ns"}}
            self._sink(str(record["event"]), fields)
        return True

    async def listen(self, is_over: Callable[[], bool]) -> None:
        """Fetch page after page until the process has ended."""
        while not is_over():
            if not await self.hear(EVENTS_WAIT_MS):
                await asyncio.sleep(PAUSE_S)
