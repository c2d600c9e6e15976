"""Members come and go while the cluster works (dissertation, chapter 4)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
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
    work,
)

from consensus import (
    LEAVE_JOINT,
    Change,
    ChangeType,
    ConfChange,
    ConfChangeError,
    ConfState,
    Entry,
    EntryType,
    HardState,
    MemoryStorage,
    Message,
    MessageType,
    ProposalRefusedError,
    Refusal,
    Role,
    Snapshot,
    Transition,
    next_conf,
)

ADD, REMOVE, LEARN = ChangeType.ADD_VOTER, ChangeType.REMOVE, ChangeType.ADD_LEARNER


def change(*changes: tuple[ChangeType, int], transition: Transition = Transition.AUTO) -> ConfChange:
    return ConfChange(tuple(Change(kind, node) for kind, node in changes), transition)


def conf_entry(index: int, term: int = 1, data: bytes = b"change") -> Entry:
    return Entry(term, index, EntryType.CONF_CHANGE, data)


def with_learner(**options: int) -> Cluster:
    """Three voters led by 1, and node 4 that listens and has everything."""
    cluster = Cluster(3, spare=2, **options)
    cluster.elect(1)
    assert cluster.change(1, (LEARN, 4)) is not None
    cluster.run(3)
    return cluster


def reason(cluster: Cluster) -> Refusal:
    assert cluster.refused is not None
    return Refusal(cluster.refused.reason)


# --- the pure changer


@pytest.mark.parametrize(
    ("before", "asked", "after"),
    [
        (ConfState((1, 2, 3)), change((LEARN, 4)), ConfState((1, 2, 3), learners=(4,))),
        (ConfState((1, 2, 3), learners=(4,)), change((ADD, 4)), ConfState((1, 2, 3, 4))),
        (ConfState((1, 2, 3)), change((REMOVE, 3)), ConfState((1, 2))),
        (ConfState((1, 2, 3)), change((LEARN, 3)), ConfState((1, 2), learners=(3,))),
        (ConfState((1, 2, 3)), change((REMOVE, 9)), ConfState((1, 2, 3))),
        (ConfState((1, 2, 3)), ConfChange(), ConfState((1, 2, 3))),
        (
            ConfState((1, 2, 3), learners=(4,)),
            change((ADD, 4), (REMOVE, 1)),
            ConfState((2, 3, 4), (1, 2, 3), auto_leave=True),
        ),
        (
            ConfState((1, 2, 3), learners=(4,)),
            change((ADD, 4), (LEARN, 1)),
            ConfState((2, 3, 4), (1, 2, 3), learners_next=(1,), auto_leave=True),
        ),
        (
            ConfState((1, 2, 3)),
            change((REMOVE, 3), transition=Transition.JOINT_EXPLICIT),
            ConfState((1, 2), (1, 2, 3)),
        ),
        (
            ConfState((2, 3, 4), (1, 2, 3), (9,), (1,), True),
            LEAVE_JOINT,
            ConfState((2, 3, 4), learners=(1, 9)),
        ),
        (ConfState((2, 3), (1, 2)), ConfChange(), ConfState((2, 3), (1, 2))),
    ],
)
def test_what_a_change_makes_of_a_configuration(
    before: ConfState, asked: ConfChange, after: ConfState
) -> None:
    assert next_conf(before, asked) == after


@pytest.mark.parametrize(
    ("before", "asked", "message"),
    [
        (ConfState((1,)), change((REMOVE, 1)), "leaves no voter"),
        (ConfState((1, 2)), change((ADD, 3)), r"\[3\] would vote without having been learners"),
        (ConfState((1, 2)), change((LEARN, 3), (REMOVE, 3)), "names a node twice"),
        (ConfState((1, 2)), change((LEARN, 0)), "below 1"),
        (ConfState((1, 2)), LEAVE_JOINT, "no joint configuration to leave"),
        (ConfState((2, 3), (1, 2)), change((LEARN, 4)), "leave the joint configuration first"),
        (ConfState((2, 3), (1, 2)), change((LEARN, 4), transition=Transition.LEAVE), "leave first"),
    ],
)
def test_what_a_configuration_cannot_become(before: ConfState, asked: ConfChange, message: str) -> None:
    with pytest.raises(ConfChangeError, match=message):
        next_conf(before, asked)


@settings(deadline=None, max_examples=200)
@given(
    st.lists(
        st.lists(st.tuples(st.sampled_from(ChangeType), st.integers(1, 6)), max_size=3),
        min_size=1,
        max_size=8,
    ),
    st.sampled_from([Transition.AUTO, Transition.JOINT, Transition.JOINT_EXPLICIT]),
)
def test_any_two_consecutive_configurations_share_a_majority(
    steps: list[list[tuple[ChangeType, int]]], transition: Transition
) -> None:
    """Dissertation, 4.1 and 4.3: no majority of one can decide without a voter of every majority of the next."""
    conf = ConfState((1, 2, 3))
    for step in steps:
        for asked in (change(*step, transition=transition), LEAVE_JOINT):
            try:
                after = next_conf(conf, asked, learners_first=False)
            except ConfChangeError:
                continue
            shared = [half for half in conf.halves if half in after.halves]
            assert shared or len(set(conf.voters).symmetric_difference(after.voters)) <= 1
            conf = after


# --- taking in a change


def test_a_member_is_added_as_a_learner_and_then_votes() -> None:
    cluster = with_learner()
    assert cluster.core(1).status().conf_state == ConfState((1, 2, 3), learners=(4,))
    assert cluster.core(1).status().peers[4].is_learner
    assert cluster.change(1, (ADD, 4)) is not None
    cluster.run(3)
    assert all(cluster.core(node).status().conf_state == ConfState((1, 2, 3, 4)) for node in (1, 2, 3, 4))
    cluster.isolate(3)
    assert cluster.propose(1) is not None
    cluster.run(3)
    assert cluster.applied(4)[-1] == b"0"


def test_a_change_takes_effect_when_it_is_applied() -> None:
    """Semantics as etcd's: the leader itself counts by the old configuration until then."""
    node, disk = make_node(voters=3)
    for request in only(elect(node, disk), MessageType.APPEND):
        node.step(ack(request))
    work(node, disk)
    entry = node.propose_conf_change(b"add", change((LEARN, 4)))
    assert entry.type is EntryType.CONF_CHANGE
    (request, _) = only(work(node, disk), MessageType.APPEND)
    node.step(ack(request))
    ready = node.ready()
    assert list(ready.committed_entries) == [entry]
    assert 4 not in node.status().peers
    assert node.apply_conf_change(entry.index, change((LEARN, 4))).learners == (4,)
    assert 4 in node.status().peers
    node.advance(ready)
    assert [message.to for message in work(node, disk)] == [4]


