"""The node: ledger, consensus and gossip joined over one store.

Rules:
- A node is a program with a life: it opens its store, checks it, listens, works, and ends when told to or when it
  cannot go on; it never goes on after a failed write or over a damaged store.
- Everything that changes the node happens in the driver's turns; HTTP handlers read, or ask for a durable write.
- Who reads the node goes through `look` or `watch`, which wait until what they tell is durable.
- A service that fails ends the node: one that nobody can reach any more must not seem to be well.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import TypeVar

import apsw

from consensus import InconsistentStateError
from ledger.checkpoint import parse_checkpoint
from ledger.contracts import DocumentState, read_document
from ledger.envelopes import SignedEnvelope, is_senders, seal_statement
from ledger.errors import DamagedStoreError, EnvelopeError
from ledger.keys import Domain, Verifier
from ledger.roster import Roster
from ledger.state import document_key
from p2p.acquaintance import Acquaintance
from p2p.certifier import Certifier
from p2p.chain import Chain
from p2p.config import NodeConfig
from p2p.courier import Courier
from p2p.driver import Driver
from p2p.errors import OverloadedError, PurgedError, ReadFailedError, UnsignedError
from p2p.executor import Executor
from p2p.frames import Frame
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
from p2p.turns import Turns

HEARD_TICKS = 3
"""A peer that said nothing for so many ticks, one and a half heartbeats, is not handed leadership."""
T = TypeVar("T")
Service = Callable[["Node"], Coroutine[object, object, None]]


class Node:
    """One organization's node: its parts, joined, and its life.

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
        self.verifier = Verifier() if verifier is None else verifier  # an empty one is false
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
            peers=Acquaintance(config, self.ledger.roster, lambda: self.courier.addressees),
            met=Met(self.store.peers),
            keep=self._keep_peers,
            deliver=self._deliver,
            on_change=self._link_changed,
            weather=weather or FrameWeather(machine.random),
        )
        self.intake = Intake(
            machine=machine,
            ledger=self.ledger,
            store=self.store,
            pool=self.pool,
            gossip=self.gossip,
            observer=observer,
            durably=self._durably,
            now=lambda: asyncio.get_running_loop().time(),
            leader=lambda: self.ordering.leader,
            on_change=self.changed.fire,
        )
        self.reads = Reads(self.organization, machine, self.ordering, self.links.send, self._wake)
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
            is_signed=self.is_signed,
        )
        self.executor.on_purged = self.mailroom.purge
        self._handover: Handover | None = None
        self.turns = Turns(
            config=config,
            observer=observer,
            links=self.links,
            ordering=self.ordering,
            executor=self.executor,
            certifier=self.certifier,
            peerage=self.peerage,
            gossip=self.gossip,
            intake=self.intake,
            repair=self.repair,
            sync=self.sync,
            courier=self.courier,
            mailroom=self.mailroom,
            reads=self.reads,
            changed=self.changed,
            leave_when_due=self._leave_if_handed_over,
        )
        self.driver = Driver(
            machine,
            self.store.connection,
            self.store.seal,
            config.timing.tick_ms,
            self.turns,
        )

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
            await self.machine.commit(self.store.connection, self.store.seal())
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

    @property
    def is_known(self) -> bool:
        """Whether this node's store is one that others take for its own: it has a ledger, or a peer spoke with it.

        A node that starts over an empty store where it had another one is refused by its peers, and what it took in
        would be lost as soon as the right one is back.
        """
        return self.turns.has_heard or self.ledger.height > 0 or len(self.ledger.roster.members) == 1

    def stop(self) -> None:
        """End in good order: a leader hands over first, for at most the shortest election timeout.

        A second call does not wait for that.
        """
        now = asyncio.get_running_loop().time()
        if self._handover is None and self.ordering.is_leader:
            timing = self.config.timing
            heard_ms = HEARD_TICKS * timing.tick_ms
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
            UnsignedError: if this organization did not sign it for that addressee under that root.
            PurgedError: if the document was purged.
            OverloadedError: if there is no room for it; nothing was kept.
            NodeHaltedError: if the node has stopped.
        """
        if await self.look(lambda: self.is_purged(root)):
            raise PurgedError(f"document {root.hex()} was purged; nobody keeps envelopes of it any more")
        if not self.is_signed(self.organization, to, root, envelope):
            raise UnsignedError(
                f"the envelope's last 64 bytes are no signature of {self.organization} over root {root.hex()}, "
                f"addressee {to} and the bytes before them"
            )
        taken: list[bool | str] = []
        await self.driver.durably(lambda: taken.append(self.mailroom.post(to, root, envelope)))
        if isinstance(taken[0], str):
            raise OverloadedError(taken[0])
        self.changed.fire()
        self.driver.wake()
        return taken[0]

    def is_signed(self, sender: str, to: str, root: bytes, envelope: bytes) -> bool:
        """Whether an envelope is signed by its sender for that addressee under that root, by the latest roster."""
        roster = self._known_roster()
        try:
            signed = SignedEnvelope.decode(envelope)
        except EnvelopeError:
            return False
        return is_senders(
            roster.find_ever(sender),
            self.verifier,
            Domain.SEAL,
            roster.network,
            seal_statement(root, to, signed.digest),
            signed.signature,
        )

    def is_purged(self, root: bytes) -> bool:
        """Whether the document of a root was purged, as far as this node has executed."""
        data = self.ledger.state.get(document_key(root))
        return data is not None and read_document(data).state is DocumentState.PURGED

    def _leave_if_handed_over(self) -> None:
        if self._handover is not None and self._handover.is_over(asyncio.get_running_loop().time()):
            self.driver.stop()

    # Beginnings.

    async def _keep_peers(self, data: bytes) -> None:
        await self.driver.durably(lambda: self.store.set_peers(data))

    def _known_roster(self) -> Roster:
        return self.peerage.roster

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

    # What parts are given that stand before the driver and its turns do.

    def _durably(self, write: Callable[[], None]) -> Awaitable[None]:
        return self.driver.durably(write)

    def _wake(self) -> None:
        self.driver.wake()

    def _later(self, action: Callable[[], None]) -> None:
        self.turns.later(action)

    def _roster_changed(self) -> None:
        self.turns.roster_changed()

    def _deliver(self, peer: str, frame: Frame, size_bytes: int) -> Awaitable[None]:
        return self.driver.deliver(peer, frame, size_bytes)

    def _link_changed(self, peer: str, is_open: bool) -> None:
        if is_open:
            self.turns.greet(peer)
            self.courier.reconnected(peer)
            self.driver.wake()
        else:
            self.ordering.peer_lost(peer)

    def _note_divergence(self, orderer: str, height: int) -> None:
        self.observer.record("checkpoint.divergent", node=self.organization, orderer=orderer, height=height)
