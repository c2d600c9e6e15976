"""Dissertation, sections 9.6 (pre-vote), 6.2 (check quorum) and 4.2.3 (stickiness): leaders left in peace."""

import pytest
from raft_harness import Cluster, beat_answer, disk_with, elect, grant, heartbeat, make_node, only, work

from consensus import Message, MessageType, Role


def test_9_6_a_server_asks_whether_it_could_win_before_it_raises_its_term() -> None:
    """Section 9.6: it first asks for pre-votes in the term it would campaign in, and stays in its own."""
    node, disk = make_node(voters=5, storage=disk_with(1, term=2))
    node.campaign()
    asked = work(node, disk)
    assert {(message.type, message.term) for message in asked} == {(MessageType.PRE_VOTE, 3)}
    assert (node.role, node.term, disk.hard_state.vote) == (Role.PRE_CANDIDATE, 2, 0)
    node.step(grant(asked[0]))
    assert work(node, disk) == []
    node.step(grant(asked[1]))
    assert {message.type for message in work(node, disk)} == {MessageType.VOTE}
    assert (node.role, node.term) == (Role.CANDIDATE, 3)


@pytest.mark.parametrize(("log_term", "index", "granted"), [(1, 1, False), (2, 1, False), (2, 2, True)])
def test_9_6_a_pre_vote_is_granted_only_to_an_up_to_date_log(
    log_term: int, index: int, *, granted: bool
) -> None:
    """Section 9.6: the others agree only if the candidate's log would get their vote."""
    node, disk = make_node(storage=disk_with(1, 2))
    node.step(Message(MessageType.PRE_VOTE, 1, 2, 3, 1, log_term, index))
    (answer,) = work(node, disk)
    assert answer.reject is not granted


def test_9_6_a_pre_vote_commits_nobody_to_anything() -> None:
    """Section 9.6: granting one changes neither term nor vote, so several may be granted."""
    node, disk = make_node(storage=disk_with(1))
    for asker in (2, 3):
        node.step(Message(MessageType.PRE_VOTE, 1, asker, 2, 1, 1, 1))
    assert [answer.reject for answer in work(node, disk)] == [False, False]
    assert (node.term, disk.hard_state.vote) == (1, 0)


def test_9_6_a_server_cut_off_does_not_raise_its_term() -> None:
    """Section 9.6: without a majority's pre-votes there is no new term, however long it lasts."""
    cluster = Cluster(5)
    cluster.elect(1)
    cluster.isolate(4, 5)
    cluster.run(200)
    assert [cluster.core(node).term for node in cluster.ids] == [1] * 5
    assert cluster.leaders() == [1]


def test_9_6_a_server_that_returns_does_not_disrupt() -> None:
    """Section 9.6: when it can reach the cluster again, the leader keeps its office and its term."""
    cluster = Cluster(5)
    cluster.elect(1)
    cluster.isolate(5)
    cluster.run(100)
    assert cluster.core(5).role is Role.PRE_CANDIDATE
    cluster.heal()
    cluster.run(50)
    assert (cluster.leaders(), cluster.core(1).term, cluster.core(5).lead) == ([1], 1, 1)


@pytest.mark.parametrize("answering", [0, 1, 2])
def test_6_2_a_leader_that_hears_no_majority_steps_down(answering: int) -> None:
    """Section 6.2: if an election timeout passes without a majority's answers, a leader is none any more."""
    node, disk = make_node(voters=5)
    elect(node, disk)
    for _ in range(40):
        node.tick()
        for beat in only(work(node, disk), MessageType.HEARTBEAT):
            if beat.to <= 1 + answering:
                node.step(beat_answer(beat))
    assert (node.role is Role.LEADER) is (answering == 2)


def test_6_2_a_client_of_a_leader_cut_off_finds_another() -> None:
    """Section 6.2: so requests do not wait for ever at a leader that can commit nothing."""
    cluster = Cluster(3)
    cluster.elect(1)
    cluster.isolate(1)
    assert cluster.propose(1) is not None
    cluster.run(60)
    assert cluster.propose(1) is None
    (leader,) = cluster.leaders()
    assert leader != 1
    assert cluster.propose(leader) is not None


@pytest.mark.parametrize("kind", [MessageType.VOTE, MessageType.PRE_VOTE])
def test_4_2_3_whoever_hears_its_leader_neither_votes_nor_takes_the_term(kind: MessageType) -> None:
    """Section 4.2.3: within the shortest election timeout of hearing a leader, requests for votes are ignored."""
    node, disk = make_node()
    node.step(heartbeat(1))
    work(node, disk)
    request = Message(kind, 1, 3, 7, 1, 6, 5)
    for _ in range(9):
        node.step(request)
        assert work(node, disk) == []
        assert node.term == 1
        node.tick()
    node.tick()
    node.step(request)
    assert [answer.reject for answer in work(node, disk) if answer.to == 3 and answer.term == 7] == [False]


def test_4_2_3_a_server_that_hears_no_heartbeats_disturbs_nobody() -> None:
    """Section 4.2.3: one whose link from the leader is dead cannot depose it, even without pre-votes."""
    cluster = Cluster(5, pre_vote=False)
    cluster.elect(1)
    cluster.cut[1, 5] = True
    cluster.run(60)
    assert cluster.core(5).term > 1
    assert cluster.leaders() == [1]
    assert {cluster.core(node).term for node in (1, 2, 3, 4)} == {1}
