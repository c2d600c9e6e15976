"""A library scenario as a page: what its file says, and how a run of it went.

Rules:
- The page is made of the file and of a run in the virtual world from one seed; a test makes it again and compares.
- What is told of the run is what `seatrial run` prints, without the protocol's figures: they are not the trade's.
"""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

from rich.console import Console

from scenarios.model import Scenario
from scenarios.model.catalog import library_names, load_scenario
from scenarios.record.eventbook import EventBook
from scenarios.running.options import RunOptions
from scenarios.running.runner import run_scenario
from scenarios.telling.narration import Narrator, print_summary
from scenarios.telling.sample import Sample

SEED = "1"
WIDTH = 100


def scenario_page(name: str) -> str:
    """Return a scenario's page in Markdown; runs the scenario."""
    scenario = load_scenario(name)
    parts = [
        f"# {scenario.scenario}: {scenario.title}",
        "",
        f"Made by `python -m scenarios.pages` of the file [`{name}.yaml`](../../scenarios/library/{name}.yaml) and a"
        f" run of it; see it yourself with `seatrial run {name} --seed {SEED}`.",
        "",
        scenario.about.strip(),
        "",
        "## Who takes part",
        "",
        "| organization | name | country | roles |",
        "|---|---|---|---|",
        *(
            f"| {i} | {o.name} | {o.country} | {', '.join(o.roles)} |"
            for i, o in scenario.organizations.items()
        ),
        "",
        *_what_goes_wrong(scenario),
        "## What happened",
        "",
        "```",
        _told(scenario).strip("\n"),
        "```",
        "",
    ]
    return "\n".join(parts)


def index_page() -> str:
    """Return the page that lists the library."""
    lines = ["# The library's scenarios", "", "| scenario | what it shows |", "|---|---|"]
    lines += [f"| [{name}]({name}.md) | {load_scenario(name).title} |" for name in library_names()]
    return "\n".join([*lines, ""])


def _what_goes_wrong(scenario: Scenario) -> list[str]:
    if not scenario.faults:
        return []
    lines = ["## What goes wrong", ""]
    for number, fault in enumerate(scenario.faults, 1):
        lasts = "until the end" if fault.lasts is None else f"for {fault.lasts}"
        lines.append(f"{number}. {fault.kind} of {fault.target}, {lasts}")
    return [*lines, ""]


def _told(scenario: Scenario) -> str:
    """Return what a run prints, lines as wide as they come."""
    out = io.StringIO()
    console = Console(file=out, width=WIDTH, highlight=False, soft_wrap=True, color_system=None)
    sample = Sample()
    with tempfile.TemporaryDirectory() as directory:
        narrator = Narrator(console, scenario.zone, sample.shows if scenario.workload else lambda _: True)

        def follow(book: EventBook) -> None:
            book.subscribe(sample)
            book.subscribe(narrator)

        result = run_scenario(scenario, RunOptions("virtual", SEED, Path(directory), on_event_book=follow))
        if result.failure is not None:
            raise result.failure
    if sample.count:
        shown, left_out = len(sample.told), sample.left_out
        console.print(
            f"\n({shown} of {sample.count} shipments are told here; {left_out} lines about the others are not)"
        )
    print_summary(
        console, scenario, result.trial.history, result.metrics, result.judgment, with_figures=False
    )
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())
