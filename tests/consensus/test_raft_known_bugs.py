"""Bugs that cost others data or availability, each with what would have shown it.

The numbers are the project's own list; each docstring names where the bug was found.
"""

from collections.abc import Callable
from random import Random

import pytest
from raft_harness import (
    Cluster,
    ack,
    append,
    beat_answer,
    disk_with,
    elect,
    entries,
    grant,
    heartbeat,
    log_of,
    make_node,
    only,
    terms_of,
    work,
)

from consensus import (
    Config,
    HardState,
    MemoryStorage,
    Message,
    MessageType,
    RawNode,
    Role,
)


def test_bug_01_commit_counts_only_entries_of_the_current_term() -> None:
    """Raft paper, figure 8; logcabin#44, PySyncObj#110: an old entry on a majority is not yet committed."""
    node, disk = make_node(voters=5, storage=disk_with(1, 2, term=3))
    sent = elect(node, disk)
    (probe,) = only(sent, MessageType.APPEND, to=2)
    assert probe.index == 2
    for peer in (2, 3):
        (request,) = only(sent, MessageType.APPEND, to=peer)
        node.step(ack(request, index=2))
        work(node, disk)
        assert node.commit == 0, "entry 2 of term 2 is on three of five and must not be committed by counting"
    for peer in (2, 3):
        (request,) = only(sent, MessageType.APPEND, to=peer)
        node.step(ack(request, index=3))
    work(node, disk)
    assert node.commit == 3, "the entry of the leader's own term commits the earlier ones with it"


def test_bug_01_figure_8_played_in_full() -> None:
    """Raft paper, figure 8 (a) to (d): an old entry on a majority is overwritten, never committed."""
    cluster = Cluster(5, pre_vote=False, check_quorum=False, message_bytes_max=1)
    cluster.elect(1)
    cluster.isolate(1, 2)
    old = cluster.propose(1)
    assert old is not None
    cluster.settle()  # (a) the entry is on 1 and 2 only
    cluster.crash(1)
    cluster.heal()
    _elect_silently(cluster, 5, term=2)  # (b) 5 leads; its entry of term 2 reaches nobody
    cluster.crash(5)
    cluster.restart(1)
    _elect_silently(cluster, 1, term=3)  # (c) 1 leads again and replicates the entry of term 1
    cluster.tick(1)
    cluster.work(1)

    def only_the_old_entry(message: Message) -> bool:
        """Keeps the entry of term 3 from whoever would take it; who must refuse it is sent the old one."""
        if 2 in (message.to, message.sender):
            return False
        return not message.entries or message.entries[0] == old or cluster.core(message.to).last_index == 1

    for _ in range(8):
        _deliver(cluster, only_the_old_entry)
    assert all(log_of(cluster.core(node))[1] == old for node in (1, 2, 3, 4)), "it is on a majority"
    assert all(cluster.core(1).status().peers[node].match == 2 for node in (3, 4)), "and the leader knows"
    cluster.crash(1)
    cluster.flying.clear()
    cluster.restart(5)
    cluster.campaign(5)
    cluster.settle()
    cluster.elect(5)  # (d) 5 leads and overwrites it
    assert [log_of(cluster.core(node))[1].term for node in (2, 3, 4)] == [2, 2, 2]


def _deliver(cluster: Cluster, wanted: Callable[[Message], bool]) -> None:
    """Delivers what is flying and wanted; answers wait for the next call."""
    for message in list(cluster.flying):
        if wanted(message):
            cluster.deliver(cluster.flying.index(message))
            cluster.work(message.to)


def _elect_silently(cluster: Cluster, node: int, term: int) -> None:
    """Makes `node` lead `term` without any of its appends arriving."""
    while cluster.core(node).term < term:
        cluster.campaign(node)
        cluster.work(node)
        for _ in range(2):
            _deliver(cluster, lambda m: m.type in (MessageType.VOTE, MessageType.VOTE_RESPONSE))
        cluster.flying.clear()
    assert cluster.core(node).role is Role.LEADER


def test_bug_02_a_vote_leaves_only_when_term_and_vote_are_durable() -> None:
    """PySyncObj#84: a granted vote forgotten in a crash elects two leaders."""
    node, _ = make_node()
    node.step(Message(MessageType.VOTE, 1, 2, 4, session=1))
    ready = node.ready()
    assert not ready.messages
    assert ready.hard_state == HardState(term=4, vote=2)
    assert ready.must_sync
    (answer,) = ready.messages_after_append
    assert (answer.type, answer.reject) == (MessageType.VOTE_RESPONSE, False)


