"""A virtual file's bytes in pages that copies share, most of them in a real file when there are many.

Rules:
- A page never changes: writing puts another in its place. So what is seen and what is durable share pages, and a copy
  of a file costs a list.
- Pages of a file that has many are kept in a real file without a name, which goes with the process; what a run's disks
  hold does not stay in memory.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator

PAGE_BYTES = 4096
RESIDENT_PAGES_MAX = 1024
"""Pages written to one file before those in memory are moved out; SQLite's log of writes has about as many."""


class _Vault:
    """The real file behind spilled pages: made when first needed, its slots used again."""

    def __init__(self) -> None:
        self._file: int | None = None
        self._free: list[int] = []
        self._count = 0

    @property
    def count_used(self) -> int:
        """How many pages are in the file."""
        return self._count - len(self._free)

    def put(self, page: bytes) -> Spilled:
        """Move a page out.

        Raises:
            OSError: if the real disk is full.
        """
        if self._file is None:
            with tempfile.TemporaryFile(prefix="seatrial-") as file:
                self._file = os.dup(file.fileno())
        if self._free:
            slot = self._free.pop()
        else:
            slot = self._count
            self._count += 1
        os.pwrite(self._file, page, slot * PAGE_BYTES)
        return Spilled(self, slot, len(page))

    def get(self, slot: int, size: int) -> bytes:
        """Return a page that was moved out."""
        if self._file is None:
            raise RuntimeError("a page was moved out and there is no file")
        return os.pread(self._file, size, slot * PAGE_BYTES)

    def free(self, slot: int) -> None:
        """Let a page go."""
        self._free.append(slot)


class Spilled:
    """A page in the real file; its place is free when nobody refers to it."""

    __slots__ = ("_size", "_slot", "_vault")

    def __init__(self, vault: _Vault, slot: int, size: int) -> None:
        self._vault = vault
        self._slot = slot
        self._size = PAGE_BYTES if size == PAGE_BYTES else size  # one number for all whole pages

    def read(self) -> bytes:
        """Return the page."""
        return self._vault.get(self._slot, self._size)

    def __del__(self) -> None:
        self._vault.free(self._slot)


_vaults = [_Vault()]


def _begin_anew() -> None:
    """Give a forked process a file of its own: two would write over each other."""
    _vaults[0] = _Vault()


os.register_at_fork(after_in_child=_begin_anew)


class Pages:
    """Bytes of any length that cost little to copy."""

    __slots__ = ("_fresh", "_pages", "_size")

    def __init__(self) -> None:
        self._pages: list[bytes | Spilled] = []
        self._size = 0
        self._fresh = 0

    def __len__(self) -> int:
        return self._size

    def __bytes__(self) -> bytes:
        return b"".join(self)

    def __iter__(self) -> Iterator[bytes]:
        """Give all bytes page by page."""
        for page in self._pages:
            yield page if isinstance(page, bytes) else page.read()

    def copy(self) -> Pages:
        """Return the same bytes, to be changed apart."""
        other = Pages()
        other._pages, other._size, other._fresh = self._pages.copy(), self._size, self._fresh
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
            if number == len(self._pages):
                self._pages.append(part)
            else:
                old = self._page(number)
                self._pages[number] = (
                    part
                    if not begin and len(part) >= len(old)
                    else b"".join((old[:begin], part, old[begin + len(part) :]))
                )
            self._fresh += 1
            at += len(part)
        self._size = max(self._size, offset + len(data))

    def truncate(self, size: int) -> None:
        """Cut, or extend with zeros, to `size` bytes."""
        if size > self._size:
            while self._size < size:
                number, begin = divmod(self._size, PAGE_BYTES)
                part = bytes(min(PAGE_BYTES - begin, size - self._size))
                if begin:
                    self._pages[number] = self._page(number) + part
                else:
                    self._pages.append(part)
                self._size += len(part)
            return
        count, rest = divmod(size, PAGE_BYTES)
        cut = self._page(count)[:rest] if rest else b""
        del self._pages[count:]
        if rest:
            self._pages.append(cut)
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
        count = len(other._pages)
        del self._pages[count:]
        behind = len(self._pages)
        for number in numbers:
            if number < behind:
                self._pages[number] = other._pages[number]
        self._pages.extend(other._pages[behind:])
        self._size = other._size

    def spill(self) -> bool:
        """Move all pages out of memory if many were written since the last time; say whether they were."""
        if self._fresh <= RESIDENT_PAGES_MAX:
            return False
        self._fresh = 0
        for number, page in enumerate(self._pages):
            if isinstance(page, bytes):
                self._pages[number] = _vaults[0].put(page)
        return True

    def _page(self, number: int) -> bytes:
        page = self._pages[number]
        return page if isinstance(page, bytes) else page.read()
