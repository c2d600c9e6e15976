"""A campaign's summary in lines for a terminal."""

from __future__ import annotations

import shlex
import statistics
from collections.abc import Sequence
from pathlib import Path

from scenarios.campaign.campaign import SUMMARY_FILE
from scenarios.campaign.journal import FAILURES
from scenarios.campaign.parquet import FILE
from scenarios.campaign.result import Result
from scenarios.campaign.summary import MET_LEAST, ScenarioSummary, summarize
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
    if summary.faults:
        lines.append("  fault              began   in runs   amid a transaction       met one")
    for kind, strikes in sorted(summary.faults.items()):
        amid, met = (_percent(hits, strikes.began) for hits in (strikes.in_flight, strikes.met))
        lines.append(f"  {kind:<16} {strikes.began:>7,} {strikes.runs:>9,}   {amid:<20} {met}")
    lines += _told_met(summary)
    for seed, why in list(summary.failing.items())[:FAILING_TOLD_MAX]:
        lines.append(f"  seed {seed}: {why}")
        kept = directory / FAILURES / f"{summary.scenario}-{seed}"
        if kept.exists():
            lines.append(f"    again: seatrial replay {shlex.quote(str(kept))}")
            lines.append(f"    short: seatrial shrink {shlex.quote(str(kept))}")
        else:
            lines.append(f"    again: seatrial run {summary.scenario} --seed {seed}")
    if len(summary.failing) > FAILING_TOLD_MAX:
        lines.append(f"  and {len(summary.failing) - FAILING_TOLD_MAX:,} more; see {SUMMARY_FILE}")
    return lines


def _told_met(summary: ScenarioSummary) -> list[str]:
    """Return in how many runs enough faults met something, and the seeds of those in which too few did."""
    few = summary.few_met
    if few is None:
        return []
    least, median = min(summary.met.values()), statistics.median(summary.met.values())
    line = f"  faults that met one in a run: {least} at least, {median:g} in the median"
    if not few:
        return [line]
    named = ", ".join(f"{seed} ({count})" for seed, count in list(few.items())[:FAILING_TOLD_MAX])
    more = f" and {len(few) - FAILING_TOLD_MAX:,} more" if len(few) > FAILING_TOLD_MAX else ""
    return [line, f"  fewer than {MET_LEAST} in {len(few):,} run{'s' * (len(few) != 1)}: seeds {named}{more}"]


def _percent(hits: int, of: int) -> str:
    """Return a share in percent, and its interval."""
    low, high = wilson(hits, of)
    return f"{hits / of:.0%} ({low:.0%} to {high:.0%})"
