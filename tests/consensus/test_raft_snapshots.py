"""Snapshots and a log whose beginning was dropped (Raft paper, section 7)."""

from random import Random

import pytest
from raft_harness import (
    Cluster,
    ack,
    append,
    beat_answer,
    disk_with,
    elect,
    entries,
    log_of,
    make_node,
    only,
    work,
)

from consensus import (
    Config,
    ConfState,
    HardState,
    InconsistentStateError,
    MemoryStorage,
    Message,
    MessageType,
    ProgressState,
    RawNode,
    Snapshot,
)

THREE = ConfState((1, 2, 3))


def snapshot_message(index: int, snapshot_term: int, term: int = 5, conf: ConfState = THREE) -> Message:
    snapshot = Snapshot(index, snapshot_term, conf, b"certificate")
    return Message(MessageType.SNAPSHOT, 1, 2, term, 7, snapshot=snapshot)


def behind_a_snapshot(**settings: int) -> tuple[Cluster, int]:
    """A cluster in which 1 leads, 3 was away, and what 3 needs is dropped; gives the snapshot's index."""
    cluster = Cluster(3, tail_bytes_max=1, **settings)
    cluster.elect(1)
    cluster.isolate(3)
    for _ in range(5):
        cluster.propose(1)
    cluster.settle()
    cluster.release(1)
    return cluster, len(cluster.peers[1].disk.applied)


def refused(message: Message, hint: int = 0) -> Message:
    return Message(
        MessageType.APPEND_RESPONSE,
        message.sender,
        message.to,
        message.term,
        message.session,
        0,
        message.index,
        reject=True,
        reject_hint=hint,
    )


def test_a_peer_that_needs_what_was_dropped_gets_a_snapshot_and_then_the_rest() -> None:
    cluster, index = behind_a_snapshot()
    cluster.propose(1)
    cluster.settle()
    cluster.heal()
    cluster.run(3)
    assert cluster.observer.snapshots_installed == 1
    disk = cluster.peers[3].disk
    assert disk.first_index() == index + 1, "its log begins after the snapshot"
    assert cluster.applied(3) == cluster.applied(1)
    assert cluster.core(1).status().peers[3].state is ProgressState.REPLICATE


def test_a_snapshot_replaces_log_and_configuration_in_one_write() -> None:
    node, disk = make_node(storage=disk_with(1, 1, 2, 2))
    conf = ConfState((1, 2, 3, 4))
    node.step(snapshot_message(9, 4, conf=conf))
    ready = node.ready()
    assert ready.snapshot == Snapshot(9, 4, conf, b"certificate")
    assert ready.must_sync
    assert ready.hard_state == HardState(5, 0, 9)
    assert not ready.entries
    assert not ready.messages, "nothing is acknowledged before it is written"
    (answer,) = ready.messages_after_append
    assert (answer.type, answer.index, answer.reject) == (MessageType.APPEND_RESPONSE, 9, False)
    assert node.status().conf_state == conf
    assert (node.commit, node.last_index, node.status().first_index) == (9, 9, 10)
    disk.apply_snapshot(ready.snapshot)
    node.advance(ready)
    assert node.status().applied == node.status().stable == 9
    node.step(append(5, (9, 4), entries(5, start=10)))
    work(node, disk)
    assert disk.last_index() == 10


def test_what_was_durable_of_another_log_does_not_vouch_for_a_snapshot() -> None:
    """A longer log that the snapshot replaces was on disk; the snapshot is not."""
    node, _ = make_node(storage=disk_with(*[4] * 12, term=5))
    node.step(snapshot_message(9, 5))
    ready = node.ready()
    assert not only(list(ready.messages), MessageType.APPEND_RESPONSE)
    assert only(list(ready.messages_after_append), MessageType.APPEND_RESPONSE)
    assert ready.must_sync


def test_entries_after_a_snapshot_come_in_the_same_ready() -> None:
    node, _ = make_node()
    node.step(snapshot_message(9, 4))
    node.step(append(5, (9, 4), entries(5, 5, start=10), commit=10))
    ready = node.ready()
    assert ready.snapshot is not None
    assert [entry.index for entry in ready.entries] == [10, 11]
    assert [entry.index for entry in ready.committed_entries] == [10]


