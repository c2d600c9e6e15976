"""Where packets of one direction wait in line: for a limited bandwidth, or for the end of a clog.

Rules:
- First in, first out, over all connections of the direction; nothing is lost, nothing overtakes.
- A packet takes its bytes over the bandwidth to leave; the limit may change amid it.
- FoundationDB's simulator clogs pairs of machines in the same sense: what is sent is held and comes later.
"""

from __future__ import annotations

import asyncio
import collections
from collections.abc import Callable

from p2p.virtual.kernelclock import KernelClock

_NS_PER_S = 1_000_000_000


class Gate:
    """The line before one direction of the wire.

    Args:
        loop: whose time it is.
    """

    def __init__(self, loop: KernelClock) -> None:
        self._loop = loop
        self._line: collections.deque[tuple[int, Callable[[], None]]] = collections.deque()
        self._bytes_per_s: int | None = None
        self._clogged = False
        self._leaving: asyncio.TimerHandle | None = None
        self._leaving_since_ns = 0
        self.passed_count = 0
        self.waiting_bytes = 0

    def put(self, size: int, go: Callable[[], None]) -> None:
        """Let a packet of `size` bytes wait; `go` sends it on its way."""
        self._line.append((size, go))
        self.waiting_bytes += size
        self._next()

    def set(self, bytes_per_s: int | None, *, clogged: bool) -> None:
        """Change what passes from now on."""
        if self._leaving is not None:
            self._leaving.cancel()
            self._leaving = None
            size, go = self._line[0]
            spent_ns = self._loop.now_ns() - self._leaving_since_ns
            assert self._bytes_per_s is not None  # noqa: S101 - nothing else takes time to leave
            left = max(0, size - spent_ns * self._bytes_per_s // _NS_PER_S)
            self.waiting_bytes -= size - left
            self._line[0] = (left, go)
        self._bytes_per_s = bytes_per_s
        self._clogged = clogged
        self._next()

    def _next(self) -> None:
        while self._line and not self._clogged and self._leaving is None:
            size, _ = self._line[0]
            if self._bytes_per_s is None or not size:
                self._leave()
                continue
            self._leaving_since_ns = self._loop.now_ns()
            when_ns = self._leaving_since_ns + size * _NS_PER_S // self._bytes_per_s
            self._leaving = self._loop.call_at_ns(when_ns, self._left, context=self._loop.kernel_context)

    def _left(self) -> None:
        self._leaving = None
        self._leave()
        self._next()

    def _leave(self) -> None:
        size, go = self._line.popleft()
        self.waiting_bytes -= size
        self.passed_count += 1
        go()
