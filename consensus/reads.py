"""Linearizable reads without a log entry (dissertation, section 6.4, "read index").

Rules:

- A read is answered with the commit index at the moment it was asked for, once a majority has confirmed
  that this node still led *after* that moment. Whoever has applied up to that index shows the reader
  everything that was acknowledged before it asked.
- A leader that has committed nothing in its own term may not know what is committed: it refuses
  (etcd#7331).
- Every request has a number never used before in this life, and numbers only grow. Heartbeats carry the
  newest; its answer confirms that read and all older ones. Asking again is another request with another
  number, so an answer to the first attempt confirms nothing newer (etcd#20418).
- Answers count by peer and session like all others; a learner's confirms nothing.
- At most one round of heartbeats for reads is under way: what is asked for meanwhile waits until a majority has
  confirmed it, and shares the next one. A round for reads is a heartbeat like any other: the next ordinary one comes
  an interval later, carries all that wait, and makes good one that was lost.
- Only the leader answers. A follower refuses and names the leader: forwarding would hide a second hop that
  may lose the question, and the caller's own connection to the leader can do it better.
- No leases: a clock that stops, or a process that is paused, would break them (section 6.4.1).
- A read not answered when its leader steps down never is; `Ready.soft_state` tells. A read already
  confirmed stays good.
"""

from consensus import quorum, replication
from consensus.core import Core
from consensus.errors import ReadRefusedError, Refusal
from consensus.messages import Message
from consensus.types import ReadState, Role


def request(core: Core, context: bytes) -> None:
    """Takes a read in, to be confirmed by the next round of heartbeats.

    Raises:
        ReadRefusedError: this node does not lead, cannot know yet what is committed, or has too many reads.
    """
    if core.role is not Role.LEADER:
        raise ReadRefusedError(
            Refusal.NOT_LEADER,
            f"node {core.id} is {core.role.value} in term {core.term}; ask {core.lead or 'the leader'}",
        )
    if core.log.commit < core.term_start:
        raise ReadRefusedError(
            Refusal.TERM_NOT_COMMITTED,
            f"commit {core.log.commit} is below {core.term_start}, where term {core.term} opens; ask again",
        )
    if len(core.reads) >= core.config.reads_max:
        raise ReadRefusedError(
            Refusal.TOO_MANY_READS,
            f"{len(core.reads)} reads wait, the limit; ask again when some are answered",
        )
    core.read_number += 1
    core.reads.append((core.read_number, core.log.commit, context))
    confirm(core)


def is_round_due(core: Core) -> bool:
    """Whether there are reads that no heartbeat has carried yet, and no round for others is under way."""
    return core.read_sent < core.read_number and (not core.reads or core.reads[0][0] > core.read_sent)


def send_round(core: Core) -> None:
    """Sends one round of heartbeats for the reads that none has carried yet, if it is due."""
    if is_round_due(core):
        if core.reads:
            replication.broadcast_heartbeat(core)
        else:
            core.read_sent = core.read_number


def peer_answered(core: Core, message: Message) -> None:
    """A peer's answer to a heartbeat confirms the reads that it carried."""
    progress = replication.running(core, message)
    if progress is not None and progress.read_number < message.context <= core.read_number:
        progress.read_number = message.context
        confirm(core)


def confirm(core: Core) -> None:
    """Answers every read that a majority has confirmed."""
    core.progress[core.id].read_number = core.read_number
    confirmed = quorum.joint_committed_index(core.conf.halves, lambda voter: core.progress[voter].read_number)
    while core.reads and core.reads[0][0] <= confirmed:
        _, index, context = core.reads.popleft()
        core.read_states.append(ReadState(index, context))