def test_bug_12_no_change_before_an_entry_of_the_own_term_is_committed() -> None:
    """The correction of 2015 to section 4.1: two leaders' changes could each win by disjoint majorities."""
    node, disk = make_node(voters=3)
    (request, _) = only(elect(node, disk), MessageType.APPEND)
    with pytest.raises(ProposalRefusedError) as refused:
        node.propose_conf_change(b"x", change((LEARN, 4)))
    assert refused.value.reason is Refusal.TERM_NOT_COMMITTED
    node.step(ack(request))
    work(node, disk)
    assert node.propose_conf_change(b"x", change((LEARN, 4))).index == 2


def test_one_change_in_flight() -> None:
    cluster = with_learner()
    first = cluster.change(1, (LEARN, 5))
    assert first is not None
    assert cluster.change(1, (ADD, 4)) is None
    assert reason(cluster) is Refusal.CHANGE_IN_FLIGHT
    cluster.settle()
    assert cluster.change(1, (ADD, 4)) is not None


def test_a_new_leader_waits_for_a_change_that_an_earlier_one_left() -> None:
    disk = MemoryStorage()
    disk.append([*entries(1), conf_entry(2)])
    disk.hard_state = HardState(1, 0, 1)
    node, _ = make_node(voters=3, storage=disk, applied=1)
    (request, _) = only(elect(node, disk), MessageType.APPEND)
    node.step(ack(request, index=3))
    ready = node.ready()
    assert [entry.index for entry in ready.committed_entries] == [2, 3]
    with pytest.raises(ProposalRefusedError) as refused:
        node.propose_conf_change(b"x", change((LEARN, 5)))
    assert refused.value.reason is Refusal.CHANGE_IN_FLIGHT
    node.apply_conf_change(2, change((LEARN, 4)))
    node.advance(ready)
    assert node.propose_conf_change(b"x", change((LEARN, 5))).index == 4


