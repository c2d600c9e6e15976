"""How long a network is without a leader, and what heartbeats cost: whole nodes in the virtual world, many seeds.

Rules:
- A network has a leader while somebody leads whom a majority of all orderers follows in that very term, as their
  records tell; everything else is time without one.
- Each seed is a network of its own, from its boot on.
- Everything here is protocol time and follows from the seed.
"""

from __future__ import annotations

import asyncio
import functools
import multiprocessing
import statistics
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

from ledger.genesis import Role
from p2p.config import Timing
from p2p.linkweather import LinkWeather
from p2p.observer import RecordField
from p2p.virtual import NS_PER_MS, VirtualWorld, run_virtual
from scenarios.network.founding import Charter, Founding, Member, found_from_seed
from scenarios.network.plan import NetworkPlan
from scenarios.trial.directions import links_of
from scenarios.worlds.virtual import SimulatedWorld

ORDERERS = 5
SIZES = (3, 5, 7, 9, 15)
BEFORE_CRASH_S = 5.0
AFTER_CRASH_S = 25.0
LOSS = 0.10
LOSSY_S = 30.0
IDLE_WARM_UP_S = 10
IDLE_S = 30
CALENDAR_MS = 1_536_076_800_000
TIME_LIMIT_S = 300.0
PERCENT = 100
SEEDS_PER_PROCESS = 50
ROLES = (
    (Role.CUSTOMS,),
    (Role.EXPORTER, Role.PRODUCER),
    (Role.IMPORTER,),
    (Role.CHAMBER,),
    (Role.FISHERIES,),
)

T = TypeVar("T")
R = TypeVar("R")


@dataclass(slots=True)
class Leadership:
    """Who follows whom, and since when nobody leads.

    Attributes:
        majority: how many must follow a leader, itself included.
        gaps_ns: lengths of the times without a leader that are over.
        open_since_ns: when the one under way began, or None.
        first_won_ns: when somebody last began to lead.
    """

    majority: int
    gaps_ns: list[int] = field(default_factory=list)
    open_since_ns: int | None = 0
    first_won_ns: int = 0
    _views: dict[str, tuple[int, str | None, str]] = field(default_factory=dict)

    def told(self, now_ns: int, fields: Mapping[str, RecordField]) -> None:
        """Take a node's word on its role."""
        leader = fields["leader"]
        role = str(fields["role"])
        self._views[str(fields["node"])] = (
            int(str(fields["term"])),
            None if leader is None else str(leader),
            role,
        )
        if role == "leader":
            self.first_won_ns = now_ns
        self._look(now_ns)

    def gone(self, now_ns: int, node: str) -> None:
        """Take note that a node is down."""
        self._views.pop(node, None)
        self._look(now_ns)

    def finish(self, now_ns: int) -> None:
        """End the time under way, if any."""
        if self.open_since_ns is not None:
            self.gaps_ns.append(now_ns - self.open_since_ns)
            self.open_since_ns = None

    def _look(self, now_ns: int) -> None:
        if any(self._leads(node) for node in self._views):
            self.finish(now_ns)
        elif self.open_since_ns is None:
            self.open_since_ns = now_ns

    def _leads(self, node: str) -> bool:
        term, _, role = self._views[node]
        if role != "leader":
            return False
        followers = sum(1 for view in self._views.values() if view[:2] == (term, node))
        return followers >= self.majority


@dataclass(frozen=True, slots=True)
class Crash:
    """One seed's crash of a leader.

    Attributes:
        won_ms: until somebody else had won an election.
        led_ms: until a majority of all orderers followed it.
    """

    won_ms: float
    led_ms: float


@dataclass(frozen=True, slots=True)
class IdleCost:
    """What an idle network of some size sends.

    Attributes:
        orderers: its size.
        raft_per_s: Raft messages, all nodes together, per protocol second.
        frames_per_s: frames of every kind.
    """

    orderers: int
    raft_per_s: float
    frames_per_s: float


@functools.cache
def found(size: int) -> Founding:
    """Found a network of so many members, all orderers."""
    members = [Member(f"o{i:02}", f"Member {i}", "US", ROLES[i % len(ROLES)]) for i in range(size)]
    return found_from_seed(Charter(f"bench{size}", CALENDAR_MS - 86_400_000, members), f"bench {size}")


