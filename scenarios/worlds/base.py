"""What a trial may ask of the world its nodes run in.

Rules:
- Both worlds run the same node program and answer the same questions; the trial does not know which one it is in.
- A fault the world cannot apply is refused before the trial begins, by name, never skipped.
- The world only carries out: which node is meant and for how long is the trial's business.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from consensus.frozen import cheaply_made
from ledger.keys import SigningKey
from p2p.codepoints import Trap
from p2p.frameweather import Rule
from p2p.linkweather import Direction, LinkWeather
from p2p.livedisk import DiskFailure
from p2p.observer import RecordField
from scenarios.network.founding import Founding
from scenarios.network.plan import NetworkPlan

EndFault = Callable[[], Awaitable[None]]
"""Ends what was begun."""


Sink = Callable[[str, Mapping[str, RecordField]], None]
"""Takes an observer's record: event and fields."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where and how an organization reaches its own node."""

    url: str
    token: str
    control_token: str


@cheaply_made
@dataclass(frozen=True, slots=True)
class Standing:
    """Where one node stands; see `p2p.control.standing`."""

    height: int
    certified: int
    pool: int
    outbox: int
    term: int
    role: str
    leader: str | None
    in_flight: int
    last_receipt: int
    last_document: int
    busy: bool
    orders: bool
    frames_sent: int
    bytes_sent: int


class World(Protocol):
    """Nodes, their hosts and the network between them."""

    @property
    def kind(self) -> str:
        """`virtual` or `live`."""

    @property
    def plan(self) -> NetworkPlan:
        """The network's layout."""

    @property
    def founding(self) -> Founding:
        """The network's genesis and secrets."""

    @property
    def organizations(self) -> Sequence[str]:
        """The members, in genesis order."""

    async def open(self, calendar_ms: int) -> None:
        """Start every node with this calendar and return when their APIs answer."""

    async def close(self) -> None:
        """Stop every node in good order; none is left behind."""

    def now_ns(self) -> int:
        """Return protocol time, nanoseconds since the world opened."""

    def calendar_ms(self) -> int:
        """Return the calendar as it is right, UTC milliseconds."""

    def endpoint(self, organization: str) -> Endpoint:
        """Return where an organization reaches its node."""

    def place(self, organization: str) -> AbstractContextManager[None]:
        """Run code, and the tasks it starts, beside the organization's node: where its agent sits."""

    def is_up(self, organization: str) -> bool:
        """Whether the node's process is there and not paused."""

    async def standing(self, organization: str) -> Standing | None:
        """Return where a node stands, or None if it does not answer."""

    async def set_calendar(self, time_ms: int) -> None:
        """Set the calendar of every node that is up; one that starts later gets it before it serves."""

    async def crash(self, organization: str) -> None:
        """Kill a node's process, as SIGKILL does."""

    async def crash_at(self, organization: str, trap: Trap) -> EndFault:
        """Let a node die when its program comes to a named point as the trap says; the returned call lets it pass."""

    async def stop(self, organization: str) -> None:
        """Stop a node in good order and wait until it is down; nothing happens if it is."""

    def speak(self, version: int, organizations: Sequence[str]) -> Callable[[], None]:
        """Let these nodes speak another version from their next start on; the returned call sets that right."""

    async def power_loss(self, organizations: Sequence[str]) -> None:
        """Take the power from these machines at one instant; unsynced writes are lost or torn."""

    async def restart(self, organization: str) -> None:
        """Start a node again over what its disk kept; nothing happens if it is up."""

    async def pause(self, organization: str) -> None:
        """Stop a node's process where it is, as SIGSTOP does."""

    async def resume(self, organization: str) -> None:
        """Let a paused process go on."""

    def cut(self, directions: Sequence[Direction]) -> Callable[[], None]:
        """Let nothing pass in these directions; the returned call mends what this one cut."""

    def shape(self, directions: Sequence[Direction], weather: LinkWeather) -> Callable[[], None]:
        """Let these directions suffer this besides what else they suffer; the returned call ends it."""

    def reset(self, directions: Sequence[Direction]) -> int:
        """Reset every connection between the two of each pair, at both ends; return how many there were."""

    def forsake(self, directions: Sequence[Direction]) -> int:
        """Let the first's end of every connection with the second be gone, untold; return how many there were."""

    async def frames(self, rule: Rule, organizations: Sequence[str]) -> EndFault:
        """Strike, by a rule, frames that these organizations' nodes send; the returned call ends it."""

    async def fail_disk(self, failure: DiskFailure, organizations: Sequence[str]) -> EndFault:
        """Let these organizations' disks fail from now on; the returned call mends them."""

    def flip_bits(self, organization: str, file: str, bits: int) -> int:
        """Flip bits anywhere in a file of a node that is down; return how many: none if the file is empty.

        Args:
            organization: whose.
            file: `database`, `log` or `watermark`.
            bits: how many.
        """

    def lose_file(self, organization: str, file: str) -> Callable[[], None]:
        """Take a file, or `all`, from a node that is down; the returned call puts back what there was."""

    async def renew(self, organization: str, key: SigningKey, incarnation: int, raft_id: int) -> None:
        """Give an organization a new disk and its node's next identity; what runs is killed."""

    async def slow_disk(self, low_ms: float, high_ms: float, organizations: Sequence[str]) -> EndFault:
        """Let syncs of these organizations' disks take so long; the returned call ends it."""

    async def calendar_offset(self, seconds: int, organizations: Sequence[str]) -> EndFault:
        """Let these organizations' calendars be wrong; the returned call sets them right."""

    async def calendar_drift(self, ppm: int, organizations: Sequence[str]) -> EndFault:
        """Let these organizations' calendars run fast by so many millionths; the returned call sets them right."""

    def timer_drift(self, ppm: int, organizations: Sequence[str]) -> Callable[[], None]:
        """Let these nodes' timers run fast by so many millionths; the returned call gives them the right pace."""

    def timer_jump(self, seconds: float, organizations: Sequence[str]) -> None:
        """Let the clock of these nodes' timers jump ahead: all timers that it passes over are due at once."""