@pytest.mark.parametrize(
    ("asked", "data", "expected"),
    [
        (change((ADD, 4)), b"x", Refusal.CHANGE_NOT_ALLOWED),
        (LEAVE_JOINT, b"", Refusal.CHANGE_NOT_ALLOWED),
        (LEAVE_JOINT, b"x", Refusal.CHANGE_NOT_ALLOWED),
        (change((LEARN, 4)), b"", Refusal.EMPTY),
        (change((LEARN, 4)), b"x" * (1 << 25), Refusal.TOO_LARGE),
    ],
)
def test_a_leader_says_why_it_takes_no_change(asked: ConfChange, data: bytes, expected: Refusal) -> None:
    cluster = Cluster(3)
    cluster.elect(1)
    cluster.run(1)
    with pytest.raises(ProposalRefusedError) as refused:
        cluster.core(1).propose_conf_change(data, asked)
    assert refused.value.reason is expected
    with pytest.raises(ProposalRefusedError, match="NOT_LEADER"):
        cluster.core(2).propose_conf_change(data, asked)


def test_a_change_is_applied_once_in_order_and_only_when_committed() -> None:
    node, _ = make_node(voters=3)
    node.step(append(1, new=[conf_entry(1), conf_entry(2)], commit=1))
    with pytest.raises(ConfChangeError, match="entry 1 is not the next change"):
        node.apply_conf_change(1, ConfChange())
    node.ready()
    node.apply_conf_change(1, change((LEARN, 4)))
    for index in (1, 2):
        with pytest.raises(ConfChangeError, match=f"entry {index} is not the next change"):
            node.apply_conf_change(index, change((LEARN, 5)))
    assert node.status().conf_state.learners == (4,)


def test_a_change_that_cannot_be_made_changes_nothing() -> None:
    node, _ = make_node(voters=3)
    node.step(append(1, new=[conf_entry(1)], commit=1))
    node.ready()
    with pytest.raises(ConfChangeError, match="without having been learners"):
        node.apply_conf_change(1, change((ADD, 4)))
    assert node.apply_conf_change(1, ConfChange()) == ConfState((1, 2, 3))


# --- learners


def test_bug_17_a_learner_counts_for_nothing() -> None:
    """Dissertation, 4.2.1: it neither commits nor elects, nor confirms a read, nor stands for election."""
    cluster = with_learner()
    cluster.run(2)
    cluster.isolate(1, 4)
    before = cluster.core(1).commit
    cluster.propose(1)
    cluster.read(1)
    cluster.run(3)
    assert cluster.core(1).commit == before
    assert cluster.observer.reads_confirmed == 0
    cluster.run(40)
    assert cluster.core(1).role is not Role.LEADER, "a learner is no majority for check-quorum either"
    assert cluster.core(4).role is Role.FOLLOWER
    cluster.campaign(4)
    assert cluster.core(4).role is Role.FOLLOWER


def test_bug_17_a_learner_that_has_not_caught_up_is_not_promoted() -> None:
    """Dissertation, 4.2.1: as a voter it would hold up every commit it is needed for."""
    cluster = Cluster(3, spare=1)
    cluster.elect(1)
    for _ in range(5):
        cluster.propose(1)
    cluster.settle()
    cluster.isolate(4)
    cluster.change(1, (LEARN, 4))
    cluster.run(2)
    assert cluster.change(1, (ADD, 4)) is None
    assert reason(cluster) is Refusal.LEARNER_BEHIND
    cluster.heal()
    cluster.run(3)
    assert cluster.change(1, (ADD, 4)) is not None


