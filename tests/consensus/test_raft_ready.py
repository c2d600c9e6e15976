"""The caller's side: what `Ready` holds, in which order, and what `advance` means."""

import pytest
from raft_harness import Cluster, append, elect, entries, make_node, only, work

import consensus
from consensus import HardState, MemoryStorage, Message, MessageType, Role, SoftState, TraceEvent, TraceName


def test_a_quiet_core_has_nothing_ready() -> None:
    node, _ = make_node()
    assert not node.has_ready()
    ready = node.ready()
    assert (ready.soft_state, ready.hard_state, list(ready.entries), list(ready.messages)) == (
        None,
        None,
        [],
        [],
    )
    assert not ready.must_sync
    node.advance(ready)
    assert not node.has_ready()


def test_each_piece_of_work_is_handed_out_once() -> None:
    node, _ = make_node()
    node.step(append(1, new=entries(1, 1), commit=1))
    first = node.ready()
    assert first.hard_state == HardState(1, 0, 1)
    assert first.soft_state == SoftState(2, Role.FOLLOWER)
    assert [entry.index for entry in first.entries] == [1, 2]
    assert [entry.index for entry in first.committed_entries] == [1]
    assert len(first.messages_after_append) == 1
    assert first.must_sync
    assert not node.has_ready(), "a write under way is nothing new"
    node.advance(first)
    assert not node.has_ready()


def test_work_that_comes_during_a_write_is_the_next_batch() -> None:
    node, disk = make_node()
    node.step(append(1, new=entries(1)))
    first = node.ready()
    for index in (1, 2, 3):
        node.step(append(1, (index, 1), entries(1, start=index + 1)))
    second = node.ready()
    assert [entry.index for entry in second.entries] == [2, 3, 4]
    for ready in (first, second):
        disk.append(ready.entries)
    node.advance(second)
    assert node.status().stable == 4


def test_a_caller_can_look_at_what_is_not_written_yet() -> None:
    node, disk = make_node()
    node.step(append(1, new=entries(1, 1)))
    work(node, disk)
    assert list(node.unwritten_below(3)) == []
    node.step(append(1, (2, 1), entries(1, 1, start=3)))
    assert [node.matches(*place) for place in ((0, 0), (2, 1), (4, 1), (4, 2), (5, 1))] == [True] * 3 + [
        False
    ] * 2
    assert [entry.index for entry in node.unwritten_below(4)] == [3]
    assert [entry.index for entry in node.unwritten_below(99)] == [3, 4]
    node.ready()
    assert list(node.unwritten_below(99)) == [], "a Ready carries them now"


def test_committed_entries_come_in_bounded_portions() -> None:
    node, disk = make_node(apply_bytes_max=1)
    node.step(append(1, new=entries(1, 1, 1), commit=3))
    portions = []
    while node.has_ready():
        ready = node.ready()
        disk.append(ready.entries)
        portions.append([entry.index for entry in ready.committed_entries])
        node.advance(ready)
    assert portions == [[1], [2], [3]]


def test_a_change_of_leader_is_told() -> None:
    node, disk = make_node()
    elect(node, disk)
    node.step(append(2))
    assert node.ready().soft_state == SoftState(2, Role.FOLLOWER)


def test_the_loop_of_the_package_docstring_runs() -> None:
    """The loop as the docstring teaches it, on one node, word for word but for the storage's methods."""
    storage = MemoryStorage()
    node, _ = make_node(voters=1, storage=storage)
    applied: list[bytes] = []
    sent: list[Message] = []
    node.campaign()
    for data in (b"", b"one", b"two"):
        if data:
            assert node.can_propose(len(data))
            node.propose(data)
        while node.has_ready():
            ready = node.ready()
            sent.extend(ready.messages)
            if ready.entries:
                storage.append(ready.entries)
            if ready.hard_state is not None:
                storage.hard_state = ready.hard_state
            applied.extend(entry.data for entry in ready.committed_entries if not entry.is_empty)
            sent.extend(ready.messages_after_append)
            node.advance(ready)
    assert applied == [b"one", b"two"]
    assert sent == []
    assert storage.hard_state == HardState(1, 1, 3)


def test_the_public_names_are_these() -> None:
    assert consensus.__all__ == sorted(
        set(consensus.__all__), key=lambda name: (not name.isupper(), name[0].islower(), name)
    )
    assert all(hasattr(consensus, name) for name in consensus.__all__)
    methods = {name for name in dir(consensus.RawNode) if not name.startswith("_")}
    assert methods == {
        *("id", "term", "role", "lead", "commit", "last_index", "status", "matches", "unwritten_below"),
        *("tick", "step", "campaign", "can_propose", "propose", "report_unreachable", "report_snapshot"),
        *("storage_available", "is_member", "bar"),
        *("propose_conf_change", "conf_change_refusal", "apply_conf_change"),
        *("read_index", "transfer_leader", "forget_leader"),
        *("has_ready", "ready", "advance"),
    }


def test_a_memory_storage_leaves_no_gaps() -> None:
    storage = MemoryStorage()
    with pytest.raises(ValueError, match="entry 2 leaves a gap after 0"):
        storage.append(entries(1, start=2))


def test_the_trace_speaks_etcds_words() -> None:
    told: list[TraceEvent] = []
    cluster = Cluster(3, trace=told.append)
    cluster.elect(1)
    assert cluster.propose(1) is not None
    cluster.settle()
    told_by_leader = [event.name for event in told if event.node == 1]
    assert told_by_leader[0] is TraceName.INIT_STATE
    milestones = (TraceName.BECOME_CANDIDATE, TraceName.BECOME_LEADER, TraceName.REPLICATE, TraceName.COMMIT)
    assert [name for name in told_by_leader if name in milestones] == [*milestones, *milestones[2:]]
    assert {event.name.value for event in told} >= {
        "SendAppendEntriesRequest",
        "ReceiveAppendEntriesRequest",
        "SendAppendEntriesResponse",
        "ReceiveAppendEntriesResponse",
        "SendRequestVoteRequest",
        "ReceiveRequestVoteRequest",
        "SendRequestVoteResponse",
        "ReceiveRequestVoteResponse",
        "BecomeFollower",
        "Ready",
    }
    sent = next(event for event in told if event.name is TraceName.SEND_APPEND_ENTRIES_REQUEST)
    assert sent.message is not None
    assert (sent.term, sent.role, sent.last_index) == (1, Role.LEADER, 1)


def test_status_is_a_copy() -> None:
    node, disk = make_node()
    sent = elect(node, disk)
    before = node.status()
    for request in only(sent, MessageType.APPEND):
        node.step(Message(MessageType.APPEND_RESPONSE, 1, request.to, 1, request.session, index=1))
    work(node, disk)
    assert before.peers[2].match == 0
    after = node.status()
    assert (after.commit, after.applied, after.stable, after.lead, after.vote) == (1, 1, 1, 1, 1)
    assert sorted(after.peers) == [2, 3]
