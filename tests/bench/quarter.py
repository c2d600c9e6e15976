"""What `seatrial run pilot-quarter` costs, both arms and all checks, by how many shipments it has.

Each size is a process of its own, as its user runs it: its processor time and the most memory it ever had come from
the operating system, transactions and blocks from what the run left.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from scenarios.model.catalog import load_scenario
from scenarios.running.options import RunOptions
from scenarios.running.runner import run_scenario
from tests.bench.whose import WhoseSampler

SHIPMENTS = (100, 300)
SCENARIO = "pilot-quarter"


@dataclass(frozen=True, slots=True)
class QuarterFigures:
    """One run's figures; memory is the resident set at its largest, MiB."""

    shipments: int
    cpu_s: float
    memory_mib_max: int
    transactions: int
    blocks: int
    organizations: int

    @property
    def cpu_ms_each(self) -> float:
        """Processor time per transaction, everything included, milliseconds."""
        return 1000 * self.cpu_s / self.transactions


def measure_quarter(shipments: int, seed: str = "1") -> QuarterFigures:
    """Run the quarter and return its figures.

    Raises:
        subprocess.CalledProcessError: if it does not pass.
    """
    with tempfile.TemporaryDirectory(prefix="seatrial-") as out:
        asked = ["run", SCENARIO, "--seed", seed, "--out", out, "--set", f"workload.shipments={shipments}"]
        subprocess.run([sys.executable, "-m", "scenarios", *asked], check=True, stdout=subprocess.DEVNULL)
        folder = Path(out) / SCENARIO / "latest"
        host = json.loads((folder / "run.json").read_text())["host"]
        heights = [
            record["height"]
            for line in (folder / "public" / "events.ndjson").open(encoding="utf-8")
            if (record := json.loads(line))["event"] == "receipt"
        ]
        return QuarterFigures(
            shipments,
            host["cpu_s"],
            host["memory_mib_max"],
            len(heights),
            len(dict.fromkeys(heights)),
            len(list((folder / "nodes").iterdir())),
        )


@dataclass(frozen=True, slots=True)
class QuarterShares:
    """Whose work a run's processor time is: the share of each in percent and its milliseconds per transaction."""

    shipments: int
    transactions: int
    shares: tuple[tuple[str, float, float], ...]


def measure_shares(shipments: int, seed: str = "1") -> QuarterShares:
    """Run the quarter in this process and return whose work it is."""
    sampler = WhoseSampler()
    scenario = load_scenario(SCENARIO, [f"workload.shipments={shipments}"])
    with tempfile.TemporaryDirectory(prefix="seatrial-") as out:
        begun = time.process_time()
        with sampler.running():
            result = run_scenario(scenario, RunOptions("virtual", seed, Path(out)))
        spent_ms = 1000 * (time.process_time() - begun)
    transactions = cast(int, result.metrics["transactions_submitted"])
    shares = [(whose, share, share / 100 * spent_ms / transactions) for whose, share in sampler.shares()]
    return QuarterShares(shipments, transactions, tuple(shares))
