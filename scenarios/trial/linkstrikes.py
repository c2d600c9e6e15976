"""What each kind of link fault does to a world, and what ends it: one table.

Rules:
- A strike carries out and knows nothing of schedules, targets or records.
- Every direction is named: what a kind means is said here, and a world only cuts, shapes, resets and forsakes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from random import Random

from p2p.latency import Exponential, Lognormal, Normal, Uniform
from p2p.latency import Latency as Distribution
from p2p.linkweather import Direction, LinkWeather
from scenarios.model.linkfaults import (
    Bandwidth,
    Bridge,
    Clog,
    Flapping,
    HalfOpen,
    Latency,
    LatencyParams,
    Loss,
    OneWay,
    Partition,
    Reset,
    Ring,
    SlowReader,
)
from scenarios.model.network import latency_between
from scenarios.trial.courses import Course
from scenarios.trial.directions import between, border, halves, links_of, ring
from scenarios.worlds.base import EndFault, World

Hit = Sequence[str]
Strike = Callable[..., EndFault | Course | None]


def _partition(world: World, fault: Partition, hit: Hit, _chance: Random) -> EndFault:
    return _cut(
        world, between(fault.params.groups) if fault.params.groups else border(world.organizations, hit)
    )


def _bridge(world: World, fault: Bridge, hit: Hit, _chance: Random) -> EndFault:
    groups: Sequence[Sequence[str]] | None = fault.params.groups
    if groups is None:
        groups = halves(world.organizations, world.plan.orderers, hit)
    return _cut(world, between(groups))


def _ring(world: World, _fault: Ring, hit: Hit, _chance: Random) -> EndFault:
    return _cut(world, ring(hit))


def _one_way(world: World, fault: OneWay, hit: Hit, _chance: Random) -> EndFault:
    end = 0 if fault.params.cut == "outgoing" else 1
    return _cut(world, [pair for pair in border(world.organizations, hit) if pair[end] in hit])


def _flapping(world: World, fault: Flapping, hit: Hit, chance: Random) -> Course:
    directions = border(world.organizations, hit)
    return Course(partial(_go_down_and_up, world, fault, directions, chance), _nothing)


async def _go_down_and_up(
    world: World, fault: Flapping, directions: Sequence[Direction], chance: Random
) -> None:
    while True:
        mend = world.cut(directions)
        try:
            await asyncio.sleep(chance.uniform(*fault.params.down_ms) / 1000)
        finally:
            mend()
        await asyncio.sleep(chance.uniform(*fault.params.up_ms) / 1000)


def _latency(world: World, fault: Latency, hit: Hit, _chance: Random) -> EndFault:
    params = fault.params
    directions = links_of(world.organizations, hit, params.way)
    if params.regions is None:
        return _shape(world, directions, LinkWeather(latency=distribution(params)))
    table = latency_between(world.plan.regions, params.regions)
    ends = [
        world.shape([direction], LinkWeather(latency=Uniform(*table[direction])))
        for direction in directions
        if direction in table
    ]

    async def end() -> None:
        for mend in ends:
            mend()

    return end


def distribution(params: LatencyParams) -> Distribution:
    """Return the distribution that a record's params name."""
    if params.normal is not None:
        return Normal(params.normal.mean_ms, params.normal.deviation_ms)
    if params.lognormal is not None:
        return Lognormal(params.lognormal.median_ms, params.lognormal.p99_ms)
    if params.exponential is not None:
        return Exponential(params.exponential.least_ms, params.exponential.mean_ms)
    assert params.range_ms is not None  # noqa: S101 - validation saw to it
    return Uniform(*params.range_ms)


def _loss(world: World, fault: Loss, hit: Hit, _chance: Random) -> EndFault:
    return _shape(world, links_of(world.organizations, hit), LinkWeather(loss=fault.params.percent / 100))


def _bandwidth(world: World, fault: Bandwidth, hit: Hit, _chance: Random) -> EndFault:
    directions = links_of(world.organizations, hit, fault.params.way)
    return _shape(world, directions, LinkWeather(bytes_per_s=fault.params.bytes_per_s))


def _clog(world: World, fault: Clog, hit: Hit, _chance: Random) -> EndFault:
    return _shape(world, links_of(world.organizations, hit, fault.params.way), LinkWeather(clogged=True))


def _slow_reader(world: World, fault: SlowReader, hit: Hit, _chance: Random) -> EndFault:
    directions = links_of(world.organizations, hit, "incoming")
    return _shape(world, directions, LinkWeather(read_bytes_per_s=fault.params.bytes_per_s))


def _reset(world: World, _fault: Reset, hit: Hit, _chance: Random) -> None:
    world.reset(links_of(world.organizations, hit))


def _half_open(world: World, _fault: HalfOpen, hit: Hit, _chance: Random) -> None:
    world.forsake([pair for pair in border(world.organizations, hit) if pair[0] in hit])


LINK_STRIKES: Mapping[type, Strike] = {
    Partition: _partition,
    Bridge: _bridge,
    Ring: _ring,
    OneWay: _one_way,
    Flapping: _flapping,
    Latency: _latency,
    Loss: _loss,
    Bandwidth: _bandwidth,
    Clog: _clog,
    SlowReader: _slow_reader,
    Reset: _reset,
    HalfOpen: _half_open,
}


def _cut(world: World, directions: Sequence[Direction]) -> EndFault:
    return _later(world.cut(directions))


def _shape(world: World, directions: Sequence[Direction], weather: LinkWeather) -> EndFault:
    return _later(world.shape(directions, weather))


def _later(mend: Callable[[], None]) -> EndFault:
    async def end() -> None:
        mend()

    return end


async def _nothing() -> None:
    """A course that mends what it does needs no end besides."""