def test_bug_17_a_learner_whose_window_is_full_has_not_caught_up() -> None:
    cluster = with_learner(inflight_messages_max=1)
    cluster.isolate(4)
    for _ in range(3):
        cluster.propose(1)
        cluster.settle()
    assert cluster.change(1, (ADD, 4)) is None
    assert reason(cluster) is Refusal.LEARNER_BEHIND


def test_bug_17_who_does_not_know_yet_that_it_votes_votes() -> None:
    """Dissertation, 4.2.1: the promotion may be committed by votes that its learner must give."""
    node, disk = make_node(voters=(), conf_state=ConfState((2, 3), learners=(1,)))
    node.step(Message(MessageType.VOTE, 1, 2, 4, 1, 0, 0))
    (answer,) = only(work(node, disk), MessageType.VOTE_RESPONSE)
    assert not answer.reject


def test_bug_23_a_learner_added_while_cut_off_is_found_when_it_comes() -> None:
    """openraft#1828: nobody ever tells the leader that its first probe was lost."""
    cluster = Cluster(3, spare=1, tail_bytes_max=1)
    cluster.elect(1)
    cluster.isolate(4)
    cluster.change(1, (LEARN, 4))
    cluster.run(30)
    cluster.release(1)
    cluster.heal()
    cluster.run(3)
    assert cluster.peers[4].disk.conf_state == ConfState((1, 2, 3), learners=(4,))


# --- elections around a change


def test_bug_13_no_campaign_with_a_committed_change_that_is_not_applied() -> None:
    """etcd-io/raft#456: its votes would be counted by a configuration no longer in force."""
    disk = MemoryStorage()
    disk.append([*entries(1), conf_entry(2), *entries(1, start=3)])
    disk.hard_state = HardState(1, 0, 3)
    node, _ = make_node(voters=3, storage=disk, applied=1)
    node.campaign()
    node.step(Message(MessageType.TIMEOUT_NOW, 1, 2, 1, 7))
    for _ in range(30):
        node.tick()
    assert node.role is Role.FOLLOWER
    ready = node.ready()
    node.apply_conf_change(2, change((LEARN, 4)))
    node.advance(ready)
    node.campaign()
    assert node.role is Role.PRE_CANDIDATE


def test_bug_13_a_change_that_is_not_committed_hinders_nobody() -> None:
    disk = MemoryStorage()
    disk.append([*entries(1), conf_entry(2)])
    disk.hard_state = HardState(1, 0, 1)
    node, _ = make_node(voters=3, storage=disk, applied=1)
    node.campaign()
    assert node.role is Role.PRE_CANDIDATE


def test_bug_14_the_configuration_at_restart_is_the_callers_at_the_applied_index() -> None:
    """It comes with the applied index or a snapshot; what is applied after it changes it again."""
    cluster = with_learner()
    cluster.change(1, (ADD, 4))
    cluster.run(3)
    for node in cluster.ids[:4]:
        cluster.crash(node)
        cluster.restart(node)
        assert cluster.core(node).status().conf_state == ConfState((1, 2, 3, 4))
    cluster.converge(5)


def test_bug_14_a_truncated_change_was_never_in_force() -> None:
    node, disk = make_node(voters=3, storage=disk_with(1))
    node.step(append(1, (1, 1), [conf_entry(2)]))
    work(node, disk)
    node.step(append(2, (1, 1), entries(2, start=2), sender=3))
    work(node, disk)
    assert node.status().conf_state == ConfState((1, 2, 3))


def test_bug_14_the_configuration_comes_with_the_snapshot() -> None:
    cluster = Cluster(3, spare=2, tail_bytes_max=1)
    cluster.elect(1)
    cluster.isolate(3)
    cluster.change(1, (LEARN, 4))
    cluster.settle()
    cluster.propose(1)
    cluster.settle()
    cluster.release(1)
    cluster.heal()
    cluster.run(3)
    assert cluster.observer.snapshots_installed == 1
    assert cluster.core(3).status().conf_state.learners == (4,)


# --- joint consensus


