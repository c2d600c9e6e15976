"""The one clock aiohttp does not take from the loop, set to virtual time for the length of a run.

Rules:
- `aiohttp.connector` imports `time.monotonic` and asks it how long a connection has been idle and whether a
  resolved name is stale. Under a virtual loop that would let the real clock close connections.
- Everything else in aiohttp that has a bearing on behavior takes `loop.time()`. What still reads the real
  clock has no bearing here: the `Date` header and the access log (text of constant size), cookie expiry,
  digest authentication.
- The module global is put back afterwards, whatever happened.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import aiohttp.connector

if TYPE_CHECKING:
    import asyncio


@contextlib.contextmanager
def aiohttp_clock(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """Let `aiohttp.connector` read the time of `loop` inside the block."""
    module = vars(aiohttp.connector)
    before = module["monotonic"]
    module["monotonic"] = loop.time
    try:
        yield
    finally:
        module["monotonic"] = before
