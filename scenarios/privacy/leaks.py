"""The search for private values where they must not be.

Rules:
- What is searched for: every private text value of at least `CANARY_CHARACTERS_MIN` characters, and every field's
  16-byte salt; each raw, in hex (both cases), in base64 (standard and URL-safe, at all three alignments) and
  JSON-escaped, once and twice: a receipt's body is JSON within the JSON of an event.
- A hit names the place and the field, never the value.
- A database is searched as bytes, where deleted rows still stand, and value by value: a large value is spread over
  pages that need not lie side by side.
- A value that stands in many documents is looked for once, and named with each of them where it is found.
- Places: every frame between nodes, every byte on every node's disk, records, metrics and `public/`. Nodes hold
  ciphertext only, an addressee's own too; so there is no place where a hit would be right.
"""

from __future__ import annotations

import shutil
import tempfile
import zlib
from array import array
from binascii import b2a_base64
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate
from json.encoder import encode_basestring, encode_basestring_ascii
from pathlib import Path

import apsw
import numpy as np

from consensus.frozen import cheaply_made
from ledger.store import damage_named
from scenarios.filed import Filed
from scenarios.filedindex import FiledIndex
from scenarios.privacy.saltwindows import SALT_BYTES, is_salt, salt_windows
from scenarios.privacy.windowtable import (
    SEGMENT_WINDOWS_MAX,
    STRIDE_BYTES,
    WINDOW_BYTES,
    Windows,
    WindowTable,
)

CANARY_CHARACTERS_MIN = 12
FORM_BYTES_MIN = CANARY_CHARACTERS_MIN

BATCH_BYTES = 1 << 20
PIECE_BYTES = 4 << 20
FORMS_KEPT = 1024
COUNT_BITS = 20


@cheaply_made
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


class Marked(Mapping[bytes, tuple[str, ...]]):
    """In which places each marker was found, in the order in which it was; most markers are found in like places."""

    def __init__(self) -> None:
        self._numbers: FiledIndex[bytes] = FiledIndex()
        self._groups = array("I")
        self._places: list[tuple[str, ...]] = [()]
        self._group_of: dict[tuple[str, ...], int] = {(): 0}

    def __len__(self) -> int:
        return len(self._groups)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._numbers)

    def __getitem__(self, marker: bytes) -> tuple[str, ...]:
        return self._places[self._groups[self._number(marker)]]

    def add(self, marker: bytes) -> bool:
        """Take in a marker, found nowhere yet; return whether it was not there."""
        is_new = self._numbers.number(marker) == len(self._groups)
        if is_new:
            self._groups.append(0)
        return is_new

    def put(self, marker: bytes, place: str) -> None:
        """Note that a marker stands in a place."""
        number = self._number(marker)
        places = self._places[self._groups[number]]
        if place not in places:
            places = (*places, place)
            group = self._groups[number] = self._group_of.setdefault(places, len(self._places))
            if group == len(self._places):
                self._places.append(places)

    def _number(self, marker: bytes) -> int:
        number = self._numbers.get(marker)
        if number is None:
            raise KeyError(marker)
        return number


