"""The state that a node fetches: from whom its chunks come, and the switch to it.

Rules:
- A target is a certificate. It moves when a later snapshot comes, or when nobody has the state any more; chunks that
  both states share are kept.
- A peer that has no chunk of the state is asked for none, until nobody else is left to ask.
- The switch to a fetched state is one store transaction with everything that goes with it.
- What the switch takes out of the pool unused may have been executed in a block that is not here: whether it expired is
  told once every receipt is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from ledger.checkpoint import Checkpoint
from ledger.contracts import purged_roots
from ledger.store import SnapshotRow
from p2p.certifier import Certifier
from p2p.codepoints import CodePoint
from p2p.executor import Executor
from p2p.frames import Frame, StatePartFrame, StateWantFrame
from p2p.sync.asking import Asking
from p2p.sync.figures import SyncFigures
from p2p.sync.offer import Offer
from p2p.sync.pulling import StatePull


@dataclass(frozen=True, slots=True)
class Target:
    """The state being fetched: what its certificate says, and what it stands for in the log, if there is one."""

    offer: Offer
    checkpoint: Checkpoint
    snapshot: SnapshotRow | None


@dataclass(slots=True)
class Fetching:
    """One node's fetching of a state, while there is a target.

    Attributes:
        executor, certifier: the node's.
        places: the open questions, each for the chunk at a place of the state tree.
        send: sends a frame to a peer.
        figures: the node's counters.
        target: what is fetched, or None.
    """

    executor: Executor
    certifier: Certifier
    places: Asking[bytes]
    send: Callable[[str, Frame], None]
    figures: SyncFigures
    target: Target | None = None
    _pull: StatePull | None = None
    _without: dict[str, None] = field(default_factory=dict)
    _undecided: list[bytes] = field(default_factory=list)

    @property
    def is_under_way(self) -> bool:
        """Whether a state is being fetched, so that nothing is executed here."""
        return self._pull is not None

    @property
    def is_whole(self) -> bool:
        """Whether all of it is here, so that the node can switch to it."""
        return self._pull is not None and self._pull.is_whole

    def begin(self, target: Target) -> None:
        """Fetch this state from now on, whatever was fetched before."""
        if self.target is not None:
            self.figures.targets_moved += 1
        self.target = target
        self.places.clear()
        self._without.clear()
        tree = self.executor.ledger.tree.freeze()
        self._pull = StatePull(target.checkpoint.state_root, tree, self.executor.store.chunk)
        self.executor.add_news(
            "sync.state_wanted", height=target.checkpoint.height, own_height=self.executor.ledger.height
        )

    def move(self, offer: Offer, checkpoint: Checkpoint) -> None:
        """Fetch a later state, of a block that this node's log has beyond the snapshot that it awaits."""
        ref = self.executor.ordering.chain.find(checkpoint.height, checkpoint.block_hash)
        if self.target is None or self.target.snapshot is None or ref is None:
            return
        row = replace(self.target.snapshot, index=ref.index, term=offer.header.term, data=offer.encode())
        self.begin(Target(offer, checkpoint, row))

    def ask(self, connected: Sequence[str], now: float) -> bool:
        """Ask for as much as may be asked for at a time; say whether anybody may have it."""
        able = [peer for peer in connected if peer not in self._without]
        if not able:
            self._without.clear()
            return False
        if self._pull is not None:
            for place in self._pull.next_places(self.places.room):
                peer = self.places.put(place, able, now)
                if peer is not None:
                    self.send(peer, StateWantFrame(self._pull.root, [place]))
        return True

    def ask_again(self, connected: Sequence[str], now: float) -> None:
        """Want again what will not be answered any more."""
        for place in self.places.lost(now, connected):
            if self._pull is not None:
                self._pull.lost(place)
            self.figures.questions_lost += 1

    def was_asked(self, peer: str, frame: StatePartFrame) -> bool:
        """Whether a chunk answers a question that this peer was asked; the question is closed."""
        return (
            self._pull is not None
            and frame.root == self._pull.root
            and self.places.answered(frame.place, peer)
        )

    def take(self, peer: str, frame: StatePartFrame, now: float) -> bool:
        """Take a chunk that was asked for, or note that the peer has none; say whether the answer holds."""
        pull = self._pull
        if pull is None:
            return True
        if not frame.chunk:
            self._without[peer] = None
            pull.lost(frame.place)
            return True
        name = pull.take(frame.place, frame.chunk)
        if name is None:
            pull.lost(frame.place)
            self.places.lied(peer, now)
            return False
        self.executor.store.put_chunk(name, frame.chunk)
        self.figures.chunks_taken += 1
        self.figures.chunk_bytes_taken += len(frame.chunk)
        return True

    def install(self) -> Target | None:
        """Switch to the state, and return what it was; None if a chunk is gone from the store and wanted again."""
        target, pull, executor = self.target, self._pull, self.executor
        if target is None or pull is None:
            return None
        changes = pull.changes(executor.ledger.state)
        if changes is None:
            return None
        executor.points.reached(CodePoint.BEFORE_INSTALL)
        checkpoint, offer = target.checkpoint, target.offer
        time_ms = offer.header.time_ms
        executor.ledger.install(checkpoint, time_ms=time_ms, frontier=offer.frontier, changes=changes)
        removed = self._leave_pool(time_ms)
        snapshot = None if target.snapshot is None else replace(target.snapshot, awaited=False)
        executor.store.install(
            checkpoint,
            note=offer.note,
            time_ms=time_ms,
            frontier=offer.frontier,
            changes=changes,
            snapshot=snapshot,
            removed=removed,
        )
        for root in purged_roots(changes):
            executor.on_purged(root)
        self.certifier.jumped(checkpoint, executor.ledger.roster)
        executor.follow_roster()
        if snapshot is not None:
            executor.ordering.installed(snapshot.index)
        self.figures.states_installed += 1
        executor.add_news(
            "state.installed",
            height=checkpoint.height,
            state_root=checkpoint.state_root.hex(),
            chunks=pull.fetched,
            keys_changed=len(changes),
        )
        self.target = self._pull = None
        self.places.clear()
        return target

    def _leave_pool(self, time_ms: int) -> list[bytes]:
        """Let go of transactions that the state taken over has used up, or that no block can take any more."""
        intake, ledger = self.executor.intake, self.executor.ledger
        used = [
            waiting.id
            for waiting in intake.pool
            if ledger.nonce_user(waiting.nonce[0], waiting.nonce[1:]) == waiting.id
        ]
        expired = [waiting.id for waiting in intake.pool.expired(time_ms) if waiting.id not in used]
        for transaction_id in (*used, *expired):
            intake.leave(transaction_id)
        self._undecided.extend(expired)
        return [*used, *expired]

    def decide(self) -> None:
        """Tell which transactions that left the pool were never executed, once every receipt is here."""
        if not self._undecided or self.executor.store.gaps:
            return
        undecided, self._undecided = self._undecided, []
        for transaction_id in undecided:
            if self.executor.store.receipt(transaction_id) is None:
                self.executor.intake.expire(transaction_id)
                self.executor.add_news("transaction.expired", id=transaction_id.hex())
