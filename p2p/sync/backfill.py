"""Fetching what a snapshot passed over, and blocks that were damaged; no I/O.

Rules:
- Leaves first: the Merkle log knows a hash above every gap, so hashes and leaves are held against it piece by piece,
  whoever sends them. A block's leaf names its hash.
- Then blocks, the lowest first, each held against the hash that its leaf, or this node's own execution, names.
- Leaves are handed on in order, whole blocks at a time; what follows a piece's last block waits for the next piece.
- One question is open at a time, and no more bytes come in per second than are allowed: whoever trades goes first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ledger.block import Block, decode_block, transactions_root
from ledger.errors import BadBlockError
from ledger.execution import Ledger
from ledger.keys import Domain
from ledger.merkle import leaf_hash
from ledger.store import Store
from ledger.store.ledgerrows import decode_leaf
from p2p.frames import BlocksFrame, BlocksWantFrame, LogPartFrame, LogWantFrame

LEAVES_LEVEL = 9
"""Leaves come in pieces of two to this power."""

HASHES_DOWN = 9
BLOCKS_COUNT = 256


@dataclass(slots=True)
class Backfill:
    """What one node has still to fetch of its own history.

    Attributes:
        ledger, store: the node's.
    """

    ledger: Ledger
    store: Store
    leaves: int = 0
    blocks: int = 0
    _cursor: int = 1
    _tail: list[bytes] = field(default_factory=list)
    _tail_at: int = -1

    @property
    def is_needed(self) -> bool:
        """Whether anything is missing."""
        return bool(self.store.gaps or self.store.absent_blocks)

    def question(self) -> LogWantFrame | BlocksWantFrame | None:
        """Return what to ask for next, or None if nothing is missing."""
        if self.store.gaps:
            return self._leaves_question()
        absent = self.store.absent_blocks
        if not absent:
            return None
        first = self._next_absent()
        count = 1
        while count < BLOCKS_COUNT and first + count in absent:
            count += 1
        return BlocksWantFrame(first, count)

    def take_log(self, frame: LogPartFrame) -> bool:
        """Take hashes or leaves that were asked for; say whether they hold.

        Leaves are staged in the store's open transaction.

        Raises:
            BadProofError: if they hold and contradict what this node has executed.
        """
        if frame.down < frame.level:
            return self.ledger.log.fill(frame.level, frame.index, frame.pieces)
        hashes = [leaf_hash(piece) for piece in frame.pieces]
        if not self.ledger.log.fill(frame.level, frame.index, hashes):
            return False
        self._keep_leaves(frame.index << frame.level, frame.pieces)
        return True

    def take_blocks(self, frame: BlocksFrame) -> bool:
        """Take blocks that were asked for into the store's open transaction; say whether they hold.

        What comes before the first that does not hold is kept.
        """
        for height, data in enumerate(frame.blocks, frame.first):
            if height not in self.store.absent_blocks:
                continue
            try:
                block = decode_block(data, self.ledger.genesis.limits.block_bytes_max)
            except BadBlockError:
                return False
            if not self._is_block(block, height):
                return False
            self.store.put_block(height, block.hash, data)
            self.blocks += 1
        return True

    def _is_block(self, block: Block, height: int) -> bool:
        """Whether this is the block of a height: its hash is known, which covers all but the signature."""
        header = block.header
        key = self.ledger.roster.proposers(height).get(header.proposer)
        return (
            block.hash == self.store.block_hash(height)
            and header.transactions_root == transactions_root(block.transactions)
            and key is not None
            and self.ledger.verifier.verify(
                key, Domain.HEADER, header.network, header.payload(), block.signature
            )
        )

    def _next_absent(self) -> int:
        """Return the next height whose block is missing, upwards and then from the beginning again."""
        absent = self.store.absent_blocks
        for height in range(self._cursor, self.store.height + 1):
            if height in absent:
                self._cursor = height
                return height
        self._cursor = 1
        return min(absent)

    def _leaves_question(self) -> LogWantFrame:
        """Ask for the leaves at the lower end of the lowest gap, or for hashes above them."""
        log = self.ledger.log
        at = self._next_leaf()
        level = LEAVES_LEVEL
        while ((at >> level) + 1) << level > log.size:
            level -= 1
        if log.knows(level, at >> level):
            return LogWantFrame(level, at >> level, level)
        above = level + 1
        while not log.knows(above, at >> above):
            above += 1
        return LogWantFrame(above, at >> above, min(HASHES_DOWN, above - level))

    def _next_leaf(self) -> int:
        """Return the number of the first leaf that is neither in the store nor waiting for its block's."""
        first = self.store.gaps[0].leaf_first
        if self._tail_at != first:
            self._tail.clear()
            self._tail_at = first
        return first + len(self._tail)

    def _keep_leaves(self, first: int, leaves: Sequence[bytes]) -> None:
        gap = self.store.gaps[0]
        at = self._next_leaf()
        if not first <= at < first + len(leaves):
            return
        self._tail.extend(leaves[at - first : gap.leaf_end - first])
        end = max((i + 1 for i, leaf in enumerate(self._tail) if decode_leaf(leaf)[0] == "block"), default=0)
        if end:
            self.leaves += end
            self.store.fill_leaves(self._tail[:end])
            del self._tail[:end]
            self._tail_at += end
