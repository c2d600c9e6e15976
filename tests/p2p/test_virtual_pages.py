"""The pages of a virtual file: the bytes of a plain buffer, shared by copies, out of memory when there are many."""

from __future__ import annotations

import gc
import random
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2p.virtual import pages
from p2p.virtual.disk import DiskFile
from p2p.virtual.pages import PAGE_BYTES, Pages

places = st.integers(0, 3 * PAGE_BYTES)
operations = st.lists(
    st.one_of(
        st.tuples(st.just("write"), places, st.binary(min_size=1, max_size=40).map(lambda data: data * 150)),
        st.tuples(st.just("truncate"), places),
        st.tuples(st.just("sync")),
        st.tuples(st.just("fail")),
    ),
    max_size=12,
)


class PlainFile:
    """What a file is, in two plain buffers."""

    def __init__(self) -> None:
        self.content, self.durable = bytearray(), bytearray()
        self.pending: list[tuple[int, bytes | None]] = []

    def act(self, name: str, *arguments: object) -> None:
        if name == "sync":
            for offset, data in self.pending:
                self._apply(self.durable, offset, data)
        if name in ("sync", "fail"):
            self.pending.clear()
            return
        offset = int(str(arguments[0]))
        data = arguments[1] if name == "write" else None
        assert data is None or isinstance(data, bytes)
        self._apply(self.content, offset, data)
        self.pending.append((offset, data))

    def _apply(self, target: bytearray, offset: int, data: bytes | None) -> None:
        if data is None:
            del target[offset:]
        if offset > len(target):
            target.extend(bytes(offset - len(target)))
        if data is not None:
            target[offset : offset + len(data)] = data


@pytest.mark.parametrize("resident_max", [0, pages.RESIDENT_PAGES_MAX])
@given(operations)
def test_a_file_in_pages_is_what_it_is_in_plain_buffers(
    resident_max: int, acts: list[tuple[str, int, bytes]]
) -> None:
    before = pages.RESIDENT_PAGES_MAX
    pages.RESIDENT_PAGES_MAX = resident_max
    try:
        file, plain = DiskFile(), PlainFile()
        for name, *arguments in acts:
            copy, seen = file.copy(), bytes(plain.content)
            plain.act(name, *arguments)
            {
                "write": file.write,
                "truncate": file.truncate,
                "sync": file.sync,
                "fail": file.fail_to_sync,
            }[name](*arguments)  # type: ignore[operator]
            assert bytes(copy.content) == seen, "a copy is changed apart"
            assert bytes(file.content) == plain.content
            assert len(file.content) == len(plain.content)
            assert bytes(file.durable) == plain.durable
            for offset in (0, 1, PAGE_BYTES - 1, PAGE_BYTES):
                assert file.content.read(offset, PAGE_BYTES + 2) == plain.content[offset:][: PAGE_BYTES + 2]
    finally:
        pages.RESIDENT_PAGES_MAX = before


def test_memory_does_not_grow_with_what_is_synced_nor_the_real_file_with_what_is_overwritten() -> None:
    def grow(file: DiskFile, first: int, last: int) -> None:
        for number in range(first, last):
            file.write(number * PAGE_BYTES, random.Random(number).randbytes(PAGE_BYTES))
            file.sync()

    file = DiskFile()
    few, many = 2 * pages.RESIDENT_PAGES_MAX + 2, 6 * pages.RESIDENT_PAGES_MAX + 6
    tracemalloc.start()
    grow(file, 0, few)
    before = tracemalloc.get_traced_memory()[0]
    grow(file, few, many)
    assert tracemalloc.get_traced_memory()[0] - before < (many - few) * PAGE_BYTES // 100
    tracemalloc.stop()
    assert file.durable.read(5 * PAGE_BYTES, PAGE_BYTES) == random.Random(5).randbytes(PAGE_BYTES)
    vault = pages._vaults[0]
    used = vault.count_used
    grow(file, 0, many)
    gc.collect()
    assert vault.count_used <= used + pages.RESIDENT_PAGES_MAX


def test_nothing_stays_in_the_real_file_of_files_that_are_gone() -> None:
    used = pages._vaults[0].count_used
    file = DiskFile()
    for number in range(2 * pages.RESIDENT_PAGES_MAX):
        file.write(number * PAGE_BYTES, bytes([number % 251]) * PAGE_BYTES)
        file.sync()
    ghost, file = file, file.copy()
    file.write(0, b"over")
    file.truncate(pages.RESIDENT_PAGES_MAX * PAGE_BYTES // 2)
    file.sync()
    assert pages._vaults[0].count_used > used
    assert ghost.content.read(0, 4) == bytes(4)
    del ghost, file
    gc.collect()
    assert pages._vaults[0].count_used == used


def test_a_forked_process_moves_pages_into_a_real_file_of_its_own() -> None:
    file, plain = DiskFile(), bytearray()
    house = pages._vaults[0]
    try:
        for number in range(2 * pages.RESIDENT_PAGES_MAX + 2):
            if number == pages.RESIDENT_PAGES_MAX + 1:
                before = house.count_used
                pages._begin_anew()
            page = bytes([number % 251]) * PAGE_BYTES
            plain += page
            file.write(number * PAGE_BYTES, page)
            file.sync()
        assert bytes(file.content) == bytes(file.durable) == plain
        assert before > house.count_used
        assert pages._vaults[0].count_used == len(plain) // PAGE_BYTES
    finally:
        pages._vaults[0] = house


def test_a_flipped_bit_is_the_only_difference() -> None:
    one = Pages()
    one.write(0, bytes(2 * PAGE_BYTES))
    other = one.copy()
    other.flip(PAGE_BYTES + 1, 3)
    assert bytes(one) == bytes(2 * PAGE_BYTES)
    assert [at for at, byte in enumerate(bytes(other)) if byte] == [PAGE_BYTES + 1]
    assert other.read(PAGE_BYTES + 1, 1) == bytes([8])
