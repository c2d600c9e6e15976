"""Raft paper, section 5.3: how a leader's log becomes everybody's, and the log matching property."""

import pytest
from raft_harness import (
    Cluster,
    ack,
    append,
    beat_answer,
    disk_with,
    elect,
    entries,
    heartbeat,
    log_of,
    make_node,
    only,
    terms_of,
    work,
)

from consensus import Message, MessageType

PLAIN = {"pre_vote": False, "check_quorum": False}


def test_a_leader_appends_a_command_and_sends_it_to_all_in_parallel() -> None:
    """Section 5.3: each command becomes an entry of the leader's log, and goes out to every other server."""
    cluster = Cluster(5)
    cluster.elect(1)
    entry = cluster.propose(1)
    assert entry is not None
    cluster.take(1)
    assert log_of(cluster.core(1))[-1] == entry
    assert [(message.to, message.entries) for message in cluster.flying] == [
        (peer, (entry,)) for peer in (2, 3, 4, 5)
    ]


def test_an_entry_is_committed_once_a_majority_has_it_and_then_applied() -> None:
    """Section 5.3: the leader applies an entry when it is on a majority, and not before."""
    node, disk = make_node(voters=5)
    sent = elect(node, disk)
    applied: list[int] = []
    for peer in (2, 3):
        assert not applied, "two of five, or less, are no majority"
        node.step(ack(only(sent, MessageType.APPEND, to=peer)[0]))
        while node.has_ready():
            ready = node.ready()
            disk.append(ready.entries)
            applied += [entry.index for entry in ready.committed_entries]
            node.advance(ready)
    assert (node.commit, applied) == (1, [1])


def test_committing_an_entry_commits_all_before_it() -> None:
    """Section 5.3: with an entry all preceding ones are committed, those of earlier leaders too."""
    node, disk = make_node(storage=disk_with(1, 2, 2, term=2), **PLAIN)
    sent = elect(node, disk)
    node.step(ack(only(sent, MessageType.APPEND, to=2)[0]))
    work(node, disk)
    assert (terms_of(node), node.commit) == ([1, 2, 2, 3], 4)


def test_a_leader_tells_followers_in_later_messages_how_far_it_has_committed() -> None:
    """Section 5.3: appends and heartbeats carry the commit index, so that followers learn of it."""
    cluster = Cluster(3, **PLAIN)
    cluster.elect(1)
    cluster.propose(1)
    cluster.work(1)
    for _ in range(2):
        for message in list(cluster.flying):
            cluster.deliver(cluster.flying.index(message))
            cluster.work(message.to)
    told = only(cluster.flying, MessageType.APPEND)
    assert [(message.to, message.commit) for message in told] == [(2, 2), (3, 2)]
    cluster.flying.clear()
    cluster.settle()
    assert cluster.core(2).commit == 1
    cluster.run(2)
    assert cluster.core(2).commit == 2, "what the appends would have told, heartbeats bring about"


def test_a_follower_applies_what_it_knows_committed_in_the_order_of_the_log() -> None:
    """Section 5.3: once a follower learns that an entry is committed it applies it, in log order."""
    node, _ = make_node()
    node.step(append(1, new=entries(1, 1, 1), commit=2))
    ready = node.ready()
    assert [entry.index for entry in ready.committed_entries] == [1, 2]
    node.advance(ready)
    node.step(heartbeat(1, commit=3))
    assert [entry.index for entry in node.ready().committed_entries] == [3]


def test_appends_are_repeated_until_every_follower_has_every_entry() -> None:
    """Section 5.3: for slow followers and lost messages the leader tries again, even after it has committed."""
    cluster = Cluster(3)
    cluster.elect(1)
    cluster.isolate(3)
    for _ in range(4):
        cluster.propose(1)
        cluster.run(1)
    assert (cluster.core(1).commit, cluster.core(3).last_index) == (5, 1)
    cluster.heal()
    cluster.run(4)
    assert cluster.applied(3) == cluster.applied(1) == [b"0", b"1", b"2", b"3"]


def test_a_leader_makes_one_entry_per_index_and_term() -> None:
    """Section 5.3: so entries of two logs with the same index and term hold the same command."""
    node, disk = make_node()
    elect(node, disk)
    made = [node.propose(b"x") for _ in range(20)]
    assert [(entry.term, entry.index) for entry in made] == [(1, index) for index in range(2, 22)]
    assert log_of(node)[1:] == made


@pytest.mark.parametrize(
    ("after", "agrees"),
    [((2, 2), True), ((1, 1), True), ((0, 0), True), ((3, 2), False), ((2, 1), False), ((1, 2), False)],
)
def test_the_consistency_check(after: tuple[int, int], *, agrees: bool) -> None:
    """Section 5.3: an append is refused unless the follower has the entry before the new ones, with its term."""
    node, disk = make_node(storage=disk_with(1, 2))
    index = after[0]
    node.step(append(3, after, entries(3, start=index + 1)))
    (answer,) = work(node, disk)
    assert answer.reject is not agrees
    assert terms_of(node) == ([*[1, 2][:index], 3] if agrees else [1, 2])


