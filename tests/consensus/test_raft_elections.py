"""Who becomes leader and when: timing, pre-vote, stickiness, check-quorum."""

from random import Random

import pytest
from raft_harness import (
    Cluster,
    append,
    disk_with,
    elect,
    entries,
    grant,
    heartbeat,
    make_node,
    only,
    work,
)

from consensus import Config, ConfigError, Message, MessageType, Role


def vote(term: int, index: int = 0, log_term: int = 0, *, sender: int = 2, pre: bool = False) -> Message:
    kind = MessageType.PRE_VOTE if pre else MessageType.VOTE
    return Message(kind, 1, sender, term, 1, log_term, index)


def ticks_until_campaign(seed: int, election_tick: int = 10) -> int:
    node, _ = make_node(seed=seed, election_tick=election_tick)
    ticks = 0
    while node.role is Role.FOLLOWER:
        node.tick()
        ticks += 1
    return ticks


def test_election_timeouts_are_spread_between_one_and_two_election_ticks() -> None:
    waits = [ticks_until_campaign(seed) for seed in range(300)]
    assert set(waits) == set(range(10, 20))
    assert max(waits.count(wait) for wait in set(waits)) < 60, "no wait is much more likely than another"


def test_a_heartbeat_starts_the_wait_anew() -> None:
    node, disk = make_node()
    for _ in range(10):
        for _ in range(9):
            node.tick()
        node.step(heartbeat(1))
        work(node, disk)
    assert node.role is Role.FOLLOWER


def test_a_message_that_is_not_the_leaders_does_not_start_the_wait_anew() -> None:
    node, disk = make_node()
    for _ in range(20):
        node.step(Message(MessageType.VOTE_RESPONSE, 1, 2, 1, reject=True))
        node.tick()
    assert only(work(node, disk), MessageType.PRE_VOTE)


def test_granting_a_vote_starts_the_wait_anew() -> None:
    """Raft paper, section 5.2: whoever has just voted gives its candidate time to win."""
    for seed in range(20):
        node, disk = make_node(seed=seed, storage=disk_with(term=1))
        for _ in range(9):
            node.tick()
        node.step(vote(1))  # of the term it is in already, which alone starts no wait
        for _ in range(9):
            node.tick()
        assert node.role is Role.FOLLOWER
        (answer,) = work(node, disk)
        assert not answer.reject


def test_split_votes_end_because_the_wait_is_drawn_anew() -> None:
    for seed in range(10):
        cluster = Cluster(4, seed=seed, pre_vote=False)
        for node in cluster.ids:
            cluster.campaign(node)
        cluster.settle()
        assert cluster.leaders() == [], "everybody voted for itself"
        cluster.run(60)
        assert len(cluster.leaders()) == 1


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5])
def test_clusters_of_every_size_elect_one_leader(size: int) -> None:
    for seed in range(4):
        cluster = Cluster(size, seed=seed)
        cluster.run(50)
        assert len(cluster.leaders()) == 1
        assert cluster.propose(cluster.leaders()[0]) is not None
        cluster.settle()
        cluster.run(2)
        assert all(cluster.applied(node) == [b"0"] for node in cluster.ids)


def test_a_pre_vote_changes_neither_term_nor_vote() -> None:
    node, disk = make_node(storage=disk_with(1))
    node.step(vote(5, 9, 4, pre=True))
    (answer,) = work(node, disk)
    assert (answer.type, answer.term, answer.reject) == (MessageType.PRE_VOTE_RESPONSE, 5, False)
    assert node.term == 1
    assert disk.hard_state.vote == 0


@pytest.mark.parametrize("pre", [True, False], ids=["pre-vote", "vote"])
@pytest.mark.parametrize(
    ("index", "log_term", "granted"),
    [(2, 2, True), (3, 2, True), (1, 3, True), (1, 2, False), (9, 1, False), (0, 0, False)],
)
def test_votes_go_to_logs_at_least_as_up_to_date(
    *, pre: bool, index: int, log_term: int, granted: bool
) -> None:
    """Raft paper, section 5.4.1."""
    node, disk = make_node(storage=disk_with(1, 2))
    node.step(vote(5, index, log_term, pre=pre))
    (answer,) = work(node, disk)
    assert answer.reject is not granted
    assert answer.session == 1


@pytest.mark.parametrize("pre", [True, False], ids=["pre-vote", "vote"])
def test_a_node_that_hears_its_leader_ignores_requests_for_votes(*, pre: bool) -> None:
    """Dissertation, section 4.2.3."""
    node, disk = make_node()
    node.step(heartbeat(1))
    work(node, disk)
    node.step(vote(9, pre=pre, sender=3))
    assert work(node, disk) == []
    assert node.term == 1
    for _ in range(10):
        node.tick()
    node.step(vote(9, pre=pre, sender=3))
    assert [answer.reject for answer in only(work(node, disk), _answer_to(pre=pre))] == [False]


def _answer_to(*, pre: bool) -> MessageType:
    return MessageType.PRE_VOTE_RESPONSE if pre else MessageType.VOTE_RESPONSE


def test_a_leader_ignores_requests_for_votes_while_it_has_a_majority() -> None:
    node, disk = make_node()
    elect(node, disk)
    node.step(vote(9))
    assert work(node, disk) == []
    assert node.role is Role.LEADER


