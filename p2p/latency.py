"""How long one way over a link takes, as a distribution of which one value is drawn at a time.

Rules:
- A distribution turns one even draw from [0, 1) into a time, so that one draw serves whatever the distribution is.
- Nothing takes less than no time nor more than a minute. Times are whole microseconds, so that the last bit of a
  logarithm, in which processors' libraries differ, decides nothing.

tc-netem(8) offers uniform, normal, pareto and paretonormal delays; the lognormal has the long tail that measured
round-trip times have and is said by the two figures people know of their lines, the median and the 99th percentile.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Protocol

LATENCY_MS_MAX = 60_000
_NS_PER_US = 1_000
_NS_PER_MS = 1_000_000
_STANDARD = NormalDist()
_P99 = _STANDARD.inv_cdf(0.99)
_LEAST_SHARE = 1e-12
"""The quantile function of the normal distribution has no value at 0."""


class Latency(Protocol):
    """A distribution of one-way latencies."""

    def draw_ns(self, share: float) -> int:
        """Return the latency, nanoseconds, below which this share, 0 to below 1, of all latencies lie."""


@dataclass(frozen=True, slots=True)
class Uniform:
    """Every latency in a range alike, milliseconds."""

    low_ms: float
    high_ms: float

    def draw_ns(self, share: float) -> int:
        """Return the latency at this share."""
        low_ns = round(self.low_ms * _NS_PER_MS)
        return low_ns + int(share * (round(self.high_ms * _NS_PER_MS) - low_ns + 1))


@dataclass(frozen=True, slots=True)
class Normal:
    """Around a mean, with a standard deviation, milliseconds; cut off below no time."""

    mean_ms: float
    deviation_ms: float

    def draw_ns(self, share: float) -> int:
        """Return the latency at this share of what lies above zero."""
        below = _STANDARD.cdf(-self.mean_ms / self.deviation_ms)
        return _whole(
            self.mean_ms + self.deviation_ms * _STANDARD.inv_cdf(_inside(below + share * (1 - below)))
        )


@dataclass(frozen=True, slots=True)
class Lognormal:
    """Half of all latencies below the median, one of a hundred above the 99th percentile, milliseconds."""

    median_ms: float
    p99_ms: float

    def draw_ns(self, share: float) -> int:
        """Return the latency at this share."""
        sigma = math.log(self.p99_ms / self.median_ms) / _P99
        return _whole(self.median_ms * math.exp(sigma * _STANDARD.inv_cdf(_inside(share))))


@dataclass(frozen=True, slots=True)
class Exponential:
    """A least latency, and what queues add to it: exponential, so that the mean is `mean_ms`."""

    least_ms: float
    mean_ms: float

    def draw_ns(self, share: float) -> int:
        """Return the latency at this share."""
        return _whole(self.least_ms - (self.mean_ms - self.least_ms) * math.log1p(-share))


def _inside(share: float) -> float:
    return min(max(share, _LEAST_SHARE), 1 - _LEAST_SHARE)


def _whole(latency_ms: float) -> int:
    return round(min(max(latency_ms, 0.0), LATENCY_MS_MAX) * _NS_PER_MS / _NS_PER_US) * _NS_PER_US