def test_a_log_that_agrees_with_the_snapshot_is_kept() -> None:
    node, disk = make_node(storage=disk_with(1, 1, 2, 2))
    node.step(snapshot_message(3, 2))
    work(node, disk)
    assert (node.commit, node.last_index, disk.first_index()) == (3, 4, 1)


def test_an_outdated_snapshot_is_answered_with_what_is_committed() -> None:
    node, disk = make_node(storage=disk_with(1, 1, 2, commit=3))
    node.step(snapshot_message(2, 1))
    (answer,) = only(work(node, disk), MessageType.APPEND_RESPONSE)
    assert (answer.index, disk.snapshot()) == (3, None)


def test_a_snapshot_older_than_the_logs_beginning_changes_nothing() -> None:
    node, disk = make_node()
    node.step(snapshot_message(9, 4))
    work(node, disk)
    node.step(snapshot_message(5, 3))
    ready = node.ready()
    assert (ready.snapshot, node.commit, node.last_index) == (None, 9, 9)


def test_an_append_from_below_the_beginning_is_answered_with_what_is_committed() -> None:
    """A late append, of entries that a snapshot has long replaced, is no mismatch."""
    node, disk = make_node()
    node.step(snapshot_message(9, 4))
    work(node, disk)
    node.step(append(5, (3, 1), entries(1, 1, start=4)))
    (answer,) = only(work(node, disk), MessageType.APPEND_RESPONSE)
    assert (answer.reject, answer.index) == (False, 9)


def test_a_restart_from_a_dropped_log() -> None:
    cluster, index = behind_a_snapshot()
    for node in (1, 2):
        cluster.release(node)
        cluster.crash(node)
        cluster.restart(node)
        assert cluster.core(node).status().first_index == index + 1
    cluster.converge(5)


def test_applied_below_the_beginning_is_refused_at_start() -> None:
    disk = MemoryStorage()
    disk.apply_snapshot(Snapshot(9, 4, THREE, b""))
    with pytest.raises(InconsistentStateError, match="applied is 8 but the log begins at 10"):
        RawNode(Config(1, (1, 2, 3), Random(0)), HardState(4, 0, 9), disk, 8)
    assert RawNode(Config(1, (1, 2, 3), Random(0)), HardState(4, 0, 9), disk, 9).last_index == 9


def test_no_snapshot_at_hand_waits_for_the_next_heartbeat() -> None:
    node, disk = make_node(storage=disk_with(1, 1, commit=2), applied=2)
    sent = elect(node, disk)
    (probe,) = only(sent, MessageType.APPEND, to=2)
    disk.create_snapshot(2, THREE)
    disk.compact(2)
    disk._snapshot = None
    node.step(refused(probe))
    assert not only(work(node, disk), MessageType.SNAPSHOT)
    disk.create_snapshot(2, THREE)
    node.tick()
    (beat,) = only(work(node, disk), MessageType.HEARTBEAT, to=2)
    node.step(beat_answer(beat))
    assert [m.to for m in only(work(node, disk), MessageType.SNAPSHOT)] == [2]


def test_bug_23_the_window_is_full_and_the_log_dropped() -> None:
    """etcd-io/raft#31: all appends ahead are lost, and then what they carried is gone from the log."""
    cluster = Cluster(3, inflight_messages_max=2, tail_bytes_max=1)
    cluster.elect(1)
    cluster.run(1)
    cluster.isolate(3)
    for _ in range(6):
        cluster.propose(1)
        cluster.settle()
    assert cluster.core(1).status().peers[3].paused
    cluster.release(1)
    cluster.heal()
    cluster.run(3)
    assert cluster.applied(3) == cluster.applied(1)
    assert cluster.observer.snapshots_installed == 1


def test_bug_23_a_lost_snapshot_is_repeated_with_every_heartbeat() -> None:
    """etcd-io/raft#52: nobody reports, the receiver crashed before it wrote: the peer is never left waiting."""
    cluster, _ = behind_a_snapshot()
    cluster.heal()
    for _ in range(3):
        cluster.tick(1)
        for _ in range(6):
            cluster.work(1)
            cluster.take(3)
            cluster.persist(3)
            cluster.flying = [m for m in cluster.flying if m.type is not MessageType.SNAPSHOT]
            for _ in range(len(cluster.flying)):
                cluster.deliver()
    assert cluster.core(1).status().peers[3].state is ProgressState.SNAPSHOT
    assert cluster.observer.snapshots_installed == 0
    cluster.run(2)
    assert cluster.observer.snapshots_installed == 1
    assert cluster.applied(3) == cluster.applied(1)


