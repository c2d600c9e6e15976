"""The search for private values finds them in every form, at every alignment, and nothing else."""

from __future__ import annotations

import base64
import json
import shutil
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from random import Random

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import DamagedStoreError
from scenarios.filed import RESIDENT_MAX
from scenarios.privacy import leaks, windowtable
from scenarios.privacy.framespool import FrameSpool
from scenarios.privacy.leaks import (
    CANARY_CHARACTERS_MIN,
    Canary,
    LeakSearch,
    forms_of,
    stored_values,
)
from scenarios.privacy.saltwindows import is_salt, salt_windows
from scenarios.privacy.windowtable import STRIDE_BYTES, WINDOW_BYTES, Windows, WindowTable

texts = st.text(
    st.characters(codec="utf-8", exclude_characters="\x00"), min_size=CANARY_CHARACTERS_MIN, max_size=40
)
salts = st.binary(min_size=16, max_size=16)
around = st.binary(max_size=9)


def found(value: bytes, data: bytes) -> set[str]:
    search = LeakSearch()
    search.add([Canary("somewhere", value)])
    search.search("a place", data)
    return {leak.form for leak in search.leaks}


@given(st.one_of(salts, texts.map(str.encode)), around, around)
def test_raw_and_hex_are_found_wherever_they_stand(value: bytes, before: bytes, after: bytes) -> None:
    assert found(value, before + value + after)
    assert found(value, before + value.hex().encode() + after)
    assert found(value, before + value.hex().upper().encode() + after)


@given(st.one_of(salts, texts.map(str.encode)), around, around)
def test_base64_is_found_at_every_alignment(value: bytes, before: bytes, after: bytes) -> None:
    assert found(value, base64.b64encode(before + value + after))
    assert found(value, base64.urlsafe_b64encode(before + value + after))
    assert found(value, base64.urlsafe_b64encode(before + value + after).rstrip(b"="))


@given(texts, st.booleans(), st.booleans())
def test_json_is_found_and_json_within_json(text: str, inner_ascii: bool, outer_ascii: bool) -> None:
    once = json.dumps({"field": text}, ensure_ascii=inner_ascii)
    assert found(text.encode(), once.encode())
    assert found(text.encode(), json.dumps({"body": once}, ensure_ascii=outer_ascii).encode())


@given(salts, st.binary(max_size=200))
def test_what_is_not_there_is_not_found(value: bytes, data: bytes) -> None:
    forms = [value, value.hex().encode(), base64.b64encode(value)[:16]]
    if not any(form in data for form in forms):
        assert found(value, data) == set()


@pytest.mark.parametrize(
    "shorten", [lambda data: data[:-1], lambda data: data[1:], lambda data: data.replace(b"a", b"b")]
)
def test_nearly_is_not_found(shorten: Callable[[bytes], bytes]) -> None:
    value = b"Calle Arrecife 27"
    assert found(value, shorten(value)) == set()


def test_values_with_one_beginning_are_told_apart() -> None:
    search = LeakSearch()
    search.add([Canary("one", b"Harborlight One"), Canary("two", b"Harborlight Two")])
    search.search("a log", b"Harborlight Two")
    assert [(leak.place, leak.where, leak.form) for leak in search.leaks] == [("a log", "two", "raw")]


def test_the_shortest_value_is_found_at_every_place_and_across_every_boundary_of_the_search() -> None:
    value = b"twelve bytes"
    for before in (*range(20), *range(8170, 8200)):
        for after in range(9):
            assert found(value, bytes(before) + value + bytes(after)) == {"raw"}, (before, after)


def test_values_that_begin_or_end_alike_are_not_all_compared_wherever_one_might_stand() -> None:
    search = LeakSearch()
    search.add([Canary(f"{n}", f"importer of shipment s{n}, Harborlight".encode()) for n in range(500)])
    compared: list[int] = []
    compare = search._compare
    search._compare = lambda place, data, at, number: compared.append(
        compare(place, data, at, number) or number
    )  # type: ignore[method-assign]
    search.search("a log", b"importer and Harborlight " * 40 + b"importer of shipment s77, Harborlight")
    assert [leak.where for leak in search.leaks] == ["77"]
    assert len(compared) < 400, "of 40 times 500"


def test_a_value_of_many_documents_is_looked_for_once_and_named_with_each() -> None:
    search = LeakSearch()
    value = b"Harborlight Seafood"
    search.add(Canary(f"document {number}.importer", value) for number in range(50))
    compared: list[int] = []
    forms_of = search._forms_of
    search._forms_of = lambda number: compared.append(number) or forms_of(number)  # type: ignore[method-assign]
    search.search("a log", value.hex().encode())
    assert [(leak.where, leak.form) for leak in search.leaks] == [
        (f"document {number}.importer", "hex") for number in range(50)
    ]
    assert set(compared) == {0}
    assert search.canaries == 50
    search.look_for_others()
    search.add([Canary("another lot's", value)])
    search.search("a frame", value)
    assert [leak.where for leak in search.leaks if leak.place == "a frame"] == ["another lot's"]


