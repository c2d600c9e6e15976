"""A node's store as its disk kept it, opened without changing it.

Rules:
- What is looked at stays as it is: opening a store repairs it and copies its WAL, so a copy is opened.
- A database that a node is running on is refused: a copy taken meanwhile would be torn.
"""

from __future__ import annotations

import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw

from ledger.store import Store, damage_named
from scenarios.errors import RefusedError

DATABASE = "node.db"
WATERMARK = "watermark"
STORE_FILES = (DATABASE, f"{DATABASE}-wal", WATERMARK)
"""What a node's data directory holds."""
_SHARED_FIRST, _SHARED_BYTES = 0x40000002, 510
"""The bytes of a database file that SQLite's shared and exclusive locks are on (its file format, "Locking")."""


@contextmanager
def opened_copy(directory: Path) -> Iterator[Store]:
    """Open a copy of the store in a node's data directory; nothing in the directory is changed.

    Raises:
        DamagedStoreError: naming what is damaged.
        RefusedError: if there is no database, or a node is running on it.
    """
    path = directory / DATABASE
    if not path.exists():
        raise RefusedError(f"{path} does not exist", f"a node's data directory has its {DATABASE}")
    with tempfile.TemporaryDirectory(prefix="seatrial-") as name:
        copy = Path(name)
        with _held(path):
            for filename in STORE_FILES:
                if (directory / filename).exists():
                    shutil.copyfile(directory / filename, copy / filename)
        watermark = copy / WATERMARK
        with damage_named(str(path), anything=True):
            connection = apsw.Connection(str(copy / DATABASE))
            connection.execute("PRAGMA locking_mode=EXCLUSIVE")
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=OFF")
        try:
            yield Store.open(connection, watermark=watermark.read_bytes() if watermark.exists() else None)
        finally:
            connection.close()


@contextmanager
def _held(database: Path) -> Iterator[None]:
    """Keep every node off a database for a while.

    A running node has SQLite's exclusive lock on the file; one that starts meanwhile finds ours.
    """
    with database.open("rb") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_SH | fcntl.LOCK_NB, _SHARED_BYTES, _SHARED_FIRST)
        except (BlockingIOError, PermissionError) as error:
            raise RefusedError(
                f"{database}: a node is running on it",
                "a copy taken meanwhile would be torn",
                "stop the node first (Ctrl-C where `seatrial up` or `seatrial node` runs)",
            ) from error
        yield
