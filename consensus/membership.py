"""How members come and go while the cluster works (dissertation, chapter 4; semantics as etcd's).

Rules:

- A change is an entry of type CONF_CHANGE. Its data is the caller's; what it changes the caller derives when
  it applies the entry and tells by `apply_conf_change`. Only then it takes effect, on every node for itself.
- Changes one at a time: the leader takes one in only when it has applied all that came before, including
  whatever an earlier leader may have left in the log, and has committed an entry of its own term (the 2015
  correction to section 4.1). A joint configuration counts as a change in flight until it is left.
- A voter with a committed change that it has not applied does not stand for election, since it would count
  votes by a configuration that is no longer in force (etcd-io/raft#456). What makes this enough: the append
  that carries the next change carries a commit index at or above this one. A caller that lowers the commit
  index of a message must not lower it below a change that a later one in the log follows.
- A leader leaves an auto-leaving joint configuration as soon as it has applied it, by an entry without
  data; if it dies first the next leader does (etcd#12136).
- Members join with a fresh session, so no answer from an earlier stay counts, and as learners: they may
  vote when all they lack is on its way to them (section 4.2.1).
- Who leaves is told that its leaving is committed, like everybody, and nothing after that; the word may be lost.
- A leader that is no voter any more counts for nothing, takes in nothing, and steps down when all of its log is
  committed (section 4.2.2). Not sooner: the others may still count votes by the old configuration, need this
  node's, and would not get it while its log is longer than theirs. If it crashes before, a cluster whose old
  majority cannot do without it stands until it is back, and may stand still then: of two voters never
  remove the leader. Transferring leadership before removing the leader avoids this and an election timeout.
- Changes handed out before a snapshot arrived are still applied by the caller, before the snapshot is: they
  change what is stored meanwhile, not what is in force.
- After a restart the configuration is what the caller stored with the last applied index, or the
  snapshot's; entries after that are applied anew and change it anew.
"""

from collections.abc import Iterable

from consensus import changer, election, reads, replication
from consensus.changer import LEAVE_JOINT, ChangeType, ConfChange
from consensus.configuration import ConfState
from consensus.core import Core
from consensus.errors import ConfChangeError, Refusal
from consensus.messages import Message
from consensus.progress import ProgressState
from consensus.trace import TraceName
from consensus.types import NOBODY, Entry, EntryType, Role


def refusal(core: Core, change: ConfChange) -> tuple[Refusal, str] | None:
    """Why a leader cannot take in a change now, with the detail; None if it can."""
    if core.log.commit < core.term_start:
        return Refusal.TERM_NOT_COMMITTED, f"commit {core.log.commit} is below {core.term_start}"
    if core.pending_conf_index > core.log.applied:
        return (
            Refusal.CHANGE_IN_FLIGHT,
            f"the change at or before {core.pending_conf_index} is not applied (applied {core.log.applied})",
        )
    if core.conf.is_joint and (core.conf.auto_leave or change != LEAVE_JOINT):
        return Refusal.CHANGE_IN_FLIGHT, f"{core.conf} is not left yet"
    try:
        _next_conf(core, core.conf, change)
    except ConfChangeError as error:
        return Refusal.CHANGE_NOT_ALLOWED, str(error)
    behind = [
        item.node
        for item in change.changes
        if item.type is ChangeType.ADD_VOTER
        and item.node in core.conf.learners
        and not has_caught_up(core, item.node)
    ]
    return (Refusal.LEARNER_BEHIND, f"learners {behind} have not caught up") if behind else None


def _next_conf(core: Core, conf: ConfState, change: ConfChange) -> ConfState:
    return changer.next_conf(conf, change, learners_first=core.config.safeguards.learners_first)


def has_caught_up(core: Core, member: int) -> bool:
    """Whether all that a member lacks is on its way to it."""
    progress = core.progress[member]
    return (
        progress.recent_active
        and progress.state is ProgressState.REPLICATE
        and progress.next > core.log.last_index
    )


def append_change(core: Core, data: bytes) -> Entry:
    """Appends a change to a leader's log."""
    core.pending_conf_index = core.log.last_index + 1
    return replication.append_own(core, data, EntryType.CONF_CHANGE)


def apply_change(core: Core, index: int, change: ConfChange) -> ConfState:
    """Puts the change of the committed entry at `index` in force.

    Raises:
        ConfChangeError: not committed, applied already, or not allowed; nothing has changed.
    """
    for past in core.superseded:
        if past.index < index <= past.until:
            past.conf = _next_conf(core, past.conf, change)
            past.index = index
            return past.conf
    if not core.conf_index < index <= core.log.applying:
        raise ConfChangeError(
            f"entry {index} is not the next change to apply: {core.conf_index} was the last, and entries up "
            f"to {core.log.applying} have been handed out; apply each committed change once, in order"
        )
    conf = _next_conf(core, core.conf, change)
    core.conf_index = index
    if conf != core.conf:
        _switch(core, conf)
    return conf


def forget_superseded(core: Core) -> None:
    """Forgets configurations whose snapshot has been stored."""
    while core.superseded and core.superseded[0].until <= core.log.applied:
        core.superseded.popleft()


def leave_if_due(core: Core) -> None:
    """A leader that has applied a joint configuration leaves it, if that was asked for."""
    if (
        core.role is Role.LEADER
        and core.conf.auto_leave
        and core.transferee == NOBODY
        and core.log.applied >= max(core.pending_conf_index, core.term_start)
        and core.conf_index <= core.log.applied
    ):
        append_change(core, b"")


def is_leaving(core: Core) -> bool:
    """Whether this leader has been removed and only brings its log to an end."""
    return core.role is Role.LEADER and core.id not in core.conf.electors and core.config.step_down_on_removal


def step_down_if_removed(core: Core) -> None:
    """A removed leader steps down once its log is committed whole."""
    if is_leaving(core) and core.log.commit == core.log.last_index:
        replication.broadcast_append(core)
        election.become_follower(core, core.term, NOBODY)


def peer_answered(core: Core, _message: Message) -> None:
    """A peer's answer may have committed the last entry of a removed leader."""
    step_down_if_removed(core)


def _switch(core: Core, conf: ConfState) -> None:
    core.conf = conf
    core.trace(TraceName.APPLY_CONF_CHANGE)
    if core.role is not Role.LEADER:
        if core.role is not Role.FOLLOWER and core.id not in conf.electors:
            election.become_follower(core, core.term, NOBODY)
        return
    fresh = _update_progress(core, conf)
    if core.transferee not in conf.voters:
        core.transferee = NOBODY
    if replication.advance_commit(core):
        replication.broadcast_append(core)
    for member in fresh:
        replication.send_append(core, member, core.progress[member], even_if_empty=True)
    reads.confirm(core)


def _update_progress(core: Core, conf: ConfState) -> Iterable[int]:
    """Forgets who left and meets who came; gives the latter. A leader always knows itself."""
    for member in [member for member in core.progress if member not in conf.members and member != core.id]:
        del core.progress[member]
    fresh = [member for member in conf.members if member not in core.progress]
    for member in fresh:
        core.progress[member] = replication.new_progress(core)
    return fresh
