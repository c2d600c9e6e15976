"""Leadership transfer (dissertation, section 3.10) and forgetting a leader."""

import pytest
from raft_harness import (
    Cluster,
    ack,
    beat_answer,
    disk_with,
    elect,
    heartbeat,
    make_node,
    only,
    work,
)

from consensus import Message, MessageType, ProposalRefusedError, Refusal, Role, TransferRefusedError


def timeout_now(term: int, *, sender: int = 2, to: int = 1) -> Message:
    return Message(MessageType.TIMEOUT_NOW, to, sender, term, 7)


@pytest.mark.parametrize("pre_vote", [True, False])
def test_a_transfer_moves_leadership_without_a_tick_passing(*, pre_vote: bool) -> None:
    """Section 3.10: the target campaigns at once, and the others vote although they hear the leader."""
    cluster = Cluster(5, pre_vote=pre_vote)
    cluster.elect(1)
    cluster.propose(1)
    cluster.settle()
    cluster.transfer(1, 4)
    cluster.settle()
    assert cluster.leaders() == [4]
    assert cluster.core(1).role is Role.FOLLOWER
    assert cluster.core(4).term == 2, "one term further, no pre-vote, no second campaign"
    cluster.propose(4)
    cluster.settle()
    assert cluster.applied(4) == [b"0", b"1"]


def test_the_target_is_first_brought_up_to_date() -> None:
    node, disk = make_node()
    sent = elect(node, disk)
    (opening,) = only(sent, MessageType.APPEND, to=2)
    node.transfer_leader(2)
    assert not only(work(node, disk), MessageType.TIMEOUT_NOW), "it does not have the opening entry"
    node.step(ack(opening))
    (word,) = only(work(node, disk), MessageType.TIMEOUT_NOW)
    assert (word.to, word.term) == (2, 1)


def test_a_target_that_has_everything_is_told_at_once() -> None:
    node, disk = make_node()
    for request in only(elect(node, disk), MessageType.APPEND):
        node.step(ack(request))
    work(node, disk)
    node.transfer_leader(3)
    assert [m.to for m in only(work(node, disk), MessageType.TIMEOUT_NOW)] == [3]


def test_the_word_is_repeated_with_the_targets_answers() -> None:
    """The first may be lost, and without proposals nothing else would cause another."""
    node, disk = make_node()
    for request in only(elect(node, disk), MessageType.APPEND):
        node.step(ack(request))
    node.transfer_leader(2)
    work(node, disk)
    node.tick()
    for beat in only(work(node, disk), MessageType.HEARTBEAT):
        node.step(beat_answer(beat))
    assert [m.to for m in only(work(node, disk), MessageType.TIMEOUT_NOW)] == [2]


def test_no_proposals_while_handing_over_and_again_when_given_up() -> None:
    """Section 3.10: the leader stops accepting requests; after an election timeout it goes on."""
    cluster = Cluster(3, election_tick=5)
    cluster.elect(1)
    cluster.isolate(3)
    cluster.transfer(1, 3)
    assert not cluster.core(1).can_propose(1)
    with pytest.raises(ProposalRefusedError) as refused:
        cluster.core(1).propose(b"x")
    assert refused.value.reason is Refusal.TRANSFERRING
    cluster.run(4)
    assert cluster.core(1).status().transferee == 3
    cluster.run(1)
    assert cluster.core(1).status().transferee == 0
    assert cluster.core(1).role is Role.LEADER
    assert cluster.propose(1) is not None


def test_transfers_do_not_put_off_the_check_of_the_quorum() -> None:
    """A leader that keeps handing over to nobody must still notice that it is alone."""
    cluster = Cluster(3, election_tick=5)
    cluster.elect(1)
    cluster.run(1)
    cluster.isolate(1)
    for tick in range(10):
        cluster.transfer(1, 2 + tick % 2)
        cluster.tick(1)
        cluster.work(1)
    assert cluster.core(1).role is Role.FOLLOWER


def test_a_transfer_to_oneself_ends_the_running_one() -> None:
    cluster = Cluster(3)
    cluster.elect(1)
    cluster.isolate(2)
    cluster.transfer(1, 2)
    cluster.transfer(1, 1)
    assert cluster.core(1).status().transferee == 0
    assert cluster.propose(1) is not None


def test_a_second_transfer_replaces_the_first() -> None:
    cluster = Cluster(3)
    cluster.elect(1)
    cluster.isolate(2)
    cluster.transfer(1, 2)
    cluster.transfer(1, 3)
    cluster.settle()
    assert cluster.leaders() == [3]


