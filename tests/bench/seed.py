"""What a seed costs: whole runs of one scenario one after the other, as a campaign's worker makes them.

Rules:
- The first run pays for imports and caches and is in no figure; a batch pays it once.
- A run is counted from its job to its result: reading the scenario, founding, the network and its traders, checks, the
  search for leaks, the run folder.
- Shares are from the same runs, sampled: whose code, so that a run's phases and the nodes' parts stand side by side.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass

from scenarios.campaign.execute import execute
from scenarios.campaign.job import jobs_of
from scenarios.model.catalog import library_names, load_scenario
from tests.bench.attribution import Sampler
from tests.bench.reference import reference_ms

WISHED = "storm"
OTHERWISE = "nafta-certificate-loss"
SEEDS = 8
GOAL_S = 1.0

PHASES = (
    ("scenarios/privacy/leaks.py", "after the run: search for leaks"),
    ("scenarios/privacy/canaries.py", "after the run: search for leaks"),
    ("scenarios/privacy/framespool.py", "frames kept for the search"),
    ("scenarios/judging/", "checks, measures and judgment"),
    ("scenarios/trial/settling.py", "looking for rest"),
    ("scenarios/worlds/", "looking for rest"),
    ("scenarios/agents/", "agents"),
    ("scenarios/model/", "reading the scenario"),
    ("scenarios/network/", "founding"),
    ("scenarios/", "trial: events, message trace, run folder"),
    ("p2p/virtual/vfs.py", "virtual disks"),
    ("p2p/virtual/disk.py", "virtual disks"),
    ("p2p/virtual/", "asyncio and the virtual loop and network"),
    ("p2p/api.py", "nodes: HTTP interface"),
    ("p2p/views.py", "nodes: HTTP interface"),
    ("p2p/control.py", "looking for rest"),
    ("p2p/", "nodes: turns, links, gossip"),
    ("consensus/", "nodes: consensus"),
    ("ledger/store/", "nodes: store"),
    ("ledger/", "nodes: ledger"),
    ("tests/", "the bench itself"),
)
"""Beginnings of paths and whose they are, the first that fits."""


@dataclass(frozen=True, slots=True)
class SeedFigures:
    """A batch's figures.

    Attributes:
        scenario: which one.
        first_s: CPU time of the first run, imports and caches included.
        cpu_s: of each run after it.
        protocol_s: of each, on the protocol clock.
        transactions: mean over the runs.
        faults: that began, mean over the runs.
        verdicts: how many runs had which.
        shares: whose code took which share of the CPU time, in percent, the greatest first.
        samples: taken.
        reference_ms: the fixed reference work, median of before and after.
    """

    scenario: str
    first_s: float
    cpu_s: tuple[float, ...]
    protocol_s: tuple[float, ...]
    transactions: float
    faults: float
    verdicts: dict[str, int]
    shares: tuple[tuple[str, float], ...]
    samples: int
    reference_ms: float

    @property
    def mean_s(self) -> float:
        """CPU time per seed."""
        return statistics.mean(self.cpu_s)


def measure_seeds(seeds: int = SEEDS) -> SeedFigures:
    """Run a scenario with `seeds` seeds and one more before them, in this process."""
    name = WISHED if WISHED in library_names() else OTHERWISE
    first, *jobs = jobs_of([(load_scenario(name), None)], 0, seeds + 1)
    references = [reference_ms()]
    begun = time.process_time()
    execute(first)
    first_s = time.process_time() - begun
    sampler = Sampler(PHASES)
    costs: list[float] = []
    results = []
    for job in jobs:
        with sampler.running():
            begun = time.process_time()
            results.append(execute(job))
            costs.append(time.process_time() - begun)
    references.append(reference_ms())
    verdicts = [result.verdict for result in results]
    return SeedFigures(
        scenario=name,
        first_s=first_s,
        cpu_s=tuple(costs),
        protocol_s=tuple(result.protocol_s for result in results),
        transactions=statistics.mean(result.metrics["transactions_submitted"] for result in results),
        faults=statistics.mean(len(result.faults) for result in results),
        verdicts={verdict: verdicts.count(verdict) for verdict in dict.fromkeys(verdicts)},
        shares=tuple(sampler.shares()),
        samples=sampler.samples,
        reference_ms=statistics.median(references),
    )
