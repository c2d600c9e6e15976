"""Which number a key stands for, of which only the latest keys are in memory.

Rules:
- Beyond `FRESH_MAX` keys all go into one SQLite database of the process, which has no name from the moment it is
  there and goes with the process; a small index never comes there.
- A forked process begins a database of its own; an index is used by the process that made it alone.
- It is opened with the first index that is made, past the virtual world's own default. Opening draws from SQLite's
  generator, on which the bytes of nodes' disks depend: a run makes its first index before its world. Nothing after
  that draws.
- Keys are no secrets: nothing is overwritten when one is let go of.
"""

from __future__ import annotations

import os
import tempfile
import weakref
from collections.abc import Iterator
from typing import Generic, TypeVar, cast

import apsw
import msgpack

K = TypeVar("K")

FRESH_MAX = 128
CACHE_KIB = 4096

_VFS = "win32" if os.name == "nt" else "unix"

_FIND = "SELECT number FROM numbers WHERE owner = ? AND key = ?"
_PUT = "INSERT INTO numbers (owner, key, number) VALUES (?, ?, ?)"
_TAKE = "DELETE FROM numbers WHERE owner = ? AND key = ?"
_KEYS = "SELECT key, number FROM numbers WHERE owner = ? AND number >= ? ORDER BY number"
_FORGET = "DELETE FROM numbers WHERE owner = ?"


def _open() -> apsw.Connection:
    """Return a database in a real file that has lost its name; a journal would draw from SQLite's generator."""
    file, name = tempfile.mkstemp(prefix="seatrial-")
    os.close(file)
    try:
        connection = apsw.Connection(name, vfs=_VFS)
        connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        for setting in ("locking_mode = EXCLUSIVE", "journal_mode = OFF", "synchronous = OFF"):
            connection.execute(f"PRAGMA {setting}")
        connection.execute(
            "CREATE TABLE numbers (owner INTEGER, key BLOB, number INTEGER, PRIMARY KEY (owner, key)) WITHOUT ROWID"
        )
        connection.execute("CREATE UNIQUE INDEX in_order ON numbers (owner, number)")
    finally:
        os.unlink(name)
    return connection


class _Database:
    """The numbers of all indexes of a process."""

    def __init__(self) -> None:
        self._connection: apsw.Connection | None = None
        self._owners = 0

    @property
    def connection(self) -> apsw.Connection:
        """The database, which is open."""
        if self._connection is None:
            raise RuntimeError("no index was made yet")
        return self._connection

    def open(self) -> None:
        """Open it, if it is not open yet."""
        if self._connection is None:
            self._connection = _open()

    def new_owner(self) -> int:
        """Return a number for one more index."""
        self._owners += 1
        return self._owners

    def forget(self, owner: int) -> None:
        """Let all keys of an index go."""
        if self._connection is not None:
            self._connection.execute(_FORGET, (owner,))


_databases = [_Database()]


def _begin_anew() -> None:
    """Give a forked process a database of its own: two would write over each other."""
    _databases[0] = _Database()


os.register_at_fork(after_in_child=_begin_anew)


class FiledIndex(Generic[K]):
    """Numbers by keys made of bytes, text, whole numbers and tuples of them; a later key has the greater number."""

    def __init__(self) -> None:
        self._database = _databases[0]
        self._database.open()
        self._owner: int | None = None
        self._fresh: dict[K, int] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[K]:
        """Give all keys in the order of their numbers."""
        return self.since(0)

    def since(self, number: int) -> Iterator[K]:
        """Give the keys from a number on, in the order of their numbers."""
        if self._owner is not None and not (self._fresh and next(iter(self._fresh.values())) <= number):
            for data, place in self._database.connection.execute(_KEYS, (self._owner, number)):
                number = place + 1
                yield cast(K, msgpack.unpackb(data, use_list=False))
        for key, place in tuple(self._fresh.items()):
            if place >= number:
                yield key

    def __contains__(self, key: K) -> bool:
        return self.get(key) is not None

    @property
    def resident_count(self) -> int:
        """How many keys are in memory."""
        return len(self._fresh)

    def get(self, key: K) -> int | None:
        """Return a key's number, or None."""
        number = self._fresh.get(key)
        if number is None and self._owner is not None:
            found = self._database.connection.execute(_FIND, (self._owner, _packed(key))).get
            number = cast("int | None", found)
        return number

    def number(self, key: K) -> int:
        """Return a key's number, the next from 0 if it has none yet; for an index from which no key is let go."""
        number = self.get(key)
        if number is None:
            number = self._count
            self.add(key, number)
        return number

    def add(self, key: K, number: int) -> None:
        """Take in a key that is not there."""
        self._fresh[key] = number
        self._count += 1
        if len(self._fresh) > FRESH_MAX:
            self._write_out()

    def pop(self, key: K) -> int | None:
        """Let a key go and return its number, or None if it is not there."""
        number = self._fresh.pop(key, None)
        if number is None and (number := self.get(key)) is not None:
            self._database.connection.execute(_TAKE, (self._owner, _packed(key)))
        self._count -= number is not None
        return number

    def _write_out(self) -> None:
        if self._owner is None:
            self._owner = self._database.new_owner()
            weakref.finalize(self, self._database.forget, self._owner).atexit = False
        rows = [(self._owner, _packed(key), number) for key, number in self._fresh.items()]
        connection = self._database.connection
        connection.execute("BEGIN")
        connection.executemany(_PUT, rows)
        connection.execute("COMMIT")
        self._fresh.clear()


def _packed(key: object) -> bytes:
    return cast(bytes, msgpack.packb(key))
