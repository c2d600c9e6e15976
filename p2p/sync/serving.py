"""What a node answers to whoever catches up from it.

Rules:
- Everything it has executed it serves, whether it executed it itself or fetched it later; what it has not, it says.
- An answer is bounded, whatever was asked for: blocks by their bytes, places by the frame's limit, log pieces by
  `LOG_DOWN_MAX`.
- Only what is certified is sent as a block. Blocks end with one that has a certificate of its own, and with a change
  of the roster, so that the receiver knows whose signatures to look for; where only a later one has, without.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ledger.errors import DamagedBlockError, NoProofError, NotHereYetError
from ledger.execution import Ledger
from ledger.statechunks import CHUNK_BYTES_AIMED, is_place
from ledger.store import Store
from p2p.frames import (
    BlocksFrame,
    BlocksWantFrame,
    LogPartFrame,
    LogWantFrame,
    SnapshotFrame,
    StatePartFrame,
    StateWantFrame,
)
from p2p.sync.keeper import Keeper

BLOCKS_BYTES_AIMED = 1 << 20
BLOCKS_COUNT_MAX = 256
LOG_DOWN_MAX = 10
LEAVES_BYTES_AIMED = 2 << 20


@dataclass(slots=True)
class Serving:
    """The answering side of one node.

    Attributes:
        ledger, store, keeper: the node's.
        chunk_bytes: up to this size a chunk of the state is sent as items.
    """

    ledger: Ledger
    store: Store
    keeper: Keeper
    chunk_bytes: int = CHUNK_BYTES_AIMED
    chunks: int = 0
    blocks: int = 0
    log_pieces: int = 0
    damaged: int = 0

    def snapshot(self) -> SnapshotFrame:
        """Return what state can be had."""
        offer = self.keeper.latest
        return SnapshotFrame(b"" if offer is None else offer.encode())

    def state(self, frame: StateWantFrame) -> Iterator[StatePartFrame]:
        """Yield the chunks at the places asked for."""
        state = self.keeper.state(frame.root)
        for place in frame.places:
            if not is_place(place):
                continue
            chunk = None if state is None else state.chunk(place, self.chunk_bytes)
            self.chunks += chunk is not None
            yield StatePartFrame(frame.root, place, b"" if chunk is None else chunk.encode())

    def log(self, frame: LogWantFrame) -> LogPartFrame:
        """Return hashes of the Merkle log, or its leaves."""
        pieces: tuple[bytes, ...] = ()
        try:
            if 0 <= frame.down <= min(frame.level, LOG_DOWN_MAX):
                pieces = self.ledger.log.nodes(frame.level, frame.index, frame.down)
                if frame.down == frame.level:
                    first = frame.index << frame.level
                    leaves = self.store.leaves(first, first + len(pieces))
                    pieces = tuple(leaves) if len(leaves) == len(pieces) else ()
        except NoProofError:
            pieces = ()
        if sum(map(len, pieces)) > LEAVES_BYTES_AIMED:
            pieces = ()
        self.log_pieces += len(pieces)
        return LogPartFrame(frame.level, frame.index, frame.down, pieces)

    def blocks_from(self, frame: BlocksWantFrame) -> BlocksFrame:
        """Return blocks from a height on, with the certificate of the last one where there is one."""
        blocks: list[bytes] = []
        size = 0
        end = 0
        note = ""
        latest = self.store.latest_certificate()
        certified = 0 if latest is None else min(latest[0], self.store.height)
        last = min(certified, frame.first + min(frame.count, BLOCKS_COUNT_MAX) - 1)
        for height in range(max(1, frame.first), last + 1):
            try:
                data = self.store.block(height)
            except NotHereYetError:
                break
            except DamagedBlockError:
                self.damaged += 1
                break
            size += len(data)
            if blocks and size > BLOCKS_BYTES_AIMED:
                break
            blocks.append(data)
            certificate = self.store.certificate(height)
            if certificate is not None:
                end, note = len(blocks), certificate
                if self.ledger.roster.next_change(height - 1) == height:
                    break
        self.blocks += len(blocks)
        return BlocksFrame(frame.first, blocks[:end] if end else blocks, note)
