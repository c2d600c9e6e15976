"""The live world of a trial: one operating-system process per organization, over loopback TCP.

Rules:
- The trial reaches a node only as an outside program can: HTTP, the control channel, and signals.
- `crash` is SIGKILL, `pause` is SIGSTOP. What an operating system cannot do to a process is refused, not skipped.
- No node is left behind: each stops when its standard input ends, even if the trial itself is killed.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from random import Random

from ledger.keys import SigningKey
from p2p.codepoints import Trap
from p2p.errors import ConfigError
from p2p.frameweather import Rule
from p2p.hello import VERSION
from p2p.linkweather import Direction, LinkWeather
from p2p.livedisk import DiskFailure
from scenarios.model.faults import NOT_LIVE
from scenarios.network.deployment import read_node_file, write_deployment, write_node_file
from scenarios.network.founding import Founding
from scenarios.network.plan import Address, NetworkPlan
from scenarios.worlds.base import EndFault, Endpoint, Sink, Standing
from scenarios.worlds.controlchannels import ControlChannels
from scenarios.worlds.linkproxy import LinkProxies
from scenarios.worlds.nodefiles import erase, flip_bits, take
from scenarios.worlds.nodeharm import NodeHarm
from scenarios.worlds.nodeprocess import NodeProcess

HOST = "127.0.0.1"


class LiveWorld:
    """A trial's nodes as processes.

    Args:
        directory: where the network's files go.
        founding: the network's genesis and secrets.
        plan: the network's layout.
        sink: takes the nodes' records.
        links: proxies that every link goes through, if links are to fail.
        keep_frames: whether nodes write down every frame that they send.
        disks_fail: whether nodes' disks may be harmed.
    """

    kind = "live"

    def __init__(
        self,
        directory: Path,
        founding: Founding,
        plan: NetworkPlan,
        sink: Sink,
        links: LinkProxies | None = None,
        *,
        keep_frames: bool = False,
        disks_fail: bool = False,
    ) -> None:
        self.links = links
        self._keep_frames = keep_frames
        self._disks_fail = disks_fail
        self.directory = directory
        self.founding = founding
        self.plan = plan
        self.sink = sink
        self.organizations = [o.id for o in founding.genesis.organizations]
        self._addresses: dict[str, Address] = {}
        self._files: dict[str, Path] = {}
        self._nodes: dict[str, NodeProcess] = {}
        self._harm = NodeHarm(self._files, self._tell, self._calendar_now_ms)
        self._channels: ControlChannels | None = None
        self._chance = Random(f"{founding.genesis.network}:bits")
        self._calendar_ms = 0
        self._calendar_set_ns = time.monotonic_ns()
        self._opened_ns = time.monotonic_ns()

    async def open(self, calendar_ms: int) -> None:
        """Write the network's files, start every process, and return when their APIs answer."""
        self._note_calendar(calendar_ms)
        channels = self._channels = ControlChannels()
        ports = _free_ports(2 * len(self.organizations))
        for number, organization in enumerate(self.organizations):
            self._addresses[organization] = Address(HOST, ports[2 * number], ports[2 * number + 1])
        routes = await self.links.open(self._addresses) if self.links is not None else {}
        files = write_deployment(
            self.directory,
            self.founding,
            self.plan,
            self._addresses,
            calendar_ms=calendar_ms,
            with_control=True,
            routes=routes,
            keep_frames=self._keep_frames,
            disks_fail=self._disks_fail,
        )
        self._files.update(files)
        self._nodes = {
            organization: NodeProcess(
                organization,
                files[organization],
                self.endpoint(organization),
                channels,
                self._harm,
                self.sink,
                self._calendar_now_ms,
            )
            for organization in self.organizations
        }
        for node in self._nodes.values():
            await node.start()
        for node in self._nodes.values():
            await node.serving()

    async def close(self) -> None:
        """Stop every process in good order; kill and report one that does not stop in time."""
        nodes = self._nodes.values()
        for node in nodes:
            await node.hear_out()
        for node in nodes:
            node.ask_to_stop()
        for node in nodes:
            await node.stopped()
        await asyncio.gather(*(node.forget() for node in nodes))
        if self.links is not None:
            await self.links.close()
        if self._channels is not None:
            await self._channels.close()

    def now_ns(self) -> int:
        """Return nanoseconds since the world opened."""
        return time.monotonic_ns() - self._opened_ns

    def calendar_ms(self) -> int:
        """Return the calendar as it is right."""
        return self._calendar_now_ms()

    def endpoint(self, organization: str) -> Endpoint:
        """Return where an organization reaches its node."""
        own = self.founding.secrets[organization]
        return Endpoint(
            f"http://{HOST}:{self._addresses[organization].api_port}", own.token, own.control_token
        )

    def place(self, organization: str) -> AbstractContextManager[None]:
        """All agents sit on this one machine."""
        return nullcontext()

    def is_up(self, organization: str) -> bool:
        """Whether the node's process is there and not paused."""
        return organization in self._nodes and self._nodes[organization].is_up

    async def standing(self, organization: str) -> Standing | None:
        """Return where a node stands, or None if it does not answer."""
        return await self._nodes[organization].standing()

    async def set_calendar(self, time_ms: int) -> None:
        """Set every running node's calendar; one that is down or paused gets it when it starts or goes on."""
        self._note_calendar(time_ms)
        for node in self._nodes.values():
            await node.tell_calendar()

    async def crash(self, organization: str) -> None:
        """Kill a node's process."""
        await self._nodes[organization].kill()

    async def crash_at(self, organization: str, trap: Trap) -> EndFault:
        """Have a node's process kill itself when its program comes to a named point, in this life or a later one."""
        return await self._nodes[organization].die_at(trap)

    async def stop(self, organization: str) -> None:
        """Stop a node in good order; kill and report one that does not stop in time."""
        await self._nodes[organization].stop()

    def speak(self, version: int, organizations: Sequence[str]) -> Callable[[], None]:
        """Let these nodes speak another version from their next start on."""

        def write(now: int) -> None:
            for organization in organizations:
                path = self._files[organization]
                write_node_file(path, read_node_file(path).model_copy(update={"protocol_version": now}))

        write(version)
        return lambda: write(VERSION)

    async def power_loss(self, organizations: Sequence[str]) -> None:
        """Refused: an operating system cannot lose the power of one process.

        Raises:
            ConfigError: always.
        """
        raise _refused("power_loss")

    async def restart(self, organization: str) -> None:
        """Start a node again over its files; nothing happens if it is up, and one that refuses is reported."""
        await self._nodes[organization].restart()

    async def pause(self, organization: str) -> None:
        """Stop a node's process where it is."""
        self._nodes[organization].pause()

    async def resume(self, organization: str) -> None:
        """Let a paused process go on, with the calendar as it is now."""
        await self._nodes[organization].resume()

    def cut(self, directions: Sequence[Direction]) -> Callable[[], None]:
        """Let nothing pass in these directions."""
        return self._proxied("cut").cut(directions)

    def shape(self, directions: Sequence[Direction], weather: LinkWeather) -> Callable[[], None]:
        """Let these directions suffer this besides what else they suffer."""
        return self._proxied("shape").shape(directions, weather)

    def reset(self, directions: Sequence[Direction]) -> int:
        """Reset every connection between the two of each pair."""
        return self._proxied("reset").reset(directions)

    def forsake(self, directions: Sequence[Direction]) -> int:
        """Let the first's end of every connection with the second be gone, untold."""
        return self._proxied("forsake").forsake(directions)

    def _proxied(self, what: str) -> LinkProxies:
        if self.links is None:
            raise ConfigError(
                f"{what} a link: nodes are linked directly; give the world proxies for its links"
            )
        return self.links

    async def frames(self, rule: Rule, organizations: Sequence[str]) -> EndFault:
        """Strike, by a rule, frames that these organizations' nodes send, in this process and later ones."""
        ends = [await self._nodes[organization].strike_frames(rule) for organization in organizations]

        async def end() -> None:
            for mend in ends:
                await mend()

        return end

    async def fail_disk(self, failure: DiskFailure, organizations: Sequence[str]) -> EndFault:
        """Let these organizations' disks fail from now on, in this process and later ones.

        Raises:
            ConfigError: if the world was not made for that.
        """
        return await self._harmed("disk_failure").fail_disk(failure, organizations)

    def flip_bits(self, organization: str, file: str, bits: int) -> int:
        """Flip bits anywhere in a file of a node that is down."""
        return flip_bits(self._data(organization), file, bits, self._chance)

    def lose_file(self, organization: str, file: str) -> Callable[[], None]:
        """Take a file, or all, from a node that is down."""
        return take(self._data(organization), file)

    async def renew(self, organization: str, key: SigningKey, incarnation: int, raft_id: int) -> None:
        """Empty a node's data folder, and write its next identity beside it."""
        await self.crash(organization)
        erase(self._data(organization))
        path = self._files[organization]
        own = read_node_file(path)
        (path.parent / own.node_key).unlink()
        key.save(path.parent / own.node_key)
        write_node_file(path, own.model_copy(update={"incarnation": incarnation, "raft_id": raft_id}))

    def _data(self, organization: str) -> Path:
        path = self._files[organization]
        return path.parent / read_node_file(path).data

    async def slow_disk(self, low_ms: float, high_ms: float, organizations: Sequence[str]) -> EndFault:
        """Let the sync that ends a commit take so long.

        Raises:
            ConfigError: if the world was not made for that.
        """
        return await self._harmed("slow_disk").slow_disk(low_ms, high_ms, organizations)

    async def calendar_offset(self, seconds: int, organizations: Sequence[str]) -> EndFault:
        """Let these organizations' calendars be wrong, in this process and later ones."""
        return await self._harm.calendar_offset(seconds, organizations)

    async def calendar_drift(self, ppm: int, organizations: Sequence[str]) -> EndFault:
        """Let these organizations' calendars run fast or slow, in this process and later ones."""
        return await self._harm.calendar_drift(ppm, organizations)

    def _harmed(self, what: str) -> NodeHarm:
        if not self._disks_fail:
            raise ConfigError(f"{what}: nodes open their files directly; give the world disks that fail")
        return self._harm

    def timer_drift(self, ppm: int, organizations: Sequence[str]) -> Callable[[], None]:
        """Refused in the live world.

        Raises:
            ConfigError: always.
        """
        raise _refused("timer_drift")

    def timer_jump(self, seconds: float, organizations: Sequence[str]) -> None:
        """Refused in the live world.

        Raises:
            ConfigError: always.
        """
        raise _refused("timer_jump")

    def _note_calendar(self, time_ms: int) -> None:
        self._calendar_ms = time_ms
        self._calendar_set_ns = time.monotonic_ns()

    def _calendar_now_ms(self) -> int:
        return self._calendar_ms + (time.monotonic_ns() - self._calendar_set_ns) // 1_000_000

    async def _tell(self, organization: str, path: str, body: Mapping[str, object]) -> None:
        await self._nodes[organization].tell(path, body)


def _refused(kind: str) -> ConfigError:
    return ConfigError(f"fault {kind}: the live world cannot apply it; {NOT_LIVE[kind]}")


def _free_ports(count: int) -> list[int]:
    """Return ports nobody listens on now."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind((HOST, 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()
