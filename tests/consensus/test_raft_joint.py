"""While two configurations are joined, whatever needs a majority needs one of each (dissertation, section 4.3).

Node 1 is in both sets; 2 and 3 go, 4 and 5 come. Three of five are no majority of both unless each set has two.
"""

import pytest
from raft_harness import beat_answer, disk_with, grant, make_node, only, work

from consensus import ConfState, MemoryStorage, Message, MessageType, RawNode, Role

JOINT = ConfState(voters=(1, 4, 5), voters_outgoing=(1, 2, 3))
NO_MAJORITY = pytest.mark.parametrize("helpers", [(2, 3), (4, 5)], ids=["those that go", "those that come"])


def candidate() -> tuple[RawNode, dict[int, Message]]:
    """Node 1 as a candidate, and what it asked of each."""
    node, disk = make_node(1, (), conf_state=JOINT, pre_vote=False)
    node.campaign()
    return node, {message.to: message for message in only(work(node, disk), MessageType.VOTE)}


def leader() -> tuple[RawNode, MemoryStorage]:
    """Node 1 as a leader that has committed in its term."""
    disk = disk_with(1, commit=1)
    node, _ = make_node(1, (), disk, 1, conf_state=JOINT, pre_vote=False)
    node.campaign()
    for message in only(work(node, disk), MessageType.VOTE):
        node.step(grant(message))
    for message in only(work(node, disk), MessageType.APPEND):
        answer = Message(
            MessageType.APPEND_RESPONSE, 1, message.to, message.term, message.session, index=message.index + 1
        )
        node.step(answer)
    work(node, disk)
    assert (node.role, node.commit) == (Role.LEADER, 2)
    return node, disk


@NO_MAJORITY
def test_an_election_is_won_by_both(helpers: tuple[int, int]) -> None:
    node, asked = candidate()
    assert sorted(asked) == [2, 3, 4, 5]
    for helper in helpers:
        node.step(grant(asked[helper]))
        assert node.role is Role.CANDIDATE
    node.step(grant(asked[next(other for other in asked if other not in helpers)]))
    assert node.role is Role.LEADER


@NO_MAJORITY
def test_an_election_is_lost_by_either(helpers: tuple[int, int]) -> None:
    node, asked = candidate()
    for helper in helpers:
        assert node.role is Role.CANDIDATE
        node.step(Message(MessageType.VOTE_RESPONSE, 1, helper, 1, asked[helper].session, reject=True))
    assert node.role is Role.FOLLOWER


@NO_MAJORITY
def test_a_read_is_confirmed_by_both(helpers: tuple[int, int]) -> None:
    node, _ = leader()
    node.read_index(b"r")
    beats = {message.to: message for message in only(node.ready().messages, MessageType.HEARTBEAT)}
    for helper in helpers:
        node.step(beat_answer(beats[helper]))
    assert node.status().reads_waiting == 1
    node.step(beat_answer(beats[next(other for other in beats if other not in helpers)]))
    assert [state.context for state in node.ready().read_states] == [b"r"]


@NO_MAJORITY
def test_a_leader_that_hears_one_of_them_steps_down(helpers: tuple[int, int]) -> None:
    node, disk = leader()
    for _ in range(25):
        node.tick()
        for beat in only(work(node, disk), MessageType.HEARTBEAT):
            if beat.to in helpers:
                node.step(beat_answer(beat))
    assert node.role is not Role.LEADER