def test_bug_23_the_receiver_crashes_between_the_snapshot_and_its_write() -> None:
    cluster, _ = behind_a_snapshot()
    cluster.heal()
    cluster.tick(1)
    while cluster.peers[3].alive._core.log.pending_snapshot is None:
        cluster.work(1)
        cluster.work(3)
        for _ in range(len(cluster.flying)):
            cluster.deliver()
    cluster.take(3)
    cluster.crash(3)
    assert cluster.peers[3].disk.snapshot() is None
    cluster.restart(3)
    cluster.run(5)
    assert cluster.applied(3) == cluster.applied(1)


def test_bug_23_a_probe_that_was_lost_is_sent_again() -> None:
    """openraft#1828: a peer cut off from the start of the term is probed until it answers, then sent all."""
    cluster = Cluster(3, tail_bytes_max=1)
    cluster.isolate(3)
    cluster.elect(1)
    for _ in range(3):
        cluster.propose(1)
    cluster.run(30)
    cluster.release(1)
    cluster.heal()
    cluster.run(3)
    assert cluster.applied(3) == cluster.applied(1)


def test_bug_24_a_follower_restored_by_a_snapshot_commits_nothing_beyond_it() -> None:
    """Commit goes with what the message covers, for a snapshot too."""
    node, disk = make_node(storage=disk_with(1, 1, 1))
    node.step(snapshot_message(2, 4))
    work(node, disk)
    assert (node.commit, node.last_index) == (2, 2)


def test_bug_29_a_second_snapshot_arrives_while_the_first_is_being_written() -> None:
    """Two snapshots close together: the first write vouches for nothing of the second."""
    node, disk = make_node()
    node.step(snapshot_message(5, 3))
    first = node.ready()
    node.step(snapshot_message(9, 4))
    second = node.ready()
    assert first.snapshot is not None
    assert second.snapshot is not None
    disk.apply_snapshot(first.snapshot)
    node.advance(first)
    assert (node.status().stable, node.status().applied) == (5, 5)
    node.step(snapshot_message(9, 4))
    third = node.ready()
    assert not only(list(third.messages), MessageType.APPEND_RESPONSE), "9 is not on disk yet"
    disk.apply_snapshot(second.snapshot)
    node.advance(second)
    assert (node.status().stable, node.status().applied) == (9, 9)


def test_bug_29_a_second_snapshot_replaces_one_not_yet_taken() -> None:
    node, disk = make_node()
    node.step(snapshot_message(5, 3))
    node.step(snapshot_message(9, 4))
    ready = node.ready()
    assert ready.snapshot is not None
    assert ready.snapshot.index == 9
    disk.apply_snapshot(ready.snapshot)
    node.advance(ready)
    assert node.status().stable == 9


def test_bug_29_entries_written_before_a_snapshot_do_not_vouch_for_what_follows_it() -> None:
    """A write under way of a longer, other log ends after the snapshot came: nothing of it is in the log."""
    node, disk = make_node()
    node.step(append(4, new=entries(*[4] * 12)))
    first = node.ready()
    node.step(snapshot_message(9, 5))
    disk.append(first.entries)
    disk.hard_state = HardState(4)
    node.advance(first)
    assert node.status().stable == 0
    node.step(append(5, (9, 5), entries(5, start=10)))
    assert not only(list(node.ready().messages), MessageType.APPEND_RESPONSE)


def test_bug_29_nothing_is_dropped_that_no_snapshot_stands_for() -> None:
    disk = disk_with(1, 1, 1)
    disk.create_snapshot(2, THREE)
    with pytest.raises(ValueError, match="no snapshot stands for entry 3"):
        disk.compact(3)
    disk.compact(1)
    assert (disk.first_index(), disk.term(1), disk.last_index()) == (2, 1, 3)
    disk.compact(1)
    disk.compact(2)
    assert (disk.first_index(), disk.term(2), disk.last_index()) == (3, 1, 3)


