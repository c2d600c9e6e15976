"""A leader that is told to stop hands over first; nobody waits for an election timeout because somebody left."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from consensus import MessageType
from p2p.handover import Handover
from p2p.ordering import Ordering
from p2p.turns import Turns

ELECTION_S_MIN = 1.0


def a_leader_leaves(five, prepare=None, seed=1):
    """Stop a leader in good order; return how long the others were without one, and how long the leaver took."""

    async def main(net):
        leader = await net.leader()
        mine = next(o for o in net.up if o != leader)
        await net.certify_many(2, mine)
        if prepare is not None:
            await prepare(net, leader)
        loop = net.kit.loop
        begun = loop.time()
        net.node(leader).stop()
        others = [net.node(o) for o in net.up if o != leader]
        gone_s = None

        def succeeded():
            nonlocal gone_s
            if gone_s is None and not net.host(leader).is_up:
                gone_s = loop.time() - begun
            leaders = {node.ordering.leader for node in others if net.world.is_up(node.organization)}
            return len(leaders) == 1 and not leaders & {leader, None}

        await net.until(succeeded, every_s=0.001)
        after_s = loop.time() - begun
        await net.until(lambda: succeeded() and gone_s is not None, every_s=0.001)
        net.world._gone(leader)
        (answer,) = [await net.certify(net.sign(), mine)] if net.world.is_up(mine) else [None]
        return after_s, gone_s, leader, others[0].ordering.leader, answer, net.told("raft.handover")

    return five(main, seed=seed)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_an_orderly_stop_leaves_a_leader_behind(five, seed):
    """Dissertation 3.10: a leader about to go hands over, so that nobody waits for an election timeout."""
    after_s, gone_s, leader, _, answer, _ = a_leader_leaves(five, seed=seed)
    assert after_s < 0.3 * ELECTION_S_MIN
    assert gone_s < 0.3 * ELECTION_S_MIN
    assert answer.json["status"] == "certified"
    assert leader is not None


def test_without_handing_over_it_takes_an_election_timeout(five, monkeypatch):
    monkeypatch.setattr(Ordering, "candidates", lambda self, peers: [])
    after_s, gone_s, *_ = a_leader_leaves(five)
    assert after_s > ELECTION_S_MIN
    assert gone_s < 0.1


def test_the_successor_is_a_voter_with_the_most_complete_log():
    matches = {1: 9, 2: 7, 3: 9, 4: 12, 5: 7}
    peers = {i: SimpleNamespace(match=match, is_learner=i == 4) for i, match in matches.items()}
    stub = SimpleNamespace(
        raw=SimpleNamespace(status=lambda: SimpleNamespace(peers=peers)),
        peers=SimpleNamespace(raft_id=lambda name: int(name[1:])),
    )
    assert Ordering.candidates(stub, ["o5", "o4", "o3", "o2", "o1", "o9"]) == ["o1", "o3", "o2", "o5"]
    assert Ordering.candidates(stub, ["o5"]) == ["o5"]


def test_one_that_falls_silent_is_given_up_for_the_next(five):
    async def pause_the_first(net, leader):
        await asyncio.sleep(0.5)
        first = net.node(leader).ordering.candidates([o for o in net.up if o != leader])[0]
        await net.world.pause(first)

    after_s, gone_s, leader, successor, _, handovers = a_leader_leaves(five, pause_the_first)
    told = [h["to"] for h in handovers]
    assert len(told) == 2
    assert successor == told[1]
    assert after_s < 0.7 * ELECTION_S_MIN
    assert gone_s < 0.7 * ELECTION_S_MIN
    assert leader not in told


def test_a_leader_that_nobody_can_succeed_goes_within_an_election_timeout(five, monkeypatch):
    """The word to take over is lost every time."""

    async def deafen(net, leader):
        node = net.node(leader)
        send = Turns.send

        def deaf(turns, messages):
            lost = turns is node.turns
            send(turns, [m for m in messages if not lost or m.type is not MessageType.TIMEOUT_NOW])

        monkeypatch.setattr(Turns, "send", deaf)

    after_s, gone_s, *_ = a_leader_leaves(five, deafen)
    assert ELECTION_S_MIN - 0.01 < gone_s < ELECTION_S_MIN + 0.2
    assert after_s > ELECTION_S_MIN


def test_a_second_word_to_stop_is_obeyed_at_once(five):
    async def main(net):
        leader = await net.leader()
        net.node(leader).stop()
        net.node(leader).stop()
        begun = net.kit.loop.time()
        await net.until(lambda: not net.host(leader).is_up, every_s=0.001)
        net.world._gone(leader)
        return net.kit.loop.time() - begun

    assert five(main) < 0.05


def test_whoever_does_not_lead_stops_at_once(five):
    async def main(net):
        follower = await net.follower()
        net.node(follower).stop()
        begun = net.kit.loop.time()
        await net.until(lambda: not net.host(follower).is_up, every_s=0.001)
        net.world._gone(follower)
        return net.kit.loop.time() - begun, net.told("raft.handover")

    took_s, handovers = five(main)
    assert took_s < 0.05
    assert handovers == []


def test_a_leader_alone_has_nobody_to_wait_for(five):
    async def main(net):
        leader = await net.leader()
        for organization in net.up:
            if organization != leader:
                await net.world.crash(organization)
        await asyncio.sleep(0.4)
        net.node(leader).stop()
        begun = net.kit.loop.time()
        await net.until(lambda: not net.host(leader).is_up, every_s=0.001)
        net.world._gone(leader)
        return net.kit.loop.time() - begun

    assert five(main) < 0.05


def test_a_handover_is_over_when_another_leads():
    class Follower:
        is_leader = False
        leader = None

    core = Follower()
    handover = Handover(core, list, 10.0)
    assert not handover.is_over(9.0)
    assert handover.is_over(10.0)
    core.leader = "another"
    assert handover.is_over(9.0)
