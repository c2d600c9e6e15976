"""A node's lives: what it has acknowledged survives, what it missed it catches up on, everything once."""

from __future__ import annotations

import asyncio

import pytest

from p2p.gossip import Gossip

ROOT = b"r" * 32


def receipts(net, organization):
    return net.node(organization).store.receipts(-1, 500)


async def isolated(net, organization):
    """Cut a node off from all others; return how to mend it."""
    return net.world.partition([[organization], [o for o in net.up if o != organization]])


@pytest.mark.slow
def test_a_node_catches_up_after_a_long_time_away(five):
    async def main(net):
        await net.leader()
        await net.world.crash("noaa")
        await net.certify_many(60)
        await net.restart("noaa")
        await net.settled()
        nodes = [net.node(o) for o in ("noaa", "cbp")]
        refused = [node.ordering.figures.blocks_refused for node in net.nodes]
        return [(n.ledger.height, n.ledger.state_root, n.certifier.certified_height) for n in nodes], refused

    (late, other), refused = five(main)
    assert late == other
    assert late[0] == 60
    assert refused == [0] * 5


@pytest.mark.slow
def test_a_burst_is_caught_up_with_in_frames_that_fit(five):
    async def main(net):
        await net.leader()
        await net.world.crash("noaa")
        await asyncio.gather(*(net.post(net.sign()) for _ in range(300)))
        await net.settled()
        await net.restart("noaa")
        await net.settled()
        refused = [node.ordering.figures.blocks_refused for node in net.nodes]
        return net.told("link.rubbish"), len(receipts(net, "noaa")), refused

    assert five(main) == ([], 300, [0] * 5)


@pytest.mark.parametrize("how", ["stop", "crash", "power_loss"])
def test_all_five_come_back_with_everything_they_had(five, how):
    async def main(net):
        await net.leader()
        signed = await net.certify_many(3)
        await net.settled()
        before = net.node("cbp").ledger.checkpoint
        everybody = net.up
        if how == "stop":
            for organization in everybody:
                net.node(organization).stop()
            await net.until(lambda: not net.up)
            for organization in everybody:
                net.world._gone(organization)
        elif how == "crash":
            for organization in everybody:
                await net.world.crash(organization)
        else:
            await net.world.power_loss(everybody)
            await net.until(lambda: not net.up)
        for organization in everybody:
            await net.restart(organization)
        await net.leader()
        after = [node.ledger.checkpoint for node in net.nodes]
        certified = [node.certifier.certified_height for node in net.nodes]
        status = await net.get("exporter", f"/v1/transactions/{signed[0].id.hex()}")
        await net.certify_many(1)
        await net.settled()
        return before, after, certified, status.json, [node.ledger.height for node in net.nodes]

    before, after, certified, status, heights = five(main)
    assert after == [before] * 5
    assert max(certified) == 3
    assert status["code"] == "VALID"
    assert heights == [4] * 5


def test_what_was_accepted_survives_a_crash_and_is_executed_once(five):
    async def main(net):
        mine = await net.follower()
        mend = await isolated(net, mine)
        signed = net.sign()
        posted = await net.post(signed, mine)
        await net.world.power_loss([mine])
        await net.until(lambda: not net.host(mine).is_up)
        mend()
        await net.restart(mine)
        known = await net.get(mine, f"/v1/transactions/{signed.id.hex()}")
        again = await net.post(signed, mine)
        answer = await net.get(mine, f"/v1/transactions/{signed.id.hex()}?wait=certified")
        await net.settled()
        copies = [[r.id for r in receipts(net, o)].count(signed.id) for o in net.up]
        rows = [len(node.store.pool_rows()) for node in net.nodes]
        return posted.status, known.json["status"], again.status, answer.json["code"], copies, rows

    posted, known, again, code, copies, rows = five(main)
    assert (posted, known, again, code) == (202, "accepted", 200, "VALID")
    assert copies == [1] * 5
    assert rows == [0] * 5


def test_what_gossip_carried_out_before_the_crash_is_executed_once_too(five):
    async def main(net):
        mine = await net.follower()
        signed = net.sign()
        await net.post(signed, mine)
        await asyncio.sleep(0.03)
        await net.world.crash(mine)
        await net.restart(mine)
        answer = await net.get(mine, f"/v1/transactions/{signed.id.hex()}?wait=certified")
        await net.settled()
        return answer.json["code"], [[r.id for r in receipts(net, o)].count(signed.id) for o in net.up]

    assert five(main) == ("VALID", [1] * 5)


@pytest.mark.slow
@pytest.mark.parametrize("strike", [1, 2, 3, 4, 5, 6])
def test_a_crash_amid_the_commit_that_accepts_loses_nothing_that_was_answered(five, strike):
    async def main(net):
        mine = await net.follower()
        await net.certify_many(1, mine)
        await net.settled()
        signed = net.sign()
        host = net.host(mine)
        host.at_disk_operation(strike, host.power_loss)
        try:
            posted = (await asyncio.wait_for(net.post(signed, mine), 3)).status
        except (OSError, TimeoutError):
            posted = None
        await net.until(lambda: not host.is_up)
        net.world._gone(mine)
        await net.restart(mine)
        known = await net.get(mine, f"/v1/transactions/{signed.id.hex()}?wait=certified&timeout_ms=5000")
        again = await net.certify(signed, mine)
        await net.settled()
        copies = [[r.id for r in receipts(net, o)].count(signed.id) for o in net.up]
        return posted, known.status, again.json["code"], copies

    posted, known, code, copies = five(main)
    if posted == 202:
        assert known == 200
    assert code == "VALID"
    assert copies == [1] * 5


def test_a_retry_of_what_only_gossip_brought_is_durable_before_it_is_answered(five):
    async def main(net):
        """Two of five hold it, none can order it; the second node's organization sends the same bytes."""
        leader = await net.leader()
        few = ["exporter", "importer"]
        net.world.partition([few, [o for o in net.up if o not in few]])
        assert leader
        signed = net.sign()
        await net.post(signed, "exporter")
        await net.until(lambda: signed.id in net.node("importer").pool)
        before = len(net.node("importer").store.pool_rows())
        again = await net.post(signed, "importer")
        return before, again.status, [row.id for row in net.node("importer").store.pool_rows()], signed.id

    before, status, rows, wanted = five(main)
    assert before == 0
    assert status == 200
    assert rows == [wanted]


def test_gossip_s_gaps_are_repaired_by_reconciliation(five, monkeypatch):
    def nothing(self):
        self._outgoing.clear()
        return []

    monkeypatch.setattr(Gossip, "take_pushes", nothing)

    async def main(net):
        leader = await net.leader()
        mine = next(o for o in net.up if o != leader)
        signed = net.sign()
        begun = net.kit.loop.time()
        await net.certify(signed, mine)
        took = net.kit.loop.time() - begun
        return took, sum(node.gossip.figures.pushed for node in net.nodes)

    took, pushed = five(main)
    assert pushed == 0
    assert 0.1 < took < 20


def test_what_was_isolated_is_pushed_again_when_the_link_is_back(five):
    async def main(net):
        mine = await net.follower()
        mend = await isolated(net, mine)
        signed = [net.sign() for _ in range(3)]
        for one in signed:
            await net.post(one, mine)
        await asyncio.sleep(30)
        mend()
        answers = [await net.get(mine, f"/v1/transactions/{one.id.hex()}?wait=certified") for one in signed]
        return [answer.json["code"] for answer in answers]

    assert five(main) == ["VALID"] * 3