@pytest.mark.parametrize("message", [append(3, new=entries(3)), heartbeat(3)], ids=["append", "heartbeat"])
def test_bug_02_no_message_shows_a_term_that_is_not_durable(message: Message) -> None:
    """PySyncObj#84: whatever answers a new term waits for the term's write, in a later Ready too."""
    node, disk = make_node()
    node.step(message)
    first = node.ready()
    assert not first.messages
    assert len(first.messages_after_append) == 1
    node.step(heartbeat(3))
    second = node.ready()
    assert not second.messages, "the write of term 3 is still under way"
    disk.append(first.entries)
    node.advance(first)
    node.step(heartbeat(3))
    assert len(node.ready().messages) == 1, "now it is durable and heartbeats are answered at once"


def test_bug_02_entries_come_with_their_term() -> None:
    """PySyncObj#84: a Ready that carries entries of a term carries or follows the term itself."""
    node, _ = make_node()
    node.step(append(5, new=entries(5, 5)))
    ready = node.ready()
    assert ready.hard_state is not None
    assert ready.hard_state.term == 5
    assert [entry.term for entry in ready.entries] == [5, 5]


def test_bug_03_a_late_double_or_empty_append_deletes_nothing() -> None:
    """willemt/raft#37, and PySyncObj 0.3.17 still: truncation by any append that ends before the log does."""
    node, disk = make_node()
    node.step(append(1, new=entries(1, 1, 1, 1)))
    work(node, disk)
    for late in (
        append(1, new=entries(1, 1)),
        append(1, (1, 1), entries(1, start=2)),
        append(1, (2, 1)),
        append(1),
    ):
        node.step(late)
        (answer,) = only(work(node, disk), MessageType.APPEND_RESPONSE)
        assert not answer.reject
        assert disk.last_index() == node.last_index == 4


def test_bug_03_a_real_conflict_truncates_from_there_only() -> None:
    """Raft paper, section 5.3: delete the conflicting entry and all that follow it."""
    node, disk = make_node(storage=disk_with(1, 1, 2, 2))
    node.step(append(3, (1, 1), entries(1, 3, start=2)))
    work(node, disk)
    assert terms_of(node) == [1, 1, 3]
    assert [entry.term for entry in disk.entries(1, 4, 1 << 30)] == [1, 1, 3]


def test_bug_04_commit_never_passes_what_the_message_covers() -> None:
    """copycat#265: the follower's own surplus entries are not the leader's."""
    node, disk = make_node(storage=disk_with(1, 1, 1))
    node.step(append(2, (1, 1), commit=3))
    work(node, disk)
    assert node.commit == 1, "entries 2 and 3 may differ from the leader's"


def test_bug_05_commit_and_match_never_go_back() -> None:
    """PySyncObj#166 and #167, raftos#25: an old answer or message lowers what was known."""
    node, disk = make_node()
    sent = elect(node, disk)
    (request,) = only(sent, MessageType.APPEND, to=2)
    node.step(ack(request))
    work(node, disk)
    assert (node.commit, node.status().peers[2].match) == (1, 1)
    node.step(ack(request, index=0))
    node.step(Message(MessageType.APPEND_RESPONSE, 1, 2, 1, request.session, index=1, reject=True))
    assert (node.commit, node.status().peers[2].match) == (1, 1)
    assert node.status().peers[2].next == 2
    follower, _ = make_node(3)
    follower.step(append(1, new=entries(1, 1), commit=2, to=3))
    follower.step(append(1, new=entries(1), commit=1, to=3))
    follower.step(heartbeat(1, commit=0, to=3))
    assert follower.commit == 2


def test_bug_06_an_answer_of_another_session_is_ignored() -> None:
    """Nine of sixteen libraries fail: an answer from before a peer was removed and re-added in one term."""
    node, disk = make_node()
    sent = elect(node, disk)
    (request,) = only(sent, MessageType.APPEND, to=2)
    node.step(Message(MessageType.APPEND_RESPONSE, 1, 2, 1, request.session + 100, index=1))
    node.step(Message(MessageType.HEARTBEAT_RESPONSE, 1, 2, 1, request.session + 100))
    work(node, disk)
    assert node.commit == 0
    peer = node.status().peers[2]
    assert (peer.match, peer.recent_active) == (0, False)
    node.step(ack(request))
    work(node, disk)
    assert node.commit == 1


