"""When a trial's network is at rest, so that the calendar may move.

Rules:
- *Idle*: no pending transaction or envelope, every node that is up equally executed and certified, nothing under way
  at any node, every agent waits and has seen all that there is to tell. An agent whose node is down has not; one whose
  office is away has nothing to see.
- *Stalled*: for two maximal election timeouts nothing moved, and what is pending is blocked by faults in force that
  block (a dead, dark or paused node, a partition; latency and loss only delay) and do not end by themselves in protocol
  time. (One that does is waited for: its end is what unblocks.)
- *Stuck*: nothing moved for long and no fault explains it. That is a violation of progress, not a reason to go on.
- Rest must be seen twice in a row: work may be between a waker and its task.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from scenarios.worlds.base import Standing, World

POLL_S = 0.05
SEEN_IDLE_MIN = 2
STUCK_S = 120.0


class Rest(StrEnum):
    """Why the calendar may move, or that it never will."""

    IDLE = "idle"
    STALLED = "stalled"
    STUCK = "stuck"


class Waiter(Protocol):
    """An agent, as far as rest is concerned."""

    seen_receipt: int
    seen_document: int

    @property
    def active(self) -> int:
        """How many jobs are at work."""

    @property
    def blocked(self) -> int:
        """How many jobs wait for a node that does not answer."""


@dataclass(slots=True)
class Settling:
    """Judges rest.

    Attributes:
        world: whose nodes.
        agents: by organization.
        seen_receipt: the last receipt the public record has.
        faults_explain: whether faults in force block what is pending and do not end by themselves in protocol time.
        election_timeout_ms_max: the longest election timeout.
        is_away: whether an organization's office takes nothing in now.
        script_active: whether the scenario's script, if it has one, is at work.
        poll_s: pause between two looks, protocol seconds.
    """

    world: World
    agents: Mapping[str, Waiter]
    seen_receipt: Callable[[], int]
    faults_explain: Callable[[], bool]
    election_timeout_ms_max: int
    script_active: Callable[[], bool] = lambda: False
    is_away: Callable[[str], bool] = lambda _organization: False
    poll_s: float = POLL_S

    async def rest(self, limit_s: float = STUCK_S) -> Rest:
        """Wait for rest.

        Args:
            limit_s: protocol seconds without any movement after which the network is stuck.
        """
        loop = asyncio.get_running_loop()
        seen_idle = 0
        moved_at = loop.time()
        last: tuple[object, ...] = ()
        while True:
            await asyncio.sleep(self.poll_s)
            standings = {o: await self.world.standing(o) for o in self.world.organizations}
            seen_idle = seen_idle + 1 if self._is_idle(standings) else 0
            if seen_idle >= SEEN_IDLE_MIN:
                return Rest.IDLE
            picture = self._picture(standings)
            if picture != last or self.script_active():
                last, moved_at = picture, loop.time()
            still_s = loop.time() - moved_at
            long_still = still_s > 2 * self.election_timeout_ms_max / 1000
            if long_still and self.faults_explain() and not self._is_anybody_active():
                return Rest.STALLED
            if still_s > limit_s:
                return Rest.STUCK

    def _is_idle(self, standings: Mapping[str, Standing | None]) -> bool:
        up = {o: standing for o, standing in standings.items() if standing is not None}
        if not up:
            return False
        height = next(iter(up.values())).height
        for s in up.values():
            if s.busy or s.pool or s.outbox or s.in_flight or not height == s.height == s.certified:
                return False
            if s.leader is None and s.orders:
                return False
        if self._is_anybody_active() or any(agent.blocked for agent in self.agents.values()):
            return False
        last_receipt = max(s.last_receipt for s in up.values())
        if self.seen_receipt() < last_receipt:
            return False
        present = {o: agent for o, agent in self.agents.items() if not self.is_away(o)}
        if any(agent.seen_receipt < last_receipt for agent in present.values()):
            return False
        return all(present[o].seen_document >= s.last_document for o, s in up.items() if o in present)

    def _is_anybody_active(self) -> bool:
        return self.script_active() or any(agent.active for agent in self.agents.values())

    def _picture(self, standings: Mapping[str, Standing | None]) -> tuple[object, ...]:
        nodes = tuple(
            (o, None) if s is None else (o, s.height, s.certified, s.term, s.pool, s.outbox)
            for o, s in standings.items()
        )
        agents: Sequence[object] = [(o, a.seen_receipt, a.seen_document) for o, a in self.agents.items()]
        return (nodes, tuple(agents))
