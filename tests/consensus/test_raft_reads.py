"""Linearizable reads by read index (dissertation, section 6.4)."""

import pytest
from raft_harness import Cluster, ack, beat_answer, disk_with, elect, make_node, only, work

from consensus import (
    MemoryStorage,
    Message,
    MessageType,
    RawNode,
    ReadRefusedError,
    ReadState,
    Ready,
    Refusal,
    Role,
)


def leading(voters: int = 3, **settings: int) -> tuple[RawNode, MemoryStorage]:
    """A leader that has committed the entry that opens its term."""
    node, disk = make_node(voters=voters, **settings)
    for request in only(elect(node, disk), MessageType.APPEND):
        node.step(ack(request))
    work(node, disk)
    assert node.commit == 1
    return node, disk


def beats(ready: Ready) -> list[Message]:
    return only(list(ready.messages), MessageType.HEARTBEAT)


def answered(node: RawNode) -> list[ReadState]:
    return list(node.ready().read_states)


def test_a_read_is_answered_when_a_majority_confirms() -> None:
    node, _ = leading(5)
    node.read_index(b"a")
    asked = beats(node.ready())
    assert [beat.context for beat in asked] == [1, 1, 1, 1]
    node.step(beat_answer(asked[0]))
    assert not answered(node), "two of five"
    node.step(beat_answer(asked[0]))
    assert not answered(node), "still two of five"
    node.step(beat_answer(asked[1]))
    assert answered(node) == [ReadState(1, b"a")]
    node.step(beat_answer(asked[2]))
    assert not answered(node), "once"


def test_the_index_is_that_of_the_question() -> None:
    node, disk = leading()
    node.read_index(b"a")
    (asked, _) = beats(node.ready())
    entry = node.propose(b"later")
    for request in only(work(node, disk), MessageType.APPEND):
        node.step(ack(request))
    assert node.commit == entry.index == 2
    node.step(beat_answer(asked))
    assert answered(node) == [ReadState(1, b"a")]


def test_reads_between_two_readies_share_one_round_of_heartbeats() -> None:
    node, _ = leading()
    for context in (b"a", b"b", b"c"):
        node.read_index(context)
    (asked, _) = beats(node.ready())
    node.step(beat_answer(asked))
    assert [state.context for state in answered(node)] == [b"a", b"b", b"c"]


def test_a_lost_round_is_made_good_by_the_next_heartbeat_with_all_that_waited_for_it() -> None:
    node, _ = leading()
    node.read_index(b"a")
    node.ready()
    node.read_index(b"b")
    node.tick()
    (asked, _) = beats(node.ready())
    node.step(beat_answer(asked))
    ready = node.ready()
    assert ready.read_states == [ReadState(1, b"a"), ReadState(1, b"b")]
    assert not beats(ready), "an ordinary heartbeat carried both"


def test_the_next_heartbeat_comes_an_interval_after_a_round_for_reads() -> None:
    node, _ = leading(heartbeat_tick=2, election_tick=10)
    node.ready()
    node.tick()
    node.read_index(b"a")
    assert beats(node.ready())
    node.tick()
    assert not beats(node.ready())
    node.tick()
    assert beats(node.ready())


def test_a_lone_voter_answers_at_once() -> None:
    node, disk = make_node(voters=1)
    elect(node, disk)
    node.read_index(b"a")
    assert answered(node) == [ReadState(1, b"a")]


def test_bug_19_no_read_before_a_commit_in_the_own_term() -> None:
    """etcd#7331: a new leader's commit index may be behind what its predecessor acknowledged."""
    node, disk = make_node(storage=disk_with(1, 1, term=1))
    sent = elect(node, disk)
    assert (node.term, node.commit) == (2, 0)
    with pytest.raises(ReadRefusedError) as refused:
        node.read_index(b"a")
    assert refused.value.reason is Refusal.TERM_NOT_COMMITTED
    (request,) = only(sent, MessageType.APPEND, to=2)
    node.step(ack(request, index=3))
    node.read_index(b"a")
    (asked, _) = beats(node.ready())
    node.step(beat_answer(asked))
    assert answered(node) == [ReadState(3, b"a")]


def test_bug_20_an_answer_to_an_earlier_attempt_confirms_nothing_newer() -> None:
    """etcd#20418: a retry under the same id is confirmed by answers from before the retry."""
    node, _ = leading()
    node.read_index(b"a")
    (first, _) = beats(node.ready())
    node.read_index(b"a")
    node.step(beat_answer(first))
    ready = node.ready()
    assert len(ready.read_states) == 1, "the first attempt only"
    (second, _) = beats(ready)
    assert second.context > first.context
    node.step(beat_answer(first))
    assert not answered(node)
    node.step(beat_answer(second))
    assert len(answered(node)) == 1


