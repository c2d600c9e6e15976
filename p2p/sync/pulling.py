"""Fetching a state, chunk by chunk; no I/O.

Rules:
- It begins at the certified root and goes down: each chunk is held against the hash that the one above it names, and
  names the hashes of those below it.
- What the own state has already is not asked for, nor what an earlier attempt left in the store: both are known by
  their hash, so a newer target costs only what differs.
- Where own and wanted state differ, what the own one has and the wanted one has not is deleted.
- Nothing is given out before all of it is here.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from ledger.errors import MalformedError
from ledger.state import Reader
from ledger.statechunks import Chunk
from ledger.statetree import EMPTY_HASH, WIDTH, Subtree


@dataclass(slots=True)
class StatePull:
    """One state being fetched.

    Attributes:
        root: of the state wanted.
        own: the tree of the state that is here; it must stay as it is.
        stored: returns the stored chunk with a hash, or None.
    """

    root: bytes
    own: Subtree
    stored: Callable[[bytes], bytes | None]
    fetched: int = 0
    reused: int = 0
    _wanted: deque[tuple[bytes, bytes]] = field(default_factory=deque)
    _asked: dict[bytes, bytes] = field(default_factory=dict)
    _leaves: list[tuple[bytes, bytes]] = field(default_factory=list)
    _obsolete: dict[str, None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._visit([(b"", self.root)])

    @property
    def is_whole(self) -> bool:
        """Whether everything is here."""
        return not self._wanted and not self._asked

    def next_places(self, count: int) -> list[bytes]:
        """Return places to ask for, at most `count`, and note that they are asked for."""
        places: list[bytes] = []
        while self._wanted and len(places) < count:
            place, expected = self._wanted.popleft()
            self._asked[place] = expected
            places.append(place)
        return places

    def lost(self, place: bytes) -> None:
        """Note that a place must be asked for again."""
        expected = self._asked.pop(place, None)
        if expected is not None:
            self._wanted.appendleft((place, expected))

    def take(self, place: bytes, data: bytes) -> bytes | None:
        """Take a chunk that was asked for.

        Returns:
            The hash under which to store it, or None if it does not hold; the place stays asked for then.
        """
        expected = self._asked.get(place)
        if expected is None:
            return None
        try:
            chunk = Chunk.decode(data)
        except MalformedError:
            return None
        if not chunk.holds(expected, place):
            return None
        del self._asked[place]
        self.fetched += 1
        self._visit(self._note(place, expected, chunk))
        return expected

    def changes(self, state: Reader) -> dict[str, bytes | None] | None:
        """Return what turns the own state into the wanted one.

        Args:
            state: the values that are here.

        Returns:
            Changed keys and values, None for a deletion; or None if a stored chunk is gone, which is wanted again.
        """
        fresh: dict[str, bytes] = {}
        for place, expected in self._leaves:
            data = self.stored(expected)
            if data is None:
                self._leaves = [leaf for leaf in self._leaves if leaf != (place, expected)]
                self._wanted.append((place, expected))
                return None
            fresh.update(Chunk.decode(data).items)
        changes: dict[str, bytes | None] = {key: None for key in self._obsolete if key not in fresh}
        changes |= {key: value for key, value in fresh.items() if state.get(key) != value}
        return changes

    def _visit(self, places: list[tuple[bytes, bytes]]) -> None:
        """Go down as far as what is here leads; what is not, is wanted."""
        pending = deque(places)
        while pending:
            place, expected = pending.popleft()
            if self.own.descend(place).hash == expected:
                self.reused += 1
                continue
            data = self.stored(expected)
            if data is None:
                self._wanted.append((place, expected))
            else:
                self.reused += 1
                pending.extend(self._note(place, expected, Chunk.decode(data)))

    def _note(self, place: bytes, expected: bytes, chunk: Chunk) -> list[tuple[bytes, bytes]]:
        """Note a chunk that holds; return the places below it."""
        own = self.own.descend(place)
        if not chunk.hashes:
            self._leaves.append((place, expected))
            self._obsolete |= dict.fromkeys(own.leaf_keys())
            return []
        if not own.is_inner:
            self._obsolete |= dict.fromkeys(own.leaf_keys())
        for digit in range(WIDTH):
            if chunk.hashes[digit] == EMPTY_HASH:
                self._obsolete |= dict.fromkeys(own.descend(bytes([digit])).leaf_keys())
        return list(chunk.children(place))
