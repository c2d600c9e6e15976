"""The caller's side of the core: feed it, take `Ready`, do the work, `advance`.

Rules:

- One caller owns a node; nothing here may be called from two tasks at once, nor from a trace callback.
- Readies are numbered and must be written in order. Several may be out at once: while one write is under
  way the caller may feed the core and take the next Ready for the sake of its `messages`. `advance` of a
  Ready says that it and all before it are done; of one already done, nothing.
- Nothing here writes, and only what a slow peer lacks is read from the storage; one that cannot be read during a
  write raises `StorageBusyError`, and `storage_available` follows when it can.
- A proposal accepted by `propose` is in the log at the entry returned. Whether it will be committed is
  unknown until an entry is committed at that index: the same term means it was, another term means it never
  will be.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import replace

from consensus import election, membership, raft, reads, replication, snapshots, transfer
from consensus.changer import LEAVE_JOINT, ConfChange
from consensus.config import Config
from consensus.configuration import ConfState
from consensus.core import Core
from consensus.errors import ProposalRefusedError, Refusal
from consensus.messages import Message
from consensus.ready import Ready
from consensus.status import Status, status_of
from consensus.storage import Storage
from consensus.trace import TraceName
from consensus.types import ENTRY_OVERHEAD_BYTES, NOBODY, Entry, HardState, Role, SoftState

UNLIMITED = 1 << 62


class RawNode:
    """One node of a Raft cluster, without clock, network or disk.

    Args:
        config: the settings.
        hard_state: what was stored last; `HardState()` for a new node.
        storage: the log as stored.
        applied: the last index whose effects the caller's state machine holds durably, or will hold when it
            has fetched what the stored snapshot stands for; 0 for a new node.

    Raises:
        InconsistentStateError: the three contradict each other.
    """

    __slots__ = ("_core", "_handed_hard", "_handed_soft", "_number", "_out")

    def __init__(self, config: Config, hard_state: HardState, storage: Storage, applied: int) -> None:
        core = Core(config, hard_state, storage, applied)
        self._core = core
        self._number = 0
        self._handed_hard = hard_state
        self._handed_soft = SoftState(core.lead, core.role)
        self._out: deque[tuple[int, int, int, int]] = deque()

    @property
    def id(self) -> int:
        """This node's id."""
        return self._core.id

    @property
    def term(self) -> int:
        """The current term."""
        return self._core.term

    @property
    def role(self) -> Role:
        """The current role."""
        return self._core.role

    @property
    def lead(self) -> int:
        """Who leads, as far as this node knows; 0 for nobody."""
        return self._core.lead

    @property
    def commit(self) -> int:
        """The highest committed index this node knows."""
        return self._core.log.commit

    @property
    def last_index(self) -> int:
        """The end of this node's log, stored or not."""
        return self._core.log.last_index

    @property
    def is_member(self) -> bool:
        """Whether this node votes or listens in the configuration; cheap."""
        conf, own = self._core.conf, self._core.id
        return own in conf.voters or own in conf.learners or own in conf.voters_outgoing

    def matches(self, index: int, term: int) -> bool:
        """Whether this node's log, stored or not, has the entry of `term` at `index`."""
        return self._core.log.matches(index, term)

    def unwritten_below(self, index: int) -> Sequence[Entry]:
        """Entries below `index` that no Ready has carried yet, in order; usually none."""
        log = self._core.log
        low = log.handed + 1
        return log.slice(low, min(index, log.last_index + 1), UNLIMITED) if low < index else ()

    def tick(self) -> None:
        """Lets one unit of the caller's time pass; `Config.election_tick` and `heartbeat_tick` count these.

        Ticks measure silence, so they must not run ahead of what has arrived. After a stall (a blocked loop,
        a stopped and resumed process, a jumping clock) first `step` everything that already arrived, then
        call `tick` once, not once per missed tick: a leader that was heard during the stall was not silent.
        """
        raft.tick(self._core)

    def step(self, message: Message) -> None:
        """Takes in a message from a peer; lost, doubled, late and overtaken ones do no harm.

        Raises:
            MalformedMessageError: addressed to another node, or from this one; nothing changed.
            CommittedConflictError: a leader would have a committed entry replaced; the log is unchanged.
        """
        raft.step(self._core, message)

    def campaign(self) -> None:
        """Stands for election now, by a pre-vote first if so configured; a leader ignores it."""
        election.campaign(self._core)

    def bar(self, *, barred: bool) -> None:
        """Keeps this node from standing for election, or lets it again; it votes and follows all the same.

        For a caller that has taken in a snapshot and is still fetching what it stands for.
        """
        self._core.is_barred = barred

    def can_propose(self, size_bytes: int) -> bool:
        """Whether `propose` of so many bytes would be accepted if called before anything else is.

        Args:
            size_bytes: the length of the data, at least 1.
        """
        return self._refusal(size_bytes) is None

    def propose(self, data: bytes) -> Entry:
        """Appends data to the leader's log and starts replicating it.

        Returns:
            The entry, with the term and index it has been given.

        Raises:
            ProposalRefusedError: not appended; never raised right after `can_propose(len(data))` said yes.
        """
        refusal = self._refusal(len(data))
        if refusal is not None:
            raise ProposalRefusedError(refusal, self._detail(len(data)))
        return replication.append_own(self._core, data)

    def propose_conf_change(self, data: bytes, change: ConfChange) -> Entry:
        """Appends a change of members to the leader's log; it takes effect where and when it is applied.

        Args:
            data: what the entry carries; empty exactly if `change` is `LEAVE_JOINT`.
            change: what applying it is expected to change, so that it can be refused now.

        Returns:
            The entry, with the term and index it has been given.

        Raises:
            ProposalRefusedError: not appended.
        """
        why = self.conf_change_refusal(len(data), change)
        if why is not None:
            raise ProposalRefusedError(*why)
        return membership.append_change(self._core, data)

    def conf_change_refusal(self, size_bytes: int, change: ConfChange) -> tuple[Refusal, str] | None:
        """Why `propose_conf_change` would refuse if called before anything else is; None if it would not.

        Args:
            size_bytes: the length of the data; 0 exactly if `change` is `LEAVE_JOINT`.
            change: what applying it is expected to change.
        """
        leaves = change == LEAVE_JOINT
        refusal = self._refusal(size_bytes, may_be_empty=leaves)
        if refusal is not None:
            return refusal, self._detail(size_bytes)
        if leaves and size_bytes:
            return Refusal.CHANGE_NOT_ALLOWED, f"{size_bytes} bytes with LEAVE_JOINT; it carries none"
        return membership.refusal(self._core, change)

    def apply_conf_change(self, index: int, change: ConfChange) -> ConfState:
        """Puts a committed change in force on this node.

        To be called once for every entry of type CONF_CHANGE among `Ready.committed_entries`, in order,
        before `advance`: with `LEAVE_JOINT` for one without data, with `ConfChange()` for one that the
        caller's rules turned down.

        Returns:
            The configuration now, to be stored with the applied index.

        Raises:
            ConfChangeError: not the next change, or not allowed; nothing has changed.
        """
        return membership.apply_change(self._core, index, change)

    def _detail(self, size_bytes: int) -> str:
        core = self._core
        return (
            f"{size_bytes} bytes at node {core.id} ({core.role.value} of term {core.term}, leader "
            f"{core.lead or 'unknown'}), {core.uncommitted_bytes} of {core.config.uncommitted_bytes_max} "
            f"bytes uncommitted"
        )

    def read_index(self, context: bytes) -> None:
        """Asks for a linearizable read; a later `Ready.read_states` answers with the index to wait for.

        Nothing is remembered of `context` but to give it back. Of two reads under one context both are
        answered, each for itself.

        Args:
            context: the caller's name for this read.

        Raises:
            ReadRefusedError: this node does not lead, has committed nothing in its term, or has too many
                reads waiting.
        """
        reads.request(self._core, context)

    def transfer_leader(self, to: int) -> None:
        """Hands leadership over to the voter `to`; to oneself: ends a running transfer.

        Proposals are refused until `to` leads or an election timeout has passed. `Status.transferee` tells
        whether it still runs, `Ready.soft_state` what came of it.

        Raises:
            TransferRefusedError: this node does not lead, or `to` is no voter.
        """
        transfer.start(self._core, to)

    def forget_leader(self) -> None:
        """Makes a follower help whoever campaigns, as if it had heard nothing of its leader for long.

        For a caller that knows better than the timeout, such as one whose leader's process has ended or
        whose leader was convicted. A message of that leader makes the node follow it again; a leader or
        candidate ignores this.
        """
        transfer.forget_leader(self._core)

    def _refusal(self, size_bytes: int, *, may_be_empty: bool = False) -> Refusal | None:
        core = self._core
        if core.role is not Role.LEADER:
            return Refusal.NOT_LEADER
        if core.transferee != NOBODY or membership.is_leaving(core):
            return Refusal.TRANSFERRING
        if size_bytes == 0:
            return None if may_be_empty else Refusal.EMPTY
        cost = size_bytes + ENTRY_OVERHEAD_BYTES
        if cost > core.config.uncommitted_bytes_max:
            return Refusal.TOO_LARGE
        if core.uncommitted_bytes + cost > core.config.uncommitted_bytes_max:
            return Refusal.TOO_MUCH_UNCOMMITTED
        return None

    def report_unreachable(self, peer: int) -> None:
        """Tells a leader that messages to `peer` were probably lost (its link went down or overflowed)."""
        replication.peer_unreachable(self._core, peer)

    def storage_available(self) -> None:
        """Tells the core that its storage, which raised `StorageBusyError`, can be read again."""
        replication.storage_available(self._core)

    def report_snapshot(self, peer: int, *, ok: bool) -> None:
        """Tells a leader what became of the snapshot it sent; for a caller that knows sooner than the peer says.

        Args:
            peer: to whom it was sent.
            ok: it has arrived; else it is sent again when the peer is next heard.
        """
        snapshots.reported(self._core, peer, ok=ok)

    def has_ready(self) -> bool:
        """Whether `ready` has anything for the caller; cheap."""
        core = self._core
        log = core.log
        hard = self._handed_hard
        soft = self._handed_soft
        return (
            bool(core.messages)
            or bool(core.messages_after_append)
            or bool(core.read_states)
            or (core.read_sent < core.read_number and reads.is_round_due(core))
            or log.last_index > log.handed
            or log.pending_snapshot is not None
            or log.commit > log.applying
            or log.commit != hard.commit
            or core.term != hard.term
            or core.vote != hard.vote
            or core.lead != soft.lead
            or core.role is not soft.role
        )

    def ready(self) -> Ready:
        """Hands out all work there is; each piece once. Empty if there is none."""
        core = self._core
        log = core.log
        reads.send_round(core)
        self._number += 1
        hard = self._handed_hard
        vote_moved = core.term != hard.term or core.vote != hard.vote
        hard_state = (
            HardState(core.term, core.vote, log.commit) if vote_moved or log.commit != hard.commit else None
        )
        stored = hard_state
        if stored is not None and not core.config.safeguards.persist_vote:
            stored = replace(stored, vote=NOBODY)
        soft = self._handed_soft
        soft_state = (
            SoftState(core.lead, core.role) if core.lead != soft.lead or core.role is not soft.role else None
        )
        snapshot = log.hand_out_snapshot()
        entries = log.hand_out(self._number)
        ready = Ready(
            self._number,
            soft_state,
            stored,
            entries,
            log.next_committed(core.config.apply_bytes_max),
            core.messages,
            core.messages_after_append,
            bool(entries) or vote_moved or snapshot is not None,
            core.read_states,
            snapshot,
        )
        self._handed_hard = hard_state or hard
        self._handed_soft = soft_state or soft
        core.messages = []
        core.messages_after_append = []
        core.read_states = []
        self._out.append((self._number, core.term, core.vote, log.applying))
        core.trace(TraceName.READY)
        return ready

    def advance(self, ready: Ready) -> None:
        """Says that `ready` and all before it are done: written, `messages_after_append` sent, and applied.

        Only here a leader counts its own disk, and a candidate its own vote.
        """
        core = self._core
        out = self._out
        while out and out[0][0] <= ready.number:
            _, core.durable_term, core.durable_vote, applied = out.popleft()
            core.log.applied_to(applied)
        stable_moved = core.log.written(ready.number)
        election.own_vote_durable(core)
        if stable_moved:
            replication.own_append_stable(core)
        membership.forget_superseded(core)
        membership.leave_if_due(core)
        membership.step_down_if_removed(core)

    def status(self) -> Status:
        """A copy of what the node knows; the properties are cheaper for what they tell."""
        return status_of(self._core)
