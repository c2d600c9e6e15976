"""The monotonic clock of one process life: what it shows as virtual time goes on, and when it will show what.

Rules:
- It never goes back: a change of pace begins with what it shows, and a jump leads ahead.
- What it is asked to wait for never comes before it shows that.
"""

from __future__ import annotations

from dataclasses import dataclass

MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class LifeClock:
    """A clock that showed `shown_ns` at virtual time `since_ns`, and is fast by `ppm` millionths since.

    Attributes:
        since_ns: virtual time.
        shown_ns: what it showed then.
        ppm: millionths by which it is fast; negative for slow, always above minus a million.
    """

    since_ns: int
    shown_ns: int
    ppm: int

    def __post_init__(self) -> None:
        if self.ppm <= -MILLION:
            raise ValueError(f"a clock slow by {-self.ppm} ppm goes back or stands; stay above -{MILLION}")

    def shows(self, now_ns: int) -> int:
        """Return what it shows at this virtual time, nanoseconds."""
        return self.shown_ns + (now_ns - self.since_ns) * (MILLION + self.ppm) // MILLION

    def comes(self, shown_ns: int) -> int:
        """Return the first virtual nanosecond at which it shows this or more."""
        return self.since_ns - (self.shown_ns - shown_ns) * MILLION // (MILLION + self.ppm)

    def paced(self, now_ns: int, ppm: int) -> LifeClock:
        """Return it at another pace from now on."""
        return LifeClock(now_ns, self.shows(now_ns), ppm)

    def jumped(self, now_ns: int, ahead_ns: int) -> LifeClock:
        """Return it ahead by so much from now on."""
        return LifeClock(now_ns, self.shows(now_ns) + ahead_ns, self.ppm)