def in_network(
    size: int, seed: int, work: Callable[[SimulatedWorld, Leadership], Coroutine[None, None, T]]
) -> T:
    """Boot a network of `size` orderers over links of 10 to 30 ms, and run `work` beside it."""
    low_ms, high_ms = NetworkPlan().latency_ms
    kit = VirtualWorld(
        seed, latency_ns=(round(low_ms * NS_PER_MS), round(high_ms * NS_PER_MS)), calendar_ms=CALENDAR_MS
    )
    leadership = Leadership(size // 2 + 1)

    def sink(event: str, fields: Mapping[str, RecordField]) -> None:
        if event == "raft.role":
            leadership.told(kit.now_ns(), fields)

    async def main(_kit: VirtualWorld) -> T:
        world = SimulatedWorld(kit, found(size), NetworkPlan(), sink)
        await world.open(CALENDAR_MS)
        return await work(world, leadership)

    return run_virtual(main, seed=seed, world=kit, time_limit_s=TIME_LIMIT_S)


async def _leader(world: SimulatedWorld) -> str:
    """Wait until every node knows one and the same leader, and return it."""
    while True:
        leaders = {world.node(organization).ordering.leader for organization in world.organizations}
        if len(leaders) == 1 and None not in leaders:
            return str(leaders.pop())
        await asyncio.sleep(0.05)


def crash(seed: int) -> Crash:
    """Kill a leader and see how long the others are without one."""

    async def work(world: SimulatedWorld, leadership: Leadership) -> Crash:
        leader = await _leader(world)
        # At any moment between two heartbeats, as a crash comes.
        await asyncio.sleep(BEFORE_CRASH_S + world.kit.random("crash").random())
        leadership.gaps_ns.clear()
        await world.crash(leader)
        crashed_ns = world.now_ns()
        leadership.gone(crashed_ns, leader)
        give_up_ns = crashed_ns + AFTER_CRASH_S * 1e9
        while leadership.open_since_ns is not None and world.now_ns() < give_up_ns:  # noqa: ASYNC110 (records tell)
            await asyncio.sleep(0.05)
        leadership.finish(world.now_ns())
        return Crash((leadership.first_won_ns - crashed_ns) / NS_PER_MS, leadership.gaps_ns[0] / NS_PER_MS)

    return in_network(ORDERERS, seed, work)


def lossy(seed: int) -> float:
    """Lose every tenth packet from the start; return the longest time without a leader, milliseconds.

    Half way through the leader of the moment, if there is one, crashes and stays away.
    """

    async def work(world: SimulatedWorld, leadership: Leadership) -> float:
        world.shape(links_of(world.organizations, world.organizations), LinkWeather(loss=LOSS))
        await asyncio.sleep(LOSSY_S / 2)
        leading = [o for o in world.organizations if world.node(o).ordering.is_leader]
        for organization in leading[:1]:
            await world.crash(organization)
            leadership.gone(world.now_ns(), organization)
        await asyncio.sleep(LOSSY_S / 2)
        leadership.finish(world.now_ns())
        return max(leadership.gaps_ns) / NS_PER_MS

    return in_network(ORDERERS, seed, work)


def idle_cost(size: int) -> IdleCost:
    """Count what an idle network sends."""

    async def work(world: SimulatedWorld, _leadership: Leadership) -> IdleCost:
        await _leader(world)
        await asyncio.sleep(IDLE_WARM_UP_S)
        nodes = [world.node(organization) for organization in world.organizations]

        def sent() -> tuple[int, int]:
            raft = sum(node.ordering.figures.messages for node in nodes)
            return raft, sum(node.links.figures.frames_sent for node in nodes)

        before = sent()
        await asyncio.sleep(IDLE_S)
        raft, frames = (after - earlier for earlier, after in zip(before, sent(), strict=True))
        return IdleCost(size, raft / IDLE_S, frames / IDLE_S)

    return in_network(size, 1, work)


@dataclass(frozen=True, slots=True)
class ElectionFigures:
    """Over many seeds; all in milliseconds of protocol time.

    Attributes:
        won_ms: from a leader's crash until another had won.
        led_ms: from there until a majority followed it.
        lossy_ms: the longest time without a leader under loss.
        idle: what idle networks of several sizes send.
    """

    won_ms: tuple[float, ...]
    led_ms: tuple[float, ...]
    lossy_ms: tuple[float, ...]
    idle: tuple[IdleCost, ...]


def measure_elections(seeds: int) -> ElectionFigures:
    """Measure over seeds 0 to `seeds` - 1."""
    crashes = in_processes(crash, range(seeds))
    return ElectionFigures(
        won_ms=tuple(crash.won_ms for crash in crashes),
        led_ms=tuple(crash.led_ms for crash in crashes),
        lossy_ms=tuple(in_processes(lossy, range(seeds))),
        idle=tuple(in_processes(idle_cost, SIZES)),
    )


def in_processes(work: Callable[[int], R], numbers: Sequence[int]) -> list[R]:
    """Work on numbers in order, in one other process after the next: a process's memory grows with each run."""
    results: list[R] = []
    context = multiprocessing.get_context("spawn")
    for start in range(0, len(numbers), SEEDS_PER_PROCESS):
        with ProcessPoolExecutor(1, mp_context=context) as pool:
            results.extend(pool.map(work, numbers[start : start + SEEDS_PER_PROCESS]))
    return results


def percentile(values: Sequence[float], percent: int) -> float:
    """Return a percentile, interpolated; of one value that value."""
    if len(values) == 1:
        return values[0]
    return statistics.quantiles(values, n=PERCENT, method="inclusive")[percent - 1]


def crash_goal_ms() -> int:
    """Two maximal election timeouts at defaults."""
    return 2 * Timing().election_timeout_ms_max


def loss_goal_ms() -> int:
    """Ten minimal election timeouts at defaults, the stricter reading of ten."""
    return 10 * Timing().election_timeout_ms_min
