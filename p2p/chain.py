"""The blocks of the log that are not executed yet, on top of the last executed one.

Rules:
- A block names its parent; the chain knows which parent an entry at a given index must name.
- A follower checks a block's header before its Raft core sees the entry: signature, term, height, parent, time,
  root, size, and that a block of the leader's own term was proposed by the leader. An entry that fails is dropped
  and counted, as if it had never arrived.
- A configuration block stands in an entry of its own type. No block is taken in behind one that is not executed yet:
  only its execution tells who may propose the next. The leader cuts none before, and sends it again.
- Entries at or below the executed index are not checked again: the core only compares their terms.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from consensus import Entry, EntryType
from ledger.block import Block, check_block, decode_block
from ledger.errors import BadBlockError
from ledger.genesis import Genesis
from ledger.keys import Verifier
from ledger.roster import Roster

DECODED_MAX = 32
"""Four times as many as may be in flight: all nodes of a virtual run keep as many each."""


@dataclass(frozen=True, slots=True)
class BlockRef:
    """A block's place in log and chain."""

    index: int
    height: int
    hash: bytes
    time_ms: int
    is_configuration: bool = False


class Chain:
    """The executed tip, and the blocks of the log above it.

    Attributes:
        followed_height: up to where blocks were executed because they are certified, before the log brought them.
    """

    def __init__(self, genesis: Genesis, roster: Roster, verifier: Verifier, tip: BlockRef) -> None:
        self.genesis = genesis
        self.roster = roster
        self.verifier = verifier
        self.tip = tip
        self.followed_height = 0
        self._pending: list[tuple[BlockRef, bytes]] = []
        self._decoded: OrderedDict[bytes, Block] = OrderedDict()

    @property
    def pending(self) -> list[tuple[int, Block]]:
        """The blocks of the log that are not executed yet, each with its entry's index, in order."""
        return [(ref.index, self.block(data)) for ref, data in self._pending if data]

    @property
    def in_flight(self) -> int:
        """How many blocks of the log are not executed yet.

        One that was executed because it is certified is not: a node that was demoted by it never hears more of the log.
        """
        return sum(ref.height > self.followed_height for ref, _ in self._pending)

    @property
    def awaits_configuration(self) -> bool:
        """Whether a configuration block of the log is not executed yet."""
        return any(ref.is_configuration for ref, _ in self._pending)

    @property
    def head(self) -> BlockRef:
        """The last block of the log: what a new block must name as its parent."""
        return self._pending[-1][0] if self._pending else self.tip

    def block(self, data: bytes) -> Block:
        """Return the block whose bytes an entry carries.

        Raises:
            BadBlockError: if they are no block.
        """
        block = self._decoded.get(data)
        if block is None:
            block = decode_block(data, self.genesis.limits.block_bytes_max)
            self.remember(data, block)
        return block

    def remember(self, data: bytes, block: Block) -> None:
        """Keep a decoded block beside its bytes for the next who asks."""
        self._decoded[data] = block
        if len(self._decoded) > DECODED_MAX:
            self._decoded.popitem(last=False)

    def parent_of(self, index: int) -> BlockRef:
        """Return the block that a block in the entry at `index` must follow."""
        for ref, _ in reversed(self._pending):
            if ref.index < index:
                return ref
        return self.tip

    def admissible(
        self, entries: Sequence[Entry], executed_index: int, unwritten: Sequence[Entry] = ()
    ) -> Sequence[Entry]:
        """Return the entries before the first block that stands behind a configuration block not executed yet.

        Args:
            entries, executed_index, unwritten: as for `check`.

        Raises:
            BadBlockError: if an entry's bytes are no block.
        """
        first = (unwritten or entries)[0].index
        waits = any(ref.is_configuration and ref.index < first for ref, _ in self._pending)
        for place, entry in enumerate([*unwritten, *entries]):
            if not entry.data or entry.index <= executed_index:
                continue
            if waits:
                return entries[: max(0, place - len(unwritten))]
            waits = entry.type is EntryType.CONF_CHANGE
        return entries

    def check(
        self,
        entries: Sequence[Entry],
        executed_index: int,
        unwritten: Sequence[Entry] = (),
        *,
        leader: str,
        term: int,
    ) -> None:
        """Check the blocks of entries a leader sent, which follow an entry of this node's log.

        Args:
            entries: what the leader sent.
            executed_index: up to where this node has executed.
            unwritten: entries of the log just before `entries` that `appended` was not told of yet.
            leader: who sent them.
            term: which term it leads.

        Raises:
            BadBlockError: naming what does not hold.
        """
        new = [entry for entry in entries if entry.index > executed_index and entry.data]
        if not new:
            return
        # What stands at or above the first entry gives way to it, be that one an empty entry of a new term.
        parent = self.parent_of((unwritten or entries)[0].index)
        for entry in unwritten:
            if entry.data:
                parent = self._ref(entry)
        for entry in new:
            block = self.block(entry.data)
            check_block(
                block,
                self.genesis,
                self.roster,
                self.verifier,
                height=parent.height + 1,
                previous=parent.hash,
                term=entry.term,
                not_before_ms=parent.time_ms,
                size_bytes=len(entry.data),
            )
            if (entry.type is EntryType.CONF_CHANGE) is not block.is_configuration:
                raise BadBlockError(
                    f"block {block.header.height}: its entry is of type {entry.type.name}, but it is "
                    f"{'a' if block.is_configuration else 'no'} configuration block"
                )
            if entry.term == term and block.header.proposer != leader:
                where = f"block {block.header.height} of term {term}"
                raise BadBlockError(f"{where}: {block.header.proposer} proposed it, but {leader} leads")
            parent = self._ref(entry)

    def appended(self, entries: Sequence[Entry]) -> bool:
        """Follow what the log now holds; return whether blocks that stood there were replaced."""
        first = entries[0].index
        kept = [pending for pending in self._pending if pending[0].index < first]
        replaced = len(kept) < len(self._pending)
        self._pending = kept
        for entry in entries:
            if entry.data and entry.index > self.tip.index:
                self._pending.append((self._ref(entry), entry.data))
        return replaced

    def jump(self, ref: BlockRef) -> None:
        """Note that the log now goes on from a snapshot: what comes after it follows its block."""
        self._pending.append((ref, b""))

    def landed(self, index: int) -> None:
        """Move the tip to the block in the entry at `index`, be it pending or a snapshot's, past all before it."""
        for ref, _ in self._pending:
            if ref.index == index:
                self.tip = ref
        self._pending = [pending for pending in self._pending if pending[0].index > index]

    def find(self, height: int, block_hash: bytes) -> BlockRef | None:
        """Return where the log has a block that is not executed yet, or None."""
        for ref, _ in self._pending:
            if (ref.height, ref.hash) == (height, block_hash):
                return ref
        return None

    def executed(self, index: int) -> BlockRef:
        """Move the tip to the block in the entry at `index`, the lowest one pending.

        Raises:
            BadBlockError: if another block is next, which is a fault of this program.
        """
        if not self._pending or self._pending[0][0].index != index:
            raise BadBlockError(f"entry {index} was committed but is not the next block of the log")
        self.tip, _ = self._pending.pop(0)
        return self.tip

    def _ref(self, entry: Entry) -> BlockRef:
        header = self.block(entry.data).header
        is_configuration = entry.type is EntryType.CONF_CHANGE
        return BlockRef(entry.index, header.height, header.hash, header.time_ms, is_configuration)
