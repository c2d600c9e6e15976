"""The message trace of a run: who sent how much of what to whom, when, digested per protocol second.

Rules:
- A frame is traced by time, ends, kind, size and digest, never by its bytes.
- The digest runs on: the digest of second n covers all seconds up to n, so the first second that differs between
  two runs is where they parted.
- Frames and bytes are counted by kind whatever is written.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

from scenarios.record.latefile import LateFile

NS_PER_S = 1_000_000_000
SHORT_BYTES_MAX = 64
"""Up to this size a frame's digest is remembered: most frames are heartbeats, and most of these are alike."""


@dataclass(slots=True)
class MessageTrace:
    """Digests and counts frames.

    Attributes:
        on_second: called with (second, frames in it, their bytes, running digest) when a second with frames is over.
        lines: where every frame is written as a line, for `--trace messages`.
    """

    on_second: Callable[[int, int, int, str], None]
    lines: LateFile | None = None
    frames_by_kind: dict[str, int] = field(default_factory=dict)
    bytes_by_kind: dict[str, int] = field(default_factory=dict)
    _hash: hashlib._Hash = field(default_factory=hashlib.sha256)
    _second: int = -1
    _frames: int = 0
    _bytes: int = 0

    def frame(self, now_ns: int, source: str, target: str, kind: str, frame: bytes) -> None:
        """Take one frame into the trace."""
        second = now_ns // NS_PER_S
        if second != self._second:
            self.finish()
            self._second = second
        self._frames += 1
        self._bytes += len(frame)
        self.frames_by_kind[kind] = self.frames_by_kind.get(kind, 0) + 1
        self.bytes_by_kind[kind] = self.bytes_by_kind.get(kind, 0) + len(frame)
        digest = frame_digest(frame)[:8].hex()
        line = f"{now_ns} {source} {target} {kind} {len(frame)} {digest}\n".encode()
        self._hash.update(line)
        if self.lines is not None:
            self.lines.write(line)

    def finish(self) -> None:
        """Report the second under way, if it had frames."""
        if self._frames:
            self.on_second(self._second, self._frames, self._bytes, self._hash.hexdigest()[:32])
        self._frames = self._bytes = 0


def frame_digest(frame: bytes) -> bytes:
    """Return the SHA-256 digest of a frame."""
    return _digest_short(frame) if len(frame) <= SHORT_BYTES_MAX else _digest(frame)


def _digest(frame: bytes) -> bytes:
    return hashlib.sha256(frame).digest()


_digest_short = functools.lru_cache(maxsize=256)(_digest)
