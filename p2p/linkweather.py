"""What a direction between two nodes suffers, and how what several faults ask for at once adds up.

Rules:
- Faults are put in force and end one by one, in any order; what is left decides.
- Of several latencies the one that came last holds; loss is the highest, bandwidth and reading the lowest; one clog is
  enough.

Toxiproxy's toxics (latency, bandwidth, reset_peer, timeout) and tc-netem(8) have the same parts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from p2p.latency import Latency

Direction = tuple[str, str]
"""From whom, to whom."""


@dataclass(frozen=True, slots=True)
class LinkWeather:
    """What one direction suffers; the default is nothing.

    Attributes:
        latency: how long one way takes, in place of the link's own latency.
        loss: the share of packets lost, 0 to below 1, as TCP shows it: delay, in the end a reset.
        bytes_per_s: how much passes; what is more waits in line.
        clogged: nothing passes; it waits in line and passes in order afterwards.
        read_bytes_per_s: how fast the receiver reads from each connection; what is more fills its window.
    """

    latency: Latency | None = None
    loss: float = 0.0
    bytes_per_s: int | None = None
    clogged: bool = False
    read_bytes_per_s: int | None = None


CALM = LinkWeather()


class LinkWeathers:
    """All that is in force, by direction.

    Args:
        apply: told what a direction suffers now, whenever that changes.
    """

    def __init__(self, apply: Callable[[Direction, LinkWeather], None]) -> None:
        self._apply = apply
        self._in_force: dict[Direction, dict[int, LinkWeather]] = {}
        self._count = 0

    def add(self, directions: Sequence[Direction], weather: LinkWeather) -> Callable[[], None]:
        """Put `weather` in force; return what ends it."""
        self._count += 1
        number = self._count
        for direction in directions:
            self._in_force.setdefault(direction, {})[number] = weather
            self._apply(direction, self.at(direction))

        def end() -> None:
            for direction in directions:
                if self._in_force[direction].pop(number, None) is not None:
                    self._apply(direction, self.at(direction))

        return end

    def at(self, direction: Direction) -> LinkWeather:
        """Return what a direction suffers now."""
        found = list(self._in_force.get(direction, {}).values())
        latencies = [weather.latency for weather in found if weather.latency is not None]
        return LinkWeather(
            latency=latencies[-1] if latencies else None,
            loss=max((weather.loss for weather in found), default=0.0),
            bytes_per_s=_least([weather.bytes_per_s for weather in found]),
            clogged=any(weather.clogged for weather in found),
            read_bytes_per_s=_least([weather.read_bytes_per_s for weather in found]),
        )


def _least(values: Sequence[int | None]) -> int | None:
    return min((value for value in values if value is not None), default=None)
