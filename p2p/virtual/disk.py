"""A disk in memory that can lose power.

Rules:
- A file has what programs see (the page cache) and what is durable. Writing changes the first; sync makes it
  durable.
- A sync that fails leaves what it was to write seen and clean: later syncs do not write it again, and the next power
  loss takes it all (Rebello et al., USENIX ATC 2020: so do ext4 and XFS).
- Power loss keeps, of each 512-byte sector, some prefix of the unsynced writes that touched it: none, all, or
  between; sectors are independent, so writes are torn and reordered at sector boundaries. A sector itself is
  whole.
- New names and deletions are durable with the next sync of any file (a journaling file system commits its
  metadata in order, and SQLite syncs the directory of a new journal), or at once for a deletion that asks for
  it. Until then they may come undone.
- A killed process loses nothing it wrote: the page cache is the operating system's.
- At death the next life gets copies of the files, made at that instant; the ghost goes on with the old ones,
  which nobody will read.
"""

from __future__ import annotations

import enum
import random
from collections.abc import Callable, Iterator, Sequence

from p2p.virtual.pages import PAGE_BYTES, Pages

SECTOR_BYTES = 512


class DiskOperation(enum.Enum):
    """What a program may be doing to the disk when something happens."""

    READ = "read"
    WRITE = "write"
    SYNC = "sync"
    TRUNCATE = "truncate"
    DELETE = "delete"


Hook = Callable[[DiskOperation, str], None]
"""Called before an operation on a file; it may raise OSError, crash the host or cut its power."""


