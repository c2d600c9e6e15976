"""Raft paper, sections 5.1 and 5.2: terms, and how a leader is elected."""

import pytest
from raft_harness import Cluster, append, disk_with, elect, entries, grant, heartbeat, make_node, only, work

from consensus import HardState, Message, MessageType, RawNode, Role
from consensus.storage import MemoryStorage

PLAIN = {"pre_vote": False, "check_quorum": False}
"""Raft as the paper has it; pre-vote and check-quorum are the dissertation's."""


def request_vote(term: int, sender: int = 2, *, last: tuple[int, int] = (0, 0), session: int = 1) -> Message:
    """A candidate whose log ends at `last` = (index, term) asks node 1."""
    return Message(MessageType.VOTE, 1, sender, term, session, last[1], last[0])


def candidate(**settings: int) -> tuple[RawNode, MemoryStorage, list[Message]]:
    """Node 1 of three in its first election, and what it asked."""
    node, disk = make_node(**{**PLAIN, **settings})
    node.campaign()
    return node, disk, work(node, disk)


def in_role(role: Role) -> tuple[RawNode, MemoryStorage]:
    node, disk = make_node(storage=disk_with(1), **PLAIN)
    if role is not Role.FOLLOWER:
        node.campaign()
        work(node, disk)
    if role is Role.LEADER:
        elect_again(node, disk)
    assert node.role is role
    return node, disk


def elect_again(node: RawNode, disk: MemoryStorage) -> None:
    node.step(Message(MessageType.VOTE_RESPONSE, 1, 2, node.term, node._core.campaign_session))
    work(node, disk)


@pytest.mark.parametrize("role", [Role.FOLLOWER, Role.CANDIDATE, Role.LEADER])
@pytest.mark.parametrize("message", [append(9), heartbeat(9), request_vote(9, last=(9, 8))])
def test_5_1_whoever_learns_of_a_larger_term_enters_it_as_a_follower(role: Role, message: Message) -> None:
    """Section 5.1: a server whose term is smaller takes the larger; a candidate or leader becomes a follower."""
    node, disk = in_role(role)
    node.step(message)
    work(node, disk)
    assert (node.role, node.term, disk.hard_state.term) == (Role.FOLLOWER, 9, 9)


@pytest.mark.parametrize("message", [append(4, new=entries(4)), heartbeat(4), request_vote(4, last=(9, 4))])
def test_5_1_a_request_with_a_stale_term_is_refused(message: Message) -> None:
    """Section 5.1: a request that carries an older term is rejected, and its sender learns the newer."""
    node, disk = make_node(storage=disk_with(1, term=5), **PLAIN)
    node.step(message)
    (answer,) = work(node, disk)
    assert (answer.reject, answer.term) == (True, 5)
    assert (disk.last_index(), disk.hard_state) == (1, HardState(5))


def test_5_2_servers_begin_as_followers() -> None:
    """Section 5.2: whatever a server was before, it starts as a follower."""
    cluster = Cluster(3)
    assert [cluster.core(node).role for node in cluster.ids] == [Role.FOLLOWER] * 3
    cluster.elect(1)
    cluster.crash(1)
    cluster.restart(1)
    assert cluster.core(1).role is Role.FOLLOWER


def test_5_2_a_follower_that_hears_its_leader_stays_one() -> None:
    """Section 5.2: valid requests from a leader keep a follower from standing for election."""
    node, disk = make_node(**PLAIN)
    for _ in range(20):
        node.step(heartbeat(1))
        for _ in range(9):
            node.tick()
        work(node, disk)
    assert (node.role, node.term) == (Role.FOLLOWER, 1)


def test_5_2_a_leader_sends_heartbeats_to_everybody_again_and_again() -> None:
    """Section 5.2: leaders keep their authority by periodic heartbeats to all followers."""
    node, disk = make_node(voters=5, heartbeat_tick=3, **PLAIN)
    elect(node, disk)
    told = []
    for _ in range(9):
        node.tick()
        told.append([message.to for message in only(work(node, disk), MessageType.HEARTBEAT)])
    assert told == [[], [], [2, 3, 4, 5]] * 3


