"""A campaign's results as a Parquet file (extra `analysis`): a row per run, ready for any data tool.

Columns: scenario, seed, verdict, reason (text); cpu_s, real_s, protocol_s (seconds); violations, open_points (lists of
text); metrics, measures, exercised, expectations (maps by name); faults (list of number, kind, in_flight, met).
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable
from pathlib import Path

from scenarios.campaign.result import Result
from scenarios.errors import RefusedError

FILE = "results.parquet"


def check_installed() -> None:
    """Refuse to begin what could not be written at the end.

    Raises:
        RefusedError: if the extra is not installed.
    """
    if importlib.util.find_spec("pyarrow") is None:
        raise RefusedError(
            "results as Parquet need pyarrow", "it is not installed", "pip install 'seatrial[analysis]'"
        )


def write_parquet(results: Iterable[Result], path: Path) -> None:
    """Write results, ordered by scenario and seed.

    Raises:
        RefusedError: if the extra is not installed.
    """
    check_installed()
    import pyarrow as pa
    import pyarrow.parquet as pq

    text, numbers = pa.string(), pa.float64()
    schema = pa.schema(
        [
            ("scenario", text),
            ("seed", text),
            ("verdict", text),
            ("reason", text),
            ("cpu_s", numbers),
            ("real_s", numbers),
            ("protocol_s", numbers),
            ("violations", pa.list_(text)),
            ("open_points", pa.list_(text)),
            ("metrics", pa.map_(text, numbers)),
            ("measures", pa.map_(text, numbers)),
            ("exercised", pa.map_(text, pa.int64())),
            ("expectations", pa.map_(text, text)),
            (
                "faults",
                pa.list_(
                    pa.struct(
                        [
                            ("number", pa.int64()),
                            ("kind", text),
                            ("in_flight", pa.bool_()),
                            ("met", pa.bool_()),
                        ]
                    )
                ),
            ),
        ]
    )
    ordered = sorted(results, key=lambda result: (result.scenario, _seed_order(result.seed)))
    rows = [
        {
            **result.plain(),
            "metrics": list(result.metrics.items()),
            "measures": list(result.measures.items()),
            "exercised": list(result.exercised.items()),
            "expectations": list(result.expectations.items()),
        }
        for result in ordered
    ]
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), path)


def _seed_order(seed: str) -> tuple[int, str]:
    return (int(seed), "") if seed.isdigit() else (1 << 62, seed)
