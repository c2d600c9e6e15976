"""Shares and how sure they are: the Wilson score interval (Wilson, 1927)."""

from __future__ import annotations

import math

Z_95 = 1.959963984540054
"""Quantile of the normal distribution for 95 percent."""


def wilson(hits: int, of: int, z: float = Z_95) -> tuple[float, float]:
    """Return the Wilson score interval of a share.

    Args:
        hits: how often it came true.
        of: how often it could have.
        z: quantile of the normal distribution.

    Raises:
        ValueError: if the counts are no share.
    """
    if not 0 <= hits <= of or of == 0:
        raise ValueError(f"{hits} of {of} is no share")
    share = hits / of
    spread = z * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    center = share + z * z / (2 * of)
    below = 1 + z * z / of
    low = 0.0 if hits == 0 else (center - spread) / below
    high = 1.0 if hits == of else (center + spread) / below
    return low, high
