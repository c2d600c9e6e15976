"""Which width of a compact sparse Merkle tree is cheapest in Python?

A tree of any width, written for measuring: the same code with 1, 2, 4 or 8 bits a level. The figures behind
docs/decisions/0002-state-tree-width.md come from running this file; the tests use it as the model of the
tree that was chosen.

    python tests/ledger/state_tree_widths.py
"""

from __future__ import annotations

import hashlib
import random
import time
from itertools import groupby

Leaf = tuple[bytes, bytes]  # (digits of the path, path and value hash)


class Node:
    """An inner node: its children, and the bytes that are hashed."""

    __slots__ = ("children", "data")

    def __init__(self, width: int) -> None:
        self.children: list[Node | bytes | None] = [None] * width
        self.data = bytearray(b"\x01" + bytes(32 * width))


class WideTree:
    """A compact sparse Merkle tree with `bits` bits of the path a level."""

    def __init__(self, bits: int) -> None:
        self.bits = bits
        self.width = 1 << bits
        self.top: Node | bytes | None = None

    def digits(self, path: bytes) -> bytes:
        if self.bits == 8:
            return path
        if self.bits == 4:
            return path.hex().encode().translate(_HEX)
        if self.bits == 1:
            return format(int.from_bytes(path, "big"), "0256b").encode().translate(_BINARY)
        return b"".join([_QUARTERS[byte] for byte in path])

    @property
    def root(self) -> bytes:
        return digest(self.top)

    def update(self, changes: dict[str, bytes | None]) -> None:
        batch: list[tuple[bytes, bytes | None]] = []
        for key, value in changes.items():
            path = hashlib.sha256(key.encode()).digest()
            leaf = None if value is None else path + hashlib.sha256(value).digest()
            batch.append((self.digits(path), leaf))
        batch.sort(key=lambda change: change[0])
        self.top = self._merge(self.top, 0, batch)

    def _merge(
        self, node: Node | bytes | None, depth: int, batch: list[tuple[bytes, bytes | None]]
    ) -> Node | bytes | None:
        if not isinstance(node, Node):
            leaves = {digits: leaf for digits, leaf in batch if leaf is not None}
            if node is not None:
                digits = self.digits(node[:32])
                if all(changed != digits for changed, _ in batch):
                    leaves[digits] = node
            return self._build(sorted(leaves.items()), depth)
        shrunk = False
        children, data = node.children, node.data
        for digit, group in groupby(batch, key=lambda change: change[0][depth]):
            new = self._merge(children[digit], depth + 1, list(group))
            shrunk = shrunk or not isinstance(new, Node)
            children[digit] = new
            data[1 + 32 * digit : 33 + 32 * digit] = digest(new)
        if shrunk:
            left = [child for child in children if child is not None]
            if not left:
                return None
            if len(left) == 1 and isinstance(left[0], bytes):
                return left[0]
        return node

    def _build(self, leaves: list[Leaf], depth: int) -> Node | bytes | None:
        if len(leaves) <= 1:
            return leaves[0][1] if leaves else None
        node = Node(self.width)
        for digit, group in groupby(leaves, key=lambda leaf: leaf[0][depth]):
            node.children[digit] = child = self._build(list(group), depth + 1)
            node.data[1 + 32 * digit : 33 + 32 * digit] = digest(child)
        return node

    def proof_bytes(self, key: str) -> int:
        """Return the size of the siblings on the way to a key, empty ones left out."""
        digits = self.digits(hashlib.sha256(key.encode()).digest())
        node, depth, size = self.top, 0, 0
        while isinstance(node, Node):
            size += 32 * (sum(child is not None for child in node.children) - 1)
            node, depth = node.children[digits[depth]], depth + 1
        return size


def digest(node: Node | bytes | None) -> bytes:
    if node is None:
        return bytes(32)
    return hashlib.sha256(b"\x00" + node if isinstance(node, bytes) else node.data).digest()


_QUARTERS = [bytes(byte >> shift & 3 for shift in (6, 4, 2, 0)) for byte in range(256)]
_HEX = bytes.maketrans(b"0123456789abcdef", bytes(range(16)))
_BINARY = bytes.maketrans(b"01", bytes(2))[:48] + bytes([0, 1]) + bytes(206)


def main() -> None:
    """Measure and print a table."""
    print("bits  build us/key  update us/key  proof bytes")
    for bits in (1, 2, 4, 8):
        build, update, proof = map(min, zip(*(measure(bits) for _ in range(5)), strict=True))
        print(f"{bits:4}  {build:12.1f}  {update:13.1f}  {proof:11.0f}")


def measure(bits: int, keys: int = 10_000, batches: int = 50, batch: int = 100) -> tuple[float, float, float]:
    chance = random.Random(7)
    tree = WideTree(bits)
    started = time.process_time()
    tree.update({f"claim/{i}": b"%d" % i for i in range(keys)})
    built = time.process_time()
    for round_number in range(batches):
        drawn = [chance.randrange(2 * keys) for _ in range(batch)]
        tree.update({f"claim/{i}": None if i % 5 == 0 else b"%d.%d" % (i, round_number) for i in drawn})
    updated = time.process_time()
    size = sum(tree.proof_bytes(f"claim/{chance.randrange(keys)}") for _ in range(500)) / 500
    return (built - started) / keys * 1e6, (updated - built) / (batches * batch) * 1e6, size


if __name__ == "__main__":
    main()