@given(st.lists(salts.filter(is_salt), min_size=1, max_size=5))
def test_of_every_form_of_a_salt_the_first_windows_are_looked_for(values: list[bytes]) -> None:
    windows: dict[int, set[bytes]] = {}
    for numbers, some in salt_windows(b"".join(values), WINDOW_BYTES, STRIDE_BYTES):
        for number, window in zip(numbers.tolist(), some.tolist(), strict=True):
            windows.setdefault(number, set()).add(window.to_bytes(8, "little"))
    for number, value in enumerate(values):
        forms = [form for _, form in forms_of(value)]
        assert windows[number] == {form[i : i + WINDOW_BYTES] for form in forms for i in range(STRIDE_BYTES)}


@given(st.lists(salts.filter(is_salt), min_size=2, max_size=6, unique=True), st.data())
def test_of_many_salts_each_is_found_under_its_own_name(values: list[bytes], data: st.DataObject) -> None:
    search = LeakSearch()
    search.add(Canary(str(number), value) for number, value in enumerate(values))
    lying = data.draw(st.integers(0, len(values) - 1))
    form = data.draw(st.sampled_from([form for _, form in forms_of(values[lying])]))
    search.search("a disk", data.draw(around) + form + data.draw(around))
    assert {leak.where for leak in search.leaks} == {str(lying)}


def test_a_form_that_is_too_short_to_be_found_everywhere_is_refused() -> None:
    with pytest.raises(ValueError, match=r"c1.email: its raw form has 11 bytes, at least 12 are needed"):
        LeakSearch().add([Canary("c1.email", b"eleven byte")])


def test_a_leak_is_named_once_per_place_and_never_shows_its_value() -> None:
    search = LeakSearch()
    search.add([Canary("c1.email", b"planta@example.example")])
    search.search("a log", b"planta@example.example planta@example.example")
    search.search("a frame", b"planta@example.example")
    assert [leak.place for leak in search.leaks] == ["a log", "a frame"]
    assert "planta" not in repr(search.leaks)


def test_a_value_that_a_database_tears_over_two_pages_is_found_in_its_row(tmp_path: Path) -> None:
    value = b"Conservas Punta Mita"
    path = tmp_path / "node.db"
    torn = 0
    for before in range(700, 900, len(value) // 2):
        path.unlink(missing_ok=True)
        connection = apsw.Connection(str(path))
        connection.execute("CREATE TABLE envelope (envelope BLOB)")
        connection.execute("INSERT INTO envelope VALUES (?)", (bytes(before) + value + bytes(9000 - before),))
        connection.close()
        torn += not found(value, path.read_bytes())
        assert any(found(value, stored) for table, stored in stored_values(path) if table == "envelope")
    assert torn, "nothing was torn, so nothing was shown"


def test_frames_wait_for_the_search_in_order_and_each_once_if_its_copies_are_near(tmp_path: Path) -> None:
    spool = FrameSpool(tmp_path)
    spool.keep("a RAFT frame from cbp to noaa", b"one")
    spool.keep("a RAFT frame from cbp to importer", b"one")
    spool.keep("a HAVE frame from noaa to cbp", b"")
    assert list(spool.frames()) == [
        ("a RAFT frame from cbp to noaa", b"one"),
        ("a HAVE frame from noaa to cbp", b""),
    ]
    assert list(tmp_path.iterdir()) == []
    spool.close()


def test_memory_does_not_grow_with_the_frames_and_the_first_one_is_still_searched(tmp_path: Path) -> None:
    spool = FrameSpool(tmp_path)
    frame = bytes(500)

    def keep(first: int, last: int) -> int:
        for number in range(first, last):
            spool.keep("somewhere", number.to_bytes(8, "big") + frame)
        return tracemalloc.get_traced_memory()[0]

    spool.keep("the first", b"a private value")
    tracemalloc.start()
    few = keep(0, 6_000)
    many = keep(6_000, 18_000)
    tracemalloc.stop()
    assert many - few < 100_000  # twelve thousand frames more would be six million bytes
    search = LeakSearch()
    search.add([Canary("somewhere", b"a private value")])
    seen = 0
    for place, data in spool.frames():
        seen += 1
        if seen == 1:
            search.search(place, data)
    spool.close()
    assert seen == 18_001
    assert [leak.place for leak in search.leaks] == ["the first"]


def test_the_search_of_a_database_finds_what_is_in_its_log_and_changes_nothing(tmp_path: Path) -> None:
    connection = apsw.Connection(str(tmp_path / "live.db"))
    connection.execute("PRAGMA journal_mode=WAL").fetchall()
    connection.execute("CREATE TABLE envelope (envelope BLOB)")
    connection.execute("INSERT INTO envelope VALUES (?)", (b"a private value",))
    for end in ("", "-wal"):
        shutil.copyfile(tmp_path / f"live.db{end}", tmp_path / f"node.db{end}")
    connection.close()
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert list(stored_values(tmp_path / "node.db")) == [("envelope", b"a private value")]
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_what_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "node.db").write_bytes(b"nothing of the kind" * 100)
    with pytest.raises(DamagedStoreError, match=r"node\.db"):
        list(stored_values(tmp_path / "node.db"))


