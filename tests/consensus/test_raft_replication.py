"""How entries travel: probing, windows, backtracking, lost messages, the leader's disk, bounds."""

from collections.abc import Sequence

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
    terms_of,
    work,
)

from consensus import (
    ENTRY_OVERHEAD_BYTES,
    CommittedConflictError,
    Entry,
    HardState,
    InconsistentStateError,
    MalformedMessageError,
    MemoryStorage,
    Message,
    MessageType,
    ProgressState,
    ProposalRefusedError,
    RawNode,
    Refusal,
    Role,
    StorageBusyError,
)


def leader(**settings: object) -> tuple[RawNode, object, list[Message]]:
    node, disk = make_node(**settings)  # type: ignore[arg-type]
    return node, disk, elect(node, disk)


def test_a_term_opens_with_an_empty_entry() -> None:
    """Raft paper, section 8."""
    node, _, sent = leader()
    (request,) = only(sent, MessageType.APPEND, to=2)
    assert [(entry.term, entry.index, entry.is_empty) for entry in request.entries] == [(1, 1, True)]
    assert node.status().term_start == 1


def test_the_followers_write_in_parallel_with_the_leader() -> None:
    """Dissertation, section 10.2.1: entries leave before the leader's own write; commit may precede it."""
    node, disk = make_node(voters=3)
    sent = elect(node, disk)
    for request in only(sent, MessageType.APPEND):
        node.step(ack(request))
    work(node, disk)
    entry = node.propose(b"x")
    ready = node.ready()
    requests = only(list(ready.messages), MessageType.APPEND)
    assert {request.to for request in requests} == {2, 3}
    assert ready.entries == [entry]
    node.step(ack(requests[0]))
    assert node.commit == 1, "one follower and an own disk that is still writing are no majority of three"
    node.step(ack(requests[1]))
    assert node.commit == 2, "two followers are"
    second = node.ready()
    assert second.committed_entries == [entry], "to be applied after the write of the first Ready"


def test_the_leaders_own_write_completes_a_majority() -> None:
    node, disk = make_node(voters=3)
    sent = elect(node, disk)
    node.step(ack(only(sent, MessageType.APPEND)[0]))
    assert node.commit == 1
    node.propose(b"x")
    ready = node.ready()
    node.step(ack(only(list(ready.messages), MessageType.APPEND, to=2)[-1]))
    assert node.commit == 1
    disk.append(ready.entries)
    node.advance(ready)
    assert node.commit == 2


def test_a_follower_acknowledges_only_what_is_written() -> None:
    node, disk = make_node()
    node.step(append(1))
    work(node, disk)
    node.step(append(1, new=entries(1, 1)))
    ready = node.ready()
    assert ready.messages == []
    (answer,) = ready.messages_after_append
    assert (answer.index, answer.reject) == (2, False)


def test_what_is_already_durable_is_acknowledged_at_once() -> None:
    node, disk = make_node()
    node.step(append(1, new=entries(1, 1)))
    work(node, disk)
    node.step(append(1, new=entries(1, 1)))
    node.step(append(1, (2, 1), commit=2))
    ready = node.ready()
    assert [answer.index for answer in ready.messages] == [2, 2]
    assert [entry.index for entry in ready.committed_entries] == [1, 2]
    assert not ready.must_sync, "only commit moved"


def test_heartbeats_are_answered_while_entries_are_being_written() -> None:
    node, disk = make_node()
    node.step(append(1))
    work(node, disk)
    node.step(append(1, new=entries(1)))
    node.ready()
    node.step(Message(MessageType.HEARTBEAT, 1, 2, 1, 7))
    assert [message.type for message in node.ready().messages] == [MessageType.HEARTBEAT_RESPONSE]


def test_proposals_are_pipelined_until_the_window_of_messages_is_full() -> None:
    node, disk, sent = leader(inflight_messages_max=3)
    node.step(ack(only(sent, MessageType.APPEND, to=2)[0]))
    work(node, disk)
    for _ in range(10):
        node.propose(b"x")
    requests = only(work(node, disk), MessageType.APPEND, to=2)
    assert [len(request.entries) for request in requests] == [1, 1, 1]
    node.step(ack(requests[0]))
    (more,) = only(work(node, disk), MessageType.APPEND, to=2)
    assert (more.index, len(more.entries)) == (4, 7), (
        "an acknowledgement opens the window for all that waited"
    )