def test_a_reported_snapshot_is_probed_after_and_a_failed_one_sent_again() -> None:
    for ok, expected in ((True, MessageType.APPEND), (False, MessageType.SNAPSHOT)):
        disk = disk_with(1, 1, commit=2)
        disk.create_snapshot(2, THREE)
        disk.compact(2)
        node, _ = make_node(storage=disk, applied=2)
        (probe,) = only(elect(node, disk), MessageType.APPEND, to=2)
        node.step(refused(probe))
        (sent,) = only(work(node, disk), MessageType.SNAPSHOT)
        assert (sent.snapshot, node.status().peers[2].pending_snapshot) == (disk.snapshot(), 2)
        node.report_snapshot(2, ok=ok)
        assert not work(node, disk), "not before it was heard"
        node.tick()
        (beat,) = only(work(node, disk), MessageType.HEARTBEAT, to=2)
        node.step(beat_answer(beat))
        (after,) = [m for m in work(node, disk) if m.to == 2]
        assert after.type is expected


def test_a_report_about_nobody_or_to_a_follower_changes_nothing() -> None:
    """The caller learns of a lost link or snapshot when the peer may have left, or leadership been lost."""
    node, disk = make_node()
    node.report_snapshot(2, ok=False)
    node.report_unreachable(2)
    elect(node, disk)
    before = node.status()
    for ok in (True, False):
        node.report_snapshot(9, ok=ok)
        node.report_snapshot(2, ok=ok)
    node.report_unreachable(9)
    assert node.status() == before
    assert not node.has_ready()


def test_the_answer_of_an_old_append_does_not_end_a_snapshot() -> None:
    disk = disk_with(1, 1, 1, commit=3)
    disk.create_snapshot(3, THREE)
    disk.compact(3)
    node, _ = make_node(storage=disk, applied=3)
    (probe,) = only(elect(node, disk), MessageType.APPEND, to=2)
    node.step(refused(probe))
    work(node, disk)
    node.step(ack(probe, index=1))
    node.step(refused(probe))
    assert not work(node, disk), "neither says anything of the snapshot"
    peer = node.status().peers[2]
    assert (peer.state, peer.match, peer.next) == (ProgressState.SNAPSHOT, 1, 4)
    node.step(ack(probe, index=3))
    assert node.status().peers[2].state is ProgressState.REPLICATE


def test_a_peer_that_needs_no_snapshot_any_more_is_sent_the_rest_of_the_log() -> None:
    """As etcd's: wherever an acknowledgement comes from, what the log has need not be fetched as a state."""
    disk = disk_with(1, 1, 1, 1, commit=4)
    disk.create_snapshot(4, THREE)
    disk.compact(2)
    node, _ = make_node(storage=disk, applied=4)
    (probe,) = only(elect(node, disk), MessageType.APPEND, to=2)
    node.step(refused(probe))
    assert only(work(node, disk), MessageType.SNAPSHOT)
    assert node.status().peers[2].pending_snapshot == 4
    node.step(ack(probe, index=2))
    (rest,) = only(work(node, disk), MessageType.APPEND, to=2)
    assert (rest.index, [entry.index for entry in rest.entries]) == (2, [3, 4, 5])
    assert node.status().peers[2].state is ProgressState.REPLICATE


@pytest.mark.parametrize("kept", [0, 1, 4])
def test_a_cluster_that_drops_all_the_time_stays_equal(kept: int) -> None:
    cluster = Cluster(3, seed=kept, tail_bytes_max=1)
    cluster.elect(1)
    for round_ in range(12):
        cluster.propose(1)
        if round_ % 4 == 1:
            cluster.isolate(2 + round_ % 2)
        cluster.run(1)
        for node in cluster.ids:
            cluster.release(node, kept)
        if round_ % 4 == 3:
            cluster.heal()
    cluster.converge(5)
    assert len(log_of(cluster.core(1))) < 6


def test_a_caller_that_cannot_use_snapshots_gets_none() -> None:
    node, disk = make_node(accept_snapshots=False)
    node.step(snapshot_message(9, 4))
    assert not work(node, disk)
    assert (node.lead, node.commit) == (2, 0)
