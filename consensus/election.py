"""Who leads, and how that changes.

Rules:

- A node votes once per term, for a log at least as up to date as its own (Raft paper, sections 5.2 and
  5.4.1); the same candidate asking again is granted again.
- A candidate counts each voter once, answers to the running campaign only, and itself only when its own
  vote is durable.
- Only voters stand for election, and not while a committed change of members is unapplied: they would count
  votes by a configuration no longer in force (etcd-io/raft#456).
- A node whose caller is still fetching the state that a snapshot stands for does not stand either: as leader it
  could do nothing. It votes and follows all the same.
- Whoever is asked votes, even if it does not know yet that it may: it is the candidate's configuration that
  counts (dissertation, 4.2.1 and 4.2.3).
- A pre-vote changes nobody's term or vote; a majority of grants is needed before a real campaign
  (dissertation, 9.6).
- Stickiness: a node that heard its leader within an election timeout lets no higher term in with a vote
  request, so one node with a bad link deposes nobody (dissertation, 4.2.3). Check-quorum is its
  counterpart: a leader that heard no majority for an election timeout steps down (6.2). Neither works
  without the other.
- A campaign that the leader itself asked for needs no pre-vote and passes stickiness: its voters hear that
  leader and vote all the same (dissertation, 3.10).
- A leader or candidate left behind in an old term is told the newer one, or it would wait for ever.
"""

from consensus import quorum, replication
from consensus.core import Core
from consensus.messages import Message, MessageType
from consensus.trace import TraceName
from consensus.types import NOBODY, EntryType, Role

SCAN_BYTES_MAX = 1 << 20


def become_follower(core: Core, term: int, lead: int) -> None:
    """Follows `lead` (0: whoever will turn up) in `term`."""
    core.role = Role.FOLLOWER
    core.reset(term)
    core.lead = lead
    core.trace(TraceName.BECOME_FOLLOWER)


def campaign(core: Core, *, asked_by_leader: bool = False) -> None:
    """Stands for election, by a pre-vote first if so configured. Leaders and who has no vote do not."""
    if core.role is Role.LEADER or not may_campaign(core):
        return
    if asked_by_leader:
        _become_candidate(core, asked_by_leader=True)
    elif core.config.pre_vote:
        _become_pre_candidate(core)
    else:
        _become_candidate(core)


def may_campaign(core: Core) -> bool:
    """Whether this node may stand for election: a voter that knows by which configuration, and is not barred."""
    return core.id in core.conf.electors and not core.is_barred and not _has_unapplied_change(core)


def _has_unapplied_change(core: Core) -> bool:
    log = core.log
    low = max(log.applied + 1, log.first_index)
    while low <= log.commit:
        page = log.slice(low, log.commit + 1, SCAN_BYTES_MAX)
        if not page or any(entry.type is EntryType.CONF_CHANGE for entry in page):
            return True
        low = page[-1].index + 1
    return False


def _become_pre_candidate(core: Core) -> None:
    core.role = Role.PRE_CANDIDATE
    core.reset(core.term)
    core.votes[core.id] = True
    _ask_for_votes(core, MessageType.PRE_VOTE, core.term + 1)
    _decide(core)


def _become_candidate(core: Core, *, asked_by_leader: bool = False) -> None:
    core.role = Role.CANDIDATE
    core.reset(core.term + 1)
    core.vote = core.id
    core.trace(TraceName.BECOME_CANDIDATE)
    _ask_for_votes(core, MessageType.VOTE, core.term, asked_by_leader=asked_by_leader)


def _become_leader(core: Core) -> None:
    core.role = Role.LEADER
    core.reset(core.term)
    core.lead = core.id
    core.trace(TraceName.BECOME_LEADER)
    replication.start_term(core)


def _ask_for_votes(core: Core, kind: MessageType, term: int, *, asked_by_leader: bool = False) -> None:
    core.campaign_session = core.next_session()
    log = core.log
    for voter in core.conf.electors:
        if voter != core.id:
            core.send(
                Message(
                    kind,
                    voter,
                    core.id,
                    term,
                    core.campaign_session,
                    log.last_term,
                    log.last_index,
                    context=int(asked_by_leader),
                )
            )


