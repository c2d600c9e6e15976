"""The virtual world of a trial: every node on a host of its own, one loop, one seed.

Rules:
- Nothing here reaches into a node but to read where it stands; all else goes over HTTP and the virtual wire.
- Records of a life that has ended are dropped: a ghost is not heard.
- Power fails while somebody writes, if anybody does soon: a cut between two commits would put nothing at risk.
- A node whose program fails is reported with its reason; the trial goes on without it, as a real one would.
- Nodes of one process remember each other's verifications unless told otherwise: verification is a pure function of the
  bytes, and of nothing else.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace

from ledger.errors import LedgerError
from ledger.keys import SigningKey, Verifier
from p2p.api import Api, serve_api
from p2p.codepoints import CodePoint, Trap
from p2p.control import standing
from p2p.frameweather import FrameWeather, Rule
from p2p.hello import VERSION
from p2p.holdings import Holding, holdings
from p2p.linkweather import Direction, LinkWeather, LinkWeathers
from p2p.livedisk import FAILURES, DiskFailure, DiskUse
from p2p.machine import DiskFailureError
from p2p.node import Node
from p2p.opening import DATABASE
from p2p.virtual import (
    NS_PER_MS,
    DiskOperation,
    Life,
    VirtualHost,
    VirtualMachine,
    VirtualWorld,
)
from p2p.virtual.machine import WATERMARK_FILE
from scenarios.network.founding import Founding
from scenarios.network.plan import Address, NetworkPlan, node_config
from scenarios.worlds.base import EndFault, Endpoint, Sink, Standing
from scenarios.worlds.lifeobserver import Flights, FrameSink, LifeObserver, RaftWitness
from scenarios.worlds.standing import read_standing

PEER_PORT = 7000
API_PORT = 8000
SIGNATURES_REMEMBERED = 16_384
"""By all nodes together: each asks for the others' signatures again within moments, or when a store is read back."""
BOOT_POLL_S = 0.01
BOOT_LIMIT_S = 30.0
STRIKE_WITHIN_S = 0.2
STRIKE_OPERATIONS_MAX = 12
"""A commit of a node takes some ten disk operations; the power goes before one of the next so many."""

_OPERATIONS = {
    DiskUse.READ: DiskOperation.READ,
    DiskUse.WRITE: DiskOperation.WRITE,
    DiskUse.SYNC: DiskOperation.SYNC,
}

STORE_FILES = {"database": DATABASE, "log": f"{DATABASE}-wal", "watermark": WATERMARK_FILE}
"""A node's files by what they are."""