class DiskFile:
    """One file: what programs see, what is durable, and the unsynced operations between the two.

    What is written is put in its place when somebody looks: SQLite writes a page's head and the page apart, one behind
    the other, and reads neither before it syncs.
    """

    __slots__ = ("_content", "_touched", "_unplaced", "durable", "name_durable", "pending")

    def __init__(self) -> None:
        self._content = Pages()
        self.durable = Pages()
        self.pending: list[tuple[int, bytes | None]] = []
        self.name_durable = False
        self._touched: dict[int, None] | None = {}
        self._unplaced: list[tuple[int, bytes]] = []

    @property
    def content(self) -> Pages:
        """What programs see."""
        if self._unplaced:
            unplaced, self._unplaced = self._unplaced, []
            for offset, data in _joined(unplaced):
                self._touch(min(offset, len(self._content)), offset + len(data))
                self._content.write(offset, data)
        return self._content

    def write(self, offset: int, data: bytes) -> None:
        """Write into the page cache; a gap before `offset` reads as zeros."""
        write = (offset, data)
        self._unplaced.append(write)
        self.pending.append(write)

    def truncate(self, size: int) -> None:
        """Cut or extend the file to `size` bytes."""
        content = self.content
        self._touch(min(size, len(content)), size + 1)
        content.truncate(size)
        self.pending.append((size, None))

    def sync(self) -> None:
        """Make everything written durable."""
        if self._touched is None:
            for offset, data in self.pending:
                _apply(self.durable, offset, data)
        else:  # all that was ever written is in what is seen, so the touched pages are shared
            content = self.content
            moved = content.spill()
            self.durable.take_pages(content, [*self._touched, *moved])
            self._touched.clear()
        self.pending.clear()

    def fail_to_sync(self) -> None:
        """Leave what was written in the page cache, and forget that it is not durable."""
        self.pending.clear()
        self._touched = None

    def copy(self) -> DiskFile:
        """Return a file of its own with the same content and the same durable part."""
        other = DiskFile()
        other._content = self.content.copy()
        other.durable = self.durable.copy()
        other.pending = list(self.pending)
        other.name_durable = self.name_durable
        other._touched = None if self._touched is None else self._touched.copy()
        return other

    def _touch(self, begin: int, end: int) -> None:
        """Take note of pages that what is seen and what is durable do not share any more; None once they drifted."""
        if self._touched is not None:
            for number in range(begin // PAGE_BYTES, (end - 1) // PAGE_BYTES + 1):
                self._touched[number] = None

    def after_power_loss(self, chance: random.Random) -> DiskFile:
        """Return what is left of the file: durable bytes and whatever unsynced sectors had made it."""
        other = DiskFile()
        other.name_durable = self.name_durable
        left = self.durable.copy()
        kept = chance.choice((0.0, 0.5, 0.5, 1.0, chance.random()))
        arrived: dict[int, bool] = {}
        for offset, data in self.pending:
            if data is None:
                if chance.random() < kept:
                    _apply(left, offset, None)
                continue
            for start, part in _sectors(offset, data):
                sector = start // SECTOR_BYTES
                # once a write of a sector is missing, its later writes are missing too
                if arrived.get(sector, True):
                    arrived[sector] = chance.random() < kept
                    if arrived[sector]:
                        _apply(left, start, part)
        other._content = left
        other.durable = left.copy()
        return other


def _apply(target: Pages, offset: int, data: bytes | None) -> None:
    if data is None:
        target.truncate(offset)
    else:
        target.write(offset, data)


def _joined(writes: Sequence[tuple[int, bytes]]) -> Iterator[tuple[int, bytes]]:
    """Give the same writes in the same order, those in one that follow each other without a gap."""
    begin, end, parts = 0, -1, list[bytes]()
    for offset, data in writes:
        if offset != end:
            if parts:
                yield begin, b"".join(parts)
            begin, parts = offset, []
        parts.append(data)
        end = offset + len(data)
    yield begin, b"".join(parts)


def _sectors(offset: int, data: bytes) -> list[tuple[int, bytes]]:
    parts = []
    at = 0
    while at < len(data):
        size = min(SECTOR_BYTES - (offset + at) % SECTOR_BYTES, len(data) - at)
        parts.append((offset + at, data[at : at + size]))
        at += size
    return parts


class VirtualDisk:
    """The disk of one host; it outlives the lives that use it.

    Attributes:
        hook: called before every write, sync, truncation and deletion, or None.
        read_hook: called before every read, or None.
    """

    def __init__(self) -> None:
        self._files: dict[str, DiskFile] = {}
        self._deleted: dict[str, DiskFile] = {}
        self.hook: Hook | None = None
        self.read_hook: Hook | None = None
        self.operation_count = 0
        self.sync_count = 0

    @property
    def files(self) -> dict[str, DiskFile]:
        """The present files by name; the running life writes to these very objects."""
        return self._files

    @property
    def unsynced_count(self) -> int:
        """How many writes and truncations a power loss now would put at risk."""
        return sum(len(file.pending) for file in self._files.values())

    def read(self, name: str) -> bytes | None:
        """Return a file's content, or None if there is none."""
        file = self._files.get(name)
        return None if file is None else bytes(file.content)

    def pieces(self, name: str) -> Iterator[bytes]:
        """Give a file's content piece by piece; nothing if there is no such file."""
        file = self._files.get(name)
        return iter(()) if file is None else iter(file.content)

    def flip_bit(self, name: str, byte: int, bit: int) -> None:
        """Flip bit `bit` (0 to 7) of byte `byte`, in what is seen and in what is durable.

        Raises:
            KeyError: if there is no such file.
            IndexError: if the file is shorter.
        """
        file = self._files[name]
        if not 0 <= byte < len(file.content):
            raise IndexError(f"{name} has {len(file.content)} bytes; there is no byte {byte}")
        file.content.flip(byte, bit)
        if byte < len(file.durable):
            file.durable.flip(byte, bit)

    def take(self, names: Sequence[str]) -> Callable[[], None]:
        """Take files away, those that are there; the returned call puts them back over what has come in their place."""
        taken = {name: self._files.pop(name) for name in names if name in self._files}

        def put_back() -> None:
            for name in names:
                self._files.pop(name, None)
            self._files.update(taken)

        return put_back

    def erase(self) -> None:
        """Lose every file: a new disk."""
        self._files = {}
        self._deleted = {}

    def survive_kill(self) -> None:
        """Set aside what a killed process wrote; its ghost keeps the old objects."""
        self._files = {name: file.copy() for name, file in self._files.items()}
        self._deleted = {name: file.copy() for name, file in self._deleted.items()}

    def survive_power_loss(self, chance: random.Random) -> None:
        """Set aside what is on the platters after the power went."""
        left: dict[str, DiskFile] = {}
        for name, file in self._files.items():
            if file.name_durable or chance.random() < 0.5:
                left[name] = file.after_power_loss(chance)
        for name, file in self._deleted.items():
            if name not in left and file.name_durable and chance.random() < 0.5:
                left[name] = file.after_power_loss(chance)
        self._files = left
        self._deleted = {}
