"""The Merkle log against published vectors, and against trees written straight from the definition."""

from __future__ import annotations

import hashlib
import time

import pytest

from ledger import merkle
from ledger.errors import NoProofError
from ledger.merkle import (
    EMPTY_ROOT,
    MerkleLog,
    frontier_root,
    leaf_hash,
    node_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)

# The known answers of Certificate Transparency's reference implementation (merkle_tree_test).
LEAVES = [
    bytes.fromhex(data)
    for data in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
A = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
B = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
C = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"
D = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
E = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
F = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"
G = "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f"
INCLUSION = {  # (index, size)
    (0, 1): [],
    (0, 8): [A, B, C],
    (5, 8): [D, E, ROOTS[4]],
    (2, 3): [ROOTS[2]],
    (1, 5): [ROOTS[1], B, D],
}
CONSISTENCY = {  # (old size, new size)
    (1, 1): [],
    (1, 8): [A, B, C],
    (6, 8): [F, E, ROOTS[4]],
    (2, 5): [B, D],
    (6, 7): [F, G, ROOTS[4]],
}


def _log(count: int) -> MerkleLog:
    return MerkleLog(leaf_hash(b"%d" % i) for i in range(count))


def _root_by_definition(hashes: list[bytes]) -> bytes:
    """RFC 6962 section 2.1: MTH."""
    if not hashes:
        return hashlib.sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    k = 1
    while k * 2 < len(hashes):
        k *= 2
    return node_hash(_root_by_definition(hashes[:k]), _root_by_definition(hashes[k:]))


def test_leaf_and_node_hashes_are_those_of_rfc_6962() -> None:
    assert leaf_hash(b"data") == hashlib.sha256(b"\x00data").digest()
    assert node_hash(b"l" * 32, b"r" * 32) == hashlib.sha256(b"\x01" + b"l" * 32 + b"r" * 32).digest()
    assert hashlib.sha256(b"").digest() == EMPTY_ROOT


@pytest.mark.parametrize("size", range(9))
def test_roots_are_the_published_ones(size: int) -> None:
    hashes = [leaf_hash(data) for data in LEAVES]
    log = MerkleLog(hashes)
    assert log.root(size).hex() == ROOTS[size]
    assert MerkleLog(hashes[:size]).root().hex() == ROOTS[size]
    assert root_of(hashes[:size]).hex() == ROOTS[size]


@pytest.mark.parametrize(("index", "size"), INCLUSION)
def test_inclusion_proofs_are_the_published_ones(index: int, size: int) -> None:
    log = MerkleLog(leaf_hash(data) for data in LEAVES)
    proof = log.inclusion_proof(index, size)
    assert [node.hex() for node in proof] == INCLUSION[index, size]
    assert verify_inclusion(leaf_hash(LEAVES[index]), index, size, proof, bytes.fromhex(ROOTS[size]))


@pytest.mark.parametrize(("old", "new"), CONSISTENCY)
def test_consistency_proofs_are_the_published_ones(old: int, new: int) -> None:
    log = MerkleLog(leaf_hash(data) for data in LEAVES)
    proof = log.consistency_proof(old, new)
    assert [node.hex() for node in proof] == CONSISTENCY[old, new]
    assert verify_consistency(old, new, bytes.fromhex(ROOTS[old]), bytes.fromhex(ROOTS[new]), proof)


def test_roots_at_every_size_follow_the_definition() -> None:
    hashes = [leaf_hash(b"%d" % i) for i in range(70)]
    log = MerkleLog(hashes)
    for size in range(71):
        expected = _root_by_definition(hashes[:size])
        assert log.root(size) == expected
        assert root_of(hashes[:size]) == expected


def test_every_proof_of_small_logs_verifies_and_for_its_own_place_only() -> None:
    log = _log(17)
    for size in range(1, 18):
        root = log.root(size)
        for index in range(size):
            proof = log.inclusion_proof(index, size)
            for other in range(size):
                holds = verify_inclusion(log.leaf(index), other, size, proof, root)
                assert holds == (other == index)
    for new in range(1, 18):
        for old in range(1, new + 1):
            proof = log.consistency_proof(old, new)
            for claimed in range(1, new + 1):
                holds = verify_consistency(claimed, new, log.root(claimed), log.root(new), proof)
                assert holds == (claimed == old)


def test_a_proof_that_is_changed_shortened_or_lengthened_fails() -> None:
    log = _log(13)
    for index in range(13):
        proof = log.inclusion_proof(index)
        for spoilt in _spoilt(proof):
            assert not verify_inclusion(log.leaf(index), index, 13, spoilt, log.root())
        assert not verify_inclusion(leaf_hash(b"x"), index, 13, proof, log.root())
        assert not verify_inclusion(log.leaf(index), index, 13, proof, log.root(12))
    for old in range(1, 14):
        proof = log.consistency_proof(old)
        for spoilt in _spoilt(proof):
            assert not verify_consistency(old, 13, log.root(old), log.root(), spoilt)
        assert not verify_consistency(old, 13, bytes(32), log.root(), proof)
        assert not verify_consistency(old, 13, log.root(old), bytes(32), proof)


def _spoilt(proof: tuple[bytes, ...]) -> list[tuple[bytes, ...]]:
    spoilt = [(*proof, bytes(32)), (bytes(32), *proof)]
    for i, node in enumerate(proof):
        spoilt.append((*proof[:i], bytes([node[0] ^ 1]) + node[1:], *proof[i + 1 :]))
        spoilt.append((*proof[:i], *proof[i + 1 :]))
        spoilt.append((*proof[:i], node[:31], *proof[i + 1 :]))
    return spoilt


def test_an_inner_node_does_not_pass_for_a_leaf() -> None:
    log = _log(4)
    left, right = node_hash(log.leaf(0), log.leaf(1)), node_hash(log.leaf(2), log.leaf(3))
    forged = leaf_hash(log.leaf(0) + log.leaf(1))
    assert forged != left
    assert not verify_inclusion(forged, 0, 2, [right], log.root())


def test_nothing_is_consistent_with_size_0() -> None:
    log = _log(3)
    with pytest.raises(NoProofError, match="no consistency proof from size 0 to 3; take 1 <= old <= new"):
        log.consistency_proof(0)
    assert not verify_consistency(0, 3, EMPTY_ROOT, log.root(), [])
    assert not verify_consistency(0, 0, EMPTY_ROOT, EMPTY_ROOT, [])


def test_equal_sizes_need_equal_roots_and_an_empty_proof() -> None:
    log = _log(5)
    assert log.consistency_proof(5) == ()
    assert verify_consistency(5, 5, log.root(), log.root(), [])
    assert not verify_consistency(5, 5, log.root(), log.root(), [log.root()])
    assert not verify_consistency(5, 5, log.root(4), log.root(), [])


def test_questions_outside_the_log_are_refused_by_name() -> None:
    log = _log(3)
    for ask, message in (
        (lambda: log.root(4), r"size 4 is outside the log's 0 \.\. 3"),
        (lambda: log.root(-1), r"size -1 is outside"),
        (lambda: log.leaf(3), "leaf 3 is not in a log of 3 leaves"),
        (lambda: log.inclusion_proof(3), "leaf 3 is not in a log of 3 leaves"),
        (lambda: log.inclusion_proof(2, 2), "leaf 2 is not in a log of 2 leaves"),
        (lambda: log.inclusion_proof(-1), "leaf -1 is not in a log"),
        (lambda: log.consistency_proof(3, 2), "no consistency proof from size 3 to 2"),
        (lambda: log.consistency_proof(1, 9), r"size 9 is outside"),
    ):
        with pytest.raises(NoProofError, match=message):
            ask()
    assert not verify_inclusion(log.leaf(0), -1, 3, [], log.root())
    assert not verify_inclusion(log.leaf(0), 3, 3, [], log.root())
    assert not verify_consistency(3, 2, log.root(3), log.root(2), [])


def test_a_leaf_is_appended_by_its_hash_only() -> None:
    log = MerkleLog()
    with pytest.raises(ValueError, match="32 bytes, got 4; hash the leaf first"):
        log.append(b"leaf")
    assert log.append(leaf_hash(b"leaf")) == 0
    assert log.size == 1


def test_a_proof_for_one_size_proves_nothing_at_another() -> None:
    log = _log(9)
    leaf, root = log.leaf(1), log.root(2)
    assert not verify_inclusion(leaf, 0, 1, [log.leaf(0)], root)  # more hashes than the size has levels
    assert not verify_inclusion(leaf, 5, 1, [], leaf)  # an index beyond the size
    proof = log.consistency_proof(4, 8)
    assert verify_consistency(4, 8, log.root(4), log.root(8), proof)
    assert not verify_consistency(
        4, 9, log.root(4), log.root(8), proof
    )  # fewer hashes than the size has levels


def test_a_root_or_proof_costs_the_logarithm_of_the_size(monkeypatch) -> None:
    log = _log(5000)
    hashed = 0

    def counting(left: bytes, right: bytes) -> bytes:
        nonlocal hashed
        hashed += 1
        return node_hash(left, right)

    monkeypatch.setattr("ledger.merkle.node_hash", counting)
    for ask in (
        log.root,
        lambda: log.root(4095),
        lambda: log.inclusion_proof(4999),
        lambda: log.consistency_proof(4097),
    ):
        hashed = 0
        ask()
        assert hashed <= 13


@pytest.mark.slow
def test_appending_is_cheap() -> None:
    log = MerkleLog()
    leaf = leaf_hash(b"")
    started = time.process_time()
    for _ in range(50_000):
        log.append(leaf)
    assert (time.process_time() - started) / 50_000 < 20e-6


FIVE = [leaf_hash(b"%d" % i) for i in range(5)]


def _skipped(before: int, at: int, size: int) -> tuple[MerkleLog, MerkleLog]:
    """Return a whole log, and one that knows its first leaves and, from `at` on, all that came later."""
    hashes = [leaf_hash(b"%d" % i) for i in range(size)]
    log = MerkleLog(hashes[:before])
    log.skip(at, MerkleLog(hashes[:at]).frontier())
    for leaf in hashes[at:]:
        log.append(leaf)
    return MerkleLog(hashes), log


@pytest.mark.parametrize(
    ("before", "at", "size"), [(0, 1, 1), (0, 13, 13), (5, 13, 40), (8, 9, 64), (3, 64, 100)]
)
def test_a_log_entered_by_its_frontier_goes_on_as_the_whole_one(before, at, size):
    whole, log = _skipped(before, at, size)
    assert log.size == size
    assert all(log.root(n) == whole.root(n) for n in range(at, size + 1))
    assert frontier_root(log.frontier(at), at) == whole.root(at)
    if before < at - 1:
        with pytest.raises(NoProofError, match="being fetched"):
            log.leaf(before)


@pytest.mark.parametrize(("before", "at", "size"), [(0, 13, 40), (5, 100, 130), (64, 100, 100)])
def test_a_gap_is_filled_from_the_top_down_and_is_then_whole(before, at, size):
    whole, log = _skipped(before, at, size)
    for level in range(6, -1, -1):
        for index in range(size >> level):
            if log.knows(level, index) and level:
                assert log.fill(level, index, whole.nodes(level, index, 1))
    assert [log.leaf(i) for i in range(size)] == [whole.leaf(i) for i in range(size)]
    assert log.inclusion_proof(before, size) == whole.inclusion_proof(before, size)
    assert log.consistency_proof(1, size) == whole.consistency_proof(1, size)


def test_several_levels_are_filled_at_once():
    whole, log = _skipped(0, 64, 70)
    assert log.fill(6, 0, whole.nodes(6, 0, 6))
    assert log.inclusion_proof(17) == whole.inclusion_proof(17)


def test_what_does_not_give_the_hash_above_fills_nothing():
    whole, log = _skipped(0, 64, 70)
    good = whole.nodes(6, 0, 6)
    swapped = (good[1], good[0], *good[2:])
    for wrong in (swapped, good[:32], good[:63], (), (good[0][:31], *good[1:]), good * 2):
        assert not log.fill(6, 0, wrong)
    assert not log.fill(5, 0, whole.nodes(5, 0, 5))  # what stands there is not known yet
    assert not log.knows(0, 0)
    with pytest.raises(NoProofError):
        log.nodes(6, 0, 1)


@pytest.mark.parametrize(("size", "count"), [(5, 2), (3, 2), (6, 1), (6, 3)])
def test_a_log_skips_forward_only_and_only_to_a_frontier_that_fits(size, count):
    log = MerkleLog(FIVE[:5])
    with pytest.raises(ValueError, match="cannot go on"):
        log.skip(size, FIVE[:count])
    assert frontier_root(FIVE[:3], 6) is None
    assert frontier_root((), 0) == EMPTY_ROOT


def test_logs_share_what_is_alike_and_part_where_they_differ() -> None:
    before = len(merkle._shared)
    leaves = [leaf_hash(b"%d" % i) for i in range(5 * merkle.RUN_HASHES + 7)]
    one = MerkleLog(leaves)
    alone = len(merkle._shared)
    assert alone > before
    other = MerkleLog(leaves)
    assert len(merkle._shared) == alone
    other.append(leaf_hash(b"one more"))
    assert other.root(one.size) == one.root()
    third = MerkleLog([leaf_hash(b"another"), *leaves[1:]])
    assert len(merkle._shared) > alone
    assert third.root() != one.root()
    del one, other, third
    assert len(merkle._shared) == before


@pytest.mark.parametrize("begun", [0, 1, 63, 64, 65])
@pytest.mark.parametrize("more", [1, 63, 64, 200])
def test_what_a_log_skips_is_filled_in_across_runs(begun: int, more: int) -> None:
    leaves = [leaf_hash(b"%d" % i) for i in range(begun + more + 256)]
    whole = MerkleLog(leaves)
    size = begun + more
    log = MerkleLog(leaves[:begun])
    log.skip(size, whole.frontier(size))
    assert log.root() == whole.root(size)
    for leaf in leaves[size:]:
        log.append(leaf)
    assert log.root() == whole.root()
    for level in range(size.bit_length()):
        if size >> level & 1:
            index = (size >> level + 1) << 1
            assert log.fill(level, index, leaves[index << level : (index + 1) << level])
    assert [log.leaf(i) for i in range(log.size)] == leaves
    assert all(log.inclusion_proof(i) == whole.inclusion_proof(i) for i in range(log.size))
