"""The sending half of a virtual TCP connection's end: what is on the wire, what is held back, what is sent
again.

Rules:
- Arrivals in one direction are strictly increasing in time; writes of one instant share one arrival.
- A chunk that meets a cut, at its start or at its arrival, is held with all that follows it, and sent again
  after 200 ms, 400 ms, ... until the way is free. If only the way back is cut, data arrive but are not
  acknowledged.
- What waits in line for bandwidth, or for the end of a clog, leaves in order and meets the wire as it is then.
- An end that nobody answers (`_mute`) is to its peer as a cut.
- After a bounded number of tries the connection is given up.
- RST is sent once. A machine without power sends nothing and repeats nothing.
"""

from __future__ import annotations

import abc
import asyncio
import collections
import contextvars
import functools
from collections.abc import Callable, Iterator
from typing import Protocol

from p2p.virtual.life import Life
from p2p.virtual.wire import Link, TcpModel

Chunk = list[bytes]
"""What one arrival brings: the writes of one instant; empty for FIN."""

Tracer = Callable[[int, str, str, int], None]
"""Told of every write that goes on the wire: (now_ns, source host, destination host, bytes)."""


class Wire(Protocol):
    """How messages travel on a network.

    Attributes:
        tcp: how TCP behaves there.
        tracer: who is told every message, if anybody is.
    """

    tcp: TcpModel
    tracer: Tracer | None


_PIECE_BYTES = 16 * 1024
"""In pieces of this size connections take turns in a line."""


def _pieces(chunk: Chunk) -> Iterator[bytes]:
    for data in chunk:
        if not data:
            yield data
        for begin in range(0, len(data), _PIECE_BYTES):
            yield data[begin : begin + _PIECE_BYTES]


