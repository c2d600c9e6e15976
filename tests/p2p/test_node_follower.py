"""A member whose node does not order: it follows certified blocks, and nobody's word alone."""

from __future__ import annotations

from dataclasses import replace

from ledger.keys import Verifier
from tests.p2p.conftest import TIMING

ORDERERS = ("cbp", "exporter", "importer")
FOLLOWER, SECOND = "chamber", "noaa"
SHORT = replace(TIMING, snapshot_blocks=4, log_entries_kept=4, replay_blocks_max=8)


def test_a_follower_has_every_block_soon_after_it_is_certified(five):
    async def main(net):
        await net.leader()
        delays = []
        for _ in range(5):
            signed = net.sign()
            await net.certify(signed)
            height = net.node("exporter").certifier.certified_height
            begun = net.kit.loop.time()
            await net.until(lambda h=height: net.certified(FOLLOWER, h) and net.certified(SECOND, h))
            delays.append(net.kit.loop.time() - begun)
        await net.settled()
        follower, other = net.node(FOLLOWER), net.node("cbp")
        receipts = follower.store.receipts(-1, 100) == other.store.receipts(-1, 100)
        report = follower.store.verify_all(Verifier())
        return max(delays), follower, other, receipts, report, net.failures

    delay, follower, other, receipts, report, failures = five(main, orderers=ORDERERS)
    assert failures == {}
    assert delay < 0.5
    assert follower.ledger.checkpoint == other.ledger.checkpoint
    assert receipts
    assert report.whole, report
    assert report.checkpoints == 0  # it signs nothing
    assert not follower.ordering.orders


def test_a_follower_takes_in_transactions_of_its_own_organization(five):
    async def main(net):
        await net.leader()
        answer = await net.certify(net.sign(), FOLLOWER)
        await net.settled()
        return answer, [len(node.pool) for node in net.nodes]

    answer, pools = five(main, orderers=ORDERERS)
    assert (answer.json["status"], answer.json["code"]) == ("certified", "VALID")
    assert pools == [0] * 5


def test_a_follower_offline_for_long_fetches_a_state(five):
    async def main(net):
        await net.leader()
        await net.certify_many(2)
        await net.settled()
        await net.world.crash(FOLLOWER)
        await net.certify_many(20)
        await net.restart(FOLLOWER)
        await net.settled(60)
        await net.until(lambda: not net.node(FOLLOWER).sync.is_busy, 60)
        report = net.node(FOLLOWER).store.verify_all(Verifier())
        return net.told("state.installed", node=FOLLOWER), report, net.failures

    installed, report, failures = five(main, orderers=ORDERERS, timing=SHORT)
    assert failures == {}
    assert len(installed) == 1
    assert report.whole, report
    assert report.blocks == 22


def test_a_follower_offline_for_short_replays_blocks(five):
    async def main(net):
        await net.leader()
        await net.world.crash(FOLLOWER)
        await net.certify_many(6)
        await net.restart(FOLLOWER)
        await net.settled(60)
        return net.told("state.installed", node=FOLLOWER), net.told("block.executed", node=FOLLOWER)

    installed, executed = five(main, orderers=ORDERERS, timing=SHORT)
    assert installed == []
    assert [record["height"] for record in executed] == [1, 2, 3, 4, 5, 6]


def test_a_follower_gets_through_heavy_loss(five):
    async def main(net):
        await net.leader()
        net.world.loss(0.2, [FOLLOWER])
        await net.certify_many(10)
        await net.settled(120)
        return net.node(FOLLOWER).ledger.checkpoint == net.node("cbp").ledger.checkpoint, net.failures

    same, failures = five(main, orderers=ORDERERS, timing=SHORT)
    assert same
    assert failures == {}
