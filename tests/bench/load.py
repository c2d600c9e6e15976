"""What a transaction costs: a steady stream of signed transactions, handed in over HTTP, until all are certified.

Rules:
- Transactions are `certificate.anchor` by the exporter, signed before the clock starts; signing is no part of
  any figure.
- The exporter's application hands them in at its own node in batches, on time whether or not answers have come
  (an open loop), so that a slow network cannot slow its own load down.
- Counted is the CPU time of the whole process from the first batch until the last transaction is certified on
  the last node: five nodes, the application's HTTP client, the virtual network and disks, and the records that
  give the latencies. Each node verifies every signature itself and remembers the result.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass

import aiohttp

from ledger.codes import Code
from ledger.encoding import Value
from ledger.keys import Verifier
from ledger.transaction import parse_transaction
from scenarios.agents.client import NodeClient
from scenarios.agents.wallet import Wallet
from scenarios.judging.measure import Measurement
from scenarios.network.founding import Founding
from tests.bench.attribution import Sampler
from tests.bench.cluster import Cluster, in_cluster
from tests.bench.reference import reference_ms

RATE_PER_S = 200
DURATION_S = 30
BATCH = 20
EXPORTER = "exporter"
WARM_UP_S = 5
VALID_FOR_MS = 86_400_000
GOAL_MS = 2.5


@dataclass(frozen=True, slots=True)
class LoadFigures:
    """A loaded cluster's figures.

    Attributes:
        transactions: handed in, and certified on every node.
        virtual_s: protocol time from the first batch to the last certificate on the last node.
        cpu_s: CPU time of all of it.
        reference_ms: the fixed reference work, median of before and after.
        leader: the organization whose node led.
        batch: transactions per request.
        transaction_bytes: mean size of one, signed.
        latencies_ms: per share of nodes (50, 100): p50, p95, p99 and maximum from submission to certified.
        blocks: cut in all.
        elections: won in all; one means that the first leader stayed.
        duplicates: copies of a transaction that came to a node that had it already.
        delivered: first copies that came by gossip.
        repaired: transactions asked for by reconciliation.
        messages: frames between nodes.
        message_bytes: their bytes.
        turns, commits: driver turns and durable commits of all nodes.
        verified, remembered: signatures verified, and answers from memory, of all nodes.
        verification_us: CPU time of one verification, measured alone beside the load.
    """

    transactions: int
    virtual_s: float
    cpu_s: float
    reference_ms: float
    leader: str
    batch: int
    transaction_bytes: float
    latencies_ms: dict[int, tuple[float, float, float, float]]
    blocks: int
    elections: int
    duplicates: int
    delivered: int
    repaired: int
    messages: int
    message_bytes: int
    turns: int
    commits: int
    verified: int
    remembered: int
    verification_us: float

    @property
    def cpu_ms(self) -> float:
        """CPU time per transaction, milliseconds."""
        return self.cpu_s * 1000 / self.transactions

    @property
    def verified_ms(self) -> float:
        """CPU time per transaction that verification alone accounts for, milliseconds."""
        return self.verified * self.verification_us / 1000 / self.transactions


def measure_load(
    *,
    sampler: Sampler | None = None,
    block_interval_ms: int | None = None,
    duration_s: int = DURATION_S,
    batch: int = BATCH,
) -> LoadFigures:
    """Measure a cluster of five nodes under load.

    Args:
        sampler: runs during the measured window, if given; the CPU time is then the samples' too.
        block_interval_ms: instead of the default.
        duration_s: how long the load lasts, protocol time.
        batch: transactions per request.
    """

    async def work(cluster: Cluster) -> LoadFigures:
        return await _measure(cluster, sampler, duration_s, batch)

    return in_cluster(work, block_interval_ms=block_interval_ms)


def sign_load(founding: Founding, now_ms: int, count: int, roots: Sequence[bytes] = ()) -> list[bytes]:
    """Return the signed bytes of `count` anchored certificates of origin.

    Args:
        founding: the network.
        now_ms: the calendar.
        count: how many.
        roots: of the documents that they anchor; bytes by chance if there are none.
    """
    own = founding.secrets[EXPORTER]
    chance = random.Random("load")
    wallet = Wallet(EXPORTER, founding.genesis.network, own.organization_key, own.box_key, chance)
    valid_until_ms = now_ms + VALID_FOR_MS
    signed: list[bytes] = []
    for number in range(count):
        body: dict[str, Value] = {
            "certificate": chance.randbytes(16),
            "form": "NAFTA-434",
            "signed_on": "2018-09-04",
            "blanket": {"from": "2018-08-01", "to": "2019-07-31"},
            "shipment": None,
            "addressees": ["importer", "cbp"],
        }
        root = roots[number] if roots else chance.randbytes(32)
        signed.append(wallet.sign("certificate.anchor", body, (root,), valid_until_ms).raw)
    return signed


async def _measure(cluster: Cluster, sampler: Sampler | None, duration_s: int, batch: int) -> LoadFigures:
    founding = cluster.world.founding
    raws = sign_load(founding, cluster.world.node(EXPORTER).machine.now_ms(), RATE_PER_S * duration_s)
    await asyncio.sleep(WARM_UP_S)
    before = _counters(cluster)
    reference = reference_ms()
    begun_ns = cluster.world.now_ns()
    begun = time.process_time()
    with nullcontext() if sampler is None else sampler.running():
        await hand_in(cluster, raws, batch)
        await all_certified(cluster)
    cpu_s = time.process_time() - begun
    virtual_s = (cluster.world.now_ns() - begun_ns) / 1e9
    reference = statistics.median([reference, reference_ms()])
    change = {name: value - before[name] for name, value in _counters(cluster).items()}
    measurement = Measurement(cluster.world.organizations)
    for event in cluster.events():
        measurement(event)
    check_outcome(measurement, len(raws), len(cluster.nodes))
    return LoadFigures(
        transactions=len(raws),
        virtual_s=virtual_s,
        cpu_s=cpu_s,
        reference_ms=reference,
        leader=cluster.leader,
        batch=batch,
        transaction_bytes=sum(map(len, raws)) / len(raws),
        latencies_ms={share: _percentiles(measurement.latencies_ms(share)) for share in (50, 100)},
        elections=int(str(measurement.figures()["elections_won"])),
        verification_us=_verification_us(raws[:500], founding),
        **change,
    )


async def hand_in(cluster: Cluster, raws: Sequence[bytes], batch: int) -> None:
    """Hand the transactions in at their rate, each batch at its time."""
    loop = asyncio.get_running_loop()
    endpoint = cluster.world.endpoint(EXPORTER)
    begun = loop.time()
    with cluster.world.place(EXPORTER):
        async with aiohttp.ClientSession() as session:
            client = NodeClient(session, endpoint.url, endpoint.token)

            async def submit(start: int) -> None:
                due = begun + start / RATE_PER_S
                await asyncio.sleep(due - loop.time())
                for submission in await client.submit_batch(raws[start : start + batch]):
                    if submission.problem is not None:
                        raise AssertionError(f"the node did not accept a transaction: {submission}")

            tasks = [loop.create_task(submit(start)) for start in range(0, len(raws), batch)]
            for task in tasks:
                await task


async def all_certified(cluster: Cluster) -> None:
    """Wait until every node has every transaction under a certificate."""
    while True:
        heights = {node.ledger.height for node in cluster.nodes}
        heights |= {node.certifier.certified_height for node in cluster.nodes}
        is_busy = any(len(node.pool) or node.driver.is_busy for node in cluster.nodes)
        if len(heights) == 1 and not is_busy:  # a certificate is told of once it is durable
            return
        await asyncio.sleep(0.02)


def check_outcome(measurement: Measurement, count: int, nodes: int) -> None:
    """Refuse figures of a run in which anything was lost, refused or left open."""
    figures = measurement.figures()
    everywhere = sum(len(journey.certified_ns) == nodes for journey in measurement.journeys)
    if figures.get(f"code_{Code.VALID}") != count or everywhere != count:
        raise AssertionError(f"of {count} transactions {everywhere} are certified on all nodes: {figures}")


def _verification_us(raws: Sequence[bytes], founding: Founding) -> float:
    """Return what verifying one of these transactions' signatures costs by itself."""
    public = founding.genesis.organization(EXPORTER).key
    limit_bytes = founding.genesis.limits.transaction_bytes_max
    signed = [parse_transaction(raw, limit_bytes) for raw in raws]
    verifier = Verifier(0)
    begun = time.process_time()
    held = [one.holds(public, verifier) for one in signed]
    cpu_us = (time.process_time() - begun) * 1e6
    if not all(held):
        raise AssertionError("a signature of the load does not hold")
    return cpu_us / len(signed)


def _percentiles(values: Sequence[float]) -> tuple[float, float, float, float]:
    cuts = statistics.quantiles(values, n=100, method="inclusive")
    return cuts[49], cuts[94], cuts[98], max(values)


def _counters(cluster: Cluster) -> dict[str, int]:
    nodes = cluster.nodes
    return {
        "blocks": nodes[0].ledger.height,
        "duplicates": sum(node.gossip.figures.duplicates for node in nodes),
        "delivered": sum(node.gossip.figures.delivered for node in nodes),
        "repaired": sum(node.gossip.figures.repaired for node in nodes),
        "messages": sum(node.links.figures.frames_sent for node in nodes),
        "message_bytes": sum(node.links.figures.bytes_sent for node in nodes),
        "turns": sum(node.driver.figures.turns for node in nodes),
        "commits": sum(node.driver.figures.commits for node in nodes),
        "verified": sum(node.verifier.verified for node in nodes),
        "remembered": sum(node.verifier.remembered for node in nodes),
    }
