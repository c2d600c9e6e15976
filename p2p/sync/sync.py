"""State sync at work in a node: what to fetch when, whom to ask, what to take.

Rules:
- One thing at a time: while a state is being fetched nothing else is; then a member that does not order follows
  certified blocks, and whatever a snapshot passed over, or a disk damaged, is fetched in the background.
- Called in the driver's turns while no commit is under way; what is staged here is committed with the turn.
- An answer that does not hold is counted and recorded, and its sender is not asked again for a while.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from ledger.checkpoint import certified_height, parse_certificate, verify_certificate
from ledger.errors import BadBlockError, BadProofError
from ledger.store import SnapshotRow
from p2p.certifier import Certifier
from p2p.codepoints import CodePoint
from p2p.config import NodeConfig
from p2p.errors import DivergedError
from p2p.executor import Executor
from p2p.frames import (
    BlocksFrame,
    BlocksWantFrame,
    Frame,
    LogPartFrame,
    LogWantFrame,
    SnapshotFrame,
    SnapshotWantFrame,
    StatePartFrame,
    StateWantFrame,
)
from p2p.observer import Observer
from p2p.sync.asking import Asking
from p2p.sync.backfill import Backfill
from p2p.sync.fetching import Fetching, Target
from p2p.sync.figures import SyncFigures
from p2p.sync.following import Following
from p2p.sync.keeper import Keeper
from p2p.sync.offer import Offer, verify_offer
from p2p.sync.serving import Serving
from p2p.sync.taking import Taking

SyncFrame = (
    BlocksWantFrame
    | BlocksFrame
    | SnapshotWantFrame
    | SnapshotFrame
    | StateWantFrame
    | StatePartFrame
    | LogWantFrame
    | LogPartFrame
)
SEEK_PAUSE_S = 0.5
"""Seconds between two questions for another state to fetch, when nobody has the one that is wanted."""


@dataclass(slots=True)
class Sync:
    """Both sides of catching up, on one node.

    Attributes:
        config, executor, certifier, observer: the node's.
        chance: this life's stream of chance.
        send: sends a frame to a peer.
        connected: returns the peers with an open link.
        now: returns protocol time, seconds.
    """

    config: NodeConfig
    executor: Executor
    certifier: Certifier
    observer: Observer
    chance: random.Random
    send: Callable[[str, Frame], None]
    connected: Callable[[], Sequence[str]]
    now: Callable[[], float]
    figures: SyncFigures = field(default_factory=SyncFigures)
    keeper: Keeper = field(init=False)
    taking: Taking = field(init=False)
    serving: Serving = field(init=False)
    following: Following = field(init=False)
    backfill: Backfill = field(init=False)
    fetching: Fetching = field(init=False)
    _questions: Asking[str] = field(init=False)
    _seek_at: float = 0.0
    _allowance: float = 0.0
    _filled_at: float = 0.0
    _asked: dict[str, LogWantFrame | BlocksWantFrame] = field(default_factory=dict)

    def __post_init__(self) -> None:
        timing = self.config.timing
        ledger, store = self.executor.ledger, self.executor.store
        self.keeper = Keeper(timing.snapshot_blocks)
        self.serving = Serving(ledger, store, self.keeper)
        self.following = Following(ledger, timing.replay_blocks_max)
        self.backfill = Backfill(ledger, store)
        timeout_s = timing.sync_timeout_ms / 1000
        places: Asking[bytes] = Asking(timeout_s, timing.sync_questions_max, self.chance)
        self.fetching = Fetching(self.executor, self.certifier, places, self.send, self.figures)
        self._questions = Asking(timeout_s, 2, self.chance)
        self.taking = Taking(self.executor, self.keeper, timing.log_entries_kept)
        self.executor.on_executed = self.taking.executed
        self.executor.on_certified = self.taking.certified

    # What the node tells.

    def resume(self) -> None:
        """Take up what the last life left: a state awaited, and a state to offer."""
        if self.executor.store.snapshot.awaited:
            self.awaited()
        self.taking.resume()

    def awaited(self) -> None:
        """Begin to fetch what the snapshot in the store stands for."""
        row = self.executor.store.snapshot
        offer = Offer.decode(row.data)
        if offer.height <= self.executor.ledger.height:
            self._pass_over(offer, row)
            return
        electorate = self.executor.known_roster().electorate(offer.height)
        self.fetching.begin(Target(offer, parse_certificate(offer.note, electorate).checkpoint, row))

    def heard(self, peer: str, height: int) -> None:
        """Take note of a height that a peer says is certified, or has signed for."""
        if self._follows:
            self.following.heard(peer, height)
            if len(self.following.ahead(self.now())) >= self.executor.ledger.roster.quorum:
                self._pump()

    def take_certificate(self, peer: str, note: str) -> None:
        """Take a certificate of a height beyond what is executed here: blocks that it reaches are executed.

        Raises:
            BadProofError: if it does not verify.
        """
        if self._follows:
            self.following.heard(peer, certified_height(note))
            self._follow_to(note)
            self._pump()

    def tend(self, now: float) -> None:
        """Do what comes up now and then."""
        self.taking.compact()
        rate = self.config.timing.backfill_bytes_per_s
        self._allowance = min(float(rate), self._allowance + rate * (now - self._filled_at))
        self._filled_at = now
        if self.fetching.is_under_way or self._questions.is_open or self.backfill.is_needed or self._follows:
            self._pump()

    @property
    def is_busy(self) -> bool:
        """Whether this node has not caught up yet, as far as it knows."""
        return (
            self.fetching.is_under_way
            or self.backfill.is_needed
            or (self._follows and self.following.is_behind)
        )

    # Frames.

    def take(self, peer: str, frame: SyncFrame) -> None:
        """Take in a question or an answer."""
        match frame:
            case StateWantFrame():
                for part in self.serving.state(frame):
                    self.send(peer, part)
            case LogWantFrame():
                self.send(peer, self.serving.log(frame))
            case BlocksWantFrame():
                self.send(peer, self.serving.blocks_from(frame))
            case SnapshotWantFrame():
                self.send(peer, self.serving.snapshot())
            case StatePartFrame():
                self._take_chunk(peer, frame)
            case LogPartFrame():
                self._take_log(peer, frame)
            case BlocksFrame():
                self._take_blocks(peer, frame)
            case SnapshotFrame():
                self._take_offer(peer, frame)

    def _take_chunk(self, peer: str, frame: StatePartFrame) -> None:
        if not self.fetching.was_asked(peer, frame):
            return
        if not self.fetching.take(peer, frame, self.now()):
            self._refuse(peer, "a state chunk does not give the hash that stands above it")
        self._pump()

    def _take_log(self, peer: str, frame: LogPartFrame) -> None:
        question = self._asked.get("backfill")
        if question != LogWantFrame(frame.level, frame.index, frame.down) or not self._close(
            "backfill", peer
        ):
            return
        self._allowance -= sum(map(len, frame.pieces))
        if not frame.pieces:
            self._questions.failed(peer)
        elif not self.backfill.take_log(frame):
            self._lied(peer, "pieces of the log do not give the hash that stands above them")
        self.figures.leaves_backfilled = self.backfill.leaves
        self._backfilled()
        if frame.pieces:
            self._pump()

    def _take_blocks(self, peer: str, frame: BlocksFrame) -> None:
        for purpose in ("follow", "backfill"):
            question = self._asked.get(purpose)
            if isinstance(question, BlocksWantFrame) and question.first == frame.first:
                break
        else:
            return
        if not self._close(purpose, peer):
            return
        if purpose == "follow":
            self._follow(peer, frame)
            return
        self._allowance -= sum(map(len, frame.blocks))
        if not frame.blocks:
            self._questions.failed(peer)
        elif not self.backfill.take_blocks(frame):
            self._lied(peer, "a block is not the one whose hash is known")
        self.figures.blocks_backfilled = self.backfill.blocks
        self._backfilled()
        if frame.blocks:
            self._pump()

    def _take_offer(self, peer: str, frame: SnapshotFrame) -> None:
        if not self._questions.answered("offer", peer):
            return
        if not frame.data:
            self._questions.failed(peer)
            self.following.disappointed(peer, self.now())
            return
        try:
            offer = Offer.decode(frame.data)
            checkpoint = verify_offer(offer, self.executor.known_roster(), self.executor.ledger.verifier)
        except BadProofError as error:
            self._lied(peer, str(error))
            return
        target = self.fetching.target
        ahead_of = target.checkpoint.height if target else self.executor.ledger.height
        if checkpoint.height <= ahead_of:
            self.following.disappointed(peer, self.now())
            return
        if self._follows:
            self.fetching.begin(Target(offer, checkpoint, None))
        else:
            self.fetching.move(offer, checkpoint)
        self._pump()

    # Questions.

    @property
    def _follows(self) -> bool:
        return not self.executor.ordering.orders

    def _pump(self) -> None:
        """Ask whatever can be asked now."""
        now = self.now()
        connected = self.connected()
        lost = self._questions.lost(now, connected)
        if self.fetching.is_under_way:
            self.fetching.ask_again(connected, now)
            if self.fetching.is_whole:
                self._install()
            if self.fetching.is_under_way:
                self._ask_for_state(connected, now)
            return
        self.figures.questions_lost += len(lost)
        if self._follows:
            self._ask_to_follow(now)
        if self._allowance > 0 and not self._questions.asks("backfill"):
            question = self.backfill.question()
            if question is not None:
                self._ask("backfill", question, connected, now)

    def _ask_for_state(self, connected: Sequence[str], now: float) -> None:
        """Ask for more of the state that is fetched, or, if nobody has it, for another one."""
        if self.fetching.ask(connected, now):
            return
        if connected and now >= self._seek_at and not self._questions.asks("offer"):
            self._seek_at = now + SEEK_PAUSE_S
            self._ask("offer", SnapshotWantFrame(), connected, now)

    def _ask_to_follow(self, now: float) -> None:
        ahead = [peer for peer in self.following.ahead(now) if peer in self.connected()]
        if not ahead or self._questions.asks("follow") or self._questions.asks("offer"):
            return
        if self.following.is_far_behind and now >= self._seek_at:
            self._seek_at = now + SEEK_PAUSE_S
            self._ask("offer", SnapshotWantFrame(), ahead, now)
        else:
            self._ask("follow", self.following.question(), ahead, now)

    def _ask(self, purpose: str, question: Frame, peers: Sequence[str], now: float) -> None:
        peer = self._questions.put(purpose, peers, now)
        if peer is not None:
            if isinstance(question, LogWantFrame | BlocksWantFrame):
                self._asked[purpose] = question
            self.send(peer, question)

    def _close(self, purpose: str, peer: str) -> bool:
        return self._questions.answered(purpose, peer)

    def _lied(self, peer: str, reason: str) -> None:
        self._questions.lied(peer, self.now())
        self._refuse(peer, reason)

    def _refuse(self, peer: str, reason: str) -> None:
        self.figures.answers_refused += 1
        self.observer.record(
            "sync.answer_refused", node=self.config.organization, peer=peer, reason=reason[:300]
        )

    # A state.

    def _pass_over(self, offer: Offer, row: SnapshotRow) -> None:
        """Go on behind a snapshot whose state this node has been past already, as one that followed blocks."""
        executor = self.executor
        if executor.store.is_block(offer.height, offer.header.hash) is False:
            raise DivergedError(offer.height)
        executor.store.note_applied(row.index)
        executor.store.put_snapshot(replace(row, awaited=False))
        executor.ordering.installed(row.index)
        self.taking.passed_over(offer.height)

    def _install(self) -> None:
        target = self.fetching.install()
        if target is None:
            return
        self.following.forget()
        index = 0 if target.snapshot is None else target.snapshot.index
        self.taking.installed(target.offer.header, index, target.offer.note)
        self.executor.points.reached(CodePoint.AFTER_INSTALL)

    # Blocks.

    def _follow(self, peer: str, frame: BlocksFrame) -> None:
        if not frame.blocks:
            self._questions.failed(peer)
            self.following.disappointed(peer, self.now())
            return
        try:
            self.following.take(frame)
            if frame.note:
                self._follow_to(frame.note)
        except (BadBlockError, BadProofError) as error:
            self.following.forget()
            self._lied(peer, str(error))
        self._pump()

    def _follow_to(self, note: str) -> None:
        """Execute the blocks that a certificate reaches.

        Raises:
            BadProofError: if the certificate does not verify.
            BadBlockError: if the block at its height is another one.
        """
        ledger = self.executor.ledger
        height = certified_height(note)
        if height <= ledger.height or self.fetching.is_under_way:
            return
        electorate = self.executor.known_roster().electorate(height)
        certificate = parse_certificate(note, electorate)
        verify_certificate(certificate, electorate, ledger.verifier)
        reached = self.following.certified(height, certificate.checkpoint.block_hash)
        for linked in reached:
            self.executor.follow(linked.block, linked.hash, linked.data)
        if reached:
            if ledger.checkpoint != certificate.checkpoint:
                # Not the peer's fault: k orderers have signed it, and this node comes to something else.
                raise DivergedError(height)
            self.executor.certified(self.certifier.receive_certificate(note))
            self.figures.blocks_followed += len(reached)

    def _backfilled(self) -> None:
        """Take note that more of the past is here."""
        self.fetching.decide()
        if not self.backfill.is_needed:
            self.executor.add_news("sync.history_whole", height=self.executor.ledger.height)
