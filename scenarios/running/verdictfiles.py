"""What a run's folder says of the run itself: the verdict with its reasons, and what was run where."""

from __future__ import annotations

import platform
import resource
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import version

from scenarios.judging.checks.check import Check
from scenarios.judging.checks.registry import CHECKS
from scenarios.judging.verdict import Judgment
from scenarios.model import Scenario
from scenarios.privacy.readings import Readings, told_readings
from scenarios.record.eventbook import EventBook
from scenarios.running.options import RunOptions
from scenarios.trial.trial import TrialOutcome


def verdict_of(
    judgment: Judgment, book: EventBook, checks: Sequence[Check], readings: Readings
) -> dict[str, object]:
    """Return what `verdict.json` says."""
    return {
        "verdict": judgment.verdict.value,
        "violations": list(judgment.violations),
        "open": list(judgment.open_points),
        "expectations": [
            {"sentence": e.sentence, "judgement": e.outcome.judgement.value, "seen": e.outcome.text}
            for e in judgment.expectations
        ],
        "phases": [
            {"protocol_ms": event.protocol_ns // 1_000_000, **event.fields} for event in book.named("phase")
        ],
        "checks": [
            {
                "name": check.name,
                "property": CHECKS[check.name].sentence,
                "source": CHECKS[check.name].source,
                "exercised": check.exercised,
                "violations": len(check.violations),
            }
            for check in checks
        ],
        "privacy": told_readings(readings),
    }


@dataclass(frozen=True, slots=True)
class Stopwatch:
    """Time since a run began: the machine's, and this process' CPU time, in seconds."""

    started: float = field(default_factory=time.monotonic)
    cpu_started: float = field(default_factory=time.process_time)


def run_of(scenario: Scenario, options: RunOptions, network: str, watch: Stopwatch) -> dict[str, object]:
    """Return what `run.json` says: what to repeat the run by, and what the machine gave for it.

    Args:
        scenario: as it was run.
        options: likewise.
        network: the network's id.
        watch: started as the run began.
    """
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "scenario": scenario.scenario,
        "seed": options.seed,
        "world": options.world,
        "trace_messages": options.trace_messages,
        "script": options.script is not None,
        "version": version("seatrial"),
        "network": network,
        "host": {
            "python": platform.python_version(),
            "cpu_s": round(time.process_time() - watch.cpu_started, 3),
            "real_s": round(time.monotonic() - watch.started, 3),
            "memory_mib_max": usage.ru_maxrss // 1024,
        },
    }


def left_undone(scenario: Scenario, outcome: TrialOutcome) -> list[str]:
    """Name every step and fault that never began, with what it waited for, and every step that could not be taken."""
    told: list[str] = []
    for number, reason in outcome.steps_not_taken.items():
        step = scenario.steps[number - 1]
        told.append(f"step {number} ({step.do} by {step.by}) could not be taken: {reason}")
    for number in outcome.steps_never_begun:
        step = scenario.steps[number - 1]
        told.append(f"step {number} ({step.do} by {step.by}) never began; {_waited(step.at, step.when)}")
    for number in outcome.faults_never_begun:
        fault = scenario.faults[number - 1]
        told.append(
            f"fault {number} ({fault.kind} of {fault.target}) never began; {_waited(fault.at, fault.when)}"
        )
    return told


def _waited(at: object, when: object) -> str:
    return f"it was to begin when {when}" if when is not None else f"it was to begin at {at}"