LEADER = (1, 1, 1, 4, 4, 5, 5, 6, 6, 6)
FIGURE_7 = {
    "a": (1, 1, 1, 4, 4, 5, 5, 6, 6),
    "b": (1, 1, 1, 4),
    "c": (1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6),
    "d": (1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7),
    "e": (1, 1, 1, 4, 4, 4, 4),
    "f": (1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3),
}


def replicate(follower: tuple[int, ...]) -> tuple[list[int], list[int], int]:
    """The leader of figure 7 in its term 8 meets one follower: their logs at the end, and appends refused."""
    node, disk = make_node(storage=disk_with(*LEADER, term=7), **PLAIN)
    other, other_disk = make_node(2, storage=disk_with(*follower, term=7), **PLAIN)
    sent = only(elect(node, disk), MessageType.APPEND, to=2)
    assert node.term == 8
    refused = 0
    while sent:
        other.step(sent.pop(0))
        for answer in only(work(other, other_disk), MessageType.APPEND_RESPONSE):
            refused += answer.reject
            node.step(answer)
        sent += only(work(node, disk), MessageType.APPEND, to=2)
    return terms_of(node), terms_of(other), refused


@pytest.mark.parametrize("name", FIGURE_7)
def test_a_leader_brings_every_follower_of_figure_7_to_its_own_log(name: str) -> None:
    """Section 5.3, figure 7: missing entries are added, extraneous ones removed; the leader's log rules."""
    ours, theirs, _ = replicate(FIGURE_7[name])
    assert theirs == ours == [*LEADER, 8]


@pytest.mark.parametrize("name", FIGURE_7)
def test_one_refused_append_passes_a_whole_term_of_conflicts(name: str) -> None:
    """Section 5.3, last paragraphs: refusals are per conflicting term, not per entry."""
    _, _, refused = replicate(FIGURE_7[name])
    conflicting = set(FIGURE_7[name]) - set(LEADER)
    assert refused <= 1 + len(conflicting)


def test_next_begins_just_after_the_leaders_log_and_goes_back_when_refused() -> None:
    """Section 5.3: a new leader first tries the end of its own log, then earlier places."""
    node, disk = make_node(storage=disk_with(1, 1, 2), **PLAIN)
    (first,) = only(elect(node, disk), MessageType.APPEND, to=2)
    assert (first.index, first.log_term) == (3, 2)
    refusal = Message(MessageType.APPEND_RESPONSE, 1, 2, 3, first.session, 1, 3, reject=True, reject_hint=1)
    node.step(refusal)
    (second,) = only(work(node, disk), MessageType.APPEND, to=2)
    assert (second.index, [entry.index for entry in second.entries]) == (1, [2, 3, 4])


def test_a_leader_only_appends_to_its_log() -> None:
    """Figure 3 (leader append-only): no message makes a leader overwrite or delete what it has."""
    node, disk = make_node(storage=disk_with(1, 1), **PLAIN)
    sent = elect(node, disk)
    before = log_of(node)
    (probe,) = only(sent, MessageType.APPEND, to=2)
    for message in (
        append(1, new=entries(1, mark="other")),
        append(2, new=entries(2, mark="other"), sender=3),
        heartbeat(1),
        Message(MessageType.APPEND_RESPONSE, 1, 2, 2, probe.session, 0, probe.index, reject=True),
    ):
        node.step(message)
        work(node, disk)
        assert log_of(node)[: len(before)] == before


def test_two_logs_that_agree_on_an_entry_agree_on_all_before_it() -> None:
    """Figure 3 (log matching): under changing leaders, the same index and term mean the same beginning."""
    cluster = Cluster(3, **PLAIN)
    for leader in (1, 2, 3, 1, 3):
        cluster.heal()
        cluster.run(2)
        cluster.elect(leader)
        cluster.isolate(leader)
        cluster.propose(leader)
        cluster.settle()
        cluster.heal()
        logs = [log_of(cluster.core(node)) for node in cluster.ids]
        for one in logs:
            for other in logs:
                for index in range(min(len(one), len(other))):
                    if one[index].term == other[index].term:
                        assert one[: index + 1] == other[: index + 1]


def test_a_lost_append_is_made_good_without_a_new_command() -> None:
    """Section 5.3: the leader sends again of itself; here the answer to a heartbeat tells it to."""
    node, disk = make_node()
    elect(node, disk)
    node.tick()
    (beat,) = only(work(node, disk), MessageType.HEARTBEAT, to=2)
    node.step(beat_answer(beat))
    (again,) = only(work(node, disk), MessageType.APPEND, to=2)
    assert [entry.index for entry in again.entries] == [1]
