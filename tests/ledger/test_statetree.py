"""The state tree: a root of the content alone, and proofs that bind key and value."""

from __future__ import annotations

import gc
import hashlib
import importlib.util
import random
import time
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from ledger import statetree
from ledger.errors import BadProofError
from ledger.statetree import StateProof, StateTree, verify_state

MODEL = Path(__file__).with_name("state_tree_widths.py")


def _model() -> ModuleType:
    spec = importlib.util.spec_from_file_location("state_tree_widths", MODEL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _content(count: int) -> dict[str, bytes]:
    return {f"claim/{i}": b"value %d" % i for i in range(count)}


def _keys_below_one_node(count: int) -> list[str]:
    """Return keys whose paths begin with the same two digits."""
    found: list[str] = []
    i = 0
    while len(found) < count:
        if hashlib.sha256(b"k%d" % i).digest()[0] == 0x5A:
            found.append(f"k{i}")
        i += 1
    return found


def test_an_empty_state_has_the_empty_root_and_proves_absence() -> None:
    tree = StateTree()
    assert tree.root == bytes(32)
    assert verify_state(tree.root, "a", None, tree.prove("a"))
    assert not verify_state(tree.root, "a", b"", tree.prove("a"))


def test_a_single_leaf_is_the_root_itself() -> None:
    tree = StateTree({"a": b"1"})
    expected = b"\x00" + hashlib.sha256(b"a").digest() + hashlib.sha256(b"1").digest()
    assert tree.root == hashlib.sha256(expected).digest()


def test_two_leaves_are_the_children_of_one_node_by_their_first_digit() -> None:
    tree = StateTree({"a": b"1", "b": b"2"})
    data = bytearray(b"\x01" + bytes(512))
    for key, value in ((b"a", b"1"), (b"b", b"2")):
        path = hashlib.sha256(key).digest()
        leaf = hashlib.sha256(b"\x00" + path + hashlib.sha256(value).digest()).digest()
        digit = path[0] >> 4
        data[1 + 32 * digit : 33 + 32 * digit] = leaf
    assert tree.root == hashlib.sha256(data).digest()


def test_the_root_depends_on_content_alone() -> None:
    content = _content(200)
    expected = StateTree(content).root
    for seed in range(5):
        chance = random.Random(seed)
        tree = StateTree({f"other/{i}": b"x" for i in range(50)})
        keys = list(content)
        chance.shuffle(keys)
        while keys:
            batch = [keys.pop() for _ in range(min(len(keys), chance.randrange(1, 20)))]
            tree.update(
                {key: chance.choice((None, b"draft")) for key in chance.sample(batch, len(batch) // 2)}
            )
            tree.update({key: content[key] for key in batch})
        tree.update({f"other/{i}": None for i in range(50)})
        assert tree.root == expected


def test_deleting_everything_leaves_the_empty_root() -> None:
    content = _content(100)
    tree = StateTree(content)
    for key in content:
        tree.update({key: None})
    assert tree.root == bytes(32)
    tree.update({"never": None})
    assert tree.root == bytes(32)


def test_a_deletion_folds_a_chain_of_nodes_back_into_a_leaf() -> None:
    first, second = _keys_below_one_node(2)
    tree = StateTree({first: b"1"})
    before = tree.root
    tree.update({second: b"2"})
    assert len(tree.prove(first).steps) >= 3
    tree.update({second: None})
    assert tree.root == before
    assert tree.prove(first).steps == ()


def test_one_batch_may_write_and_delete_side_by_side() -> None:
    first, second, third = _keys_below_one_node(3)
    tree = StateTree({first: b"1", second: b"2"})
    tree.update({first: None, third: b"3"})
    assert tree.root == StateTree({second: b"2", third: b"3"}).root
    tree.update({second: None, third: b"4", first: b"1"})
    assert tree.root == StateTree({first: b"1", third: b"4"}).root


def test_every_key_and_value_counts_for_the_root() -> None:
    root = StateTree({"a": b"1", "b": b"2"}).root
    for other in ({"a": b"1", "b": b"3"}, {"a": b"1", "c": b"2"}, {"a": b"2", "b": b"1"}, {"a": b"1"}):
        assert StateTree(other).root != root


def test_the_model_written_for_measuring_gives_the_same_roots() -> None:
    chance = random.Random(3)
    tree, model = StateTree(), _model().WideTree(4)
    for _ in range(60):
        keys = [f"k{chance.randrange(120)}" for _ in range(chance.randrange(1, 20))]
        changes = {key: None if chance.random() < 0.4 else b"%d" % chance.randrange(9) for key in keys}
        tree.update(changes)
        model.update(changes)
        assert tree.root == model.root


def test_presence_and_absence_are_proven_for_every_key() -> None:
    content = _content(150)
    tree = StateTree(content)
    for key in [*content, *(f"missing/{i}" for i in range(150))]:
        proof = tree.prove(key)
        value = content.get(key)
        assert verify_state(tree.root, key, value, proof)
        assert not verify_state(tree.root, key, b"another", proof)
        assert not verify_state(tree.root, key, None if value is not None else b"", proof)
        assert StateProof.decode(proof.encode()) == proof


def test_both_kinds_of_absence_occur() -> None:
    tree = StateTree(_content(40))
    proofs = [tree.prove(f"missing/{i}") for i in range(60)]
    assert any(proof.other is None for proof in proofs)
    assert any(proof.other is not None for proof in proofs)


def test_a_proof_is_of_one_key() -> None:
    tree = StateTree(_content(60))
    proof = tree.prove("claim/7")
    assert not verify_state(tree.root, "claim/8", b"value 7", proof)
    assert not verify_state(tree.root, "claim/8", b"value 8", proof)


def test_a_present_key_is_not_proven_absent_by_another_keys_leaf() -> None:
    first, second = _keys_below_one_node(2)
    tree = StateTree({first: b"1", second: b"2"})
    proof = tree.prove(first)
    leaf = hashlib.sha256(second.encode()).digest() + hashlib.sha256(b"2").digest()
    own = hashlib.sha256(first.encode()).digest() + hashlib.sha256(b"1").digest()
    for other in (leaf, own, own[:63], own + b"x", b""):
        assert not verify_state(tree.root, first, None, replace(proof, other=other))


def test_a_leaf_that_stands_where_it_cannot_belong_proves_no_absence() -> None:
    # A root that no honest node computes: the leaf of "a" in the place of another first digit.
    path = hashlib.sha256(b"a").digest()
    leaf = path + hashlib.sha256(b"1").digest()
    misplaced = next(
        f"e{i}" for i in range(100) if hashlib.sha256(b"e%d" % i).digest()[0] >> 4 != path[0] >> 4
    )
    digit = hashlib.sha256(misplaced.encode()).digest()[0] >> 4
    data = bytearray(b"\x01" + bytes(512))
    data[1 + 32 * digit : 33 + 32 * digit] = hashlib.sha256(b"\x00" + leaf).digest()
    assert not verify_state(hashlib.sha256(data).digest(), misplaced, None, StateProof(((0, ()),), leaf))


def test_an_inner_node_does_not_pass_for_a_leaf() -> None:
    # Whoever chooses the 64 bytes of a leaf must not hit an inner node's hash: their first bytes differ.
    tree = StateTree(_content(5))
    step = tree.prove("claim/0").steps[0]
    assert not verify_state(tree.root, "claim/0", None, StateProof((), b"".join(step[1])[:64]))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda bitmap, hashes: (bitmap, hashes[:-1]),
        lambda bitmap, hashes: (bitmap, (*hashes, bytes(32))),
        lambda bitmap, hashes: (bitmap, (*hashes, b"x" * 32)),
        lambda bitmap, hashes: (bitmap, hashes[::-1]),
        lambda bitmap, hashes: (bitmap, (hashes[0][:31], *hashes[1:])),
        lambda bitmap, hashes: (bitmap, (b"y" * 32, *hashes[1:])),
        lambda bitmap, hashes: (bitmap | 1 << 16, hashes),
        lambda bitmap, hashes: (bitmap | 1 << 16, (*hashes, b"x" * 32)),
        lambda bitmap, hashes: (-bitmap, hashes),
        lambda bitmap, hashes: (-1, hashes),
        lambda bitmap, hashes: (0, ()),
        lambda bitmap, hashes: (0xFFFF, (*hashes, *[bytes(32)] * (16 - len(hashes)))),
    ],
)
def test_a_spoilt_step_fails(spoil, founders) -> None:
    tree = StateTree(_content(30))
    proof = tree.prove("claim/3")
    for i, (bitmap, hashes) in enumerate(proof.steps):
        if len(hashes) < 2:
            continue
        steps = (*proof.steps[:i], spoil(bitmap, hashes), *proof.steps[i + 1 :])
        assert not verify_state(tree.root, "claim/3", b"value 3", replace(proof, steps=steps))


def test_an_empty_sibling_named_as_present_is_refused() -> None:
    # Its node hashes the same either way: without the check one proof would have many forms.
    tree = StateTree(_content(3))
    proof = tree.prove("claim/0")
    bitmap, hashes = proof.steps[0]
    own = hashlib.sha256(b"claim/0").digest()[0] >> 4
    free = next(digit for digit in range(16) if not bitmap >> digit & 1 and digit != own)
    place = (bitmap & (1 << free) - 1).bit_count()
    padded = (bitmap | 1 << free, (*hashes[:place], bytes(32), *hashes[place:]))
    assert not verify_state(
        tree.root, "claim/0", b"value 0", replace(proof, steps=(padded, *proof.steps[1:]))
    )


def test_a_sibling_in_the_keys_own_place_is_refused() -> None:
    # Else the true hash, handed in as a sibling, would stand in for whatever value is claimed.
    tree = StateTree(_content(30))
    proof = tree.prove("claim/3")
    (bitmap, hashes), own = proof.steps[0], hashlib.sha256(b"claim/3").digest()[0] >> 4
    below = StateTree({key: value for key, value in _content(30).items() if _first_digit(key) == own})
    place = (bitmap & (1 << own) - 1).bit_count()
    for true_hash in (below.root, b"x" * 32):
        step = (bitmap | 1 << own, (*hashes[:place], true_hash, *hashes[place:]))
        for value in (b"value 3", b"forged", None):
            assert not verify_state(tree.root, "claim/3", value, StateProof((step,)))
    alone = StateTree({"a": b"1", "b": b"2"})
    step = (1 << _first_digit("a") | 1 << _first_digit("b"), _both_leaves(alone))
    assert not verify_state(alone.root, "a", b"forged", StateProof((step,)))
    assert not verify_state(alone.root, "a", None, StateProof((step,)))


def _first_digit(key: str) -> int:
    return hashlib.sha256(key.encode()).digest()[0] >> 4


def _both_leaves(tree: StateTree) -> tuple[bytes, ...]:
    """Return the leaf hashes of keys a and b, each other's only sibling, in their order."""
    siblings = {"b": tree.prove("a").steps[0][1][0], "a": tree.prove("b").steps[0][1][0]}
    return tuple(siblings[key] for key in sorted(siblings, key=_first_digit))


def test_bytes_moved_from_one_sibling_to_the_next_are_refused() -> None:
    # Joined, they would hash the same.
    tree = StateTree(_content(200))
    proof = tree.prove("claim/3")
    bitmap, hashes = proof.steps[0]
    own = _first_digit("claim/3")
    i = next(i for i in range(15) if own not in (i, i + 1))
    assert bitmap == 0xFFFF ^ 1 << own
    i -= i > own
    moved = (*hashes[:i], hashes[i][:31], hashes[i][31:] + hashes[i + 1], *hashes[i + 2 :])
    assert not verify_state(
        tree.root, "claim/3", b"value 3", replace(proof, steps=((bitmap, moved), *proof.steps[1:]))
    )


def test_a_negative_bitmap_with_the_same_low_bits_is_refused() -> None:
    tree = StateTree(_content(200))
    tried = 0
    for i in range(200):
        proof = tree.prove(f"claim/{i}")
        for level, (bitmap, hashes) in enumerate(proof.steps):
            negative = bitmap - (1 << 16)
            if negative.bit_count() == len(hashes):
                steps = (*proof.steps[:level], (negative, hashes), *proof.steps[level + 1 :])
                assert not verify_state(tree.root, f"claim/{i}", b"value %d" % i, replace(proof, steps=steps))
                tried += 1
    assert tried


def test_the_other_leaf_is_a_path_and_a_hash_and_nothing_more() -> None:
    other = hashlib.sha256(b"a").digest() + bytes(33)
    root = hashlib.sha256(b"\x00" + other).digest()
    assert not verify_state(root, "b", None, StateProof((), other))


def test_steps_too_many_or_too_few_fail() -> None:
    tree = StateTree(_content(50))
    proof = tree.prove("claim/1")
    for steps in (
        proof.steps[1:],
        proof.steps[:-1],
        (*proof.steps, (0, ())),
        ((0, ()), *proof.steps),
        proof.steps * 40,
    ):
        assert not verify_state(tree.root, "claim/1", b"value 1", replace(proof, steps=steps))


def test_a_proof_of_presence_has_no_other_leaf() -> None:
    tree = StateTree(_content(9))
    proof = tree.prove("claim/1")
    assert not verify_state(tree.root, "claim/1", b"value 1", replace(proof, other=bytes(64)))


@pytest.mark.parametrize("data", [b"\xc1", b"\x01", b"\x80", b"\x82\xa5other\xc0\xa5steps\x91\x01"])
def test_bytes_that_are_no_proof_are_refused(data: bytes) -> None:
    with pytest.raises(BadProofError, match="these bytes are no state proof"):
        StateProof.decode(data)


def test_a_key_with_no_utf8_form_changes_nothing() -> None:
    tree = StateTree({"a": b"1"})
    with pytest.raises(UnicodeEncodeError):
        tree.update({"b": b"2", "\ud800": b"3"})
    assert tree.root == StateTree({"a": b"1"}).root


@pytest.mark.slow
def test_a_changed_key_costs_less_than_the_budget() -> None:
    update_us = min(_measure() for _ in range(3))
    assert update_us < 60


def _measure() -> float:
    chance = random.Random(7)
    tree = StateTree(_content(10_000))
    started = time.process_time()
    for round_number in range(30):
        tree.update({f"claim/{chance.randrange(20_000)}": b"%d" % round_number for _ in range(100)})
    return (time.process_time() - started) / 3000 * 1e6


def test_trees_of_one_state_share_their_nodes_however_they_came_to_it() -> None:
    whole = StateTree(_content(300))
    grown = StateTree(_content(100))
    grown.update({"claim/7": b"passing"})
    grown.update({**_content(300), "gone": b"x"})
    assert grown.root != whole.root
    assert grown._top is not whole._top
    grown.update({"gone": None})
    assert grown._top is whole._top


def test_what_no_tree_has_any_more_is_let_go_of() -> None:
    before = len(statetree._shared)
    tree = StateTree({f"own/{i}": b"%d" % i for i in range(500)})
    kept = tree.freeze()
    assert len(statetree._shared) > before
    tree.update({f"own/{i}": b"later %d" % i for i in range(500)})
    assert dict(kept.items()) == {f"own/{i}": b"%d" % i for i in range(500)}
    del tree, kept
    assert len(statetree._shared) == before


def test_a_tree_keeps_a_leaf_for_each_key_and_one_hash_for_each_inner_node() -> None:
    """What grows with the state is counted: nothing else of any size hangs on it."""
    tree = StateTree(_content(300))
    tree.update(dict.fromkeys(list(_content(100)), b"changed"))
    waiting, inner, pieces = [tree._top], 0, 0
    while waiting:
        node = waiting.pop()
        if isinstance(node, bytes):
            pieces += 1
        elif node is not None:
            inner += 1
            held = [one for one in gc.get_referents(node) if not isinstance(one, (type, list))]
            pieces += sum(isinstance(one, (bytes, bytearray)) for one in held)
            waiting.extend(node.children)
    assert inner > 20
    assert pieces == 300 + inner


def test_values_are_read_back_by_key_and_all_together() -> None:
    content = _content(300)
    tree = StateTree(content)
    assert {key: tree.get(key) for key in content} == content
    assert tree.get("absent") is None
    assert dict(tree.items()) == content
    tree.update({"claim/3": b"", "claim/4": None})
    assert (tree.get("claim/3"), tree.get("claim/4")) == (b"", None)
