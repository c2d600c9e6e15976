"""Jobs over many machines, by Dask's distributed scheduler (extra `cluster`).

Rules:
- The workers need Seatrial installed and nothing else; jobs carry their scenario.
- A worker that dies costs one run, which the scheduler gives to another, once; after that the run is *lost*.
- Only so many jobs are handed to the scheduler at once as keep its workers busy.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from scenarios.campaign.crew import Take
from scenarios.campaign.execute import execute
from scenarios.campaign.job import Job
from scenarios.campaign.result import LOST, Result
from scenarios.errors import RefusedError

if TYPE_CHECKING:
    from distributed import Client

CONNECT_LIMIT_S = 10
JOBS_AHEAD_PER_THREAD = 2


def run_plain(plain: dict[str, str | None]) -> dict[str, Any]:
    """Run a job on a worker; plain values both ways."""
    return execute(Job.of_plain(plain)).plain()


async def run_on_cluster(address: str, jobs: Iterable[Job], take: Take) -> None:
    """Run every job and hand over each result as it comes, in no promised order.

    Args:
        address: of a scheduler, such as `tcp://10.0.0.5:8786`.
        jobs: to run.
        take: called with every result.

    Raises:
        RefusedError: if the extra is not installed, nobody answers there, or the scheduler has no workers.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise RefusedError(
            "--cluster needs Dask's distributed scheduler",
            "it is not installed",
            "pip install 'seatrial[cluster]'",
        ) from error
    try:
        client = await Client(  # type: ignore[no-untyped-call]
            address, asynchronous=True, timeout=CONNECT_LIMIT_S, set_as_default=False
        )
    except (OSError, TimeoutError, ValueError) as error:
        raise RefusedError(
            f"no scheduler answers at {address}: {error}",
            "",
            "start one: dask scheduler, then dask worker ADDRESS",
        ) from error
    try:
        threads = sum(await _threads(client))
        if not threads:
            raise RefusedError(
                f"the scheduler at {address} has no workers", "", f"start some: dask worker {address}"
            )
        await _run(client, iter(jobs), take, threads * JOBS_AHEAD_PER_THREAD)
    finally:
        await client.close()


async def _threads(client: Client) -> list[int]:
    if client.scheduler is None:
        return []
    info = await client.scheduler.identity()
    return [int(worker["nthreads"]) for worker in info["workers"].values()]


async def _run(client: Client, jobs: Iterator[Job], take: Take, ahead: int) -> None:
    under_way: dict[asyncio.Task[Result], None] = {}
    exhausted = False
    while under_way or not exhausted:
        while not exhausted and len(under_way) < ahead:
            job = next(jobs, None)
            if job is None:
                exhausted = True
            else:
                under_way[asyncio.create_task(_one(client, job))] = None
        if not under_way:
            break
        done, _ = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            del under_way[task]
            take(task.result())


async def _one(client: Client, job: Job) -> Result:
    future = client.submit(run_plain, job.plain(), key=f"seatrial-{job.name}", retries=1, pure=False)
    try:
        return Result.of_plain(await future)
    except Exception as error:  # whatever ended it on the worker comes back as itself
        return Result(job.scenario, job.seed, LOST, reason=f"{type(error).__name__}: {error}"[:2000])