def own_vote_durable(core: Core) -> None:
    """A candidate counts its own vote once term and vote are on disk."""
    if core.role is Role.CANDIDATE and core.is_vote_durable and core.id not in core.votes:
        core.votes[core.id] = True
        _decide(core)


def _decide(core: Core) -> None:
    result = quorum.joint_vote_result(core.conf.halves, core.votes)
    if result is quorum.VoteResult.WON:
        if core.role is Role.PRE_CANDIDATE:
            _become_candidate(core)
        else:
            _become_leader(core)
    elif result is quorum.VoteResult.LOST:
        become_follower(core, core.term, NOBODY)


def hears_leader(core: Core) -> bool:
    """Whether this node leads, or heard its leader within the shortest election timeout."""
    return (
        core.config.check_quorum and core.lead != NOBODY and core.election_elapsed < core.config.election_tick
    )


def handle_vote(core: Core, message: Message) -> None:
    """Answers a request for a vote in the current term."""
    free = core.vote == message.sender or (core.vote == NOBODY and core.lead == NOBODY)
    granted = free and _is_up_to_date(core, message)
    if granted:
        core.vote = message.sender
        core.restart_election_timer()
    _answer(core, message, MessageType.VOTE_RESPONSE, core.term, granted=granted)


def handle_pre_vote(core: Core, message: Message) -> None:
    """Answers whether a vote in the message's term would be granted; changes nothing."""
    free = (
        message.term > core.term
        or core.vote == message.sender
        or (core.vote == NOBODY and core.lead == NOBODY)
    )
    granted = free and _is_up_to_date(core, message)
    term = message.term if granted else core.term
    _answer(core, message, MessageType.PRE_VOTE_RESPONSE, term, granted=granted)


def _is_up_to_date(core: Core, message: Message) -> bool:
    return (
        core.log.is_up_to_date(message.index, message.log_term) or not core.config.safeguards.log_comparison
    )


def _answer(core: Core, message: Message, kind: MessageType, term: int, *, granted: bool) -> None:
    core.send(Message(kind, message.sender, core.id, term, message.session, reject=not granted))


def handle_vote_response(core: Core, message: Message) -> None:
    """A candidate counts an answer."""
    if core.role is Role.CANDIDATE:
        _count(core, message)


def handle_pre_vote_response(core: Core, message: Message) -> None:
    """A pre-candidate counts an answer; a grant names the campaign's term, a refusal the answerer's own."""
    if core.role is Role.PRE_CANDIDATE and (message.reject or message.term == core.term + 1):
        _count(core, message)


def _count(core: Core, message: Message) -> None:
    safeguards = core.config.safeguards
    if message.session == core.campaign_session or not safeguards.session_on_answers:
        voter = message.sender
        if not safeguards.votes_per_voter:
            voter = next((other for other in core.conf.electors if other not in core.votes), voter)
        core.votes.setdefault(voter, not message.reject)
        _decide(core)


def tick_follower(core: Core) -> None:
    """Campaigns when no leader was heard for the election timeout."""
    core.election_elapsed += 1
    if core.election_elapsed >= core.election_timeout:
        campaign(core)


def tick_leader(core: Core) -> None:
    """Sends heartbeats; steps down if no majority answered during an election timeout."""
    core.election_elapsed += 1
    if core.election_elapsed >= core.config.election_tick:
        core.election_elapsed = 0
        if core.config.check_quorum and not _quorum_active(core):
            become_follower(core, core.term, NOBODY)
            return
    core.heartbeat_elapsed += 1
    if core.heartbeat_elapsed >= core.config.heartbeat_tick:
        replication.broadcast_heartbeat(core)


def _quorum_active(core: Core) -> bool:
    active = {voter: core.progress[voter].recent_active for voter in core.conf.electors}
    for voter, progress in core.progress.items():
        progress.recent_active = voter == core.id
    return quorum.joint_vote_result(core.conf.halves, active) is quorum.VoteResult.WON
