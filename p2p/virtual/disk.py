"""A disk in memory that can lose power, and SQLite's door to it.

Rules:
- A file has what programs see (the page cache) and what is durable. Writing changes the first; sync makes it durable.
- Power loss keeps, of each 512-byte sector, some prefix of the unsynced writes that touched it: none, all, or between;
  sectors are independent, so writes are torn and reordered at sector boundaries. A sector itself is whole.
- A new name is durable with the file's first sync (SQLite syncs the directory then); a deletion is durable at once if
  the directory was synced, else it may come undone.
- A killed process loses nothing it wrote: the page cache is the operating system's.
- Each life has its own `LifeVFS` over its own files. At death the next life gets copies, made at that instant; the
  ghost goes on with the old ones, which nobody will read.
- The device calls itself power-safe for overwriting, as SQLite's unix VFS does; else every commit is padded.
"""

from __future__ import annotations

import enum
import itertools
import random
from collections.abc import Callable

import apsw

SECTOR_BYTES = 512
_JULIAN_EPOCH_MS = 210_866_760_000_000
_OPEN_CREATE: int = apsw.SQLITE_OPEN_CREATE
_OPEN_DELETE_ON_CLOSE: int = apsw.SQLITE_OPEN_DELETEONCLOSE
_POWERSAFE: int = apsw.SQLITE_IOCAP_POWERSAFE_OVERWRITE


class DiskOperation(enum.Enum):
    """What a program may be doing to the disk when something happens."""

    WRITE = "write"
    SYNC = "sync"
    TRUNCATE = "truncate"
    DELETE = "delete"


Hook = Callable[[DiskOperation, str], None]
"""Called before an operation on a file; it may raise OSError, crash the host or cut its power."""


class DiskFile:
    """One file: what programs see, what is durable, and the unsynced operations between the two."""

    __slots__ = ("content", "durable", "name_durable", "pending")

    def __init__(self) -> None:
        self.content = bytearray()
        self.durable = bytearray()
        self.pending: list[tuple[int, bytes | None]] = []
        self.name_durable = False

    def write(self, offset: int, data: bytes) -> None:
        """Write into the page cache; a gap before `offset` reads as zeros."""
        content = self.content
        if offset > len(content):
            content.extend(bytes(offset - len(content)))
        content[offset : offset + len(data)] = data
        self.pending.append((offset, data))

    def truncate(self, size: int) -> None:
        """Cut or extend the file to `size` bytes."""
        content = self.content
        del content[size:]
        if size > len(content):
            content.extend(bytes(size - len(content)))
        self.pending.append((size, None))

    def sync(self) -> None:
        """Make everything written durable."""
        durable = self.durable
        for offset, data in self.pending:
            _apply(durable, offset, data)
        self.pending.clear()
        self.name_durable = True

    def copy(self) -> DiskFile:
        """Return a file of its own with the same content and the same durable part."""
        other = DiskFile()
        other.content = bytearray(self.content)
        other.durable = bytearray(self.durable)
        other.pending = list(self.pending)
        other.name_durable = self.name_durable
        return other

    def after_power_loss(self, chance: random.Random) -> DiskFile:
        """Return what is left of the file: durable bytes and whatever unsynced sectors had made it."""
        other = DiskFile()
        other.name_durable = self.name_durable
        left = bytearray(self.durable)
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
        other.content = left
        other.durable = bytearray(left)
        return other


