"""The observer itself: what it must let pass, and what it must not."""

import pytest
from raft_harness import Cluster, log_of

from consensus import MessageType, Role


def late_winner() -> Cluster:
    """Node 2 has committed in term 2 when node 1 wins term 1, by a vote of node 2 that was long under way."""
    cluster = Cluster(3, pre_vote=False, check_quorum=False)
    cluster.campaign(1)
    cluster.work(1)
    give(cluster, 1, 2)
    cluster.campaign(2)
    cluster.work(2)
    for sender, to in ((2, 3), (3, 2), (2, 3), (3, 2)):
        give(cluster, sender, to, later=True)
    assert cluster.core(2).commit == 1
    return cluster


def give(cluster: Cluster, sender: int, to: int, *, later: bool = False) -> None:
    """Delivers the oldest message on a link, of term 2 if `later`, and lets the receiver work."""
    place = next(
        place
        for place, message in enumerate(cluster.flying)
        if (message.sender, message.to) == (sender, to) and message.term >= 1 + later
    )
    cluster.deliver(place)
    cluster.work(to)


def test_who_wins_an_old_term_late_need_not_have_what_a_later_term_committed() -> None:
    """Raft paper, section 5.4.3: completeness is owed to the leaders of later terms, not of earlier ones."""
    cluster = late_winner()
    (vote,) = [message for message in cluster.flying if message.type is MessageType.VOTE_RESPONSE]
    assert vote.term == 1
    give(cluster, 2, 1)
    assert (cluster.core(1).role, cluster.core(1).term) == (Role.LEADER, 1)
    assert log_of(cluster.core(1)) != log_of(cluster.core(2))
    cluster.converge(10)


def test_who_wins_a_later_term_must_have_it() -> None:
    cluster = late_winner()
    for _ in range(2):
        cluster.campaign(1)
        cluster.work(1)
    core = cluster.core(1)._core
    assert core.term == 3
    with pytest.raises(AssertionError, match="leader completeness: leader 1 of term 3 lacks"):
        cluster.touch(1, lambda node: setattr(node._core, "role", Role.LEADER))
