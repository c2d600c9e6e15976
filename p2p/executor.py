"""Committed entries turned into state, receipts and this node's checkpoint.

Rules:
- A block is executed in the same store transaction that records the index it came from: applied and state move
  together or not at all (the etcd 3.5 data inconsistency came of letting them part).
- The node's checkpoint over it is signed in that transaction too: one per size, durably, ever. It leaves the node
  only after the commit.
- What a configuration block changed is in force, in ledger, Raft and links, as soon as it is executed; Raft's members
  are staged beside the applied index.
- A transaction leaves the pool, durable or not, in the transaction that executes it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from consensus import Entry, EntryType
from ledger.block import Block, Header
from ledger.checkpoint import Certificate, sign_checkpoint
from ledger.contracts import purged_roots
from ledger.errors import BadBlockError
from ledger.execution import Ledger
from ledger.receipt import Execution
from ledger.roster import Roster
from ledger.store import Store
from p2p.certifier import Certifier
from p2p.codepoints import CodePoint, CodePoints
from p2p.config import NodeConfig
from p2p.frames import CheckpointFrame
from p2p.intake import Intake
from p2p.observer import Observer, RecordField
from p2p.ordering import Ordering


class Executor:
    """Executes what Raft committed, on one node."""

    def __init__(
        self,
        config: NodeConfig,
        ledger: Ledger,
        store: Store,
        ordering: Ordering,
        intake: Intake,
        certifier: Certifier,
        observer: Observer,
        known_roster: Callable[[], Roster],
        on_roster: Callable[[], None],
        points: CodePoints,
    ) -> None:
        self.config = config
        self.ledger = ledger
        self.store = store
        self.ordering = ordering
        self.intake = intake
        self.certifier = certifier
        self.observer = observer
        self.on_purged: Callable[[bytes], None] = lambda _root: None
        self.on_executed: Callable[[Header, int | None], None] = lambda _header, _index: None
        self.on_certified: Callable[[int, Certificate], None] = lambda _height, _certificate: None
        self.known_roster = known_roster
        self.on_roster = on_roster
        self.points = points
        self._checkpoints: list[CheckpointFrame] = []
        self._news: list[tuple[str, dict[str, RecordField]]] = []

    def apply(self, entry: Entry) -> None:
        """Apply one committed entry within the store's open transaction; one that a state taken over has in it, not."""
        if entry.index > self.store.applied_index:
            if entry.data:
                self._apply_block(entry)
            else:
                self.store.note_applied(entry.index)
        if entry.type is EntryType.CONF_CHANGE:
            self.ordering.reconfigure(entry, self.ledger.roster)
        self.ordering.applied(entry)

    def follow(self, block: Block, block_hash: bytes, data: bytes) -> None:
        """Execute the next block, which a certificate has reached, within the store's open transaction."""
        self.store.put_block(block.header.height, block_hash, data)
        self.ordering.chain.followed_height = block.header.height
        self._execute(block, block_hash, None)

    def _apply_block(self, entry: Entry) -> None:
        chain = self.ordering.chain
        block = chain.block(entry.data)
        ref = chain.executed(entry.index)
        if ref.height > self.ledger.height:
            self._execute(block, ref.hash, entry.index)
            return
        # A node that followed certified blocks before it ordered has executed it already.
        if self.store.is_block(ref.height, ref.hash) is False:
            raise BadBlockError(f"block {ref.height} was committed, but another one is certified")
        self.store.note_applied(entry.index)

    def _execute(self, block: Block, block_hash: bytes, index: int | None) -> None:
        self.points.reached(CodePoint.BEFORE_APPLY)
        time_ms = block.header.time_ms
        execution = self.ledger.execute(block, block_hash)
        signature = b""
        if index is not None:
            signature = sign_checkpoint(
                execution.checkpoint, self.config.node_key, self.config.genesis.origin
            )
        done = [receipt.id for receipt in execution.receipts if receipt.code.ends]
        expired = [waiting.id for waiting in self.intake.pool.expired(time_ms)]
        self.store.put_execution(
            execution,
            block_hash=block_hash,
            applied_index=index,
            checkpoint_signature=signature,
            removed=[*done, *expired],
        )
        for root in purged_roots(execution.changes):
            self.on_purged(root)
        for transaction_id in done:
            self.intake.leave(transaction_id)
        for receipt in execution.receipts:
            if not receipt.code.ends:
                self.intake.pool.release(receipt.id)
        for transaction_id in expired:
            self.intake.expire(transaction_id)
            self.add_news("transaction.expired", id=transaction_id.hex())
        self._add_execution(execution, time_ms)
        checkpoint = execution.checkpoint
        if signature:
            self._checkpoints.append(CheckpointFrame(checkpoint.height, checkpoint.text(), signature))
        if execution.changes_roster:
            self.follow_roster()
        self.on_executed(block.header, index)
        self.certified(self.certifier.executed(checkpoint, signature or None))
        self.points.reached(CodePoint.AFTER_APPLY)

    def follow_roster(self) -> None:
        """Have every part of the node ask the ledger's new roster, and let go of what waits by keys that ended."""
        roster = self.ledger.roster
        self.ordering.chain.roster = self.certifier.roster = roster
        self.ordering.follow_roster(roster)
        gone = self.intake.revoke()
        self.store.pool_remove(gone)
        for transaction_id in gone:
            self.add_news("transaction.revoked", id=transaction_id.hex())
        self.add_news(
            "roster.changed",
            height=roster.height,
            members=[member.id for member in roster.members],
            orderers=list(roster.orderers),
            learners=[member.id for member in roster.members if member.node.is_learner],
        )
        self.on_roster()

    def certified(self, certificate: Certificate | None) -> None:
        """Stage a certificate that was completed or received, if there is one, and those that waited for it."""
        while certificate is not None:
            height = certificate.checkpoint.height
            self.store.put_certificate(height, certificate.note(self.ledger.roster.electorate(height)))
            self.add_news("block.certified", height=height)
            self.on_certified(height, certificate)
            certificate = self.certifier.waiting()

    def own_checkpoint(self, height: int) -> CheckpointFrame | None:
        """Return this node's checkpoint of a height, or None for genesis and where it signed none."""
        if height == 0:
            return None
        text, signature = self.store.own_checkpoint(height)
        return CheckpointFrame(height, text, signature) if signature else None

    def take_checkpoints(self) -> Sequence[CheckpointFrame]:
        """Return and clear the checkpoints signed since the last call; call only after the commit."""
        if not self._checkpoints:
            return ()
        checkpoints, self._checkpoints = self._checkpoints, []
        return checkpoints

    def add_news(self, event: str, **fields: RecordField) -> None:
        """Have something recorded once it is durable."""
        self._news.append((event, fields))

    def announce(self) -> bool:
        """Record what was executed and certified since the last call; call only after the commit.

        Returns:
            Whether there was anything.
        """
        if not self._news:
            return False
        news, self._news = self._news, []
        for event, fields in news:
            self.observer.record(event, node=self.config.organization, **fields)
        return True

    def _add_execution(self, execution: Execution, time_ms: int) -> None:
        checkpoint = execution.checkpoint
        self.add_news(
            "block.executed",
            height=checkpoint.height,
            hash=checkpoint.block_hash.hex(),
            state_root=checkpoint.state_root.hex(),
            log_root=checkpoint.root.hex(),
            time_ms=time_ms,
            receipts=[
                ":".join([r.id.hex(), r.code.value, r.rule or "", ",".join(r.findings)])
                for r in execution.receipts
            ],
        )
