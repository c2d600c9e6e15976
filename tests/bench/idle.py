"""How fast virtual time passes when nobody trades: heartbeats, their answers, signs of life, reconciliation."""

from __future__ import annotations

import asyncio
import statistics
import time
from dataclasses import dataclass

from tests.bench.cluster import Cluster, in_cluster
from tests.bench.reference import reference_ms

WARM_UP_S = 20
WINDOW_S = 60
WINDOWS = 7
GOAL_S_PER_S = 200


@dataclass(frozen=True, slots=True)
class IdleFigures:
    """An idle cluster's figures.

    Attributes:
        speeds: virtual seconds per CPU second, one per window.
        frames_per_s: frames sent by all nodes together per virtual second.
        turns_per_s: driver turns of all nodes together per virtual second.
        references_ms: the fixed reference work beside each window.
    """

    speeds: tuple[float, ...]
    frames_per_s: float
    turns_per_s: float
    references_ms: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle window's speed."""
        return statistics.median(self.speeds)


def measure_idle() -> IdleFigures:
    """Measure an idle cluster of five nodes."""
    return in_cluster(_measure)


async def _measure(cluster: Cluster) -> IdleFigures:
    await asyncio.sleep(WARM_UP_S)
    speeds: list[float] = []
    references: list[float] = []
    frames, turns = _work(cluster)
    for _ in range(WINDOWS):
        references.append(reference_ms())
        begun = time.process_time()
        await asyncio.sleep(WINDOW_S)
        speeds.append(WINDOW_S / (time.process_time() - begun))
    frames_after, turns_after = _work(cluster)
    total_s = WINDOWS * WINDOW_S
    return IdleFigures(
        tuple(speeds), (frames_after - frames) / total_s, (turns_after - turns) / total_s, tuple(references)
    )


def _work(cluster: Cluster) -> tuple[int, int]:
    frames = sum(node.links.figures.frames_sent for node in cluster.nodes)
    return frames, sum(node.driver.figures.turns for node in cluster.nodes)
