"""Bringing a peer up to date whose entries are no longer in the log (Raft paper, section 7).

Rules:

- A snapshot message is small: the place in the log, the configuration there and the caller's certificate.
  The state itself the caller fetches elsewhere, so a snapshot is sent like any other message: it may be
  lost, and is repeated with each answer to a heartbeat until the peer has it.
- It is sent when the log no longer holds what the peer needs next. The storage says which one: at or above
  all that was dropped.
- A caller that cannot verify a snapshot and fetch what it stands for does not accept any (`Config`).
- The receiver takes it only if it is ahead of its commit index. If its log agrees at that place it keeps
  the log and just commits up to there; otherwise the snapshot replaces the log whole.
- Log, hard state and snapshot are written in one go, and only then acknowledged: a crash before leaves the old
  log and an answer never given. A second snapshot that arrives meanwhile replaces what the first left.
- The answer is that of an append: "my log agrees up to here".
- The configuration is the snapshot's from that moment on.
"""

from consensus.core import Core
from consensus.messages import Message, MessageType
from consensus.progress import Progress, ProgressState


def send(core: Core, to: int, progress: Progress) -> bool:
    """Sends the storage's snapshot, if it has one that helps; pauses the peer either way."""
    snapshot = core.log.stored_snapshot()
    if snapshot is None:
        progress.paused = True
        return False
    progress.become_snapshot(snapshot.index)
    core.send(
        Message(MessageType.SNAPSHOT, to, core.id, core.term, progress.session, snapshot=snapshot),
    )
    return True


def handle(core: Core, message: Message) -> None:
    """A follower takes a snapshot in, unless it is behind what it has."""
    snapshot = message.snapshot
    if snapshot is None or not core.config.accept_snapshots:
        return
    log = core.log
    if snapshot.index > log.commit:
        if log.matches(snapshot.index, snapshot.term):
            core.commit_to(snapshot.index)
        else:
            core.restore(snapshot)
    core.send(
        Message(
            MessageType.APPEND_RESPONSE,
            message.sender,
            core.id,
            core.term,
            message.session,
            index=log.commit,
        )
    )


def reported(core: Core, peer: int, *, ok: bool) -> None:
    """The caller tells a leader what became of the snapshot it sent to `peer`."""
    progress = core.progress.get(peer)
    if progress is not None and progress.state is ProgressState.SNAPSHOT:
        progress.leave_snapshot(ok=ok)
