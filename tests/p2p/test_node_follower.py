"""A member whose node does not order: it follows certified blocks, and nobody's word alone."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from ledger.block import build_block
from ledger.keys import Verifier
from ledger.store import Store
from p2p.frames import BlocksFrame, CheckpointFrame
from p2p.linkweather import LinkWeather
from scenarios.trial.directions import links_of
from tests.p2p.conftest import TIMING
from tests.p2p.test_node_sync import lie, next_block, other_signature, other_transaction

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
        net.world.shape(links_of(net.world.organizations, [FOLLOWER]), LinkWeather(loss=0.2))
        await net.certify_many(10)
        await net.settled(120)
        return net.node(FOLLOWER).ledger.checkpoint == net.node("cbp").ledger.checkpoint, net.failures

    same, failures = five(main, orderers=ORDERERS, timing=SHORT)
    assert same
    assert failures == {}


def test_a_linearizable_read_is_refused_clearly_and_a_local_one_is_not(five):
    async def main(net):
        await net.leader()
        await net.certify_many(1)
        await net.settled()
        path = "/v1/state/organization/cbp"
        refused = await net.get(FOLLOWER, f"{path}?consistency=linearizable")
        return refused, await net.get(FOLLOWER, path), (await net.get(FOLLOWER, "/v1/health")).json

    refused, local, health = five(main, orderers=ORDERERS)
    assert (refused.status, refused.code) == (400, "NOT_ORDERING")
    assert "orderer" in refused.json["error"]["remedy"]
    assert local.status == 200
    assert (health["orders"], health["leader"], health["fetching"]) == (False, None, None)


def test_a_follower_that_missed_everything_while_a_follower_serves_it(five):
    """A follower's only neighbor is another follower: certificates and blocks come by way of that one."""

    async def main(net):
        await net.leader()
        await net.world.crash(SECOND)
        await net.certify_many(3)
        await net.until(lambda: net.certified(FOLLOWER, 3))
        net.world.partition([[SECOND, FOLLOWER], list(ORDERERS)])
        await net.restart(SECOND)
        await net.until(lambda: net.certified(SECOND, 3), 20)
        return net.node(SECOND).ledger.checkpoint == net.node(FOLLOWER).ledger.checkpoint

    assert five(main, orderers=ORDERERS)


def one_signature(part: BlocksFrame) -> BlocksFrame:
    """What a single orderer can sign for by itself: a certificate with its own signature only."""
    text, _, lines = part.note.rpartition("\n\n")
    return replace(part, note=f"{text}\n\n{lines.splitlines()[0]}\n")


def another_certificate(part: BlocksFrame) -> BlocksFrame:
    lines = part.note.splitlines()
    lines[2] = "A" * 43 + "="
    return replace(part, note="\n".join([*lines, ""]))


def without_the_middle(part: BlocksFrame) -> BlocksFrame:
    return replace(part, blocks=[*part.blocks[:1], *part.blocks[2:]])


SPOILS = {
    "one orderer's word": one_signature,
    "another checkpoint under these signatures": another_certificate,
    "another signature": other_signature,
    "without transactions": other_transaction,
    "the next block": next_block,
    "without the middle": without_the_middle,
    "rubbish": lambda part: replace(part, blocks=[b"rubbish"]),
}


@pytest.mark.parametrize("what", SPOILS)
def test_a_follower_believes_nobody(five, what):
    async def main(net):
        await net.leader()
        await net.world.crash(FOLLOWER)
        await net.certify_many(6)
        await net.settled()
        for organization in net.up:
            lie(net, organization, times=1, blocks=SPOILS[what])
        await net.restart(FOLLOWER)
        await net.settled(60)
        node = net.node(FOLLOWER)
        told = net.told("sync.answer_refused", node=FOLLOWER)
        return told, node.store.verify_all(Verifier()), node.sync.figures.answers_refused, net.failures

    told, report, refused, failures = five(main, orderers=ORDERERS)
    assert failures == {}
    assert refused == len(told) > 0
    assert report.whole, report
    assert report.blocks == 6


