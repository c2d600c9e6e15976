"""Records that leave memory and come back as they were."""

from __future__ import annotations

import os
from random import Random

import pytest

from ledger.documents import Private, commit_fields, envelope, read_envelope
from scenarios import filed
from scenarios.agents.packing import (
    pack_document,
    pack_opened,
    pack_paper,
    unpack_document,
    unpack_opened,
    unpack_paper,
)
from scenarios.agents.papers import Paper
from scenarios.filed import Filed, FiledMap

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
