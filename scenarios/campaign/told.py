"""A campaign's summary in lines for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from scenarios.campaign.campaign import SUMMARY_FILE
from scenarios.campaign.journal import FAILURES
from scenarios.campaign.parquet import FILE
from scenarios.campaign.result import Result
from scenarios.campaign.summary import ScenarioSummary, summarize
from scenarios.shares import wilson

FAILING_TOLD_MAX = 10
ALWAYS_TOLD = ("passed", "violated")


def tell_campaign(results: Sequence[Result], directory: Path) -> list[str]:
    """Return the lines: per scenario verdicts with intervals, what was exercised, and which seeds did not pass."""
    lines: list[str] = []
    for summary in summarize(results).values():
        lines += [*_told(summary, directory), ""]
    return [*lines, f"results    {directory / FILE}", f"summary    {directory / SUMMARY_FILE}"]


def _told(summary: ScenarioSummary, directory: Path) -> list[str]:
    lines = [f"{summary.scenario}: {summary.runs:,} runs"]
    for verdict, count in summary.verdicts.items():
        if count or verdict in ALWAYS_TOLD:
            low, high = wilson(count, summary.runs)
            lines.append(f"  {verdict:<10} {count:>7,}   {low:.2%} to {high:.2%} (Wilson, 95 %)")
    for name, (runs, times) in sorted(summary.exercised.items()):
        lines.append(f"  check {name:<16} exercised in {runs:,} runs, {times:,} times")
    for name, counts in sorted(summary.faults.items()):
        hit = f"{counts['in_flight']:,} amid a transaction, {counts['met']:,} met one"
        lines.append(f"  fault {name:<16} began in {counts['began']:,} runs: {hit}")
    for seed, why in list(summary.failing.items())[:FAILING_TOLD_MAX]:
        lines.append(f"  seed {seed}: {why}")
        kept = directory / FAILURES / f"{summary.scenario}-{seed}"
        lines.append(f"    again: seatrial run {summary.scenario} --seed {seed}")
        if kept.exists():
            lines.append(f"    kept:  {kept}")
    if len(summary.failing) > FAILING_TOLD_MAX:
        lines.append(f"  and {len(summary.failing) - FAILING_TOLD_MAX:,} more; see {SUMMARY_FILE}")
    return lines