class SendingTransport(asyncio.Transport, abc.ABC):
    """The sending half; `VirtualTransport` adds the rest."""

    __slots__ = (
        "_dark", "_epoch", "_fin_sent", "_flight", "_gone", "_held", "_kernel", "_last_arrival_ns",
        "_last_sent_ns", "_life", "_link", "_loop", "_mute", "_network", "_peer", "_reset",
        "_retransmit_timer", "_tcp", "_tries", "_unconsumed_bytes", "_window_event",
    )  # fmt: skip
    _peer: SendingTransport

    def __init__(self, network: Wire, life: Life, link: Link, extra: dict[str, object]) -> None:
        super().__init__(extra)
        self._network = network
        self._life = life
        self._link = link
        self._loop = life.loop
        self._kernel: contextvars.Context = life.loop.kernel_context
        self._tcp: TcpModel = network.tcp
        self._gone = False
        self._dark = False
        self._mute = False
        self._reset = False
        self._fin_sent = False
        self._unconsumed_bytes = 0
        self._window_event = False
        self._last_arrival_ns = 0
        self._last_sent_ns = -1
        self._flight: collections.deque[Chunk] = collections.deque()
        self._epoch = 0
        self._held: list[Chunk] = []
        self._tries = 0
        self._retransmit_timer: asyncio.TimerHandle | None = None

    @abc.abstractmethod
    def _arrive(self, epoch: int) -> None:
        """Take what arrives next, unless what was on the wire has been held back since."""

    @abc.abstractmethod
    def _arrive_reset(self) -> None:
        """Take the other end's RST."""

    @abc.abstractmethod
    def _time_out(self) -> None:
        """Give the connection up: nobody answered."""

    @abc.abstractmethod
    def _window_opened(self) -> None:
        """Go on sending: the other end has taken something."""

    def _send(self, data: bytes) -> None:
        link = self._link
        size = len(data)
        self._unconsumed_bytes += size
        link.message_count += 1
        link.byte_count += size
        loop = self._loop
        now_ns = loop._now_ns
        tracer = self._network.tracer
        if tracer is not None:
            tracer(now_ns, link.src, link.dst, size)
        if link.clean and not self._held:
            if self._last_sent_ns == now_ns and self._flight and self._flight[-1]:
                self._flight[-1].append(data)
                return
            self._last_sent_ns = now_ns
            self._launch([data], now_ns + link.low_ns + int(link._random() * link.span_ns))
        else:
            self._send_unclean([data])

    def _launch(self, chunk: Chunk, arrival_ns: int) -> None:
        if arrival_ns <= self._last_arrival_ns:
            arrival_ns = self._last_arrival_ns + 1
        self._last_arrival_ns = arrival_ns
        self._flight.append(chunk)
        self._loop.call_at_ns(arrival_ns, self._peer._arrive, self._epoch, context=self._kernel)

    def _send_unclean(self, chunk: Chunk) -> None:
        """Send over a link that is cut, one-way, lossy, narrow or clogged."""
        gate = self._link.gate
        if gate is None:
            self._send_on(chunk)
            return
        for piece in _pieces(chunk):
            gate.put(len(piece), functools.partial(self._leave_line, [piece]))
        if not chunk:
            gate.put(0, functools.partial(self._leave_line, chunk))
        if self._link.stopped:
            self._await_retransmission()

    def _leave_line(self, chunk: Chunk) -> None:
        if not self._reset and not self._dark:
            self._send_on(chunk)

    def _send_on(self, chunk: Chunk) -> None:
        link = self._link
        if self._held or link.blocked:
            self._held.append(chunk)
            self._await_retransmission()
            return
        now_ns = self._loop.now_ns()
        delay_ns = link.latency_ns()
        if link.loss:
            segments = 1 + sum(map(len, chunk)) // self._tcp.segment_bytes
            lost = link.lost_times(segments, self._tcp.retransmissions_max)
            link.retransmission_count += lost
            waited_ns = sum(self._backoff_ns(tries) for tries in range(lost))
            if lost > self._tcp.retransmissions_max:
                self._loop.call_at_ns(now_ns + waited_ns, self._time_out, context=self._kernel)
                self._held.append(chunk)
                return
            delay_ns += waited_ns
        self._last_sent_ns = now_ns
        self._launch(chunk, now_ns + delay_ns)
        if link.reverse.stopped:
            self._await_retransmission()

    def _send_fin(self) -> None:
        if self._fin_sent or self._reset:
            return
        self._fin_sent = True
        if self._link.clean and not self._held:
            self._launch([], self._loop.now_ns() + self._link.latency_ns())
        else:
            self._send_unclean([])

    def _send_reset(self) -> None:
        """Answer with RST: not retransmitted, and lost for good if the link is cut."""
        self._cancel_retransmission()
        self._held.clear()
        self._fin_sent = True
        gate = self._link.gate
        if gate is None:
            self._send_reset_on()
        else:
            gate.put(0, self._send_reset_on)

    def _send_reset_on(self) -> None:
        if self._link.blocked:
            return
        arrival_ns = max(self._loop.now_ns() + self._link.latency_ns(), self._last_arrival_ns + 1)
        self._last_arrival_ns = arrival_ns
        self._loop.call_at_ns(arrival_ns, self._peer._arrive_reset, context=self._kernel)

    # retransmission

    def _backoff_ns(self, tries: int) -> int:
        return min(self._tcp.retransmit_first_ns << tries, self._tcp.retransmit_max_ns)

    def _hold_flight(self) -> None:
        """What is on the wire does not arrive: keep it for retransmission."""
        self._epoch += 1
        flight = list(self._flight)
        self._flight.clear()
        if self._dark:
            return
        self._held[:0] = flight
        self._await_retransmission()

    def _await_retransmission(self) -> None:
        if self._retransmit_timer is None:
            self._tries = 0
            self._schedule_retransmission()

    def _schedule_retransmission(self) -> None:
        when_ns = self._loop.now_ns() + self._backoff_ns(self._tries)
        self._retransmit_timer = self._loop.call_at_ns(when_ns, self._retransmit, context=self._kernel)

    def _cancel_retransmission(self) -> None:
        if self._retransmit_timer is not None:
            self._retransmit_timer.cancel()
            self._retransmit_timer = None

    def _retransmit(self) -> None:
        self._retransmit_timer = None
        link = self._link
        link.retransmission_count += 1
        if self._held and not link.blocked:
            held, self._held = self._held, []
            fin = bool(held) and not held[-1]
            data = [part for chunk in held for part in chunk]
            arrival_ns = self._loop.now_ns() + link.latency_ns()
            if data:
                self._launch(data, arrival_ns)
            if fin:
                self._launch([], arrival_ns)
        if link.stopped or link.reverse.stopped or self._peer._mute:
            self._tries += 1
            if self._tries > self._tcp.retransmissions_max:
                self._time_out()
            else:
                self._schedule_retransmission()
        elif self._window_event and not self._gone:
            self._loop.call_soon(self._window_opened, context=self._kernel)
