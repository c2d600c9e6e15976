"""What lies between two hosts: latency, loss, bandwidth, clogs and cuts, one way at a time.

Rules:
- A `Link` is one direction from one host to another. Its latency and its losses are drawn from two random
  streams of its own, so that more traffic or more loss elsewhere does not change what it draws.
- The wire carries TCP. Nothing is lost for good and nothing is reordered within a connection: a lost or
  blocked segment comes later, by retransmission with exponential back-off, or the connection is given up
  after a bounded number of tries, as Linux does (`TcpModel` has the numbers).
- Cuts are counted, so that overlapping partitions heal one by one. What is on the wire when a cut begins does
  not arrive either.
- A limited bandwidth and a clog make a line before the wire (`gate`); while a direction is clogged, nothing is
  acknowledged that way, so that senders give up as behind a cut.
- Traffic within one host has a small constant latency and is never cut, lost or delayed.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from p2p.latency import Latency, Uniform
from p2p.linkweather import LinkWeather
from p2p.virtual.gate import Gate
from p2p.virtual.kernelclock import KernelClock

NS_PER_MS = 1_000_000


@dataclass(frozen=True, slots=True)
class TcpModel:
    """How the virtual TCP behaves.

    Attributes:
        retransmit_first_ns: the first retransmission time-out; Linux' minimum is 200 ms.
        retransmit_max_ns: where doubling ends (TCP_RTO_MAX).
        retransmissions_max: a connection is given up (ETIMEDOUT) after so many unanswered retransmissions.
            Linux' default of 15 takes 15 minutes; 8 takes 102 s.
        connect_retry_first_ns: when the first SYN is repeated.
        connect_retries_max: SYNs repeated before ETIMEDOUT; 6 takes 127 s as on Linux.
        window_bytes: what a connection holds in both kernels' buffers before its writer has to wait.
        segment_bytes: how much data shares one chance of being lost.
        local_latency_ns: one way within a host.
    """

    retransmit_first_ns: int = 200 * NS_PER_MS
    retransmit_max_ns: int = 120_000 * NS_PER_MS
    retransmissions_max: int = 8
    connect_retry_first_ns: int = 1_000 * NS_PER_MS
    connect_retries_max: int = 6
    window_bytes: int = 512 * 1024
    segment_bytes: int = 1448
    local_latency_ns: int = 20_000


class Link:
    """One direction between two hosts.

    `clean` is true when a segment may take the short way: no cut or clog in either direction, no loss, no line, and
    a latency spread evenly.
    """

    __slots__ = (
        "_base_ns",
        "_latency",
        "_loop",
        "_loss_random",
        "_own_latency",
        "_random",
        "blocked",
        "byte_count",
        "clean",
        "clogged",
        "dst",
        "gate",
        "local",
        "loss",
        "low_ns",
        "message_count",
        "read_bytes_per_s",
        "reset_count",
        "retransmission_count",
        "reverse",
        "span_ns",
        "src",
    )

    def __init__(self, src: str, dst: str, seed: str, low_ns: int, high_ns: int, loop: KernelClock) -> None:
        self._loop = loop
        self.src = src
        self.dst = dst
        self.local = src == dst
        self._random: Callable[[], float] = random.Random(f"{seed}:latency:{src}>{dst}").random
        self._loss_random: Callable[[], float] = random.Random(f"{seed}:loss:{src}>{dst}").random
        self.blocked = 0
        self.loss = 0.0
        self.clogged = False
        self.gate: Gate | None = None
        self.read_bytes_per_s: int | None = None
        self._latency: Latency | None = None
        self._own_latency = True
        self._base_ns = (low_ns, high_ns)
        self.clean = True
        self.reverse: Link = self
        self.message_count = 0
        self.byte_count = 0
        self.retransmission_count = 0
        self.reset_count = 0
        self.low_ns = low_ns
        self.span_ns = high_ns - low_ns + 1

    def __repr__(self) -> str:
        return f"<Link {self.src}>{self.dst} blocked={self.blocked} loss={self.loss}>"

    def latency_ns(self) -> int:
        """Draw the time one segment takes."""
        if self._latency is not None:
            return self._latency.draw_ns(self._random())
        return self.low_ns + int(self._random() * self.span_ns)

    def set_latency(self, low_ns: int, high_ns: int) -> None:
        """Draw from `low_ns` to `high_ns` from now on, unless the weather has a latency of its own.

        Raises:
            ValueError: if the range is empty or begins below zero.
        """
        if self.local:
            return
        if not 0 <= low_ns <= high_ns:
            raise ValueError(f"latency {low_ns}..{high_ns} ns: want 0 <= low <= high")
        self._base_ns = (low_ns, high_ns)
        if self._own_latency:
            self._spread(low_ns, high_ns)

    def set_weather(self, weather: LinkWeather) -> None:
        """Let the direction suffer this from now on, and nothing else."""
        if self.local:
            return
        self._latency = None
        self._own_latency = weather.latency is None
        match weather.latency:
            case None:
                self._spread(*self._base_ns)
            case Uniform(low_ms, high_ms):
                self._spread(round(low_ms * NS_PER_MS), round(high_ms * NS_PER_MS))
            case other:
                self._latency = other
        self.loss = weather.loss
        self.clogged = weather.clogged
        self.read_bytes_per_s = weather.read_bytes_per_s
        gate = self.gate
        if weather.bytes_per_s is not None or weather.clogged:
            self.gate = gate = Gate(self._loop) if gate is None else gate
            gate.set(weather.bytes_per_s, clogged=weather.clogged)
        self._refresh()
        if gate is not None and weather.bytes_per_s is None and not weather.clogged:
            self.gate = None
            self._refresh()
            gate.set(None, clogged=False)

    def _spread(self, low_ns: int, high_ns: int) -> None:
        self.low_ns = low_ns
        self.span_ns = high_ns - low_ns + 1

    @property
    def stopped(self) -> bool:
        """Whether nothing arrives this way, or is acknowledged the other way: a cut, or a clog."""
        return self.blocked > 0 or self.clogged

    def set_loss(self, probability: float) -> None:
        """Lose each segment with `probability` from now on.

        Raises:
            ValueError: if the probability is not in [0, 1).
        """
        if not 0 <= probability < 1:
            raise ValueError(
                f"loss {probability}: want 0 <= probability < 1; to lose everything, cut the link"
            )
        if not self.local:
            self.loss = probability
            self._refresh()

    def block(self) -> None:
        """Add one cut."""
        if not self.local:
            self.blocked += 1
            self._refresh()

    def unblock(self) -> None:
        """Take one cut away."""
        if self.blocked:
            self.blocked -= 1
            self._refresh()

    def lost_times(self, segments: int, tries_max: int) -> int:
        """Draw how often a burst of `segments` segments has to be sent again; at most `tries_max` + 1."""
        chance = self.loss if segments == 1 else 1 - (1 - self.loss) ** segments
        times = 0
        while times <= tries_max and self._loss_random() < chance:
            times += 1
        return times

    def _refresh(self) -> None:
        for link in (self, self.reverse):
            link.clean = not (
                link.stopped
                or link.reverse.stopped
                or link.loss
                or link.gate is not None
                or link._latency is not None
            )


class Cut:
    """A partition in force; heal it once."""

    def __init__(self, links: Sequence[Link]) -> None:
        self._links: list[Link] = list(links)
        for link in self._links:
            link.block()

    @property
    def healed(self) -> bool:
        """Whether this cut is over."""
        return not self._links

    def heal(self) -> None:
        """Let packets pass again; what TCP held comes with its next retransmission."""
        links, self._links = self._links, []
        for link in links:
            link.unblock()
