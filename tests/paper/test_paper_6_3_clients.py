"""Raft paper, section 8, and dissertation, sections 6.1 to 6.3: what the core gives to whoever serves clients."""

import pytest
from raft_harness import Cluster, log_of, make_node

from consensus import ProposalRefusedError, Refusal


def test_6_2_whoever_does_not_lead_refuses_and_knows_who_does() -> None:
    """Section 6.2: a client that asks another server is refused, and told who leads as far as is known."""
    cluster = Cluster(3)
    with pytest.raises(ProposalRefusedError, match="leader unknown"):
        cluster.core(3).propose(b"x")
    cluster.elect(1)
    with pytest.raises(ProposalRefusedError, match="leader 1") as refused:
        cluster.core(3).propose(b"x")
    assert (refused.value.reason, cluster.core(3).lead) == (Refusal.NOT_LEADER, 1)


def test_6_3_a_command_without_an_answer_may_have_been_executed() -> None:
    """Section 6.3: if the leader crashes after committing, before it answers, the command stands."""
    cluster = Cluster(3)
    cluster.elect(1)
    cluster.propose(1)
    cluster.work(1)
    for _ in range(2):
        for message in list(cluster.flying):
            cluster.deliver(cluster.flying.index(message))
            if message.to != 1:
                cluster.work(message.to)
    assert cluster.core(1).commit == 2
    assert cluster.applied(1) == [], "nobody was answered"
    cluster.crash(1)
    cluster.run(60)
    assert cluster.applied(2) == cluster.applied(3) == [b"0"]


def test_6_3_a_command_without_an_answer_may_never_be_executed() -> None:
    """Section 6.3: or the same silence means that it is gone for good, overwritten by a later leader."""
    cluster = Cluster(3)
    cluster.elect(1)
    cluster.isolate(1)
    entry = cluster.propose(1)
    assert entry is not None
    cluster.run(60)
    cluster.heal()
    cluster.run(60)
    assert not cluster.core(1).matches(entry.index, entry.term)
    assert cluster.core(1).commit >= entry.index, "another entry is committed in its place: now it is known"


def test_6_3_a_command_sent_again_is_two_entries() -> None:
    """Section 6.3: the log does not tell a repetition from a new command; the state machine must."""
    cluster = Cluster(3)
    cluster.elect(1)
    command = b"client 7, command 1"
    cluster.core(1).propose(command)
    cluster.settle()
    cluster.crash(1)
    cluster.run(60)
    (leader,) = cluster.leaders()
    cluster.core(leader).propose(command)
    cluster.settle()
    cluster.run(2)
    applied = cluster.applied(leader)
    assert applied == [command, command]
    assert list(dict.fromkeys(applied)) == [command], "remembering what was done makes it one effect"


def test_6_3_an_entry_is_known_by_its_index_and_term() -> None:
    """Section 6.3 as the core serves it: what `propose` returned tells later what became of the command."""
    cluster = Cluster(3)
    cluster.elect(1)
    kept = cluster.propose(1)
    assert kept is not None
    cluster.settle()
    cluster.crash(1)
    cluster.run(60)
    (leader,) = cluster.leaders()
    assert cluster.core(leader).commit >= kept.index
    assert cluster.core(leader).matches(kept.index, kept.term)
    assert log_of(cluster.core(leader))[kept.index - 1] == kept


def test_6_3_no_command_is_taken_that_could_not_be_told_from_the_opening_of_a_term() -> None:
    """Section 8: the leader's own no-op has no data, so a client's command must have some."""
    node, _ = make_node(voters=1)
    node.campaign()
    while node.has_ready():
        node.advance(node.ready())
    assert not node.can_propose(0)
    with pytest.raises(ProposalRefusedError) as refused:
        node.propose(b"")
    assert refused.value.reason is Refusal.EMPTY
