"""A cluster in memory that can do to its nodes what the world does, and watches every step.

- `Disk` keeps what was written, one atomic write per Ready. `Peer` holds a core, its disk and the writes
  under way. A crash loses the core, the messages it held back, and any number of the latest writes under
  way.
- `Cluster` carries messages: each may be delivered, dropped, doubled, overtaken; any direction may be cut.
- `Observer` checks the invariants after every step, from outside: it reads cores and disks, and sees each
  message as it leaves. What it knows (leaders by term, committed entries, applied entries) is history, so a
  crash makes nobody innocent.
"""

import hashlib
from collections import deque
from collections.abc import Callable, Iterable
from random import Random
from typing import Any

from consensus import (
    LEAVE_JOINT,
    Change,
    ChangeType,
    ConfChange,
    Config,
    ConfState,
    Entry,
    EntryType,
    HardState,
    MemoryStorage,
    Message,
    MessageType,
    ProposalRefusedError,
    RawNode,
    ReadRefusedError,
    Ready,
    Role,
    Snapshot,
    TransferRefusedError,
    Transition,
    next_conf,
)
from consensus.quorum import joint_committed_index

BYTES_MAX = 1 << 60
Chain = list[tuple[int, bytes]]


def make_node(
    node: int = 1,
    voters: int | tuple[int, ...] = 3,
    storage: MemoryStorage | None = None,
    applied: int = 0,
    seed: int = 0,
    **settings: Any,
) -> tuple[RawNode, MemoryStorage]:
    """A single core on its own storage, for tests that play its peers by hand."""
    ids = voters if isinstance(voters, tuple) else tuple(range(1, voters + 1))
    disk = storage if storage is not None else MemoryStorage()
    settings.setdefault("accept_snapshots", True)
    config = Config(id=node, voters=ids, rng=Random(f"{seed}:{node}"), **settings)
    return RawNode(config, disk.hard_state, disk, applied), disk


def entries(*terms: int, start: int = 1, mark: str = "") -> tuple[Entry, ...]:
    """Entries of these terms, from index `start` on."""
    return tuple(
        Entry(term, index, EntryType.NORMAL, f"{mark}{term}.{index}".encode())
        for index, term in enumerate(terms, start)
    )


def disk_with(*terms: int, term: int | None = None, vote: int = 0, commit: int = 0) -> MemoryStorage:
    """A storage whose log has entries of these terms."""
    disk = MemoryStorage()
    disk.append(entries(*terms))
    disk.hard_state = HardState(term if term is not None else max(terms, default=0), vote, commit)
    return disk


def work(node: RawNode, disk: MemoryStorage) -> list[Message]:
    """Does everything a core asks for, as a prompt caller would; gives what it sent."""
    sent: list[Message] = []
    while node.has_ready():
        ready = node.ready()
        sent.extend(ready.messages)
        disk.append(ready.entries)
        if ready.hard_state is not None:
            disk.hard_state = ready.hard_state
        sent.extend(ready.messages_after_append)
        node.advance(ready)
    return sent


def elect(node: RawNode, disk: MemoryStorage) -> list[Message]:
    """Makes a core the leader by granting whatever it asks; gives what it sent as a leader."""
    node.campaign()
    sent = work(node, disk)
    while node.role is not Role.LEADER:
        asked = [message for message in sent if message.type in (MessageType.PRE_VOTE, MessageType.VOTE)]
        assert asked, "the core asks for no more votes"
        for message in asked:
            node.step(grant(message))
        sent = work(node, disk)
    return sent


def grant(message: Message) -> Message:
    """The answer of a peer that votes for the sender."""
    kind = (
        MessageType.PRE_VOTE_RESPONSE if message.type is MessageType.PRE_VOTE else MessageType.VOTE_RESPONSE
    )
    return Message(kind, message.sender, message.to, message.term, message.session)


