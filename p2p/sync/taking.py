"""Snapshots taken: when a node's state is frozen, when it is offered, and what its log then lets go.

Rules:
- A snapshot says who votes once its entry is applied. A block that changes that is executed before Raft is told: what
  the change makes of those who vote until then is worked out here.
- What a snapshot means for the log is recorded in the store when it is offered; log rows go later, once that is
  committed, and only those far enough behind.
"""

from __future__ import annotations

from dataclasses import dataclass

from consensus import ConfState, next_conf
from ledger.block import Header
from ledger.checkpoint import Certificate
from ledger.store import SnapshotRow
from p2p.executor import Executor
from p2p.raftconf import raft_change
from p2p.raftlog import configuration_bytes
from p2p.sync.keeper import Candidate, Keeper


@dataclass(slots=True)
class Taking:
    """The snapshots of one node.

    Attributes:
        executor: the node's.
        keeper: keeps what is frozen.
        entries_kept: log entries that stay behind the last snapshot.
    """

    executor: Executor
    keeper: Keeper
    entries_kept: int

    def resume(self) -> None:
        """Freeze and offer the state as the last life left it, if it is certified and can be begun from."""
        store = self.executor.store
        height = store.height
        note = store.certificate(height) if height else None
        if note is None or height in store.absent_blocks:
            return
        index = store.log_index(height)
        roster, configuration = self.executor.ledger.roster, self.executor.ordering.conf_state
        if store.configuration[0] > index:
            change = raft_change(roster, height)
            if not change.changes:
                return  # who votes has changed since
            voters, learners = roster.raft_members_at(height - 1)
            before = ConfState(voters=tuple(sorted(voters)), learners=tuple(sorted(learners)))
            configuration = next_conf(before, change)  # joint, and left since
        block = self.executor.ordering.chain.block(store.block(height))
        self._freeze(block.header, index, configuration)
        self.offer(height, note)

    def executed(self, header: Header, index: int | None) -> None:
        """Take note that a block was executed, which an entry of the log carried, or none."""
        if not self.keeper.is_due(header.height) or self.executor.store.snapshot.awaited:
            return
        configuration = self.executor.ordering.conf_state
        if index is not None:
            configuration = next_conf(configuration, raft_change(self.executor.ledger.roster, header.height))
        self._freeze(header, index or 0, configuration)

    def installed(self, header: Header, index: int, note: str) -> None:
        """Take note that a state was taken over."""
        self.keeper.forget()
        self._freeze(header, index, self.executor.ordering.conf_state)
        self.offer(header.height, note)

    def passed_over(self, height: int) -> None:
        """Take note that the store's snapshot stands for a height that was executed before: offer it if it is kept."""
        self.executor.ordering.log.offers = self.keeper.holds(height)

    def certified(self, height: int, certificate: Certificate) -> None:
        """Take note that a height is certified."""
        self.offer(height, certificate.note(self.executor.ledger.roster.electorate(height)))

    def _freeze(self, header: Header, index: int, conf: ConfState) -> None:
        """Keep the state as it stands after a block."""
        ledger = self.executor.ledger

        def make() -> Candidate:
            return Candidate(ledger.freeze(), header, ledger.log.frontier(), index, configuration_bytes(conf))

        self.keeper.freeze(header.height, make)

    def offer(self, height: int, note: str) -> None:
        """Offer the state of a certified height if it is kept, and record what it means for the log."""
        made = self.keeper.certified(height, note)
        if made is None:
            return
        offer, candidate = made
        store = self.executor.store
        if candidate.index and candidate.index >= store.snapshot.index and not store.snapshot.awaited:
            store.put_snapshot(
                SnapshotRow(candidate.index, offer.header.term, candidate.configuration, offer.encode())
            )
            self.executor.ordering.log.offers = True

    def compact(self) -> None:
        """Let go of log entries far behind a snapshot that is recorded and committed."""
        store = self.executor.store
        index = store.releasable_index - self.entries_kept
        if index >= store.first_index:
            store.compact(index)
