"""Worker processes on one machine.

Rules:
- A worker that dies, or does not answer within the limit, costs one run, which is given to a fresh worker once more; a
  run that ends its worker twice is *lost*, with what the worker said last.
- A worker is replaced after a number of runs: a process that has founded and buried many networks grows.
- Stopping kills every worker; what they were at is run again when the campaign is taken up. Workers whose starter is
  gone without stopping them end by themselves.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from scenarios.campaign.job import Job
from scenarios.campaign.result import LOST, Result

RUNS_PER_WORKER_MAX = 50
RUN_LIMIT_S = 900.0
LINE_BYTES_MAX = 64 << 20
SAID_LAST_CHARACTERS = 2000

Take = Callable[[Result], None]


class WorkerEndedError(Exception):
    """A worker ended, or did not answer in time, before its run was done; the message has what it said last."""


@dataclass(slots=True)
class Worker:
    """One worker process."""

    process: asyncio.subprocess.Process
    said: IO[bytes]
    scratch: tempfile.TemporaryDirectory[str]
    runs: int = 0

    @classmethod
    async def start(cls, keep: Path | None) -> Worker:
        """Start one."""
        said = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the worker
        scratch = tempfile.TemporaryDirectory(prefix="seatrial-", ignore_cleanup_errors=True)
        arguments = [sys.executable, "-m", "scenarios.campaign.worker", scratch.name]
        process = await asyncio.create_subprocess_exec(
            *arguments,
            *([str(keep)] if keep else []),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=said,
            limit=LINE_BYTES_MAX,
        )
        return cls(process, said, scratch)

    async def run(self, job: Job, limit_s: float) -> Result:
        """Have a job run.

        Raises:
            WorkerEndedError: if the worker ends or takes too long.
        """
        assert self.process.stdin is not None  # noqa: S101 - started with pipes
        assert self.process.stdout is not None  # noqa: S101
        self.runs += 1
        try:
            async with asyncio.timeout(limit_s):
                self.process.stdin.write(json.dumps(job.plain()).encode() + b"\n")
                await self.process.stdin.drain()
                line = await self.process.stdout.readline()
        except TimeoutError as error:
            raise WorkerEndedError(f"no result within {limit_s:g} s") from error
        except (ConnectionError, ValueError) as error:
            raise WorkerEndedError(self._last_words()) from error
        if not line.endswith(b"\n"):
            await self.process.wait()
            raise WorkerEndedError(self._last_words())
        return Result.of_plain(json.loads(line))

    async def stop(self) -> None:
        """Kill it if it lives."""
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()
        self.said.close()
        self.scratch.cleanup()

    def _last_words(self) -> str:
        self.said.seek(0)
        text = self.said.read().decode("utf-8", "replace")[-SAID_LAST_CHARACTERS:].strip()
        return f"the worker ended with {self.process.returncode}: {text or 'it said nothing'}"


@dataclass(slots=True)
class Crew:
    """Workers that share a list of jobs.

    Attributes:
        size: how many work at once.
        keep: where folders of runs that did not pass go.
        limit_s: real seconds after which a run is given up.
        ended: how many workers ended before their run was done.
    """

    size: int
    keep: Path | None = None
    limit_s: float = RUN_LIMIT_S
    ended: int = 0
    _workers: list[Worker] = field(default_factory=list)

    async def run(self, jobs: Iterable[Job], take: Take) -> None:
        """Run every job and hand over each result as it comes, in no promised order."""
        waiting = iter(jobs)
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self.size):
                    group.create_task(self._work(waiting, take))
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from failed
        finally:
            for worker in self._workers:
                await worker.stop()

    async def _work(self, waiting: Iterable[Job], take: Take) -> None:
        worker: Worker | None = None
        for job in waiting:
            if worker is None or worker.runs >= RUNS_PER_WORKER_MAX:
                worker = await self._replace(worker)
            try:
                take(await worker.run(job, self.limit_s))
                continue
            except WorkerEndedError:
                self.ended += 1
                worker = await self._replace(worker)
            try:
                take(await worker.run(job, self.limit_s))
            except WorkerEndedError as error:
                self.ended += 1
                worker = await self._replace(worker)
                take(Result(job.scenario, job.seed, LOST, reason=str(error)))

    async def _replace(self, worker: Worker | None) -> Worker:
        if worker is not None:
            self._workers.remove(worker)
            await worker.stop()
        fresh = await Worker.start(self.keep)
        self._workers.append(fresh)
        return fresh
