"""The state tree: one root over the whole world state, with proofs of what is in it and what is not.

Rules:
- A key's path is `SHA-256(key)`, 64 digits of 4 bits. A subtree without leaves is empty, one with a single
  leaf *is* that leaf, any other is an inner node of 16 children. So the shape, and the root, depend on the
  content alone and never on the order of changes.
- Hashes: empty is 32 zero bytes; a leaf `SHA-256(0x00 || path || SHA-256(value))`; an inner node
  `SHA-256(0x01 || the 16 children's hashes)`. The first byte keeps a leaf from passing for an inner node,
  the path in the leaf keeps it from passing for another key's.
- A proof is the siblings from the root down. Inclusion ends at the key's leaf; absence ends at an empty
  place or at another key's leaf that stands where this key's would.
- A block's changes are applied together, so that the upper nodes are hashed once.
- A node never changes: what an update touches is made anew. So a tree is kept as it stands at no cost (`freeze`), and
  all trees of a process share the nodes that are alike, by their hash: replicas of one state hold it once.
- Values stand beside their keys in the leaves, behind the leaf's hash and what it is over. An inner node keeps no hash
  but its own: its children have theirs.
- Verifiers never raise on what a stranger sent: a proof that does not hold is False.

Why 16 children: docs/decisions/0002-state-tree-width.md.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias
from weakref import ref

from ledger.encoding import decode, encode
from ledger.errors import BadProofError, EncodingError, MalformedError
from ledger.fields import Fields

WIDTH = 16
DIGITS = 64
PROOF_BYTES_MAX = 64 * 1024
EMPTY_HASH = bytes(32)

_sha256 = hashlib.sha256
_HEX_DIGITS = bytes.maketrans(b"0123456789abcdef", bytes(range(16)))


class _Inner:
    """An inner node: its children, and its hash; nobody changes any of them."""

    __slots__ = ("__weakref__", "children", "hash")

    def __init__(self, children: list[_Node], digest: bytes) -> None:
        self.children = children
        self.hash = digest

    def __del__(self) -> None:
        del _shared[self.hash]


_Node: TypeAlias = "_Inner | bytes | None"
"""Bytes are a leaf: its hash; its path and its value's hash, which that is over; its key's length, key and value."""
_Change: TypeAlias = tuple[bytes, bytes | None]  # digits of the path; the new leaf, or None to delete

_PATH_FROM = 32
_PATH_END = 64
_LEAF_HASHED_END = 96
_LENGTH_BYTES = 4
_KEY_FROM = _LEAF_HASHED_END + _LENGTH_BYTES
_INNER_HEAD = bytes([1])

_shared: dict[bytes, ref[_Inner]] = {}
"""Every inner node of the process by its hash, as long as a tree has it."""


@dataclass(frozen=True, slots=True)
class StateProof:
    """What a root says of one key.

    Attributes:
        steps: for each inner node from the root down, which of the 16 siblings are not empty (bit n for
            child n, the key's own left out) and their hashes in order.
        other: the leaf (path and value hash, 64 bytes) that stands where an absent key's would; None for a
            key that is present, or whose place is empty.
    """

    steps: tuple[tuple[int, tuple[bytes, ...]], ...]
    other: bytes | None = None

    def encode(self) -> bytes:
        """Return the canonical bytes."""
        return encode({"steps": self.steps, "other": self.other})

    @staticmethod
    def decode(data: bytes) -> StateProof:
        """Return the proof whose canonical bytes are `data`.

        Raises:
            BadProofError: if the bytes are no state proof.
        """
        try:
            fields = Fields(decode(data, limit_bytes=PROOF_BYTES_MAX), "state proof")
            steps: list[tuple[int, tuple[bytes, ...]]] = []
            for i, item in enumerate(fields.items("steps", DIGITS)):
                match item:
                    case [int(bitmap), list(siblings)]:
                        hashes = [sibling for sibling in siblings if type(sibling) is bytes]
                        if len(hashes) != len(siblings):
                            fields.refuse(f"steps[{i}]", "a sibling is no bytes")
                        steps.append((bitmap, tuple(hashes)))
                    case _:
                        fields.refuse(f"steps[{i}]", "expected [bitmap, [hash, ...]]")
            other = fields.optional_raw("other", size=64)
            fields.finish()
        except (EncodingError, MalformedError) as error:
            raise BadProofError(f"these bytes are no state proof: {error}") from error
        return StateProof(tuple(steps), other)


class StateTree:
    """The tree in memory.

    Args:
        items: keys and values to begin with.
    """

    __slots__ = ("_top",)

    def __init__(self, items: Mapping[str, bytes] | Iterable[tuple[str, bytes]] = ()) -> None:
        self._top: _Node = None
        self.update(dict(items))

    @property
    def root(self) -> bytes:
        """The root, 32 bytes."""
        return _hash(self._top)

    def get(self, key: str) -> bytes | None:
        """Return the value under a key, or None."""
        path = _sha256(key.encode()).digest()
        node = self._top
        depth = 0
        while isinstance(node, _Inner):
            byte = path[depth >> 1]
            node = node.children[byte & 15 if depth & 1 else byte >> 4]
            depth += 1
        return None if node is None or _path(node) != path else _read_leaf(node)[1]

    def items(self) -> Iterator[tuple[str, bytes]]:
        """Yield all keys and values in the order of their paths."""
        return Subtree(self._top).items()

    def update(self, changes: Mapping[str, bytes | None]) -> None:
        """Write values under keys, all at once; None deletes, present or not."""
        batch: list[_Change] = []
        for key, value in changes.items():
            name = key.encode()
            path = _sha256(name).digest()
            batch.append((_digits(path), None if value is None else _leaf(path, name, value)))
        if batch:
            batch.sort()  # paths differ, so leaves are never compared
            self._top = _merge(self._top, 0, batch)

    def freeze(self) -> Subtree:
        """Return the whole tree as it stands; later updates leave what is returned as it is."""
        return Subtree(self._top)

    def prove(self, key: str) -> StateProof:
        """Return the proof that a key has its value, or that it is absent."""
        path = _sha256(key.encode()).digest()
        digits = _digits(path)
        steps: list[tuple[int, tuple[bytes, ...]]] = []
        node = self._top
        while isinstance(node, _Inner):
            own = digits[len(steps)]
            bitmap = 0
            siblings: list[bytes] = []
            for digit, child in enumerate(node.children):
                if digit != own and child is not None:
                    bitmap |= 1 << digit
                    siblings.append(_hash(child))
            steps.append((bitmap, tuple(siblings)))
            node = node.children[own]
        other = node[_PATH_FROM:_LEAF_HASHED_END] if node is not None and _path(node) != path else None
        return StateProof(tuple(steps), other)


class Subtree:
    """A part of the tree: what stands at the first digits of a path.

    Args:
        node: its topmost node, of this module's own kinds.
    """

    __slots__ = ("_node",)

    def __init__(self, node: _Node) -> None:
        self._node = node

    @property
    def hash(self) -> bytes:
        """Its hash, 32 bytes; `EMPTY_HASH` if nothing is there."""
        return _hash(self._node)

    @property
    def is_inner(self) -> bool:
        """Whether it has two leaves or more."""
        return isinstance(self._node, _Inner)

    @property
    def hashes(self) -> tuple[bytes, ...]:
        """The hashes of its 16 children, none if it is no inner node."""
        node = self._node
        return tuple(map(_hash, node.children)) if isinstance(node, _Inner) else ()

    def descend(self, digits: bytes) -> Subtree:
        """Return the part under these next digits; empty where a leaf or nothing stands above it."""
        node = self._node
        for digit in digits:
            if not isinstance(node, _Inner):
                return Subtree(None)
            node = node.children[digit]
        return Subtree(node)

    def leaf_keys(self) -> Iterator[str]:
        """Yield the keys of its leaves in the order of their paths."""
        for key, _ in self.items():
            yield key

    def items(self) -> Iterator[tuple[str, bytes]]:
        """Yield keys and values of its leaves in the order of their paths."""
        pending: list[_Node] = [self._node]
        while pending:
            node = pending.pop()
            if isinstance(node, _Inner):
                pending.extend(reversed(node.children))
            elif node is not None:
                yield _read_leaf(node)


def subtree_hash(items: Iterable[tuple[str, bytes]], prefix: bytes) -> bytes | None:
    """Return the hash of the subtree that holds exactly these items.

    Args:
        items: keys and values.
        prefix: the digits at which the subtree stands.

    Returns:
        32 bytes, or None if a key's path does not begin with the prefix, or a key comes twice.
    """
    leaves: list[tuple[bytes, bytes]] = []
    for key, value in items:
        path = _sha256(key.encode()).digest()
        hashed = path + _sha256(value).digest()
        leaves.append((_digits(path), _leaf_hash(hashed) + hashed))
    leaves.sort()
    if any(not digits.startswith(prefix) for digits, _ in leaves):
        return None
    if any(leaves[i][0] == leaves[i - 1][0] for i in range(1, len(leaves))):
        return None
    return _hash(_build(leaves, len(prefix)))


def branch_hash(hashes: Sequence[bytes]) -> bytes | None:
    """Return the hash of the inner node whose 16 children have these hashes; None for any other number or size."""
    if len(hashes) != WIDTH or any(len(child) != 32 for child in hashes):
        return None
    return _sha256(b"\x01" + b"".join(hashes)).digest()


def verify_state(root: bytes, key: str, value: bytes | None, proof: StateProof) -> bool:
    """Say whether the state with that root has `value` under `key`, or, for None, nothing."""
    path = _sha256(key.encode()).digest()
    digits = _digits(path)
    depth = len(proof.steps)
    if depth > DIGITS:
        return False
    other = proof.other
    if value is not None:
        if other is not None:
            return False
        result = _leaf_hash(path + _sha256(value).digest())
    elif other is None:
        result = EMPTY_HASH
    elif len(other) == 64 and other[:32] != path and _digits(other[:32])[:depth] == digits[:depth]:
        result = _leaf_hash(other)
    else:
        return False
    for level in range(depth - 1, -1, -1):
        above = _fold(result, digits[level], *proof.steps[level])
        if above is None:
            return False
        result = above
    return result == root


def _fold(result: bytes, own: int, bitmap: int, siblings: tuple[bytes, ...]) -> bytes | None:
    """Return the hash of the inner node with `result` at place `own`, or None for a step of no such form."""
    if not 0 <= bitmap < 1 << WIDTH or bitmap >> own & 1 or bitmap.bit_count() != len(siblings):
        return None
    hashes = [EMPTY_HASH] * WIDTH
    hashes[own] = result
    left = iter(siblings)
    for digit in range(WIDTH):
        if bitmap >> digit & 1:
            sibling = next(left)
            # A sibling named as present but empty would give one proof several forms.
            if len(sibling) != 32 or sibling == EMPTY_HASH:
                return None
            hashes[digit] = sibling
    return _sha256(b"\x01" + b"".join(hashes)).digest()


def _digits(path: bytes) -> bytes:
    return path.hex().encode().translate(_HEX_DIGITS)


def _hash(node: _Node) -> bytes:
    if node is None:
        return EMPTY_HASH
    return node.hash if isinstance(node, _Inner) else node[:_PATH_FROM]


def _leaf_hash(hashed: bytes) -> bytes:
    """Return the hash of the leaf with this path and this hash of its value, one after the other."""
    return _sha256(b"\x00" + hashed).digest()


def _leaf(path: bytes, name: bytes, value: bytes) -> bytes:
    hashed = path + _sha256(value).digest()
    return b"".join((_leaf_hash(hashed), hashed, len(name).to_bytes(_LENGTH_BYTES, "big"), name, value))


def _path(leaf: bytes) -> bytes:
    return leaf[_PATH_FROM:_PATH_END]


def _read_leaf(leaf: bytes) -> tuple[str, bytes]:
    end = _KEY_FROM + int.from_bytes(leaf[_LEAF_HASHED_END:_KEY_FROM], "big")
    return leaf[_KEY_FROM:end].decode(), leaf[end:]


def _inner(children: list[_Node]) -> _Inner:
    """Return the inner node with these children, the process' one of its hash."""
    hashes = [
        EMPTY_HASH if child is None else child[:_PATH_FROM] if isinstance(child, bytes) else child.hash
        for child in children
    ]
    digest = _sha256(_INNER_HEAD + b"".join(hashes)).digest()
    known = _shared.get(digest)
    node = None if known is None else known()
    if node is None:
        node = _Inner(children, digest)
        _shared[digest] = ref(node)
    return node


def _merge(node: _Node, depth: int, batch: list[_Change]) -> _Node:
    """Return the subtree at `depth` after a sorted batch of changes."""
    if not isinstance(node, _Inner):
        leaves = [(digits, leaf) for digits, leaf in batch if leaf is not None]
        if node is not None:
            digits = _digits(_path(node))
            if all(changed != digits for changed, _ in batch):
                leaves.append((digits, node))
                leaves.sort()
        return _build(leaves, depth)
    children = node.children.copy()
    shrunk = False
    low, end = 0, len(batch)
    while low < end:
        digit = batch[low][0][depth]
        high = low + 1
        while high < end and batch[high][0][depth] == digit:
            high += 1
        part = batch if high - low == end else batch[low:high]
        child = children[digit] = _merge(children[digit], depth + 1, part)
        shrunk = shrunk or not isinstance(child, _Inner)
        low = high
    return _collapse(children) if shrunk else _inner(children)


def _collapse(children: list[_Node]) -> _Node:
    """Return what stands for an inner node that may have lost children: itself, its only leaf, or nothing."""
    only: _Node = None
    for child in children:
        if child is not None:
            if only is not None or not isinstance(child, bytes):
                return _inner(children)
            only = child
    return only


def _build(leaves: list[tuple[bytes, bytes]], depth: int) -> _Node:
    """Return the subtree of sorted leaves that share their first `depth` digits."""
    if len(leaves) < 2:
        return leaves[0][1] if leaves else None
    children: list[_Node] = [None] * WIDTH
    low, end = 0, len(leaves)
    while low < end:
        digit = leaves[low][0][depth]
        high = low + 1
        while high < end and leaves[high][0][depth] == digit:
            high += 1
        children[digit] = _build(leaves[low:high], depth + 1)
        low = high
    return _inner(children)
