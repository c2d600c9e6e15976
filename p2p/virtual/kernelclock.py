"""What the network asks of the loop: the time, and events of the kernel at a nanosecond of it."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from typing import Protocol, TypeVarTuple

_Ts = TypeVarTuple("_Ts")


class KernelClock(Protocol):
    """Virtual time, and what is to happen in it whatever processes live or die.

    Attributes:
        kernel_context: the context of events that belong to no process.
    """

    kernel_context: contextvars.Context

    def now_ns(self) -> int:
        """Return virtual time, nanoseconds."""

    def call_at_ns(
        self, when_ns: int, callback: Callable[[*_Ts], object], *args: *_Ts, context: contextvars.Context
    ) -> asyncio.TimerHandle:
        """Have something happen at a time."""
