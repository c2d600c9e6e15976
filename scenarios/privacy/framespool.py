"""Every frame of a run, kept on disk until it can be searched.

Rules:
- What is private is known only when a run is over, and memory must not grow with the frames: so they wait in a file.
- A frame that was sent to several peers is kept once if its copies are near each other; it may be kept again. Where it
  matters who got it, as with envelopes, it is kept for every peer.
- The file has no name from the moment it is there: nobody else finds it, and it goes with the process.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

from scenarios.record.latefile import LateFile
from scenarios.trial.tracing import frame_digest

DIGESTS_KEPT = 4096
_HEAD = struct.Struct("<II")


class FrameSpool:
    """Frames in the order they were sent.

    Args:
        directory: where the file is made.

    Raises:
        RefusedError: if it cannot be made.
    """

    def __init__(self, directory: Path) -> None:
        path = directory / "frames"
        self._file = LateFile(path)
        path.unlink()
        self._recent: dict[tuple[str, bytes], None] = {}

    def keep(self, place: str, frame: bytes, *, per_place: bool = False) -> None:
        """Keep a frame and where it was seen, unless it was kept a short while ago, in that very place if asked for."""
        known = (place if per_place else "", frame_digest(frame))
        if known in self._recent:
            return
        self._recent[known] = None
        if len(self._recent) > DIGESTS_KEPT:
            del self._recent[next(iter(self._recent))]
        name = place.encode()
        self._file.write(_HEAD.pack(len(name), len(frame)) + name + frame)

    def frames(self) -> Iterator[tuple[str, bytes]]:
        """Give every frame kept, with where it was seen.

        Raises:
            RefusedError: if some could not be kept.
        """
        file = self._file.read_from_start()
        while head := file.read(_HEAD.size):
            name_size, frame_size = _HEAD.unpack(head)
            yield file.read(name_size).decode(), file.read(frame_size)

    def close(self) -> None:
        """Let the frames go."""
        self._file.discard()