class SimulatedWorld:
    """A trial's nodes in a `VirtualWorld`.

    Args:
        kit: the loop, network and hosts of this run.
        founding: the network's genesis and secrets.
        plan: the network's layout.
        sink: takes the nodes' records.
        frame_sink: takes every frame that leaves a node, if given.
        raft: follows every node's core, if given.
        flights: follows every frame, if given.
        verifies_apart: whether every node verifies for itself what another has verified, as in processes of their own:
            for measurement.
    """

    kind = "virtual"

    def __init__(
        self,
        kit: VirtualWorld,
        founding: Founding,
        plan: NetworkPlan,
        sink: Sink,
        frame_sink: FrameSink | None = None,
        raft: RaftWitness | None = None,
        flights: Flights | None = None,
        *,
        verifies_apart: bool = False,
    ) -> None:
        self.kit = kit
        self.founding = founding
        self.plan = plan
        self.sink = sink
        self.frame_sink = frame_sink
        self.raft = raft
        self.flights = flights
        self.organizations = [o.id for o in founding.genesis.organizations]
        self._verifier = None if verifies_apart else Verifier(SIGNATURES_REMEMBERED)
        self._nodes: dict[str, Node] = {}
        self._apis: dict[str, Api] = {}
        self._calendar_ms = 0
        self._addresses: dict[str, Address] = {}
        self._weather = kit.random("weather")
        self._frame_weather: dict[str, FrameWeather] = {}
        self._link_weathers = LinkWeathers(lambda pair, weather: kit.network.set_weather(*pair, weather))
        self._armed: dict[str, Trap] = {}
        self._versions: dict[str, int] = {}
        self._stopping: dict[str, Life] = {}
        self._renewed: dict[str, tuple[SigningKey, int, int]] = {}
        self._calendar_set_ns = 0

    async def open(self, calendar_ms: int) -> None:
        """Add a host per organization, boot all nodes, and return when their APIs answer."""
        self._calendar_ms, self._calendar_set_ns = calendar_ms, self.kit.now_ns()
        for organization in self.organizations:
            host = self.kit.add_host(organization, on_failure=self._note_failure)
            host.calendar.set(self.kit.loop, calendar_ms)
            self._addresses[organization] = Address(host.address, PEER_PORT, API_PORT)
        for (one, other), (low, high) in self.plan.latency_table.items():
            self.kit.network.set_latency(round(low * NS_PER_MS), round(high * NS_PER_MS), one, other)
        for organization in self.organizations:
            self._boot(organization)
        for organization in self.organizations:
            await self._opened(organization)

    async def close(self) -> None:
        """Stop every running node in good order, once each; one that is just booting as soon as it is there."""
        asked: dict[str, Node] = {}
        while running := [o for o in self.organizations if self.kit.host(o).is_up]:
            for organization in running:
                host, node = self.kit.host(organization), self._nodes.get(organization)
                if host.is_paused:
                    host.resume()
                if node is not None and asked.get(organization) is not node:
                    asked[organization] = node
                    node.stop()
            await asyncio.sleep(BOOT_POLL_S)

    def let_go(self) -> None:
        """Keep nothing of nodes and disks: for when the world is closed and what they left is elsewhere."""
        self._nodes.clear()
        self._apis.clear()
        for host in self.kit.hosts:
            host.let_go()

    def now_ns(self) -> int:
        """Return virtual time, nanoseconds."""
        return self.kit.now_ns()

    def calendar_ms(self) -> int:
        """Return the calendar as it is right."""
        return self._calendar_ms + (self.kit.now_ns() - self._calendar_set_ns) // NS_PER_MS

    def endpoint(self, organization: str) -> Endpoint:
        """Return where an organization reaches its node."""
        address = self._addresses[organization]
        own = self.founding.secrets[organization]
        return Endpoint(f"http://{address.host}:{address.api_port}", own.token, own.control_token)

    def place(self, organization: str) -> AbstractContextManager[None]:
        """Run code, and the tasks it starts, on the organization's host."""
        return self.kit.network.as_host(organization)

    def is_up(self, organization: str) -> bool:
        """Whether the node's process is there and not paused."""
        host = self.kit.host(organization)
        return host.is_up and not host.is_paused

    def node(self, organization: str) -> Node:
        """Return the object of a node that is up, for measurement and tests."""
        return self._nodes[organization]

    def holdings(self, organization: str) -> tuple[Holding, ...]:
        """Return what a node that is up keeps in memory; nothing of one that is not."""
        node = self._nodes.get(organization)
        return () if node is None else holdings(node)

    async def standing(self, organization: str) -> Standing | None:
        """Return where a node stands, or None if it is down, paused, not serving yet, or stopping for a failed write.

        What such a node has in memory is ahead of its store.
        """
        api, node = self._apis.get(organization), self._nodes.get(organization)
        if api is None or node is None or not self.is_up(organization) or node.driver.halted is not None:
            return None
        return read_standing(standing(node, api))

    async def set_calendar(self, time_ms: int) -> None:
        """Set every host's calendar; a host that is down has it too when it boots."""
        self._calendar_ms, self._calendar_set_ns = time_ms, self.kit.now_ns()
        for organization in self.organizations:
            self.kit.host(organization).calendar.set(self.kit.loop, time_ms)

    async def crash(self, organization: str) -> None:
        """Kill a node's process."""
        self.kit.host(organization).crash()
        self._gone(organization)

    async def crash_at(self, organization: str, trap: Trap) -> EndFault:
        """Let a node die when its program comes to a named point, in this life or a later one."""
        self._armed[organization] = trap
        machine = self.kit.host(organization).machine
        if machine is not None and self.kit.host(organization).is_up:
            machine.points.set_trap(trap)

        async def end() -> None:
            self._armed.pop(organization, None)
            machine = self.kit.host(organization).machine
            if machine is not None:
                machine.points.disarm()

        return end

    async def stop(self, organization: str) -> None:
        """Stop a node in good order and wait until it is down."""
        host, node = self.kit.host(organization), self._nodes.get(organization)
        host.resume()
        if host.is_up and node is not None and host.life is not None:
            node.stop()
            self._stopping[organization] = host.life
            await self._stopped(organization)
        await self.crash(organization)

    async def _stopped(self, organization: str) -> None:
        """Wait until a life that was told to stop has ended."""
        life = self._stopping[organization]
        while life.alive:  # noqa: ASYNC110 - a host tells nobody when it ends
            await asyncio.sleep(BOOT_POLL_S)
        self._stopping.pop(organization, None)

    def speak(self, version: int, organizations: Sequence[str]) -> Callable[[], None]:
        """Let these nodes speak another version from their next start on."""
        self._versions.update(dict.fromkeys(organizations, version))

        def mend() -> None:
            for organization in organizations:
                self._versions.pop(organization, None)

        return mend

    async def power_loss(self, organizations: Sequence[str]) -> None:
        """Take the power from these hosts at one instant: amid a write, if one of them writes within a moment."""
        struck = asyncio.Event()

        def strike() -> None:
            if not struck.is_set():
                struck.set()
                for organization in organizations:
                    self._lose_power(organization)

        for organization in organizations:
            number = self._weather.randint(1, STRIKE_OPERATIONS_MAX)
            self.kit.host(organization).at_disk_operation(number, strike)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STRIKE_WITHIN_S):
                await struck.wait()
        strike()

    def _lose_power(self, organization: str) -> None:
        host = self.kit.host(organization)
        host.forget_disk_operation()
        self.sink("power.lost", {"node": organization, "unsynced": host.disk.unsynced_count})
        host.power_loss()
        self._gone(organization)

    async def restart(self, organization: str) -> None:
        """Boot a host again over its surviving files and wait until its API answers.

        A node that a failed write is stopping just now is down, though its process is still there.
        """
        host, node = self.kit.host(organization), self._nodes.get(organization)
        if host.life is not None and host.life.alive and node is not None and node.driver.halted is not None:
            self._stopping[organization] = host.life
        if organization in self._stopping:
            await self._stopped(organization)
        if host.is_up:
            return
        self._boot(organization)
        await self._opened(organization)

    async def pause(self, organization: str) -> None:
        """Stop a node's process where it is."""
        self.kit.host(organization).pause()

    async def resume(self, organization: str) -> None:
        """Let a paused process go on."""
        self.kit.host(organization).resume()

    def partition(self, groups: Sequence[Sequence[str]]) -> Callable[[], None]:
        """Cut every link between groups."""
        return self.kit.network.partition(*groups).heal

    def cut(self, directions: Sequence[Direction]) -> Callable[[], None]:
        """Let nothing pass in these directions."""
        return self.kit.network.cut(directions).heal

    def shape(self, directions: Sequence[Direction], weather: LinkWeather) -> Callable[[], None]:
        """Let these directions suffer this besides what else they suffer."""
        return self._link_weathers.add(directions, weather)

    def reset(self, directions: Sequence[Direction]) -> int:
        """Reset every connection between the two of each pair."""
        return self.kit.network.reset(directions)

    def forsake(self, directions: Sequence[Direction]) -> int:
        """Let the first's end of every connection with the second be gone, untold."""
        return self.kit.network.forsake(directions)

    async def frames(self, rule: Rule, organizations: Sequence[str]) -> EndFault:
        """Strike, by a rule, frames that these organizations' nodes send, in this life and later ones."""
        ends = [self._frames_of(organization).add(rule) for organization in organizations]

        async def end() -> None:
            for mend in ends:
                mend()

        return end

    async def fail_disk(self, failure: DiskFailure, organizations: Sequence[str]) -> EndFault:
        """Let these organizations' disks fail from now on."""
        use, code = FAILURES[failure]
        operation = _OPERATIONS[use]
        ends = [
            self.kit.host(organization).fail_disk(operation, OSError(code, os.strerror(code)))
            for organization in organizations
        ]

        async def mend() -> None:
            for end in ends:
                end()

        return mend

    def flip_bits(self, organization: str, file: str, bits: int) -> int:
        """Flip bits anywhere in a file of a node that is down."""
        disk = self.kit.host(organization).disk
        data = disk.read(STORE_FILES[file])
        if not data:
            return 0
        for _ in range(bits):
            disk.flip_bit(STORE_FILES[file], self._weather.randrange(len(data)), self._weather.randrange(8))
        return bits

    def lose_file(self, organization: str, file: str) -> Callable[[], None]:
        """Take a file, or all, from a node that is down."""
        disk = self.kit.host(organization).disk
        names = tuple(STORE_FILES.values()) if file == "all" else (STORE_FILES[file],)
        return disk.take(names)

    async def renew(self, organization: str, key: SigningKey, incarnation: int, raft_id: int) -> None:
        """Give a host a new disk, and its node's next life another identity."""
        await self.crash(organization)
        self.kit.host(organization).disk.erase()
        self._renewed[organization] = (key, incarnation, raft_id)

    async def slow_disk(self, low_ms: float, high_ms: float, organizations: Sequence[str]) -> EndFault:
        """Let syncs of these organizations' disks take so long."""
        hosts = [self.kit.host(organization) for organization in organizations]
        before = [host.disk_model for host in hosts]
        for host in hosts:
            low, high = round(low_ms * NS_PER_MS), round(high_ms * NS_PER_MS)
            host.disk_model = replace(host.disk_model, sync_low_ns=low, sync_high_ns=high)

        async def mend() -> None:
            for host, model in zip(hosts, before, strict=True):
                host.disk_model = model

        return mend

    async def calendar_offset(self, seconds: int, organizations: Sequence[str]) -> EndFault:
        """Let these organizations' calendars be wrong."""

        def shift(offset_ms: int) -> None:
            for organization in organizations:
                self.kit.host(organization).calendar.offset_ms += offset_ms

        async def end() -> None:
            shift(-seconds * 1000)

        shift(seconds * 1000)
        return end

    async def calendar_drift(self, ppm: int, organizations: Sequence[str]) -> EndFault:
        """Let these organizations' calendars run fast or slow."""

        def drift(now_ppm: int) -> None:
            for organization in organizations:
                self.kit.host(organization).calendar.drift(self.kit.loop, now_ppm)

        async def end() -> None:
            drift(0)

        drift(ppm)
        return end

    def timer_drift(self, ppm: int, organizations: Sequence[str]) -> Callable[[], None]:
        """Let these nodes' timers run fast or slow, in this life and later ones."""
        ends = [self.kit.host(organization).drift_timers(ppm) for organization in organizations]

        def end() -> None:
            for mend in ends:
                mend()

        return end

    def timer_jump(self, seconds: float, organizations: Sequence[str]) -> None:
        """Let the clock of these nodes' timers jump ahead."""
        for organization in organizations:
            self.kit.host(organization).jump_timers(round(seconds * 1000 * NS_PER_MS))

    def _frames_of(self, organization: str) -> FrameWeather:
        weather = self._frame_weather.get(organization)
        if weather is None:
            weather = FrameWeather(self.kit.random(f"frames of {organization}"))
            self._frame_weather[organization] = weather
        return weather

    def _boot(self, organization: str) -> None:
        self.kit.host(organization).boot(self._program)

    async def _program(self, machine: VirtualMachine) -> None:
        """One process life of a node."""
        config = node_config(
            self.founding, self.plan, machine.name, self._addresses, calendar_ms=self._calendar_ms
        )
        config = replace(config, protocol_version=self._versions.get(machine.name, VERSION))
        if machine.name in self._renewed:
            key, incarnation, raft_id = self._renewed[machine.name]
            config = replace(config, node_key=key, incarnation=incarnation, registered_raft_id=raft_id)
        machine.points.on_struck = lambda point: self._struck(machine.name, point)
        if machine.name in self._armed:
            machine.points.set_trap(self._armed[machine.name])
        observer = LifeObserver(self)
        weather = self._frames_of(machine.name)
        node = Node(config, machine, observer, self._verifier, weather)
        if self.raft is not None:
            observer.witness(node, self.raft)
        api = Api(node)
        self._nodes[machine.name] = node

        async def serve(serving: Node) -> None:
            await serve_api(serving, api, on_open=lambda: self._apis.update({machine.name: api}))

        await node.run(serve)

    async def _opened(self, organization: str) -> None:
        deadline = self.kit.loop.time() + BOOT_LIMIT_S
        while organization not in self._apis:
            if not self.kit.host(organization).is_up or self.kit.loop.time() > deadline:
                return
            await asyncio.sleep(BOOT_POLL_S)

    def _struck(self, organization: str, point: CodePoint) -> None:
        """Take note that a node dies at a named point, once."""
        self._armed.pop(organization, None)
        self.sink("point.struck", {"node": organization, "point": point.value})
        self._gone(organization)

    def _gone(self, organization: str) -> None:
        """Let go of a node whose process died, so that it is buried with it and not in its next life."""
        self._apis.pop(organization, None)
        self._nodes.pop(organization, None)

    def _note_failure(self, host: VirtualHost, error: BaseException) -> None:
        self._gone(host.name)
        self.sink("node.failed", {"node": host.name, "reason": f"{type(error).__name__}: {error}"[:500]})
        if not isinstance(error, LedgerError | OSError | DiskFailureError):
            error.add_note(f"in the node of {host.name}")
            self.kit.errors.append(error)
