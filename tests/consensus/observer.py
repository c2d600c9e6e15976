"""Raft's invariants, checked from outside after every step, with a memory that no crash erases.

Rules:

- The observer reads cores and disks and sees each message as it leaves. What it knows (leaders by term, committed
  entries, applied entries, what clients were told) is history, so a crash makes nobody innocent.
- Each invariant has a name; whatever breaks it raises `BrokenInvariantError` with that name first. For each there is
  a mutation that trips it: `tests/consensus/test_raft_invariants.py`.
- "More up to date is correct" is none of them: false for real Raft (etcd-io/raft#515).
"""

import hashlib
from collections.abc import Iterable, Sequence
from enum import Enum
from typing import TYPE_CHECKING, NoReturn

from consensus import (
    ConfChange,
    ConfState,
    Entry,
    EntryType,
    HardState,
    Message,
    MessageType,
    RawNode,
    Ready,
    Role,
    Snapshot,
)
from consensus.quorum import joint_committed_index

if TYPE_CHECKING:
    from tests.consensus.harness import Cluster, Peer

BYTES_MAX = 1 << 60
Chain = list[tuple[int, bytes]]
"""(term, hash of everything up to here) for every index."""


class Invariant(Enum):
    """What must hold after every step; the last, at the end."""

    ELECTION_SAFETY = "election safety"
    LEADER_APPEND_ONLY = "leader append-only"
    LOG_MATCHING = "log matching"
    LEADER_COMPLETENESS = "leader completeness"
    STATE_MACHINE_SAFETY = "state machine safety"
    COMMITTED_IMMUTABLE = "committed is immutable"
    COMMITTED_DURABLE = "committed is on a quorum of disks"
    PERSIST_BEFORE_SEND = "persist before send"
    MONOTONIC = "term, vote, commit and applied never go back"
    INDEX_ORDER = "snapshot <= applied <= commit <= last"
    STABLE_IS_STORED = "stable is stored"
    MATCH_BELOW_NEXT = "match < next"
    MATCH_IS_STORED = "match is on the peer's disk"
    ONE_CHANGE_IN_FLIGHT = "one change of members in flight"
    ONE_CONFIGURATION = "one configuration per index"
    FRESH_READS = "a read shows all that was committed"
    ACKNOWLEDGED_IS_KEPT = "nothing acknowledged is lost"
    SINGLE_EFFECT = "nothing is applied twice"
    LIVENESS = "liveness after healing"


class BrokenInvariantError(AssertionError):
    """An invariant does not hold; `invariant` says which, the message how."""

    def __init__(self, invariant: Invariant, how: str) -> None:
        super().__init__(f"{invariant.value}: {how}")
        self.invariant = invariant


def broken(invariant: Invariant, how: str) -> NoReturn:
    """Raises `BrokenInvariantError`."""
    raise BrokenInvariantError(invariant, how)


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