def test_a_voter_is_replaced_in_one_step_through_a_joint_configuration() -> None:
    cluster = with_learner()
    cluster.change(1, (ADD, 4), (REMOVE, 3))
    cluster.run(3)
    for node in (1, 2, 4):
        assert cluster.core(node).status().conf_state == ConfState((1, 2, 4))
    kinds = [entry.data for entry in log_of(cluster.core(1)) if entry.type is EntryType.CONF_CHANGE]
    assert kinds[-1] == b"", "left by the leader's own entry"


def test_while_joint_both_majorities_are_needed() -> None:
    """Dissertation, 4.3."""
    cluster = with_learner()
    cluster.change(1, (ADD, 4), (REMOVE, 3), transition=Transition.JOINT_EXPLICIT)
    cluster.run(3)
    assert cluster.core(1).status().conf_state == ConfState((1, 2, 4), (1, 2, 3))
    cluster.isolate(2, 3)
    before = cluster.core(1).commit
    cluster.propose(1)
    cluster.run(3)
    assert cluster.core(1).commit == before, "1 and 4 are two of (1, 2, 4) and one of (1, 2, 3)"
    cluster.heal()
    cluster.run(3)
    assert cluster.core(1).commit == before + 1
    assert cluster.change(1, (LEARN, 5)) is None
    assert reason(cluster) is Refusal.CHANGE_IN_FLIGHT
    assert cluster.change(1, transition=Transition.LEAVE) is not None
    cluster.run(2)
    assert cluster.core(2).status().conf_state == ConfState((1, 2, 4))


def test_bug_15_the_next_leader_leaves_the_joint_configuration() -> None:
    """etcd#12136: auto-leave is a property of the configuration, not of the leader that entered it."""
    cluster = with_learner()
    entry = cluster.change(1, (ADD, 4), (REMOVE, 3))
    assert entry is not None
    while cluster.core(2).status().applied < entry.index:
        for node in (1, 2, 3, 4):
            cluster.work(node)
        cluster.flying = [
            message
            for message in cluster.flying
            if not any(item.index > entry.index for item in message.entries)
        ]
        for _ in range(len(cluster.flying)):
            cluster.deliver()
        cluster.tick(1)
    cluster.crash(1)
    cluster.flying.clear()
    assert cluster.core(2).status().conf_state == ConfState((1, 2, 4), (1, 2, 3), auto_leave=True)
    cluster.run(60)
    assert cluster.leaders()[0] in (2, 4)
    assert cluster.core(2).status().conf_state == ConfState((1, 2, 4))


def test_a_leader_that_hands_over_leaves_no_joint_configuration() -> None:
    """It would put off the moment at which the next leader has everything; that one can leave it itself."""
    joint = ConfState((1, 2), (1, 3), auto_leave=True)
    node, disk = make_node(voters=(), conf_state=joint, election_tick=5)
    sent = only(elect(node, disk), MessageType.APPEND)
    node.transfer_leader(2)
    for request in sent:
        node.step(ack(request))
    work(node, disk)
    assert (node.commit, node.last_index) == (1, 1)
    node.transfer_leader(1)
    node.tick()
    work(node, disk)
    assert log_of(node)[-1].type is EntryType.CONF_CHANGE


# --- leaving


def test_bug_16_a_removed_leader_does_not_count_itself_and_steps_down() -> None:
    """Dissertation, 4.2.2: it leads until its removal is applied, then counts for nothing."""
    cluster = Cluster(3)
    cluster.elect(1)
    cluster.run(1)
    entry = cluster.change(1, (REMOVE, 1))
    assert entry is not None
    cluster.settle()
    assert cluster.core(1).role is Role.FOLLOWER
    assert all(cluster.core(node).commit == entry.index for node in (2, 3)), "it told them what is committed"
    cluster.run(40)
    assert cluster.leaders()[0] in (2, 3)
    assert cluster.core(1).role is Role.FOLLOWER
    cluster.campaign(1)
    assert cluster.core(1).role is Role.FOLLOWER
    cluster.converge(5)