def ack(message: Message, index: int | None = None) -> Message:
    """The answer of a peer that took an append in."""
    last = message.index + len(message.entries) if index is None else index
    return Message(
        MessageType.APPEND_RESPONSE, message.sender, message.to, message.term, message.session, index=last
    )


def beat_answer(message: Message) -> Message:
    """The answer to a heartbeat."""
    return Message(
        MessageType.HEARTBEAT_RESPONSE,
        message.sender,
        message.to,
        message.term,
        message.session,
        context=message.context,
    )


def append(
    term: int,
    after: tuple[int, int] = (0, 0),
    new: Iterable[Entry] = (),
    *,
    commit: int = 0,
    sender: int = 2,
    to: int = 1,
    session: int = 7,
) -> Message:
    """A leader's append of `new` after the entry `after` = (index, term)."""
    return Message(
        MessageType.APPEND, to, sender, term, session, after[1], after[0], commit=commit, entries=tuple(new)
    )


def heartbeat(term: int, *, commit: int = 0, sender: int = 2, to: int = 1, session: int = 7) -> Message:
    """A leader's heartbeat."""
    return Message(MessageType.HEARTBEAT, to, sender, term, session, commit=commit)


def only(messages: list[Message], kind: MessageType, to: int | None = None) -> list[Message]:
    """The messages of one kind, to one peer if given."""
    return [message for message in messages if message.type is kind and to in (None, message.to)]


def terms_of(node: RawNode) -> list[int]:
    """The terms of a core's log, read from outside as its peers would see it."""
    return [entry.term for entry in log_of(node)]


def log_of(node: RawNode) -> list[Entry]:
    """A core's whole log, or what is left of it."""
    return node._core.log.slice(node._core.log.first_index, node.last_index + 1, BYTES_MAX)


def chain_of(log: Iterable[Entry], digest: bytes = b"") -> Chain:
    """(term, hash of everything up to here) for every index; `digest` is that of what comes before."""
    chain: Chain = []
    for entry in log:
        digest = hashlib.blake2b(
            digest + b"%d %d %d " % (entry.term, entry.index, entry.type) + entry.data, digest_size=12
        ).digest()
        chain.append((entry.term, digest))
    return chain


class ChainMemo:
    """`chain_of` for a log that mostly grows: unchanged beginnings are not hashed again.

    A log whose beginning was dropped is preceded by `base`, the chain of what was dropped.
    """

    def __init__(self) -> None:
        self.log: list[Entry] = []
        self.chain: Chain = []
        self.base: Chain = []

    def of(self, log: list[Entry], base: Chain) -> Chain:
        if len(base) != len(self.base) or log[: len(self.log)] != self.log:
            self.log, self.chain, self.base = [], base, base
        if len(log) > len(self.log):
            self.chain = self.chain + chain_of(log[len(self.log) :], self.chain[-1][1] if self.chain else b"")
            self.log = log
        return self.chain


class Disk(MemoryStorage):
    """A node's disk: log, hard state and what its state machine has applied, in one atomic write.

    A snapshot carries the digest of what it stands for; whoever installs one finds the state elsewhere.
    """

    def __init__(self, conf_state: ConfState) -> None:
        super().__init__()
        self.applied: list[Entry] = []
        self.conf_state = conf_state
        self.memo = ChainMemo()
        self.base: Chain = []

    def write(self, ready: Ready, observer: "Observer") -> None:
        if ready.snapshot is not None:
            self.apply_snapshot(ready.snapshot)
            self.conf_state = ready.snapshot.conf_state
            self.applied, self.base = observer.state_of(ready.snapshot)
        self.append(ready.entries)
        if ready.hard_state is not None:
            self.hard_state = ready.hard_state
        for entry in ready.committed_entries:
            self.applied.append(entry)
            if entry.type is EntryType.CONF_CHANGE:
                self.conf_state = next_conf(
                    self.conf_state, observer.change_of(entry), learners_first=observer.learners_first
                )
                observer.changed(entry.index, self.conf_state)

    def log(self) -> list[Entry]:
        return list(self.entries(self.first_index(), self.last_index() + 1, BYTES_MAX))

    def chain(self) -> Chain:
        return self.memo.of(self.log(), self.base)

    def release(self, kept: int) -> None:
        """Makes a snapshot of all that is applied, and drops all but the last `kept` entries of it."""
        if self.applied:
            index = len(self.applied)
            chain = self.chain()
            self.create_snapshot(index, self.conf_state, chain[index - 1][1])
            self.compact(index - kept)
            self.base = chain[: self.first_index() - 1]


