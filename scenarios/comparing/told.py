"""Sweeps, budgets and comparisons in lines for a terminal."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence

from scenarios.comparing.bisection import Crossing, End
from scenarios.comparing.budget import Budget
from scenarios.comparing.compare import Compared
from scenarios.comparing.paired import Change
from scenarios.comparing.sweep import Cell
from scenarios.errors import RefusedError, nearest
from scenarios.measuring.definitions import METRICS
from scenarios.measuring.statistics import Interval

WIDTH = 80
FIGURES_TOLD = (
    *(f"{metric} {arm}" for metric in METRICS for arm in ("ledger", "paper")),
    *(f"certified_{share}_{what}_ms" for share in (50, 90, 100) for what in ("median", "p95")),
    "transactions_valid",
    "transactions_unfinished",
    "elections_won",
    "bytes",
    "privacy_leaks",
)
"""What is told of a run unless figures are named; everything is in the files."""


SHOWN_MIN = 0.000005
"""What is nearer to nothing is told as nothing: less than half a second of a day."""


def told_number(value: float) -> str:
    """Return a number in four digits, never as a power of ten, thousands apart."""
    if abs(value) < SHOWN_MIN:
        return "0"
    if math.isinf(value):
        return "beyond"
    if value == int(value) or abs(value) >= 1000:
        return f"{value:,.0f}"
    digits = 3 - math.floor(math.log10(abs(value)))
    return f"{value:.{max(1, min(digits, 5))}f}"


def told_interval(interval: Interval | None) -> str:
    """Return an interval in words."""
    return "one pair" if interval is None else f"{told_number(interval[0])} to {told_number(interval[1])}"


def tell_sweep(cells: Sequence[Cell], points: Sequence[tuple[str, ...]], figures: Sequence[str]) -> list[str]:
    """Return a table per figure: the mean over seeds at every point with its interval.

    Raises:
        RefusedError: if a named figure is none of any run.
    """
    table = {(cell.point, cell.figure): cell for cell in cells}
    known = dict.fromkeys(cell.figure for cell in cells)
    _check(figures, known)
    lines: list[str] = []
    for figure in figures or [name for name in FIGURES_TOLD if name in known]:
        lines += [_titled(figure), f"  {'':<36}{'mean':>10}  {'95 % of the mean':<20}{'runs':>5}"]
        for point in points:
            cell = table.get((point, figure))
            name = ", ".join(point)
            if len(name) > 35:
                lines.append(f"  {name}")
                name = ""
            told = (
                "" if cell is None else "one run" if cell.interval is None else told_interval(cell.interval)
            )
            mean, runs = ("none", 0) if cell is None else (told_number(cell.mean), cell.runs)
            lines.append(f"  {name:<36}{mean:>10}  {told:<20}{runs:>5}")
        lines.append("")
    return lines


def tell_budget(found: Budget) -> list[str]:
    """Return what was tried and what came of it."""
    unit = found.over.unit
    lines = [f"{found.over.key} until {found.condition.text}", ""]
    lines.append(f"  {'value':>10}  {'holds by, mean':>15}  {'95 % of the mean':<22}{'seeds':>5}")
    for point in found.crossing.points:
        told = "one seed" if point.interval is None else told_interval(point.interval)
        verdict = "holds" if point.holds else "does not hold"
        sure = "" if point.is_sure else ", not sure"
        value = found.over.written(point.value)
        row = f"  {value:>10}  {told_number(point.mean):>15}  {told:<22}{len(point.margins):>5}  {verdict}{sure}"
        lines.append(row)
    lines.append("")
    lines += textwrap.wrap(_ended(found, unit), WIDTH)
    verdicts = ", ".join(f"{name} {count}" for name, count in sorted(found.verdicts.items()))
    tail = f"{found.runs} runs ({verdicts}); {found.left_out} without the figure."
    return [*lines, *textwrap.wrap(tail, WIDTH)]


def _ended(found: Budget, unit: str) -> str:
    crossing = found.crossing
    low, high = (None if end is None else found.over.written(end) for end in (crossing.low, crossing.high))
    match crossing.end:
        case End.FOUND:
            told = f"It does not hold at {low} and holds at {high}, by the mean over seeds. "
        case End.SPENT:
            told = f"The runs are used up: it does not hold at {low} and holds at {high}; give more --runs. "
        case End.ALREADY:
            told = f"It holds already at {high}, the low end of the range. "
        case End.NEVER:
            told = f"It does not hold at {low} either, the high end of the range: no budget was found. "
        case End.UNMEASURED:
            return "At some value no run has the figure: nothing can be said."
    return told + _how_sure(crossing, unit)


def _how_sure(crossing: Crossing, unit: str) -> str:
    if crossing.interval is None:
        return "With one seed nothing can be said of how sure this is."
    low, high = crossing.interval
    beyond = f"{crossing.points[-1].value:g}{unit}"
    below = f"{crossing.points[0].value:g}{unit}"
    ends = [
        f"beyond {beyond}"
        if end == math.inf
        else f"below {below}"
        if end == -math.inf
        else f"{end:.1f}{unit}"
        for end in (low, high)
    ]
    if ends[0] == ends[1]:
        told = f"In 95 % of resamples of the seeds the crossing lies {ends[0]}."
    else:
        told = f"The crossing's 95 % interval over seeds: {ends[0]} to {ends[1]}."
    falls = f" The mean fell {crossing.falls} times where it was taken to rise." if crossing.falls else ""
    return told + falls


def tell_compared(compared: Compared, figures: Sequence[str]) -> list[str]:
    """Return every change that is told, and the thresholds.

    Raises:
        RefusedError: if a named figure is on neither side.
    """
    _check(figures, compared.changes)
    names = figures or [name for name in FIGURES_TOLD if name in compared.changes]
    lines = [f"first      {compared.first.path}", f"other      {compared.other.path}", ""]
    lines.append(f"{'':<23}{'first':>9}{'other':>10}{'change':>10}  {'95 % of it':<18}pairs")
    same = 0
    for name in names:
        change = compared.changes[name]
        if change.difference == 0 and change.first == change.other and not figures and not change.is_sure:
            same += 1
            continue
        lines.append(_changed(change))
    if any(compared.changes[name].per == "shipment" for name in names):
        lines.append("s: paired by shipment; all else by seed")
    if same:
        lines.append(f"the same on average: {same} more of the figures that are told by default")
    if compared.kept:
        lines.append("")
        for threshold, kept in compared.kept:
            interval = threshold.interval_of(compared.changes[threshold.figure])
            unit = " %" if threshold.is_relative else ""
            told = (
                "no interval: one pair, or a first of 0"
                if interval is None
                else told_interval(interval) + unit
            )
            lines.append(f"{kept.value:<10} {threshold.text}  ({told})")
    return lines


def _changed(change: Change) -> str:
    name, interval = change.figure, told_interval(change.interval)
    mark = " s" if change.per == "shipment" else ""
    row = f"{name:<23}{told_number(change.first):>9}{told_number(change.other):>10}"
    return f"{row}{_signed(change.difference):>10}  {interval:<18}{change.pairs:>5}{mark}"


def _signed(value: float) -> str:
    return ("+" if value >= SHOWN_MIN else "") + told_number(value)


def _titled(figure: str) -> str:
    metric = METRICS.get(figure.split(maxsplit=1)[0])
    return figure if metric is None else f"{figure}: {metric.name}, {metric.unit}"


def _check(figures: Sequence[str], known: Mapping[str, object]) -> None:
    for figure in figures:
        if figure not in known:
            remedy = nearest(figure, known) or "see docs/metrics.md"
            raise RefusedError(f'--figure "{figure}": no run has it', "such as M1 ledger, bytes", remedy)
