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
import struct
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

import apsw

from ledger.store import damage_named

CANARY_CHARACTERS_MIN = 12
FORM_BYTES_MIN = CANARY_CHARACTERS_MIN
STRIDE_BYTES = 8
WINDOW_BYTES = FORM_BYTES_MIN - STRIDE_BYTES + 1
"""A form of at least `FORM_BYTES_MIN` bytes has a whole window at every place that `STRIDE_BYTES` divides, wherever it
begins."""

_WINDOW = struct.Struct(f"{WINDOW_BYTES}s{STRIDE_BYTES - WINDOW_BYTES}x")
_BLOCK_BYTES = 1024 * STRIDE_BYTES


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

    Only every `STRIDE_BYTES`-th place of the bytes is looked at: a window there is looked up among the windows of all
    forms, at each of `STRIDE_BYTES` places, one of which must lie there if the form is in the bytes; only where one is
    found are whole forms compared. The cost does not grow with the number of canaries.
    """

    leaks: list[Leak] = field(default_factory=list)
    bytes_searched: int = 0
    canaries: int = 0
    marked: dict[bytes, dict[str, None]] = field(default_factory=dict)
    _forms: dict[bytes, tuple[str, str]] = field(default_factory=dict)
    _markers: dict[bytes, bytes] = field(default_factory=dict)
    _windows: dict[bytes, list[tuple[int, bytes]]] = field(default_factory=dict)

    def add(self, canaries: Iterable[Canary]) -> None:
        """Add values to look for from now on.

        Raises:
            ValueError: if a form of one is shorter than `FORM_BYTES_MIN`: it would be overlooked.
        """
        for canary in canaries:
            self.canaries += 1
            for name, form in forms_of(canary.value):
                if len(form) < FORM_BYTES_MIN:
                    raise ValueError(
                        f"{canary.where}: its {name} form has {len(form)} bytes, at least {FORM_BYTES_MIN} are needed; "
                        f"look for values of {CANARY_CHARACTERS_MIN} characters or more"
                    )
                if form not in self._forms:
                    self._forms[form] = (canary.where, name)
                    self._look_for(form)

    def mark(self, marker: bytes) -> None:
        """Look from now on for bytes that may stand anywhere: in `marked` is in which places they do."""
        self.marked[marker] = {}
        for _, form in forms_of(marker):
            if form not in self._markers:
                self._markers[form] = marker
                self._look_for(form)

    def _look_for(self, form: bytes) -> None:
        for place in range(STRIDE_BYTES):
            window = form[place : place + WINDOW_BYTES]
            self._windows.setdefault(window, []).append((place, form))

    def search(self, place: str, data: bytes) -> None:
        """Search bytes found in `place`; hits are kept in `leaks`, one per value, form and place."""
        self.bytes_searched += len(data)
        known = self._windows.keys()
        view = memoryview(data)
        for start in range(0, len(data), _BLOCK_BYTES):
            block = view[start : start + _BLOCK_BYTES]
            whole = len(block) - len(block) % STRIDE_BYTES
            windows = chain.from_iterable(_WINDOW.iter_unpack(block[:whole]))
            if not known.isdisjoint(windows) or bytes(block[whole : whole + WINDOW_BYTES]) in known:
                self._compare(place, data, start, start + len(block))

    def _compare(self, place: str, data: bytes, first: int, end: int) -> None:
        """Compare whole forms wherever a window within the block from `first` to `end` is a form's."""
        for start in range(first, end, STRIDE_BYTES):
            for offset, form in self._windows.get(data[start : start + WINDOW_BYTES], ()):
                if offset > start or not data.startswith(form, start - offset):
                    continue
                if form in self._markers:
                    self.marked[self._markers[form]][place] = None
                if form in self._forms:
                    leak = Leak(place, *self._forms[form])
                    if leak not in self.leaks:
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
