"""Records that leave memory and come back as they were."""

from __future__ import annotations

import gc
import os
from dataclasses import dataclass
from random import Random

import apsw
import pytest

from ledger.documents import Private, commit_fields, envelope, read_envelope
from p2p.virtual import run_virtual
from scenarios import filed, filedindex
from scenarios.agents.packing import (
    pack_document,
    pack_opened,
    pack_paper,
    unpack_document,
    unpack_opened,
    unpack_paper,
)
from scenarios.agents.papers import Paper
from scenarios.filed import Filed, FiledEntries, FiledMap
from scenarios.filedindex import FiledIndex

COUNT = 3 * filed.RESIDENT_MAX


def texts() -> Filed[str]:
    return Filed(str.encode, bytes.decode)


def test_records_beyond_the_latest_come_back_from_the_file() -> None:
    records = texts()
    numbers = [records.add(f"record {number}") for number in range(COUNT)]
    assert numbers == list(range(COUNT))
    assert len(records._resident) == filed.RESIDENT_MAX
    assert [records[number] for number in numbers] == [f"record {number}" for number in numbers]
    assert list(records) == [f"record {number}" for number in numbers]
    assert len(records._resident) == filed.RESIDENT_MAX


def test_what_is_let_go_of_is_overwritten_in_the_file() -> None:
    records = texts()
    for number in range(COUNT):
        records.add(f"secret {number}")
    records.let_go(0)
    records.let_go(COUNT - 1)
    with pytest.raises(KeyError):
        records[0]
    with pytest.raises(KeyError):
        records[COUNT - 1]
    assert records._file is not None
    data = os.pread(records._file, 1 << 20, 0)
    assert b"secret 0" not in data
    assert b"secret 1" in data
    assert list(records) == [f"secret {number}" for number in range(1, COUNT - 1)]


def test_another_record_under_a_key_takes_the_older_ones_place() -> None:
    records: FiledMap[bytes, str] = FiledMap(str.encode, bytes.decode)
    for number in range(COUNT):
        records.put(b"%d" % number, "first")
    records.put(b"0", "second")
    assert records[b"0"] == "second"
    assert next(iter(records.items())) == (b"0", "second")
    assert len(records) == COUNT
    records.let_go(b"0")
    assert b"0" not in records
    assert records.get(b"0") is None
    records.let_go(b"0")


def test_documents_and_papers_come_back_equal() -> None:
    fields = {"kind": "NAFTA-434", "goods": [{"hs6": "610910", "none": None}], "raw": b"\x00\xff", "n": -7}
    document = commit_fields(fields, Random(1))
    back = unpack_document(pack_document(document))
    assert (back.root, back.digests, back.names) == (document.root, document.digests, document.names)
    assert [d.digest for d in back.disclosures] == [d.digest for d in document.disclosures]

    paper = Paper("NAFTA-434", document.root, {name: Private(value) for name, value in fields.items()})
    again = unpack_paper(pack_paper(paper))
    assert (again.kind, again.root, again.plain()) == (paper.kind, paper.root, paper.plain())


@pytest.mark.parametrize("vouched", [None, bytes(64)])
def test_opened_envelopes_come_back_equal(vouched: bytes | None) -> None:
    document = commit_fields({"kind": "INVOICE", "price": 7}, Random(1))
    opened = read_envelope(envelope(document, ["kind"], vouched))
    back = unpack_opened(pack_opened(opened))
    assert (back.root, back.digests, back.vouched) == (opened.root, opened.digests, vouched)
    assert [(d.name, d.digest) for d in back.disclosures] == [(d.name, d.digest) for d in opened.disclosures]


