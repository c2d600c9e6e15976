"""An orderer that fell behind what the log still has: snapshot, state, and the history it passed over."""

from __future__ import annotations

from dataclasses import replace

from ledger.keys import Verifier
from tests.p2p.conftest import TIMING

SHORT = replace(TIMING, snapshot_blocks=4, log_entries_kept=4)


async def whole(net, organization):
    """Wait until a node has the whole history."""
    await net.until(lambda: not net.node(organization).sync.is_busy, 60, f"{organization} is not whole")


async def behind(net, blocks=20):
    """Crash a follower and let the others go on beyond what the log keeps; return it, still down."""
    lagging = await net.follower()
    await net.certify_many(2, "cbp" if lagging == "exporter" else "exporter")
    await net.settled()
    await net.world.crash(lagging)
    writer = net.up[0]
    await net.certify_many(blocks, writer)
    await net.settled()
    return lagging


def test_an_orderer_behind_the_log_gets_a_snapshot_and_then_the_history(five):
    async def main(net):
        lagging = await behind(net)
        leader = await net.leader()
        first = net.node(leader).store.first_index
        await net.restart(lagging)
        await net.settled(60)
        await whole(net, lagging)
        node, other = net.node(lagging), net.node(leader)
        report = node.store.verify_all(Verifier())
        same = node.store.receipts(-1, 100) == other.store.receipts(-1, 100)
        return first, net.told("state.installed", node=lagging), node, other, report, same, net.failures

    first, installed, node, other, report, same, failures = five(main, timing=SHORT)
    assert failures == {}
    assert first > 10
    assert len(installed) == 1
    assert node.ledger.checkpoint == other.ledger.checkpoint
    assert report.whole, report
    assert report.blocks == node.ledger.height
    assert same
