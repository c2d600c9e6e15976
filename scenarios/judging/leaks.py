"""The search for private values where they must not be.

Rules:
- What is searched for: every private text value of at least `CANARY_CHARACTERS_MIN` characters, and every field's
  16-byte salt; each raw, in hex (both cases), in base64 (standard and URL-safe, at all three alignments) and
  JSON-escaped, once and twice: a receipt's body is JSON within the JSON of an event.
- A hit names the place and the field, never the value.
- A database is searched as bytes, where deleted rows still stand, and value by value: a large value is spread over
  pages that need not lie side by side.
- Places: every frame between nodes, every byte on every node's disk, records, metrics and `public/`. Nodes hold
  ciphertext only, an addressee's own too; so there is no place where a hit would be right.
"""

from __future__ import annotations

import base64
import json
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import apsw

from ledger.store import damage_named

CANARY_CHARACTERS_MIN = 12
HEAD_BYTES = 8


@dataclass(frozen=True, slots=True)
class Canary:
    """One private value to look for.

    Attributes:
        where: the document and field it stands in, to name it without showing it.
        value: its bytes.
    """

    where: str
    value: bytes


@dataclass(frozen=True, slots=True)
class Leak:
    """A private value found in a place."""

    place: str
    where: str
    form: str


@dataclass(slots=True)
class LeakSearch:
    """Searches bytes for canaries in every form they could take.

    A window of `HEAD_BYTES` slides over the bytes and is looked up among the first bytes of all forms; only where
    it is found are whole forms compared. The cost does not grow with the number of canaries.
    """

    leaks: list[Leak] = field(default_factory=list)
    bytes_searched: int = 0
    canaries: int = 0
    _forms: dict[bytes, dict[bytes, tuple[str, str]]] = field(default_factory=dict)

    def add(self, canaries: Iterable[Canary]) -> None:
        """Add values to look for from now on."""
        for canary in canaries:
            self.canaries += 1
            for form, data in forms_of(canary.value):
                self._forms.setdefault(data[:HEAD_BYTES], {}).setdefault(data, (canary.where, form))

    def search(self, place: str, data: bytes) -> None:
        """Search bytes found in `place`; hits are kept in `leaks`, one per value, form and place."""
        self.bytes_searched += len(data)
        heads = self._forms
        for start in range(len(data) - HEAD_BYTES + 1):
            candidates = heads.get(data[start : start + HEAD_BYTES])
            if candidates is None:
                continue
            for form, (where, name) in candidates.items():
                leak = Leak(place, where, name)
                if data.startswith(form, start) and leak not in self.leaks:
                    self.leaks.append(leak)


def stored_values(database: Path) -> Iterator[tuple[str, bytes]]:
    """Give every text and blob of a SQLite file with its table's name.

    Raises:
        DamagedStoreError: if the file cannot be read as a database.
    """
    with tempfile.TemporaryDirectory(prefix="seatrial-") as name, damage_named(str(database), anything=True):
        for path in sorted(database.parent.glob(f"{database.name}*")):  # opening it would fold its WAL in
            shutil.copyfile(path, Path(name) / path.name)
        yield from _values(Path(name) / database.name)


def _values(database: Path) -> Iterator[tuple[str, bytes]]:
    connection = apsw.Connection(str(database))
    try:
        connection.execute("PRAGMA locking_mode=EXCLUSIVE")
        tables = connection.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name"
        ).fetchall()
        for (table,) in tables:
            for row in connection.execute(f'SELECT * FROM "{table}"'):  # noqa: S608 - a name out of the schema
                for value in row:
                    if isinstance(value, str):
                        yield str(table), value.encode()
                    elif isinstance(value, bytes):
                        yield str(table), value
    finally:
        connection.close()


def forms_of(value: bytes) -> list[tuple[str, bytes]]:
    """Return the forms `value` could take, with their names."""
    forms = [("raw", value), ("hex", value.hex().encode()), ("HEX", value.hex().upper().encode())]
    for offset in range(3):
        for name, encode in (("base64", base64.b64encode), ("base64url", base64.urlsafe_b64encode)):
            forms.append((name, _core(encode(bytes(offset) + value), offset, len(value))))
    try:
        text = value.decode()
    except UnicodeDecodeError:
        text = None
    if text is not None:
        escaped = [_escaped(text, ascii_only) for ascii_only in (True, False)]
        escaped += [_escaped(once, ascii_only) for once in escaped for ascii_only in (True, False)]
        forms += [("JSON", once.encode()) for once in escaped]
    unique = {data: name for name, data in reversed(forms)}
    return [(name, data) for data, name in unique.items()]


def _escaped(text: str, ascii_only: bool) -> str:
    return json.dumps(text, ensure_ascii=ascii_only)[1:-1]


def _core(encoded: bytes, offset: int, length: int) -> bytes:
    """Return the characters of a base64 text that depend on the value alone, whatever stands before and after it."""
    first = (offset * 8 + 5) // 6
    last = ((offset + length) * 8) // 6
    return encoded[first:last]
