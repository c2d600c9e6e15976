"""Known bugs of networks and clients: partial links, restarts, pauses, retries, one-way partitions, doubled messages.

The numbers are the project's own list, docs/known-bugs.md; each docstring names where the bug was found.
"""

from random import Random

import pytest
from raft_harness import (
    Cluster,
    ack,
    append,
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

from consensus import (
    HardState,
    InconsistentStateError,
    Message,
    MessageType,
    ProposalRefusedError,
    Refusal,
    Role,
)


def test_bug_22_a_node_with_one_dead_link_deposes_nobody() -> None:
    """Cloudflare, November 2020: a follower cut off from the leader alone kept calling elections."""
    cluster = Cluster(3)
    cluster.elect(1)
    term = cluster.core(1).term
    cluster.cut[1, 3] = cluster.cut[3, 1] = True
    cluster.run(100)
    assert cluster.leaders() == [1]
    assert cluster.core(1).term == cluster.core(2).term == term


def test_bug_22_an_isolated_node_does_not_disturb_on_return() -> None:
    """Dissertation, section 9.6: its term did not grow while it was alone."""
    cluster = Cluster(5)
    cluster.elect(1)
    term = cluster.core(1).term
    cluster.isolate(4)
    cluster.run(200)
    assert cluster.core(4).term == term
    cluster.heal()
    cluster.run(50)
    assert cluster.leaders() == [1]
    assert {cluster.core(node).term for node in cluster.ids} == {term}


def test_bug_22_a_leader_without_majority_steps_down_and_others_go_on() -> None:
    """Cloudflare, November 2020: stickiness without check-quorum keeps a leader nobody can reach."""
    cluster = Cluster(5)
    cluster.elect(1)
    cluster.isolate(1, 2)
    cluster.run(45)
    assert cluster.core(1).role is not Role.LEADER
    (leader,) = cluster.leaders()
    assert leader in (3, 4, 5)


def test_bug_24_commit_beyond_the_log_is_refused_at_start() -> None:
    """A commit index without its entries means that something durable is gone."""
    with pytest.raises(InconsistentStateError, match="commit is 3 but the log ends at 2"):
        make_node(storage=disk_with(1, 1, commit=3))
    with pytest.raises(InconsistentStateError, match="applied is 4 but the log ends at 2"):
        make_node(storage=disk_with(1, 1), applied=4)
    with pytest.raises(InconsistentStateError, match="ends in term 2 but the stored term is 1"):
        make_node(storage=disk_with(1, 2, term=1))


def test_bug_24_a_heartbeat_commits_nothing_beyond_the_log() -> None:
    """A leader that believes more of us than we have must not crash us, nor make us commit what we lack."""
    node, disk = make_node()
    node.step(append(1, new=entries(1)))
    node.step(heartbeat(1, commit=9))
    work(node, disk)
    assert node.commit == 1


def test_bug_24_a_leader_never_tells_a_peer_to_commit_what_it_may_lack() -> None:
    """etcd's heartbeats carry min(match, commit)."""
    node, disk = make_node()
    sent = elect(node, disk)
    node.step(ack(only(sent, MessageType.APPEND, to=2)[0]))
    work(node, disk)
    node.tick()
    beats = only(work(node, disk), MessageType.HEARTBEAT)
    assert {beat.to: beat.commit for beat in beats} == {2: 1, 3: 0}


def test_bug_25_a_leader_without_quorum_takes_in_a_bounded_amount() -> None:
    """A leader cut off from everybody must not fill its memory with what it cannot commit."""
    node, disk = make_node(uncommitted_bytes_max=1000)
    elect(node, disk)
    taken = 0
    while node.can_propose(100):
        node.propose(b"x" * 100)
        taken += 1
        assert taken < 100
    assert 0 < node.status().uncommitted_bytes <= 1000
    with pytest.raises(ProposalRefusedError) as refused:
        node.propose(b"x" * 100)
    assert refused.value.reason is Refusal.TOO_MUCH_UNCOMMITTED


def test_bug_25_commits_make_room_again() -> None:
    """The bound counts what is uncommitted, to the byte, however it was committed."""
    cluster = Cluster(3, uncommitted_bytes_max=500)
    cluster.elect(1)
    for _ in range(4):
        while cluster.propose(1, size_bytes=60) is not None:
            pass
        cluster.settle()
        assert cluster.core(1).status().uncommitted_bytes == 0


def test_bug_31_a_timed_out_proposal_is_unknown_until_its_index_is_committed() -> None:
    """Taking a time-out for failure does things twice; taking it for success, never."""
    cluster = Cluster(3)
    cluster.elect(1)
    cluster.isolate(1)
    lost = cluster.propose(1)
    cluster.settle()
    cluster.elect(2)
    cluster.heal()
    cluster.run(30)
    assert lost is not None
    winner = cluster.observer.applied_entry[lost.index]
    assert winner.term != lost.term, "another term at its index: it never will be committed"
    assert lost.data not in cluster.applied(3)


def test_bug_31_a_proposal_of_a_lost_leader_may_still_be_committed() -> None:
    """The same time-out, the other end: the entry had reached one follower, which then leads."""
    cluster = Cluster(3)
    cluster.elect(1)
    cluster.isolate(3)
    cluster.cut[2, 1] = True
    entry = cluster.propose(1)
    assert entry is not None
    cluster.settle()
    assert cluster.core(1).commit < entry.index
    cluster.crash(1)
    cluster.heal()
    cluster.elect(2)
    assert entry.data in cluster.applied(3)


def test_bug_31_a_retry_of_what_was_done_is_done_once() -> None:
    """A client whose answer was lost asks the next leader: the log may hold its command twice, the state once."""
    cluster = Cluster(3)
    cluster.elect(1)
    first = cluster.propose(1)
    assert first is not None
    cluster.work(1)
    for message in [message for message in cluster.flying if message.to == 2]:
        cluster.deliver(cluster.flying.index(message))
    cluster.work(2)
    cluster.crash(1)
    cluster.flying.clear()
    cluster.elect(2)
    assert not cluster.observer.acknowledged, "the client was never told"
    second = cluster.ask_again(2, 0)
    assert second is not None
    cluster.settle()
    assert cluster.applied(2) == [first.data, first.data]
    assert cluster.peers[2].disk.effects == {first.data: [first.index]}
    assert cluster.observer.acknowledged[second.index] == second


@pytest.mark.parametrize(
    ("logs", "kept"),
    [(((), (), ()), ()), (((1, 1), (1, 1), (1, 1)), (1, 1)), (((1,), (1, 1, 2), (1, 1)), (1, 1))],
    ids=["empty", "equal", "unequal"],
)
def test_bug_32_a_whole_cluster_restarts(logs: tuple[tuple[int, ...], ...], kept: tuple[int, ...]) -> None:
    """Empty, equal and unequal logs all come back, and what a majority holds is kept."""
    cluster = Cluster(3)
    for node, terms in zip(cluster.ids, logs, strict=True):
        cluster.crash(node)
        cluster.peers[node].disk.append(entries(*terms))
        cluster.peers[node].disk.hard_state = HardState(term=2)
        cluster.restart(node)
    cluster.converge(10)
    assert tuple(terms_of(cluster.core(1)))[: len(kept)] == kept


def test_bug_33_a_pause_longer_than_the_election_timeout() -> None:
    """A stopped leader wakes among newer terms: it must learn of them and follow."""
    cluster = Cluster(3)
    cluster.elect(1)
    cluster.isolate(1)
    for _ in range(60):
        for node in (2, 3):
            cluster.tick(node)
        cluster.settle()
    (leader,) = cluster.leaders()
    assert leader != 1
    assert cluster.core(1).role is Role.LEADER, "it slept and does not know"
    cluster.heal()
    assert cluster.propose(1) is not None, "so it even takes proposals"
    cluster.run(30)
    assert cluster.core(1).role is Role.FOLLOWER
    assert cluster.leaders() == [leader]
    assert cluster.core(1).last_index == cluster.core(leader).last_index


def test_bug_33_a_stall_with_the_inbox_drained_first_causes_no_election() -> None:
    """After a stall one tick passes, and what had arrived is heard before it."""
    cluster = Cluster(3)
    cluster.elect(1)
    term = cluster.core(2).term
    for _ in range(40):  # node 2 sleeps; messages to it wait
        for node in (1, 3):
            cluster.tick(node)
            cluster.work(node)
        for message in list(cluster.flying):
            if message.to != 2:
                cluster.deliver(cluster.flying.index(message))
    while cluster.flying:
        cluster.deliver()
    cluster.tick(2)
    cluster.settle()
    assert cluster.core(2).lead == 1
    assert {cluster.core(node).term for node in cluster.ids} == {term}


@pytest.mark.parametrize(
    "direction", ["leader is deaf", "leader is mute", "follower is deaf", "follower is mute"]
)
def test_bug_34_one_way_partitions_leave_one_working_leader(direction: str) -> None:
    """Links that fail one way only: some leader with a majority goes on committing."""
    cluster = Cluster(3)
    cluster.elect(1)
    bad, others = (1, (2, 3)) if direction.startswith("leader") else (3, (1, 2))
    for other in others:
        link = (other, bad) if direction.endswith("deaf") else (bad, other)
        cluster.cut[link] = True
    cluster.run(80)
    before = cluster.observer.committed[:]
    working = [node for node in others if cluster.core(node).role is Role.LEADER]
    assert len(working) == 1
    assert cluster.propose(working[0]) is not None
    cluster.settle()
    assert len(cluster.observer.committed) > len(before)
    cluster.converge(10)


@pytest.mark.parametrize("seed", range(4))
def test_bug_35_doubled_reordered_and_delayed_messages_of_every_kind(seed: int) -> None:
    """Every message is delivered at least twice, in random order, some of them much later."""
    cluster = Cluster(3, seed=seed, tail_bytes_max=1)
    random = Random(seed)
    kept: list[Message] = []
    for round_ in range(300):
        for node in cluster.ids:
            cluster.tick(node)
            cluster.work(node)
        kept.extend(cluster.flying)
        cluster.flying.extend(random.sample(kept, min(6, len(kept))))
        while len(cluster.flying) > 4:
            cluster.deliver(random.randrange(len(cluster.flying)))
        if round_ % 100 == 40:
            cluster.isolate(3)  # long enough to need a snapshot
        if round_ % 100 == 60:
            cluster.heal()
        if round_ % 5 == 0:
            for node in cluster.leaders():
                cluster.propose(node)
                cluster.read(node)
            for node in cluster.ids:
                cluster.release(node)
                if round_ % 15 == 0:
                    cluster.transfer(node, 1 + node % 3)
    assert {message.type for message in cluster.delivered} == set(MessageType)
    assert len(cluster.observer.committed) > 5
    cluster.flying.extend(kept)
    cluster.converge(10)


def test_bug_35_an_empty_storage_and_a_full_one_read_the_same_after_every_message_twice() -> None:
    """Delivering everything twice in a row leaves the log as delivering it once does."""
    once, first = make_node()
    twice, second = make_node()
    script = [
        append(1, new=entries(1, 1)),
        append(1, (2, 1), entries(1, start=3), commit=2),
        heartbeat(1, commit=3),
    ]
    for message in script:
        once.step(message)
        work(once, first)
        for _ in range(2):
            twice.step(message)
            work(twice, second)
    assert log_of(once) == log_of(twice)
    assert once.commit == twice.commit == 3