def test_a_value_across_two_pieces_of_a_file_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leaks, "PIECE_BYTES", 64)
    value = b"a value of the kind that nobody should see"
    for begin in range(64):
        search = LeakSearch()
        search.add([Canary("c1.value", value)])
        path = tmp_path / f"file {begin}"
        path.write_bytes(bytes(begin) + value.hex().encode() + bytes(100))
        search.search_file("a disk", path)
        assert [(leak.place, leak.form) for leak in search.leaks] == [("a disk", "hex")]


def test_what_is_not_looked_for_any_more_is_not_found_and_what_was_found_stays() -> None:
    first, second = b"the first private value", b"the second private value"
    search = LeakSearch()
    search.add([Canary("first", first)])
    search.search("one place", first + second)
    search.look_for_others()
    search.add([Canary("second", second)])
    search.search("another place", first + second)
    assert [(leak.place, leak.where) for leak in search.leaks] == [
        ("one place", "first"),
        ("another place", "second"),
    ]


def test_markers_found_in_like_places_share_one_note_of_them() -> None:
    search = LeakSearch()
    markers = [Random(number).randbytes(32) for number in range(300)]
    for marker in markers:
        search.mark(marker)
    search.search("a disk", b"".join(markers[:200]))
    search.search("a frame", b"".join(markers[100:250]))
    search.look_for_others()
    search.search("a log", markers[0])
    marked = search.marked
    assert list(marked) == markers
    assert [marked[markers[place]] for place in (0, 150, 249, 299)] == [
        ("a disk",),
        ("a disk", "a frame"),
        ("a frame",),
        (),
    ]
    assert marked[markers[1]] is marked[markers[2]]
    with pytest.raises(KeyError):
        marked[bytes(32)]


def test_windows_in_many_segments_are_found_as_in_one(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = Random(5)
    values = [chance.randbytes(16) for _ in range(300)]
    lying = b"-".join(chance.choice((value, value.hex().encode())) for value in chance.sample(values, 60))

    def leaks_with(windows_max: int) -> tuple[int, list[leaks.Leak]]:
        monkeypatch.setattr(leaks, "SEGMENT_WINDOWS_MAX", windows_max)
        monkeypatch.setattr(windowtable, "SEGMENT_WINDOWS_MAX", windows_max)
        search = LeakSearch()
        for number, value in enumerate(values):
            search.add([Canary(str(number), value)])
        search.search("a disk", lying)
        found = search.leaks
        return len(search._table._segments), found  # type: ignore[union-attr]

    (one, together), (many, apart) = leaks_with(1 << 20), leaks_with(500)
    assert one == 1
    assert many > 10
    assert apart == together
    assert len({leak.where for leak in apart}) == 60


def test_windows_are_put_in_order_before_there_are_many_and_values_wait_in_a_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What a search keeps of each value beside its windows, and of windows beside the table, is bounded."""
    monkeypatch.setattr(leaks, "SEGMENT_WINDOWS_MAX", 1000)
    search, most = LeakSearch(), 0
    for number in range(500):
        search.add([Canary(f"salt {number}", Random(number).randbytes(16))])
        search.mark(Random(f"m{number}").randbytes(32))
        most = max(most, len(search._fresh))
    assert most < 1000
    assert len(search._sought) == 1000
    assert search._sought.resident_count <= RESIDENT_MAX


def test_a_filter_of_single_bits_hides_no_window() -> None:
    chance = Random(3)
    windows = [chance.randbytes(WINDOW_BYTES) for _ in range(5000)]
    table = WindowTable()
    for first in range(0, len(windows), 700):
        fresh = Windows()
        for number in range(first, min(first + 700, len(windows))):
            fresh.add(number, [windows[number]])
        table.add(fresh)
    assert len(table) == len(windows)
    assert [number for _, number in table.found_in(b"".join(windows))] == list(range(len(windows)))
