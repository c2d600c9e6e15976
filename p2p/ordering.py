"""Raft at work in a node: messages in, durable entries and committed blocks out.

Rules:
- A message is stepped only if it comes from the node that sent it and its blocks hold. Blocks that do not connect to
  this node's log are left to the core, which takes none of them and tells the leader where to go on.
- A leader whose block does not hold is not followed for a while: with its heartbeats gone unheard, those who left it
  elect another one, which writes over what nobody took. If they are too few to, they hear it again: what did not hold
  may have been harmed on its way.
- Entries, term and vote are staged in the store here; the caller commits before it sends what depends on them.
  While it commits the core goes on, ahead of the store, and the chain with the core.
- A commit index that moved alone is written with what it commits, not by itself.
- When a configuration entry is applied every node derives anew what it changes, whoever led when it was cut.
- A snapshot is stepped only if its certificate holds. From then on, until the state it stands for is here, the node
  stores, acknowledges and votes, but neither stands for election nor is told of any commit beyond the snapshot: so
  nothing is executed on a state that is not whole, and nothing need be remembered meanwhile.
- A node whose organization does not order has a core that votes for nobody and is never ticked; it follows blocks.
- A node told to replace a committed entry refuses and is *forked*: from then on it reads and answers its own
  organization, but neither votes, nor follows, nor proposes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from consensus import (
    LEAVE_JOINT,
    CommittedConflictError,
    Config,
    ConfState,
    Entry,
    HardState,
    MalformedMessageError,
    Message,
    MessageType,
    RawNode,
    Ready,
    Role,
    Snapshot,
)
from ledger.errors import BadBlockError, BadProofError
from ledger.roster import Roster
from ledger.store import LogRow, SnapshotRow, Store
from p2p.chain import BlockRef, Chain
from p2p.config import TICKS_PER_HEARTBEAT, NodeConfig
from p2p.cutting import Cutting
from p2p.frames import RaftFields
from p2p.machine import Machine
from p2p.observer import Observer
from p2p.pool import Pool
from p2p.raftconf import accords, raft_change
from p2p.raftlog import StoredLog, configuration_bytes, read_configuration, to_entry
from p2p.raftpeers import RaftPeers
from p2p.sync.offer import Offer, verify_offer

INFLIGHT_BYTES_MAX = 4 << 20
"""What a leader sends ahead of a follower's answers, so that all a slow disk makes a follower hold fits one commit."""
TAIL_BYTES_MAX = 2 << 20
"""What a node keeps in memory of entries that it has stored and applied: who is further behind is sent them from the
store, a seek for every message."""
UNBOUNDED = 1 << 62

UNAPPLIED_MAX = 8192
"""How many entries a node takes in beyond a snapshot whose state it is still fetching."""

LEFT_ELECTION_TIMEOUTS = 4
"""For how many shortest election timeouts a leader whose block does not hold is not heard: twice the longest one, so
that those who left have elected another by then, if they are enough to."""

_FROM_LEADER = (MessageType.APPEND, MessageType.HEARTBEAT, MessageType.SNAPSHOT)

Witness = Callable[[int, bool, Ready], None]
"""Told every Ready before it is staged: the core's term, whether it leads, and the Ready. It changes nothing."""


def unwitnessed(_term: int, _leads: bool, _ready: Ready) -> None:
    """Keep nothing."""


@dataclass(slots=True)
class OrderingFigures:
    """Counters of one node's ordering."""

    messages: int = 0
    messages_refused: int = 0
    blocks_refused: int = 0
    leaders_left: int = 0
    elections_won: int = 0
    snapshots_received: int = 0
    snapshots_refused: int = 0
    appends_cut: int = 0
    hand_overs: int = 0