def test_reads_asked_for_during_a_round_share_the_next_one() -> None:
    node, _ = leading()
    node.read_index(b"a")
    (first, _) = beats(node.ready())
    for context in (b"b", b"c", b"d"):
        node.read_index(context)
        assert not node.has_ready(), "one round at a time"
    node.step(beat_answer(first))
    ready = node.ready()
    assert [state.context for state in ready.read_states] == [b"a"]
    (second, _) = beats(ready)
    node.step(beat_answer(second))
    ready = node.ready()
    assert [state.context for state in ready.read_states] == [b"b", b"c", b"d"]
    assert not beats(ready), "nothing is left to be carried"


def test_bug_20_numbers_are_fresh_in_a_later_term_too() -> None:
    """etcd#20418: an answer that outlived its term confirms nothing in the next one."""
    node, disk = leading()
    node.read_index(b"a")
    (old, _) = beats(node.ready())
    node.step(Message(MessageType.HEARTBEAT, 1, 3, 2, 7))
    for request in only(elect(node, disk), MessageType.APPEND):
        node.step(ack(request))
    work(node, disk)
    node.read_index(b"b")
    (new, _) = beats(node.ready())
    assert new.context > old.context
    node.step(Message(MessageType.HEARTBEAT_RESPONSE, 1, 2, node.term, old.session, context=new.context))
    assert not answered(node), "another session"


def test_an_answer_that_names_a_read_nobody_asked_for_is_ignored() -> None:
    node, _ = leading()
    node.read_index(b"a")
    (asked, _) = beats(node.ready())
    node.step(
        Message(MessageType.HEARTBEAT_RESPONSE, 1, asked.to, asked.term, asked.session, context=1 << 40)
    )
    node.read_index(b"b")
    assert not answered(node), "a dishonest peer confirms no future read"


def test_bug_21_a_deposed_leader_answers_no_read_however_fresh_it_thinks_it_is() -> None:
    """Dissertation, 6.4.1: with a lease, a leader paused past its lease would answer from the past."""
    cluster = Cluster(3)
    cluster.elect(1)
    cluster.run(1)
    cluster.isolate(1)
    for node in (2, 3):
        cluster.touch(node, lambda core: core.forget_leader())
    cluster.campaign(2)
    cluster.settle()
    written = cluster.propose(2)
    cluster.settle()
    assert written is not None
    assert cluster.core(2).commit == written.index
    assert cluster.core(1).role is Role.LEADER, "no time has passed for it"
    assert cluster.read(1) is not None
    cluster.settle()
    cluster.heal()
    cluster.run(2)
    assert cluster.core(1).role is Role.FOLLOWER
    assert cluster.observer.reads_confirmed == 0


def test_a_follower_refuses_and_names_the_leader() -> None:
    cluster = Cluster(3)
    cluster.elect(2)
    with pytest.raises(ReadRefusedError, match="NOT_LEADER: node 1 is follower in term 1; ask 2"):
        cluster.core(1).read_index(b"a")


def test_reads_waiting_are_bounded() -> None:
    node, _ = leading(reads_max=2)
    node.read_index(b"a")
    node.read_index(b"b")
    with pytest.raises(ReadRefusedError, match="TOO_MANY_READS: 2 reads wait"):
        node.read_index(b"c")
    assert node.status().reads_waiting == 2
    (asked, _) = beats(node.ready())
    node.step(beat_answer(asked))
    node.read_index(b"c")


def test_reads_of_a_lost_leader_are_not_answered_but_confirmed_ones_stay_good() -> None:
    node, _ = leading()
    node.read_index(b"confirmed")
    (asked, _) = beats(node.ready())
    node.step(beat_answer(asked))
    node.read_index(b"waiting")
    node.step(Message(MessageType.HEARTBEAT, 1, 3, 2, 7))
    ready = node.ready()
    assert [state.context for state in ready.read_states] == [b"confirmed"]
    assert ready.soft_state is not None
    assert ready.soft_state.role is Role.FOLLOWER
    assert node.status().reads_waiting == 0


def test_an_idle_leader_sends_no_rounds() -> None:
    node, _ = leading()
    assert not node.has_ready()
    node.read_index(b"a")
    assert node.has_ready()
    assert len(beats(node.ready())) == 2
    assert not node.has_ready()
