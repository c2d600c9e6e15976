"""How a leader's log becomes everybody's.

Rules:

- A leader commits by counting only entries of its own term; earlier ones are committed with them (Raft
  paper, section 5.4.2 and figure 8). It counts itself only up to what its own disk holds (dissertation,
  10.2.1).
- A follower deletes entries only where one of another term stands in its place (section 5.3): a late,
  doubled or empty append deletes nothing.
- A follower commits no further than the last index the message itself vouches for.
- Answers give back the session of the request; a leader ignores answers of other sessions.
- A refused append names the follower's last place that may still agree and its term, so that the leader
  passes a whole term of conflicts per answer (section 5.3, last paragraphs).
- A peer that needs what the log no longer holds is sent a snapshot instead.
- A peer that needs what the storage is too busy to give is passed over, with nothing noted as sent, until the
  storage can be read again.
- Lost messages are made good by the heartbeat: its answer frees a paused peer and prompts another append.
"""

from consensus import quorum, snapshots
from consensus.core import Core
from consensus.errors import StorageBusyError
from consensus.messages import Message, MessageType
from consensus.progress import Inflights, Progress, ProgressState
from consensus.types import Entry, EntryType, Role

UNLIMITED = 1 << 62


def start_term(core: Core) -> None:
    """Sets up a new leader's view of its peers and appends the entry that opens its term."""
    log = core.log
    # An earlier leader may have left a change of members in the log; none is taken in before it is applied.
    core.pending_conf_index = log.last_index
    for member in core.conf.members:
        core.progress[member] = new_progress(core)
    own = core.progress[core.id]
    own.recent_active = True
    own.accepted(log.stable)
    core.term_start = log.last_index + 1
    append_own(core, b"")


def new_progress(core: Core) -> Progress:
    """What a leader knows of a member at first: nothing, so it begins at the end of its own log."""
    config = core.config
    if config.safeguards.inflight_limits:
        window = Inflights(config.inflight_messages_max, config.inflight_bytes_max)
    else:
        window = Inflights(UNLIMITED, UNLIMITED)
    return Progress(core.next_session(), core.log.last_index + 1, window)


def append_own(core: Core, data: bytes, kind: EntryType = EntryType.NORMAL) -> Entry:
    """Appends an entry of the current term to a leader's log and sends it to every peer that may have it."""
    entry = Entry(core.term, core.log.last_index + 1, kind, data)
    core.append(entry)
    broadcast_append(core)
    return entry


def broadcast_append(core: Core) -> None:
    """Sends every peer what it lacks, or at least the commit index where it may know a lower one."""
    commit = core.log.commit
    for voter, progress in core.progress.items():
        if voter != core.id and not send_append(core, voter, progress) and progress.can_bump_commit(commit):
            send_append(core, voter, progress, even_if_empty=True)


def broadcast_heartbeat(core: Core) -> None:
    """Sends every peer a heartbeat; it commits no more than the peer is known to hold, and carries all reads."""
    core.heartbeat_elapsed = 0
    core.read_sent = core.read_number
    commit = core.log.commit
    for voter, progress in core.progress.items():
        if voter != core.id:
            core.send(
                Message(
                    MessageType.HEARTBEAT,
                    voter,
                    core.id,
                    core.term,
                    progress.session,
                    commit=min(progress.match, commit),
                    context=core.read_number,
                )
            )


def send_append(core: Core, to: int, progress: Progress, *, even_if_empty: bool = False) -> bool:
    """Sends one append if the peer may have one and the storage can be read; tells whether it did."""
    if progress.paused:
        return False
    try:
        return _send_append(core, to, progress, even_if_empty=even_if_empty)
    except StorageBusyError:
        progress.awaits_storage = True
        return False


def storage_available(core: Core) -> None:
    """Sends every peer what could not be read for it before."""
    for peer, progress in core.progress.items():
        if progress.awaits_storage:
            progress.awaits_storage = False
            send_append(core, peer, progress, even_if_empty=True)
            while send_append(core, peer, progress):
                pass


