"""What peers have sent and the driver has not yet taken in.

Rules:
- Bounded in frames and in bytes; who delivers waits for room. An empty inbox takes a frame of any size.
- What can be taken in during a commit stands apart, in its own order, so that it never waits behind what cannot.
- One turn takes a bounded part.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator

from p2p.frames import Frame

INBOX_FRAMES_MAX = 4096
INBOX_BYTES_MAX = 64 << 20
TURN_FRAMES_MAX = 512
TURN_BYTES_MAX = 4 << 20
"""A turn takes no further frame once those it took came as so many bytes."""


class Inbox:
    """Frames that wait, in two queues."""

    __slots__ = ("_room", "bytes", "prompt", "staged")

    def __init__(self) -> None:
        self.prompt: deque[tuple[str, Frame, int]] = deque()
        self.staged: deque[tuple[str, Frame, int]] = deque()
        self.bytes = 0
        self._room = asyncio.Event()

    def __len__(self) -> int:
        return len(self.prompt) + len(self.staged)

    async def put(self, peer: str, frame: Frame, size_bytes: int, *, is_prompt: bool) -> None:
        """Put in a frame that came as `size_bytes`; wait while there is no room.

        Args:
            peer: who sent it.
            frame: what was sent.
            size_bytes: what it counts for.
            is_prompt: whether it can be taken in during a commit.
        """
        while self.is_full(size_bytes):
            self._room.clear()
            await self._room.wait()
        self.put_now(peer, frame, size_bytes, is_prompt=is_prompt)

    def put_now(self, peer: str, frame: Frame, size_bytes: int, *, is_prompt: bool) -> None:
        """Put in a frame as `put` does, when there is room."""
        (self.prompt if is_prompt else self.staged).append((peer, frame, size_bytes))
        self.bytes += size_bytes

    def take(self, queue: deque[tuple[str, Frame, int]]) -> Iterator[tuple[str, Frame]]:
        """Take a turn's part out of one of the two queues, oldest first."""
        count = size = 0
        while queue and count < TURN_FRAMES_MAX and size < TURN_BYTES_MAX:
            peer, frame, size_bytes = queue.popleft()
            count += 1
            size += size_bytes
            self.bytes -= size_bytes
            yield peer, frame
        self._room.set()

    def is_full(self, size_bytes: int) -> bool:
        """Whether a frame that came as `size_bytes` has to wait."""
        count = len(self)
        return count >= INBOX_FRAMES_MAX or (count > 0 and self.bytes + size_bytes > INBOX_BYTES_MAX)