def test_bug_06_every_peer_and_every_term_has_its_own_session() -> None:
    """No two stays share a session, and answers give it back."""
    node, disk = make_node()
    sessions = [message.session for message in only(elect(node, disk), MessageType.APPEND)]
    node.step(heartbeat(2))
    (answer,) = only(work(node, disk), MessageType.HEARTBEAT_RESPONSE)
    assert answer.session == 7
    sessions += [message.session for message in only(elect(node, disk), MessageType.APPEND)]
    assert len(set(sessions)) == 4


def test_bug_07_votes_are_counted_per_voter() -> None:
    """Xraft#33: one voter's answer, delivered twice, is one vote."""
    node, disk = make_node(voters=5, pre_vote=False)
    node.campaign()
    (request, *_) = only(work(node, disk), MessageType.VOTE)
    for _ in range(3):
        node.step(grant(request))
    assert node.role is Role.CANDIDATE


def test_bug_07_a_voters_first_answer_stands() -> None:
    """Xraft#33: neither a second grant nor a late refusal changes what a voter said."""
    node, disk = make_node(voters=5, pre_vote=False)
    node.campaign()
    (second, third, *_) = only(work(node, disk), MessageType.VOTE)
    node.step(grant(second))
    node.step(Message(MessageType.VOTE_RESPONSE, 1, 2, 1, second.session, reject=True))
    node.step(grant(third))
    assert node.role is Role.LEADER


def test_bug_07_only_answers_to_the_running_campaign_count() -> None:
    """nebula#2419: an answer of an earlier campaign, or of a node that does not vote, elects nobody."""
    node, disk = make_node(voters=3)
    node.campaign()
    (early, *_) = only(work(node, disk), MessageType.PRE_VOTE)
    node.campaign()
    (asked, *_) = only(work(node, disk), MessageType.PRE_VOTE)
    node.step(grant(early))
    node.step(Message(MessageType.PRE_VOTE_RESPONSE, 1, 9, asked.term, asked.session))
    assert node.role is Role.PRE_CANDIDATE
    node.step(grant(asked))
    assert node.role is Role.CANDIDATE
    work(node, disk)
    node.step(Message(MessageType.VOTE_RESPONSE, 1, 9, node.term, asked.session + 1))
    assert node.role is Role.CANDIDATE


def test_bug_07_a_repeated_request_is_granted_again() -> None:
    """Xraft#33: the first grant may have been lost; refusing the second loses the election."""
    node, disk = make_node()
    request = Message(MessageType.VOTE, 1, 2, 1, session=1)
    for _ in range(2):
        node.step(request)
        (answer,) = work(node, disk)
        assert not answer.reject
    node.step(Message(MessageType.VOTE, 1, 3, 1, session=1))
    (answer,) = work(node, disk)
    assert answer.reject, "but one vote per term"


def test_bug_07_a_vote_survives_a_restart() -> None:
    """nebula#2419: a restarted voter grants the same candidate again and nobody else."""
    node, disk = make_node()
    node.step(Message(MessageType.VOTE, 1, 2, 1, session=1))
    work(node, disk)
    again, _ = make_node(storage=disk)
    again.step(Message(MessageType.VOTE, 1, 3, 1, session=1))
    again.step(Message(MessageType.VOTE, 1, 2, 1, session=1))
    assert [answer.reject for answer in work(again, disk)] == [True, False]


def test_bug_07_a_grant_of_an_earlier_lifes_pre_vote_elects_nobody() -> None:
    """A new life asks for the same term again, and its campaign may have the same number: the vote itself decides."""
    node, disk = make_node()
    node.campaign()
    late = [grant(message) for message in only(work(node, disk), MessageType.PRE_VOTE)]
    again, _ = make_node(storage=disk)
    again.campaign()
    work(again, disk)
    for answer in late:
        again.step(answer)
        work(again, disk)
    assert (again.role, disk.hard_state) == (Role.CANDIDATE, HardState(term=1, vote=1))
    for answer in late:
        again.step(answer)
    assert again.role is Role.CANDIDATE


def test_bug_08_an_old_write_marks_nothing_stable_after_truncation() -> None:
    """etcd's append ABA race: the same (index, term) is appended, replaced and appended again."""
    node, disk = make_node()
    node.step(append(1, new=entries(1, 1)))
    first = node.ready()
    node.step(append(2, (1, 1), entries(2, start=2), sender=3))
    second = node.ready()
    node.step(append(3, (1, 1), entries(1, 3, start=2)))
    third = node.ready()
    node.advance(first)
    assert node.status().stable == 1, (
        "entry 2 of term 1 is in memory again, but its second write is under way"
    )
    disk.append(first.entries)
    disk.append(second.entries)
    node.advance(second)
    assert node.status().stable == 1
    disk.append(third.entries)
    node.advance(third)
    assert node.status().stable == 3