def test_proposals_are_pipelined_until_the_window_of_bytes_is_full() -> None:
    node, disk, sent = leader(inflight_bytes_max=2 * (100 + ENTRY_OVERHEAD_BYTES))
    node.step(ack(only(sent, MessageType.APPEND, to=2)[0]))
    work(node, disk)
    for _ in range(10):
        node.propose(b"x" * 100)
    assert len(only(work(node, disk), MessageType.APPEND, to=2)) == 2


def test_a_window_lost_whole_is_made_good_by_heartbeats() -> None:
    """etcd-io/raft: a full window whose messages were all dropped must not stall the peer for ever."""
    cluster = Cluster(3, inflight_messages_max=2)
    cluster.elect(1)
    cluster.cut[1, 2] = True
    for _ in range(6):
        assert cluster.propose(1) is not None
        cluster.settle()
    assert cluster.core(1).status().peers[2].paused
    cluster.heal()
    cluster.run(8)
    assert cluster.core(2).commit == cluster.core(1).commit == 7


class BusyStorage(MemoryStorage):
    """A disk whose entries cannot be read while a write is under way."""

    is_busy = False
    asked = 0

    def entries(self, low: int, high: int, bytes_max: int) -> Sequence[Entry]:
        if self.is_busy:
            self.asked += 1
            raise StorageBusyError("a write is under way")
        return super().entries(low, high, bytes_max)


def busy_disk(*terms: int, commit: int = 0) -> BusyStorage:
    disk = BusyStorage()
    disk.append(entries(*terms))
    disk.hard_state = HardState(max(terms), 0, commit)
    return disk


def test_a_peer_that_lacks_what_a_busy_storage_holds_is_served_when_it_can_be_read() -> None:
    disk = busy_disk(1, 1, 1, 1, commit=4)
    node, _ = make_node(storage=disk, applied=4)
    sent = elect(node, disk)
    request = only(sent, MessageType.APPEND, to=2)[0]
    disk.is_busy = True
    node.step(Message(MessageType.APPEND_RESPONSE, 1, 2, 2, request.session, index=4, reject=True))
    assert disk.asked == 1
    assert only(node.ready().messages, MessageType.APPEND, to=2) == []
    node.step(
        Message(
            MessageType.APPEND_RESPONSE, 1, 3, 2, only(sent, MessageType.APPEND, to=3)[0].session, index=5
        )
    )
    assert node.commit == 5, "the others are served meanwhile"
    assert node.ready().committed_entries
    disk.is_busy = False
    node.storage_available()
    (resent,) = only(node.ready().messages, MessageType.APPEND, to=2)
    assert (resent.index, len(resent.entries)) == (0, 5)
    node.storage_available()
    assert not node.has_ready(), "it was served once"


def test_after_a_restart_nothing_that_is_not_applied_is_read_from_the_storage_again() -> None:
    """Entries stored and not applied are in memory from the start: to commit, apply and campaign takes no disk."""
    disk = busy_disk(1, 1, 1, 1, commit=1)
    node, _ = make_node(storage=disk, applied=1)
    disk.is_busy = True
    node.step(Message(MessageType.APPEND, 1, 2, 1, 7, 1, 4, 4))
    assert [entry.index for entry in node.ready().committed_entries] == [2, 3, 4]
    elect(node, disk)
    assert disk.asked == 0


def test_entries_that_cannot_be_read_at_the_start_are_named() -> None:
    class Short(MemoryStorage):
        def entries(self, low: int, high: int, bytes_max: int) -> Sequence[Entry]:
            return ()

    disk = Short()
    disk.append(entries(1, 1))
    disk.hard_state = HardState(1, 0, 0)
    with pytest.raises(InconsistentStateError, match="entry 1 of a log that ends at 2 cannot be read"):
        make_node(storage=disk)