class Peer:
    """One node: a core while it lives, its disk, and the writes under way."""

    def __init__(self, node: int, conf_state: ConfState) -> None:
        self.id = node
        self.disk = Disk(conf_state)
        self.core: RawNode | None = None
        self.writing: deque[Ready] = deque()
        self.life = 0
        self.memo = ChainMemo()

    @property
    def alive(self) -> RawNode:
        assert self.core is not None, f"node {self.id} is down"
        return self.core


class Cluster:
    """Nodes 1 to `size` who vote, then `spare` more who may join, the messages between them, an observer."""

    def __init__(self, size: int = 3, seed: int = 0, *, spare: int = 0, **settings: Any) -> None:
        self.ids = tuple(range(1, size + spare + 1))
        self.random = Random(f"{seed}:network")
        self.seed = seed
        self.settings = settings
        self.flying: list[Message] = []
        self.cut: dict[tuple[int, int], bool] = {}
        self.peers = {node: Peer(node, ConfState(self.ids[:size])) for node in self.ids}
        self.changes: dict[bytes, ConfChange] = {b"": LEAVE_JOINT}
        self.observer = Observer(self)
        self.proposed = 0
        self.reads = 0
        self.refused: ProposalRefusedError | None = None
        self.delivered: list[Message] = []
        for node in self.ids:
            self.restart(node)

    # --- what happens to nodes

    def restart(self, node: int) -> None:
        peer = self.peers[node]
        peer.life += 1
        config = Config(
            id=node,
            voters=(),
            conf_state=peer.disk.conf_state,
            rng=Random(f"{self.seed}:{node}:{peer.life}"),
            accept_snapshots=True,
            **self.settings,
        )
        peer.core = RawNode(config, peer.disk.hard_state, peer.disk, len(peer.disk.applied))
        self.observer.restarted(peer)

    def crash(self, node: int, written: int = 0) -> None:
        """The node dies; of its writes under way the first `written` have reached the disk all the same."""
        peer = self.peers[node]
        for ready in list(peer.writing)[:written]:
            peer.disk.write(ready, self.observer)
            self.observer.applied(ready)
        peer.writing.clear()
        peer.core = None
        self.observer.check(peer)

    def tick(self, node: int) -> None:
        self.touch(node, lambda core: core.tick())

    def campaign(self, node: int) -> None:
        self.touch(node, lambda core: core.campaign())

    def propose(self, node: int, size_bytes: int = 0) -> Entry | None:
        core = self.peers[node].alive
        data = b"%d" % self.proposed + b"." * size_bytes
        if not core.can_propose(len(data)):
            return None
        self.proposed += 1
        entry = core.propose(data)
        self.observer.check(self.peers[node])
        return entry

    def change(
        self, node: int, *changes: tuple[ChangeType, int], transition: Transition = Transition.AUTO
    ) -> Entry | None:
        """Proposes a change of members at `node`; None if refused."""
        change = ConfChange(tuple(Change(kind, member) for kind, member in changes), transition)
        data = b"" if transition is Transition.LEAVE else b"change %d" % len(self.changes)
        try:
            entry = self.peers[node].alive.propose_conf_change(data, change)
        except ProposalRefusedError as error:
            self.refused = error
            return None
        self.changes[data] = change
        self.observer.check(self.peers[node])
        return entry

    def change_at_random(self, random: Random, node: int, *kinds: tuple[ChangeType, int]) -> None:
        """A change that leaves at least two voters: of two, the leader must not be removed."""
        voters = self.core(node).status().conf_state.voters
        gone = {member for kind, member in kinds if kind is not ChangeType.ADD_VOTER}.intersection(voters)
        if len(voters) - len(gone) >= 2:
            self.change(node, *kinds, transition=random.choice([Transition.AUTO, Transition.JOINT]))

    def wipe(self, node: int) -> None:
        """The node's disk is replaced by an empty one; it forgets everything it promised."""
        self.observer.durable.pop(node, None)
        self.peers[node] = Peer(node, self.observer.confs[0])
        self.restart(node)

    def release(self, node: int, kept: int = 0) -> None:
        """The caller makes a snapshot and drops what it stands for."""
        self.peers[node].disk.release(kept)
        self.observer.check(self.peers[node])

    def transfer(self, node: int, to: int) -> None:
        try:
            self.touch(node, lambda core: core.transfer_leader(to))
        except TransferRefusedError:
            self.observer.check(self.peers[node])

    def read(self, node: int) -> int | None:
        """Asks for a linearizable read; its number, or None if refused."""
        self.reads += 1
        try:
            self.touch(node, lambda core: core.read_index(b"%d" % self.reads))
        except ReadRefusedError:
            return None
        self.observer.read_asked(self.reads)
        return self.reads

    def touch(self, node: int, act: Callable[[RawNode], None]) -> None:
        act(self.peers[node].alive)
        self.observer.check(self.peers[node])

    def take(self, node: int) -> None:
        """The caller takes a Ready, sends what may leave at once and starts the write."""
        peer = self.peers[node]
        if peer.alive.has_ready():
            ready = peer.alive.ready()
            peer.writing.append(ready)
            self.observer.reads_answered(ready)
            self.send(peer, ready.messages)
            self.observer.check(peer)

    def persist(self, node: int) -> None:
        """The oldest write under way is done."""
        peer = self.peers[node]
        if peer.writing:
            ready = peer.writing.popleft()
            peer.disk.write(ready, self.observer)
            self.observer.applied(ready)
            self._apply_changes(peer, ready)
            self.send(peer, ready.messages_after_append)
            peer.alive.advance(ready)
            self.observer.check(peer)

    def _apply_changes(self, peer: Peer, ready: Ready) -> None:
        changed = [entry for entry in ready.committed_entries if entry.type is EntryType.CONF_CHANGE]
        for entry in changed:
            conf = peer.alive.apply_conf_change(entry.index, self.observer.change_of(entry))
            assert entry is not changed[-1] or conf == peer.disk.conf_state, "the caller stored another"

    def work(self, node: int) -> None:
        """Everything the core asks for, to the end."""
        peer = self.peers[node]
        while peer.core is not None and (peer.writing or peer.core.has_ready()):
            self.take(node)
            self.persist(node)

    # --- what happens to messages

    def send(self, peer: Peer, messages: Iterable[Message]) -> None:
        for message in messages:
            self.observer.leaves(peer, message)
            self.flying.append(message)

    def deliver(self, position: int = 0) -> None:
        message = self.flying.pop(position)
        peer = self.peers[message.to]
        if peer.core is not None and not self.cut.get((message.sender, message.to)):
            self.delivered.append(message)
            peer.core.step(Message.from_fields(message.to_fields()))
            self.observer.check(peer)

    def isolate(self, *nodes: int) -> None:
        """Cuts these nodes off from the others, both ways."""
        for node in nodes:
            for other in self.ids:
                if other not in nodes:
                    self.cut[node, other] = self.cut[other, node] = True

    def heal(self) -> None:
        self.cut.clear()

    # --- runs

    def settle(self) -> None:
        """No time passes; everything else that can happen does, in order."""
        while True:
            for node in self.ids:
                if self.peers[node].core is not None:
                    self.work(node)
            if not self.flying:
                return
            for _ in range(len(self.flying)):
                self.deliver()

    def run(self, ticks: int) -> None:
        for _ in range(ticks):
            for node in self.ids:
                if self.peers[node].core is not None:
                    self.tick(node)
            self.settle()

    def elect(self, node: int) -> None:
        """Makes `node` lead, by letting the others' stickiness run out and it alone campaign."""
        for other in self.ids:
            core = self.peers[other].core
            if core is not None:
                core._core.election_elapsed = core._core.config.election_tick
        self.campaign(node)
        self.settle()
        assert self.leaders() == [node], f"leaders are {self.leaders()}, not {node}"

    def leaders(self) -> list[int]:
        """Who leads the highest term that is led."""
        led = [
            (peer.core.term, peer.id)
            for peer in self.peers.values()
            if peer.core is not None and peer.core.role is Role.LEADER
        ]
        top = max((term for term, _ in led), default=0)
        return [node for term, node in led if term == top]

    def core(self, node: int) -> RawNode:
        return self.peers[node].alive

    def applied(self, node: int) -> list[bytes]:
        return [entry.data for entry in self.peers[node].disk.applied if entry.data]

    def converge(self, election_timeouts: int) -> None:
        """The liveness phase: heals everything, then asserts one leader, a fresh write and read, and equal logs."""
        self.heal()
        for node in self.ids:
            if self.peers[node].core is None:
                self.restart(node)
        ticks = 2 * self.core(1)._core.config.election_tick
        self._switch_off_who_left()
        written: Entry | None = None
        for _ in range(election_timeouts):
            for node in self.members():
                if self.peers[node].core is None:
                    self.restart(node)
            self.run(ticks)
            leaders = self.leaders()
            if len(leaders) != 1:
                continue
            if written is None:
                written = self.propose(leaders[0])
                self.settle()
            if written is not None and self._is_equal(written):
                self._assert_readable(leaders[0])
                return
        raise AssertionError(
            f"no convergence in {election_timeouts} election timeouts: "
            f"{[peer.core.status() for peer in self.peers.values() if peer.core is not None]}"
        )

    def members(self) -> tuple[int, ...]:
        """Who takes part, as far as the most advanced disk knows."""
        return max(
            (peer.disk for peer in self.peers.values()), key=lambda disk: len(disk.applied)
        ).conf_state.members

    def _switch_off_who_left(self) -> None:
        """Without pre-vote and stickiness, what a removed node disturbs is its operator's to end."""
        if not (self.core(1)._core.config.pre_vote and self.core(1)._core.config.check_quorum):
            for node in self.ids:
                if node not in self.members():
                    self.crash(node)

    def _assert_readable(self, leader: int) -> None:
        before = self.observer.reads_confirmed
        assert self.read(leader) is not None
        self.settle()
        assert self.observer.reads_confirmed > before, f"leader {leader} answers no reads"

    def _is_equal(self, written: Entry) -> bool:
        members = self.members()
        if any(self.peers[node].core is None for node in members):
            return False
        cores = [self.core(node) for node in members]
        applied = self.peers[members[0]].disk.applied
        return (
            written in applied
            and len({core.term for core in cores}) == 1
            and all(core.last_index == core.commit == len(applied) for core in cores)
            and all(self.peers[node].disk.applied == applied for node in members)
            and all(self.peers[node].disk.last_index() == len(applied) for node in members)
        )


