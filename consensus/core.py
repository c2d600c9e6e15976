"""The state of one node, and the one door through which its messages leave.

Rules:

- A message leaves at once only if it shows nothing that a crash could take back: the term and vote in
  memory must be the durable ones, and an accepted append must be durable up to the index it acknowledges.
  Everything else waits for the write of its `Ready` (Raft paper, figure 2: "updated on stable storage
  before responding").
- A term is entered with no vote, no leader, no votes received and a fresh election timeout.
- Sessions number campaigns and peers' stays under a leader, and are never used twice in one life; a new
  life cannot lead or campaign in an old one's term, so (term, session) never comes again. Pre-votes are the
  exception: a new life may ask for the same term as an old one, and count its late grants; they elect nobody.
"""

from collections import deque
from dataclasses import dataclass

from consensus.config import Config
from consensus.configuration import ConfState
from consensus.log import RaftLog
from consensus.messages import Message, MessageType
from consensus.progress import Progress
from consensus.storage import Storage
from consensus.trace import RECEIVED, SENT, TraceEvent, TraceName
from consensus.types import NOBODY, Entry, HardState, ReadState, Role, Snapshot


@dataclass(slots=True)
class Superseded:
    """A configuration that a snapshot replaced while changes before it were still being applied.

    Attributes:
        until: the snapshot's index.
        index: the last entry whose change was applied to it.
        conf: the configuration so far.
    """

    until: int
    index: int
    conf: ConfState