def test_who_cannot_hand_over_says_so() -> None:
    follower, _ = make_node()
    with pytest.raises(TransferRefusedError, match="NOT_LEADER"):
        follower.transfer_leader(2)
    leader, disk = make_node()
    elect(leader, disk)
    with pytest.raises(TransferRefusedError, match="NOT_A_VOTER: node 9 is not one of the voters"):
        leader.transfer_leader(9)


def test_the_word_of_an_older_term_or_of_another_than_the_leader_is_ignored() -> None:
    node, disk = make_node(storage=disk_with(2))
    node.step(heartbeat(2, sender=3))
    node.step(timeout_now(1, sender=3))
    node.step(timeout_now(2, sender=2))
    work(node, disk)
    assert (node.role, node.term, node.lead) == (Role.FOLLOWER, 2, 3)


def test_bug_22_a_transfer_passes_stickiness_and_nothing_else_does() -> None:
    """Dissertation, 3.10 and 4.2.3: a campaign the leader asked for is flagged, and only it is let through."""
    node, disk = make_node()
    node.step(heartbeat(1))
    asking = Message(MessageType.VOTE, 1, 3, 2, 1)
    node.step(asking)
    assert node.term == 1
    node.step(Message(MessageType.VOTE, 1, 3, 2, 1, context=1))
    (answer,) = only(work(node, disk), MessageType.VOTE_RESPONSE)
    assert (node.term, answer.reject) == (2, False)


def test_a_transfer_elects_nobody_whom_an_election_would_not() -> None:
    """Section 3.10: the target still needs a majority of logs no newer than its own."""
    node, disk = make_node(storage=disk_with(1, 2))
    node.step(Message(MessageType.VOTE, 1, 3, 3, 1, 1, 1, context=1))
    (answer,) = only(work(node, disk), MessageType.VOTE_RESPONSE)
    assert answer.reject


def test_a_target_that_crashed_costs_one_timeout_not_leadership() -> None:
    cluster = Cluster(3, election_tick=5)
    cluster.elect(1)
    cluster.run(2)
    cluster.crash(2)
    cluster.transfer(1, 2)
    cluster.run(6)
    assert cluster.leaders() == [1]
    entry = cluster.propose(1)
    assert entry is not None
    cluster.settle()
    assert cluster.core(1).commit == entry.index


def test_a_deposed_leader_no_longer_hands_over() -> None:
    node, disk = make_node()
    elect(node, disk)
    node.transfer_leader(2)
    node.step(heartbeat(5, sender=3))
    assert node.status().transferee == 0


def test_a_follower_that_forgets_its_leader_helps_another_candidate() -> None:
    node, disk = make_node(storage=disk_with(1))
    node.step(heartbeat(1))
    asking = Message(MessageType.PRE_VOTE, 1, 3, 2, 1, 1, 1)
    node.step(asking)
    assert not only(work(node, disk), MessageType.PRE_VOTE_RESPONSE)
    node.forget_leader()
    node.step(asking)
    (answer,) = only(work(node, disk), MessageType.PRE_VOTE_RESPONSE)
    assert not answer.reject


def test_a_forgotten_leader_is_followed_again_when_heard() -> None:
    node, disk = make_node()
    node.step(heartbeat(1))
    node.forget_leader()
    assert node.lead == 0
    node.step(heartbeat(1))
    work(node, disk)
    assert (node.lead, node.term) == (2, 1)


def test_forgetting_changes_neither_vote_nor_timeout() -> None:
    node, _ = make_node(seed=3)
    other, _ = make_node(seed=3)
    for core in (node, other):
        core.step(heartbeat(1))
    node.forget_leader()
    for _ in range(25):
        assert node.role is other.role
        node.tick()
        other.tick()


def test_a_leader_cannot_forget_itself() -> None:
    node, disk = make_node()
    elect(node, disk)
    node.forget_leader()
    assert (node.role, node.lead) == (Role.LEADER, 1)


def test_a_convicted_leader_is_deposed_before_its_time() -> None:
    """A majority that forgets its leader elects another although the old one goes on speaking."""
    cluster = Cluster(3)
    cluster.elect(1)
    cluster.run(2)
    for node in (2, 3):
        cluster.touch(node, lambda core: core.forget_leader())
    cluster.campaign(2)
    cluster.settle()
    assert cluster.leaders() == [2]
