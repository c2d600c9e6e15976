"""A virtual file's bytes in pages that copies share, most of them in a real file when there are many.

Rules:
- A page never changes: writing puts another in its place. So what is seen and what is durable share pages, and a copy
  of a file costs a list.
- Pages of a file that has many are kept in a real file without a name, which goes with the process; what a run's disks
  hold does not stay in memory, and of a page that was moved out there is a number.
"""

from __future__ import annotations

import os
import tempfile
from array import array
from collections.abc import Iterator, Sequence

PAGE_BYTES = 4096
RESIDENT_PAGES_MAX = 1024
"""Pages written to one file before those in memory are moved out; SQLite's log of writes has about as many."""

_RESIDENT = -1
"""In the place of a slot: the page is in memory."""


class _Vault:
    """The real file behind pages that were moved out: made when first needed, its slots used again.

    A slot is free when as many have let it go as have put it or shared it.
    """

    def __init__(self) -> None:
        self._file: int | None = None
        self._free = array("q")
        self._holders = array("I")

    @property
    def count_used(self) -> int:
        """How many pages are in the file."""
        return len(self._holders) - len(self._free)

    def put(self, page: bytes) -> int:
        """Move a page out and return its slot.

        Raises:
            OSError: if the real disk is full.
        """
        if self._file is None:
            with tempfile.TemporaryFile(prefix="seatrial-") as file:
                self._file = os.dup(file.fileno())
        slot = self._free[-1] if self._free else len(self._holders)
        os.pwrite(self._file, page, slot * PAGE_BYTES)
        if self._free:
            self._free.pop()
            self._holders[slot] = 1
        else:
            self._holders.append(1)
        return slot

    def get(self, slot: int, size: int) -> bytes:
        """Return a page that was moved out."""
        if self._file is None:
            raise RuntimeError("a page was moved out and there is no file")
        return os.pread(self._file, size, slot * PAGE_BYTES)

    def share(self, slots: Sequence[int]) -> None:
        """Let one more hold each of these."""
        holders = self._holders
        for slot in slots:
            if slot != _RESIDENT:
                holders[slot] += 1

    def let_go(self, slots: Sequence[int]) -> None:
        """Let one fewer hold each of these."""
        holders = self._holders
        for slot in slots:
            if slot != _RESIDENT:
                holders[slot] -= 1
                if not holders[slot]:
                    self._free.append(slot)


_vaults = [_Vault()]


def _begin_anew() -> None:
    """Give a forked process a file of its own: two would write over each other."""
    _vaults[0] = _Vault()


os.register_at_fork(after_in_child=_begin_anew)


