"""Jobs over many machines, by Dask's distributed scheduler (extra `cluster`).

Rules:
- The workers need Seatrial installed, in the campaign's version, and nothing else; jobs carry their scenario.
- A worker that dies costs one run, which the scheduler gives to another, once; after that the run is *lost*.
- A scheduler that is gone costs no run: the campaign stops there, to be taken up again.
- A key on the scheduler names what is run to the last byte: campaigns that differ never get each other's results.
- Only so many jobs are handed to the scheduler at once as keep its workers busy.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError
from importlib.metadata import version
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
OTHER_VERSION = "other version"
QUIET_S = 60
"""After so long without a result it is told how many workers there are."""


def run_plain(plain: dict[str, str | None], wanted: str) -> dict[str, Any]:
    """Run a job on a worker; plain values both ways.

    Args:
        plain: the job.
        wanted: the campaign's version of Seatrial.

    Returns:
        The result, or under `OTHER_VERSION` the worker's own version if it is another one.
    """
    if version("seatrial") != wanted:
        return {OTHER_VERSION: version("seatrial")}
    return execute(Job.of_plain(plain)).plain()


async def run_on_cluster(
    address: str, jobs: Iterable[Job], take: Take, say: Callable[[str], None] = print
) -> None:
    """Run every job and hand over each result as it comes, in no promised order.

    Args:
        address: of a scheduler, such as `tcp://10.0.0.5:8786`.
        jobs: to run.
        take: called with every result.
        say: told if nothing comes for long.

    Raises:
        RefusedError: if the extra is not installed, nobody answers there, the scheduler has no workers or is gone
            before the end, or a worker has another version.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise RefusedError(
            "--cluster needs Dask's distributed scheduler",
            "it is not installed",
            "pip install 'seatrial[cluster]'",
        ) from error
    if not address.rpartition(":")[2].isdigit():
        raise RefusedError(f"--cluster {address}: there is no port", "", f"such as tcp://{address}:8786")
    for name in ("distributed", "distributed.client"):  # what is wrong is said here, without a traceback
        logging.getLogger(name).setLevel(logging.CRITICAL)
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
        await _Hands(client, address, say).run(iter(jobs), take, threads * JOBS_AHEAD_PER_THREAD)
    finally:
        await client.close()


async def _threads(client: Client) -> list[int]:
    if client.scheduler is None:
        return []
    info = await client.scheduler.identity()
    return [int(worker["nthreads"]) for worker in info["workers"].values()]


class _Hands:
    """Hands jobs to a scheduler's workers."""

    def __init__(self, client: Client, address: str, say: Callable[[str], None]) -> None:
        self._client, self._address, self._say = client, address, say

    async def run(self, jobs: Iterator[Job], take: Take, ahead: int) -> None:
        under_way: dict[asyncio.Task[Result], None] = {}
        try:
            await self._keep_busy(under_way, jobs, take, ahead)
        finally:
            for task in under_way:
                task.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)

    async def _keep_busy(
        self, under_way: dict[asyncio.Task[Result], None], jobs: Iterator[Job], take: Take, ahead: int
    ) -> None:
        exhausted = False
        while under_way or not exhausted:
            while not exhausted and len(under_way) < ahead:
                job = next(jobs, None)
                if job is None:
                    exhausted = True
                else:
                    under_way[asyncio.create_task(self._one(job))] = None
            if not under_way:
                break
            done, _ = await asyncio.wait(under_way, timeout=QUIET_S, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                del under_way[task]
                take(task.result())
            if not done:
                await self._tell_quiet()

    async def _one(self, job: Job) -> Result:
        future = self._client.submit(
            run_plain, job.plain(), version("seatrial"), key=_key(job), retries=1, pure=False
        )
        try:
            value = await future
        except CancelledError as error:
            raise self._gone() from error
        except Exception as error:  # whatever ended it on the worker comes back as itself
            if self._client.status != "running":
                raise self._gone() from error
            return Result(job.scenario, job.seed, LOST, reason=f"{type(error).__name__}: {error}"[:2000])
        if OTHER_VERSION in value:
            raise RefusedError(
                f"a worker at {self._address} has version {value[OTHER_VERSION]} of seatrial",
                f"this is version {version('seatrial')}",
                "install the same everywhere; the same command goes on",
            )
        return Result.of_plain(value)

    def _gone(self) -> RefusedError:
        return RefusedError(
            f"the scheduler at {self._address} is gone",
            "what is done is kept",
            "start it and its workers again; the same command goes on",
        )

    async def _tell_quiet(self) -> None:
        try:
            count = len(await _threads(self._client))
        except OSError:
            return  # the scheduler is gone: every job under way ends by that
        workers = (
            f"{count} worker{'s' * (count != 1)}" if count else f"no workers: dask worker {self._address}"
        )
        self._say(f"no result for {QUIET_S} s; the scheduler has {workers}")


def _key(job: Job) -> str:
    text = json.dumps([version("seatrial"), job.plain()], sort_keys=True)
    return f"seatrial-{job.name}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