def test_a_message_carries_entries_up_to_its_size_but_at_least_one() -> None:
    node, disk = make_node(storage=disk_with(1, 1, 1, 1), message_bytes_max=2 * (3 + ENTRY_OVERHEAD_BYTES))
    sent = elect(node, disk)
    request = only(sent, MessageType.APPEND, to=2)[0]
    node.step(Message(MessageType.APPEND_RESPONSE, 1, 2, 2, request.session, index=4, reject=True))
    (first,) = only(work(node, disk), MessageType.APPEND, to=2)
    assert (first.index, len(first.entries)) == (0, 2)
    node.step(ack(first))
    rest = only(work(node, disk), MessageType.APPEND, to=2)
    assert [len(request.entries) for request in rest] == [2, 1]


def test_a_probe_waits_for_its_answer() -> None:
    node, disk, sent = leader()
    assert len(only(sent, MessageType.APPEND, to=2)) == 1
    node.propose(b"x")
    assert not only(work(node, disk), MessageType.APPEND)
    assert node.status().peers[2].state is ProgressState.PROBE


def test_a_lost_probe_is_sent_again_after_a_heartbeat() -> None:
    node, disk, _ = leader()
    node.tick()
    (beat,) = only(work(node, disk), MessageType.HEARTBEAT, to=2)
    node.step(beat_answer(beat))
    (probe,) = only(work(node, disk), MessageType.APPEND, to=2)
    assert len(probe.entries) == 1


def test_an_unreachable_peer_is_probed() -> None:
    node, disk, sent = leader()
    node.step(ack(only(sent, MessageType.APPEND, to=2)[0]))
    work(node, disk)
    node.propose(b"x")
    work(node, disk)
    assert node.status().peers[2].next == 3
    node.report_unreachable(2)
    node.report_unreachable(9)
    node.report_unreachable(1)
    peer = node.status().peers[2]
    assert (peer.state, peer.next) == (ProgressState.PROBE, 2)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ([1] * 3 + [4] * 30, [1] * 3 + [2] * 30),
        ([1] * 3 + [4] * 30, [1] * 3 + [2] * 30 + [3] * 30),
        ([1] * 40, [1] * 2),
        ([1] * 5 + [5] * 2, [1] * 5 + [2] * 20 + [3] * 20 + [4] * 20),
    ],
)
def test_conflicts_are_passed_by_whole_terms(ours: list[int], theirs: list[int]) -> None:
    """Raft paper, section 5.3: at most one refused append per conflicting term, not one per entry."""
    node, disk = make_node(storage=disk_with(*ours, term=6))
    other, other_disk = make_node(2, storage=disk_with(*theirs, term=6))
    sent = only(elect(node, disk), MessageType.APPEND, to=2)
    refused = 0
    for _ in range(200):
        if not sent:
            break
        other.step(sent.pop(0))
        for answer in only(work(other, other_disk), MessageType.APPEND_RESPONSE):
            refused += answer.reject
            node.step(answer)
        sent.extend(only(work(node, disk), MessageType.APPEND, to=2))
    assert terms_of(other) == terms_of(node)
    assert refused <= len(set(theirs)) + 1


def test_an_append_after_what_is_committed_tells_the_leader_how_far() -> None:
    node, disk = make_node()
    node.step(append(1, new=entries(1, 1, 1), commit=3))
    work(node, disk)
    node.step(append(1, (1, 1)))
    (answer,) = work(node, disk)
    assert (answer.index, answer.reject) == (3, False)


@pytest.mark.parametrize(
    "message",
    [append(2, (1, 1), entries(2, start=2)), append(2, (2, 2)), append(2, (0, 0), entries(2, 2, 2))],
    ids=["entry", "place", "from the start"],
)
def test_a_committed_entry_is_never_replaced(message: Message) -> None:
    """A dishonest leader is refused loudly, and the log stays as it is."""
    node, disk = make_node()
    node.step(append(1, new=entries(1, 1, 1), commit=2))
    work(node, disk)
    before = log_of(node)
    with pytest.raises(CommittedConflictError, match="commit is 2") as caught:
        node.step(message)
    assert caught.value.sender == 2
    assert log_of(node) == before
    assert node.commit == 2


def test_an_acknowledgement_beyond_the_leaders_log_is_ignored() -> None:
    node, _, sent = leader()
    node.step(ack(only(sent, MessageType.APPEND, to=2)[0], index=50))
    assert node.status().peers[2].match == 0
    assert node.commit == 0