class LeakSearch:
    """Searches bytes for canaries in every form they could take.

    Only every `STRIDE_BYTES`-th place of the bytes is looked at: the window there is looked up among the windows of all
    forms, at `STRIDE_BYTES` places of each, one of which must lie there if the form is in the bytes; only
    where one is found are whole forms compared. What is to be searched is gathered until it is worth a look at arrays;
    the cost does not grow with the number of canaries, and of each form only its windows are kept.
    """

    def __init__(self) -> None:
        self.bytes_searched = 0
        self.canaries = 0
        self.form_bytes_max = FORM_BYTES_MIN
        self._leaks: dict[Leak, None] = {}
        self._marked = Marked()
        self._sought: Filed[Canary | bytes] = Filed(_pack_sought, _unpack_sought)
        self._texts: dict[bytes, int] = {}
        self._also: dict[int, list[str]] = {}
        self._fresh = Windows()
        self._table: WindowTable | None = None
        self._counts = array("I", bytes(4 << COUNT_BITS))
        self._recent: dict[int, tuple[Canary | bytes, list[tuple[str, bytes]]]] = {}
        self._waiting: list[tuple[str, bytes]] = []
        self._waiting_bytes = 0

    @property
    def leaks(self) -> list[Leak]:
        """What was found, one per value, form and place."""
        self._search_waiting()
        return list(self._leaks)

    @property
    def marked(self) -> Mapping[bytes, tuple[str, ...]]:
        """In which places each marker stands."""
        self._search_waiting()
        return self._marked

    def add(self, canaries: Iterable[Canary]) -> None:
        """Add values to look for from now on.

        Raises:
            ValueError: if a form of one is shorter than `FORM_BYTES_MIN`: it would be overlooked.
        """
        self._search_waiting()
        salts, numbers = bytearray(), array("I")
        for canary in canaries:
            self.canaries += 1
            if is_salt(canary.value):
                salts += canary.value
                numbers.append(self._sought.add(canary))
                continue
            known = self._texts.setdefault(canary.value, len(self._sought))
            if known != len(self._sought):
                self._also.setdefault(known, []).append(canary.where)
                continue
            forms = forms_of(canary.value)
            for name, form in forms:
                if len(form) < FORM_BYTES_MIN:
                    raise ValueError(
                        f"{canary.where}: its {name} form has {len(form)} bytes, at least {FORM_BYTES_MIN} are needed; "
                        f"look for values of {CANARY_CHARACTERS_MIN} characters or more"
                    )
            self._look_for(canary, [form for _, form in forms])
        if numbers:
            self._look_for_salts(bytes(salts), numbers)

    def mark(self, marker: bytes) -> None:
        """Look from now on for bytes that may stand anywhere: in `marked` is in which places they do."""
        self._search_waiting()
        if self._marked.add(marker):
            self._look_for(marker, [form for _, form in forms_of(marker)])

    def search(self, place: str, data: bytes) -> None:
        """Search bytes found in `place`; what is found is in `leaks`, one per value, form and place."""
        self.bytes_searched += len(data)
        self._waiting.append((place, data))
        self._waiting_bytes += len(data)
        if self._waiting_bytes >= BATCH_BYTES:
            self._search_waiting()

    def look_for_others(self) -> None:
        """Look for nothing of what was looked for so far; what was found stays found."""
        self._search_waiting()
        self._sought = Filed(_pack_sought, _unpack_sought)
        self._fresh, self._table = Windows(), None
        self._texts, self._also = {}, {}
        self._counts = array("I", bytes(4 << COUNT_BITS))
        self._recent = {}

    def search_file(self, place: str, path: Path) -> None:
        """Search a file's bytes, however many: pieces of them, each with the end of the one before.

        Raises:
            OSError: if it cannot be read.
        """
        overlap = self.form_bytes_max - 1
        with path.open("rb") as file:
            before = b""
            while piece := file.read(PIECE_BYTES):
                self.search(place, before + piece)
                before = (before + piece)[-overlap:]

    def _look_for(self, sought: Canary | bytes, forms: list[bytes]) -> None:
        self.form_bytes_max = max(self.form_bytes_max, *(len(form) for form in forms))
        windows = [form[first : first + WINDOW_BYTES] for form in forms for first in self._places(form)]
        self._fresh.add(self._sought.add(sought), windows)
        self._order_if_many()

    def _look_for_salts(self, salts: bytes, numbers: array[int]) -> None:
        self.form_bytes_max = max(self.form_bytes_max, 2 * SALT_BYTES)
        whose = np.frombuffer(numbers.tobytes(), np.uint32)
        for places, windows in salt_windows(salts, WINDOW_BYTES, STRIDE_BYTES):
            self._fresh.add_many(whose[places], windows)
        self._order_if_many()

    def _places(self, form: bytes) -> range:
        """Return the places of a form whose windows are looked for: where no or fewest others have the same.

        Values that begin alike, as names of one kind do, would else all be compared wherever one of them might stand.
        """
        counts, fewest, first = self._counts, -1, 0
        for at in range(0, len(form) - STRIDE_BYTES - WINDOW_BYTES + 2, STRIDE_BYTES):
            mark = zlib.crc32(form[at : at + WINDOW_BYTES]) >> (32 - COUNT_BITS)
            if fewest < 0 or counts[mark] < fewest:
                fewest, first = counts[mark], at
            counts[mark] += 1
            if not fewest:
                break
        return range(first, first + STRIDE_BYTES)

    def _order_if_many(self) -> None:
        """Bring fresh windows in order once there are many, while nothing waits to be searched for them."""
        if len(self._fresh) >= SEGMENT_WINDOWS_MAX:
            self._order()

    def _order(self) -> None:
        fresh, self._fresh = self._fresh, Windows()
        if self._table is None:
            self._table = WindowTable()
        self._table.add(fresh)

    def _search_waiting(self) -> None:
        waiting, self._waiting, self._waiting_bytes = self._waiting, [], 0
        if not waiting:
            return
        if self._fresh:
            self._order()
        if self._table is None:
            return
        ends = list(accumulate(len(data) for _, data in waiting))
        for at, number in self._table.found_in(b"".join(data for _, data in waiting)):
            piece = bisect_right(ends, at)
            place, data = waiting[piece]
            self._compare(place, data, at - ends[piece] + len(data), number)

    def _compare(self, place: str, data: bytes, at: int, number: int) -> None:
        """Compare whole forms around a place at which a window is one of theirs."""
        sought, forms = self._forms_of(number)
        for name, form in forms:
            if form not in data[max(0, at - len(form)) : at + len(form)]:
                continue
            if isinstance(sought, Canary):
                for where in (sought.where, *self._also.get(number, ())):
                    self._leaks[Leak(place, where, name)] = None
            else:
                self._marked.put(sought, place)

    def _forms_of(self, number: int) -> tuple[Canary | bytes, list[tuple[str, bytes]]]:
        """Return a value with its forms; they are kept for a while, as what was found once may be found often."""
        kept = self._recent.get(number)
        if kept is None:
            sought = self._sought[number]
            forms = forms_of(sought.value if isinstance(sought, Canary) else sought)
            kept = self._recent[number] = (sought, forms)
            if len(self._recent) > FORMS_KEPT:
                del self._recent[next(iter(self._recent))]
        return kept


