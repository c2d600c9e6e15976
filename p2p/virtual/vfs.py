# ruff: noqa: N802 - SQLite gave these methods their names and arguments
"""SQLite's door to a virtual disk.

Rules:
- Each life has its own `LifeVFS` over its own set of files, so a ghost's writes land where nobody reads.
- The device calls itself power-safe for overwriting, as SQLite's unix VFS does; else every commit is padded.
- Sleeping takes no time, locks are free (one process has the file alone), the time of day is the calendar.
- SQLite's own generator is one for the whole process and is seeded from the *default* VFS: `SQLiteChance` is
  the default for the length of a run and has the generator seeded afresh.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable

import apsw

from p2p.virtual.disk import DiskFile, DiskOperation, VirtualDisk

_JULIAN_EPOCH_MS = 210_866_760_000_000


class LifeVFS(apsw.VFS):
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
        self._names_pending = True
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
            file = self.create(name)
        file.write(0, data)

    def sync_file(self, name: str) -> None:
        """Make file `name` durable."""
        self.sync(name, self._files[name])

    def read_file(self, name: str) -> bytes | None:
        """Return a file's content, or None if there is none."""
        self.before_read(name)
        file = self._files.get(name)
        return None if file is None else bytes(file.content)

    def before_read(self, name: str) -> None:
        """Let the hook of reads have its way, but not with a ghost."""
        disk = self._disk
        if disk.read_hook is not None and disk._files is self._files:
            disk.read_hook(DiskOperation.READ, name)

    def before(self, operation: DiskOperation, name: str) -> None:
        """Count an operation and let the hook have its way; a ghost's operations are nobody's business."""
        disk = self._disk
        if disk._files is self._files:
            disk.operation_count += 1
            if operation is DiskOperation.SYNC:
                disk.sync_count += 1
            if disk.hook is not None:
                disk.hook(operation, name)

    def create(self, name: str) -> DiskFile:
        """Create an empty file; its name is durable with the next sync."""
        file = self._files[name] = DiskFile()
        self._names_pending = True
        return file

    def sync(self, name: str, file: DiskFile) -> None:
        """Make one file's content durable, and with it all names and deletions so far."""
        try:
            self.before(DiskOperation.SYNC, name)
        except OSError:
            file.fail_to_sync()
            raise
        file.sync()
        if self._names_pending:
            self._names_pending = False
            self._deleted.clear()
            for other in self._files.values():
                other.name_durable = True

    def let_go(self) -> None:
        """Unregister; nothing may be opened through this VFS any more."""
        self.unregister()

    # SQLite's side

    def xOpen(self, name: object, flags: list[int]) -> _OpenFile:  # type: ignore[override]
        """Open or create a file; without a name, a temporary one."""
        flags[1] = flags[0]
        if name is None:
            return _OpenFile(self, f"temporary-{next(self._temporary)}", DiskFile(), delete=False)
        bare = name if isinstance(name, str) else str(name.filename())  # type: ignore[attr-defined]
        file = self._files.get(bare)
        if file is None:
            if not flags[0] & apsw.SQLITE_OPEN_CREATE:
                raise apsw.CantOpenError(f"no file {bare}")
            file = self.create(bare)
        return _OpenFile(self, bare, file, delete=bool(flags[0] & apsw.SQLITE_OPEN_DELETEONCLOSE))

    def xDelete(self, filename: str, syncdir: bool) -> None:
        """Delete a file, durably if the directory is to be synced."""
        if filename not in self._files:
            raise _no_entry(filename)
        self.before(DiskOperation.DELETE, filename)
        file = self._files.pop(filename)
        self._deleted.pop(filename, None)
        if not syncdir:
            self._deleted[filename] = file
            self._names_pending = True

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


def _no_entry(filename: str) -> apsw.IOError:
    error = apsw.IOError(f"no file {filename}")
    setattr(error, "extendedresult", apsw.SQLITE_IOERR_DELETE_NOENT)  # noqa: B010 - how apsw is told of it
    return error


class _OpenFile:
    """A file SQLite has open. One process has it alone, so that locks are always free."""

    __slots__ = ("_delete", "_disk", "_file", "_name", "_vfs")

    def __init__(self, vfs: LifeVFS, name: str, file: DiskFile, *, delete: bool) -> None:
        self._vfs = vfs
        self._name = name
        self._file = file
        self._delete = delete

    def xRead(self, amount: int, offset: int) -> bytes:
        self._vfs.before_read(self._name)
        return self._file.content.read(offset, amount)

    def xWrite(self, data: bytes, offset: int) -> None:
        self._vfs.before(DiskOperation.WRITE, self._name)
        self._file.write(offset, bytes(data))

    def xTruncate(self, newsize: int) -> None:
        self._vfs.before(DiskOperation.TRUNCATE, self._name)
        self._file.truncate(newsize)

    def xSync(self, flags: int) -> None:
        self._vfs.sync(self._name, self._file)

    def xFileSize(self) -> int:
        return len(self._file.content)

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
        return apsw.SQLITE_IOCAP_POWERSAFE_OVERWRITE


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


class _DefaultVFS(apsw.VFS):
    """The system's own VFS but for randomness."""

    def __init__(self, name: str, chance: random.Random) -> None:
        self._chance = chance
        super().__init__(name, "", makedefault=True)

    def xRandomness(self, numbytes: int) -> bytes:
        return self._chance.randbytes(numbytes)

    def xOpen(self, name: object, flags: list[int]) -> apsw.VFSFile:
        raise apsw.CantOpenError("open databases through Machine.open_database in the virtual world")

    def xFullPathname(self, name: str) -> str:
        return name

    def xAccess(self, pathname: str, flags: int) -> bool:
        return False


_numbers = itertools.count(1)


def vfs_number() -> int:
    """Return a number for a VFS name that this process has not used yet."""
    return next(_numbers)
