"""A quick figure of the live world: five processes over loopback, against plain SQLite commits on the same disk.

Rules:
- The figure is a ratio to a loop of one-row commits (WAL, `synchronous=FULL`) in the same run: both depend on
  the disk and on the machine, their ratio less so. It is never a bar.
- 64 workers each hand in one transaction at the exporter's node, wait until it is certified there, and go on to
  the next: a closed loop. All six processes share the machine's cores.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import apsw
import uvloop

from p2p.finality import Finality
from p2p.observer import RecordField
from scenarios.agents.client import NodeClient
from scenarios.worlds.live import LiveWorld
from tests.bench.cluster import network
from tests.bench.load import EXPORTER, sign_load

OUTSTANDING = 64
TRANSACTIONS = 1920
WARM_UP = 320
COMMITS = 500
ROW_BYTES = 400


@dataclass(frozen=True, slots=True)
class LiveFigures:
    """The live network's figures.

    Attributes:
        transactions: certified in the measured part.
        seconds: it took, real time.
        latencies_ms: p50, p95 and maximum from handing in to certified at the exporter's node, real time.
        commits_per_s: of the plain SQLite loop, mean of before and after.
        cores: that all processes shared.
    """

    transactions: int
    seconds: float
    latencies_ms: tuple[float, float, float]
    commits_per_s: float
    cores: int

    @property
    def per_s(self) -> float:
        """Transactions certified per second."""
        return self.transactions / self.seconds

    @property
    def ratio(self) -> float:
        """Transactions per plain SQLite commit."""
        return self.per_s / self.commits_per_s


def measure_live() -> LiveFigures:
    """Measure five processes under a closed loop of 64 workers."""
    with tempfile.TemporaryDirectory(prefix="seatrial-bench-") as directory:
        return uvloop.run(_measure(Path(directory)))


async def _measure(directory: Path) -> LiveFigures:
    founding, plan, calendar_ms = network()
    commits = [plain_commits_per_s(directory / "before.db")]
    world = LiveWorld(directory / "network", founding, plan, _ignore)
    await world.open(calendar_ms)
    try:
        raws = sign_load(founding, calendar_ms, WARM_UP + TRANSACTIONS)
        endpoint = world.endpoint(EXPORTER)
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=OUTSTANDING)) as session:
            client = NodeClient(session, endpoint.url, endpoint.token)
            await _closed_loop(client, raws[:WARM_UP])
            begun = time.monotonic()
            latencies = await _closed_loop(client, raws[WARM_UP:])
            seconds = time.monotonic() - begun
    finally:
        await world.close()
    commits.append(plain_commits_per_s(directory / "after.db"))
    cuts = statistics.quantiles(latencies, n=20, method="inclusive")
    percentiles = (cuts[9], cuts[18], max(latencies))
    return LiveFigures(TRANSACTIONS, seconds, percentiles, statistics.mean(commits), os.cpu_count() or 1)


async def _closed_loop(client: NodeClient, raws: list[bytes]) -> list[float]:
    """Hand all in, `OUTSTANDING` at a time; return each one's time to certified, milliseconds."""
    left = iter(raws)
    latencies: list[float] = []

    async def work() -> None:
        for raw in left:
            begun = time.monotonic()
            status = await client.submit(raw)
            final = await client.status(status.id, Finality.CERTIFIED)
            if final is None or final.status is not Finality.CERTIFIED or final.code != "VALID":
                raise AssertionError(f"a transaction was not certified: {final}")
            latencies.append((time.monotonic() - begun) * 1000)

    async with asyncio.TaskGroup() as group:
        for _ in range(OUTSTANDING):
            group.create_task(work())
    return latencies


def plain_commits_per_s(path: Path) -> float:
    """Return how many one-row transactions a second SQLite makes durable here."""
    connection = apsw.Connection(str(path))
    connection.execute("PRAGMA locking_mode=EXCLUSIVE")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE row(number INTEGER PRIMARY KEY, data BLOB)")
    row = bytes(ROW_BYTES)
    begun = time.monotonic()
    for number in range(COMMITS):
        connection.execute("INSERT INTO row VALUES (?, ?)", (number, row))
    seconds = time.monotonic() - begun
    connection.close()
    return COMMITS / seconds


def _ignore(event: str, fields: Mapping[str, RecordField]) -> None:
    """The nodes' records are not needed here."""
