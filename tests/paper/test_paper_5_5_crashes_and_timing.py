"""Raft paper, sections 5.5 and 5.6, and dissertation, section 3.8: crashes, timing, and what is kept on disk."""

from random import Random

import pytest
from raft_harness import Cluster, append, disk_with, entries, heartbeat, log_of, make_node, terms_of, work

from consensus import HardState, Message, MessageType, Role

PLAIN = {"pre_vote": False, "check_quorum": False}


def test_5_5_a_crashed_follower_gets_what_it_missed_when_it_is_back() -> None:
    """Section 5.5: requests to a crashed server fail and are tried again until it is back and answers."""
    cluster = Cluster(3)
    cluster.elect(1)
    cluster.crash(3)
    for _ in range(3):
        cluster.propose(1)
        cluster.run(2)
    cluster.restart(3)
    cluster.run(3)
    assert cluster.applied(3) == [b"0", b"1", b"2"]
    assert cluster.leaders() == [1]


def test_5_5_a_crashed_candidate_or_voter_takes_part_again() -> None:
    """Section 5.5: votes asked of a crashed server are asked again in the next election."""
    cluster = Cluster(3, **PLAIN)
    cluster.crash(2)
    cluster.crash(3)
    cluster.campaign(1)
    cluster.settle()
    assert cluster.leaders() == []
    cluster.restart(2)
    cluster.run(30)
    assert cluster.leaders() == [1]


@pytest.mark.parametrize(
    "message",
    [
        append(1, new=entries(1, 1), commit=1),
        heartbeat(1),
        Message(MessageType.VOTE, 1, 2, 1, session=3),
        Message(MessageType.PRE_VOTE, 1, 2, 1, session=3),
    ],
    ids=lambda message: message.type.name,
)
def test_5_5_every_request_may_be_repeated(message: Message) -> None:
    """Section 5.5: requests are idempotent; the same one again gets the same answer and changes nothing."""
    node, disk = make_node(**PLAIN)
    node.step(message)
    first = work(node, disk)
    state = (node.term, disk.hard_state, log_of(node), node.commit)
    node.step(message)
    assert work(node, disk) == first
    assert (node.term, disk.hard_state, log_of(node), node.commit) == state


def test_5_5_an_append_whose_entries_are_there_already_is_taken_as_done() -> None:
    """Section 5.5: a follower that crashed before it could answer ignores entries it already has."""
    node, disk = make_node(storage=disk_with(1, 1, 1))
    node.step(append(1, new=entries(1, 1)))
    ready = node.ready()
    assert not ready.entries
    (answer,) = [*ready.messages, *ready.messages_after_append]
    assert (answer.reject, answer.index) == (False, 2)
    assert terms_of(node) == [1, 1, 1]
    assert disk.last_index() == 3


def test_5_6_messages_much_faster_than_the_timeout_keep_a_leader_for_good() -> None:
    """Section 5.6: with a broadcast time far below the election timeout, one leader goes on without elections."""
    cluster = Cluster(5)
    cluster.run(40)
    (leader,) = cluster.leaders()
    term = cluster.core(leader).term
    cluster.run(200)
    assert (cluster.leaders(), cluster.core(leader).term) == ([leader], term)


def test_5_6_messages_slower_than_the_timeout_keep_no_leader() -> None:
    """Section 5.6: where messages take longer than the election timeout, candidates stop each other."""
    cluster = Cluster(3, seed=1, **PLAIN)
    cluster.elect(1)
    for _ in range(10):
        for _ in range(25):  # nothing arrives in more than two election timeouts
            for node in cluster.ids:
                cluster.tick(node)
                cluster.work(node)
        for _ in range(len(cluster.flying)):
            cluster.deliver()
    assert max(cluster.core(node).term for node in cluster.ids) > 10


@pytest.mark.slow
def test_5_6_safety_does_not_depend_on_timing() -> None:
    """Section 5.6: however fast or slow clocks and messages are, nothing is wrong; the observer looks at all."""
    random = Random(7)
    cluster = Cluster(3, seed=7, election_tick=3)
    for _ in range(1500):
        node = random.choice((1, 1, 1, 1, 2, 3))  # one clock runs four times as fast
        cluster.tick(node)
        cluster.work(node)
        for leader in cluster.leaders():
            if random.random() < 0.05:
                cluster.propose(leader)
        while cluster.flying and random.random() < 0.7:
            cluster.deliver(random.randrange(len(cluster.flying)))
    assert len(cluster.observer.leader_of) > 3
    cluster.converge(20)


def test_3_8_term_and_vote_are_on_disk_before_a_vote_is_asked_for_or_given() -> None:
    """Section 3.8, figure 3.1: a server writes its term and vote before it answers or asks."""
    asker, _ = make_node(**PLAIN)
    asker.campaign()
    ready = asker.ready()
    assert ready.hard_state == HardState(1, vote=1)
    assert ready.must_sync
    assert not ready.messages
    assert {message.type for message in ready.messages_after_append} == {MessageType.VOTE}
    voter, _ = make_node(2, **PLAIN)
    voter.step(ready.messages_after_append[0])
    answer = voter.ready()
    assert (answer.hard_state, answer.must_sync) == (HardState(1, vote=1), True)
    assert not answer.messages
    assert not answer.messages_after_append[0].reject


def test_3_8_entries_are_on_disk_before_they_are_acknowledged() -> None:
    """Section 3.8: a follower writes new entries before it answers the append that brought them."""
    node, disk = make_node()
    node.step(heartbeat(1))
    work(node, disk)
    node.step(append(1, new=entries(1)))
    ready = node.ready()
    assert (len(ready.entries), ready.must_sync, ready.messages) == (1, True, [])
    assert [message.index for message in ready.messages_after_append] == [1]


def test_3_8_a_restarted_server_keeps_to_its_vote() -> None:
    """Section 3.8: so a server never votes twice in a term, whatever crashes come between."""
    node, disk = make_node(**PLAIN)
    node.step(Message(MessageType.VOTE, 1, 2, 3, session=1))
    work(node, disk)
    again, disk = make_node(storage=disk, seed=1, **PLAIN)
    again.step(Message(MessageType.VOTE, 1, 3, 3, session=1))
    (answer,) = work(again, disk)
    assert (answer.reject, answer.term) == (True, 3)


def test_3_8_the_commit_index_may_be_forgotten() -> None:
    """Section 3.8: it is volatile, and comes again with the next leader's first committed entry."""
    cluster = Cluster(3)
    cluster.elect(1)
    cluster.propose(1)
    cluster.settle()
    cluster.run(1)
    for node in cluster.ids:
        cluster.crash(node)
        disk = cluster.peers[node].disk
        disk.hard_state = HardState(disk.hard_state.term, disk.hard_state.vote, 0)
        disk.applied.clear()
        cluster.observer.durable.pop(node)
    for node in cluster.ids:
        cluster.restart(node)
        assert cluster.core(node).commit == 0
    cluster.run(60)
    assert [cluster.applied(node) for node in cluster.ids] == [[b"0"]] * 3


def test_3_8_a_restarted_leader_is_a_follower_with_its_log() -> None:
    """Section 3.8: the log survives, the office does not."""
    cluster = Cluster(3)
    cluster.elect(2)
    cluster.propose(2)
    cluster.settle()
    before = log_of(cluster.core(2))
    cluster.crash(2)
    cluster.restart(2)
    assert cluster.core(2).role is Role.FOLLOWER
    assert log_of(cluster.core(2)) == before