def _apply(target: bytearray, offset: int, data: bytes | None) -> None:
    size = len(target)
    if data is None:
        del target[offset:]
        if offset > size:
            target.extend(bytes(offset - size))
        return
    if offset > size:
        target.extend(bytes(offset - size))
    target[offset : offset + len(data)] = data


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
    """

    def __init__(self) -> None:
        self._files: dict[str, DiskFile] = {}
        self._deleted: dict[str, DiskFile] = {}
        self.hook: Hook | None = None
        self.operation_count = 0
        self.sync_count = 0

    @property
    def files(self) -> dict[str, DiskFile]:
        """The present files by name; the running life writes to these very objects."""
        return self._files

    def read(self, name: str) -> bytes | None:
        """Return a file's content, or None if there is none."""
        file = self._files.get(name)
        return None if file is None else bytes(file.content)

    def flip_bit(self, name: str, byte: int, bit: int) -> None:
        """Flip bit `bit` (0 to 7) of byte `byte`, in what is seen and in what is durable.

        Raises:
            KeyError: if there is no such file.
            IndexError: if the file is shorter.
        """
        file = self._files[name]
        if not 0 <= byte < len(file.content):
            raise IndexError(f"{name} has {len(file.content)} bytes; there is no byte {byte}")
        file.content[byte] ^= 1 << bit
        if byte < len(file.durable):
            file.durable[byte] ^= 1 << bit

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


class LifeVFS(apsw.VFS):  # type: ignore[misc]
    """SQLite's VFS over one life's files, and the same files for the watermark.

    Args:
        name: a name no other VFS of the process has.
        disk: the host's disk; its present files become this life's.
        now_ms: the calendar, in UTC milliseconds.
        chance: what SQLite's generator is seeded from, should this be the default VFS.
    """

    def __init__(
        self, name: str, disk: VirtualDisk, now_ms: Callable[[], int], chance: random.Random
    ) -> None:
        self.vfs_name = name
        self._disk = disk
        self._files = disk._files
        self._deleted = disk._deleted
        self._now_ms = now_ms
        self._chance = chance
        self._temporary = itertools.count()
        super().__init__(name, "")

    # files by bare name, for what is not SQLite's

    def write_file(self, name: str, data: bytes) -> None:
        """Write `data` at the start of file `name`, creating it."""
        self.before(DiskOperation.WRITE, name)
        file = self._files.get(name)
        if file is None:
            file = self._files[name] = DiskFile()
        file.write(0, data)

    def sync_file(self, name: str) -> None:
        """Make file `name` durable."""
        self.before(DiskOperation.SYNC, name)
        self._files[name].sync()

    def read_file(self, name: str) -> bytes | None:
        """Return a file's content, or None if there is none."""
        file = self._files.get(name)
        return None if file is None else bytes(file.content)

    def before(self, operation: DiskOperation, name: str) -> None:
        """Count an operation and let the hook have its way; a ghost's operations are nobody's business."""
        disk = self._disk
        if disk._files is self._files:
            disk.operation_count += 1
            if operation is DiskOperation.SYNC:
                disk.sync_count += 1
            if disk.hook is not None:
                disk.hook(operation, name)

    def let_go(self) -> None:
        """Unregister; nothing may be opened through this VFS any more."""
        self.unregister()

    # SQLite's side

    def xOpen(self, name: object, flags: list[int]) -> _OpenFile:
        """Open or create a file; without a name, a temporary one."""
        flags[1] = flags[0]
        if name is None:
            return _OpenFile(self, f"temporary-{next(self._temporary)}", DiskFile(), delete=False)
        bare = name if isinstance(name, str) else str(name.filename())  # type: ignore[attr-defined]
        file = self._files.get(bare)
        if file is None:
            if not flags[0] & _OPEN_CREATE:
                raise apsw.CantOpenError(f"no file {bare}")
            file = self._files[bare] = DiskFile()
        return _OpenFile(self, bare, file, delete=bool(flags[0] & _OPEN_DELETE_ON_CLOSE))

    def xDelete(self, filename: str, syncdir: bool) -> None:
        """Delete a file, durably if the directory is to be synced."""
        if filename not in self._files:
            error = apsw.IOError(f"no file {filename}")
            error.extendedresult = apsw.SQLITE_IOERR_DELETE_NOENT
            raise error
        self.before(DiskOperation.DELETE, filename)
        file = self._files.pop(filename)
        self._deleted.pop(filename, None)
        if not syncdir:
            self._deleted[filename] = file

    def xAccess(self, pathname: str, flags: int) -> bool:
        """Say whether a file is there."""
        return pathname in self._files

    def xFullPathname(self, name: str) -> str:
        """There are no directories: a name is a path."""
        return name

    def xSleep(self, microseconds: int) -> int:
        """Sleep no time at all: nobody else can hold what SQLite waits for."""
        return microseconds

    def xCurrentTime(self) -> float:
        """Return the calendar as a Julian day number."""
        return self.xCurrentTimeInt64() / 86_400_000

    def xCurrentTimeInt64(self) -> int:
        """Return the calendar as milliseconds since the Julian epoch."""
        return _JULIAN_EPOCH_MS + self._now_ms()

    def xRandomness(self, numbytes: int) -> bytes:
        """Return bytes of this life's own stream."""
        return self._chance.randbytes(numbytes)

    def xGetLastError(self) -> tuple[int, str | None]:
        """There is no system to ask."""
        return 0, None


