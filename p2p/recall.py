"""Asking to be dialed again: what a node does whose end of a link is gone, and whose peer is the one that dials.

Rules:
- Only the side with the lower Raft id dials. If the other side's end is gone and nobody told it (a firewall forgot the
  connection, a host came back without it), it believes the link is open, and would dial only after a long silence.
- So who lost a link, is not the one that dials, and is not dialed for a while, asks: it shakes hands and closes.
- It asks again with growing, jittered pauses until a link is open, or none is needed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random

PAUSES_MAX = 8
"""The longest pause, in first ones."""


@dataclass(slots=True)
class Recall:
    """Links of one node that it has lost and waits for.

    Attributes:
        lacks: whether a link to a peer is needed, not open, and the peer's to dial.
        ask: shakes hands with a peer once, to be dialed.
        random: jitters pauses.
        first_ms: how long a peer is given to dial by itself.
    """

    lacks: Callable[[str], bool]
    ask: Callable[[str], Awaitable[None]]
    random: Random
    first_ms: int
    _asking: dict[str, asyncio.Task[None]] = field(default_factory=dict)

    def lost(self, peer: str) -> None:
        """Begin to wait for a peer whose link has ended."""
        self._begin(peer, self.first_ms)

    def wanted(self, peer: str) -> None:
        """Ask a peer for a link that it does not know to be needed."""
        self._begin(peer, 0)

    def _begin(self, peer: str, waits_ms: int) -> None:
        task = self._asking.get(peer)
        if task is None or task.done():
            self._asking[peer] = asyncio.get_running_loop().create_task(
                self._keep_asking(peer, waits_ms), name=f"ask {peer} to dial"
            )

    async def stop(self) -> None:
        """Ask nobody any more.

        Raises:
            Exception: whatever ended an asking before; that is a fault of this program.
        """
        for task in self._asking.values():
            task.cancel()
        for end in await asyncio.gather(*self._asking.values(), return_exceptions=True):
            if isinstance(end, Exception):
                raise end

    async def _keep_asking(self, peer: str, waits_ms: int) -> None:
        pause_ms = float(self.first_ms)
        if waits_ms:
            await self._pause(waits_ms)
        while self.lacks(peer):
            await self.ask(peer)
            await self._pause(pause_ms)
            pause_ms = min(pause_ms * 2, self.first_ms * PAUSES_MAX)

    async def _pause(self, pause_ms: float) -> None:
        await asyncio.sleep(pause_ms * self.random.uniform(0.5, 1.0) / 1000)
