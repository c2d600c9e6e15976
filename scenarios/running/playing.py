"""A run's trial played in its world: the virtual one on a loop of its own, the live one until Ctrl-C at the latest."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from random import Random

import uvloop

from p2p.holdings import Holding
from p2p.virtual import VirtualWorld, run_virtual
from scenarios.judging.checks.raft import RaftProperties
from scenarios.model import Scenario
from scenarios.model.faults import DISK_KINDS
from scenarios.model.linkfaults import LINK_KINDS
from scenarios.network.asked import founding_of, network_plan
from scenarios.record.nodestore import STORE_FILES
from scenarios.record.runfolder import RunFolder
from scenarios.running.options import RunOptions
from scenarios.worlds.base import Sink, World
from scenarios.worlds.lifeobserver import FrameSink
from scenarios.worlds.linkproxy import LinkProxies
from scenarios.worlds.live import LiveWorld
from scenarios.worlds.virtual import SimulatedWorld

CANCEL_AGAIN_S = 0.5


@dataclass(slots=True)
class Playing:
    """The world of one run, from its opening until its disks are kept.

    Attributes:
        scenario: with every fault that was drawn.
        options: the seed, the world, and what else was asked for.
        folder: where disks are kept, and the live world's network stands.
        sink: takes what nodes tell.
        frame: takes every frame that is sent, in the virtual world.
        raft: watches the nodes' Raft from within, in the virtual world.
        trial: plays the trial in the open world.
        is_closing: whether the trial has begun to close.
        chance: gives a named stream of random numbers.
    """

    scenario: Scenario
    options: RunOptions
    folder: RunFolder
    sink: Sink
    frame: FrameSink
    raft: RaftProperties
    trial: Callable[[World], Coroutine[object, object, None]]
    is_closing: Callable[[], bool]
    chance: Callable[[str], Random]
    _simulated: SimulatedWorld | None = field(default=None)

    def play(self) -> None:
        """Open the world, play the trial, keep every node's disk.

        Raises:
            KeyboardInterrupt: if Ctrl-C ended it; everything is closed in good order by then.
        """
        if self.options.world != "live":
            self._play_virtual()
        elif uvloop.run(self._until_interrupted(self._play_live())):
            raise KeyboardInterrupt

    def holdings(self, organization: str) -> Sequence[Holding]:
        """Look into a node, where the world lets one."""
        return () if self._simulated is None else self._simulated.holdings(organization)

    def let_go(self) -> None:
        """Keep nothing of the virtual world's nodes and disks; the folder has what they left."""
        if self._simulated is not None:
            self._simulated.let_go()

    def _play_virtual(self) -> None:
        low, high = self.scenario.network.latency_ms
        kit = VirtualWorld(
            self.options.seed,
            latency_ns=(low * 1_000_000, high * 1_000_000),
            calendar_ms=self.scenario.calendar.start_ms,
        )

        async def main(_kit: VirtualWorld) -> None:
            founding = founding_of(self.scenario, self.options.seed)
            plan = network_plan(self.scenario)
            flights = self.options.flights
            world = SimulatedWorld(kit, founding, plan, self.sink, self.frame, self.raft, flights)
            self._simulated = world
            try:
                await self.trial(world)
            finally:
                for organization in world.organizations:
                    disk = kit.host(organization).disk
                    self.folder.write_disk(organization, {name: disk.pieces(name) for name in STORE_FILES})

        run_virtual(main, seed=self.options.seed, world=kit)

    async def _play_live(self) -> None:
        kinds = {fault.kind for fault in self.scenario.faults}
        scripted = self.options.script is not None
        world = LiveWorld(
            self.folder.path / "network",
            founding_of(self.scenario, self.options.seed),
            network_plan(self.scenario),
            self.sink,
            LinkProxies(self.chance) if scripted or kinds & set(LINK_KINDS) else None,
            keep_frames=True,
            disks_fail=scripted or bool(kinds & set(DISK_KINDS)),
        )
        try:
            await self.trial(world)
        finally:
            for organization in world.organizations:
                data = self.folder.path / "network" / organization / "data"
                kept = {n: [(data / n).read_bytes()] for n in STORE_FILES if (data / n).exists()}
                self.folder.write_disk(organization, kept)

    async def _until_interrupted(self, running: Coroutine[object, object, None]) -> bool:
        """Run a coroutine; on Ctrl-C cancel it, let the trial close in good order, and return True.

        A cancellation may be lost where it meets the end of what was waited for, so it is repeated until the trial
        has begun to close; from there on nothing disturbs it.
        """
        loop = asyncio.get_running_loop()
        interrupted = asyncio.Event()
        loop.add_signal_handler(signal.SIGINT, interrupted.set)
        task = loop.create_task(running)
        watch = loop.create_task(interrupted.wait())
        await asyncio.wait([task, watch], return_when=asyncio.FIRST_COMPLETED)
        while interrupted.is_set() and not task.done():
            if not self.is_closing():
                task.cancel()
            await asyncio.wait([task], timeout=CANCEL_AGAIN_S)
        watch.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        return interrupted.is_set()
