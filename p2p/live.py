"""The `Machine` of a real process: the system's clock, chance and files.

Rules:
- The calendar is `livecalendar`'s; a disk that a trial may harm is `livedisk`'s.
- Rows are written inline; COMMIT and the watermark's sync run inline where a sync takes under a millisecond, else
  in a thread: with a busy loop, handing the interpreter lock over costs more than a short sync. How long one takes is
  measured at the start and with every commit, so that a disk that grows slow does not hold up the loop for long.
- A file is synced with its directory when it is made, so that its name survives too.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from pathlib import Path

import apsw

from ledger.watermark import pack_watermark
from p2p.codepoints import CodePoint, CodePoints
from p2p.errors import ConfigError, InUseError
from p2p.livecalendar import LiveCalendar
from p2p.livedisk import DiskUse, LiveDisk
from p2p.machine import DiskFailureError

WATERMARK_FILE = "watermark"
DISK_ERRORS = (apsw.IOError, apsw.FullError, OSError)
"""What a disk that fails raises outside of a commit, as when a node starts over it."""
WAL_AUTOCHECKPOINT_PAGES = 1000
INLINE_SYNC_NS_MAX = 1_000_000
_SYNC_PROBES = 5
_SYNC_WEIGHT = 4


class LiveMachine:
    """One process's clock, chance and disk; see `p2p.machine.Machine`.

    Args:
        name: the node's name.
        directory: where its files are; made if absent.
        calendar_ms: the calendar now, UTC milliseconds.
        disk: what is done to its disk, if a trial may do anything to it.

    Attributes:
        calendar: its calendar.
        disk: as given.
        sync_ns: how long a small synced write takes, a moving mean.

    Raises:
        ConfigError: if nothing can be written there.
    """

    def __init__(self, name: str, directory: Path, calendar_ms: int, disk: LiveDisk | None = None) -> None:
        self._name = name
        self._directory = directory
        self._random = random.SystemRandom()
        self._points = CodePoints(_die, self._random)
        self.calendar = LiveCalendar(calendar_ms, time.monotonic_ns)
        self.disk = disk
        self._watermark: int | None = None
        try:
            directory.mkdir(parents=True, exist_ok=True)
            self.sync_ns = _measure_sync(directory)
        except OSError as error:
            raise ConfigError(
                f"{directory}: cannot be written ({error.strerror}); a node needs a data directory of its own"
            ) from error

    @property
    def name(self) -> str:
        """The node's name."""
        return self._name

    @property
    def random(self) -> random.Random:
        """The system's randomness."""
        return self._random

    @property
    def points(self) -> CodePoints:
        """The named points of this process's program."""
        return self._points

    def now_ms(self) -> int:
        """Return the calendar, in UTC milliseconds since the epoch."""
        return self.calendar.now_ms()

    def set_calendar(self, time_ms: int) -> None:
        """Move the calendar to `time_ms`; from there it runs with the monotonic clock."""
        self.calendar.set(time_ms)

    def open_database(self, filename: str) -> apsw.Connection:
        """Open a SQLite file: exclusive locking, then WAL, then full synchronous.

        Raises:
            InUseError: if another process holds it.
            ConfigError: if it cannot be opened for writing.
        """
        path = self._directory / filename
        try:
            door = None if self.disk is None else self.disk.open_door()
            connection = apsw.Connection(str(path), vfs=door)
            connection.execute("PRAGMA locking_mode=EXCLUSIVE")
            connection.execute("PRAGMA journal_mode=WAL")
        except apsw.BusyError as error:
            raise InUseError(
                f"{path}: another process works on this database; stop the node that runs on it"
                " (is this network up already?)"
            ) from error
        except (apsw.CantOpenError, apsw.ReadOnlyError, apsw.PermissionsError) as error:
            raise ConfigError(
                f"{path}: cannot be opened for writing ({error}); make the file and its folder writable for whoever"
                " runs the node"
            ) from error
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA secure_delete=ON")
        connection.execute(f"PRAGMA wal_autocheckpoint={WAL_AUTOCHECKPOINT_PAGES}")
        return connection

    async def commit(self, connection: apsw.Connection, sequence: int) -> None:
        """Commit, then record `sequence` in the watermark; return when both are durable.

        Raises:
            DiskFailureError: if either could not be made durable.
        """
        try:
            if self.sync_ns < INLINE_SYNC_NS_MAX:
                self._commit_now(connection, sequence)
            else:
                await asyncio.get_running_loop().run_in_executor(None, self._commit_now, connection, sequence)
        except (apsw.Error, OSError) as error:
            raise DiskFailureError(
                f"{self._name}: commit {sequence} is not durable ({error}); stop the node, do not retry"
            ) from error

    def read_watermark(self) -> bytes | None:
        """Return the watermark file's bytes, or None if there is no such file."""
        return self.file_bytes(WATERMARK_FILE)

    def file_bytes(self, filename: str) -> bytes | None:
        """Return a file's bytes, or None if absent."""
        if self.disk is not None:
            self.disk.check(DiskUse.READ, filename)
        path = self._directory / filename
        return path.read_bytes() if path.exists() else None

    def has_file(self, filename: str) -> bool:
        """Whether a file is there and holds anything."""
        path = self._directory / filename
        return path.exists() and path.stat().st_size > 0

    def _commit_now(self, connection: apsw.Connection, sequence: int) -> None:
        connection.execute("COMMIT")
        self._points.reached(CodePoint.WITHIN_PERSIST)
        if self._watermark is None:
            self._watermark = self._open_watermark()
        if self.disk is not None:
            self.disk.check(DiskUse.WRITE, WATERMARK_FILE)
        os.pwrite(self._watermark, pack_watermark(sequence), 0)
        begun_ns = time.monotonic_ns()
        if self.disk is not None:
            self.disk.check(DiskUse.SYNC, WATERMARK_FILE)
            self.disk.linger()
        os.fdatasync(self._watermark)
        self.sync_ns += (time.monotonic_ns() - begun_ns - self.sync_ns) // _SYNC_WEIGHT

    def _open_watermark(self) -> int:
        path = self._directory / WATERMARK_FILE
        is_new = not path.exists()
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        if is_new:
            directory = os.open(self._directory, os.O_RDONLY)
            try:
                os.fsync(directory)
            finally:
                os.close(directory)
        return descriptor


def _die() -> None:
    """End this process at once."""
    os.kill(os.getpid(), signal.SIGKILL)


def _measure_sync(directory: Path) -> int:
    """Return the median time of a small synced write in `directory`, nanoseconds."""
    probe = directory / ".sync-probe"
    descriptor = os.open(probe, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        times: list[int] = []
        for number in range(_SYNC_PROBES):
            os.pwrite(descriptor, bytes([number]) * 512, 0)
            begun = time.monotonic_ns()
            os.fdatasync(descriptor)
            times.append(time.monotonic_ns() - begun)
    finally:
        os.close(descriptor)
        probe.unlink()
    return sorted(times)[_SYNC_PROBES // 2]
