"""The Merkle log at sizes and places that nobody chose."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.merkle import MerkleLog, leaf_hash, root_of, verify_consistency, verify_inclusion

any_time = settings(deadline=None)  # a busy machine is no failure

LOG = MerkleLog(leaf_hash(b"%d" % i) for i in range(300))
sizes = st.integers(1, LOG.size)


def _changed(proof: tuple[bytes, ...], data: st.DataObject) -> tuple[bytes, ...]:
    """Return the proof with one byte changed, one hash removed, doubled or swapped."""
    position = data.draw(st.integers(0, len(proof) - 1))
    node = bytearray(proof[position])
    node[data.draw(st.integers(0, 31))] ^= data.draw(st.integers(1, 255))
    before, after = proof[:position], proof[position + 1 :]
    changes = [
        (*before, bytes(node), *after),
        (*before, *after),
        (*before, proof[position], *proof[position:]),
    ]
    return data.draw(st.sampled_from(changes))


@any_time
@given(st.data(), sizes)
def test_inclusion_proofs_hold_for_their_leaf_and_place_only(data: st.DataObject, size: int) -> None:
    index = data.draw(st.integers(0, size - 1))
    other = data.draw(st.integers(0, size - 1))
    root, proof = LOG.root(size), LOG.inclusion_proof(index, size)
    assert verify_inclusion(LOG.leaf(index), index, size, proof, root)
    if other != index:
        assert not verify_inclusion(LOG.leaf(other), index, size, proof, root)
        assert not verify_inclusion(LOG.leaf(index), other, size, proof, root)
    if proof:
        assert not verify_inclusion(LOG.leaf(index), index, size, _changed(proof, data), root)


@any_time
@given(st.data(), sizes)
def test_consistency_proofs_hold_for_their_sizes_and_roots_only(data: st.DataObject, new: int) -> None:
    old = data.draw(st.integers(1, new))
    proof = LOG.consistency_proof(old, new)
    assert verify_consistency(old, new, LOG.root(old), LOG.root(new), proof)
    other = data.draw(sizes)
    if other != old:
        assert not verify_consistency(old, new, LOG.root(other), LOG.root(new), proof)
    if other != new:
        assert not verify_consistency(old, new, LOG.root(old), LOG.root(other), proof)
    if proof:
        assert not verify_consistency(old, new, LOG.root(old), LOG.root(new), _changed(proof, data))


@any_time
@given(st.lists(st.binary(max_size=8), min_size=1, max_size=40), st.data())
def test_a_log_that_rewrote_its_past_has_no_consistency_proof(
    leaves: list[bytes], data: st.DataObject
) -> None:
    hashes = [leaf_hash(leaf) for leaf in leaves]
    honest = MerkleLog(hashes)
    old = data.draw(st.integers(1, len(hashes)))
    rewritten = list(hashes)
    rewritten[data.draw(st.integers(0, old - 1))] = leaf_hash(b"another, and longer than any drawn")
    fork = MerkleLog(rewritten)
    for proof in (honest.consistency_proof(old), fork.consistency_proof(old)):
        assert not verify_consistency(old, len(hashes), honest.root(old), fork.root(), proof)


@any_time
@given(st.lists(st.binary(max_size=8), max_size=40))
def test_appending_one_by_one_and_at_once_give_the_same_roots(leaves: list[bytes]) -> None:
    hashes = [leaf_hash(leaf) for leaf in leaves]
    log = MerkleLog()
    for size, leaf in enumerate(hashes):
        assert log.root() == root_of(hashes[:size])
        log.append(leaf)
    assert log.root() == root_of(hashes)


@any_time
@given(
    st.integers(0, 2**64),
    st.integers(0, 2**64),
    st.lists(st.binary(max_size=33), max_size=70),
    st.binary(max_size=33),
)
def test_verifiers_never_raise_on_what_a_stranger_sent(
    first: int, second: int, proof: list[bytes], node: bytes
) -> None:
    assert verify_inclusion(node, first, second, proof, node) in (True, False)
    assert verify_consistency(first, second, node, node, proof) in (True, False)
