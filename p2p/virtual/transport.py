"""The two ends of a virtual TCP connection, as asyncio transports.

Rules:
- Three layers share one object: the *application side* (asyncio's transport interface, guarded by the life it
  belongs to), the *kernel's socket* (buffers, FIN, RST, retransmission: it outlives the process that is
  killed), and its outgoing *direction* on the wire.
- An arrival is a kernel event. Data reach a protocol in the context its transport was made in, and only while
  its life runs and reads; otherwise they stay in the receive buffer, and the writer's window closes.
- End-of-stream reaches a protocol two loop turns after the last data, as a selector loop does it.
- A socket that is closed sends FIN, or RST if data in it were never read. Data for a socket that is gone are
  answered with RST. A machine without power sends nothing.
- Connections closed in one turn are lost in the order they were opened, whatever order they were closed in:
  aiohttp closes a session's connections in the order of a set.
- A program that reads slowly takes a little at a time; what it has not taken fills the sender's window.
- What a dead life's ghost does to a transport has no effect.
"""

from __future__ import annotations

import asyncio
import collections
import contextvars
import errno
import functools
import os
from collections.abc import Callable
from typing import Protocol

from p2p.virtual.life import Life
from p2p.virtual.sending import SendingTransport, Wire
from p2p.virtual.socketname import VirtualSocket
from p2p.virtual.wire import Link

_READ_MAX_BYTES = 256 * 1024
_HIGH_WATER_BYTES = 64 * 1024
NS_PER_S = 1_000_000_000
SLOW_READ_EVERY_NS = 50_000_000


class Sockets(Wire, Protocol):
    """The network as an end of a connection knows it."""

    def enroll(self, transport: VirtualTransport) -> int:
        """Note an open end of its life; return its number on this network."""

    def lose_soon(self, transport: VirtualTransport, error: BaseException | None) -> None:
        """Let an end lose its connection in the next turn, in the order of the ends' numbers."""

    def dismiss(self, transport: VirtualTransport) -> None:
        """Forget an end whose socket is gone."""


