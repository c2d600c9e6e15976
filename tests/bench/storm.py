"""What a batch of the default campaign costs: CPU per seed, what each run exercised, and what a second process brings.

Rules:
- One process runs seed 0, which pays for imports and caches, and then the batch; a run counts from job to result.
- A figure stands beside what it was paid for: transactions, faults that met one under way, checks. A check that some
  run did not exercise is named.
- One worker and two are held against each other by real time over the same seeds, with their start-up and without:
  without it, from when each has run one. On processors that others use it tells nothing, so it is asked for.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from scenarios.campaign.crew import RUN_LIMIT_S, Worker
from scenarios.campaign.execute import execute
from scenarios.campaign.job import Job, jobs_of
from scenarios.campaign.result import Result
from scenarios.model.catalog import load_scenario
from tests.bench.reference import reference_ms

STORM = "storm"
GOAL_S = 1.0
SPEEDUP_GOAL = 1.8


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch's figures.

    Attributes:
        cpu_s: CPU seconds of each run.
        results: what each came to.
        reference_ms: the fixed reference work, median of before and after.
    """

    cpu_s: tuple[float, ...]
    results: tuple[Result, ...]
    reference_ms: float

    @property
    def median_s(self) -> float:
        """CPU seconds per seed."""
        return statistics.median(self.cpu_s)

    @property
    def transactions(self) -> list[int]:
        """Of each run, submitted."""
        return [int(result.metrics["transactions_submitted"]) for result in self.results]

    @property
    def hits(self) -> list[int]:
        """Of each run, faults that met a transaction under way."""
        return [sum(bool(fault["met"]) for fault in result.faults) for result in self.results]

    @property
    def not_exercised(self) -> list[str]:
        """The checks that some run did not exercise."""
        names = dict.fromkeys(name for result in self.results for name in result.exercised)
        return sorted(n for n in names if any(not result.exercised.get(n) for result in self.results))


@dataclass(frozen=True, slots=True)
class Speed:
    """What so many workers took for the batch, real seconds.

    Attributes:
        workers: how many.
        started_s: from nothing to as many runs as there are workers.
        batch_s: from there to the batch's end.
    """

    workers: int
    started_s: float
    batch_s: float


def measure_batch(seeds: int) -> Batch:
    """Run seeds 1 to `seeds` of the storm after seed 0, in this process."""
    first, *jobs = jobs_of([(load_scenario(STORM), None)], 0, seeds + 1)
    references = [reference_ms()]
    execute(first)
    costs: list[float] = []
    results: list[Result] = []
    for job in jobs:
        begun = time.process_time()
        results.append(execute(job))
        costs.append(time.process_time() - begun)
    references.append(reference_ms())
    return Batch(tuple(costs), tuple(results), statistics.median(references))


def measure_speeds(seeds: int) -> tuple[Speed, Speed]:
    """Let one worker, and then two, run the same seeds."""
    jobs = list(jobs_of([(load_scenario(STORM), None)], 0, seeds + 1))
    return asyncio.run(_speed(1, jobs)), asyncio.run(_speed(2, jobs))


def load_average() -> float:
    """Return how many programs wanted a processor in the last minute; a figure of speed needs it near 0 before."""
    return os.getloadavg()[0]


async def _speed(count: int, jobs: Sequence[Job]) -> Speed:
    begun = time.monotonic()
    workers = [await Worker.start(None) for _ in range(count)]
    try:
        first, left = jobs[0], iter(jobs[1:])
        await asyncio.gather(*(worker.run(first, RUN_LIMIT_S) for worker in workers))
        warm = time.monotonic()
        await asyncio.gather(*(_work(worker, left) for worker in workers))
        return Speed(count, warm - begun, time.monotonic() - warm)
    finally:
        for worker in workers:
            await worker.stop()


async def _work(worker: Worker, left: Iterator[Job]) -> None:
    for job in left:
        await worker.run(job, RUN_LIMIT_S)
