"""The Merkle log: roots, inclusion proofs, consistency proofs.

Rules (RFC 6962 section 2.1, RFC 9162 section 2.1):
- A leaf is `SHA-256(0x00 || data)`, a node `SHA-256(0x01 || left || right)`, the empty tree `SHA-256("")`.
- The left subtree of n leaves has the largest power of two below n.
- The log keeps the hash of every complete subtree, so that appending is O(1) amortized, and a root or
  proof at any size O(log n).
- There is no consistency proof from size 0: nothing would be proven.
- Hashes lie in runs; logs of a process share the runs that are alike, so that replicas of one log hold it once.
- A log may be entered at a size of which only the complete subtrees' hashes (its *frontier*) are known. It can be
  appended to and has its root; a proof that needs what lies before says that it is not there, until it was
  filled in, each piece verified against a hash that stands above it.
- Verifiers never raise on what a stranger sent: a proof that does not hold is False.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from weakref import ref

from ledger.errors import BadProofError, NoProofError

HASH_BYTES = 32
RUN_HASHES = 64
RUN_BYTES = RUN_HASHES * HASH_BYTES

_sha256 = hashlib.sha256
EMPTY_ROOT = _sha256(b"").digest()
_UNKNOWN = bytes(HASH_BYTES)


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of a leaf."""
    return _sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node."""
    return _sha256(b"\x01" + left + right).digest()


def root_of(hashes: Sequence[bytes]) -> bytes:
    """Return the root over leaf hashes."""
    if not hashes:
        return EMPTY_ROOT
    level = list(hashes)
    # Pairing level by level and lifting the odd one gives the same tree as RFC 6962's split.
    while len(level) > 1:
        paired = [_sha256(b"\x01" + level[i] + level[i + 1]).digest() for i in range(0, len(level) - 1, 2)]
        if len(level) % 2:
            paired.append(level[-1])
        level = paired
    return level[0]


def frontier_root(frontier: Sequence[bytes], size: int) -> bytes | None:
    """Return the root of the log of that size with those complete subtrees, largest first; None if they do not fit."""
    if len(frontier) != size.bit_count() or not _are_hashes(frontier):
        return None
    if not frontier:
        return EMPTY_ROOT
    result = frontier[-1]
    for subtree in reversed(frontier[:-1]):
        result = node_hash(subtree, result)
    return result


class _Run:
    """So many hashes in a row; nobody changes them."""

    __slots__ = ("__weakref__", "data")

    def __init__(self, data: bytes) -> None:
        self.data = data

    def __del__(self) -> None:
        del _shared[self.data]


_shared: dict[bytes, ref[_Run]] = {}
"""Every run of the process by what it holds, as long as a log has it."""


def _run(data: bytes) -> _Run:
    """Return the process' run that holds this."""
    known = _shared.get(data)
    run = None if known is None else known()
    if run is None:
        run = _Run(data)
        _shared[data] = ref(run)
    return run


