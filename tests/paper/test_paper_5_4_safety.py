"""Raft paper, section 5.4: who may lead, what may be committed, and what follows from it."""

import pytest
from raft_harness import (
    Cluster,
    ack,
    disk_with,
    elect,
    log_of,
    make_node,
    only,
    terms_of,
    work,
)

from consensus import Message, MessageType

PLAIN = {"pre_vote": False, "check_quorum": False}


@pytest.mark.parametrize(
    ("ours", "theirs", "granted"),
    [
        ((1, 1), (1, 2), True),
        ((1, 2), (1, 1, 1), False),
        ((1, 1), (1, 1), True),
        ((1, 1), (1, 1, 1), True),
        ((1, 1, 1), (1, 1), False),
        ((), (), True),
        ((), (1,), True),
        ((1,), (), False),
        ((3,), (1, 1, 1, 1), False),
        ((1, 1, 1, 1), (3,), True),
    ],
)
def test_5_4_1_a_voter_refuses_a_log_less_up_to_date_than_its_own(
    ours: tuple[int, ...], theirs: tuple[int, ...], *, granted: bool
) -> None:
    """Section 5.4.1: the later last term is more up to date; with equal last terms, the longer log."""
    node, disk = make_node(storage=disk_with(*ours, term=4))
    node.step(Message(MessageType.VOTE, 1, 2, 5, 1, max(theirs, default=0), len(theirs)))
    (answer,) = work(node, disk)
    assert answer.reject is not granted


def test_5_4_1_a_candidate_without_all_committed_entries_is_not_elected() -> None:
    """Section 5.4.1: a majority holds each committed entry, so a candidate that lacks one meets a refusal."""
    cluster = Cluster(3, **PLAIN)
    cluster.elect(1)
    cluster.isolate(3)
    cluster.propose(1)
    cluster.settle()
    assert cluster.core(1).commit == 2
    cluster.heal()
    cluster.flying.clear()
    for _ in range(3):
        cluster.campaign(3)
        cluster.settle()
        assert cluster.leaders() != [3]


def test_5_4_2_an_entry_of_an_earlier_term_is_not_committed_by_counting() -> None:
    """Section 5.4.2, figure 8 (c): being on a majority does not commit an entry of an earlier term."""
    node, disk = make_node(voters=5, storage=disk_with(1, 2, term=3), **PLAIN)
    sent = elect(node, disk)
    for peer in (2, 3, 4, 5):
        node.step(ack(only(sent, MessageType.APPEND, to=peer)[0], index=2))
        work(node, disk)
    assert {status.match for status in node.status().peers.values()} == {2}
    assert node.commit == 0


def test_5_4_2_an_entry_of_the_leaders_own_term_commits_the_earlier_ones_with_it() -> None:
    """Section 5.4.2, figure 8 (e): once an entry of its own term is on a majority, all before it are safe."""
    node, disk = make_node(voters=5, storage=disk_with(1, 2, term=3), **PLAIN)
    sent = elect(node, disk)
    for peer in (2, 3):
        assert node.commit == 0
        node.step(ack(only(sent, MessageType.APPEND, to=peer)[0], index=3))
        work(node, disk)
    assert node.commit == 3


def test_5_4_2_what_a_leader_copies_keeps_its_term() -> None:
    """Section 5.4.2: an entry keeps its original term when a later leader replicates it."""
    cluster = Cluster(3, **PLAIN)
    cluster.elect(1)
    cluster.isolate(1)
    cluster.propose(1)
    cluster.settle()
    cluster.heal()
    cluster.crash(1)
    cluster.restart(1)
    cluster.elect(1)
    later = cluster.core(1).term
    assert later > 1
    assert [terms_of(cluster.core(node)) for node in cluster.ids] == [[1, 1, later]] * 3


def test_5_4_3_every_later_leader_has_every_committed_entry() -> None:
    """Section 5.4.3, figure 3 (leader completeness): through crashes of leader after leader nothing is lost."""
    cluster = Cluster(5, seed=4)
    written = []
    for _ in range(6):
        cluster.run(60)
        (leader,) = cluster.leaders()
        assert log_of(cluster.core(leader))[: len(written)] == written
        cluster.propose(leader)
        cluster.settle()
        assert cluster.core(leader).commit == cluster.core(leader).last_index
        written = log_of(cluster.core(leader))
        cluster.crash(leader)
        for node in cluster.ids:
            if node != leader and cluster.peers[node].core is None:
                cluster.restart(node)
    assert len({entry.term for entry in written}) == 6


def test_5_4_3_no_two_servers_apply_different_entries_at_one_index() -> None:
    """Section 5.4.3, figure 3 (state machine safety): what one has applied, no other applies differently."""
    cluster = Cluster(3, seed=2, **PLAIN)
    for leader in (1, 2, 3, 2):
        cluster.elect(leader)
        cluster.propose(leader)
        cluster.settle()
        cluster.isolate(leader)
        cluster.propose(leader)
        cluster.settle()
        cluster.heal()
        cluster.flying.clear()
    cluster.converge(10)
    applied = [cluster.peers[node].disk.applied for node in cluster.ids]
    assert applied[0] == applied[1] == applied[2]
    assert len(cluster.applied(1)) >= 4


def test_8_a_leader_opens_its_term_with_an_entry_that_carries_nothing() -> None:
    """Section 8: a no-op at the start of a term lets a leader learn what is committed without a client."""
    cluster = Cluster(3, **PLAIN)
    cluster.elect(1)
    cluster.isolate(1)
    cluster.elect(2)
    opening = log_of(cluster.core(2))[-1]
    assert (opening.term, opening.data) == (cluster.core(2).term, b"")
    assert cluster.core(2).commit == opening.index == cluster.core(2).status().term_start
