"""The node: ledger, consensus and gossip joined over one store.

Rules:
- A node is a program with a life: it opens its store, checks it, listens, works, and ends when told to or when it
  cannot go on; it never goes on after a failed write or over a damaged store.
- Everything that changes the node happens in the driver's turns; HTTP handlers read, or ask for a durable write.
- Records, answers, checkpoints and receipts of envelopes leave only when the commit that carries what they tell is
  durable; who reads the node goes through `look` or `watch`, which wait for that.
- Taking in what is prompt, ticking, cutting and sending go on during a commit, so they keep off the store and tell
  nothing of the ledger, which may be ahead of the disk then.
- A service that fails ends the node: one that nobody can reach any more must not seem to be well.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import TypeVar

import apsw

from consensus import InconsistentStateError, Message, Ready
from ledger.checkpoint import parse_checkpoint
from ledger.contracts import DocumentState, read_document
from ledger.errors import BadBlockError, BadLinkError, BadProofError, DamagedStoreError
from ledger.keys import Verifier
from ledger.roster import Roster
from ledger.state import document_key
from p2p.certifier import Certifier
from p2p.chain import Chain
from p2p.config import NodeConfig
from p2p.courier import Courier
from p2p.driver import TIMER_SLACK, Driver
from p2p.errors import OverloadedError, PurgedError, ReadFailedError
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
from p2p.frameweather import FrameWeather
from p2p.gossip import Gossip
from p2p.handover import Handover
from p2p.intake import Intake
from p2p.links import Links
from p2p.machine import Machine
from p2p.mailroom import Mailroom
from p2p.met import Met
from p2p.observer import Observer
from p2p.opening import DATABASE, check_registration, log_tip, open_store, write_again
from p2p.ordering import Ordering
from p2p.peerage import Peerage
from p2p.pool import Pool
from p2p.reads import Reads
from p2p.repair import Repair
from p2p.signal import Signal
from p2p.sync.sync import Sync
from p2p.topology import neighbors_now

TEND_INTERVAL_MS = 1000
HEARD_HEARTBEATS = 3
"""A peer that said nothing for so many heartbeat intervals is not handed leadership."""
_PROMPT = (RaftFrame, ReadFrame, ReadAnswerFrame, TransactionsFrame, WantFrame, AliveFrame)
"""Frames whose taking in neither reads nor changes the store."""

T = TypeVar("T")
Service = Callable[["Node"], Coroutine[object, object, None]]


class Node:
    """One organization's node; its methods from `take` to `after_turn` are the driver's `Work`.

    Args:
        config: its place in the network.
        machine: its clock, chance and disk.
        observer: takes its records.
        verifier: remembers verified signatures; one per node unless given.
        weather: what a trial does on purpose to the frames that leave; calm unless given.

    Raises:
        DamagedStoreError: if the store is damaged in what verified blocks cannot rebuild.
    """

    def __init__(
        self,
        config: NodeConfig,
        machine: Machine,
        observer: Observer,
        verifier: Verifier | None = None,
        weather: FrameWeather | None = None,
    ) -> None:
        self.config = config
        self.machine = machine
        self.observer = observer
        self.verifier = verifier or Verifier()
        self.organization = config.organization
        self.changed = Signal()
        self.store = open_store(config, machine)
        self.ledger = self.store.load_ledger(self.verifier)
        check_registration(config, self.ledger.roster)
        self.pool = Pool(config.genesis.limits.pool_transactions_max)
        neighbors = neighbors_now(config, self.ledger.roster)
        self.gossip = Gossip(neighbors, config.timing.fanout, machine.random)
        self.certifier = Certifier(
            self.ledger.roster, self.verifier, self.organization, self._note_divergence
        )
        self.peerage = Peerage(self.ledger, self.store)
        self.courier = Courier(config.timing.envelope_retry_ms)
        try:
            self.ordering = self._make_ordering()
        except InconsistentStateError as error:
            raise DamagedStoreError(f"{DATABASE}, term, log and applied index", str(error)) from error
        self.links = Links(
            config=config,
            machine=machine,
            verifier=self.verifier,
            observer=observer,
            store_id=self.store.store_id,
            roster=self.ledger.roster,
            met=Met(self.store.peers),
            keep=self._keep_peers,
            deliver=self._deliver,
            on_change=self._link_changed,
            weather=weather or FrameWeather(machine.random),
        )
        self.driver = Driver(
            machine, self.store.connection, lambda: self.store.sequence, config.timing.heartbeat_ms, self
        )
        self.intake = Intake(
            machine=machine,
            ledger=self.ledger,
            store=self.store,
            pool=self.pool,
            gossip=self.gossip,
            observer=observer,
            durably=self.driver.durably,
            now=lambda: asyncio.get_running_loop().time(),
            leader=lambda: self.ordering.leader,
            on_change=self.changed.fire,
        )
        self.reads = Reads(self.organization, machine, self.ordering, self.links.send, self.driver.wake)
        self.executor = Executor(
            config,
            self.ledger,
            self.store,
            self.ordering,
            self.intake,
            self.certifier,
            observer,
            self._known_roster,
            self._roster_changed,
            machine.points,
        )
        self.repair = Repair(
            self.ledger,
            self.store,
            self.pool,
            self.gossip,
            self.intake,
            self.certifier,
            self.executor,
            self.peerage,
            self.links.send,
        )
        self.sync = Sync(
            config,
            self.executor,
            self.certifier,
            observer,
            machine.random,
            self.links.send,
            lambda: self.links.connected,
            lambda: asyncio.get_running_loop().time(),
        )
        self._durable_later: list[Callable[[], None]] = []
        self.mailroom = Mailroom(
            organization=self.organization,
            limits=config.genesis.limits,
            store=self.store,
            courier=self.courier,
            machine=machine,
            observer=observer,
            later=self._later,
            answer=self.links.send,
            is_purged=self.is_purged,
        )
        self.executor.on_purged = self.mailroom.purge
        self._to_greet: list[str] = []
        self._handover: Handover | None = None
        self._push_at = self._reconcile_at = self._tend_at = self._lagging_since = 0.0
        self._has_changed = False
        self._is_known = False

    async def run(self, *services: Service) -> None:
        """Work until stopped, with `services` (HTTP interfaces) open meanwhile.

        Args:
            services: coroutines that serve this node until they are cancelled.

        Raises:
            DiskFailureError: if a write could not be made durable; the node must not be restarted blindly.
            Exception: whatever ended a service before the node did.
        """
        try:
            await self._work(services)
        except BaseException:
            # What was not committed must not reach the database now, by way of a checkpoint at closing.
            self.store.connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
            raise
        self.store.connection.close()
        self.observer.record("node.stopped", node=self.organization, height=self.ledger.height)

    async def _work(self, services: Sequence[Service]) -> None:
        if self.store.connection.in_transaction:
            await self.machine.commit(self.store.connection, self.store.sequence)
        write_again(self.store)
        self._resume()
        loop = asyncio.get_running_loop()
        serving: list[asyncio.Task[None]] = []
        try:
            await self.links.start()
            for service in services:
                task = loop.create_task(service(self), name="service")
                task.add_done_callback(lambda _: self.driver.stop())
                serving.append(task)
            self.observer.record(
                "node.started",
                node=self.organization,
                height=self.ledger.height,
                certified=self.certifier.certified_height,
                pool=len(self.pool),
                repairs=list(self.store.repairs),
            )
            await self.driver.run()
        finally:
            self.changed.fire()  # whoever watches is told that the node has stopped
            for task in serving:
                task.cancel()
            ends = await asyncio.gather(*serving, return_exceptions=True)
            await self.links.stop()
        for end in ends:
            if isinstance(end, Exception):
                raise end

    async def look(self, read: Callable[[], T]) -> T:
        """Return what `read` reads of this node, at a moment when nothing is staged.

        Raises:
            NodeHaltedError: if the node has stopped.
        """
        await self.driver.settled()
        return read()

    async def watch(self, read: Callable[[], T | None], timeout_ms: int) -> T | None:
        """Read now and after every change until `read` finds something; None once `timeout_ms` have passed.

        Raises:
            NodeHaltedError: if the node has stopped.
        """
        found = await self.look(read)
        if found is not None or timeout_ms <= 0:
            return found
        try:
            async with asyncio.timeout(timeout_ms / 1000):
                while found is None:
                    await self.changed.wait()
                    found = await self.look(read)
        except TimeoutError:
            return await self.look(read)
        return found

    async def look_linearizably(self, read: Callable[[], T], timeout_ms: int) -> T:
        """Return what `read` reads once everything acknowledged anywhere before this call is applied here.

        Args:
            read: reads this node.
            timeout_ms: protocol time after which the read has failed.

        Raises:
            ReadFailedError: if no leader confirmed, or this node did not come so far, in time.
            NodeHaltedError: if the node has stopped.
        """
        ends_at = asyncio.get_running_loop().time() + timeout_ms / 1000
        index = await self.reads.index(timeout_ms)
        left_ms = round((ends_at - asyncio.get_running_loop().time()) * 1000)
        applied = await self.watch(
            lambda: True if self.store.applied_index >= index else None, max(1, left_ms)
        )
        if applied is None:
            raise ReadFailedError(
                f"this node has applied entry {self.store.applied_index}, not yet {index}, after {timeout_ms} ms"
            )
        return await self.look(read)

    def _later(self, action: Callable[[], None]) -> None:
        """Do something once the turn under way is durable."""
        self._durable_later.append(action)

    @property
    def is_known(self) -> bool:
        """Whether this node's store is one that others take for its own: it has a ledger, or a peer spoke with it.

        A node that starts over an empty store where it had another one is refused by its peers, and what it took in
        would be lost as soon as the right one is back.
        """
        return self._is_known or self.ledger.height > 0 or len(self.ledger.roster.members) == 1

    def stop(self) -> None:
        """End in good order: a leader hands over first, for at most the shortest election timeout.

        A second call does not wait for that.
        """
        now = asyncio.get_running_loop().time()
        if self._handover is None and self.ordering.is_leader:
            timing = self.config.timing
            heard_ms = HEARD_HEARTBEATS * timing.heartbeat_ms
            self._handover = Handover(
                self.ordering,
                lambda: self.links.heard_since(asyncio.get_running_loop().time() - heard_ms / 1000),
                now + timing.election_timeout_ms_min / 1000,
            )
            if not self._handover.is_over(now):
                self.driver.wake()
                return
        self.driver.stop()

    async def send_envelope(self, root: bytes, to: str, envelope: bytes) -> bool:
        """Take an envelope from this node's organization; return when it is on disk here.

        Returns:
            Whether it is new; the same bytes under the same root are not kept twice.

        Raises:
            PurgedError: if the document was purged.
            OverloadedError: if there is no room for it; nothing was kept.
            NodeHaltedError: if the node has stopped.
        """
        if await self.look(lambda: self.is_purged(root)):
            raise PurgedError(f"document {root.hex()} was purged; nobody keeps envelopes of it any more")
        taken: list[bool | str] = []
        await self.driver.durably(lambda: taken.append(self.mailroom.post(to, root, envelope)))
        if isinstance(taken[0], str):
            raise OverloadedError(taken[0])
        self.changed.fire()
        self.driver.wake()
        return taken[0]

    def is_purged(self, root: bytes) -> bool:
        """Whether the document of a root was purged, as far as this node has executed."""
        data = self.ledger.state.get(document_key(root))
        return data is not None and read_document(data).state is DocumentState.PURGED

    # The driver's work.

    def is_prompt(self, frame: Frame) -> bool:
        """Whether a frame can be taken in while a commit is under way: it neither reads nor stages anything."""
        return isinstance(frame, _PROMPT)

    def take(self, peer: str, frame: Frame) -> None:
        """Take in one frame."""
        self._is_known = True
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
        """Let one heartbeat interval pass for Raft."""
        self.ordering.tick()
        self._leave_if_handed_over()

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
        if self.certifier.certified_height == self.ledger.height:
            self._lagging_since = now
        elif (now - self._lagging_since) * 1000 >= self.config.timing.lag_interval_ms:
            self._lagging_since = now
            self.links.broadcast(self.repair.summary())
        self.sync.tend(now)
        if now >= self._tend_at:
            self._tend_at = now + TEND_INTERVAL_MS / 1000
            self.links.tend(now)

    def cut(self, now: float) -> float | None:
        """Cut a block if one is due; return in how many seconds the next look is due, or None."""
        due_in = self.ordering.block_due_in(now)
        if due_in is not None and due_in <= TIMER_SLACK:
            cut = self.ordering.propose()
            due_in = self.ordering.block_due_in(now) if cut else self.config.timing.block_interval_ms / 1000
        if self.gossip.has_pushes:
            push_in = self._push_at - now
            if push_in <= TIMER_SLACK:
                self._push_at = now + self.config.timing.push_interval_ms / 1000
                for peer, ids in self.gossip.take_pushes():
                    self.repair.send_transactions(peer, ids)
            else:
                due_in = push_in if due_in is None else min(due_in, push_in)
        if self.courier.outstanding:
            for peer, frame in self.courier.due(now, self.links.connected):
                self.links.send(peer, frame)
        return due_in

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
            self._leave_if_handed_over()
        return ready

    def send(self, messages: Sequence[Message]) -> None:
        """Send Raft messages."""
        for peer, fields in self.ordering.addressed(messages):
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
        if self._durable_later:
            later, self._durable_later = self._durable_later, []
            for action in later:
                action()
        has_news = self.executor.announce()
        if self._has_changed or has_news:
            self._has_changed = False
            self.changed.fire()

    def _leave_if_handed_over(self) -> None:
        if self._handover is not None and self._handover.is_over(asyncio.get_running_loop().time()):
            self.driver.stop()

    # Frames.

    def _take_certificate(self, peer: str, note: str) -> None:
        try:
            self.executor.certified(self.certifier.receive_certificate(note))
            self.sync.take_certificate(peer, note)
        except (BadProofError, BadBlockError) as error:
            self.certifier.figures.refused += 1
            self.observer.record(
                "certificate.refused", node=self.organization, peer=peer, reason=str(error)[:300]
            )

    # Beginnings.

    async def _keep_peers(self, data: bytes) -> None:
        await self.driver.durably(lambda: self.store.set_peers(data))

    def _known_roster(self) -> Roster:
        return self.peerage.roster

    def _roster_changed(self) -> None:
        """Know the peers by the latest roster, executed here or not."""
        roster = self.peerage.roster
        self.ordering.meet(roster)
        self.gossip.neighbors = neighbors_now(self.config, roster)
        self._later(lambda: self.links.follow(roster))

    def _take_proof(self, peer: str, frame: CertificateFrame | LineageFrame) -> None:
        if isinstance(frame, CertificateFrame):
            self._take_certificate(peer, frame.note)
            return
        try:
            if self.peerage.take(frame):
                self._roster_changed()
        except BadLinkError as error:
            self.observer.record(
                "lineage.refused", node=self.organization, peer=peer, reason=str(error)[:300]
            )

    def _make_ordering(self) -> Ordering:
        chain = Chain(
            self.config.genesis, self.ledger.roster, self.verifier, log_tip(self.store, self.ledger)
        )
        chain.followed_height = self.ledger.height
        return Ordering(
            self.config,
            self.machine,
            self.store,
            chain,
            self.pool,
            self.observer,
            self.ledger.preview_roster,
            self._known_roster,
        )

    def _resume(self) -> None:
        """Take up what the last life left: certificates, own checkpoints, the durable pool and outbox."""
        latest = self.store.latest_certificate()
        if latest is not None:
            self.certifier.certified_height = latest[0]
        for height in range(self.certifier.certified_height + 1, self.ledger.height + 1):
            text, signature = self.store.own_checkpoint(height)
            self.executor.certified(self.certifier.executed(parse_checkpoint(text), signature))
        self.sync.resume()
        self.intake.reload()
        for row in self.store.outbox_rows():
            self.courier.add(row.index, row.root, row.to, row.envelope)

    def _deliver(self, peer: str, frame: Frame, size_bytes: int) -> Awaitable[None]:
        return self.driver.deliver(peer, frame, size_bytes)

    def _link_changed(self, peer: str, is_open: bool) -> None:
        if is_open:
            self._to_greet.append(peer)
            self.courier.reconnected(peer)
            self.driver.wake()
        else:
            self.ordering.peer_lost(peer)

    def _note_divergence(self, orderer: str, height: int) -> None:
        self.observer.record("checkpoint.divergent", node=self.organization, orderer=orderer, height=height)
