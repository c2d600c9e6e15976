"""Which store every peer's node had when this node first met it: one that lost its store is not that node any more.

Rules:
- A store is given a random id when it is made, and a node shows it in its signed hello.
- The first id seen of an incarnation is kept, durably, before the link opens: what the node acknowledges over it can
  be asked of that store only.
- Another id under the same incarnation is refused: the store was lost, and with it what the node had promised
  (etcd#20269). The organization registers the next incarnation.
- Incarnations that were replaced are forgotten when the next one is met.
"""

from __future__ import annotations

from typing import cast

import msgpack

from p2p.hello import Opening


class Met:
    """The stores of the peers this node has met.

    Args:
        data: as `pack` gave it; empty for a new node.
    """

    def __init__(self, data: bytes) -> None:
        self._stores: dict[str, tuple[int, bytes]] = {}
        if data:
            for organization, incarnation, store_id in msgpack.unpackb(data):
                self._stores[organization] = (incarnation, store_id)

    def refusal(self, opening: Opening) -> str | None:
        """Return why an opening's store is not the one that was met, or None if it is, or is the first."""
        incarnation, store_id = self._stores.get(opening.organization, (0, b""))
        if incarnation != opening.incarnation or store_id == opening.store_id:
            return None
        return (
            f"incarnation {incarnation} of {opening.organization!r} comes with another store than it had: what it "
            f"acknowledged is lost; register incarnation {incarnation + 1} with a new key by node.replace"
        )

    def is_new(self, opening: Opening) -> bool:
        """Whether an opening's store must be kept before the link opens."""
        return self._stores.get(opening.organization) != (opening.incarnation, opening.store_id)

    def meet(self, opening: Opening) -> bytes:
        """Keep an opening's store, and return everything there is to keep."""
        self._stores[opening.organization] = (opening.incarnation, opening.store_id)
        kept = [(name, *self._stores[name]) for name in sorted(self._stores)]
        return cast(bytes, msgpack.packb(kept))