def test_a_block_that_one_orderer_made_up_is_not_executed(five):
    async def main(net):
        await net.leader()
        await net.certify_many(1)
        await net.settled()
        liar = net.node("cbp")
        made_up = build_block(
            network=net.genesis.network,
            height=2,
            term=1,
            previous=liar.ledger.block_hash,
            time_ms=liar.ledger.time_ms,
            transactions=[net.sign().raw],
            proposer="cbp",
            key=liar.config.node_key,
        )
        note = liar.store.certificate(1)
        for organization in (*ORDERERS, SECOND):
            frame = BlocksFrame(2, [made_up.encode()], note)
            lie(net, organization, times=-1, blocks=lambda _part, frame=frame: frame)
        follower = net.node(FOLLOWER)
        text, signature = liar.store.own_checkpoint(1)
        for orderer in ORDERERS:
            follower.turns.take(orderer, CheckpointFrame(2, text, signature))
        await asyncio.sleep(5)
        return follower.ledger.height, follower.sync.following.is_behind, net.failures

    height, _, failures = five(main, orderers=ORDERERS)
    assert height == 1
    assert failures == {}


def test_a_follower_that_comes_to_another_state_stops(five):
    async def main(net):
        await net.leader()
        await net.certify_many(1)
        await net.settled()
        follower = net.node(FOLLOWER)
        follower.ledger.state.apply({"claim/x": b"damage"})
        follower.ledger.tree.update({"claim/x": b"damage"})
        await net.certify_many(1)
        await net.until(lambda: FOLLOWER in net.failures)
        return net.failures[FOLLOWER], [node.ledger.height for node in net.nodes]

    failure, heights = five(main, orderers=ORDERERS)
    assert "gives another checkpoint than the certificate" in str(failure)
    assert heights == [2, 2, 2, 2]


async def emptied(net, monkeypatch, blocks):
    """Let the others go on, and start a follower as one that has never had anything."""
    create = Store.create
    store_id = net.node(FOLLOWER).store.store_id
    await net.leader()
    signed = await net.certify_many(4)
    await net.world.crash(FOLLOWER)
    net.host(FOLLOWER).disk.files.clear()
    monkeypatch.setattr(Store, "create", lambda *a, **given: create(*a, **{**given, "store_id": store_id}))
    await net.certify_many(blocks)
    await net.settled()
    await net.restart(FOLLOWER)
    await net.settled(60)
    return signed


def test_a_new_node_joins_by_a_state_alone_and_has_the_history_later(five, monkeypatch):
    async def main(net):
        await emptied(net, monkeypatch, 16)
        await net.until(lambda: not net.node(FOLLOWER).sync.is_busy, 60)
        report = net.node(FOLLOWER).store.verify_all(Verifier())
        return net.told("state.installed", node=FOLLOWER), report

    installed, report = five(main, orderers=ORDERERS, timing=SHORT)
    assert len(installed) == 1
    assert (report.whole, report.blocks) == (True, 20)


def test_what_was_passed_over_is_called_not_here_yet(five, monkeypatch):
    async def main(net):
        signed = (await emptied(net, monkeypatch, 16))[2]
        asked = {
            "block": await net.get(FOLLOWER, "/v1/blocks/3"),
            "status": await net.get(FOLLOWER, f"/v1/transactions/{signed.id.hex()}"),
            "again": await net.post(signed, FOLLOWER),
            "receipts": await net.get(FOLLOWER, "/v1/receipts?after=-1"),
            "health": await net.get(FOLLOWER, "/v1/health"),
            "metrics": await net.get(FOLLOWER, "/metrics"),
        }
        return asked, net.node(FOLLOWER).store.verify_all(Verifier())

    asked, report = five(main, orderers=ORDERERS, timing=replace(SHORT, backfill_bytes_per_s=0))
    for name in ("block", "status", "again"):
        assert (asked[name].status, asked[name].code) == (503, "NOT_HERE_YET"), name
        assert asked[name].json["error"]["remedy"]
    assert asked["receipts"].json["receipts"] == []
    assert asked["health"].json["fetching"] == {"state": None, "blocks": 20}
    assert b"seatrial_blocks_absent 20.0" in asked["metrics"].data
    assert (report.damage, report.absent, report.whole) == ((), 20, False)
