"""The pilot's metrics as a page, made of their definitions and of what acts cost."""

from __future__ import annotations

from collections.abc import Callable

from scenarios.measuring.definitions import METRICS, Axis, Metric
from scenarios.measuring.effort import ActEffort, Arm, Cost, standard_effort

_HEAD = """# The metrics

Made of the program's own data (`python -m scenarios.pages`); a test holds it to them. Every run with a drawn trade
has them in `measures.json`, for both arms, computed from the run's events alone. Values per shipment are told as
median, mean and 95th percentile, and paired between the arms; shares with their Wilson interval; what did not finish is
counted as open. M12 is the ledger's own: paper has none of it. Figures' names for `seatrial sweep`, `budget` and
`compare` are in `docs/sensitivity.md`.
"""
_EFFORT = """## What acts cost

From `scenarios/measuring/effort.yaml`, for M9, M13 and duplicate entry (M5): minutes of the organization that acts,
data elements keyed, and of them those that somebody had keyed before. One number is both arms'; *ledger / paper* are
two.

| event | minutes | keyed | again | range of minutes | mark | source |
|---|---|---|---|---|---|---|"""


def metrics_page() -> str:
    """Return the page in Markdown."""
    lines = [_HEAD]
    for axis in Axis:
        lines += [f"## {axis.value.capitalize()}", ""]
        lines += [
            "| metric | name | formula | unit | better | paired | source |",
            "|---|---|---|---|---|---|---|",
        ]
        lines += [_row(metric) for metric in METRICS.values() if metric.axis is axis]
        lines.append("")
    lines.append(_EFFORT)
    lines += [_act(name, effort) for name, effort in standard_effort().items()]
    return "\n".join(lines) + "\n"


def _row(metric: Metric) -> str:
    paired = "by shipment" if metric.paired else ""
    cells = (metric.id, metric.name, metric.formula, metric.unit, metric.better.value, paired, metric.source)
    return f"| {' | '.join(cells)} |"


def _act(name: str, effort: ActEffort) -> str:
    low, high = effort.range
    parts = [_both(effort, lambda cost: cost.minutes), _both(effort, lambda cost: cost.keyed)]
    parts.append(_both(effort, lambda cost: cost.again))
    return f"| `{name}` | {' | '.join(parts)} | {low} to {high} | {effort.mark} | {effort.source} |"


def _both(effort: ActEffort, of: Callable[[Cost], int]) -> str:
    if effort.both is not None:
        return str(of(effort.both))
    return f"{of(effort.cost(Arm.LEDGER))} / {of(effort.cost(Arm.PAPER))}"
