"""The commands `sweep`, `budget` and `compare`."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter, validators

from scenarios.campaign.campaign import CampaignOptions, run_campaign
from scenarios.campaign.campaign import exit_code as campaign_exit_code
from scenarios.campaign.job import Job
from scenarios.comparing.bisection import Search
from scenarios.comparing.budget import BUDGET_FILE, find_budget, points_within
from scenarios.comparing.compare import compare_sides
from scenarios.comparing.compare import exit_code as compare_exit_code
from scenarios.comparing.condition import read_condition
from scenarios.comparing.over import grid, read_range, read_values
from scenarios.comparing.sources import read_side
from scenarios.comparing.sweep import SWEEP_FILE, TABLE_FILE, cells_of, jobs_of_points, write_sweep
from scenarios.comparing.threshold import read_threshold, read_thresholds
from scenarios.comparing.told import tell_budget, tell_compared, tell_sweep
from scenarios.errors import RefusedError
from scenarios.model.catalog import load_scenario, load_script_of

RUNS = Path("runs")

Scenario = Annotated[str, Parameter(help="A library scenario's name or a file's path.")]
Seeds = Annotated[int, Parameter(help="How many seeds for each value.", validator=validators.Number(gte=1))]
First = Annotated[int, Parameter(help="The first seed.", validator=validators.Number(gte=0))]
Jobs = Annotated[
    int | None,
    Parameter(
        help="Processes on this machine; one per processor if absent.", validator=validators.Number(gte=1)
    ),
]
Out = Annotated[Path | None, Parameter(help="Where it goes; the same command takes it up again.")]
Overrides = Annotated[
    list[str],
    Parameter(name="--set", help="KEY=VALUE: override a value of the file.", negative="", show_default=False),
]
Figures = Annotated[
    list[str],
    Parameter(
        name="--figure", help="A figure to tell, such as `M1 ledger`; the main ones if absent.", negative=""
    ),
]


def sweep(
    scenario: Scenario,
    *,
    over: Annotated[
        list[str],
        Parameter(help="KEY=A,B,C: a value of the file and what it takes; once per key.", negative=""),
    ],
    seeds: Seeds = 4,
    first: First = 1,
    jobs: Jobs = None,
    out: Out = None,
    set_: Overrides = [],  # noqa: B006 - never changed
    figure: Figures = [],  # noqa: B006 - never changed
) -> int:
    """Run a scenario over a grid of values and seeds, and say what its figures come to at each."""
    points = grid([read_values(text) for text in over])
    loaded = [load_scenario(scenario, [*set_, *point]) for point in points]
    script = _script_of(scenario)
    name = loaded[0].scenario
    texts = [(one.resolved(), script) for one in loaded]
    directory = out or RUNS / "sweeps" / f"{name}-{_digest(scenario, *over, *set_)}-{first}-{seeds}"
    options = CampaignOptions(directory, jobs or os.cpu_count() or 1, None, _say)
    results = list(run_campaign(jobs_of_points(name, texts, first, seeds), options).results.values())
    cells = cells_of(name, points, results)
    write_sweep(cells, directory)
    for line in tell_sweep(cells, points, figure):
        print(line)
    print(f"all figures  {directory / SWEEP_FILE}, {directory / TABLE_FILE}")
    return campaign_exit_code(results)


def budget(
    scenario: Scenario,
    *,
    over: Annotated[
        str, Parameter(help="KEY=LOW..HIGH: a value of the file and its range, such as 1d..90d.")
    ],
    until: Annotated[str, Parameter(help="FIGURE SIGN FIGURE, such as `M1 ledger > paper`, or a number.")],
    seeds: Seeds = 4,
    first: First = 1,
    precision: Annotated[
        float | None,
        Parameter(help="Stop when the bracket is as narrow; a hundredth of the range if absent."),
    ] = None,
    runs: Annotated[
        int, Parameter(help="How many runs may be spent.", validator=validators.Number(gte=1))
    ] = 100,
    jobs: Jobs = None,
    out: Out = None,
    set_: Overrides = [],  # noqa: B006 - never changed
) -> int:
    """Find how far a value may go before a condition holds, such as how long a node may be down."""
    span, condition = read_range(over), read_condition(until)
    least = 1.0 if span.whole else 0.0
    precise = precision if precision is not None else max(least, (span.high - span.low) / 100)
    if precise <= 0 or (span.whole and precise < 1):
        remedy = "write the range with decimals for a finer one" if span.whole else "give a greater one"
        raise RefusedError(f"--precision {precise:g}", "more than 0; 1 or more over whole numbers", remedy)
    script = _script_of(scenario)

    def jobs_of(value: float) -> list[Job]:
        loaded = load_scenario(scenario, [*set_, span.override(value)])
        text = loaded.resolved()
        return [Job(loaded.scenario, text, script, str(seed)) for seed in range(first, first + seeds)]

    name = load_scenario(scenario, [*set_, span.override(span.high)]).scenario
    directory = out or RUNS / "budgets" / f"{name}-{_digest(scenario, span.key, *set_)}-{first}-{seeds}"
    options = CampaignOptions(directory, jobs or os.cpu_count() or 1, None, _say)
    search = Search(span.low, span.high, precise, points_within(runs, seeds), span.whole)
    found = find_budget(condition, span, search, jobs_of, options)
    for line in tell_budget(found):
        print(line)
    print(f"all of it  {directory / BUDGET_FILE}")
    return found.exit_code


def compare(
    runs: Annotated[
        list[Path],
        Parameter(help="Folders of runs or campaigns; the others are compared with the first.", negative=""),
    ],
    *,
    threshold: Annotated[
        list[str],
        Parameter(
            help="What must be so, such as `M1 <= +10%`; once per bound.", negative="", show_default=False
        ),
    ] = [],  # noqa: B006 - never changed
    thresholds: Annotated[
        Path | None, Parameter(help="A YAML file with a list `thresholds:` of them.")
    ] = None,
    figure: Figures = [],  # noqa: B006 - never changed
) -> int:
    """Compare runs or campaigns figure by figure: exit 0 within the thresholds, 1 outside, 2 undecided."""
    if len(runs) < 2:
        raise RefusedError("one folder cannot be compared", "two or more", "name another run or campaign")
    bounds = [read_threshold(text) for text in threshold]
    bounds += read_thresholds(thresholds) if thresholds is not None else []
    sides = [read_side(path) for path in runs]
    compared = [compare_sides(sides[0], side, bounds) for side in sides[1:]]
    for one in compared:
        for line in [*tell_compared(one, figure), ""]:
            print(line)
    return compare_exit_code(compared)


def _script_of(scenario: str) -> str | None:
    loaded = load_script_of(scenario)
    return None if loaded is None else loaded[1]


def _digest(*texts: str) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:8]


def _say(line: str) -> None:
    print(line, file=sys.stderr)