class Pages:
    """Bytes of any length that cost little to copy."""

    __slots__ = ("_fresh", "_resident", "_size", "_slots", "_vault")

    def __init__(self) -> None:
        self._vault = _vaults[0]
        self._slots = array("q")  # of every page in the vault, or that it is resident
        self._resident: dict[int, bytes] = {}
        self._size = 0
        self._fresh = 0

    def __del__(self) -> None:
        self._vault.let_go(self._slots)

    def __len__(self) -> int:
        return self._size

    def __bytes__(self) -> bytes:
        return b"".join(self)

    def __iter__(self) -> Iterator[bytes]:
        """Give all bytes page by page."""
        for number in range(len(self._slots)):
            yield self._page(number)

    def copy(self) -> Pages:
        """Return the same bytes, to be changed apart."""
        other = Pages()
        other._become(self)
        other._fresh = self._fresh
        return other

    def read(self, offset: int, size: int) -> bytes:
        """Return up to `size` bytes from `offset` on; fewer where the bytes end."""
        end = min(offset + size, self._size)
        if offset >= end:
            return b""
        number, begin = divmod(offset, PAGE_BYTES)
        if begin + end - offset <= PAGE_BYTES:
            return self._page(number)[begin : begin + end - offset]
        last = (end - 1) // PAGE_BYTES
        joined = b"".join(self._page(at) for at in range(number, last + 1))
        return joined[begin : begin + end - offset]

    def write(self, offset: int, data: bytes) -> None:
        """Put bytes there; a gap before `offset` becomes zeros."""
        if offset > self._size:
            self.truncate(offset)
        at = 0
        while at < len(data):
            number, begin = divmod(offset + at, PAGE_BYTES)
            part = data[at : at + PAGE_BYTES - begin]
            if number < len(self._slots):
                old = self._page(number)
                if begin or len(part) < len(old):
                    part = b"".join((old[:begin], part, old[begin + len(part) :]))
            self._keep(number, part)
            self._fresh += 1
            at += min(PAGE_BYTES - begin, len(data) - at)
        self._size = max(self._size, offset + len(data))

    def truncate(self, size: int) -> None:
        """Cut, or extend with zeros, to `size` bytes."""
        while self._size < size:
            number, begin = divmod(self._size, PAGE_BYTES)
            part = bytes(min(PAGE_BYTES - begin, size - self._size))
            self._keep(number, self._page(number) + part if begin else part)
            self._size += len(part)
        if self._size > size:
            count, rest = divmod(size, PAGE_BYTES)
            cut = self._page(count)[:rest] if rest else b""
            self._cut(count)
            if rest:
                self._keep(count, cut)
            self._size = size

    def flip(self, byte: int, bit: int) -> None:
        """Flip bit `bit` (0 to 7) of byte `byte`."""
        self.write(byte, bytes([self.read(byte, 1)[0] ^ 1 << bit]))

    def take_pages(self, other: Pages, numbers: list[int]) -> None:
        """Become like `other`, which differs in these pages and in what is behind the end of the shorter one.

        Args:
            other: to become like.
            numbers: of pages; those that `other` does not have are passed over.
        """
        if self._vault is not other._vault:
            self._become(other)
            return
        count = len(other._slots)
        self._cut(count)
        behind = len(self._slots)
        changed = [number for number in dict.fromkeys(numbers) if number < behind]
        taken = array("q", [other._slots[number] for number in changed]) + other._slots[behind:]
        self._vault.share(taken)
        self._vault.let_go([self._slots[number] for number in changed])
        for number in changed:
            self._slots[number] = other._slots[number]
        self._slots.extend(other._slots[behind:])
        for number in (*changed, *range(behind, count)):
            if self._slots[number] == _RESIDENT:
                self._resident[number] = other._resident[number]
            else:
                self._resident.pop(number, None)
        self._size = other._size

    def spill(self) -> list[int]:
        """Move all pages out of memory if many were written since the last time; return which were moved.

        Raises:
            OSError: if the real disk is full.
        """
        if self._fresh <= RESIDENT_PAGES_MAX:
            return []
        self._fresh = 0
        if self._vault is not _vaults[0]:
            self._move_house()
        moved = sorted(self._resident)
        for number in moved:
            self._slots[number] = self._vault.put(self._resident[number])
            del self._resident[number]
        return moved

    def _page(self, number: int) -> bytes:
        slot = self._slots[number]
        if slot == _RESIDENT:
            return self._resident[number]
        return self._vault.get(slot, min(PAGE_BYTES, self._size - number * PAGE_BYTES))

    def _keep(self, number: int, page: bytes) -> None:
        """Put a page in its place, or behind the last one."""
        if number == len(self._slots):
            self._slots.append(_RESIDENT)
        elif self._slots[number] != _RESIDENT:
            self._vault.let_go((self._slots[number],))
            self._slots[number] = _RESIDENT
        self._resident[number] = page

    def _become(self, other: Pages) -> None:
        """Share all pages of another, and hold none that was held before."""
        other._vault.share(other._slots)
        self._vault.let_go(self._slots)
        self._vault, self._slots, self._resident = other._vault, other._slots[:], other._resident.copy()
        self._size = other._size

    def _move_house(self) -> None:
        """Leave the file of the process that this one was forked from."""
        self._resident = dict(enumerate(self))
        self._vault.let_go(self._slots)
        self._vault, self._slots = _vaults[0], array("q", [_RESIDENT]) * len(self._slots)

    def _cut(self, count: int) -> None:
        """Let go of all pages from a number on."""
        for number in range(count, len(self._slots)):
            self._resident.pop(number, None)
        self._vault.let_go(self._slots[count:])
        del self._slots[count:]
