"""What a run is asked for, with what it comes back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from p2p.observer import RecordField
from scenarios.judging.verdict import Judgment
from scenarios.privacy.readings import Readings
from scenarios.record.eventbook import EventBook
from scenarios.record.runfolder import RunFolder
from scenarios.running.progress import Progress
from scenarios.trial.pilot import Script
from scenarios.trial.trial import Trial
from scenarios.worlds.lifeobserver import Flights


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How a scenario is run.

    Attributes:
        world: `virtual` or `live`.
        seed: decides everything random.
        out: where run folders go.
        trace_messages: whether every message is written down.
        on_event_book: called with the event book before anything happens, to follow it.
        script: what happens besides the scenario's steps, if it is written in Python.
        script_text: the file that the script came from, kept in the folder so that the run can be repeated.
        flights: follows every frame from end to end, in the virtual world.
        progress: follows how far the run has got, if anybody wants to know.
        tamper: called with the trial before it runs; for tests only.
    """

    world: str
    seed: str
    out: Path
    trace_messages: bool = False
    on_event_book: Callable[[EventBook], None] = lambda _book: None
    script: Script | None = None
    script_text: str | None = None
    flights: Flights | None = None
    progress: Progress | None = None
    tamper: Callable[[Trial], None] = lambda _trial: None


@dataclass(frozen=True, slots=True)
class RunResult:
    """A run that came to its end.

    Attributes:
        folder: what it left.
        judgment: its verdict with the grounds.
        metrics: figures by name.
        trial, book, readings: its parts, as they stood at the end.
        failure: what ended it, where the program itself failed.
    """

    folder: RunFolder
    judgment: Judgment
    metrics: Mapping[str, RecordField | float]
    trial: Trial
    book: EventBook
    readings: Readings
    failure: Exception | None = None