def _pack_sought(sought: Canary | bytes) -> bytes:
    """Return a marker, or a value with the place it stands in, as bytes."""
    if isinstance(sought, bytes):
        return b"\0" + sought
    where = sought.where.encode()
    return b"\1" + len(where).to_bytes(4, "big") + where + sought.value


def _unpack_sought(data: bytes) -> Canary | bytes:
    if data[:1] == b"\0":
        return data[1:]
    end = 5 + int.from_bytes(data[1:5], "big")
    return Canary(data[5:end].decode(), data[end:])


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
    digits = value.hex()
    forms = [("raw", value), ("hex", digits.encode()), ("HEX", digits.upper().encode())]
    for offset in range(3):
        encoded = b2a_base64(bytes(offset) + value, newline=False)
        core = _core(encoded, offset, len(value))
        forms += [("base64", core), ("base64url", core.translate(_URL_SAFE))]
    try:
        text = value.decode()
    except UnicodeDecodeError:
        text = ""
    if not _stands_for_itself(text):
        escaped = [encode(text)[1:-1] for encode in _JSON]
        escaped += [encode(once)[1:-1] for once in escaped for encode in _JSON]
        forms += [("JSON", once.encode()) for once in escaped]
    unique = {data: name for name, data in reversed(forms)}
    return [(name, data) for data, name in unique.items()]


_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_JSON = (encode_basestring_ascii, encode_basestring)


def _stands_for_itself(text: str) -> bool:
    """Whether JSON escapes nothing in a text."""
    return text.isascii() and text.isprintable() and '"' not in text and "\\" not in text


def _core(encoded: bytes, offset: int, length: int) -> bytes:
    """Return the characters of a base64 text that depend on the value alone, whatever stands before and after it."""
    first = (offset * 8 + 5) // 6
    last = ((offset + length) * 8) // 6
    return encoded[first:last]
