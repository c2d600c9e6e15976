"""Dissertation, section 10.2: writing in parallel, batching and pipelining."""

from raft_harness import Cluster, ack, append, disk_with, elect, entries, make_node, only, work

from consensus import MessageType, ProgressState


def test_10_2_1_appends_leave_before_the_leaders_own_write() -> None:
    """Section 10.2.1: the leader writes in parallel with its followers."""
    cluster = Cluster(3)
    cluster.elect(1)
    entry = cluster.propose(1)
    ready = cluster.core(1).ready()
    assert list(ready.entries) == [entry]
    assert [(message.to, message.entries) for message in ready.messages] == [(2, (entry,)), (3, (entry,))]


def test_10_2_1_a_majority_of_followers_commits_before_the_leader_has_written() -> None:
    """Section 10.2.1: an entry may be committed while the leader's own disk is still busy with it."""
    cluster = Cluster(3)
    cluster.elect(1)
    entry = cluster.propose(1)
    assert entry is not None
    cluster.take(1)
    for _ in range(2):
        for message in list(cluster.flying):
            cluster.deliver(cluster.flying.index(message))
            if message.to != 1:
                cluster.work(message.to)
    assert cluster.core(1).commit == entry.index
    assert cluster.peers[1].disk.last_index() == entry.index - 1


def test_10_2_1_the_leader_counts_itself_only_when_it_has_written() -> None:
    """Section 10.2.1: before its write is done, the leader's own log does not help towards a majority."""
    cluster = Cluster(2)
    cluster.elect(1)
    entry = cluster.propose(1)
    assert entry is not None
    cluster.take(1)
    cluster.deliver()
    cluster.work(2)
    cluster.deliver()
    assert cluster.core(1).status().peers[2].match == entry.index
    assert cluster.core(1).commit == entry.index - 1
    cluster.persist(1)
    assert cluster.core(1).commit == entry.index


def test_10_2_1_a_write_counts_for_the_entries_it_wrote_and_no_more() -> None:
    """Section 10.2.1: with two writes under way, the first done says nothing of the second's entries."""
    cluster = Cluster(2)
    cluster.elect(1)
    first = cluster.propose(1)
    cluster.take(1)
    second = cluster.propose(1)
    cluster.take(1)
    assert first is not None
    assert second is not None
    for _ in range(2):
        cluster.deliver()
    cluster.work(2)
    while cluster.flying:
        cluster.deliver()
    assert cluster.core(1).status().peers[2].match == second.index
    cluster.persist(1)
    assert cluster.core(1).commit == first.index


def test_10_2_2_entries_that_gather_go_out_in_one_message() -> None:
    """Section 10.2.2: what has gathered for a follower is sent as a batch."""
    node, disk = make_node()
    (probe,) = only(elect(node, disk), MessageType.APPEND, to=2)
    made = tuple(node.propose(b"x") for _ in range(5))
    assert only(work(node, disk), MessageType.APPEND, to=2) == [], "a peer not known to agree is probed"
    node.step(ack(probe))
    (batch,) = [message for message in only(work(node, disk), MessageType.APPEND, to=2) if message.entries]
    assert batch.entries == made


def test_10_2_2_appends_are_pipelined_without_waiting_for_answers() -> None:
    """Section 10.2.2: next moves with what is sent, not with what is acknowledged."""
    node, disk = make_node()
    (probe,) = only(elect(node, disk), MessageType.APPEND, to=2)
    node.step(ack(probe))
    work(node, disk)
    sent = []
    for _ in range(4):
        node.propose(b"x")
        sent += only(work(node, disk), MessageType.APPEND, to=2)
    assert [message.index for message in sent] == [1, 2, 3, 4]
    peer = node.status().peers[2]
    assert (peer.match, peer.next) == (1, 6)


def test_10_2_2_an_append_that_overtakes_another_is_refused_and_sent_again() -> None:
    """Section 10.2.2: the consistency check makes pipelining safe on links that reorder."""
    cluster = Cluster(2)
    cluster.elect(1)
    cluster.propose(1)
    cluster.work(1)
    cluster.propose(1)
    cluster.work(1)
    cluster.deliver(1)
    cluster.work(2)
    (refusal,) = only(cluster.flying, MessageType.APPEND_RESPONSE)
    assert refusal.reject
    cluster.settle()
    assert cluster.core(1).commit == cluster.core(2).last_index == 3


def test_10_2_2_after_a_refusal_a_leader_goes_back_to_one_append_at_a_time() -> None:
    """Section 10.2.2: it sends ahead only where it knows the logs to agree."""
    node, disk = make_node()
    (probe,) = only(elect(node, disk), MessageType.APPEND, to=2)
    node.step(ack(probe))
    work(node, disk)
    node.propose(b"x")
    node.propose(b"x")
    work(node, disk)
    assert node.status().peers[2].state is ProgressState.REPLICATE
    other, other_disk = make_node(2, storage=disk_with(1))
    other.step(append(1, (2, 1), entries(1, start=3), sender=1, to=2, session=probe.session))
    (refusal,) = work(other, other_disk)
    node.step(refusal)
    peer = node.status().peers[2]
    assert (peer.state, peer.paused) == (ProgressState.PROBE, True)
    work(node, disk)
    node.propose(b"x")
    assert only(work(node, disk), MessageType.APPEND, to=2) == []