def test_bug_16_a_removed_leader_first_brings_its_log_to_an_end() -> None:
    """Of two voters the one that stays needs the other's vote, until it knows; it must not have less log."""
    cluster = Cluster(2, message_bytes_max=1, inflight_messages_max=1)
    cluster.elect(1)
    cluster.run(1)
    cluster.change(1, (REMOVE, 1))
    last = [cluster.propose(1) for _ in range(4)][-1]
    assert last is not None
    cluster.settle()
    assert cluster.core(1).role is Role.FOLLOWER
    assert cluster.core(2).last_index == last.index
    cluster.run(60)
    assert cluster.leaders() == [2]


def test_bug_16_a_removed_leader_takes_in_nothing_more() -> None:
    cluster = Cluster(3, message_bytes_max=1, inflight_messages_max=1)
    cluster.elect(1)
    cluster.run(1)
    cluster.change(1, (REMOVE, 1))
    for _ in range(3):
        cluster.propose(1)
    while cluster.core(1).status().conf_state.voters != (2, 3):
        for node in cluster.ids:
            cluster.work(node)
        cluster.deliver()
    assert cluster.core(1).role is Role.LEADER
    assert cluster.propose(1) is None
    cluster.settle()
    cluster.converge(5)


def test_bug_16_a_removed_leader_that_stays_needs_the_others_majority() -> None:
    node, disk = make_node(voters=3, step_down_on_removal=False)
    for request in only(elect(node, disk), MessageType.APPEND):
        node.step(ack(request))
    work(node, disk)
    entry = node.propose_conf_change(b"x", change((REMOVE, 1)))
    sent = only(work(node, disk), MessageType.APPEND)
    node.step(ack(sent[0]))
    ready = node.ready()
    node.apply_conf_change(entry.index, change((REMOVE, 1)))
    node.advance(ready)
    work(node, disk)
    assert node.role is Role.LEADER
    later = node.propose(b"later")
    requests = [m for m in only(work(node, disk), MessageType.APPEND) if m.entries]
    node.step(ack(requests[0], index=later.index))
    work(node, disk)
    assert node.commit == entry.index, "one of two voters and a leader that is none"
    node.step(ack(sent[1], index=later.index))
    work(node, disk)
    assert node.commit == later.index


@pytest.mark.parametrize("knows", [True, False])
def test_bug_16_a_removed_node_disturbs_nobody(*, knows: bool) -> None:
    """Dissertation, 4.2.3: whether or not it has heard that it is removed."""
    cluster = Cluster(4)
    cluster.elect(1)
    cluster.run(1)
    if not knows:
        cluster.isolate(4)
    cluster.change(1, (REMOVE, 4))
    cluster.run(2)
    cluster.heal()
    term = cluster.core(1).term
    cluster.run(100)
    assert cluster.leaders() == [1]
    assert cluster.core(1).term == term
    assert cluster.core(4).term <= term
    assert (4 in cluster.core(4).status().conf_state.voters) is not knows


def test_bug_06_who_leaves_and_returns_in_one_term_gets_a_new_session() -> None:
    """Nine of sixteen libraries fail: an old acknowledgement must not count for the empty newcomer."""
    cluster = with_learner()
    old = cluster.core(1)._core.progress[4].session
    cluster.change(1, (REMOVE, 4))
    cluster.run(2)
    cluster.isolate(4)
    cluster.change(1, (LEARN, 4))
    cluster.settle()
    core = cluster.core(1)
    assert core._core.progress[4].session > old
    core.step(Message(MessageType.APPEND_RESPONSE, 1, 4, core.term, old, index=core.last_index))
    assert core.status().peers[4].match == 0


def test_a_smaller_quorum_commits_at_once_what_waited_for_the_larger() -> None:
    node, disk = make_node(voters=4)
    for request in only(elect(node, disk), MessageType.APPEND):
        node.step(ack(request))
    work(node, disk)
    entry = node.propose_conf_change(b"x", change((REMOVE, 4)))
    after = node.propose(b"after")
    second, third, _ = (m for m in only(work(node, disk), MessageType.APPEND) if m.index == 1)
    node.step(ack(second, index=after.index))
    node.step(ack(third, index=entry.index))
    ready = node.ready()
    assert node.commit == entry.index
    node.apply_conf_change(entry.index, change((REMOVE, 4)))
    assert node.commit == after.index, "two of three have it"
    node.advance(ready)