def test_keys_beyond_the_latest_leave_memory_and_are_found() -> None:
    index: FiledIndex[tuple[str, bytes]] = FiledIndex()
    count = 3 * filedindex.FRESH_MAX
    keys = [("kind", number.to_bytes(4)) for number in range(count)]
    assert [index.number(key) for key in keys] == list(range(count))
    assert index.resident_count <= filedindex.FRESH_MAX
    assert [index.get(key) for key in keys] == list(range(count))
    assert [index.number(key) for key in keys[:3]] == [0, 1, 2]
    assert list(index) == keys
    assert list(index.since(count - 2)) == keys[-2:]
    assert list(index.since(2)) == keys[2:]
    assert index.get(("other", b"")) is None


def test_a_key_that_is_let_go_of_is_found_no_more_wherever_it_was() -> None:
    index: FiledIndex[int] = FiledIndex()
    count = 2 * filedindex.FRESH_MAX
    for key in range(count):
        index.add(key, key)
    assert (index.pop(0), index.pop(count - 1), index.pop(count)) == (0, count - 1, None)
    assert (0 in index, count - 1 in index, 1 in index) == (False, False, True)
    assert list(index) == list(range(1, count - 1))
    assert len(index) == count - 2


def test_keys_that_come_while_all_are_gone_through_come_once() -> None:
    index: FiledIndex[int] = FiledIndex()
    for key in range(2 * filedindex.FRESH_MAX):
        index.add(key, key)
    seen = []
    for key in index:
        seen.append(key)
        if key == 1:
            for later in range(2 * filedindex.FRESH_MAX, 4 * filedindex.FRESH_MAX):
                index.add(later, later)
    assert seen == sorted(dict.fromkeys(seen))
    assert seen[: 2 * filedindex.FRESH_MAX] == list(range(2 * filedindex.FRESH_MAX))


def test_an_index_that_is_gone_leaves_nothing() -> None:
    index: FiledIndex[int] = FiledIndex()
    for key in range(2 * filedindex.FRESH_MAX):
        index.add(key, key)
    database, owner = index._database, index._owner
    assert database.connection.execute(filedindex._KEYS, (owner, 0)).get is not None
    del index
    gc.collect()
    assert database.connection.execute(filedindex._KEYS, (owner, 0)).get is None


def test_keys_leave_memory_in_the_virtual_world_and_draw_nothing_from_sqlites_generator() -> None:
    async def drawn(keys: int) -> bytes:
        index: FiledIndex[int] = FiledIndex()
        for key in range(keys):
            index.add(key, key)
        assert list(index) == list(range(keys))
        return apsw.randomness(16)

    _made_before: FiledIndex[int] = FiledIndex()
    many = run_virtual(lambda _world: drawn(40 * filedindex.FRESH_MAX), seed="keys")
    assert many == run_virtual(lambda _world: drawn(0), seed="keys")


def test_a_forked_process_has_a_database_of_its_own() -> None:
    before = filedindex._databases[0]
    try:
        filedindex._begin_anew()
        assert FiledIndex[int]()._database is filedindex._databases[0] is not before
    finally:
        filedindex._databases[0] = before


@dataclass(slots=True, weakref_slot=True)
class Claim:
    state: str


def test_a_record_that_somebody_holds_is_one_object_for_all() -> None:
    claims: FiledEntries[int, Claim] = FiledEntries()
    for number in range(COUNT):
        claims.put(number, Claim("FILED"))
    held = claims[0]
    for number in range(COUNT):
        claims[number]
    claim = claims[0]
    assert claim is held
    claim.state = "LIQUIDATED"
    claims.put(0, claim)
    assert held.state == "LIQUIDATED"
    del held, claim
    for number in range(1, COUNT):
        claims[number]
    gc.collect()
    assert claims[0].state == "LIQUIDATED"
    assert len(claims) == COUNT
    assert claims.resident_count < 2 * COUNT


def test_another_record_in_the_place_of_one_leaves_nothing_of_it_in_the_file() -> None:
    records = texts()
    for number in range(COUNT):
        records.add(f"secret {number}")
    records.replace(0, "second")
    assert records[0] == "second"
    assert records._file is not None
    assert b"secret 0" not in os.pread(records._file, 1 << 20, 0)
    for number in range(1, COUNT):
        records[number]
    assert records[0] == "second"