@dataclass(slots=True)
class Ordering:
    """One orderer's Raft core, its chain of blocks, and its store's log.

    Attributes:
        peers: who is who between Raft's core and the links.
        cutting: what it does while it leads.
        preview: what the roster would become by a configuration transaction, given its bytes and the block's time.
        known_roster: returns the latest roster known here, be it ahead of what is executed.
        forked: why this node follows nobody any more, if so.
        awaited_index: of the snapshot whose state is still being fetched, or None.
        witness: who checks Raft's properties from outside.
    """

    config: NodeConfig
    machine: Machine
    store: Store
    chain: Chain
    pool: Pool
    observer: Observer
    preview: Callable[[bytes, int], Roster]
    known_roster: Callable[[], Roster]
    figures: OrderingFigures = field(default_factory=OrderingFigures)
    raw: RawNode = field(init=False)
    log: StoredLog = field(init=False)
    peers: RaftPeers = field(init=False)
    cutting: Cutting = field(init=False)
    _has_standing: bool = False
    _is_outgoing: bool = False
    forked: str | None = None
    awaited_index: int | None = None
    witness: Witness = unwitnessed
    _heard: dict[str, tuple[RaftFields, Message]] = field(default_factory=dict)
    _unstaged: deque[int] = field(default_factory=deque)
    _left: tuple[int, int] | None = None
    _left_ticks: int = 0
    _seen_role: tuple[Role, int, int] | None = None

    def __post_init__(self) -> None:
        roster = self.chain.roster
        self.peers = RaftPeers(roster)
        self._has_standing = self._is_seated(roster)
        self.log = log = StoredLog(self.store)
        term, vote, commit = self.store.hard_state()
        snapshot = self.store.snapshot
        conf, applied = self._stored_configuration(), self.store.applied_index
        self._is_outgoing = self.config.raft_id in conf.voters_outgoing
        if snapshot.awaited:
            applied = self.awaited_index = snapshot.index
        raft_config = Config(
            id=self.config.raft_id,
            voters=(),
            conf_state=conf,
            rng=self.machine.random,
            election_tick=self.config.timing.election_ticks,
            heartbeat_tick=TICKS_PER_HEARTBEAT,
            inflight_bytes_max=INFLIGHT_BYTES_MAX,
            tail_bytes_max=TAIL_BYTES_MAX,
            accept_snapshots=True,
        )
        self.raw = RawNode(raft_config, HardState(term, vote, commit), log, applied)
        self.raw.bar(barred=snapshot.awaited)
        self.cutting = Cutting(
            self.config,
            self.machine,
            self.chain,
            self.pool,
            self.raw,
            roster,
            self.preview,
            hand_over=self._make_way,
        )
        if unapplied := self.unapplied():
            self._lengthen(unapplied)

    @property
    def leader(self) -> str | None:
        """The leader's organization, if known."""
        return self.peers.organization(self.raw.lead)

    @property
    def orders(self) -> bool:
        """Whether this node takes part in ordering: it votes, or learns to.

        Raft may not know yet that it does not, or never hear of it: whoever was away when it was demoted gets no more
        of the log, and learns it from the roster. Who gives up its seat takes part until a joint configuration is left.
        """
        return self.raw.is_member and (self._has_standing or self._is_outgoing)

    @property
    def conf_state(self) -> ConfState:
        """Who votes and who listens now."""
        return self.raw.status().conf_state

    @property
    def base_index(self) -> int:
        """Up to where the log is executed, or will be when the state behind a snapshot is here."""
        return max(self.store.applied_index, self.awaited_index or 0)

    @property
    def term(self) -> int:
        """The term as the store has it, on the disk while nothing is staged; the core may be ahead."""
        return self.store.hard_state()[0]

    @property
    def is_leader(self) -> bool:
        """Whether this node leads."""
        return self.raw.role is Role.LEADER

    def unapplied(self) -> list[Entry]:
        """Return what the store's log has beyond what is applied, or awaited."""
        base, last = self.base_index, self.log.last_index()
        return (
            [to_entry(row) for row in self.store.entries(base + 1, last + 1, UNBOUNDED)]
            if last > base
            else []
        )

    @property
    def staged_index(self) -> int:
        """Up to where the log, as the core has it, is in the store; on the disk while nothing is staged."""
        return min(self.store.last_index, min(self._unstaged, default=UNBOUNDED) - 1)

    def follow_roster(self, roster: Roster) -> None:
        """Take note of who belongs to the network once a block is executed."""
        self.cutting.roster = roster
        self.meet(roster)

    def meet(self, roster: Roster) -> None:
        """Take note of who the peers' nodes are, be it ahead of what is executed here; who left is still told so."""
        self.peers.meet(roster)
        self._has_standing = self._is_seated(roster)

    def _is_seated(self, roster: Roster) -> bool:
        return self.config.raft_id in (*roster.voters, *roster.learners)

    def _stored_configuration(self) -> ConfState:
        """Return Raft's members as they were when the last entry applied here, or its snapshot's, was applied."""
        index, data = self.store.configuration
        snapshot = self.store.snapshot
        if snapshot.configuration and (snapshot.awaited or snapshot.index >= index):
            return read_configuration(snapshot.configuration)
        if data:
            return read_configuration(data)
        return ConfState(voters=Roster.of_genesis(self.config.genesis).voters)

    def reconfigure(self, entry: Entry, roster: Roster) -> None:
        """Put what an applied configuration entry changed in force, and stage it beside the applied index.

        Args:
            entry: of the configuration type; one without data leaves a joint configuration.
            roster: after its block, or later.
        """
        change = LEAVE_JOINT
        if entry.data:
            change = raft_change(roster, self.chain.block(entry.data).header.height)
        conf = self.raw.apply_conf_change(entry.index, change)
        self._is_outgoing = self.config.raft_id in conf.voters_outgoing
        if entry.index > self.store.configuration[0]:
            self.store.set_configuration(entry.index, configuration_bytes(conf))
        self.observer.record(
            "raft.configuration",
            node=self.config.organization,
            index=entry.index,
            voters=[str(node) for node in conf.voters],
            outgoing=[str(node) for node in conf.voters_outgoing],
            learners=[str(node) for node in conf.learners],
        )

    def receive(self, peer: str, messages: Sequence[RaftFields]) -> None:
        """Step a peer's messages; what does not hold is dropped and counted."""
        sender = self.peers.raft_id(peer)
        for fields in messages:
            if self.forked is not None:
                return
            self.figures.messages += 1
            try:
                message = self._read(peer, fields)
                if message.sender != sender or message.to != self.raw.id:
                    raise MalformedMessageError(
                        f"from {message.sender} to {message.to} over the link of {peer}"
                    )
                if message.type in _FROM_LEADER and self._left == (sender, message.term):
                    continue
                self._step(peer, message)
            except MalformedMessageError as error:
                self.figures.messages_refused += 1
                self._note_refusal("raft.message_refused", peer, error)
            except BadProofError as error:
                self.figures.snapshots_refused += 1
                self._note_refusal("raft.snapshot_refused", peer, error)
                self._leave(peer, message.term)
            except BadBlockError as error:
                self.figures.blocks_refused += 1
                self._note_refusal("raft.block_refused", peer, error)
                self._leave(peer, message.term)
            except CommittedConflictError as error:
                self.forked = str(error)
                self._note_refusal("raft.forked", peer, error)

    def _read(self, peer: str, fields: RaftFields) -> Message:
        """Return the message of these fields; the very fields that came last from a peer are not read again."""
        known = self._heard.get(peer)
        if known is not None and known[0] is fields:
            return known[1]
        message = Message.from_fields(fields)
        if not message.entries and message.snapshot is None:
            self._heard[peer] = (fields, message)
        return message

    def _step(self, peer: str, message: Message) -> None:
        if message.snapshot is not None:
            self._step_snapshot(message, message.snapshot)
            return
        if self.awaited_index is not None:
            if message.entries and self.raw.last_index - self.awaited_index > UNAPPLIED_MAX:
                return  # the leader sends it again, or a later snapshot
            message = replace(message, commit=min(message.commit, self.awaited_index))
        self.raw.step(self._checked(peer, message))

    def _step_snapshot(self, message: Message, snapshot: Snapshot) -> None:
        """Step a snapshot whose certificate holds; one that replaces the log is awaited from now on."""
        offer = Offer.decode(snapshot.data)
        verify_offer(offer, self.known_roster(), self.chain.verifier)
        if offer.header.term != snapshot.term:
            raise BadProofError(
                f"snapshot of height {offer.height}: its entry is said to be of term {snapshot.term}, "
                f"its block is of term {offer.header.term}"
            )
        if not accords(snapshot.conf_state, self.known_roster(), offer.height):
            # Either the leader lies, or a change of the roster has not been proven here yet: it will send it again.
            self.figures.snapshots_refused += 1
            self.observer.record(
                "raft.snapshot_refused",
                node=self.config.organization,
                peer=self.peers.organization(message.sender) or "?",
                reason=f"snapshot of height {offer.height}: other members order than the roster says",
            )
            return
        replaces = not self.raw.matches(snapshot.index, snapshot.term)
        before = self.raw.commit
        self.raw.step(message)
        if replaces and before < snapshot.index == self.raw.commit:
            self.figures.snapshots_received += 1
            self.awaited_index = snapshot.index
            self.raw.bar(barred=True)

    def _checked(self, peer: str, message: Message) -> Message:
        """Return a message with the entries that may be taken in now, having checked their blocks."""
        if not message.entries or not self.raw.matches(message.index, message.log_term):
            return message
        unwritten = self.raw.unwritten_below(message.entries[0].index)
        entries = self.chain.admissible(message.entries, self.base_index, unwritten)
        if len(entries) < len(message.entries):
            self.figures.appends_cut += 1
            message = replace(message, entries=tuple(entries))
        if entries:
            self.chain.check(entries, self.base_index, unwritten, leader=peer, term=message.term)
        return message

    def _leave(self, peer: str, term: int) -> None:
        """Follow this leader no longer for now; messages of an older term say nothing about it."""
        if term >= self.raw.term:
            self._left = (self.peers.raft_id(peer), term)
            self._left_ticks = LEFT_ELECTION_TIMEOUTS * self.config.timing.election_ticks
            self.figures.leaders_left += 1
            self.observer.record("raft.leader_left", node=self.config.organization, leader=peer, term=term)

    def tick(self) -> None:
        """Let one tick pass."""
        if self._left is not None:
            self._left_ticks -= 1
            if self._left_ticks <= 0:
                self._left = None
        if self.forked is None and (self.orders or self.is_leader):
            self.raw.tick()

    def block_due_in(self, now: float) -> float | None:
        """Return in how many seconds a block is to be cut, or None if there is nothing to cut."""
        return self.cutting.due_in(now) if self.forked is None else None

    def propose(self) -> bool:
        """Cut, sign and propose a block of what waits; say whether there was one to cut and room for it."""
        return self.cutting.propose()

    def follow(self, ready: Ready) -> None:
        """Follow what the log holds and who leads, as a Ready tells it that is not staged yet."""
        self.witness(self.raw.term, self.is_leader, ready)
        if ready.snapshot is not None:
            header = Offer.decode(ready.snapshot.data).header
            self.chain.jump(BlockRef(ready.snapshot.index, header.height, header.hash, header.time_ms))
        if ready.entries:
            self._unstaged.append(ready.entries[0].index)
            self._lengthen(ready.entries)
        if ready.soft_state is not None:
            self._note_role()

    def stage(self, ready: Ready) -> None:
        """Put a Ready's snapshot, entries, term and vote into the store's open transaction."""
        if ready.snapshot is not None:
            snapshot = ready.snapshot
            configuration = configuration_bytes(snapshot.conf_state)
            row = SnapshotRow(snapshot.index, snapshot.term, configuration, snapshot.data, awaited=True)
            self.store.restore_log(row)
            self.chain.landed(snapshot.index)
            self.log.offers = False
            self.pool.release_all()
        if ready.entries:
            self.store.append_entries([self._row(entry) for entry in ready.entries])
            self._unstaged.popleft()
        if ready.hard_state is not None and (ready.must_sync or ready.committed_entries):
            state = ready.hard_state
            self.store.set_hard_state(state.term, state.vote, state.commit)

    def committing(self, *, begins: bool) -> None:
        """Read the log no more, or again; peers that were passed over meanwhile are served then."""
        self.log.is_busy = begins
        if not begins and self.log.was_asked:
            self.log.was_asked = False
            self.raw.storage_available()

    def installed(self, index: int) -> None:
        """Go on from the entry at `index`: the state up to there is here."""
        self.chain.landed(index)
        self.awaited_index = None
        self.raw.bar(barred=False)

    def applied(self, entry: Entry) -> None:
        """Take note that a committed entry was applied."""
        self.cutting.applied_term = entry.term

    @property
    def successor(self) -> str | None:
        """To whom this leader is handing over, if to anybody."""
        return self.peers.organization(self.raw.status().transferee)

    def candidates(self, peers: Sequence[str]) -> list[str]:
        """Return those of a leader's `peers` that may succeed it, the most complete log first."""
        known = self.raw.status().peers
        able = {
            i: peer for peer in peers if (i := self.peers.raft_id(peer)) in known and not known[i].is_learner
        }
        return [able[i] for i in sorted(able, key=lambda i: (-known[i].match, i))]

    def hand_over(self, to: str) -> None:
        """Hand leadership over.

        Raises:
            TransferRefusedError: if this node does not lead or `to` does not vote.
        """
        self.observer.record("raft.handover", node=self.config.organization, to=to)
        self.raw.transfer_leader(self.peers.raft_id(to))

    def _make_way(self, voters: Sequence[int]) -> None:
        """Have the voter that lacks the least lead instead: of two voters the one that leads is never removed."""
        known = self.raw.status().peers
        heard = [
            peer
            for node in voters
            if node in known and known[node].recent_active and (peer := self.peers.organization(node))
        ]
        for peer in self.candidates(heard)[:1]:
            self.figures.hand_overs += 1
            self.hand_over(peer)

    def peer_lost(self, peer: str) -> None:
        """Tell the core that a peer's link ended."""
        self.raw.report_unreachable(self.peers.raft_id(peer))

    def _row(self, entry: Entry) -> LogRow:
        block = None
        if entry.data:
            header = self.chain.block(entry.data).header
            block = (header.hash, header.height)
        return LogRow(entry.index, entry.term, int(entry.type), entry.data, block)

    def _lengthen(self, entries: Sequence[Entry]) -> None:
        """Put entries that the log has taken in at the end of the chain, and mark what they hold as ordered."""
        if self.chain.appended(entries):
            self.pool.release_all()
            for index, block in self.chain.pending:
                self.pool.mark_ordered(block.transactions, index)
            return
        for entry in entries:
            if entry.data:
                self.pool.mark_ordered(self.chain.block(entry.data).transactions, entry.index)

    def _note_role(self) -> None:
        seen = (self.raw.role, self.raw.term, self.raw.lead)
        if seen == self._seen_role:
            return
        self._seen_role = seen
        if self.is_leader:
            self.figures.elections_won += 1
        self.observer.record(
            "raft.role",
            node=self.config.organization,
            role=self.raw.role.value,
            term=self.raw.term,
            leader=self.leader,
        )

    def _note_refusal(self, event: str, peer: str, error: Exception) -> None:
        self.observer.record(event, node=self.config.organization, peer=peer, reason=str(error)[:300])
