"""One job run in this process.

Rules:
- The run's folder is kept, where asked for, only if the run did not pass; it is what `seatrial show` and `replay` take.
- One seed in so many is run twice; a second run that differs in a line violates `repeatability`.
- A run that a failure of the program itself ended is *broken*, and its folder is kept like any other's.
"""

from __future__ import annotations

import functools
import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from scenarios.campaign.job import Job, Plain
from scenarios.campaign.result import Result
from scenarios.judging.measure import Measurement
from scenarios.judging.verdict import Verdict
from scenarios.measuring.flat import flat_measures
from scenarios.model import Scenario, read_scenario
from scenarios.model.pythonfile import Script, load_script
from scenarios.model.sentences import Judgement
from scenarios.model.source import parse_source
from scenarios.model.tradefaults import TRADE_KINDS
from scenarios.record.eventbook import Event, EventBook
from scenarios.running.options import RunOptions, RunResult
from scenarios.running.papertrial import MEASURES_FILE
from scenarios.running.replaying import compare
from scenarios.running.runner import run_scenario
from scenarios.trial.struck import Struck

NS_PER_S = 1_000_000_000
REPEATABILITY = "repeatability"
"""The check that a seed gives one run; a campaign's own, since it takes a second one."""
REPEATED_EVERY = 50
"""Of so many seeds one is run twice."""

MOMENTARY = ("restart", "reset", "half_open")
"""Kinds that are over as soon as they have begun: no event tells of their end."""


class FaultWatch:
    """Follows events and notes of every fault whether a transaction was under way (submitted, and not certified at
    every node yet) when it began, and at any time while it was in force; a fault of trade has met something only if
    an office that it hit had to wait, or what it sent or wrote was struck.

    Args:
        nodes: every node's organization.
    """

    def __init__(self, nodes: Sequence[str]) -> None:
        self.faults: list[dict[str, Plain]] = []
        self.last_ns = 0
        self._nodes = len(nodes)
        self._measurement = Measurement(nodes)
        self._in_force: dict[int, dict[str, Plain]] = {}
        self._struck = Struck()
        self._of_trade: dict[int, dict[str, Plain]] = {}

    def __call__(self, event: Event) -> None:
        """Take an event into account."""
        self.last_ns = max(self.last_ns, event.protocol_ns)
        self._measurement(event)
        self._struck(event)
        if event.name == "fault.began":
            journeys = self._measurement.journeys
            in_flight = any(len(journey.certified_ns) < self._nodes for journey in journeys)
            number, kind = event.integer("fault"), event.text("kind")
            fault: dict[str, Plain] = {
                "number": number,
                "kind": kind,
                "in_flight": in_flight,
                "met": in_flight and kind not in TRADE_KINDS,
            }
            self.faults.append(fault)
            if kind in TRADE_KINDS:
                self._of_trade[number] = fault
            elif kind not in MOMENTARY:
                self._in_force[number] = fault
        elif event.name == "fault.ended":
            self._in_force.pop(event.integer("fault"), None)
        elif event.name == "transaction.submitted":
            for fault in self._in_force.values():
                fault["met"] = True
        for number in self._struck.numbers:
            self._of_trade[number]["met"] = True


def execute(job: Job, keep: Path | None = None) -> Result:
    """Run a job in the virtual world.

    Args:
        job: to run.
        keep: where the folder of a run that did not pass goes, under the job's name; None keeps nothing.

    Raises:
        ScenarioError: if the job's scenario does not hold.
    """
    scenario = _scenario(job.text, job.scenario)
    watch = FaultWatch(list(scenario.organizations))

    def follow(book: EventBook) -> None:
        book.subscribe(watch)

    cpu, real = time.process_time(), time.monotonic()
    with tempfile.TemporaryDirectory() as directory:
        script = _script(job, Path(directory))
        options = RunOptions(
            "virtual",
            job.seed,
            Path(directory),
            on_event_book=follow,
            script=script,
            script_text=job.script,
        )
        ran = run_scenario(scenario, options)
        result = _result(job, ran, watch, time.process_time() - cpu, time.monotonic() - real)
        if job.seed.isdigit() and int(job.seed) % REPEATED_EVERY == 0:
            result = _repeated(result, scenario, replace(options, on_event_book=_unfollowed), ran)
        if keep is not None and result.verdict != "passed":
            shutil.rmtree(keep / job.name, ignore_errors=True)
            shutil.copytree(ran.folder.path, keep / job.name)
    return result


def _repeated(result: Result, scenario: Scenario, options: RunOptions, ran: RunResult) -> Result:
    """Run a second time, and hold both runs' events, metrics and verdicts against each other."""
    again = run_scenario(scenario, replace(options, out=options.out / "again"))
    difference = compare(ran.folder, again.folder)
    result = replace(result, exercised={**result.exercised, REPEATABILITY: 1})
    if difference is None:
        return result
    where = f"{difference.file}, line {difference.line}"
    told = f"{REPEATABILITY}: {where} is another in a second run of the seed: {difference.repeated[:200]}"
    return replace(result, verdict=Verdict.VIOLATED.value, violations=[*result.violations, told])


def _unfollowed(_book: EventBook) -> None:
    """Follow nothing."""


@functools.lru_cache(maxsize=64)
def _scenario(text: str, name: str) -> Scenario:
    """Read a scenario once for all its seeds; it is frozen."""
    return read_scenario(parse_source(text, name))


def _script(job: Job, directory: Path) -> Script | None:
    if job.script is None:
        return None
    path = directory / "script.py"
    path.write_text(job.script, encoding="utf-8")
    return load_script(path)


def _result(job: Job, ran: RunResult, watch: FaultWatch, cpu_s: float, real_s: float) -> Result:
    judgment = ran.judgment
    metrics = {
        name: float(value)
        for name, value in ran.metrics.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
    prefix, suffix = "check_", "_exercised"
    return Result(
        scenario=job.scenario,
        seed=job.seed,
        verdict=judgment.verdict.value,
        violations=list(judgment.violations),
        open_points=list(judgment.open_points),
        expectations={e.sentence: e.outcome.judgement.value for e in judgment.expectations},
        seen={
            e.sentence: e.outcome.text
            for e in judgment.expectations
            if e.outcome.judgement is not Judgement.HELD
        },
        metrics=metrics,
        measures=_measures(ran),
        exercised={
            name.removeprefix(prefix).removesuffix(suffix): int(value)
            for name, value in metrics.items()
            if name.startswith(prefix) and name.endswith(suffix)
        },
        faults=watch.faults,
        cpu_s=round(cpu_s, 3),
        real_s=round(real_s, 3),
        protocol_s=round(watch.last_ns / NS_PER_S, 3),
    )


def _measures(ran: RunResult) -> dict[str, float]:
    """Return the pilot's metrics, if a trade was drawn."""
    if not (ran.folder.path / MEASURES_FILE).exists():
        return {}
    return flat_measures(ran.folder.read_json(MEASURES_FILE))