def test_bug_08_a_completion_told_twice_or_late_changes_nothing() -> None:
    """The ABA race's cousin: completions arrive in any order and more than once."""
    node, disk = make_node()
    node.step(append(1, new=entries(1)))
    first = node.ready()
    node.step(append(1, (1, 1), entries(1, start=2)))
    second = node.ready()
    disk.append(first.entries)
    disk.append(second.entries)
    node.advance(second)
    assert node.status().stable == 2
    node.advance(first)
    node.advance(second)
    assert node.status().stable == 2


def test_bug_09_a_single_node_waits_for_its_own_disk() -> None:
    """etcd#14370: a lone leader committed, and answered, before its write was durable."""
    node, disk = make_node(voters=1)
    elect(node, disk)
    assert node.commit == 1
    node.propose(b"x")
    ready = node.ready()
    assert node.commit == 1
    assert not ready.committed_entries
    disk.append(ready.entries)
    node.advance(ready)
    assert node.commit == 2


def test_bug_09_a_lone_candidate_waits_for_its_own_vote() -> None:
    """etcd#14370, for votes: leading before the vote is durable could lead one term twice."""
    node, _ = make_node(voters=1)
    node.campaign()
    assert node.role is Role.CANDIDATE
    ready = node.ready()
    assert node.role is Role.CANDIDATE
    node.advance(ready)
    assert node.role is Role.LEADER


def test_bug_09_the_completion_of_an_earlier_write_is_not_the_votes() -> None:
    """etcd#14370, with a write under way: what completes must be the write that holds the vote."""
    node, _ = make_node(voters=1)
    earlier = node.ready()
    node.campaign()
    with_vote = node.ready()
    node.advance(earlier)
    assert node.role is Role.CANDIDATE
    node.advance(with_vote)
    assert node.role is Role.LEADER


def test_bug_10_half_of_an_even_cluster_is_no_majority() -> None:
    """openraft#1802: of four, two are not enough, neither to elect nor to commit."""
    node, disk = make_node(voters=4, pre_vote=False)
    node.campaign()
    asked = only(work(node, disk), MessageType.VOTE)
    node.step(grant(asked[0]))
    assert node.role is Role.CANDIDATE
    node.step(grant(asked[1]))
    sent = only(work(node, disk), MessageType.APPEND)
    assert node.role is Role.LEADER
    node.step(ack(sent[0]))
    assert node.commit == 0
    node.step(ack(sent[1]))
    assert node.commit == 1


def test_bug_11_a_refused_heartbeat_is_no_log_that_went_backwards() -> None:
    """openraft#1501: a leader reset a peer's match because a heartbeat of its own was refused."""
    node, disk = make_node()
    for request in only(elect(node, disk), MessageType.APPEND):
        node.step(ack(request))
    work(node, disk)
    before = node.status().peers[2]
    node.tick()
    (beat, _) = only(work(node, disk), MessageType.HEARTBEAT)
    node.step(Message(MessageType.APPEND_RESPONSE, 1, 2, 1, beat.session, reject=True))
    assert node.status().peers[2].match == before.match
    assert node.status().peers[2].next == before.next
    assert not work(node, disk)
    node.step(Message(MessageType.APPEND_RESPONSE, 1, 2, 4, beat.session, reject=True))
    assert (node.role, node.term) == (Role.FOLLOWER, 4), "a newer term is what it says, and all it says"


def test_a_fresh_config_shares_no_randomness() -> None:
    """Same seed, same timeouts: the rng given is the only source."""
    timeouts = []
    for _ in range(2):
        node = RawNode(Config(id=1, voters=(1,), rng=Random(5)), HardState(), MemoryStorage(), 0)
        ticks = 0
        while node.role is Role.FOLLOWER:
            node.tick()
            ticks += 1
        timeouts.append(ticks)
    assert timeouts[0] == timeouts[1]


def test_heartbeat_answers_of_the_right_session_count_as_activity() -> None:
    """The positive space of bug 6."""
    node, disk = make_node()
    elect(node, disk)
    node.tick()
    beat = only(work(node, disk), MessageType.HEARTBEAT, to=2)[0]
    node.step(beat_answer(beat))
    assert node.status().peers[2].recent_active