class _OpenFile:
    """A file SQLite has open. One process has it alone, so that locks are always free."""

    __slots__ = ("_content", "_delete", "_disk", "_file", "_name", "_vfs")

    def __init__(self, vfs: LifeVFS, name: str, file: DiskFile, *, delete: bool) -> None:
        self._vfs = vfs
        self._name = name
        self._file = file
        self._content = file.content
        self._delete = delete

    def xRead(self, amount: int, offset: int) -> bytes:
        return bytes(self._content[offset : offset + amount])

    def xWrite(self, data: bytes, offset: int) -> None:
        self._vfs.before(DiskOperation.WRITE, self._name)
        self._file.write(offset, bytes(data))

    def xTruncate(self, newsize: int) -> None:
        self._vfs.before(DiskOperation.TRUNCATE, self._name)
        self._file.truncate(newsize)

    def xSync(self, flags: int) -> None:
        self._vfs.before(DiskOperation.SYNC, self._name)
        self._file.sync()

    def xFileSize(self) -> int:
        return len(self._content)

    def xClose(self) -> None:
        if self._delete:
            self._vfs._files.pop(self._name, None)

    def xLock(self, level: int) -> None:
        pass

    def xUnlock(self, level: int) -> None:
        pass

    def xCheckReservedLock(self) -> bool:
        return False

    def xFileControl(self, op: int, ptr: int) -> bool:
        return False

    def xSectorSize(self) -> int:
        return 4096

    def xDeviceCharacteristics(self) -> int:
        return _POWERSAFE


class SQLiteChance:
    """SQLite's process-wide generator, seeded from the run's seed for the length of a run.

    SQLite seeds it once per process, from the default VFS: this registers one and forgets the old state.
    """

    def __init__(self, seed: str) -> None:
        chance = random.Random(f"{seed}:sqlite")
        self._vfs = _DefaultVFS(f"seatrial-chance-{next(_numbers)}", chance)
        apsw.randomness(0)

    def close(self) -> None:
        """Give the process its own default VFS and a fresh generator back."""
        self._vfs.unregister()
        apsw.randomness(0)


class _DefaultVFS(apsw.VFS):  # type: ignore[misc]
    """The system's own VFS but for randomness."""

    def __init__(self, name: str, chance: random.Random) -> None:
        self._chance = chance
        super().__init__(name, "", makedefault=True)

    def xRandomness(self, numbytes: int) -> bytes:
        return self._chance.randbytes(numbytes)

    def xOpen(self, name: object, flags: list[int]) -> object:
        raise apsw.CantOpenError("open databases through Machine.open_database in the virtual world")

    def xFullPathname(self, name: str) -> str:
        return name

    def xAccess(self, pathname: str, flags: int) -> bool:
        return False


_numbers = itertools.count(1)


def vfs_number() -> int:
    """Return a number for a VFS name that this process has not used yet."""
    return next(_numbers)
