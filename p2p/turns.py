"""What a node does in its driver's turns: frames taken in, time let pass, what was brought about sent.

Rules:
- Taking in what is prompt, ticking, cutting and sending go on during a commit, so they keep off the store and tell
  nothing of the ledger, which may be ahead of the disk then.
- Records, answers, checkpoints and receipts of envelopes leave only when the commit that carries what they tell is
  durable.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from consensus import Message, Ready
from ledger.errors import BadBlockError, BadLinkError, BadProofError
from p2p.certifier import Certifier
from p2p.config import NodeConfig
from p2p.courier import Courier
from p2p.driver import TIMER_SLACK
from p2p.executor import Executor
from p2p.frames import (
    AliveFrame,
    BlocksFrame,
    BlocksWantFrame,
    CertificateFrame,
    CheckpointFrame,
    EnvelopeFrame,
    EnvelopeStoredFrame,
    Frame,
    HaveFrame,
    LineageFrame,
    LogPartFrame,
    LogWantFrame,
    RaftFrame,
    ReadAnswerFrame,
    ReadFrame,
    SnapshotFrame,
    SnapshotWantFrame,
    StatePartFrame,
    StateWantFrame,
    TransactionsFrame,
    WantFrame,
)
from p2p.gossip import Gossip
from p2p.intake import Intake
from p2p.links import Links
from p2p.mailroom import Mailroom
from p2p.observer import Observer
from p2p.ordering import Ordering
from p2p.peerage import Peerage
from p2p.reads import Reads
from p2p.repair import Repair
from p2p.signal import Signal
from p2p.sync.sync import Sync
from p2p.topology import neighbors_now

TEND_INTERVAL_MS = 1000
_PROMPT = (RaftFrame, ReadFrame, ReadAnswerFrame, TransactionsFrame, WantFrame, AliveFrame)
"""Frames whose taking in neither reads nor changes the store."""


@dataclass(slots=True)
class Turns:
    """One node's `driver.Work`.

    Attributes:
        config, observer, links, ordering, executor, certifier, peerage, gossip, intake, repair, sync, courier,
            mailroom, reads: the node's.
        changed: fires when what the node tells may have changed.
        leave_when_due: ends a node that has handed over what it led.
        has_heard: whether a peer has spoken with this node.
    """

    config: NodeConfig
    observer: Observer
    links: Links
    ordering: Ordering
    executor: Executor
    certifier: Certifier
    peerage: Peerage
    gossip: Gossip
    intake: Intake
    repair: Repair
    sync: Sync
    courier: Courier
    mailroom: Mailroom
    reads: Reads
    changed: Signal
    leave_when_due: Callable[[], None]
    has_heard: bool = False
    _later: list[Callable[[], None]] = field(default_factory=list)
    _to_greet: list[str] = field(default_factory=list)
    _has_changed: bool = False
    _push_at: float = 0.0
    _reconcile_at: float = 0.0
    _tend_at: float = 0.0
    _lagging_since: float = 0.0

    def later(self, action: Callable[[], None]) -> None:
        """Do something once the turn under way is durable."""
        self._later.append(action)

    def greet(self, peer: str) -> None:
        """Send a peer this node's summary after the turn under way, or the next one."""
        self._to_greet.append(peer)

    def roster_changed(self) -> None:
        """Know the peers by the latest roster, executed here or not."""
        roster = self.peerage.roster
        self.ordering.meet(roster)
        self.gossip.neighbors = neighbors_now(self.config, roster)
        self.mailroom.revoke()
        self.later(lambda: self.links.follow(roster))

    def is_prompt(self, frame: Frame) -> bool:
        """Whether a frame can be taken in while a commit is under way: it neither reads nor stages anything."""
        return isinstance(frame, _PROMPT)

    def take(self, peer: str, frame: Frame) -> None:
        """Take in one frame."""
        self.has_heard = True
        match frame:
            case RaftFrame(messages):
                self.ordering.receive(peer, messages)
            case TransactionsFrame(transactions):
                self.intake.receive(peer, transactions)
            case CheckpointFrame():
                self.executor.certified(self.certifier.receive(peer, frame))
                self.sync.heard(peer, frame.height)
            case CertificateFrame() | LineageFrame():
                self._take_proof(peer, frame)
            case HaveFrame():
                self.sync.heard(peer, frame.certified)
                self.repair.answer(peer, frame)
            case WantFrame(short_ids):
                self.repair.answer_want(peer, short_ids)
            case EnvelopeFrame():
                self._has_changed |= self.mailroom.receive(peer, frame)
            case EnvelopeStoredFrame():
                self._has_changed |= self.mailroom.delivered(peer, frame)
            case ReadFrame():
                self.reads.asked(peer, frame)
            case ReadAnswerFrame():
                self.reads.answered(peer, frame)
            case (
                BlocksWantFrame()
                | BlocksFrame()
                | SnapshotWantFrame()
                | SnapshotFrame()
                | StateWantFrame()
                | StatePartFrame()
                | LogWantFrame()
                | LogPartFrame()
            ):
                self.sync.take(peer, frame)
            case AliveFrame():
                pass

    def tick(self) -> None:
        """Let one tick pass for Raft."""
        self.ordering.tick()
        self.leave_when_due()

    def tend(self, now: float) -> None:
        """Do what comes up now and then.

        A node that stays behind its own executed height for want of others' checkpoints (they were sent while its
        links were down) asks everybody, not one neighbor.
        """
        if now >= self._reconcile_at:
            self._reconcile_at = now + self.config.timing.reconcile_interval_ms / 1000
            partner = self.gossip.choose_partner()
            if partner is not None:
                self.links.send(partner, self.repair.summary())
        if self.certifier.certified_height == self.executor.ledger.height:
            self._lagging_since = now
        elif (now - self._lagging_since) * 1000 >= self.config.timing.lag_interval_ms:
            self._lagging_since = now
            self.links.broadcast(self.repair.summary())
        self.sync.tend(now)
        if now >= self._tend_at:
            self._tend_at = now + TEND_INTERVAL_MS / 1000
            self.links.tend(now)

    def cut(self, now: float) -> float | None:
        """Cut a block, push transactions and send envelopes, each if it is due.

        Returns:
            In how many seconds a block or a push is due next; None if neither is to come.
        """
        due_in = self._cut_block(now)
        if self.gossip.has_pushes:
            push_in = self._push(now)
            if push_in is not None:
                due_in = push_in if due_in is None else min(due_in, push_in)
        if self.courier.outstanding:
            for peer, frame in self.courier.due(now, self.links.connected):
                self.links.send(peer, frame)
        return due_in

    def _cut_block(self, now: float) -> float | None:
        due_in = self.ordering.block_due_in(now)
        if due_in is None or due_in > TIMER_SLACK:
            return due_in
        if self.ordering.propose():
            return self.ordering.block_due_in(now)
        return self.config.timing.block_interval_ms / 1000

    def _push(self, now: float) -> float | None:
        """Push what neighbors do not know yet, or return in how many seconds that is due."""
        push_in = self._push_at - now
        if push_in > TIMER_SLACK:
            return push_in
        self._push_at = now + self.config.timing.push_interval_ms / 1000
        for peer, ids in self.gossip.take_pushes():
            self.repair.send_transactions(peer, ids)
        return None

    def ready(self) -> Ready | None:
        """Return Raft's next work, or None; confirmed reads are answered, and the log's blocks followed, at once."""
        raw = self.ordering.raw
        if not raw.has_ready():
            return None
        ready = raw.ready()
        if ready.read_states:
            self.reads.confirmed(ready.read_states)
        self.ordering.follow(ready)
        if ready.soft_state is not None:
            self.leave_when_due()
        return ready

    def send(self, messages: Sequence[Message]) -> None:
        """Send Raft messages."""
        for peer, fields in self.ordering.peers.addressed(messages):
            self.links.send(peer, RaftFrame(fields))

    def stage(self, ready: Ready) -> None:
        """Stage what a Ready holds in the store's open transaction, and execute what it commits."""
        self.ordering.stage(ready)
        if ready.snapshot is not None:
            self.sync.awaited()
        for entry in ready.committed_entries:
            self.executor.apply(entry)
            self._has_changed = True

    def committing(self, *, begins: bool) -> None:
        """Note that a commit begins or is done: meanwhile the log is not read."""
        self.ordering.committing(begins=begins)

    def finish(self, readies: Sequence[Ready]) -> None:
        """Note that Readies are durable."""
        self.ordering.raw.advance(readies[-1])
        for ready in readies:
            if ready.entries:
                self._has_changed = True

    def after_turn(self) -> None:
        """Send and announce what was brought about; all of it is durable by now."""
        if self._to_greet:
            greeted, self._to_greet = self._to_greet, []
            for peer in greeted:
                self.links.send(peer, self.repair.summary())
        for checkpoint in self.executor.take_checkpoints():
            self.links.broadcast(checkpoint)
        if self._later:
            later, self._later = self._later, []
            for action in later:
                action()
        has_news = self.executor.announce()
        if self._has_changed or has_news:
            self._has_changed = False
            self.changed.fire()

    def _take_proof(self, peer: str, frame: CertificateFrame | LineageFrame) -> None:
        if isinstance(frame, CertificateFrame):
            self._take_certificate(peer, frame.note)
            return
        try:
            if self.peerage.take(frame):
                self.roster_changed()
        except BadLinkError as error:
            self.observer.record(
                "lineage.refused", node=self.config.organization, peer=peer, reason=str(error)[:300]
            )

    def _take_certificate(self, peer: str, note: str) -> None:
        try:
            self.executor.certified(self.certifier.receive_certificate(note))
            self.sync.take_certificate(peer, note)
        except (BadProofError, BadBlockError) as error:
            self.certifier.figures.refused += 1
            self.observer.record(
                "certificate.refused", node=self.config.organization, peer=peer, reason=str(error)[:300]
            )
