"""State chunks: verified one by one, whoever sends them, and nothing else passes for one."""

from __future__ import annotations

import random

import pytest

from ledger.errors import MalformedError
from ledger.statechunks import Chunk, FrozenState, is_place
from ledger.statetree import EMPTY_HASH, StateTree, subtree_hash


def _items(count: int) -> dict[str, bytes]:
    return {f"claim/{i}": b"value %d " % i * (i % 7) for i in range(count)}


def _frozen(items: dict[str, bytes]) -> FrozenState:
    return FrozenState(1, StateTree(items).freeze())


def _pulled(state: FrozenState, bytes_aimed: int) -> tuple[dict[str, bytes], int]:
    """Return what a receiver has that asks from the root down, and how many chunks it took."""
    found: dict[str, bytes] = {}
    places = [(b"", state.root)]
    random.Random(3).shuffle(places)
    chunks = 0
    while places:
        prefix, expected = places.pop()
        chunk = state.chunk(prefix, bytes_aimed)
        assert chunk is not None
        chunk = Chunk.decode(chunk.encode())
        assert chunk.holds(expected, prefix)
        chunks += 1
        found.update(chunk.items)
        places.extend(chunk.children(prefix))
    return found, chunks


@pytest.mark.parametrize("count", [1, 2, 17, 900])
@pytest.mark.parametrize("bytes_aimed", [1, 300, 1 << 20])
def test_chunks_from_the_root_down_give_the_whole_state(count, bytes_aimed):
    items = _items(count)
    found, chunks = _pulled(_frozen(items), bytes_aimed)
    assert found == items
    assert chunks >= (1 if bytes_aimed > 1000 else min(count, 2) // 2)


def test_a_small_state_is_one_chunk_and_a_large_one_is_not():
    assert _pulled(_frozen(_items(50)), 1 << 20)[1] == 1
    assert _pulled(_frozen(_items(900)), 2000)[1] > 16


def test_a_frozen_state_stays_as_it_is_while_the_tree_goes_on():
    items = _items(400)
    tree = StateTree(items)
    first = FrozenState(1, tree.freeze())
    tree.update({f"claim/{i}": None for i in range(0, 400, 3)} | {"new": b"x"})
    second_items = {k: v for i, (k, v) in enumerate(items.items()) if i % 3} | {"new": b"x"}
    second = FrozenState(2, tree.freeze())
    tree.update({f"claim/{i}": b"again" for i in range(400)})
    assert _pulled(first, 500)[0] == items
    assert _pulled(second, 500)[0] == second_items
    assert first.root == StateTree(items).root
    assert second.root == StateTree(second_items).root
    assert tree.root == StateTree(second_items | {f"claim/{i}": b"again" for i in range(400)}).root


def test_what_differs_in_anything_does_not_hold():
    state = _frozen(_items(900))
    branch = state.chunk(b"", 2000)
    assert branch is not None
    place, expected = next(branch.children(b""))
    chunk = state.chunk(place, 1 << 20)
    assert chunk is not None
    assert len(chunk.items) > 2
    assert chunk.holds(expected, place)
    key, value = chunk.items[0]
    for wrong in (
        Chunk(items=chunk.items[1:]),
        Chunk(items=((key, value + b"!"), *chunk.items[1:])),
        Chunk(items=((key + "!", value), *chunk.items[1:])),
        Chunk(items=(*chunk.items, chunk.items[0])),
        Chunk(items=(*chunk.items, ("claim/x", b""))),
        Chunk(hashes=branch.hashes, items=chunk.items),
        Chunk(hashes=branch.hashes),
        Chunk(hashes=branch.hashes[:15]),
        Chunk(),
    ):
        assert not wrong.holds(expected, place)
    assert not chunk.holds(expected, bytes([(place[0] + 1) % 16]))


def test_items_of_another_place_have_no_hash_there():
    items = list(_items(30).items())
    assert subtree_hash(items, b"") == StateTree(dict(items)).root
    assert subtree_hash(items, b"\x01") is None
    assert subtree_hash([items[0], items[0]], b"") is None


def test_an_empty_place_has_no_chunk():
    state = _frozen({"a": b"1"})
    assert state.chunk(b"") == Chunk(items=(("a", b"1"),))
    assert all(state.chunk(bytes([digit])) is None for digit in range(16))
    assert StateTree().freeze().hash == EMPTY_HASH


def test_a_place_is_digits_of_a_path():
    assert is_place(b"")
    assert is_place(bytes(range(16)))
    assert not is_place(b"\x10")
    assert not is_place(bytes(65))


@pytest.mark.parametrize("data", [b"", b"\x80", b"\x82\xa6hashes\x90\xa5items\x91\x01", b"\xff" * 40])
def test_what_is_no_chunk_is_refused(data):
    with pytest.raises(MalformedError):
        Chunk.decode(data)