class Core:
    """The state that `election` and `replication` work on.

    Attributes:
        config: the settings.
        id: this node.
        conf: who votes and who listens.
        conf_index: the last entry whose change of members was applied, or the start's applied index.
        superseded: what changes handed out before a snapshot was received still apply to.
        pending_conf_index: a leader takes in no change before it has applied up to here.
        log: the log.
        term: the current term.
        vote: whom this node voted for in it.
        is_barred: whether the caller keeps this node from standing for election.
        durable_term: the term on disk.
        durable_vote: the vote on disk.
        role: the current role.
        lead: who leads the current term, as far as known.
        election_elapsed: ticks since the leader was heard, or since a leader last checked its quorum.
        heartbeat_elapsed: ticks since the last round of heartbeats, be it for reads.
        election_timeout: ticks after which this node campaigns, drawn anew for each wait.
        votes: answers to the running campaign, by voter.
        session: the last session number given out.
        campaign_session: the running campaign's.
        progress: a leader's view of every member, itself included; empty otherwise.
        term_start: index of the entry that opened the term this node leads.
        uncommitted_bytes: what this leader has taken in and not yet committed.
        transferee: to whom this leader is handing over, if to anybody.
        transfer_elapsed: ticks since it began to.
        read_number: the number of the last read asked for in this life.
        read_sent: the number of the last read that a heartbeat carried.
        reads: a leader's reads that wait to be confirmed: number, commit index then, the caller's context.
        read_states: confirmed reads, for the next Ready.
        messages: what may leave at once.
        messages_after_append: what must wait for the next Ready's write.
    """

    __slots__ = (
        "campaign_session",
        "conf",
        "conf_index",
        "config",
        "durable_term",
        "durable_vote",
        "election_elapsed",
        "election_timeout",
        "heartbeat_elapsed",
        "id",
        "is_barred",
        "lead",
        "log",
        "messages",
        "messages_after_append",
        "pending_conf_index",
        "progress",
        "read_number",
        "read_sent",
        "read_states",
        "reads",
        "role",
        "session",
        "superseded",
        "term",
        "term_start",
        "transfer_elapsed",
        "transferee",
        "uncommitted_bytes",
        "vote",
        "votes",
    )

    def __init__(self, config: Config, hard_state: HardState, storage: Storage, applied: int) -> None:
        self.config = config
        self.id = config.id
        self.conf = config.initial_conf
        self.conf_index = applied
        self.superseded: deque[Superseded] = deque()
        self.log = RaftLog(storage, hard_state, applied, config.tail_bytes_max)
        self.log.truncates_on_conflict_only = config.safeguards.truncate_on_conflict_only
        self.term = hard_state.term
        self.vote = hard_state.vote
        self.durable_term = hard_state.term
        self.durable_vote = hard_state.vote
        self.role = Role.FOLLOWER
        self.is_barred = False
        self.session = 0
        self.read_number = 0
        self.read_states: list[ReadState] = []
        self.messages: list[Message] = []
        self.messages_after_append: list[Message] = []
        self.reset(hard_state.term)
        self.trace(TraceName.INIT_STATE)

    def reset(self, term: int) -> None:
        """Enters `term` (or stays in it) knowing nothing about it."""
        if term != self.term:
            self.term = term
            self.vote = NOBODY
        self.lead = NOBODY
        self.restart_election_timer()
        self.heartbeat_elapsed = 0
        self.votes: dict[int, bool] = {}
        self.campaign_session = 0
        self.progress: dict[int, Progress] = {}
        self.term_start = 0
        self.pending_conf_index = 0
        self.uncommitted_bytes = 0
        self.transferee = NOBODY
        self.transfer_elapsed = 0
        self.reads: deque[tuple[int, int, bytes]] = deque()
        self.read_sent = self.read_number

    def restore(self, snapshot: Snapshot) -> None:
        """Puts a snapshot in the place of log and configuration."""
        self.log.restore(snapshot)
        self.superseded.append(Superseded(snapshot.index, self.conf_index, self.conf))
        self.conf = snapshot.conf_state
        self.conf_index = snapshot.index
        self.trace(TraceName.COMMIT)

    def restart_election_timer(self) -> None:
        """Waits anew, for another random time (Raft paper, section 5.2)."""
        self.election_elapsed = 0
        election_tick = self.config.election_tick
        self.election_timeout = election_tick + self.config.rng.randrange(election_tick)

    def next_session(self) -> int:
        """A session number not used before in this life."""
        self.session += 1
        return self.session

    @property
    def is_vote_durable(self) -> bool:
        """Whether term and vote are on disk as they are in memory."""
        return self.term == self.durable_term and self.vote == self.durable_vote

    def send(self, message: Message) -> None:
        """Queues a message, to leave at once or after the next write."""
        if self.config.safeguards.persist_before_answer and self._shows_too_much(message):
            self.messages_after_append.append(message)
        else:
            self.messages.append(message)
        if self.config.trace is not None and message.type in SENT:
            self.trace(SENT[message.type], message)

    def _shows_too_much(self, message: Message) -> bool:
        return not self.is_vote_durable or (
            message.type is MessageType.APPEND_RESPONSE
            and not message.reject
            and message.index > self.log.stable
        )

    def received(self, message: Message) -> None:
        """Tells the trace of a message that arrived."""
        if self.config.trace is not None and message.type in RECEIVED:
            self.trace(RECEIVED[message.type], message)

    def trace(self, name: TraceName, message: Message | None = None) -> None:
        """Tells the trace, if there is one."""
        if self.config.trace is not None:
            self.config.trace(
                TraceEvent(
                    name,
                    self.id,
                    self.term,
                    self.vote,
                    self.log.commit,
                    self.role,
                    self.log.last_index,
                    message,
                )
            )

    def append(self, entry: Entry) -> None:
        """Appends a leader's own entry and counts it as uncommitted."""
        self.log.append(entry)
        self.uncommitted_bytes += entry.size_bytes
        self.trace(TraceName.REPLICATE)

    def commit_to(self, index: int) -> bool:
        """Raises commit; tells whether it moved."""
        log = self.log
        before = log.commit
        log.commit_to(index)
        if log.commit == before:
            return False
        if self.role is Role.LEADER:
            self.uncommitted_bytes -= log.size_bytes(max(before + 1, self.term_start), log.commit + 1)
        self.trace(TraceName.COMMIT)
        return True
