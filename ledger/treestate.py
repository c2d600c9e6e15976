"""The world state as the state tree holds it, read as contracts read.

Rules:
- The tree is the one place where values are; what was read lately is remembered beside it, as most is read again.
- Keeping the state as it stands is keeping the tree.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from ledger.encoding import Value
from ledger.state import read_map
from ledger.statetree import StateTree

RECENT_MAX = 2048
"""How many values are remembered; then all are forgotten at once."""


class TreeState:
    """The state over its tree.

    Args:
        items: keys and values to begin with.

    Attributes:
        tree: the tree; it changes with `apply` alone.
    """

    __slots__ = ("_recent", "tree")

    def __init__(self, items: Mapping[str, bytes] | Iterable[tuple[str, bytes]] = ()) -> None:
        self.tree = StateTree(items)
        self._recent: dict[str, bytes | None] = {}

    def get(self, key: str) -> bytes | None:
        """Return the value under a key, or None."""
        recent = self._recent
        if key in recent:
            return recent[key]
        value = self.tree.get(key)
        if len(recent) >= RECENT_MAX:
            recent.clear()
        recent[key] = value
        return value

    def get_map(self, key: str) -> dict[str, Value] | None:
        """Return the map under a key, or None."""
        return read_map(self, key)

    def apply(self, changes: Mapping[str, bytes | None]) -> None:
        """Write values, all at once; None deletes."""
        self.tree.update(changes)
        recent = self._recent
        for key, value in changes.items():
            if key in recent:
                recent[key] = value

    def items(self) -> Iterator[tuple[str, bytes]]:
        """Yield all keys and values in the order of the keys."""
        yield from sorted(self.tree.items())

    def __len__(self) -> int:
        return sum(1 for _ in self.tree.items())

    def __contains__(self, key: str) -> bool:
        return self.get(key) is not None
