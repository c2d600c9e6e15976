"""The envelopes that an application has handed to its node of late, so that it can hand them in again.

Rules:
- A node keeps an envelope until the addressee's node has it on its disk, and that one until its application reads it. A
  disk that is lost for good takes with it what was on it alone; only the sender has it still.
- The last `KEPT_MAX` are kept, in a real file; a purged document's are not.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from scenarios.filed import Filed

KEPT_MAX = 1024


@dataclass(frozen=True, slots=True)
class _Posted:
    number: int
    root: bytes
    to: str


class Sent:
    """What was handed in, oldest first.

    Args:
        kept_max: how many envelopes are kept.
    """

    def __init__(self, kept_max: int = KEPT_MAX) -> None:
        self._kept_max = kept_max
        self._filed = Filed[bytes](bytes, bytes)
        self._kept: deque[_Posted] = deque()

    def __len__(self) -> int:
        """How many envelopes are kept."""
        return len(self._kept)

    def note(self, root: bytes, to: str, sealed: bytes) -> None:
        """Keep an envelope that is handed in."""
        self._kept.append(_Posted(self._filed.add(sealed), root, to))
        if len(self._kept) > self._kept_max:
            self._filed.let_go(self._kept.popleft().number)

    def forget(self, root: bytes) -> None:
        """Let go of a document's envelopes."""
        for posted in self._kept:
            if posted.root == root:
                self._filed.let_go(posted.number)
        self._kept = deque(posted for posted in self._kept if posted.root != root)

    def envelopes(self, to: str | None) -> Iterator[tuple[bytes, str, bytes]]:
        """Give root, addressee and bytes of what is kept.

        Args:
            to: one addressee, or None for all.
        """
        for posted in tuple(self._kept):
            if to is None or posted.to == to:
                yield posted.root, posted.to, self._filed[posted.number]
