"""What a trial has live nodes suffer in their disks and calendars, told to their processes and kept over restarts.

Rules:
- A harm belongs to the host: a process that starts while it is in force has it from its first read on (disk), or from
  when it serves (calendar).
- Faults add up and end one by one; what is left decides.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from p2p.livecalendar import CalendarError
from p2p.livedisk import DiskFailure
from scenarios.network.deployment import DiskHarm, read_node_file, write_node_file
from scenarios.worlds.base import EndFault

Tell = Callable[[str, str, Mapping[str, object]], Awaitable[None]]
"""Tells an organization's node something on its control channel, if it is up: organization, path, body."""


@dataclass(slots=True)
class _Host:
    failures: list[DiskFailure] = field(default_factory=list)
    slow_ms: list[tuple[float, float]] = field(default_factory=list)
    offset_ms: int = 0
    drift_ppm: int = 0
    drift_from_ms: int = 0

    @property
    def disk(self) -> DiskHarm:
        slow = list(self.slow_ms[-1]) if self.slow_ms else None
        return DiskHarm(failures=[failure.value for failure in dict.fromkeys(self.failures)], slow_ms=slow)

    @property
    def calendar(self) -> CalendarError:
        return CalendarError(self.offset_ms, self.drift_ppm, self.drift_from_ms)


class NodeHarm:
    """Disks and calendars of one world's nodes.

    Args:
        files: the nodes' files, by organization.
        tell: tells a node.
        right_ms: the right calendar.
    """

    def __init__(self, files: Mapping[str, Path], tell: Tell, right_ms: Callable[[], int]) -> None:
        self._files = files
        self._tell = tell
        self._right_ms = right_ms
        self._hosts: dict[str, _Host] = {}

    def was_harmed(self, organization: str) -> bool:
        """Whether a node's disk failed at any time: its process may be about to end."""
        return organization in self._hosts

    async def fail_disk(self, failure: DiskFailure, organizations: Sequence[str]) -> EndFault:
        """Let disks fail; the returned call ends it."""
        for organization in organizations:
            self._host(organization).failures.append(failure)
            await self._tell_disk(organization)

        async def end() -> None:
            for organization in organizations:
                self._host(organization).failures.remove(failure)
                await self._tell_disk(organization)

        return end

    async def slow_disk(self, low_ms: float, high_ms: float, organizations: Sequence[str]) -> EndFault:
        """Let syncs take so long; the returned call ends it."""
        span = (low_ms, high_ms)
        for organization in organizations:
            self._host(organization).slow_ms.append(span)
            await self._tell_disk(organization)

        async def end() -> None:
            for organization in organizations:
                self._host(organization).slow_ms.remove(span)
                await self._tell_disk(organization)

        return end

    async def calendar_offset(self, seconds: int, organizations: Sequence[str]) -> EndFault:
        """Let calendars be wrong; the returned call sets them right."""

        async def shift(offset_ms: int) -> None:
            for organization in organizations:
                self._host(organization).offset_ms += offset_ms
                await self.tell_calendar(organization)

        await shift(seconds * 1000)
        return lambda: shift(-seconds * 1000)

    async def calendar_drift(self, ppm: int, organizations: Sequence[str]) -> EndFault:
        """Let calendars run fast or slow; the returned call sets them right."""

        async def drift(now_ppm: int) -> None:
            for organization in organizations:
                host = self._host(organization)
                host.drift_ppm, host.drift_from_ms = now_ppm, self._right_ms()
                await self.tell_calendar(organization)

        await drift(ppm)
        return lambda: drift(0)

    async def tell_calendar(self, organization: str) -> None:
        """Tell a node how wrong its calendar is, if anything ever made it so."""
        host = self._hosts.get(organization)
        if host is not None:
            error = host.calendar
            body = {name: getattr(error, name) for name in CalendarError.__slots__}
            await self._tell(organization, "/control/calendar-error", body)

    async def _tell_disk(self, organization: str) -> None:
        harm = self._host(organization).disk
        path = self._files[organization]
        write_node_file(path, read_node_file(path).model_copy(update={"disk": harm}))
        await self._tell(organization, "/control/disk", harm.model_dump())

    def _host(self, organization: str) -> _Host:
        return self._hosts.setdefault(organization, _Host())
