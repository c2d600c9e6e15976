"""What each kind of fault does to a world, and what ends it: one table.

Rules:
- A strike carries out and knows nothing of schedules, targets or records.
- What stopped a node is undone before the node is started again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

from p2p.frameweather import Mishap
from scenarios.model.faults import (
    CalendarOffset,
    CorruptFrames,
    Crash,
    DiskFull,
    DropFrames,
    DuplicateFrames,
    FaultRecord,
    FrameFault,
    Latency,
    Loss,
    OneWay,
    Partition,
    Pause,
    PowerLoss,
    ReorderFrames,
    Restart,
    SlowDisk,
    SyncFailure,
)
from scenarios.worlds.base import DiskFailure, World

End = Callable[[], Awaitable[None]]
Hit = Sequence[str]


async def strike(world: World, fault: FaultRecord, hit: Hit) -> End | None:
    """Let a fault hit these organizations; return what ends it, or None if it is over at once."""
    return await _STRIKES[type(fault)](world, fault, hit)


async def _crash(world: World, _fault: Crash, hit: Hit) -> End:
    for organization in hit:
        await world.crash(organization)
    return _for_each(world.restart, hit)


async def _power_loss(world: World, _fault: PowerLoss, hit: Hit) -> End:
    await world.power_loss(hit)
    return _for_each(world.restart, hit)


async def _restart(world: World, _fault: Restart, hit: Hit) -> None:
    for organization in hit:
        await world.restart(organization)


async def _pause(world: World, _fault: Pause, hit: Hit) -> End:
    for organization in hit:
        await world.pause(organization)
    return _for_each(world.resume, hit)


async def _partition(world: World, fault: Partition, hit: Hit) -> End:
    rest = [o for o in world.organizations if o not in hit]
    return _later(world.partition(fault.params.groups or (tuple(hit), tuple(rest))))


async def _one_way(world: World, fault: OneWay, hit: Hit) -> End:
    return _later(world.one_way(hit, incoming=fault.params.cut == "incoming"))


async def _latency(world: World, fault: Latency, hit: Hit) -> End:
    low, high = fault.params.range_ms
    return _later(world.latency(low, high, hit))


async def _loss(world: World, fault: Loss, hit: Hit) -> End:
    return _later(world.loss(fault.params.percent / 100, hit))


async def _frames(world: World, fault: FrameFault, hit: Hit) -> End:
    return await world.frames(Mishap(fault.kind), fault.params.percent / 100, hit)


async def _disk(world: World, fault: DiskFull | SyncFailure, hit: Hit) -> End:
    failure = DiskFailure.FULL if isinstance(fault, DiskFull) else DiskFailure.SYNC
    mend = world.fail_disk(failure, hit)
    restart = _for_each(world.restart, hit)

    async def end() -> None:
        mend()
        await restart()

    return end


async def _slow_disk(world: World, fault: SlowDisk, hit: Hit) -> End:
    low, high = fault.params.range_ms
    return _later(world.slow_disk(low, high, hit))


async def _calendar_offset(world: World, fault: CalendarOffset, hit: Hit) -> End:
    return _later(world.calendar_offset(fault.params.seconds, hit))


_STRIKES: Mapping[type, Callable[..., Awaitable[End | None]]] = {
    Crash: _crash,
    PowerLoss: _power_loss,
    Restart: _restart,
    Pause: _pause,
    Partition: _partition,
    OneWay: _one_way,
    Latency: _latency,
    Loss: _loss,
    DropFrames: _frames,
    DuplicateFrames: _frames,
    ReorderFrames: _frames,
    CorruptFrames: _frames,
    DiskFull: _disk,
    SyncFailure: _disk,
    SlowDisk: _slow_disk,
    CalendarOffset: _calendar_offset,
}


def _for_each(act: Callable[[str], Awaitable[None]], hit: Hit) -> End:
    async def end() -> None:
        for organization in hit:
            await act(organization)

    return end


def _later(mend: Callable[[], None]) -> End:
    async def end() -> None:
        mend()

    return end
