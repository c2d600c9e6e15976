# ruff: noqa: N802 - SQLite gave these methods their names and arguments
"""The disk of a real process, which a trial can make fail or lag: SQLite's door to its files, and the watermark's.

Rules:
- Only a process that was started for such a trial has this door; any other opens its files by SQLite's own.
- What fails raises what the operating system would, before anything has reached the file; the rest is the
  operating system's own work.
- A failure is in force for all files, or none; it can be in force before the process starts.
- What it cannot do: lose or tear what was written. That takes a machine's power.
"""

from __future__ import annotations

import errno
import os
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import apsw

VFS_NAME = "seatrial-harmed"


class DiskFailure(StrEnum):
    """How a disk fails."""

    FULL = "full"
    SYNC = "sync"
    READ = "read"
    WRITE = "write"


class DiskUse(StrEnum):
    """What a program does to a disk."""

    READ = "read"
    WRITE = "write"
    SYNC = "sync"


FAILURES: dict[DiskFailure, tuple[DiskUse, int]] = {
    DiskFailure.FULL: (DiskUse.WRITE, errno.ENOSPC),
    DiskFailure.SYNC: (DiskUse.SYNC, errno.EIO),
    DiskFailure.READ: (DiskUse.READ, errno.EIO),
    DiskFailure.WRITE: (DiskUse.WRITE, errno.EIO),
}
"""What fails, and with which error."""


@dataclass(slots=True)
class LiveDisk:
    """The harm that is done to one process's disk.

    Attributes:
        failures: in force now.
        slow_ms: how long the sync that ends a commit takes at least and at most, or None.
    """

    failures: Sequence[DiskFailure] = ()
    slow_ms: tuple[float, float] | None = None
    _chance: random.Random = field(default_factory=random.SystemRandom)
    _door: _Door | None = None

    def open_door(self) -> str:
        """Register SQLite's door to this disk, once; return the VFS's name."""
        if self._door is None:
            self._door = _Door(self)
        return VFS_NAME

    def check(self, use: DiskUse, name: str) -> None:
        """Fail if that is in force.

        Raises:
            OSError: as the operating system would.
        """
        for failure in self.failures:
            failing, code = FAILURES[failure]
            if failing is use:
                raise OSError(code, os.strerror(code), name)

    def linger(self) -> None:
        """Take the time that a sync of this disk takes."""
        if self.slow_ms is not None:
            time.sleep(self._chance.uniform(*self.slow_ms) / 1000)


class _Door(apsw.VFS):
    """SQLite's own door, with the harm before it."""

    def __init__(self, disk: LiveDisk) -> None:
        self._disk = disk
        super().__init__(VFS_NAME, "")

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:
        return _File(self._disk, name, flags)


class _File(apsw.VFSFile):
    def __init__(self, disk: LiveDisk, name: str | apsw.URIFilename | None, flags: list[int]) -> None:
        self._disk = disk
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        self._name = os.path.basename(path or "temporary")
        super().__init__("", name, flags)

    def xRead(self, amount: int, offset: int) -> bytes:
        self._disk.check(DiskUse.READ, self._name)
        return super().xRead(amount, offset)

    def xWrite(self, data: bytes, offset: int) -> None:
        self._disk.check(DiskUse.WRITE, self._name)
        super().xWrite(data, offset)

    def xTruncate(self, newsize: int) -> None:
        self._disk.check(DiskUse.WRITE, self._name)
        super().xTruncate(newsize)

    def xSync(self, flags: int) -> None:
        self._disk.check(DiskUse.SYNC, self._name)
        super().xSync(flags)
