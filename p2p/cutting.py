"""A leader's blocks: when one is due, of what it is made, signed and proposed.

Rules:
- Only the leader cuts blocks: by count, by bytes, or when the oldest waiting transaction has waited the block
  interval; at most `blocks_in_flight_max` blocks are in the log and not executed.
- A new leader cuts nothing until an entry of its own term is applied: only then does it know its chain.
- A configuration transaction is cut alone, in an entry of the configuration type, once Raft would take the change that
  it means; behind it no block is cut until it is executed.
- A leader that is to leave hands over first: the next one cuts the block that removes it.
- `can_propose` is asked first; signing and proposing follow with nothing between, so a signed header is in the log.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from consensus import ConfChange, RawNode, Role
from ledger.block import build_block
from ledger.roster import Roster
from p2p.chain import Chain
from p2p.codepoints import CodePoint
from p2p.config import NodeConfig
from p2p.machine import Machine
from p2p.pool import Pool
from p2p.raftconf import raft_change

BLOCK_ROOM_BYTES = 1024
"""What a block takes beside its transactions: header, signature and framing."""


@dataclass(slots=True)
class CuttingFigures:
    """Counters of one node's cutting."""

    blocks_proposed: int = 0
    configurations_proposed: int = 0


@dataclass(slots=True)
class Cutting:
    """One orderer's cutting of blocks, while it leads.

    Attributes:
        config, machine, chain, pool, raw: the orderer's.
        roster: who belongs to the network after the last block executed here.
        preview: what the roster would become by a configuration transaction, given its bytes and the block's time.
        hand_over: gives the leadership to one of these voters, or tries to.
        applied_term: of the last entry applied here.
    """

    config: NodeConfig
    machine: Machine
    chain: Chain
    pool: Pool
    raw: RawNode
    roster: Roster
    preview: Callable[[bytes, int], Roster]
    hand_over: Callable[[Sequence[int]], None]
    applied_term: int = 0
    figures: CuttingFigures = field(default_factory=CuttingFigures)

    @property
    def may_cut(self) -> bool:
        """Whether a block could be cut now, if there was something to cut."""
        return (
            self.raw.role is Role.LEADER
            and self.applied_term == self.raw.term
            and not self.chain.awaits_configuration
            and self.chain.in_flight < self.config.timing.blocks_in_flight_max
        )

    def due_in(self, now: float) -> float | None:
        """Return in how many seconds a block is to be cut, or None if there is nothing to cut."""
        waiting = self.pool.free_count
        if not waiting or not self.may_cut:
            return None
        if waiting >= self.config.genesis.limits.block_transactions_max:
            return 0.0
        return max(0.0, self.config.timing.block_interval_ms / 1000 - self.pool.oldest_wait(now))

    def propose(self) -> bool:
        """Cut, sign and propose a block of what waits; say whether there was one to cut and room for it."""
        time_ms = max(self.machine.now_ms(), self.chain.head.time_ms)
        return self._cut_configuration(time_ms) or self._cut_block(time_ms)

    def _cut_configuration(self, time_ms: int) -> bool:
        """Propose the oldest configuration transaction whose change Raft takes now."""
        for raw in self.pool.configurations(time_ms + self.config.genesis.limits.valid_for_ms_max):
            after = self.preview(raw, time_ms)
            change = raft_change(after, after.height) if after is not self.roster else ConfChange()
            if self.raw.conf_change_refusal(len(raw) + 8 + BLOCK_ROOM_BYTES, change) is not None:
                continue
            if self.config.raft_id in self.roster.voters and self.config.raft_id not in after.voters:
                self.hand_over(after.voters)
                continue
            data = self._sign([raw], time_ms)
            self.raw.propose_conf_change(data, change)
            self.machine.points.reached(CodePoint.AFTER_PROPOSE)
            self.figures.configurations_proposed += 1
            return True
        return False

    def _cut_block(self, time_ms: int) -> bool:
        limits = self.config.genesis.limits
        transactions = self.pool.select(
            limits.block_transactions_max,
            limits.block_bytes_max - BLOCK_ROOM_BYTES,
            time_ms + limits.valid_for_ms_max,
        )
        size = sum(len(raw) + 8 for raw in transactions) + BLOCK_ROOM_BYTES
        if not transactions or not self.raw.can_propose(size):
            return False
        self.raw.propose(self._sign(transactions, time_ms))
        self.machine.points.reached(CodePoint.AFTER_PROPOSE)
        return True

    def _sign(self, transactions: Sequence[bytes], time_ms: int) -> bytes:
        """Return the next block's bytes; what was signed is proposed with nothing between."""
        self.machine.points.reached(CodePoint.BEFORE_PROPOSE)
        head = self.chain.head
        block = build_block(
            network=self.config.genesis.network,
            height=head.height + 1,
            term=self.raw.term,
            previous=head.hash,
            time_ms=time_ms,
            transactions=transactions,
            proposer=self.config.organization,
            key=self.config.node_key,
        )
        data = block.encode()
        self.chain.remember(data, block)
        self.figures.blocks_proposed += 1
        return data