def test_5_2_a_follower_that_hears_nothing_begins_an_election() -> None:
    """Section 5.2: after an election timeout of silence it raises its term, votes for itself and asks all."""
    node, disk = make_node(voters=5, storage=disk_with(1), **PLAIN)
    for _ in range(20):
        node.tick()
        if node.role is Role.CANDIDATE:
            break
    asked = work(node, disk)
    assert (node.role, node.term) == (Role.CANDIDATE, 2)
    assert disk.hard_state == HardState(2, vote=1)
    assert [(message.type, message.to, message.term) for message in asked] == [
        (MessageType.VOTE, peer, 2) for peer in (2, 3, 4, 5)
    ]


@pytest.mark.parametrize(("size", "needed"), [(1, 0), (2, 1), (3, 1), (4, 2), (5, 2), (7, 3)])
def test_5_2_a_candidate_wins_with_the_votes_of_a_majority_of_the_whole_cluster(
    size: int, needed: int
) -> None:
    """Section 5.2: a majority of all servers, its own vote included, makes a candidate the leader."""
    node, disk, asked = candidate(voters=size)
    for count, message in enumerate(asked[:needed]):
        assert node.role is Role.CANDIDATE, f"{count} votes beside its own are not enough"
        node.step(grant(message))
        work(node, disk)
    assert node.role is Role.LEADER


def test_5_2_a_server_votes_for_one_candidate_in_a_term() -> None:
    """Section 5.2: one vote per term, first come, first served."""
    node, disk = make_node(**PLAIN)
    node.step(request_vote(1, 3))
    node.step(request_vote(1, 2))
    answers = work(node, disk)
    assert [(answer.to, answer.reject) for answer in answers] == [(3, False), (2, True)]


def test_5_2_at_most_one_candidate_wins_a_term() -> None:
    """Section 5.2, figure 3 (election safety): however the votes fall, no term has two leaders."""
    for seed in range(12):
        cluster = Cluster(5, seed=seed, **PLAIN)
        for node in cluster.ids[:3]:
            cluster.campaign(node)
            cluster.work(node)
        while cluster.flying:
            cluster.deliver(cluster.random.randrange(len(cluster.flying)))
            for node in cluster.ids:
                cluster.work(node)
        led = [node for node in cluster.ids if cluster.core(node).role is Role.LEADER]
        assert len(led) <= 1


def test_5_2_a_new_leader_tells_everybody_at_once() -> None:
    """Section 5.2: whoever wins sends its first messages to all others, so that no new election begins."""
    node, disk, asked = candidate(voters=5)
    sent: list[Message] = []
    for message in asked[:2]:
        node.step(grant(message))
        sent += work(node, disk)
    assert [(message.type, message.to) for message in sent] == [
        (MessageType.APPEND, peer) for peer in (2, 3, 4, 5)
    ]


@pytest.mark.parametrize("message", [append(1), heartbeat(1), append(2), heartbeat(2)])
def test_5_2_a_candidate_gives_way_to_a_leader_of_its_term_or_later(message: Message) -> None:
    """Section 5.2: a leader whose term is at least the candidate's is recognized, and followed."""
    node, disk, _ = candidate()
    node.step(message)
    work(node, disk)
    assert (node.role, node.lead, node.term) == (Role.FOLLOWER, 2, message.term)


def test_5_2_a_candidate_does_not_give_way_to_a_leader_of_an_earlier_term() -> None:
    """Section 5.2: a leader whose term is smaller is refused, and the candidate goes on."""
    node, disk = make_node(storage=disk_with(1, term=4), **PLAIN)
    node.campaign()
    work(node, disk)
    node.step(append(4, new=entries(4)))
    (answer,) = work(node, disk)
    assert (answer.reject, answer.term) == (True, 5)
    assert node.role is Role.CANDIDATE


def test_5_2_after_a_split_vote_a_candidate_begins_another_election() -> None:
    """Section 5.2: without a majority it times out, raises its term and asks again."""
    node, disk, _ = candidate()
    asked: list[Message] = []
    for _ in range(20):
        node.tick()
        asked += work(node, disk)
    assert node.role is Role.CANDIDATE
    assert [message.term for message in asked][:2] == [2, 2]


def test_5_2_election_timeouts_are_drawn_anew_from_an_interval() -> None:
    """Section 5.2: each election has its own random timeout within a fixed interval, so splits do not last."""
    node, disk, _ = candidate(election_tick=10)
    waits, term, waited = [], node.term, 0
    for _ in range(600):
        node.tick()
        work(node, disk)
        waited += 1
        if node.term > term:
            waits.append(waited)
            term, waited = node.term, 0
    assert len(waits) >= 30
    assert all(10 <= wait < 20 for wait in waits)
    assert len(set(waits)) > 5
