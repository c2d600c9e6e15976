"""The state in chunks: each verifies by itself against the hash that its parent names.

Rules:
- A chunk answers for one place in the state tree, a path's first digits: it is the 16 hashes of the inner node
  there, or, where all that stands below fits, the items themselves.
- Who has a place's hash from the chunk above it, and the root from a certificate, knows at once whether a chunk is
  right, whoever sent it and in whatever order they come.
- A chunk is known by its hash alone: two states share every chunk in which they do not differ.
- Verifiers never raise on what a stranger sent: a chunk that does not hold is False.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from ledger.encoding import decode, encode
from ledger.errors import EncodingError, MalformedError
from ledger.fields import Fields
from ledger.state import VALUE_BYTES_MAX
from ledger.statetree import DIGITS, EMPTY_HASH, WIDTH, Subtree, branch_hash, subtree_hash

CHUNK_BYTES_AIMED = 256 * 1024
"""Items below a place are sent whole up to this many bytes of keys and values; one item may be larger."""

CHUNK_BYTES_MAX = 2 * VALUE_BYTES_MAX
_ITEM_OVERHEAD_BYTES = 16


@dataclass(frozen=True, slots=True)
class Chunk:
    """What stands at one place of the state tree: either a branch or items.

    Attributes:
        hashes: of the inner node's 16 children; empty for items.
        items: all keys and values below, in the order of their paths; empty for a branch.
    """

    hashes: tuple[bytes, ...] = ()
    items: tuple[tuple[str, bytes], ...] = ()

    def encode(self) -> bytes:
        """Return the canonical bytes."""
        return encode({"hashes": self.hashes, "items": self.items})

    @staticmethod
    def decode(data: bytes) -> Chunk:
        """Return the chunk whose canonical bytes are `data`.

        Raises:
            MalformedError: if the bytes are no chunk.
        """
        try:
            fields = Fields(decode(data, limit_bytes=CHUNK_BYTES_MAX), "state chunk")
            hashes: list[bytes] = []
            for item in fields.items("hashes", WIDTH):
                match item:
                    case bytes(child):
                        hashes.append(child)
                    case _:
                        fields.refuse("hashes", "expected bytes")
            items: list[tuple[str, bytes]] = []
            for item in fields.items("items", CHUNK_BYTES_MAX):
                match item:
                    case [str(key), bytes(value)]:
                        items.append((key, value))
                    case _:
                        fields.refuse("items", "expected [key, value]")
            fields.finish()
        except EncodingError as error:
            raise MalformedError(f"these bytes are no state chunk: {error}") from error
        return Chunk(tuple(hashes), tuple(items))

    def holds(self, expected: bytes, prefix: bytes) -> bool:
        """Say whether this is what stands at a place.

        Args:
            expected: the hash of that place, as its parent or the certificate names it.
            prefix: the path's digits up to there.
        """
        if self.hashes:
            return not self.items and branch_hash(self.hashes) == expected
        return bool(self.items) and subtree_hash(self.items, prefix) == expected

    def children(self, prefix: bytes) -> Iterator[Place]:
        """Yield the places below a branch that are not empty."""
        for digit, child in enumerate(self.hashes):
            if child != EMPTY_HASH:
                yield prefix + bytes([digit]), child


Place: TypeAlias = tuple[bytes, bytes]
"""A path's first digits, one per byte, and the hash of what stands there."""


@dataclass(frozen=True, slots=True)
class FrozenState:
    """A state as it stood at one height.

    Attributes:
        height: of the block after which it stood so.
        tree: the whole tree.
    """

    height: int
    tree: Subtree

    @property
    def root(self) -> bytes:
        """The state root."""
        return self.tree.hash

    def chunk(self, prefix: bytes, bytes_aimed: int = CHUNK_BYTES_AIMED) -> Chunk | None:
        """Return the chunk at a place, or None if nothing stands there.

        Args:
            prefix: the path's digits up to there.
            bytes_aimed: send the items themselves up to this size.
        """
        subtree = self.tree.descend(prefix)
        if subtree.hash == EMPTY_HASH:
            return None
        items: list[tuple[str, bytes]] = []
        size = 0
        for key, value in subtree.items():
            items.append((key, value))
            size += len(key) + len(value) + _ITEM_OVERHEAD_BYTES
            if size > bytes_aimed and subtree.is_inner:
                return Chunk(hashes=subtree.hashes)
        return Chunk(items=tuple(items))


def is_place(prefix: bytes) -> bool:
    """Say whether these are digits of a path."""
    return len(prefix) <= DIGITS and all(digit < WIDTH for digit in prefix)
