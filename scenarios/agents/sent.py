"""The envelopes that an application has handed to its node of late, so that it can hand them in again.

Rules:
- A node keeps an envelope until the addressee's node has it on its disk, and that one until its application reads it. A
  disk that is lost for good takes with it what was on it alone; only the sender has it still.
- The last `KEPT_MAX` are kept, in a real file; a purged document's are not.
- Whoever goes through them may take days over it: what is let go of meanwhile is passed over.
"""

from __future__ import annotations

from collections.abc import Iterator

from scenarios.filed import Filed

KEPT_MAX = 1024


class Sent:
    """What was handed in, oldest first.

    Args:
        kept_max: how many envelopes are kept.
    """

    def __init__(self, kept_max: int = KEPT_MAX) -> None:
        self._kept_max = kept_max
        self._filed = Filed[bytes](bytes, bytes)
        self._kept: dict[int, tuple[bytes, str]] = {}  # root and addressee, by number

    def __len__(self) -> int:
        """How many envelopes are kept."""
        return len(self._kept)

    def note(self, root: bytes, to: str, sealed: bytes) -> None:
        """Keep an envelope that is handed in."""
        self._kept[self._filed.add(sealed)] = root, to
        if len(self._kept) > self._kept_max:
            self._let_go(next(iter(self._kept)))

    def forget(self, root: bytes) -> None:
        """Let go of a document's envelopes."""
        for number in [number for number, (of, _) in self._kept.items() if of == root]:
            self._let_go(number)

    def envelopes(self, to: str | None) -> Iterator[tuple[bytes, str, bytes]]:
        """Give root, addressee and bytes of what is kept.

        Args:
            to: one addressee, or None for all.
        """
        for number, (root, addressee) in list(self._kept.items()):
            if number in self._kept and to in (None, addressee):
                yield root, addressee, self._filed[number]

    def _let_go(self, number: int) -> None:
        del self._kept[number]
        self._filed.let_go(number)
