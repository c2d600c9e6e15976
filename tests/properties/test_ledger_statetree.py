"""The state tree under histories that nobody chose."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.statetree import StateProof, StateTree, verify_state

pytestmark = pytest.mark.slow
any_time = settings(deadline=None)  # a busy machine is no failure


def _crowded() -> list[str]:
    """Return keys of which many share the beginning of their paths: nodes split and fold deep down."""
    by_start: dict[bytes, list[str]] = {}
    for i in range(3000):
        by_start.setdefault(hashlib.sha256(b"%d" % i).digest()[:1], []).append(str(i))
    fullest = sorted(by_start.values(), key=len)[-2:]
    return [*fullest[0][:12], *fullest[1][:12], *(f"claim/{i}" for i in range(12))]


KEYS = _crowded()
keys = st.sampled_from(KEYS)
contents = st.dictionaries(keys, st.binary(max_size=3), max_size=30)
batches = st.lists(st.dictionaries(keys, st.none() | st.binary(max_size=2), max_size=12), max_size=12)


@any_time
@given(batches)
def test_the_root_depends_on_content_and_not_on_history(history: list[dict[str, bytes | None]]) -> None:
    tree, content = StateTree(), dict[str, bytes]()
    for changes in history:
        tree.update(changes)
        for key, value in changes.items():
            if value is None:
                content.pop(key, None)
            else:
                content[key] = value
        assert tree.root == StateTree(content).root


@any_time
@given(contents, st.randoms(use_true_random=False))
def test_one_by_one_in_any_order_gives_the_root_of_all_at_once(content: dict[str, bytes], random) -> None:  # type: ignore[no-untyped-def]
    order = list(content)
    random.shuffle(order)
    tree = StateTree()
    for key in order:
        tree.update({key: content[key]})
    assert tree.root == StateTree(content).root


@any_time
@given(contents, contents)
def test_different_contents_have_different_roots(left: dict[str, bytes], right: dict[str, bytes]) -> None:
    assert (StateTree(left).root == StateTree(right).root) == (left == right)


@any_time
@given(contents, keys, st.none() | st.binary(max_size=3))
def test_a_proof_holds_for_what_the_state_has_and_nothing_else(
    content: dict[str, bytes], key: str, claimed: bytes | None
) -> None:
    tree = StateTree(content)
    proof = tree.prove(key)
    assert verify_state(tree.root, key, claimed, proof) == (content.get(key) == claimed)
    assert StateProof.decode(proof.encode()) == proof


@any_time
@given(contents.filter(bool), keys, st.data())
def test_a_changed_proof_fails(content: dict[str, bytes], key: str, data: st.DataObject) -> None:
    tree = StateTree(content)
    proof, value = tree.prove(key), content.get(key)
    places = [("other", 0, 0)] if proof.other is not None else []
    for i, (_, hashes) in enumerate(proof.steps):
        places += [("bitmap", i, 0)] + [("hash", i, j) for j in range(len(hashes))]
    if not places:
        return
    kind, i, j = data.draw(st.sampled_from(places))
    if kind == "other":
        assert proof.other is not None
        changed = replace(proof, other=_flip(proof.other, data))
    else:
        bitmap, hashes = proof.steps[i]
        if kind == "bitmap":
            step = (bitmap ^ 1 << data.draw(st.integers(0, 17)), hashes)
        else:
            step = (bitmap, (*hashes[:j], _flip(hashes[j], data), *hashes[j + 1 :]))
        changed = replace(proof, steps=(*proof.steps[:i], step, *proof.steps[i + 1 :]))
    assert not verify_state(tree.root, key, value, changed)


def _flip(node: bytes, data: st.DataObject) -> bytes:
    changed = bytearray(node)
    changed[data.draw(st.integers(0, len(node) - 1))] ^= data.draw(st.integers(1, 255))
    return bytes(changed)


hashes = st.lists(st.binary(max_size=33), max_size=16).map(tuple)
steps = st.lists(st.tuples(st.integers(-1, 1 << 17), hashes), max_size=66).map(tuple)


@any_time
@given(
    st.binary(min_size=32, max_size=32),
    keys,
    st.none() | st.binary(max_size=3),
    steps,
    st.none() | st.binary(max_size=65),
)
def test_the_verifier_never_raises_and_never_believes_what_a_stranger_made_up(
    root: bytes,
    key: str,
    value: bytes | None,
    made_up: tuple[tuple[int, tuple[bytes, ...]], ...],
    other: bytes | None,
) -> None:
    believed = verify_state(root, key, value, StateProof(made_up, other))
    # The one thing anybody can say of the zero root: it has no keys.
    assert not believed or (root == bytes(32) and value is None)
