"""A cluster in memory that can do to its nodes what the world does, and watches every step.

- `Disk` keeps what was written, one atomic write per Ready. `Peer` holds a core, its disk and the writes
  under way. A crash loses the core, the messages it held back, and any number of the latest writes under
  way.
- `Cluster` carries messages: each may be delivered, dropped, doubled, overtaken; any direction may be cut.
- Clients propose at a leader, and are answered when the node they asked applies that entry in the same life; else
  the outcome is unknown to them and they may ask again, anywhere. The state machine does each command once.
- `tests.consensus.observer` checks the invariants after every step, from outside.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
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
    MemoryStorage,
    Message,
    ProposalRefusedError,
    RawNode,
    ReadRefusedError,
    Ready,
    Role,
    Snapshot,
    StorageBusyError,
    TransferRefusedError,
    Transition,
    next_conf,
)
from tests.consensus.observer import (
    BYTES_MAX,
    Chain,
    ChainMemo,
    Invariant,
    Observer,
    broken,
    log_of,  # noqa: F401 - the tests take it from here
)
from tests.consensus.onecore import (  # noqa: F401 - the tests take them from here, with the cluster
    ack,
    append,
    beat_answer,
    disk_with,
    elect,
    entries,
    grant,
    heartbeat,
    make_node,
    only,
    terms_of,
    work,
)

_WORDS = {ChangeType.ADD_VOTER: "voter", ChangeType.REMOVE: "without", ChangeType.ADD_LEARNER: "learner"}


class Disk(MemoryStorage):
    """A node's disk: log, hard state and what its state machine has applied, in one atomic write.

    A snapshot carries the digest of what it stands for; whoever installs one finds the state elsewhere.
    """

    def __init__(self, conf_state: ConfState) -> None:
        super().__init__()
        self.applied: list[Entry] = []
        self.conf_state = conf_state
        self.effects: dict[bytes, list[int]] = {}
        self.memo = ChainMemo()
        self.base: Chain = []
        self.is_busy = False
        self.refused = 0

    def entries(self, low: int, high: int, bytes_max: int) -> Sequence[Entry]:
        self._require_free()
        return super().entries(low, high, bytes_max)

    def snapshot(self) -> Snapshot | None:
        self._require_free()
        return super().snapshot()

    def _require_free(self) -> None:
        if self.is_busy:
            self.refused += 1
            raise StorageBusyError("a write is under way")

    def write(self, ready: Ready, observer: Observer) -> None:
        if ready.snapshot is not None:
            self.apply_snapshot(ready.snapshot)
            self.conf_state = ready.snapshot.conf_state
            self.applied, self.base = observer.state_of(ready.snapshot)
            self.effects = {}
            for entry in self.applied:
                self.do(entry, observer)
        self.append(ready.entries)
        if ready.hard_state is not None:
            self.hard_state = ready.hard_state
        for entry in ready.committed_entries:
            self.applied.append(entry)
            self.do(entry, observer)
            if entry.type is EntryType.CONF_CHANGE:
                self.conf_state = next_conf(
                    self.conf_state, observer.change_of(entry), learners_first=observer.learners_first
                )
                observer.changed(entry.index, self.conf_state)

    def do(self, entry: Entry, observer: Observer) -> None:
        """The state machine: a command does something the first time it is seen (Raft paper, section 8)."""
        if entry.type is EntryType.NORMAL and entry.data:
            done = self.effects.setdefault(entry.data, [])
            if not done or not observer.cluster.suppresses_duplicates:
                done.append(entry.index)

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
        self.waiting: dict[int, Entry] = {}
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
        self.asked: list[bytes] = []
        self.suppresses_duplicates = True
        self.busy_storage = False
        self.reads = 0
        self.refused: ProposalRefusedError | None = None
        self.delivered: list[Message] = []
        for node in self.ids:
            self.restart(node)

    # --- what happens to nodes

    def restart(self, node: int) -> None:
        peer = self.peers[node]
        peer.life += 1
        peer.waiting.clear()
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
            self.observer.applied(peer, ready)
        peer.writing.clear()
        peer.core = None
        self.observer.check(peer)

    def tick(self, node: int) -> None:
        self.touch(node, lambda core: core.tick())

    def campaign(self, node: int) -> None:
        self.touch(node, lambda core: core.campaign())

    def propose(self, node: int, size_bytes: int = 0) -> Entry | None:
        entry = self._ask(node, b"%d" % self.proposed + b"." * size_bytes)
        if entry is not None:
            self.proposed += 1
            self.asked.append(entry.data)
        return entry

    def ask_again(self, node: int, number: int) -> Entry | None:
        """A client whose answer did not come, or who lost it, asks again."""
        return self._ask(node, self.asked[number % len(self.asked)]) if self.asked else None

    def _ask(self, node: int, data: bytes) -> Entry | None:
        peer = self.peers[node]
        if not peer.alive.can_propose(len(data)):
            return None
        with self._using(peer) as core:
            entry = core.propose(data)
        peer.waiting[entry.index] = entry
        self.observer.check(peer)
        return entry

    def change(
        self, node: int, *changes: tuple[ChangeType, int], transition: Transition = Transition.AUTO
    ) -> Entry | None:
        """Proposes a change of members at `node`; None if refused."""
        change = ConfChange(tuple(Change(kind, member) for kind, member in changes), transition)
        words = ", ".join(f"{_WORDS[kind]} {member}" for kind, member in changes)
        number = len(self.changes)
        data = b"" if transition is Transition.LEAVE else f"change {number}: {words}".encode()
        try:
            with self._using(self.peers[node]) as core:
                entry = core.propose_conf_change(data, change)
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

    @contextmanager
    def _using(self, peer: Peer) -> Iterator[RawNode]:
        """The core at work, on a disk that cannot be read while it writes if so chosen."""
        peer.disk.is_busy = self.busy_storage and bool(peer.writing)
        try:
            yield peer.alive
        finally:
            peer.disk.is_busy = False

    def touch(self, node: int, act: Callable[[RawNode], None]) -> None:
        with self._using(self.peers[node]) as core:
            act(core)
        self.observer.check(self.peers[node])

    def take(self, node: int) -> None:
        """The caller takes a Ready, sends what may leave at once and starts the write."""
        peer = self.peers[node]
        if peer.alive.has_ready():
            with self._using(peer) as core:
                ready = core.ready()
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
            self.observer.applied(peer, ready)
            self._answer_clients(peer, ready)
            self.send(peer, ready.messages_after_append)
            with self._using(peer) as core:
                self._apply_changes(peer, ready)
                core.advance(ready)
            if not peer.writing and self.busy_storage:
                core.storage_available()
            self.observer.check(peer)

    def _answer_clients(self, peer: Peer, ready: Ready) -> None:
        """Whoever asked this node is told what it applied; what another entry replaced stays unknown."""
        for entry in ready.committed_entries:
            if peer.waiting.pop(entry.index, None) == entry:
                self.observer.acknowledge(entry)

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
            with self._using(peer) as core:
                core.step(Message.from_fields(message.to_fields()))
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
        """The liveness phase: heals everything, then asserts one leader, a fresh write and read, equal logs, and that
        nothing acknowledged is missing anywhere."""
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
                self.observer.check_acknowledged(self.members())
                return
        broken(
            Invariant.LIVENESS,
            f"no convergence in {election_timeouts} election timeouts: "
            f"{[peer.core.status() for peer in self.peers.values() if peer.core is not None]}",
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
        if self.observer.reads_confirmed == before:
            broken(Invariant.LIVENESS, f"leader {leader} answers no reads")

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
