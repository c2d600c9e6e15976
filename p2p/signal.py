"""A signal that wakes everyone who waits for the next change.

Rules:
- Waiters wake in the order in which they began to wait; nobody misses a change that comes after it began to wait.
- A waiter looks again after it wakes: the signal says that something changed, not what.
- Who gives up waiting leaves nothing behind.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class Signal:
    """Wakes all current waiters each time it fires."""

    def __init__(self) -> None:
        self._waiters: list[asyncio.Future[None]] = []

    def fire(self) -> None:
        """Wake everyone who waits now."""
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def wait(self) -> None:
        """Wait for the next `fire`."""
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        try:
            await waiter
        finally:
            if waiter in self._waiters:
                self._waiters.remove(waiter)

    async def until(self, look: Callable[[], T | None], timeout_ms: int) -> T | None:
        """Look now and after every change until `look` returns something; None when `timeout_ms` have passed."""
        found = look()
        if found is not None or timeout_ms <= 0:
            return found
        try:
            async with asyncio.timeout(timeout_ms / 1000):
                while found is None:
                    await self.wait()
                    found = look()
        except TimeoutError:
            return look()
        return found
