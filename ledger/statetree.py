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
- `freeze` keeps the tree as it stands at no cost: what is changed afterwards is copied first, node by node, once.
- Verifiers never raise on what a stranger sent: a proof that does not hold is False.

Why 16 children: docs/decisions/0002-state-tree-width.md.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

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
    """An inner node: its children, the bytes that its hash is over, and the epoch it may be changed in."""

    __slots__ = ("children", "data", "epoch")

    def __init__(self, epoch: int) -> None:
        self.children: list[_Node] = [None] * WIDTH
        self.data = bytearray(1 + 32 * WIDTH)
        self.data[0] = 1
        self.epoch = epoch


_Node: TypeAlias = "_Inner | bytes | None"  # bytes: a leaf, its path, its value's hash, and its key
_Change: TypeAlias = tuple[bytes, bytes | None]  # digits of the path; the new leaf, or None to delete


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

    __slots__ = ("_epoch", "_top")

    def __init__(self, items: Mapping[str, bytes] | Iterable[tuple[str, bytes]] = ()) -> None:
        self._top: _Node = None
        self._epoch = 0
        self.update(dict(items))

    @property
    def root(self) -> bytes:
        """The root, 32 bytes."""
        return _hash(self._top)

    def update(self, changes: Mapping[str, bytes | None]) -> None:
        """Write values under keys, all at once; None deletes, present or not."""
        batch: list[_Change] = []
        for key, value in changes.items():
            name = key.encode()
            path = _sha256(name).digest()
            batch.append((_digits(path), None if value is None else path + _sha256(value).digest() + name))
        if batch:
            batch.sort()  # paths differ, so leaves are never compared
            self._top = _merge(self._top, 0, batch, self._epoch)

    def freeze(self) -> Subtree:
        """Return the whole tree as it stands; later updates leave what is returned as it is."""
        self._epoch += 1
        return Subtree(self._top)

    def subtree(self, prefix: bytes) -> Subtree:
        """Return what stands at a path's first digits now, good until the next update.

        Args:
            prefix: digits of the path, one per byte.
        """
        return Subtree(self._top).descend(prefix)

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
                    siblings.append(bytes(node.data[1 + 32 * digit : 33 + 32 * digit]))
            steps.append((bitmap, tuple(siblings)))
            node = node.children[own]
        other = node[:64] if node is not None and node[:32] != path else None
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
        if not isinstance(node, _Inner):
            return ()
        return tuple(bytes(node.data[1 + 32 * digit : 33 + 32 * digit]) for digit in range(WIDTH))

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
        pending: list[_Node] = [self._node]
        while pending:
            node = pending.pop()
            if isinstance(node, _Inner):
                pending.extend(reversed(node.children))
            elif node is not None:
                yield node[64:].decode()


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
        leaves.append((_digits(path), path + _sha256(value).digest()))
    leaves.sort()
    if any(not digits.startswith(prefix) for digits, _ in leaves):
        return None
    if any(leaves[i][0] == leaves[i - 1][0] for i in range(1, len(leaves))):
        return None
    return _hash(_build(leaves, len(prefix), 0))


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
        result = _hash(path + _sha256(value).digest())
    elif other is None:
        result = EMPTY_HASH
    elif len(other) == 64 and other[:32] != path and _digits(other[:32])[:depth] == digits[:depth]:
        result = _hash(other)
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
    return _sha256(b"\x00" + node[:64] if isinstance(node, bytes) else node.data).digest()


def _own(node: _Inner, epoch: int) -> _Inner:
    """Return a node that may be changed in this epoch: itself, or its copy."""
    if node.epoch == epoch:
        return node
    copy = _Inner.__new__(_Inner)
    copy.children = node.children.copy()
    copy.data = node.data.copy()
    copy.epoch = epoch
    return copy


def _merge(node: _Node, depth: int, batch: list[_Change], epoch: int) -> _Node:
    """Return the subtree at `depth` after a sorted batch of changes; this epoch's inner nodes change in place."""
    if not isinstance(node, _Inner):
        leaves = [(digits, leaf) for digits, leaf in batch if leaf is not None]
        if node is not None:
            digits = _digits(node[:32])
            if all(changed != digits for changed, _ in batch):
                leaves.append((digits, node))
                leaves.sort()
        return _build(leaves, depth, epoch)
    node = _own(node, epoch)
    children, data = node.children, node.data
    shrunk = False
    low, end = 0, len(batch)
    while low < end:
        digit = batch[low][0][depth]
        high = low + 1
        while high < end and batch[high][0][depth] == digit:
            high += 1
        part = batch if high - low == end else batch[low:high]
        child = children[digit] = _merge(children[digit], depth + 1, part, epoch)
        if child is None:
            shrunk = True
            data[1 + 32 * digit : 33 + 32 * digit] = EMPTY_HASH
        elif isinstance(child, bytes):
            shrunk = True
            data[1 + 32 * digit : 33 + 32 * digit] = _sha256(b"\x00" + child[:64]).digest()
        else:
            data[1 + 32 * digit : 33 + 32 * digit] = _sha256(child.data).digest()
        low = high
    return _collapse(node) if shrunk else node


def _collapse(node: _Inner) -> _Node:
    """Return what stands for an inner node that may have lost children: itself, its only leaf, or nothing."""
    only: _Node = None
    for child in node.children:
        if child is not None:
            if only is not None or not isinstance(child, bytes):
                return node
            only = child
    return only


def _build(leaves: list[tuple[bytes, bytes]], depth: int, epoch: int) -> _Node:
    """Return the subtree of sorted leaves that share their first `depth` digits."""
    if len(leaves) < 2:
        return leaves[0][1] if leaves else None
    node = _Inner(epoch)
    low, end = 0, len(leaves)
    while low < end:
        digit = leaves[low][0][depth]
        high = low + 1
        while high < end and leaves[high][0][depth] == digit:
            high += 1
        child = node.children[digit] = _build(leaves[low:high], depth + 1, epoch)
        node.data[1 + 32 * digit : 33 + 32 * digit] = _hash(child)
        low = high
    return node