def test_a_lost_pre_vote_ends_the_campaign() -> None:
    node, disk = make_node(storage=disk_with(1))
    node.campaign()
    for asked in only(work(node, disk), MessageType.PRE_VOTE):
        node.step(Message(MessageType.PRE_VOTE_RESPONSE, 1, asked.to, 1, asked.session, reject=True))
    assert node.role is Role.FOLLOWER
    assert node.term == 1


def test_a_refusal_from_a_newer_term_is_followed() -> None:
    node, disk = make_node(storage=disk_with(1))
    node.campaign()
    asked = only(work(node, disk), MessageType.PRE_VOTE)[0]
    node.step(Message(MessageType.PRE_VOTE_RESPONSE, 1, asked.to, 7, asked.session, reject=True))
    assert (node.role, node.term) == (Role.FOLLOWER, 7)


def test_a_leader_steps_down_one_election_timeout_after_its_majority_fell_silent() -> None:
    node, disk = make_node(voters=5)
    elect(node, disk)
    ticks = 0
    while node.role is Role.LEADER:
        node.tick()
        for beat in only(work(node, disk), MessageType.HEARTBEAT, to=2):
            node.step(Message(MessageType.HEARTBEAT_RESPONSE, 1, 2, node.term, beat.session))
        ticks += 1
        assert ticks <= 20
    assert ticks == 10, "one peer of four is not enough"
    assert (node.term, node.lead) == (1, 0)


def test_a_leader_that_hears_a_majority_stays() -> None:
    node, disk = make_node(voters=5)
    elect(node, disk)
    for tick in range(100):
        node.tick()
        for beat in only(work(node, disk), MessageType.HEARTBEAT):
            if beat.to in (2, 3) and tick % 7 == 0:  # once per election timeout is enough
                node.step(Message(MessageType.HEARTBEAT_RESPONSE, 1, beat.to, node.term, beat.session))
    assert node.role is Role.LEADER


@pytest.mark.parametrize("message", [append(1), heartbeat(1), vote(1), vote(1, pre=True)])
def test_whoever_speaks_from_an_older_term_is_told_the_newer(message: Message) -> None:
    """etcd: a leader or candidate left in an old term would otherwise wait for ever."""
    node, disk = make_node(storage=disk_with(1, term=5))
    node.step(message)
    (answer,) = work(node, disk)
    assert (answer.term, answer.reject, answer.to) == (5, True, 2)
    assert node.lead == 0


def test_answers_of_an_older_term_are_ignored() -> None:
    node, disk = make_node(voters=3, storage=disk_with(1))
    node.campaign()
    asked = only(work(node, disk), MessageType.PRE_VOTE)[0]
    node.step(grant(asked))
    requests = only(work(node, disk), MessageType.VOTE)
    node.step(Message(MessageType.VOTE_RESPONSE, 1, 2, 1, requests[0].session))
    assert node.role is Role.CANDIDATE


def test_a_node_stuck_in_a_higher_term_gets_the_cluster_to_join_it() -> None:
    """etcd#5468: a failed candidate must not stay alone in its term for ever."""
    cluster = Cluster(3)
    cluster.elect(1)
    cluster.isolate(3)
    cluster.core(3)._core.reset(7)
    cluster.work(3)
    cluster.heal()
    cluster.run(40)
    assert len({cluster.core(node).term for node in cluster.ids}) == 1
    assert cluster.core(1).term >= 7
    assert len(cluster.leaders()) == 1


def test_a_second_leader_in_one_term_is_ignored() -> None:
    """Election safety makes this impossible among honest nodes; a dishonest one must gain nothing by it."""
    node, disk = make_node()
    node.step(append(1, new=entries(1)))
    work(node, disk)
    node.step(append(1, (1, 1), entries(1, start=2, mark="other"), sender=3))
    node.step(heartbeat(1, sender=3))
    assert work(node, disk) == []
    assert (node.lead, node.last_index) == (2, 1)
    leader, disk = make_node()
    elect(leader, disk)
    leader.step(append(1, new=entries(1, mark="other")))
    assert work(leader, disk) == []
    assert leader.role is Role.LEADER


def test_an_orderly_network_elects_within_two_election_timeouts_of_a_crash() -> None:
    waits = []
    for seed in range(10):
        cluster = Cluster(5, seed=seed)
        cluster.run(30)
        (leader,) = cluster.leaders()
        cluster.crash(leader)
        ticks = 0
        while not cluster.leaders():
            cluster.run(1)
            ticks += 1
        waits.append(ticks)
    assert max(waits) <= 40
    assert sorted(waits)[5] <= 20, f"half of the elections end within one drawn timeout: {waits}"


def test_election_timeouts_come_from_the_given_source_alone() -> None:
    assert [ticks_until_campaign(seed) for seed in range(20)] == [
        ticks_until_campaign(seed) for seed in range(20)
    ]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"id": 4}, "id 4 must be one of the voters"),
        ({"voters": ()}, "at least one"),
        ({"voters": (1, 1)}, "distinct"),
        ({"voters": (0, 1)}, "from 1 up"),
        ({"heartbeat_tick": 0}, "heartbeat_tick must be at least 1"),
        ({"election_tick": 1}, "election_tick must be more than heartbeat_tick 1"),
        ({"inflight_messages_max": 0}, "inflight_messages_max must be at least 1"),
    ],
)
def test_settings_no_cluster_can_run_with_are_refused(settings: dict[str, object], message: str) -> None:
    given: dict[str, object] = {"id": 1, "voters": (1, 2, 3), "rng": Random(0)}
    with pytest.raises(ConfigError, match=message):
        Config(**{**given, **settings})  # type: ignore[arg-type]