class Observer:
    """Checks the invariants of one cluster."""

    def __init__(self, cluster: "Cluster") -> None:
        self.cluster = cluster
        self.leader_of: dict[int, tuple[int, int]] = {}
        self.leader_log: dict[int, Chain] = {}
        self.prefix: dict[tuple[int, int], bytes] = {}
        self.committed: Chain = []
        self.committed_in: list[int] = []
        self.applied_entry: dict[int, Entry] = {}
        self.acknowledged: dict[int, Entry] = {}
        self.durable: dict[int, tuple[HardState, int]] = {}
        self.living: dict[int, tuple[int, int, int, int]] = {}
        self.committed_before_read: dict[bytes, int] = {}
        self.reads_confirmed = 0
        self.snapshots_installed = 0
        self.confs = {0: cluster.peers[1].disk.conf_state}
        self.checks = 0

    @property
    def learners_first(self) -> bool:
        safeguards = self.cluster.settings.get("safeguards")
        return safeguards is None or bool(safeguards.learners_first)

    # --- what happens

    def restarted(self, peer: "Peer") -> None:
        core = peer.alive
        if core.term != peer.disk.hard_state.term:
            broken(
                Invariant.MONOTONIC, f"node {peer.id} restarts in term {core.term}: {peer.disk.hard_state}"
            )
        self.living[peer.id] = (core.term, core._core.vote, core.commit, len(peer.disk.applied))

    def read_asked(self, number: int) -> None:
        """What anybody knows to be committed now, this read must show."""
        self.committed_before_read[b"%d" % number] = len(self.committed)

    def reads_answered(self, ready: Ready) -> None:
        """Linearizable reads: an answer comes once, and shows all that was committed before the question."""
        for state in ready.read_states:
            before = self.committed_before_read.pop(state.context)
            if state.index < before:
                broken(
                    Invariant.FRESH_READS,
                    f"{state.context!r} shows {state.index} of {before} committed before it",
                )
            self.reads_confirmed += 1

    def change_of(self, entry: Entry) -> ConfChange:
        """What every caller derives from the entry alike."""
        return self.cluster.changes[entry.data]

    def changed(self, index: int, conf: ConfState) -> None:
        """One configuration per index, whoever applies the change."""
        known = self.confs.setdefault(index, conf)
        if known != conf:
            broken(Invariant.ONE_CONFIGURATION, f"entry {index} makes {known} here and {conf} there")

    def state_of(self, snapshot: Snapshot) -> tuple[list[Entry], Chain]:
        """What a snapshot stands for: the applied entries and their chain; it must be what was committed."""
        base = self.committed[: snapshot.index]
        if base[-1] != (snapshot.term, snapshot.data):
            broken(Invariant.STATE_MACHINE_SAFETY, f"{snapshot} stands for something else than was committed")
        self.snapshots_installed += 1
        return [self.applied_entry[index] for index in range(1, snapshot.index + 1)], base

    def applied(self, peer: "Peer", ready: Ready) -> None:
        """One entry per index, whoever applies it and whenever; each command has one effect per state machine."""
        for entry in ready.committed_entries:
            known = self.applied_entry.setdefault(entry.index, entry)
            if known != entry:
                broken(
                    Invariant.STATE_MACHINE_SAFETY,
                    f"index {entry.index} is applied as {known} and as {entry}",
                )
        for command, effects in peer.disk.effects.items():
            if len(effects) > 1:
                broken(Invariant.SINGLE_EFFECT, f"node {peer.id} did {command!r} at each of {effects}")

    def acknowledge(self, entry: Entry) -> None:
        """A client has been told that its command is done."""
        if self.applied_entry.get(entry.index) != entry:
            broken(Invariant.ACKNOWLEDGED_IS_KEPT, f"{entry} is acknowledged and nobody has applied it")
        self.acknowledged[entry.index] = entry

    def leaves(self, peer: "Peer", message: Message) -> None:
        """Persist before send: what a message shows is on the sender's disk."""
        hard = peer.disk.hard_state
        if message.type is MessageType.PRE_VOTE_RESPONSE and not message.reject:
            return
        shown_term = message.term - (message.type is MessageType.PRE_VOTE)
        if shown_term > hard.term:
            broken(Invariant.PERSIST_BEFORE_SEND, f"{message} shows a term that is not on disk: {hard}")
        if message.type is MessageType.PRE_VOTE or hard.term != message.term:
            return
        if message.type in _OF_CANDIDATE_OR_LEADER and hard.vote != peer.id:
            broken(Invariant.PERSIST_BEFORE_SEND, f"{message} leaves before the own vote is on disk: {hard}")
        if message.type is MessageType.VOTE_RESPONSE and not message.reject and hard.vote != message.to:
            broken(Invariant.PERSIST_BEFORE_SEND, f"{message} grants what is not on disk: {hard}")
        if message.snapshot is not None and message.snapshot.index > len(peer.disk.applied):
            broken(Invariant.PERSIST_BEFORE_SEND, f"{message} stands for more than {len(peer.disk.applied)}")
        if message.type is MessageType.APPEND_RESPONSE and not message.reject and message.index:
            ours = peer.disk.chain()
            theirs = self.leader_log[message.term]
            if len(ours) < message.index:
                broken(
                    Invariant.PERSIST_BEFORE_SEND, f"{message} acknowledges more than is on disk: {len(ours)}"
                )
            if ours[message.index - 1] != theirs[message.index - 1]:
                broken(
                    Invariant.PERSIST_BEFORE_SEND, f"{message} acknowledges other entries than are on disk"
                )

    # --- what must hold

    def check(self, peer: "Peer") -> None:
        """Everything that can have changed when `peer` did something."""
        self.checks += 1
        self._check_disk(peer)
        if peer.core is not None:
            self._check_core(peer, peer.core)
        self._check_committed_durable()

    def _check_disk(self, peer: "Peer") -> None:
        disk = peer.disk
        hard = disk.hard_state
        before, applied = self.durable.get(peer.id, (HardState(), 0))
        if (
            hard.term < before.term
            or (hard.term == before.term and before.vote not in (0, hard.vote))
            or hard.commit < before.commit
            or len(disk.applied) < applied
        ):
            broken(
                Invariant.MONOTONIC,
                f"node {peer.id} had stored {before} and applied {applied}, now {hard} and {len(disk.applied)}",
            )
        self.durable[peer.id] = (hard, len(disk.applied))
        snapshot = disk.snapshot()
        snapshot_index = 0 if snapshot is None else snapshot.index
        _in_order(
            f"disk of node {peer.id}",
            disk.first_index() - 1,
            snapshot_index,
            len(disk.applied),
            hard.commit,
            disk.last_index(),
        )
        if [entry.index for entry in disk.applied] != list(range(1, len(disk.applied) + 1)):
            broken(Invariant.INDEX_ORDER, f"node {peer.id} applied with gaps or out of order")
        if disk.term(disk.last_index()) > hard.term:
            broken(Invariant.PERSIST_BEFORE_SEND, f"node {peer.id} stored entries before their term")
        self._log_matching(disk.chain())

    def _check_core(self, peer: "Peer", core: RawNode) -> None:
        log = core._core.log
        term, vote, commit, applied = self.living[peer.id]
        now = (core.term, core._core.vote, log.commit, log.applied)
        if (
            core.term < term
            or (core.term == term and vote not in (0, core._core.vote))
            or log.commit < commit
            or log.applied < applied
        ):
            broken(
                Invariant.MONOTONIC,
                f"node {peer.id} had term, vote, commit, applied {self.living[peer.id]}, now {now}",
            )
        self.living[peer.id] = now
        _in_order(f"core of node {peer.id}", log.applied, log.applying, log.commit, log.last_index)
        _in_order(f"core of node {peer.id}", log.first_index - 1, log.applying)
        _in_order(f"core of node {peer.id}", log.stable, log.handed, log.last_index)
        chain = peer.memo.of(log_of(core), self.committed[: log.first_index - 1])
        self._log_matching(chain)
        if peer.disk.chain()[: log.stable] != chain[: log.stable]:
            broken(Invariant.STABLE_IS_STORED, f"not all up to {log.stable} is on the disk of node {peer.id}")
        if core.role is Role.LEADER:
            self._check_leader(peer, core, chain)
        self._extend_committed(chain[: log.commit], core.term)

    def _log_matching(self, chain: Chain) -> None:
        for index, (term, digest) in enumerate(chain, 1):
            if self.prefix.setdefault((index, term), digest) != digest:
                broken(Invariant.LOG_MATCHING, f"two logs differ before index {index} of term {term}")

    def _check_leader(self, peer: "Peer", core: RawNode, chain: Chain) -> None:
        known = self.leader_of.setdefault(core.term, (peer.id, peer.life))
        if known != (peer.id, peer.life):
            broken(
                Invariant.ELECTION_SAFETY,
                f"term {core.term} is led by node {known[0]} (life {known[1]}) and by {peer.id} ({peer.life})",
            )
        before = self.leader_log.get(core.term)
        if before is None:
            # A node may win an old term late, by a vote long under way; only earlier terms' entries are due.
            due = sum(term < core.term for term in self.committed_in)
            if chain[:due] != self.committed[:due]:
                broken(
                    Invariant.LEADER_COMPLETENESS,
                    f"leader {peer.id} of term {core.term} lacks some of {due} entries committed before",
                )
        elif chain[: len(before)] != before:
            broken(Invariant.LEADER_APPEND_ONLY, f"leader {peer.id} of term {core.term} changed its own log")
        self.leader_log[core.term] = chain
        in_flight = [
            entry.index
            for entry in log_of(core)
            if entry.type is EntryType.CONF_CHANGE and entry.index > core._core.conf_index
        ]
        if len(in_flight) > 1:
            broken(Invariant.ONE_CHANGE_IN_FLIGHT, f"entries {in_flight} are in the log of leader {peer.id}")
        for node, progress in core._core.progress.items():
            if progress.match >= progress.next:
                broken(
                    Invariant.MATCH_BELOW_NEXT, f"match {progress.match}, next {progress.next} of node {node}"
                )
            other = self.cluster.peers[node].disk
            if (
                other.hard_state.term == core.term
                and progress.match
                and other.chain()[: progress.match] != chain[: progress.match]
            ):
                broken(Invariant.MATCH_IS_STORED, f"match {progress.match} of node {node} is not there")

    def _extend_committed(self, chain: Chain, term: int) -> None:
        shared = min(len(chain), len(self.committed))
        if chain[:shared] != self.committed[:shared]:
            broken(Invariant.COMMITTED_IMMUTABLE, f"an entry up to {shared} is another now")
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
        confs = [self.confs[index] for index in sorted(self.confs) if index < count][-2:]
        if not any(
            joint_committed_index(conf.halves, lambda node: holders.get(node, 0)) == count for conf in confs
        ):
            broken(
                Invariant.COMMITTED_DURABLE,
                f"index {count} is only on the disks of {sorted(holders)}: no quorum of any of {confs}",
            )

    def check_acknowledged(self, members: Sequence[int]) -> None:
        """The durability scan at the end: every member's state machine has done all that clients were told."""
        for node in members:
            disk = self.cluster.peers[node].disk
            lost = [entry for entry in self.acknowledged.values() if entry.data not in disk.effects]
            if lost:
                broken(Invariant.ACKNOWLEDGED_IS_KEPT, f"node {node} has not done {lost}")


_OF_CANDIDATE_OR_LEADER = (
    MessageType.VOTE,
    MessageType.APPEND,
    MessageType.HEARTBEAT,
    MessageType.SNAPSHOT,
    MessageType.TIMEOUT_NOW,
)


def _in_order(whose: str, *indexes: int) -> None:
    if list(indexes) != sorted(indexes):
        broken(Invariant.INDEX_ORDER, f"{whose} has {indexes}")