class Observer:
    """Checks Raft's invariants from outside, with a memory that no crash erases."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.leader_of: dict[int, tuple[int, int]] = {}
        self.leader_log: dict[int, Chain] = {}
        self.prefix: dict[tuple[int, int], bytes] = {}
        self.committed: Chain = []
        self.committed_in: list[int] = []
        self.applied_entry: dict[int, Entry] = {}
        self.durable: dict[int, tuple[HardState, int]] = {}
        self.living: dict[int, tuple[int, int, int, int]] = {}
        self.committed_before_read: dict[bytes, int] = {}
        self.reads_confirmed = 0
        self.snapshots_installed = 0
        self.confs = {0: cluster.peers[1].disk.conf_state}
        self.checks = 0

    def restarted(self, peer: Peer) -> None:
        core = peer.alive
        assert core.term == peer.disk.hard_state.term
        self.living[peer.id] = (core.term, core._core.vote, core.commit, len(peer.disk.applied))

    def read_asked(self, number: int) -> None:
        """What anybody knows to be committed now, this read must show."""
        self.committed_before_read[b"%d" % number] = len(self.committed)

    def reads_answered(self, ready: Ready) -> None:
        """Linearizable reads: an answer comes once, and shows all that was committed before the question."""
        for state in ready.read_states:
            before = self.committed_before_read.pop(state.context)
            assert state.index >= before, f"read {state.context!r} shows {state.index} of {before} committed"
            self.reads_confirmed += 1

    @property
    def learners_first(self) -> bool:
        safeguards = self.cluster.settings.get("safeguards")
        return safeguards is None or bool(safeguards.learners_first)

    def change_of(self, entry: Entry) -> ConfChange:
        """What every caller derives from the entry alike."""
        return self.cluster.changes[entry.data]

    def changed(self, index: int, conf: ConfState) -> None:
        """One configuration per index, whoever applies the change."""
        assert self.confs.setdefault(index, conf) == conf, f"two configurations at index {index}"

    def state_of(self, snapshot: Snapshot) -> tuple[list[Entry], Chain]:
        """What a snapshot stands for: the applied entries and their chain; it must be what was committed."""
        base = self.committed[: snapshot.index]
        assert base[-1] == (snapshot.term, snapshot.data), f"{snapshot} stands for something else"
        self.snapshots_installed += 1
        return [self.applied_entry[index] for index in range(1, snapshot.index + 1)], base

    def applied(self, ready: Ready) -> None:
        """State machine safety: one entry per index, whoever applies it and whenever."""
        for entry in ready.committed_entries:
            known = self.applied_entry.setdefault(entry.index, entry)
            assert known == entry, f"index {entry.index} applied as {known} and as {entry}"

    def leaves(self, peer: Peer, message: Message) -> None:
        """Persist before send: what a message shows is on the sender's disk."""
        hard = peer.disk.hard_state
        grant_ahead = message.type is MessageType.PRE_VOTE_RESPONSE and not message.reject
        if message.type is MessageType.PRE_VOTE or grant_ahead:
            assert grant_ahead or message.term - 1 <= hard.term, f"{message} shows a term that is not on disk"
            return
        assert message.term <= hard.term, f"{message} shows a term that is not on disk: {hard}"
        if hard.term != message.term:
            return
        if message.type is MessageType.VOTE:
            assert hard.vote == peer.id, f"{message} leaves before the own vote is on disk: {hard}"
        elif message.type is MessageType.VOTE_RESPONSE and not message.reject:
            assert hard.vote == message.to, f"{message} grants what is not on disk: {hard}"
        elif message.type is MessageType.APPEND_RESPONSE and not message.reject and message.index:
            ours = peer.disk.chain()
            theirs = self.leader_log[message.term]
            assert len(ours) >= message.index, f"{message} acknowledges more than is on disk: {len(ours)}"
            assert ours[message.index - 1] == theirs[message.index - 1], (
                f"{message} acknowledges other entries"
            )

    def check(self, peer: Peer) -> None:
        """Everything that can have changed when `peer` did something."""
        self.checks += 1
        self._check_disk(peer)
        if peer.core is not None:
            self._check_core(peer, peer.core)
        self._check_committed_durable()

    def _check_disk(self, peer: Peer) -> None:
        disk = peer.disk
        hard = disk.hard_state
        before, applied = self.durable.get(peer.id, (HardState(), 0))
        assert hard.term >= before.term, f"node {peer.id}: the stored term went back"
        assert hard.term > before.term or before.vote in (0, hard.vote), f"node {peer.id}: the vote changed"
        assert hard.commit >= before.commit, f"node {peer.id}: the stored commit went back"
        assert len(disk.applied) >= applied
        assert [entry.index for entry in disk.applied] == list(range(1, len(disk.applied) + 1)), (
            "applied with gaps"
        )
        assert disk.term(disk.last_index()) <= hard.term, "entries before their term"
        assert len(disk.applied) <= hard.commit <= disk.last_index()
        self.durable[peer.id] = (hard, len(disk.applied))
        snapshot = disk.snapshot()
        assert snapshot is None or disk.first_index() - 1 <= snapshot.index <= len(disk.applied)
        self._log_matching(disk.chain())

    def _check_core(self, peer: Peer, core: RawNode) -> None:
        log = core._core.log
        term, vote, commit, applied = self.living[peer.id]
        assert core.term >= term
        assert core.term > term or vote in (0, core._core.vote), f"node {peer.id}: the vote changed in memory"
        assert log.commit >= commit
        assert log.applied >= applied
        self.living[peer.id] = (core.term, core._core.vote, log.commit, log.applied)
        assert log.applied <= log.applying <= log.commit <= log.last_index
        assert log.stable <= log.handed <= log.last_index
        chain = peer.memo.of(log_of(core), self.committed[: log.first_index - 1])
        self._log_matching(chain)
        assert peer.disk.chain()[: log.stable] == chain[: log.stable], "stable entries are not on disk"
        if core.role is Role.LEADER:
            self._check_leader(peer, core, chain)
        self._extend_committed(chain[: log.commit], core.term)

    def _log_matching(self, chain: Chain) -> None:
        for index, (term, digest) in enumerate(chain, 1):
            known = self.prefix.setdefault((index, term), digest)
            assert known == digest, f"two logs have different prefixes up to index {index} of term {term}"

    def _check_leader(self, peer: Peer, core: RawNode, chain: Chain) -> None:
        known = self.leader_of.setdefault(core.term, (peer.id, peer.life))
        assert known == (peer.id, peer.life), (
            f"term {core.term} is led by {known} and by {(peer.id, peer.life)}"
        )
        before = self.leader_log.get(core.term)
        if before is None:
            # A node may win an old term late, by a vote long under way; only earlier terms' entries are due.
            due = sum(term < core.term for term in self.committed_in)
            assert chain[:due] == self.committed[:due], f"leader {peer.id} lacks committed entries"
        else:
            assert chain[: len(before)] == before, f"leader {peer.id} changed its own log"
        self.leader_log[core.term] = chain
        in_flight = [
            entry.index
            for entry in log_of(core)
            if entry.type is EntryType.CONF_CHANGE and entry.index > core._core.conf_index
        ]
        assert len(in_flight) <= 1, f"changes {in_flight} of members are in flight at once"
        for node, progress in core._core.progress.items():
            assert progress.match < progress.next, f"match {progress.match} is not below next {progress.next}"
            other = self.cluster.peers[node].disk
            if other.hard_state.term == core.term and progress.match:
                theirs = other.chain()[: progress.match]
                assert theirs == chain[: progress.match], (
                    f"match {progress.match} of node {node} is not on its disk"
                )

    def _extend_committed(self, chain: Chain, term: int) -> None:
        shared = min(len(chain), len(self.committed))
        assert chain[:shared] == self.committed[:shared], "a committed entry changed"
        self.committed.extend(chain[shared:])
        self.committed_in.extend([term] * (len(chain) - shared))

    def _check_committed_durable(self) -> None:
        count = len(self.committed)
        if not count:
            return
        peers = self.cluster.peers.values()
        holders = {
            peer.id: count for peer in peers if peer.disk.chain()[count - 1 : count] == [self.committed[-1]]
        }
        # What came right after a change may have been committed with it, by the configuration before.
        confs = [self.confs[index] for index in sorted(self.confs) if index <= count][-2:]
        assert any(
            joint_committed_index(conf.halves, lambda node: holders.get(node, 0)) == count for conf in confs
        ), (
            f"index {count} is committed but only on the disks of {sorted(holders)}: no quorum of any of {confs}"
        )
