"""The `Machine` of a virtual host: clock, chance and disk of one process life.

Rules:
- Every source of chance has a stream of its own, named after the seed, the host, the number of the life and
  its use.
- The calendar is the host's hardware clock: it goes on through restarts, and runs with protocol time from
  where it was last set. `offset_ms` is what this host's clock is wrong by.
- `commit` takes the time that both syncs would take, and at a random moment within it the transaction and then
  the watermark become durable: a death before that moment loses them, one after it leaves them durable and
  unanswered for. The caller sends or answers nothing before it returns, and keeps off the connection.
- Virtual time does not count the processor: only the modelled sync takes time.
"""

from __future__ import annotations

import asyncio
import random
import weakref
from dataclasses import dataclass

import apsw

from ledger.watermark import pack_watermark
from p2p.codepoints import CodePoint, CodePoints
from p2p.machine import DiskFailureError
from p2p.virtual.life import Ending, Life
from p2p.virtual.loop import VirtualLoop
from p2p.virtual.vfs import LifeVFS
from p2p.virtual.wire import NS_PER_MS

WATERMARK_FILE = "watermark"
WAL_AUTOCHECKPOINT_PAGES = 1000


@dataclass(frozen=True, slots=True)
class DiskModel:
    """How a virtual disk behaves in time, and how the node's databases are opened.

    Attributes:
        sync_low_ns: the least a commit's syncs take together.
        sync_high_ns: the most.
        synchronous: SQLite's setting; anything but FULL loses acknowledged commits and is there to show it.
    """

    sync_low_ns: int = 300_000
    sync_high_ns: int = 1_000_000
    synchronous: str = "FULL"


@dataclass(slots=True)
class Calendar:
    """A host's wall clock: `base_ms` was right at protocol time `base_ns`."""

    base_ms: int
    base_ns: int = 0
    offset_ms: int = 0
    drift_ppm: int = 0
    drift_from_ms: int = 0

    def now_ms(self, loop: VirtualLoop) -> int:
        """Return UTC milliseconds since the epoch, as this host believes them."""
        right_ms = self._right_ms(loop)
        if not self.drift_ppm:
            return right_ms + self.offset_ms
        return right_ms + self.offset_ms + (right_ms - self.drift_from_ms) * self.drift_ppm // 1_000_000

    def drift(self, loop: VirtualLoop, ppm: int) -> None:
        """Run fast by so many millionths from now on, through every gap it is moved over too; 0 sets it right."""
        self.drift_ppm, self.drift_from_ms = ppm, self._right_ms(loop)

    def set(self, loop: VirtualLoop, time_ms: int) -> None:
        """Set the clock; the offset stays on top."""
        self.base_ms = time_ms
        self.base_ns = loop.now_ns()

    def _right_ms(self, loop: VirtualLoop) -> int:
        return self.base_ms + (loop.now_ns() - self.base_ns) // NS_PER_MS


class VirtualMachine:
    """What one life on a virtual host may ask of its surroundings; see `p2p.machine.Machine`.

    Attributes:
        disk_model: how the disk behaves from the next commit on.
    """

    def __init__(self, life: Life, seed: str, vfs: LifeVFS, calendar: Calendar, model: DiskModel) -> None:
        stream = f"{seed}:{life.host}:{life.number}"
        self._life = life
        self._vfs = vfs
        self._calendar = calendar
        self.disk_model = model
        self._random = random.Random(f"{stream}:machine")
        self._sync_random = random.Random(f"{stream}:sync")
        self._connections: list[weakref.ref[apsw.Connection]] = []
        self._points = CodePoints(lambda: life.end(Ending.KILLED), random.Random(f"{stream}:points"))
        life.add_last_rite(self._close_connections)

    @property
    def name(self) -> str:
        """The host's name."""
        return self._life.host

    @property
    def random(self) -> random.Random:
        """This life's own stream of chance."""
        return self._random

    @property
    def points(self) -> CodePoints:
        """The named points of this life's program."""
        return self._points

    @property
    def life(self) -> Life:
        """The life this machine was made for."""
        return self._life

    def now_ms(self) -> int:
        """Return the calendar, in UTC milliseconds since the epoch."""
        return self._calendar.now_ms(self._life.loop)

    def set_calendar(self, time_ms: int) -> None:
        """Move the host's calendar to `time_ms`; a ghost moves nothing."""
        if self._life.alive:
            self._calendar.set(self._life.loop, time_ms)

    def open_database(self, filename: str) -> apsw.Connection:
        """Open a SQLite file of this host: exclusive locking, then WAL, then the model's `synchronous`."""
        connection = apsw.Connection(filename, vfs=self._vfs.vfs_name)
        connection.execute("PRAGMA locking_mode=EXCLUSIVE")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(f"PRAGMA synchronous={self.disk_model.synchronous}")
        connection.execute("PRAGMA secure_delete=ON")
        connection.execute(f"PRAGMA wal_autocheckpoint={WAL_AUTOCHECKPOINT_PAGES}")
        self._connections.append(weakref.ref(connection))
        return connection

    async def commit(self, connection: apsw.Connection, sequence: int) -> None:
        """Commit and record `sequence` in the watermark, somewhere within the modelled sync time; return after it.

        Raises:
            DiskFailureError: if either could not be made durable.
        """
        model = self.disk_model
        sync_ns = self._sync_random.randint(model.sync_low_ns, model.sync_high_ns)
        before_ns = self._sync_random.randint(0, sync_ns)
        await asyncio.sleep(before_ns / 1e9)
        try:
            connection.execute("COMMIT")
            self._points.reached(CodePoint.WITHIN_PERSIST)
            self._vfs.write_file(WATERMARK_FILE, pack_watermark(sequence))
            self._vfs.sync_file(WATERMARK_FILE)
        except (apsw.Error, OSError) as error:
            raise DiskFailureError(
                f"{self.name}: commit {sequence} is not durable ({error}); stop the node, do not retry"
            ) from error
        await asyncio.sleep((sync_ns - before_ns) / 1e9)

    def read_watermark(self) -> bytes | None:
        """Return the watermark file's bytes, or None if there is no such file."""
        return self._vfs.read_file(WATERMARK_FILE)

    def file_bytes(self, filename: str) -> bytes | None:
        """Return a file's bytes, or None if absent."""
        return self._vfs.read_file(filename)

    def has_file(self, filename: str) -> bool:
        """Whether a file is there and holds anything."""
        return bool(self._vfs.read_file(filename))

    def _close_connections(self) -> None:
        """Close what the dead life left open, on its ghost disk."""
        for ref in self._connections:
            connection = ref()
            if connection is None:
                continue
            try:
                connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
            except apsw.ConnectionClosedError:
                continue  # the program stopped in good order and closed it itself
            connection.close(True)
        self._connections.clear()
        self._vfs.let_go()
