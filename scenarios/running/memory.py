"""Memory that nobody uses any more, given back to the operating system where the C library lets it."""

from __future__ import annotations

import ctypes
import gc


def give_back_memory() -> bool:
    """Collect garbage and give freed memory back; return whether the C library took part (glibc's `malloc_trim`).

    What was freed in small pieces stays with the process otherwise, beside all that comes after it.
    """
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is None:
        return False
    trim(0)
    return True
