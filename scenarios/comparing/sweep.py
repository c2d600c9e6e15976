"""A scenario over a grid of values: every figure at every point of it, with how sure it is.

Rules:
- Every point is run with the same seeds. The mean over seeds comes with its bootstrap interval.
- The runs are a campaign: durable one by one, taken up again by the same command.
- A run that has no figure is not counted for it; of how many runs a figure is, is told.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from scenarios.campaign.job import Job
from scenarios.campaign.result import Result
from scenarios.measuring.statistics import Interval, bootstrap_mean

SWEEP_FILE = "sweep.json"
TABLE_FILE = "sweep.parquet"


@dataclass(frozen=True, slots=True)
class Cell:
    """One figure at one point.

    Attributes:
        point: its overrides.
        figure: its name.
        runs: how many have it.
        mean: over seeds.
        interval: 95 percent, of the mean; None with fewer than two runs.
        low, high: the least and the greatest value.
    """

    point: tuple[str, ...]
    figure: str
    runs: int
    mean: float
    interval: Interval | None
    low: float
    high: float


def name_of_point(scenario: str, number: int) -> str:
    """Return what the runs of a point are called in a campaign; points count from 1."""
    return f"{scenario}.{number}"


def jobs_of_points(
    scenario: str, texts: Sequence[tuple[str, str | None]], first: int, seeds: int
) -> list[Job]:
    """Return every point's runs, all points of one seed together.

    Args:
        scenario: its name.
        texts: per point the resolved scenario and its script.
        first: the first seed.
        seeds: how many.
    """
    return [
        Job(name_of_point(scenario, number), text, script, str(seed))
        for seed in range(first, first + seeds)
        for number, (text, script) in enumerate(texts, 1)
    ]


def cells_of(scenario: str, points: Sequence[tuple[str, ...]], results: Iterable[Result]) -> list[Cell]:
    """Return every figure at every point, in the order of the points."""
    places = {name_of_point(scenario, number): point for number, point in enumerate(points, 1)}
    values: dict[tuple[tuple[str, ...], str], list[float]] = {}
    for result in sorted(results, key=lambda result: (len(result.seed), result.seed)):
        if not result.is_whole:
            continue
        for figure, value in result.figures.items():
            values.setdefault((places[result.scenario], figure), []).append(value)
    cells: list[Cell] = []
    for point in points:
        for (at, figure), seen in values.items():
            if at == point:
                mean, interval = bootstrap_mean(seen)
                cells.append(Cell(point, figure, len(seen), mean, interval, min(seen), max(seen)))
    return cells


def write_sweep(cells: Sequence[Cell], directory: Path) -> None:
    """Write all cells as JSON and as a Parquet table, a row per point and figure.

    Raises:
        OSError: if they cannot be written.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    (directory / SWEEP_FILE).write_text(
        json.dumps([asdict(cell) for cell in cells], indent=1) + "\n", encoding="utf-8"
    )
    number, text = pa.float64(), pa.string()
    columns = {
        "point": pa.map_(text, text),
        "figure": text,
        "runs": pa.int64(),
        "mean": number,
        "mean_low": number,
        "mean_high": number,
        "low": number,
        "high": number,
    }
    rows: list[Mapping[str, object]] = []
    for cell in cells:
        low, high = cell.interval if cell.interval is not None else (None, None)
        point = [(key, value) for key, _, value in (override.partition("=") for override in cell.point)]
        rows.append({**asdict(cell), "point": point, "mean_low": low, "mean_high": high})
    pq.write_table(
        pa.Table.from_pylist(rows, schema=pa.schema(list(columns.items()))), directory / TABLE_FILE
    )
