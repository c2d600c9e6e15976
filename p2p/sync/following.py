"""Following certified blocks without a log; no I/O.

Rules:
- A block counts only when k orderers' signatures reach it: blocks are taken in a row that begins at the own tip and
  ends with a certified one, each naming the one before it. Nobody's word is enough for anything.
- What others say of their height is a hint for whom and when to ask, no more. Who does not have it yet is asked again
  a few times, and then believed no more until it says so anew.
- Far behind, a state is fetched instead of blocks: what that costs depends on the state, not on the history.
- Blocks that no certificate has reached yet are kept, up to a limit, until one does.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ledger.block import Block, check_block, decode_block
from ledger.errors import BadBlockError
from ledger.execution import Ledger
from p2p.frames import BlocksFrame, BlocksWantFrame

WAITING_BYTES_MAX = 32 << 20
BLOCKS_COUNT = 256
PAUSE_S = 0.05
"""Seconds before a peer that did not have a block yet is asked for it again."""

PATIENCE_MAX = 8
"""How often, before it must say again what it has."""


@dataclass(frozen=True, slots=True)
class Linked:
    """A block that names the one before it, with its bytes."""

    block: Block
    hash: bytes
    data: bytes


@dataclass(slots=True)
class Following:
    """One node's way along the certified blocks.

    Attributes:
        ledger: the node's.
        replay_blocks_max: behind by more than this many blocks, a state is fetched instead.
    """

    ledger: Ledger
    replay_blocks_max: int
    _heights: dict[str, int] = field(default_factory=dict)
    _patience: dict[str, tuple[int, float]] = field(default_factory=dict)
    _waiting: list[Linked] = field(default_factory=list)
    _waiting_bytes: int = 0

    def heard(self, peer: str, height: int) -> None:
        """Take note of a height that a peer says is certified."""
        if height > self._heights.get(peer, 0):
            self._heights[peer] = height
            self._patience.pop(peer, None)

    def disappointed(self, peer: str, now: float) -> None:
        """Take note that a peer does not have what it said; it may have it soon."""
        count = self._patience.get(peer, (0, 0.0))[0] + 1
        self._patience[peer] = (count, now + PAUSE_S)
        if count >= PATIENCE_MAX:
            self._heights.pop(peer, None)
            del self._patience[peer]

    def ahead(self, now: float) -> list[str]:
        """Return the peers to ask: they say they have more than is here."""
        tip = self._tip_height()
        return [
            peer
            for peer, height in self._heights.items()
            if height > tip and self._patience.get(peer, (0, 0.0))[1] <= now
        ]

    @property
    def is_behind(self) -> bool:
        """Whether somebody says there is more."""
        return any(height > self.ledger.height for height in self._heights.values())

    @property
    def is_far_behind(self) -> bool:
        """Whether so much more that a state is worth fetching."""
        best = max(self._heights.values(), default=0)
        return best - self._tip_height() > self.replay_blocks_max

    def question(self) -> BlocksWantFrame:
        """Return what to ask for next."""
        return BlocksWantFrame(self._tip_height() + 1, BLOCKS_COUNT)

    def take(self, frame: BlocksFrame) -> None:
        """Take blocks that follow those that are here.

        Raises:
            BadBlockError: naming what does not hold; what waited is dropped then.
        """
        ledger = self.ledger
        try:
            for data in frame.blocks:
                before = self._waiting[-1] if self._waiting else None
                block = decode_block(data, ledger.genesis.limits.block_bytes_max)
                check_block(
                    block,
                    ledger.genesis,
                    ledger.roster,
                    ledger.verifier,
                    height=self._tip_height() + 1,
                    previous=before.hash if before else ledger.block_hash,
                    not_before_ms=before.block.header.time_ms if before else ledger.time_ms,
                    size_bytes=len(data),
                )
                self._waiting.append(Linked(block, block.hash, data))
                self._waiting_bytes += len(data)
            if self._waiting_bytes > WAITING_BYTES_MAX:
                raise BadBlockError(
                    f"{self._waiting_bytes} bytes of blocks without a certificate are over {WAITING_BYTES_MAX}"
                )
        except BadBlockError:
            self.forget()
            raise

    def certified(self, height: int, block_hash: bytes) -> list[Linked]:
        """Return the blocks that a verified certificate reaches, in order; they are not kept any longer.

        Raises:
            BadBlockError: if the block at that height is another one; what waited is dropped then.
        """
        count = height - self.ledger.height
        if not 1 <= count <= len(self._waiting):
            return []
        if self._waiting[count - 1].hash != block_hash:
            self.forget()
            raise BadBlockError(f"block {height} is not the one that was certified")
        reached, self._waiting = self._waiting[:count], self._waiting[count:]
        self._waiting_bytes = sum(len(linked.data) for linked in self._waiting)
        return reached

    def forget(self) -> None:
        """Drop the blocks that no certificate reached."""
        self._waiting.clear()
        self._waiting_bytes = 0

    def _tip_height(self) -> int:
        return self.ledger.height + len(self._waiting)
