"""What a trial's node sends, written down frame by frame as it leaves, so that it can be searched when the run is over.

Rules:
- Only a trial's node files ask for it; nobody else's traffic is kept.
- Each frame is in the file before it leaves, with nothing held back, so that a process that is killed loses none; the
  last one may be torn.
- Envelopes are ciphertext here as on the wire: the file tells no more than the network does.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

from p2p.control import EventLog

_HEAD = struct.Struct("<HHI")


class TappedEventLog(EventLog):
    """The records of a node, and every frame that it sends.

    Args:
        now_ns: the protocol clock, nanoseconds.
        path: where frames go; a later life of the node goes on after those of the earlier ones.
    """

    def __init__(self, now_ns: Callable[[], int], path: Path) -> None:
        super().__init__(now_ns)
        _drop_torn_end(path)
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def frame(self, source: str, target: str, kind: str, frame: bytes) -> None:
        """Count a frame and write it down."""
        super().frame(source, target, kind, frame)
        names = (kind.encode(), target.encode())
        os.writev(self._file, [_HEAD.pack(*map(len, names), len(frame)), *names, frame])


def tapped_frames(path: Path) -> Iterator[tuple[str, str, bytes]]:
    """Give every whole frame in a file: its kind, to whom it went, its bytes; none if there is no file."""
    for _, kind, target, frame in _whole(path):
        yield kind, target, frame


def _drop_torn_end(path: Path) -> None:
    """Cut off what a life that was killed left half written."""
    if path.exists():
        os.truncate(path, max((end for end, *_ in _whole(path)), default=0))


def _whole(path: Path) -> Iterator[tuple[int, str, str, bytes]]:
    if not path.exists():
        return
    with path.open("rb") as file:
        while len(head := file.read(_HEAD.size)) == _HEAD.size:
            kind_size, target_size, frame_size = _HEAD.unpack(head)
            rest = file.read(kind_size + target_size + frame_size)
            if len(rest) < kind_size + target_size + frame_size:
                return
            names = rest[: kind_size + target_size]
            yield (
                file.tell(),
                names[:kind_size].decode(),
                names[kind_size:].decode(),
                rest[kind_size + target_size :],
            )