def test_misdirected_messages_are_refused() -> None:
    node, _ = make_node()
    with pytest.raises(MalformedMessageError, match="from 2 to 3"):
        node.step(append(1, to=3))
    with pytest.raises(MalformedMessageError, match="from 1 to 1"):
        node.step(append(1, sender=1))


def test_what_can_propose_allows_propose_takes() -> None:
    node, _, _ = leader(uncommitted_bytes_max=300)
    for size in (1, 100, 200, 50, 17, 3, 90):
        if node.can_propose(size):
            assert len(node.propose(b"x" * size).data) == size
        else:
            with pytest.raises(ProposalRefusedError):
                node.propose(b"x" * size)


@pytest.mark.parametrize(("size", "reason"), [(0, Refusal.EMPTY), (1 << 20, Refusal.TOO_LARGE)])
def test_a_leader_says_why_it_refuses(size: int, reason: Refusal) -> None:
    node, _, _ = leader(uncommitted_bytes_max=1000)
    assert not node.can_propose(size)
    with pytest.raises(ProposalRefusedError, match=reason.value) as refused:
        node.propose(b"x" * size)
    assert refused.value.reason is reason
    assert node.last_index == 1


def test_who_does_not_lead_refuses() -> None:
    node, _ = make_node()
    assert not node.can_propose(1)
    with pytest.raises(ProposalRefusedError) as refused:
        node.propose(b"x")
    assert refused.value.reason is Refusal.NOT_LEADER


def test_a_deposed_leader_counts_anew_when_it_leads_again() -> None:
    cluster = Cluster(3, uncommitted_bytes_max=400)
    cluster.elect(1)
    cluster.isolate(1)
    while cluster.propose(1) is not None:
        pass
    cluster.settle()
    cluster.elect(2)
    cluster.heal()
    cluster.run(30)
    cluster.elect(1)
    assert cluster.core(1).status().uncommitted_bytes == 0
    assert cluster.propose(1) is not None


def test_entries_of_earlier_terms_do_not_make_room() -> None:
    """What a new leader found in its log was never counted, so committing it must free nothing."""
    node, disk = make_node()
    node.step(append(1, new=entries(*[1] * 20)))
    work(node, disk)
    sent = elect(node, disk)
    node.propose(b"x" * 100)
    request = only(sent, MessageType.APPEND, to=2)[0]
    node.step(ack(request))
    work(node, disk)
    assert node.commit == 21
    assert node.status().uncommitted_bytes == 100 + ENTRY_OVERHEAD_BYTES


def test_a_new_leader_brings_a_follower_with_an_empty_log_up_to_date_from_storage() -> None:
    """The tail in memory is bounded; what it no longer holds is read from the storage."""
    cluster = Cluster(3, tail_bytes_max=1, message_bytes_max=120)
    cluster.elect(1)
    cluster.isolate(3)
    for _ in range(30):
        assert cluster.propose(1) is not None
        cluster.settle()
    assert len(cluster.core(1)._core.log._entries) <= 1
    cluster.heal()
    cluster.run(12)
    assert cluster.applied(3) == cluster.applied(1) == [b"%d" % n for n in range(30)]


def test_a_restart_applies_what_was_committed_and_not_applied() -> None:
    disk = disk_with(1, 1, 1, term=1, commit=3)
    node, _ = make_node(storage=disk, applied=1)
    ready = node.ready()
    assert [entry.index for entry in ready.committed_entries] == [2, 3]
    assert ready.hard_state is None


def test_a_restart_believes_what_was_applied() -> None:
    """Applied entries are committed whatever the stored commit index says, which need not be synced."""
    node, _ = make_node(storage=disk_with(1, 1, 1, term=1, commit=1), applied=2)
    assert node.commit == 2
    ready = node.ready()
    assert ready.hard_state == HardState(1, 0, 2)
    assert not ready.must_sync


def test_a_restarted_node_is_a_follower_of_its_term() -> None:
    node, disk = make_node()
    elect(node, disk)
    again, _ = make_node(storage=disk)
    assert (again.role, again.term, again.lead) == (Role.FOLLOWER, 1, 0)
    assert again.last_index == 1
