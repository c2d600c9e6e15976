"""A run's failure shrunk by running candidates.

Rules:
- The run is repeated first: one that does not fail as it was recorded is not shrunk.
- A candidate runs in a worker process with the run's own seed. One that is no sound scenario costs no run and does not
  count as failing; nor does one whose worker ends or does not answer in time, which is told.
- No candidate runs twice. When the budget is used up, or at Ctrl-C, the smallest that has failed so far stands.
- At the end the smallest runs with a few other seeds, beyond the budget, to say whether the failure depends on it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import cast

from scenarios.campaign.crew import RUN_LIMIT_S, RUNS_PER_WORKER_MAX, Worker, WorkerEndedError
from scenarios.campaign.job import Job
from scenarios.campaign.result import Result
from scenarios.errors import RefusedError, ScenarioError
from scenarios.judging.verdict import Verdict
from scenarios.model import Scenario, read_scenario
from scenarios.model.catalog import load_scenario
from scenarios.model.source import parse_source
from scenarios.record.runfolder import RUN_FILE, SCRIPT_FILE, RunFolder
from scenarios.shrinking.candidate import Candidate, Control, Part
from scenarios.shrinking.failure import Failure, failure_of
from scenarios.shrinking.plan import tries

OTHER_SEEDS = ("1", "2", "3", "4", "5")

Say = Callable[[str], None]


_PARTS_TOLD = (Part.FAULTS, Part.STEPS, Part.ENTRIES, Part.EXPECT, Part.CHECKS, Part.AGENTS, Part.NETWORK)
"""The parts in the order in which it is told how much of them is left."""


class End(StrEnum):
    """Why no more was tried."""

    MINIMAL = "nothing more can be taken away"
    BUDGET = "the budget of runs was used up"
    INTERRUPTED = "stopped by Ctrl-C"


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a run's folder holds of its failure.

    Attributes:
        path: the folder.
        seed: the run's.
        version: of the program that ran it.
        candidate: the whole scenario and how it failed.
    """

    path: Path
    seed: str
    version: str
    candidate: Candidate


@dataclass(slots=True)
class Shrunk:
    """What came of shrinking.

    Attributes:
        recorded: the run it began with.
        best: the smallest scenario that failed in the same way.
        end: why no more was tried.
        runs: how many runs it took, the first repetition included, other seeds not.
        ended: what each worker said that ended before its run was done.
        passed: what passed, or had only nothing left to check, with its seed, in the order in which it was tried.
        seeds: other seeds, and whether the smallest fails in the same way with them.
    """

    recorded: Recorded
    best: Candidate
    end: End = End.INTERRUPTED
    runs: int = 0
    ended: list[str] = field(default_factory=list)
    seeds: dict[str, bool] = field(default_factory=dict)
    passed: list[tuple[Candidate, str]] = field(default_factory=list)

    @property
    def counts(self) -> dict[str, tuple[int, int]]:
        """How much of each part is left, and of how much."""
        names = {
            Part.EXPECT: "expectations",
            Part.ENTRIES: "claims and documents",
            Part.AGENTS: "agents' settings",
        }
        first = self.recorded.candidate
        return {
            names.get(part, part.value): (self.best.count(part), first.count(part)) for part in _PARTS_TOLD
        }


def read_failure(folder: RunFolder) -> Recorded:
    """Return how a run failed.

    Raises:
        RefusedError: if it passed, is unfinished or damaged, was no virtual run, or was driven by a script.
    """
    run, verdict = folder.read_json(RUN_FILE), folder.read_json("verdict.json")
    if run.get("world") != "virtual":
        what = f"{folder.path} is a run in the {run.get('world')} world"
        raise RefusedError(what, "only virtual runs repeat", "run it with --world virtual for one that does")
    if run.get("script") or (folder.path / SCRIPT_FILE).exists():
        what = f"{folder.path} was driven by a Python script"
        raise RefusedError(what, "only scripts in YAML are shrunk", "shorten the script by hand")
    try:
        failure = failure_of(
            str(verdict["verdict"]),
            cast("list[str]", verdict["violations"]),
            {
                str(e["sentence"]): str(e["judgement"])
                for e in cast("list[dict[str, str]]", verdict["expectations"])
            },
            cast("list[str]", verdict["open"]),
            {
                str(e["sentence"]): str(e["seen"])
                for e in cast("list[dict[str, str]]", verdict["expectations"])
            },
        )
    except (KeyError, TypeError, IndexError) as error:
        what = f"{folder.path / 'verdict.json'} is no verdict: {error!r}"
        raise RefusedError(what, "", "the folder is damaged; run the scenario again") from error
    if failure is None:
        raise RefusedError(
            f"{folder.path} is a run that passed", "there is nothing to shrink", "name another"
        )
    scenario = load_scenario(folder.path / "scenario.yaml")
    candidate = Candidate(json.loads(scenario.resolved()), failure)
    return Recorded(folder.path, str(run.get("seed")), str(run.get("version")), candidate)


