"""A fixed piece of work, to tell a slow machine from slow code.

The same hashing, packing and dictionary work every time; its CPU time goes up when the processor is shared,
clocked down or short of cache, and nothing in this repository makes it faster or slower.
"""

from __future__ import annotations

import hashlib
import time

import msgpack

ROUNDS = 20_000


def reference_ms() -> float:
    """Return the CPU time of the fixed work, milliseconds."""
    begun = time.process_time()
    table: dict[bytes, tuple[int, bytes]] = {}
    digest = b""
    for number in range(ROUNDS):
        packed = msgpack.packb([number, digest, "reference"])
        digest = hashlib.sha256(packed).digest()
        table[digest[:2]] = (number, digest)
    return (time.process_time() - begun) * 1000