class VirtualTransport(SendingTransport):
    """One end of a connection."""

    __slots__ = (
        "__weakref__",
        "_accept",
        "_buffer",
        "_closing",
        "_conn_lost",
        "_context",
        "_eof_due",
        "_eof_seen",
        "_high",
        "_low",
        "_protocol",
        "_read_paused",
        "_reading_slowly",
        "_rx",
        "_rx_fin",
        "_server_detach",
        "_write_eof",
        "_write_paused",
        "number",
    )  # fmt: skip
    _network: Sockets
    _peer: VirtualTransport

    def __init__(
        self,
        network: Sockets,
        life: Life,
        link: Link,
        context: contextvars.Context,
        *,
        local: tuple[str, int],
        remote: tuple[str, int],
        server_detach: Callable[[], None] | None = None,
        accept: Callable[[VirtualTransport], None] | None = None,
    ) -> None:
        extra: dict[str, object] = {
            "socket": VirtualSocket(local, remote),
            "sockname": local,
            "peername": remote,
        }
        super().__init__(network, life, link, extra)
        self._context = context
        self._server_detach = server_detach
        self._accept = accept
        self._peer = self
        self._protocol: asyncio.Protocol | None = None
        self._buffer = bytearray()
        self._closing = False
        self._conn_lost = False
        self._read_paused = False
        self._write_paused = False
        self._write_eof = False
        self._high = _HIGH_WATER_BYTES
        self._low = _HIGH_WATER_BYTES // 4
        self._rx: collections.deque[bytes] = collections.deque()
        self._rx_fin = False
        self._reading_slowly: asyncio.TimerHandle | None = None
        self._eof_due = False
        self._eof_seen = False
        self.number = network.enroll(self)

    def __repr__(self) -> str:
        return f"<VirtualTransport {self.get_extra_info('sockname')} of {self._life!r}>"

    @property
    def life(self) -> Life:
        """The life this end belongs to."""
        return self._life

    @property
    def context(self) -> contextvars.Context:
        """The context its protocol is called in."""
        return self._context

    @property
    def link(self) -> Link:
        """The direction this end sends in."""
        return self._link

    def acknowledge(self) -> None:
        """Send the bare ACK that ends the handshake; on its arrival the other end is accepted."""
        if self._link.clean:
            self._launch([b""], self._loop.now_ns() + self._link.latency_ns())
        else:
            self._send_unclean([b""])

    def refuse(self) -> None:
        """Drop the connection with RST: nobody accepts it any more."""
        if not self._gone:
            self._gone = True
            self._send_reset()
            self._forget()

    def join(self, peer: VirtualTransport) -> None:
        """Make this and `peer` the two ends of one connection."""
        self._peer = peer
        peer._peer = self

    def start(self, protocol: asyncio.BaseProtocol) -> None:
        """Tie the application's protocol to this end and let data flow to it.

        Raises:
            NotImplementedError: for a protocol that is no streaming protocol.
        """
        if self._gone and not self._reset:
            return
        self.set_protocol(protocol)
        protocol.connection_made(self)
        if self._rx or self._rx_fin or self._reset:
            self._loop.call_soon(self._drain, context=self._kernel)

    # asyncio's transport: reading

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Hand what arrives to `protocol` from now on."""
        if not isinstance(protocol, asyncio.Protocol):
            raise NotImplementedError(f"{protocol!r}: a virtual transport serves asyncio.Protocol only")
        self._protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        """Return the protocol."""
        return self._protocol  # type: ignore[return-value]

    def is_reading(self) -> bool:
        """Whether arriving data are handed on."""
        return not self._closing and not self._read_paused

    def pause_reading(self) -> None:
        """Leave arriving data in the receive buffer."""
        if self.is_reading():
            self._read_paused = True

    def resume_reading(self) -> None:
        """Hand on what has arrived, from the next turn on."""
        if self._closing or not self._read_paused:
            return
        self._read_paused = False
        if self._rx or self._rx_fin or self._reset:
            self._loop.call_soon(self._drain, context=self._kernel)

    # asyncio's transport: writing

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send `data`; what does not fit the window waits here and may pause the protocol."""
        if not self._life.alive or self._conn_lost:
            return
        if self._write_eof:
            raise RuntimeError("Cannot call write() after write_eof()")
        size = len(data)
        if not size:
            return
        if self._reset:
            self._fail(_reset_by_peer())
            return
        if data.__class__ is not bytes:
            data = bytes(data)
            size = len(data)
        room = self._tcp.window_bytes - self._unconsumed_bytes
        if self._buffer or size > room:
            if self._buffer or room <= 0:
                self._buffer += data
            else:
                self._send(bytes(data[:room]))
                self._buffer += data[room:]
            self._maybe_pause_protocol()
        else:
            self._send(data)

    def write_eof(self) -> None:
        """Send FIN after what is buffered; reading goes on."""
        if self._closing or self._write_eof or not self._life.alive:
            return
        self._write_eof = True
        if not self._buffer:
            self._send_fin()

    def can_write_eof(self) -> bool:
        """Half-closing is possible."""
        return True

    def get_write_buffer_size(self) -> int:
        """Return the bytes that wait for the window."""
        return len(self._buffer)

    def get_write_buffer_limits(self) -> tuple[int, int]:
        """Return the (low, high) water marks in bytes."""
        return self._low, self._high

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Set the water marks in bytes, by asyncio's rules."""
        if high is None:
            high = _HIGH_WATER_BYTES if low is None else 4 * low
        if low is None:
            low = high // 4
        if not high >= low >= 0:
            raise ValueError(f"high ({high!r}) must be >= low ({low!r}) must be >= 0")
        self._high = high
        self._low = low
        self._maybe_pause_protocol()

    def _maybe_pause_protocol(self) -> None:
        if self._write_paused or len(self._buffer) <= self._high or self._protocol is None:
            return
        self._write_paused = True
        self._guarded(self._protocol.pause_writing, "protocol.pause_writing() failed")

    def _maybe_resume_protocol(self) -> None:
        if self._write_paused and len(self._buffer) <= self._low and self._protocol is not None:
            self._write_paused = False
            self._guarded_in_context(self._protocol.resume_writing, "protocol.resume_writing() failed")

    def _guarded(self, function: Callable[[], object], message: str) -> None:
        try:
            function()
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:  # reported as asyncio does
            self._report(message, error)

    def _report(self, message: str, error: BaseException) -> None:
        self._loop.call_exception_handler(
            {"message": message, "exception": error, "transport": self, "protocol": self._protocol}
        )

    def _guarded_in_context(self, function: Callable[[], object], message: str) -> None:
        self._guarded(lambda: self._context.run(function), message)

    # asyncio's transport: closing

    def is_closing(self) -> bool:
        """Whether close or abort was called or the connection is lost."""
        return self._closing

    def close(self) -> None:
        """Close after what is buffered has been sent."""
        if self._closing or not self._life.alive:
            return
        self._closing = True
        if not self._buffer:
            self._lose(None)

    def abort(self) -> None:
        """Close at once; what is buffered is dropped."""
        self._fail(None)

    def _fail(self, error: BaseException | None) -> None:
        if self._conn_lost or not self._life.alive:
            return
        self._buffer.clear()
        self._closing = True
        self._lose(error)

    def _lose(self, error: BaseException | None) -> None:
        self._conn_lost = True
        self._network.lose_soon(self, error)

    def connection_lost(self, error: BaseException | None) -> None:
        """Tell the protocol that the connection is over, then close the socket; the network calls this."""
        if not self._life.running:
            self._life.hold_io(functools.partial(self.connection_lost, error))
            return
        protocol = self._protocol
        if protocol is not None:
            reason = error if isinstance(error, Exception) else None
            self._guarded(
                lambda: self._context.run(protocol.connection_lost, reason),
                "protocol.connection_lost() failed",
            )
        self.kernel_close()
        self._protocol = None

    # the kernel's socket

    def kernel_close(self) -> None:
        """Close the socket as the operating system does for a process, alive or killed."""
        if self._gone:
            return
        self._gone = True
        if not self._reset:
            if self._rx:
                self._send_reset()
            else:
                self._send_fin()
        self._forget()

    def vanish(self) -> None:
        """Lose the socket without a word: the machine has no power."""
        if self._gone:
            return
        self._gone = self._dark = True
        self._cancel_retransmission()
        self._held.clear()
        if self._link.local:
            self._loop.call_soon(self._peer._arrive_reset, context=self._kernel)
        self._forget()

    def _forget(self) -> None:
        self._rx.clear()
        self._network.dismiss(self)
        if self._server_detach is not None:
            detach, self._server_detach = self._server_detach, None
            detach()

    def drop_references(self) -> None:
        """Let go of what would keep a dead life's objects alive."""
        self._protocol = None
        self._buffer.clear()

    def _drain(self) -> None:
        """Hand on what lies in the receive buffer, then the end of the stream."""
        if self._gone or self._closing or self._read_paused or self._protocol is None:
            return
        if not self._life.running:
            self._life.hold_io(self._drain)
            return
        if self._reset:
            self._fail(_reset_by_peer())
            return
        rx = self._rx
        if rx and self._link.reverse.read_bytes_per_s is not None:
            self._read_slowly()
            return
        if rx:
            parts = [rx.popleft()]
            size = len(parts[0])
            while rx and size + len(rx[0]) <= _READ_MAX_BYTES:
                size += len(rx[0])
                parts.append(rx.popleft())
            self._deliver(b"".join(parts))
            if rx:
                self._loop.call_soon(self._drain, context=self._kernel)
                return
        if self._rx_fin and not self._rx:
            self._schedule_eof()

    def _read_slowly(self) -> None:
        if self._reading_slowly is None:
            when_ns = self._loop.now_ns() + SLOW_READ_EVERY_NS
            self._reading_slowly = self._loop.call_at_ns(when_ns, self._read_a_little, context=self._kernel)

    def _read_a_little(self) -> None:
        """Take what a slow program takes in one go, and come again; go on as usual if it is slow no more."""
        self._reading_slowly = None
        rate, rx = self._link.reverse.read_bytes_per_s, self._rx
        if rate is not None and rx and self.is_reading() and self._life.running and not self._reset:
            most = max(1, rate * SLOW_READ_EVERY_NS // NS_PER_S)
            data = rx.popleft()
            if len(data) > most:
                rx.appendleft(data[most:])
            self._deliver(data[:most])
        self._drain()

    def _deliver(self, data: bytes) -> None:
        peer = self._peer
        peer._unconsumed_bytes -= len(data)
        if peer._buffer and not peer._window_event:
            peer._announce_window()
        try:
            self._context.run(self._protocol.data_received, data)  # type: ignore[union-attr]
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:  # as asyncio: the connection does not survive it
            self._report("Fatal error: protocol.data_received() call failed.", error)
            self._fail(error)

    def _schedule_eof(self) -> None:
        if not self._eof_due and not self._eof_seen:
            self._eof_due = True
            self._loop.call_soon(self._eof_next_turn, context=self._kernel)

    def _eof_next_turn(self) -> None:
        self._loop.call_soon(self._eof, context=self._kernel)

    def _eof(self) -> None:
        self._eof_due = False
        if self._gone or self._closing or self._read_paused or self._eof_seen or self._protocol is None:
            return
        if not self._life.running:
            self._life.hold_io(self._drain)
            return
        self._eof_seen = True
        try:
            keep_open = self._context.run(self._protocol.eof_received)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:  # as asyncio: the connection does not survive it
            self._report("Fatal error: protocol.eof_received() call failed.", error)
            self._fail(error)
            return
        if not keep_open:
            self.close()

    # arrivals

    def _arrive(self, epoch: int) -> None:
        """Take the next chunk off the wire, unless (`epoch`) it has meanwhile been held back."""
        sender = self._peer
        if epoch != sender._epoch:
            return
        if sender._link.blocked or self._mute:
            sender._hold_flight()
            return
        chunk = sender._flight.popleft()
        if self._gone:
            if chunk:
                self._send_reset()
            return
        if not chunk:
            self._rx_fin = True
            if not self._rx:
                self._drain()
            return
        if self._accept is not None:
            accept, self._accept = self._accept, None
            accept(self)
        self._take(chunk[0] if len(chunk) == 1 else b"".join(chunk))

    def _take(self, data: bytes) -> None:
        slow = self._link.reverse.read_bytes_per_s is not None
        if slow or self._rx or self._read_paused or self._closing or self._protocol is None:
            if data:
                self._rx.append(data)
            if slow:
                self._drain()
        elif not self._life.running:
            self._rx.append(data)
            self._life.hold_io(self._drain)
        elif data:
            self._deliver(data)

    def _arrive_reset(self) -> None:
        if not self._peer._link.blocked:
            self.take_reset()

    def take_reset(self) -> None:
        """Take an RST, whoever sent it."""
        if self._gone or self._reset:
            return
        self._reset = True
        self._rx.clear()
        self._cancel_retransmission()
        self._held.clear()
        self._link.reset_count += 1
        if self._closing or not self._read_paused:
            if self._protocol is not None:
                self._fail(_reset_by_peer())
        elif self._buffer:
            self._fail(_reset_by_peer())

    # the window

    def _announce_window(self) -> None:
        self._window_event = True
        latency_ns = self._link.reverse.latency_ns()
        self._loop.call_at_ns(self._loop.now_ns() + latency_ns, self._window_opened, context=self._kernel)

    def _window_opened(self) -> None:
        self._window_event = False
        if self._gone or self._conn_lost or self._reset:
            return
        if not self._life.running:
            self._life.hold_io(self._window_opened)
            return
        if not self._link.clean and (self._link.stopped or self._link.reverse.stopped):
            self._window_event = True
            self._await_retransmission()
            return
        self._push_buffer()

    def _push_buffer(self) -> None:
        buffer = self._buffer
        room = self._tcp.window_bytes - self._unconsumed_bytes
        if not buffer or room <= 0:
            return
        data = bytes(buffer[:room])
        del buffer[:room]
        self._send(data)
        self._maybe_resume_protocol()
        if not buffer:
            if self._closing:
                self._lose(None)
            elif self._write_eof:
                self._send_fin()

    def fall_silent(self) -> None:
        """Be gone without a word to the other end, which nobody answers from now on."""
        if not self._gone:
            self._mute = True
            self._time_out()

    def _time_out(self) -> None:
        """Give the connection up: nobody answered."""
        self._cancel_retransmission()
        self._held.clear()
        if self._gone or self._reset:
            return
        self._reset = True
        self._rx.clear()
        self._link.reset_count += 1
        if self._protocol is not None:
            self._fail(TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT)))


def _reset_by_peer() -> ConnectionResetError:
    return ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET))
