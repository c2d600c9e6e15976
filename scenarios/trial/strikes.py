"""What each kind of fault does to a world, and what ends it: one table; links have their own.

Rules:
- A strike carries out and knows nothing of schedules, targets or records.
- What stopped a node is undone before the node is started again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from random import Random

from p2p.codepoints import Trap
from p2p.frameweather import Mishap, Rule
from p2p.hello import VERSION
from p2p.livedisk import DiskFailure
from scenarios.model.faults import (
    BurstDrop,
    CalendarOffset,
    CorruptFrames,
    Crash,
    DiskFull,
    DropFrames,
    DuplicateFrames,
    FaultRecord,
    FrameFault,
    Pause,
    PowerLoss,
    ReorderFrames,
    Restart,
    SlowDisk,
    SyncFailure,
)
from scenarios.model.nodefaults import (
    CalendarDrift,
    CalendarJump,
    CrashAt,
    FlipBits,
    LostFile,
    OtherVersion,
    ReadFailure,
    Rebuild,
    RestartLoop,
    RollingRestart,
    TimerDrift,
    TimerJump,
    WriteFailure,
)
from scenarios.trial.courses import (
    Course,
    jump_forth_and_back,
    restart_again_and_again,
    restart_one_after_the_other,
)
from scenarios.trial.linkstrikes import LINK_STRIKES
from scenarios.trial.replacing import PresentKey, Replacement
from scenarios.worlds.base import World

End = Callable[[], Awaitable[None]]
Hit = Sequence[str]


async def strike(
    world: World, fault: FaultRecord, hit: Hit, chance: Random, present_key: PresentKey
) -> End | Course | None:
    """Let a fault hit these organizations; return what ends it, its course, or None if it is over at once.

    Args:
        world: where.
        fault: which.
        hit: whom.
        chance: the fault's own stream, for what is drawn on its course.
        present_key: gives the key with which an organization signs at the time.
    """
    if isinstance(fault, FlipBits):
        return await _flip_bits(world, fault, hit, chance, present_key)
    if isinstance(fault, Rebuild):
        return await _rebuild(world, hit, chance, present_key)
    if isinstance(fault, RestartLoop):
        return Course(
            partial(restart_again_and_again, world, fault, hit, chance), _for_each(world.restart, hit)
        )
    of_links = LINK_STRIKES.get(type(fault))
    if of_links is not None:
        return of_links(world, fault, hit, chance)
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


async def _frames(world: World, fault: FrameFault, hit: Hit) -> End:
    run = fault.params.frames if isinstance(fault, BurstDrop) else 1
    return await world.frames(Rule(Mishap(fault.kind), fault.params.percent / 100, run), hit)


_DISK_FAILURES: Mapping[type, DiskFailure] = {
    DiskFull: DiskFailure.FULL,
    SyncFailure: DiskFailure.SYNC,
    ReadFailure: DiskFailure.READ,
    WriteFailure: DiskFailure.WRITE,
}


async def _disk(world: World, fault: DiskFull | SyncFailure | ReadFailure | WriteFailure, hit: Hit) -> End:
    mend = await world.fail_disk(_DISK_FAILURES[type(fault)], hit)
    restart = _for_each(world.restart, hit)
    if isinstance(fault, ReadFailure):
        for organization in hit:
            await world.crash(organization)
        await restart()

    async def end() -> None:
        await mend()
        await restart()

    return end


async def _slow_disk(world: World, fault: SlowDisk, hit: Hit) -> End:
    low, high = fault.params.range_ms
    return await world.slow_disk(low, high, hit)


async def _calendar_offset(world: World, fault: CalendarOffset, hit: Hit) -> End:
    return await world.calendar_offset(fault.params.seconds, hit)


async def _crash_at(world: World, fault: CrashAt, hit: Hit) -> End:
    disarm = [
        await world.crash_at(organization, Trap(fault.params.point, fault.params.nth, fault.params.chance))
        for organization in hit
    ]
    restart = _for_each(world.restart, hit)

    async def end() -> None:
        for let_pass in disarm:
            await let_pass()
        await restart()

    return end


async def _rolling_restart(world: World, fault: RollingRestart, hit: Hit) -> Course:
    return Course(partial(restart_one_after_the_other, world, fault, hit), _for_each(world.restart, hit))


async def _other_version(world: World, _fault: OtherVersion, hit: Hit) -> End:
    mend = world.speak(VERSION + 1, hit)

    async def start_again() -> None:
        for organization in hit:
            await world.stop(organization)
            await world.restart(organization)

    async def end() -> None:
        mend()
        await start_again()

    await start_again()
    return end


async def _flip_bits(world: World, fault: FlipBits, hit: Hit, chance: Random, present_key: PresentKey) -> End:
    for organization in hit:
        await world.crash(organization)
        world.flip_bits(organization, fault.params.file.value, fault.params.bits)

    async def end() -> None:
        for organization in hit:
            await world.restart(organization)
            if not world.is_up(organization):
                await Replacement(world, organization, chance, present_key).run()

    return end


async def _lost_file(world: World, fault: LostFile, hit: Hit) -> End:
    put_back = []
    for organization in hit:
        await world.crash(organization)
        put_back.append(world.lose_file(organization, fault.params.file.value))
        await world.restart(organization)

    async def end() -> None:
        for organization, put in zip(hit, put_back, strict=True):
            await world.crash(organization)
            put()
            await world.restart(organization)

    return end


async def _rebuild(world: World, hit: Hit, chance: Random, present_key: PresentKey) -> Course:
    for organization in hit:
        await world.crash(organization)
        world.lose_file(organization, "all")

    async def run() -> None:
        for organization in hit:
            await Replacement(world, organization, chance, present_key).run()

    return Course(run, _for_each(world.restart, hit), must_finish=True)


async def _calendar_jump(world: World, fault: CalendarJump, hit: Hit) -> Course:
    return Course(partial(jump_forth_and_back, world, fault, hit), _for_each(world.restart, hit))


async def _calendar_drift(world: World, fault: CalendarDrift, hit: Hit) -> End:
    return await world.calendar_drift(fault.params.ppm, hit)


async def _timer_drift(world: World, fault: TimerDrift, hit: Hit) -> End:
    return _later(world.timer_drift(fault.params.ppm, hit))


async def _timer_jump(world: World, fault: TimerJump, hit: Hit) -> None:
    world.timer_jump(fault.params.seconds, hit)


_STRIKES: Mapping[type, Callable[..., Awaitable[End | Course | None]]] = {
    Crash: _crash,
    PowerLoss: _power_loss,
    Restart: _restart,
    Pause: _pause,
    DropFrames: _frames,
    BurstDrop: _frames,
    DuplicateFrames: _frames,
    ReorderFrames: _frames,
    CorruptFrames: _frames,
    DiskFull: _disk,
    SyncFailure: _disk,
    SlowDisk: _slow_disk,
    CalendarOffset: _calendar_offset,
    CrashAt: _crash_at,
    RollingRestart: _rolling_restart,
    OtherVersion: _other_version,
    ReadFailure: _disk,
    WriteFailure: _disk,
    LostFile: _lost_file,
    CalendarJump: _calendar_jump,
    CalendarDrift: _calendar_drift,
    TimerDrift: _timer_drift,
    TimerJump: _timer_jump,
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