def sound(candidate: Candidate) -> Scenario | None:
    """Return the candidate as a scenario, or None if its file would be refused."""
    try:
        return read_scenario(parse_source(candidate.text, str(candidate.value["scenario"])))
    except ScenarioError:
        return None


def shrink_run(
    recorded: Recorded, runs_max: int, say: Say, other_seeds: Sequence[str] = OTHER_SEEDS
) -> Shrunk:
    """Shrink a run's failure.

    Args:
        recorded: how it failed.
        runs_max: how many runs may be spent.
        say: told a line per run.
        other_seeds: tried with the smallest; the run's own is left out.

    Raises:
        RefusedError: if the run does not fail again as it was recorded.
        KeyboardInterrupt: if it was stopped before the run had been repeated.
    """
    shrinking = _Shrinking(recorded, runs_max, say)
    try:
        asyncio.run(shrinking.run([seed for seed in other_seeds if seed != recorded.seed]))
    except KeyboardInterrupt:
        if not shrinking.repeated:
            raise
    return shrinking.shrunk


class _Shrinking:
    """One failure on its way to the smallest scenario."""

    def __init__(self, recorded: Recorded, runs_max: int, say: Say) -> None:
        self.shrunk = Shrunk(recorded, recorded.candidate)
        self.repeated = False
        self._runs_max, self._say = runs_max, say
        self._known: dict[tuple[str, Failure], bool] = {}
        self._worker: Worker | None = None

    async def run(self, other_seeds: Sequence[str]) -> None:
        try:
            await self._repeat()
            self.shrunk.end = await self._shrink()
            for seed in other_seeds:
                failure = await self._failure(self.shrunk.best, seed)
                self.shrunk.seeds[seed] = failure == self.shrunk.best.failure
                self._say(f"other seed {seed}: {failure or 'does not fail'}")
        finally:
            if self._worker is not None:
                await self._worker.stop()

    async def _repeat(self) -> None:
        recorded = self.shrunk.recorded
        self.shrunk.runs += 1
        failure = await self._failure(recorded.candidate, recorded.seed)
        if failure != recorded.candidate.failure:
            raise RefusedError(
                f"{recorded.path} does not repeat: it is recorded as {recorded.candidate.failure},"
                f" and came out as {failure or 'no failure'} now",
                f"it was run by version {recorded.version}",
                "shrink it with the version that ran it, or run the scenario again",
            )
        self.repeated = True
        self._say(f"run 1 of at most {self._runs_max}: repeated, {failure}; {self._left(recorded.candidate)}")

    async def _shrink(self) -> End:
        trying = tries(self.shrunk.recorded.candidate)
        answer: bool | None = None
        while True:
            try:
                candidate = next(trying) if answer is None else trying.send(answer)
            except StopIteration:
                return End.MINIMAL
            known = (candidate.text, candidate.failure)
            if known not in self._known:
                if sound(candidate) is None:
                    self._known[known] = False
                elif self.shrunk.runs >= self._runs_max:
                    return End.BUDGET
                else:
                    self._known[known] = await self._fails(candidate)
            answer = self._known[known]
            if answer and not isinstance(candidate, Control):
                self.shrunk.best = candidate

    async def _fails(self, candidate: Candidate) -> bool:
        self.shrunk.runs += 1
        failure = await self._failure(candidate, self.shrunk.recorded.seed)
        same = failure == candidate.failure
        told = "fails in the same way" if same else f"{failure or 'does not fail'}"
        number = f"run {self.shrunk.runs} of at most {self._runs_max}"
        self._say(f"{number}: {self._left(candidate)}: {told}")
        return same

    def _left(self, candidate: Candidate) -> str:
        parts = ((Part.FAULTS, "faults"), (Part.STEPS, "steps"), (Part.EXPECT, "expectations"))
        return ", ".join(f"{candidate.count(part)} {name}" for part, name in parts)

    async def _failure(self, candidate: Candidate, seed: str) -> Failure | None:
        """Run a candidate that is sound and return how it failed; None too for one whose worker ended."""
        if self._worker is None or self._worker.runs >= RUNS_PER_WORKER_MAX:
            await self._renew()
        assert self._worker is not None  # noqa: S101 - just started
        try:
            job = Job(str(candidate.value["scenario"]), candidate.text, None, seed)
            result = await self._worker.run(job, RUN_LIMIT_S)
        except WorkerEndedError as error:
            self.shrunk.ended.append(str(error))
            self._say(f"a candidate came to no verdict: {error}")
            await self._renew()
            return None
        if result.verdict == Verdict.PASSED or _has_only_less_to_check(result):
            self.shrunk.passed.append((candidate, seed))
        return failure_of(
            result.verdict, result.violations, result.expectations, result.open_points, result.seen
        )

    async def _renew(self) -> None:
        if self._worker is not None:
            await self._worker.stop()
        self._worker = await Worker.start(None)


def _has_only_less_to_check(result: Result) -> bool:
    """Say whether a run is undecided for no other reason than that checks had nothing to look at."""
    points = result.open_points
    return result.verdict == Verdict.UNDECIDED and all(
        point.endswith("was never exercised") for point in points
    )
