"""What a core shows of itself: a copy, for logs, metrics and the caller's decisions."""

from collections.abc import Mapping
from dataclasses import dataclass

from consensus.configuration import ConfState
from consensus.core import Core
from consensus.progress import ProgressState
from consensus.types import Role


@dataclass(frozen=True, slots=True)
class PeerStatus:
    """One peer as its leader sees it; see `consensus.progress`."""

    match: int
    next: int
    state: ProgressState
    paused: bool
    recent_active: bool
    inflight_messages: int
    pending_snapshot: int
    is_learner: bool


@dataclass(frozen=True, slots=True)
class Status:
    """One core at one moment.

    Attributes:
        id: this node.
        term: its term.
        vote: its vote in that term, 0 for none.
        role: its role.
        lead: the leader it follows or is, 0 for none.
        commit: the highest committed index it knows.
        applied: the last index the caller has applied.
        stable: the last index that is durable.
        last_index: the end of its log.
        last_term: the term of its last entry.
        term_start: a leader's first index of its own term, else 0. Until it is applied, what the leader's
            state machine shows may lack what earlier leaders committed.
        uncommitted_bytes: what a leader took in and has not committed.
        transferee: to whom a leader is handing over, 0 for nobody.
        reads_waiting: a leader's reads not yet confirmed.
        first_index: the first index in its log.
        conf_state: who votes and who listens, as far as it has applied.
        peers: a leader's view of every other member by id, else empty.
    """

    id: int
    term: int
    vote: int
    role: Role
    lead: int
    commit: int
    applied: int
    stable: int
    last_index: int
    last_term: int
    term_start: int
    uncommitted_bytes: int
    transferee: int
    reads_waiting: int
    first_index: int
    conf_state: ConfState
    peers: Mapping[int, PeerStatus]


def status_of(core: Core) -> Status:
    """The core's status now."""
    log = core.log
    return Status(
        id=core.id,
        term=core.term,
        vote=core.vote,
        role=core.role,
        lead=core.lead,
        commit=log.commit,
        applied=log.applied,
        stable=log.stable,
        last_index=log.last_index,
        last_term=log.last_term,
        term_start=core.term_start,
        uncommitted_bytes=core.uncommitted_bytes,
        transferee=core.transferee,
        reads_waiting=len(core.reads),
        first_index=log.first_index,
        conf_state=core.conf,
        peers={
            member: PeerStatus(
                progress.match,
                progress.next,
                progress.state,
                progress.paused,
                progress.recent_active,
                len(progress.inflights),
                progress.pending_snapshot,
                member in core.conf.learners,
            )
            for member, progress in core.progress.items()
            if member != core.id
        },
    )