def test_a_smaller_quorum_commits_what_waited_for_the_larger() -> None:
    """Removing a dead voter is how a cluster gets its majority back; what waits is committed by it."""
    cluster = Cluster(4)
    cluster.elect(1)
    cluster.run(1)
    cluster.crash(4)
    entry = cluster.change(1, (REMOVE, 4))
    after = cluster.propose(1)
    assert entry is not None
    assert after is not None
    for _ in range(4):
        for node in (1, 2):
            cluster.work(node)
        cluster.flying = [message for message in cluster.flying if 3 not in (message.to, message.sender)]
        for _ in range(len(cluster.flying)):
            cluster.deliver()
    assert cluster.core(1).commit < entry.index, "two of four"
    cluster.run(2)
    assert cluster.core(1).commit == after.index


def test_a_transfer_to_who_leaves_is_given_up() -> None:
    cluster = Cluster(3)
    cluster.elect(1)
    cluster.run(1)
    cluster.change(1, (REMOVE, 3))
    cluster.isolate(3)
    cluster.transfer(1, 3)
    cluster.settle()
    assert cluster.core(1).status().transferee == 0
    assert cluster.propose(1) is not None


def test_a_node_outside_the_configuration_only_listens() -> None:
    node, disk = make_node(9, voters=(), conf_state=ConfState((1, 2, 3)))
    for _ in range(50):
        node.tick()
    assert node.role is Role.FOLLOWER
    node.step(append(1, new=entries(1), to=9))
    node.step(heartbeat(1, to=9, commit=1))
    work(node, disk)
    assert node.commit == 1


def test_snapshots_reach_a_node_they_do_not_name() -> None:
    """It may be added by an entry after the snapshot."""
    node, _ = make_node(9, voters=(), conf_state=ConfState((1, 2, 3)))
    snapshot = Snapshot(5, 1, ConfState((1, 2, 3)), b"")
    node.step(Message(MessageType.SNAPSHOT, 9, 1, 1, 7, snapshot=snapshot))
    ready = node.ready()
    assert ready.snapshot == snapshot


def test_a_change_overtaken_by_a_snapshot_changes_what_is_stored_and_not_what_is_in_force() -> None:
    """A snapshot may arrive while changes handed out before it are still being written."""
    node, disk = make_node()
    node.step(append(1, new=[conf_entry(1), *entries(1, start=2)], commit=1))
    first = node.ready()
    newest = ConfState((1, 2), learners=(4, 5))
    node.step(Message(MessageType.SNAPSHOT, 1, 2, 1, 7, snapshot=Snapshot(9, 1, newest, b"")))
    assert node.apply_conf_change(1, change((LEARN, 4))) == ConfState((1, 2, 3), learners=(4,))
    assert node.status().conf_state == newest
    disk.append(first.entries)
    node.advance(first)
    ready = node.ready()
    assert ready.snapshot is not None
    disk.apply_snapshot(ready.snapshot)
    node.advance(ready)
    with pytest.raises(ConfChangeError, match="is not the next change"):
        node.apply_conf_change(2, ConfChange())


def test_what_a_snapshot_overtook_is_remembered_until_the_snapshot_is_stored() -> None:
    """Writes that end between the snapshot's arrival and its own write still apply changes to what is stored."""
    node, disk = make_node()
    node.step(append(1, new=[conf_entry(1)], commit=1))
    first = node.ready()
    node.step(append(1, (1, 1), [conf_entry(2)], commit=2))
    second = node.ready()
    newest = ConfState((1, 2), learners=(4, 5))
    node.step(Message(MessageType.SNAPSHOT, 1, 2, 1, 7, snapshot=Snapshot(9, 1, newest, b"")))
    assert node.apply_conf_change(1, change((LEARN, 4))) == ConfState((1, 2, 3), learners=(4,))
    disk.append(first.entries)
    node.advance(first)
    assert node.apply_conf_change(2, change((LEARN, 5))) == ConfState((1, 2, 3), learners=(4, 5))
    disk.append(second.entries)
    node.advance(second)
    assert node.status().conf_state == newest
