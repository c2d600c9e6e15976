"""Windows of the forms that are looked for, in order behind a filter.

Rules:
- Windows are brought in order by segments, so that little stands in memory twice.
- A filter of single bits says of most of what is looked up that it is not there.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from operator import itemgetter

import numpy as np
import numpy.typing as npt

STRIDE_BYTES = 4
WINDOW_BYTES = 8
"""A form of at least 12 bytes has a whole window at some place that `STRIDE_BYTES` divides, wherever it begins."""

SEGMENT_WINDOWS_MAX = 1 << 20
"""Windows that are brought in order at once."""
_FILTER_BITS_MAX = 28
_FILTER_PIECES = 16
_SPREAD = np.uint64(0x9E3779B97F4A7C15)


class Windows:
    """Windows of forms with the numbers of what they are forms of, as flat arrays: memory is what grows here."""

    def __init__(self) -> None:
        self.windows = bytearray()
        self.numbers = array("I")

    def __len__(self) -> int:
        return len(self.numbers)

    def add(self, number: int, windows: Iterable[bytes]) -> None:
        """Add windows of one value's forms."""
        for window in dict.fromkeys(windows):
            self.windows += window
            self.numbers.append(number)

    def add_many(self, numbers: npt.NDArray[np.uint32], windows: npt.NDArray[np.uint64]) -> None:
        """Add a window each of many values."""
        self.windows += windows.tobytes()
        self.numbers.frombytes(numbers.tobytes())


class _Segment:
    """Some windows in order.

    Attributes:
        windows: sorted, each as a number.
        numbers: for each, of whose form it is.
    """

    __slots__ = ("numbers", "windows")

    def __init__(self, fresh: Windows, before: _Segment | None = None) -> None:
        windows: npt.NDArray[np.uint64] = np.frombuffer(fresh.windows, "<u8")
        numbers: npt.NDArray[np.uint32] = np.frombuffer(fresh.numbers, np.uint32)
        if before is not None:
            windows = np.concatenate([before.windows, windows])
            numbers = np.concatenate([before.numbers, numbers])
        order = np.argsort(windows, kind="stable").astype(np.uint32)
        self.windows: npt.NDArray[np.uint64] = windows[order]
        self.numbers: npt.NDArray[np.uint32] = numbers[order]


class WindowTable:
    """Windows in order, in segments, behind a filter by which most of what is looked up needs no look at them.

    The filter has a bit for some bits of each window; it is made anew, with twice as many, as windows become more.
    """

    def __init__(self) -> None:
        self._segments: list[_Segment] = []
        self._bits = 0
        self._is_there = np.zeros(0, np.uint8)

    def __len__(self) -> int:
        return sum(len(segment.windows) for segment in self._segments)

    def add(self, fresh: Windows) -> None:
        """Take in windows; few are put in order together with the few that came last."""
        last = self._segments[-1:]
        if last and len(last[0].numbers) + len(fresh) <= SEGMENT_WINDOWS_MAX:
            self._segments.pop()
            self._segments.append(_Segment(fresh, last[0]))
        else:
            self._segments.append(_Segment(fresh))
        bits = min(max(16, len(self).bit_length() + 5), _FILTER_BITS_MAX)
        if bits == self._bits:
            self._mark(self._segments[-1])
            return
        self._bits, self._is_there = bits, np.zeros(1 << bits - 3, np.uint8)
        for segment in self._segments:
            self._mark(segment)

    def _mark(self, segment: _Segment) -> None:
        """Set a segment's bits, a piece of the filter after the other: a whole one has eight times as many bytes."""
        marks = self._marks(segment.windows)
        size = (1 << self._bits) // _FILTER_PIECES
        whose = (marks >> np.uint32(self._bits) - np.uint32(4)).astype(np.uint8)
        for piece in range(_FILTER_PIECES):
            flags = np.zeros(size, np.bool_)
            flags[marks[whose == piece] - np.uint32(piece * size)] = True
            self._is_there[piece * size // 8 : (piece + 1) * size // 8] |= np.packbits(
                flags, bitorder="little"
            )

    def _marks(self, windows: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint32]:
        return ((windows * _SPREAD) >> np.uint64(64 - self._bits)).astype(np.uint32)

    def found_in(self, data: bytes) -> Iterator[tuple[int, int]]:
        """Give every place that `STRIDE_BYTES` divides at which there is a window of a form, and of whose form."""
        for offset in range(0, WINDOW_BYTES, STRIDE_BYTES):
            count = (len(data) - offset) // WINDOW_BYTES
            if count <= 0:
                continue
            there = np.frombuffer(data, "<u8", count, offset)
            marks = self._marks(there)
            likely = np.flatnonzero(self._is_there.take(marks >> 3) >> (marks & 7).astype(np.uint8) & 1)
            hits = list(self._hits(likely, there[likely]))
            for place, numbers in hits if len(self._segments) == 1 else sorted(hits, key=itemgetter(0)):
                for number in numbers:
                    yield place * WINDOW_BYTES + offset, int(number)

    def _hits(
        self, places: npt.NDArray[np.intp], sought: npt.NDArray[np.uint64]
    ) -> Iterator[tuple[int, npt.NDArray[np.uint32]]]:
        """Give the places whose windows are there, and of whose forms they are, segment by segment."""
        for segment in self._segments:
            firsts = np.searchsorted(segment.windows, sought, "left")
            found = segment.windows.take(firsts, mode="clip") == sought
            ends = np.searchsorted(segment.windows, sought[found], "right")
            for place, first, end in zip(places[found], firsts[found], ends, strict=True):
                yield int(place), segment.numbers[first:end]
