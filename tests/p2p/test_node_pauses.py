"""Bug 33: processes that stop for longer than the election timeout, and calendars that jump."""

from __future__ import annotations

import asyncio

import pytest

from p2p.virtual import DiskModel

ELECTION_S_MAX = 2.0
DAY_MS = 86_400_000


def terms(net):
    return {node.ordering.raw.term for node in net.nodes}


def elections(net):
    return len(net.told("raft.role", role="leader"))


@pytest.mark.parametrize("pause_s", [1.5, 5.0, 30.0])
def test_bug_33_a_leader_that_was_paused_is_replaced_once_and_follows(five, pause_s):
    async def main(net):
        leader = await net.leader()
        mine = next(o for o in net.up if o != leader)
        await net.certify_many(1, mine)
        await net.world.pause(leader)
        if pause_s > 2 * ELECTION_S_MAX:
            await net.certify(net.sign(), mine)
        await asyncio.sleep(pause_s)
        await net.world.resume(leader)
        await asyncio.sleep(3 * ELECTION_S_MAX)
        await net.certify(net.sign(), mine)
        await net.settled()
        return leader, await net.leader(), terms(net), elections(net), {n.ledger.height for n in net.nodes}

    old, new, seen, won, heights = five(main)
    assert won <= 2, "the others elected one; its return deposed nobody"
    assert len(seen) == 1
    assert len(heights) == 1
    if pause_s > ELECTION_S_MAX:
        assert new != old
        assert won == 2


def test_bug_33_a_paused_leader_answers_no_read_from_before_its_pause(five):
    """It still thinks it leads when it goes on; what others acknowledged meanwhile it must not deny."""

    async def main(net):
        leader = await net.leader()
        mine = next(o for o in net.up if o != leader)
        await net.certify_many(1, mine)
        await net.settled()
        await net.world.pause(leader)
        await net.until(
            lambda: any(net.node(o).ordering.is_leader for o in net.up if o != leader), what="no new leader"
        )
        signed = net.sign()
        await net.certify(signed, mine)
        await net.world.resume(leader)
        path = f"/v1/state/certificate/{signed.transaction.body['certificate'].hex()}"
        return await net.get(leader, path + "?consistency=linearizable")

    linearizable = five(main)
    assert linearizable.status == 200
    assert linearizable.json["value"]


def test_bug_33_when_all_were_paused_together_nobody_is_deposed(five):
    """As a laptop's lid does it: a stall that everybody shared is no silence."""

    async def main(net):
        leader = await net.leader()
        await net.certify_many(1)
        await net.settled()
        everyone = list(net.up)
        for organization in everyone:
            await net.world.pause(organization)
        await asyncio.sleep(60)
        for organization in everyone:
            await net.world.resume(organization)
        await asyncio.sleep(2 * ELECTION_S_MAX)
        await net.certify_many(1)
        return leader, await net.leader(), terms(net), [node.driver.figures.stalls for node in net.nodes]

    before, after, seen, stalls = five(main)
    assert after == before
    assert seen == {1}
    assert stalls == [1] * 5


@pytest.mark.parametrize("victim", ["leader", "follower"])
def test_bug_33_a_pause_amid_a_commit_loses_nothing(five, victim):
    async def main(net):
        leader = await net.leader()
        mine = next(o for o in net.up if o != leader)
        paused = leader if victim == "leader" else next(o for o in net.up if o not in {leader, mine})
        await net.certify_many(1, mine)
        net.host(paused).disk_model = DiskModel(400_000_000, 400_000_000)
        signed = [net.sign() for _ in range(3)]
        for one in signed:
            await net.post(one, mine)
        driver = net.node(paused).driver
        await net.until(lambda: driver._commit is not None, every_s=0.001)
        await net.world.pause(paused)
        await asyncio.sleep(3 * ELECTION_S_MAX)
        await net.world.resume(paused)
        await net.settled(60)
        statuses = [
            (await net.get(o, f"/v1/transactions/{t.id.hex()}")).json["code"] for o in net.up for t in signed
        ]
        return statuses, net.failures

    statuses, failures = five(main)
    assert set(statuses) == {"VALID"}
    assert failures == {}


@pytest.mark.parametrize("jump_ms", [2 * DAY_MS, -2 * DAY_MS], ids=["forward", "back"])
@pytest.mark.parametrize("whose", ["leader", "follower", "all"])
def test_bug_33_a_calendar_that_jumps_moves_no_timer_and_block_times_never_go_back(five, whose, jump_ms):
    async def main(net):
        leader = await net.leader()
        mine = next(o for o in net.up if o != leader)
        await net.certify_many(2, mine)
        jumping = {"leader": [leader], "follower": [mine], "all": list(net.up)}[whose]
        for organization in jumping:
            machine = net.node(organization).machine
            machine.set_calendar(machine.now_ms() + jump_ms)
        beats = {node.organization: node.driver.figures.ticks for node in net.nodes}
        await asyncio.sleep(2 * ELECTION_S_MAX)
        beaten = [node.driver.figures.ticks - beats[node.organization] for node in net.nodes]
        posted = [await net.post(net.sign(), o) for o in (mine, leader)]
        await net.settled()
        height = net.node(mine).ledger.height
        times = [(await net.get(mine, f"/v1/blocks/{h}")).json["time_ms"] for h in range(1, height + 1)]
        return await net.leader() == leader, terms(net), beaten, times, [answer.status for answer in posted]

    same, seen, beaten, times, statuses = five(main)
    assert same
    assert seen == {1}
    assert all(39 <= count <= 41 for count in beaten)
    assert times == sorted(times)
    assert len(times) >= 3
    assert set(statuses) <= {202, 422}, "only what a calendar says of a transaction's validity may differ"
