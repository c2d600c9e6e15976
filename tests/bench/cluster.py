"""The network that is measured: the five members of the example scenario, in the virtual world.

Rules:
- Everything but the processor's time follows from the seed.
- What the nodes record is kept as it comes and judged after the measured window, unless somebody else is told of it.
- Every node verifies every signature for itself, as in processes of their own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeVar

from p2p.node import Node
from p2p.observer import RecordField
from p2p.virtual import NS_PER_MS, VirtualWorld, run_virtual
from scenarios.judging.checks.raft import RaftProperties
from scenarios.model.catalog import load_scenario
from scenarios.network.asked import founding_of, network_plan
from scenarios.network.founding import Founding
from scenarios.network.plan import NetworkPlan
from scenarios.record.eventbook import Event
from scenarios.worlds.virtual import SimulatedWorld

SCENARIO = "nafta-certificate"
SEED = "bench"
TIME_LIMIT_S = 1000.0

T = TypeVar("T")


class Watcher(Protocol):
    """Whoever is told of what nodes record, of frames, and of Raft."""

    @property
    def raft(self) -> RaftProperties:
        """Follows every node's core."""

    def record(self, event: str, fields: Mapping[str, RecordField]) -> None:
        """Take what a node records."""

    def frame(self, now_ns: int, source: str, target: str, kind: str, frame: bytes) -> None:
        """Take a frame that left a node."""

    def begin(self, world: SimulatedWorld) -> None:
        """Be told of the world before anything in it begins."""


@dataclass(slots=True)
class Cluster:
    """A running network and what its nodes said.

    Attributes:
        world: the nodes' world.
        records: (protocol ns, event, fields), in order.
    """

    world: SimulatedWorld
    records: list[tuple[int, str, Mapping[str, RecordField]]] = field(default_factory=list)

    @property
    def nodes(self) -> list[Node]:
        """Every node, in genesis order."""
        return [self.world.node(organization) for organization in self.world.organizations]

    @property
    def leader(self) -> str:
        """The leader's organization."""
        (leader,) = {node.ordering.leader or "?" for node in self.nodes}
        return leader

    async def settle(self) -> None:
        """Wait until every node knows one and the same leader."""
        while True:
            leaders = {node.ordering.leader for node in self.nodes}
            if len(leaders) == 1 and None not in leaders:
                return
            await asyncio.sleep(0.1)

    def events(self) -> list[Event]:
        """Return the records as a trial's events."""
        return [
            Event(number, 0, now_ns, name, fields, public=False)
            for number, (now_ns, name, fields) in enumerate(self.records)
        ]


def network() -> tuple[Founding, NetworkPlan, int]:
    """Return the network that is measured, and its calendar at the start."""
    scenario = load_scenario(SCENARIO)
    return founding_of(scenario, SEED), network_plan(scenario), scenario.calendar.start_ms


def in_cluster(
    work: Callable[[Cluster], Coroutine[None, None, T]],
    *,
    block_interval_ms: int | None = None,
    watcher: Watcher | None = None,
) -> T:
    """Found the network, start its nodes in the virtual world, and run `work` beside them.

    Args:
        work: what is done with the network.
        block_interval_ms: instead of the default.
        watcher: told of everything instead of the cluster, which then has no records.
    """
    founding, plan, calendar_ms = network()
    if block_interval_ms is not None:
        plan = replace(plan, timing=replace(plan.timing, block_interval_ms=block_interval_ms))
    low_ms, high_ms = plan.latency_ms
    kit = VirtualWorld(
        SEED, latency_ns=(round(low_ms * NS_PER_MS), round(high_ms * NS_PER_MS)), calendar_ms=calendar_ms
    )

    async def main(_kit: VirtualWorld) -> T:
        def sink(event: str, fields: Mapping[str, RecordField]) -> None:
            cluster.records.append((kit.now_ns(), event, fields))

        if watcher is None:
            world = SimulatedWorld(kit, founding, plan, sink, verifies_apart=True)
        else:
            told = (watcher.record, watcher.frame, watcher.raft)
            world = SimulatedWorld(kit, founding, plan, *told, verifies_apart=True)
            watcher.begin(world)
        cluster = Cluster(world)
        await cluster.world.open(calendar_ms)
        await cluster.settle()
        result = await work(cluster)
        await cluster.world.close()
        return result

    return run_virtual(main, seed=SEED, world=kit, time_limit_s=TIME_LIMIT_S)
