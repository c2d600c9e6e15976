"""Snapshots every few blocks, in a storm of crashes, power losses, partitions and loss: all end whole and alike."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace

import aiohttp
import pytest

from ledger.keys import Verifier
from p2p.linkweather import LinkWeather
from scenarios.trial.directions import links_of
from tests.p2p.conftest import ORGANIZATIONS, TIMING

pytestmark = pytest.mark.slow

FAST = replace(TIMING, snapshot_blocks=3, log_entries_kept=2, replay_blocks_max=5, sync_questions_max=2)
STEPS = 12


async def trade(net, chance, over):
    """Hand in one transaction after the other, wherever a node answers."""
    while not over.is_set():
        organization = chance.choice(ORGANIZATIONS)
        try:
            async with asyncio.timeout(2):
                await net.post(net.sign(), organization)
        except (aiohttp.ClientError, TimeoutError, ConnectionError):
            pass  # the node is down or cut off
        await asyncio.sleep(chance.uniform(0.02, 0.15))


async def gust(net, chance):
    """Let one thing go wrong for a while."""
    for node in net.nodes:
        node.sync.serving.chunk_bytes = chance.choice([300, 2000, 1 << 18])
    victims = chance.sample(ORGANIZATIONS, chance.choice([1, 1, 2]))
    heal = None
    match chance.choice(["crash", "power loss", "partition", "loss"]):
        case "crash":
            for victim in victims:
                await net.world.crash(victim)
        case "power loss":
            await net.world.power_loss(victims)
        case "partition":
            heal = net.world.partition([victims, [o for o in ORGANIZATIONS if o not in victims]])
        case _:
            heal = net.world.shape(links_of(net.world.organizations, victims), LinkWeather(loss=0.2))
    await asyncio.sleep(chance.uniform(0.3, 3))
    if heal is not None:
        heal()
    for victim in victims:
        if not net.world.is_up(victim):
            await net.restart(victim)
    await asyncio.sleep(chance.uniform(0.1, 1.0))


@pytest.mark.parametrize(("seed", "orderers"), [(22, ()), (20, ("cbp", "exporter", "importer"))])
def test_all_nodes_end_whole_and_alike(five, seed, orderers):
    async def main(net):
        chance = random.Random(seed)
        over = asyncio.Event()
        await net.leader()
        trading = asyncio.create_task(trade(net, chance, over))
        for _ in range(STEPS):
            await gust(net, chance)
        over.set()
        await trading
        assert net.failures == {}
        await net.settled(90)
        await net.until(lambda: not any(node.sync.is_busy for node in net.nodes), 60)
        reports = [node.store.verify_all(Verifier()) for node in net.nodes]
        return {node.ledger.checkpoint for node in net.nodes}, reports, net.told("state.installed")

    checkpoints, reports, installed = five(main, timing=FAST, seed=seed, orderers=orderers)
    assert len(checkpoints) == 1
    assert all(report.whole for report in reports), reports
    assert len(installed) > 2
