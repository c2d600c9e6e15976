"""A virtual run made again with every frame followed."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from scenarios.diagram.recording import Flight, Recording
from scenarios.errors import RefusedError
from scenarios.judging.verdict import Judgment
from scenarios.model import Scenario
from scenarios.record.eventbook import Event, EventBook
from scenarios.record.runfolder import RunFolder
from scenarios.running.options import RunOptions
from scenarios.running.replaying import compare, read_repeatable
from scenarios.running.runner import run_scenario
from scenarios.trial.pilot import Script


@dataclass(frozen=True, slots=True)
class Followed:
    """A run with its frames.

    Attributes:
        scenario, seed: which run.
        events: all of them, the observer's included.
        flights: every frame that left a node, in order.
        judgment: what it came to.
    """

    scenario: Scenario
    seed: str
    events: Sequence[Event]
    flights: Sequence[Flight]
    judgment: Judgment


def follow_run(scenario: Scenario, seed: str) -> Followed:
    """Run a scenario in the virtual world and follow every frame; nothing is kept on disk."""
    with tempfile.TemporaryDirectory() as directory:
        return _follow(scenario, seed, Path(directory))[0]


def follow_again(folder: RunFolder) -> Followed:
    """Repeat a run from its folder and follow every frame.

    Raises:
        RefusedError: if it was a live run, does not repeat, or its folder is no finished run's or damaged.
    """
    repeatable = read_repeatable(folder)
    with tempfile.TemporaryDirectory() as directory:
        followed, repeated = _follow(
            repeatable.scenario,
            repeatable.seed,
            Path(directory),
            repeatable.script,
            trace_messages=repeatable.trace_messages,
        )
        difference = compare(folder, repeated)
    if difference is not None:
        raise RefusedError(
            f"{folder.path} does not repeat: {difference.file}:{difference.line} is another now",
            "a diagram shows the run that was",
            "draw it with the version that ran it, or run the scenario again",
        )
    return followed


def _follow(
    scenario: Scenario,
    seed: str,
    out: Path,
    script: Script | None = None,
    *,
    trace_messages: bool = False,
) -> tuple[Followed, RunFolder]:
    recording = Recording()

    def subscribe(book: EventBook) -> None:
        book.subscribe(recording)

    options = RunOptions(
        "virtual",
        seed,
        out,
        trace_messages=trace_messages,
        on_event_book=subscribe,
        script=script,
        flights=recording,
    )
    ran = run_scenario(scenario, options)
    followed = Followed(scenario, seed, list(ran.book.events), recording.flights, ran.judgment)
    return followed, ran.folder