class _Level:
    """The hashes of all complete subtrees of one height: whole runs, and what is left over."""

    __slots__ = ("_rest", "_runs")

    def __init__(self) -> None:
        self._runs: list[_Run] = []
        self._rest = bytearray()

    def __len__(self) -> int:
        return len(self._runs) * RUN_HASHES + len(self._rest) // HASH_BYTES

    def __getitem__(self, index: int) -> bytes:
        run, place = divmod(index, RUN_HASHES)
        held = self._runs[run].data if run < len(self._runs) else self._rest
        return bytes(held[place * HASH_BYTES : (place + 1) * HASH_BYTES])

    def put(self, index: int, pieces: Sequence[bytes]) -> None:
        """Put hashes in the place of those from an index on."""
        done = 0
        while done < len(pieces):
            run, place = divmod(index + done, RUN_HASHES)
            part = pieces[done : done + RUN_HASHES - place]
            held = bytearray(self._runs[run].data) if run < len(self._runs) else self._rest
            held[place * HASH_BYTES : (place + len(part)) * HASH_BYTES] = b"".join(part)
            if run < len(self._runs):
                self._runs[run] = _run(bytes(held))
            done += len(part)

    def extend_unknown(self, count: int) -> None:
        """Go on to so many hashes, of which none is known."""
        while len(self) % RUN_HASHES and len(self) < count:
            self.append(_UNKNOWN)
        self._runs += [_run(bytes(RUN_BYTES))] * max(0, (count - len(self)) // RUN_HASHES)
        while len(self) < count:
            self.append(_UNKNOWN)

    def append(self, piece: bytes) -> None:
        """Add a hash."""
        self._rest += piece
        if len(self._rest) == RUN_BYTES:
            self._runs.append(_run(bytes(self._rest)))
            self._rest.clear()


class MerkleLog:
    """An append-only tree in memory.

    Args:
        leaf_hashes: leaves to begin with.
    """

    __slots__ = ("_levels",)

    def __init__(self, leaf_hashes: Iterable[bytes] = ()) -> None:
        # _levels[h] holds the hashes of all complete subtrees of 2**h leaves.
        self._levels: list[_Level] = [_Level()]
        for leaf in leaf_hashes:
            self.append(leaf)

    @property
    def size(self) -> int:
        """The number of leaves."""
        return len(self._levels[0])

    def append(self, leaf: bytes) -> int:
        """Add a leaf hash; return its index.

        Raises:
            ValueError: if it is not 32 bytes.
        """
        if len(leaf) != HASH_BYTES:
            raise ValueError(f"a leaf hash has {HASH_BYTES} bytes, got {len(leaf)}; hash the leaf first")
        index = self.size
        self._levels[0].append(leaf)
        height, complete = 0, leaf
        # Every trailing one bit of the index is a subtree that this leaf completes.
        while index >> height & 1:
            complete = node_hash(self._levels[height][(index >> height) - 1], complete)
            height += 1
            if height == len(self._levels):
                self._levels.append(_Level())
            self._levels[height].append(complete)
        return index

    def leaf(self, index: int) -> bytes:
        """Return a leaf's hash.

        Raises:
            NoProofError: if the log has no such leaf.
        """
        if not 0 <= index < self.size:
            raise NoProofError(f"leaf {index} is not in a log of {self.size} leaves")
        return self._complete(0, index)

    def frontier(self, size: int | None = None) -> tuple[bytes, ...]:
        """Return the hashes of the complete subtrees that make up the log at a size, largest first.

        Raises:
            NoProofError: if the log never had that size, or does not know what it was then.
        """
        size = self._check_size(self.size if size is None else size)
        return tuple(self._complete(level, index) for level, index in _peaks(size))

    def skip(self, size: int, frontier: Sequence[bytes]) -> None:
        """Go on from a larger size of which only the frontier is known.

        Args:
            size: the new size.
            frontier: hashes of its complete subtrees, largest first, which the caller has verified.

        Raises:
            ValueError: if the size is not beyond this log's, or the frontier does not fit it.
        """
        if size <= self.size or frontier_root(frontier, size) is None:
            raise ValueError(
                f"a log of {self.size} leaves cannot go on at {size} with {len(frontier)} subtrees"
            )
        while len(self._levels) < size.bit_length():
            self._levels.append(_Level())
        for level, hashes in enumerate(self._levels):
            hashes.extend_unknown(size >> level)
        for (level, index), subtree in zip(_peaks(size), frontier, strict=True):
            self._put(level, index, subtree)

    def knows(self, level: int, index: int) -> bool:
        """Whether the hash of the complete subtree of 2**level leaves with that number is here."""
        return (
            0 <= level < len(self._levels)
            and 0 <= index < len(self._levels[level])
            and self._levels[level][index] != _UNKNOWN
        )

    def nodes(self, level: int, index: int, down: int) -> tuple[bytes, ...]:
        """Return the hashes `down` levels below a complete subtree, in order.

        Raises:
            NoProofError: if one of them is not here.
        """
        if not 0 <= down <= level or not self.knows(level, index):
            raise NoProofError(f"subtree {index} of 2**{level} leaves is not in a log of {self.size} leaves")
        first = index << down
        return tuple(self._complete(level - down, first + i) for i in range(1 << down))

    def fill(self, level: int, index: int, hashes: Sequence[bytes]) -> bool:
        """Fill in what lies some levels below a complete subtree whose hash is known.

        Args:
            level, index: the subtree.
            hashes: all its descendants of one level, in order: a power of two, at most 2**level.

        Returns:
            Whether they give the subtree's hash; nothing has changed if not.

        Raises:
            BadProofError: if they do, and yet contradict what this log has: it is no part of that one.
        """
        down = len(hashes).bit_length() - 1
        if (
            not hashes
            or len(hashes) != 1 << down
            or down > level
            or not _are_hashes(hashes)
            or not self.knows(level, index)
        ):
            return False
        rows = [list(hashes)]
        while len(rows[-1]) > 1:
            below = rows[-1]
            rows.append([node_hash(below[i], below[i + 1]) for i in range(0, len(below), 2)])
        if rows[-1][0] != self._complete(level, index):
            return False
        for height, row in enumerate(rows):
            here = self._levels[level - down + height]
            first = index << down - height
            for i, piece in enumerate(row):
                if here[first + i] not in {piece, _UNKNOWN}:
                    raise BadProofError(
                        f"subtree {first + i} of 2**{level - down + height} leaves is another here than in the log "
                        f"that was taken over: this node executed something else than was certified"
                    )
            here.put(first, row)
        return True

    def root(self, size: int | None = None) -> bytes:
        """Return the root of the whole log, or as it was at an earlier size.

        Raises:
            NoProofError: if the log never had that size.
        """
        size = self._check_size(self.size if size is None else size)
        return EMPTY_ROOT if size == 0 else self._range(0, size)

    def inclusion_proof(self, index: int, size: int | None = None) -> tuple[bytes, ...]:
        """Return the audit path of a leaf in the log at a size (RFC 6962 section 2.1.1).

        Raises:
            NoProofError: if that log has no such leaf.
        """
        size = self._check_size(self.size if size is None else size)
        if not 0 <= index < size:
            raise NoProofError(f"leaf {index} is not in a log of {size} leaves")
        path: list[bytes] = []
        low, high = 0, size
        while high - low > 1:
            middle = low + _split(high - low)
            if index < middle:
                path.append(self._range(middle, high))
                high = middle
            else:
                path.append(self._range(low, middle))
                low = middle
        return tuple(reversed(path))

    def consistency_proof(self, old: int, new: int | None = None) -> tuple[bytes, ...]:
        """Return the proof that the log at size `new` extends the log at size `old` (RFC 6962 section 2.1.2).

        Raises:
            NoProofError: if `old` is 0 or the sizes are no sizes of this log in that order.
        """
        new = self._check_size(self.size if new is None else new)
        if not 1 <= old <= new:
            raise NoProofError(f"no consistency proof from size {old} to {new}; take 1 <= old <= new")
        path: list[bytes] = []
        low, high, whole = 0, new, True  # whole: the old tree is all of this subtree, and its root is known
        while old != high:
            middle = low + _split(high - low)
            if old <= middle:
                path.append(self._range(middle, high))
                high = middle
            else:
                path.append(self._range(low, middle))
                low, whole = middle, False
        if not whole:
            path.append(self._range(low, high))
        return tuple(reversed(path))

    def _check_size(self, size: int) -> int:
        if not 0 <= size <= self.size:
            raise NoProofError(f"size {size} is outside the log's 0 .. {self.size}")
        return size

    def _put(self, level: int, index: int, subtree: bytes) -> None:
        self._levels[level].put(index, (subtree,))

    def _complete(self, height: int, index: int) -> bytes:
        found = self._levels[height][index]
        if found == _UNKNOWN:
            raise NoProofError(
                f"leaves {index << height} to {((index + 1) << height) - 1} are not here yet; they are being fetched"
            )
        return found

    def _range(self, low: int, high: int) -> bytes:
        """Return the hash over leaves low .. high - 1, `low` being where RFC 6962 splits."""
        result: bytes | None = None
        # From the smallest complete subtree at the right end to the largest at the left.
        while high > low:
            height = min((high & -high).bit_length(), (high - low).bit_length()) - 1
            subtree = self._complete(height, (high >> height) - 1)
            result = subtree if result is None else node_hash(subtree, result)
            high -= 1 << height
        if result is None:
            raise NoProofError("an empty range of leaves has no hash")
        return result


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Say whether a leaf is in the log of that size and root, at that index (RFC 9162 section 2.1.3.2)."""
    if not 0 <= index < size or not _are_hashes((leaf, root, *proof)):
        return False
    fn, sn, result = index, size - 1, leaf
    for sibling in proof:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            result = node_hash(sibling, result)
            while not fn & 1 and fn:
                fn >>= 1
                sn >>= 1
        else:
            result = node_hash(result, sibling)
        fn >>= 1
        sn >>= 1
    return sn == 0 and result == root


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Say whether the log of size `new` extends the log of size `old` (RFC 9162 section 2.1.4.2)."""
    if not 1 <= old <= new or not _are_hashes((old_root, new_root, *proof)):
        return False
    if old == new:
        return not proof and old_root == new_root
    path = list(proof)
    if old & (old - 1) == 0:
        path.insert(0, old_root)
    if not path:
        return False
    fn, sn = old - 1, new - 1
    while fn & 1:
        fn >>= 1
        sn >>= 1
    first = second = path[0]
    for sibling in path[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            first, second = node_hash(sibling, first), node_hash(sibling, second)
            while not fn & 1 and fn:
                fn >>= 1
                sn >>= 1
        else:
            second = node_hash(second, sibling)
        fn >>= 1
        sn >>= 1
    return sn == 0 and first == old_root and second == new_root


def _peaks(size: int) -> list[tuple[int, int]]:
    """Return level and number of the complete subtrees that make up a log of that size, largest first."""
    peaks: list[tuple[int, int]] = []
    begin = 0
    for level in range(size.bit_length() - 1, -1, -1):
        if size >> level & 1:
            peaks.append((level, begin >> level))
            begin += 1 << level
    return peaks


def _split(size: int) -> int:
    """Return the largest power of two below `size` (which is 2 or more)."""
    return 1 << (size - 1).bit_length() - 1


def _are_hashes(values: Sequence[bytes]) -> bool:
    return all(len(value) == HASH_BYTES for value in values)