def _send_append(core: Core, to: int, progress: Progress, *, even_if_empty: bool) -> bool:
    log = core.log
    previous = progress.next - 1
    previous_term = log.term(previous)
    if previous_term is None or progress.state is ProgressState.SNAPSHOT:
        return snapshots.send(core, to, progress)
    entries: tuple[Entry, ...] = ()
    blocked = progress.state is ProgressState.REPLICATE and progress.inflights.is_full
    if previous < log.last_index and not blocked:
        entries = tuple(log.slice(previous + 1, log.last_index + 1, core.config.message_bytes_max))
    if not entries and not even_if_empty:
        return False
    core.send(
        Message(
            MessageType.APPEND,
            to,
            core.id,
            core.term,
            progress.session,
            previous_term,
            previous,
            log.commit,
            entries=entries,
        )
    )
    progress.sent_append(len(entries), sum(entry.size_bytes for entry in entries), log.commit)
    return True


def handle_append(core: Core, message: Message) -> None:
    """A follower takes in entries, or says where its log may still agree."""
    log = core.log
    covered = log.merge(message.index, message.log_term, message.entries, message.sender)
    if covered is None:
        hint, hint_term = log.nearest_by_term(min(message.index, log.last_index), message.log_term)
        core.send(
            Message(
                MessageType.APPEND_RESPONSE,
                message.sender,
                core.id,
                core.term,
                message.session,
                hint_term,
                message.index,
                reject=True,
                reject_hint=hint,
            )
        )
        return
    core.commit_to(min(message.commit, covered))
    # What is committed here the leader has too; telling it so moves it past an outdated append.
    index = max(covered, log.commit)
    core.send(
        Message(MessageType.APPEND_RESPONSE, message.sender, core.id, core.term, message.session, index=index)
    )


def handle_append_response(core: Core, message: Message) -> None:
    """A leader learns how far a peer's log agrees."""
    progress = running(core, message)
    if progress is None or message.index > core.log.last_index:
        return
    progress.recent_active = True
    if message.reject:
        hint = message.reject_hint
        if message.log_term:
            hint, _ = core.log.nearest_by_term(min(hint, core.log.last_index), message.log_term)
        if progress.rejected(message.index, hint):
            send_append(core, message.sender, progress, even_if_empty=True)
        return
    if not progress.accepted(message.index, log_goes_on=core.log.term(message.index) is not None):
        return
    if advance_commit(core):
        broadcast_append(core)
    elif progress.can_bump_commit(core.log.commit):
        send_append(core, message.sender, progress, even_if_empty=True)
    while send_append(core, message.sender, progress):
        pass


def handle_heartbeat(core: Core, message: Message) -> None:
    """A follower commits what the leader knows it holds, and answers."""
    core.commit_to(message.commit)
    core.send(
        Message(
            MessageType.HEARTBEAT_RESPONSE,
            message.sender,
            core.id,
            core.term,
            message.session,
            context=message.context,
        )
    )


def handle_heartbeat_response(core: Core, message: Message) -> None:
    """A leader learns that a peer lives, and sends it what may have been lost."""
    progress = running(core, message)
    if progress is None:
        return
    progress.recent_active = True
    progress.paused = False
    if progress.match < core.log.last_index or progress.state is ProgressState.PROBE:
        send_append(core, message.sender, progress, even_if_empty=True)


def own_append_stable(core: Core) -> None:
    """A leader counts itself for what its own disk now holds."""
    if core.role is Role.LEADER and core.progress[core.id].accepted(core.log.stable) and advance_commit(core):
        broadcast_append(core)


def advance_commit(core: Core) -> bool:
    """Commits what a majority holds, if it is of the current term; tells whether commit moved."""
    index = quorum.joint_committed_index(core.conf.halves, lambda voter: core.progress[voter].match)
    if index <= core.log.commit:
        return False
    if core.log.term(index) != core.term and core.config.safeguards.own_term_commit:
        return False
    return core.commit_to(index)


def peer_unreachable(core: Core, peer: int) -> None:
    """A leader stops sending ahead to a peer whose messages were probably lost."""
    progress = core.progress.get(peer)
    if progress is not None and peer != core.id and progress.state is ProgressState.REPLICATE:
        progress.become_probe()


def running(core: Core, message: Message) -> Progress | None:
    """The sender's progress, if the answer belongs to its running session."""
    if core.role is not Role.LEADER:
        return None
    progress = core.progress.get(message.sender)
    if progress is None or progress.session == message.session:
        return progress
    return None if core.config.safeguards.session_on_answers else progress
