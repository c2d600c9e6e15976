"""What a node may ask of its surroundings.

Rules:
- The node takes time, chance and disk from here and from asyncio, from nowhere else; that is what lets the same
  program run in the virtual and in the live world.
- Two clocks: protocol time is the running loop's `time()` (seconds, monotonic) and drives Raft and gossip;
  the calendar (`now_ms`) is UTC and drives trade rules and block times. Whoever runs the trial sets the calendar.
- Every durable write goes through `commit`; when it returns, the transaction and its watermark are on disk.
- `commit` that fails leaves the node no way on: it stops with the reason and never goes on as if it had been written.
"""

from __future__ import annotations

import random
from typing import Protocol

import apsw

from p2p.codepoints import CodePoints


class DiskFailureError(Exception):
    """A write or sync failed; the node must stop and must not retry (Rebello et al., USENIX ATC 2020)."""


class Machine(Protocol):
    """One node's clock, chance and disk. A process life has one; a restart gets a new one over the same files."""

    @property
    def name(self) -> str:
        """The node's name, as the trial and the records call it."""

    @property
    def random(self) -> random.Random:
        """This life's own stream of chance; seeded in the virtual world, from the system in the live one."""

    @property
    def points(self) -> CodePoints:
        """The named points of this life's program; whoever runs a trial may end it at one."""

    def now_ms(self) -> int:
        """Return the calendar, in UTC milliseconds since the epoch."""

    def set_calendar(self, time_ms: int) -> None:
        """Move the calendar to `time_ms` (UTC milliseconds); from there it runs with protocol time."""

    def open_database(self, filename: str) -> apsw.Connection:
        """Open a SQLite file by its bare name: exclusive locking, then WAL, `synchronous=FULL`."""

    async def commit(self, connection: apsw.Connection, sequence: int) -> None:
        """Commit the open transaction, then record `sequence` in the watermark file; return when both are durable.

        Until then the connection is not to be used: this may be at work on it in a thread.

        Raises:
            DiskFailureError: if either could not be made durable.
        """

    def read_watermark(self) -> bytes | None:
        """Return the watermark file's bytes, or None if there is no such file."""

    def file_bytes(self, filename: str) -> bytes | None:
        """Return a file's raw bytes (for damage scans before a database is opened), or None if absent."""

    def has_file(self, filename: str) -> bool:
        """Whether a file of this bare name is there and holds anything."""
