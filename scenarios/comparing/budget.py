"""Fault budgets: how far a value may go before a condition holds, by bisection over runs.

Rules:
- Every value tried is a campaign of its own within the search's directory, durable run by run: the same command takes
  the search up again.
- A run without the figure, or lost, counts for nothing at its value; how many is told.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from scenarios.campaign.campaign import CampaignOptions, run_campaign
from scenarios.campaign.job import Job
from scenarios.campaign.result import Result
from scenarios.comparing.bisection import Crossing, End, Search, bisect
from scenarios.comparing.condition import Condition
from scenarios.comparing.over import Range
from scenarios.errors import RefusedError

BUDGET_FILE = "budget.json"

JobsOf = Callable[[float], Sequence[Job]]


@dataclass(slots=True)
class Budget:
    """What a search came to.

    Attributes:
        condition, over: what was asked.
        crossing: what was found.
        runs: how many runs it took.
        left_out: runs without the figure, or lost.
        verdicts: of all runs.
    """

    condition: Condition
    over: Range
    crossing: Crossing
    runs: int = 0
    left_out: int = 0
    verdicts: dict[str, int] = field(default_factory=dict)

    @property
    def exit_code(self) -> int:
        """Return 0 if the value was found or was not reached, 2 if the search was spent or nothing was measured."""
        return 2 if self.crossing.end in (End.SPENT, End.UNMEASURED) else 0


def find_budget(
    condition: Condition, over: Range, search: Search, jobs_of: JobsOf, options: CampaignOptions
) -> Budget:
    """Search.

    Args:
        condition: until when.
        over: what is varied; its values name the campaigns.
        search: the range, and when to stop.
        jobs_of: the runs of a value.
        options: how they are run; `out` is the search's directory.

    Raises:
        RefusedError: if the directory holds another search, or no run has the condition's figures.
    """
    seen: dict[float, list[Result]] = {}

    def measure(value: float) -> dict[str, float]:
        options.say(f"{over.override(value)}")
        at = replace(options, out=options.out / over.written(value))
        results = list(run_campaign(list(jobs_of(value)), at).results.values())
        seen[value] = results
        known = {name: 0.0 for result in results for name in result.figures}
        if known:
            condition.check_known(known)
        margins = {r.seed: condition.margin(r.figures) for r in results if r.is_whole}
        return {seed: margin for seed, margin in margins.items() if margin is not None}

    crossing = bisect(replace(search, holds_by=condition.holds_by), measure)
    found = Budget(condition, over, crossing)
    counted = sum(len(point.margins) for point in crossing.points)
    for results in seen.values():
        found.runs += len(results)
        for result in results:
            found.verdicts[result.verdict] = found.verdicts.get(result.verdict, 0) + 1
    found.left_out = found.runs - counted
    _write(found, options.out / BUDGET_FILE)
    return found


def points_within(runs: int, seeds: int) -> int:
    """Return how many values a number of runs is enough for.

    Raises:
        RefusedError: if it is not enough for both ends of the range.
    """
    if runs < 2 * seeds:
        raise RefusedError(
            f"--runs {runs}",
            f"at least {2 * seeds}: both ends, {seeds} seeds each",
            "raise it, or lower --seeds",
        )
    return runs // seeds


def _write(found: Budget, path: Path) -> None:
    crossing = asdict(found.crossing)
    if found.crossing.interval is not None:
        crossing["interval"] = [None if math.isinf(end) else end for end in found.crossing.interval]
    value = {
        "until": found.condition.text,
        "over": asdict(found.over),
        "runs": found.runs,
        "left_out": found.left_out,
        "verdicts": found.verdicts,
        "crossing": crossing,
    }
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
