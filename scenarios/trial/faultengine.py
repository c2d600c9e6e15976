"""Faults carried out: when each begins, whom it hits, how it ends.

Rules:
- Every fault of the scenario is followed by a task of its own, with its own stream of chance.
- Beginnings and ends are events; a fault that never came to begin is reported, since a trial without it shows
  something else than its author meant.
- A fault of the leader that begins while nobody leads hits who led last.
- `heal` ends everything: cuts are mended, the paused resume, the dead start again, and who lost its store is replaced.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from ledger.genesis import quorum
from scenarios.agents.office import Office
from scenarios.errors import RefusedError
from scenarios.model import Scenario
from scenarios.model.faults import KINDS_BY_WORLD, NOT_LIVE, FaultRecord
from scenarios.model.linkfaults import Bridge, Partition
from scenarios.model.tradefaults import TradeFault
from scenarios.model.units import Clock, Span
from scenarios.record.eventbook import EventBook
from scenarios.trial.agenda import Agenda
from scenarios.trial.courses import Course
from scenarios.trial.directions import halves
from scenarios.trial.history import History
from scenarios.trial.majority import Blow, is_majority_left
from scenarios.trial.replacing import PresentKey, ReplacementError
from scenarios.trial.strikes import End, strike
from scenarios.trial.tradestrikes import strike_trade
from scenarios.worlds.base import World

BLOCKING = (
    "crash",
    "power_loss",
    "pause",
    "partition",
    "bridge",
    "ring",
    "one_way",
    "flapping",
    "clog",
    "disk_full",
    "sync_failure",
    "crash_at",
    "restart_loop",
    "rolling_restart",
    "other_version",
    "read_failure",
    "write_failure",
    "flip_bits",
    "lost_file",
    "rebuild",
)
"""Kinds that can block what is pending; the others only delay it."""

ONE_AT_A_TIME = ("rolling_restart",)
"""Kinds that never take away more than one node of those that they hit."""

REPLACING = ("flip_bits", "rebuild")
"""Kinds whose end may need the others: a node is replaced over them. They end last."""


@dataclass(slots=True)
class InForce:
    """A fault that has begun and not ended.

    Attributes:
        number: its place in the scenario, from 1.
        kind: what it is.
        hit: whom it hit.
        clock: the clock its end is on, or None if it has no end of its own.
        end: ends it.
        course: its own course, if it has one.
        groups: that it parts, if it names them.
        must_finish: whether that is waited for instead of cut short.
        ending: brings it to its end, if that is under way and must not be cut short.
    """

    number: int
    kind: str
    hit: Sequence[str]
    clock: Clock | None
    end: End
    course: asyncio.Task[None] | None = None
    groups: Sequence[Sequence[str]] = ()
    must_finish: bool = False
    ending: asyncio.Task[None] | None = None


class FaultEngine:
    """Carries out a scenario's faults in a world.

    Args:
        scenario: whose faults.
        world: where.
        book: where beginnings and ends are written.
        history: what predicates are judged on.
        agenda: the trial's calendar.
        now_ms: the calendar.
        leader: who leads now, if anybody.
        chance: makes a stream of chance of its own for each fault.
        offices: of every organization, which faults of trade hit.
        present_key: gives the key with which an organization signs at the time.
    """

    def __init__(
        self,
        scenario: Scenario,
        world: World,
        book: EventBook,
        history: History,
        agenda: Agenda,
        now_ms: Callable[[], int],
        leader: Callable[[], Awaitable[str | None]],
        chance: Callable[[str], Random],
        offices: Mapping[str, Office],
        present_key: PresentKey,
    ) -> None:
        self._scenario = scenario
        self._world = world
        self._book = book
        self._history = history
        self._agenda = agenda
        self._now_ms = now_ms
        self._leader = leader
        self._chance = chance
        self._offices = offices
        self._present_key = present_key
        self._tasks: list[asyncio.Task[None]] = []
        self._finishing: list[asyncio.Task[None]] = []
        self._begun: list[int] = []
        self._extra = 0
        self.in_force: dict[int, InForce] = {}
        self.orderers = scenario.orderers
        self.quorum = quorum(len(self.orderers), scenario.network.orderer_liars_tolerated)
        self.took_majority = False

    def start(self) -> None:
        """Begin to follow every fault; protocol times count from now, the start of the trade phase."""
        loop = asyncio.get_running_loop()
        for number, fault in enumerate(self._scenario.faults, 1):
            task = loop.create_task(self._follow(number, fault), name=f"fault {number}")
            self._tasks.append(task)

    async def begin(self, fault: FaultRecord) -> End:
        """Begin a fault now that the scenario does not list; return what ends it, once.

        Raises:
            RefusedError: if it fits nobody, or this world cannot do it.
        """
        able = KINDS_BY_WORLD[self._world.kind]
        if fault.kind not in able:
            raise RefusedError(
                f"the {self._world.kind} world cannot do {fault.kind}", NOT_LIVE.get(fault.kind, ""), ""
            )
        self._extra += 1
        number = len(self._scenario.faults) + self._extra
        hit = await self._targets(number, fault)
        if not hit:
            raise RefusedError(
                f"fault {fault.kind}: {fault.target} fits no node now", "", "wait until it does"
            )
        in_force = await self._force(number, fault, hit)
        if in_force is None:
            return _nothing
        if fault.lasts is not None:
            task = asyncio.get_running_loop().create_task(
                self._end_after(in_force, fault.lasts), name=f"fault {number}"
            )
            self._tasks.append(task)

        async def end() -> None:
            if number in self.in_force:
                await self._end(in_force)

        return end

    @property
    def begun(self) -> int:
        """How many faults have begun."""
        return len(self._begun)

    @property
    def never_begun(self) -> list[int]:
        """The numbers of faults that have not begun."""
        return [n for n in range(1, len(self._scenario.faults) + 1) if n not in self._begun]

    @property
    def blocks(self) -> bool:
        """Whether faults in force block something for good: none of them ends by itself in protocol time.

        A replacement does, but not where the majority that it needs is away.
        """
        blocking = [fault for fault in self.in_force.values() if fault.kind in BLOCKING]
        ending = [fault for fault in blocking if fault.clock is Clock.PROTOCOL]
        if any(fault.kind in REPLACING for fault in ending) and self.has_taken_majority:
            ending = [fault for fault in ending if fault.kind not in REPLACING]
        return bool(blocking) and not ending

    def raise_failure(self) -> None:
        """Raise what a fault's task failed with, if one did."""
        for task in (*self._tasks, *self._finishing):
            if task.done() and not task.cancelled() and (error := task.exception()) is not None:
                raise error

    async def heal(self, away: Sequence[str] = ()) -> None:
        """End every fault in force, begin no other, and start every node that is down but those that stay away.

        Args:
            away: whose nodes are killed instead.
        """
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for fault in [f for f in self.in_force.values() if f.kind not in REPLACING]:
            await self._end(fault)
        for organization in away:
            await self._world.restart(organization)
            await self._world.crash(organization)
        for organization in self._world.organizations:
            if organization not in away and not self.is_to_be_replaced(organization):
                await self._world.restart(organization)
        for fault in [] if away else list(self.in_force.values()):
            await self._end(fault)

    def is_to_be_replaced(self, organization: str) -> bool:
        """Whether an organization's node may be gone for good, and is replaced when all are healed."""
        return any(f.kind in REPLACING and organization in f.hit for f in self.in_force.values())

    def _sides(self, fault: FaultRecord, hit: Sequence[str]) -> Sequence[Sequence[str]] | None:
        """Return the groups that a fault parts, if it names them; a bridge stands with the larger half."""
        if isinstance(fault, Partition):
            return fault.params.groups
        if not isinstance(fault, Bridge):
            return None
        larger, smaller = sorted(
            fault.params.groups or halves(self._world.organizations, self._world.plan.orderers, hit),
            key=lambda half: sum(name in self.orderers for name in half),
            reverse=True,
        )
        return (*hit, *larger), smaller

    @property
    def has_taken_majority(self) -> bool:
        """Whether what is in force now leaves no majority of orderers together."""
        blows = [
            Blow(fault.kind, fault.hit, fault.groups)
            for fault in self.in_force.values()
            if fault.kind in BLOCKING and fault.kind not in ONE_AT_A_TIME
        ]
        return not is_majority_left(self.orderers, self.quorum, blows)

    def _look_for_majority(self) -> None:
        self.took_majority = self.took_majority or self.has_taken_majority

    async def _follow(self, number: int, fault: FaultRecord) -> None:
        await self._beginning(fault)
        hit = await self._targets(number, fault)
        if not hit:
            self._book.add("fault.missed", {"fault": number, "kind": fault.kind, "target": str(fault.target)})
            return
        in_force = await self._force(number, fault, hit)
        if in_force is not None and fault.lasts is not None:
            await self._end_after(in_force, fault.lasts)

    async def _force(self, number: int, fault: FaultRecord, hit: Sequence[str]) -> InForce | None:
        """Let a fault begin; return it, or None if it is over at once."""
        self._begun.append(number)
        self._book.add(
            "fault.began",
            {"fault": number, "kind": fault.kind, "target": str(fault.target), "hit": list(hit)},
        )
        chance = self._chance(f"course of fault {number}")
        if isinstance(fault, TradeFault):
            begun: End | Course | None = strike_trade(self._offices, fault, hit, chance, self._now_ms)
        else:
            begun = await strike(self._world, fault, hit, chance, self._present_key)
        if begun is None:
            return None
        clock = None if fault.lasts is None else fault.lasts.clock
        if not isinstance(begun, Course):
            groups = self._sides(fault, hit)
            in_force = InForce(number, fault.kind, hit, clock, begun, groups=groups or ())
            self.in_force[number] = in_force
            self._look_for_majority()
            return in_force
        in_force = InForce(number, fault.kind, hit, clock or Clock.PROTOCOL, begun.end)
        self.in_force[number] = in_force
        self._look_for_majority()
        run = self._run_course(in_force, begun)
        in_force.course = asyncio.get_running_loop().create_task(run, name=f"course of fault {number}")
        in_force.must_finish = begun.must_finish
        (self._finishing if begun.must_finish else self._tasks).append(in_force.course)
        return in_force

    async def _run_course(self, in_force: InForce, course: Course) -> None:
        await self._noting_what_is_not_replaced(course.run())
        if in_force.number in self.in_force:
            await self._end(in_force)

    async def _end_after(self, in_force: InForce, lasts: Span) -> None:
        await self._wait(lasts)
        if in_force.number in self.in_force:
            await self._end(in_force)

    async def _beginning(self, fault: FaultRecord) -> None:
        if fault.at is not None:
            if fault.at.protocol is not None:
                await asyncio.sleep(fault.at.protocol.ms / 1000)
            elif fault.at.calendar is not None:
                await self._agenda.wait_until(self._scenario.moment_ms(fault.at.calendar))
        elif fault.when is not None:
            await self._history.until(fault.when)
            if fault.after is not None:
                await self._wait(fault.after)

    async def _wait(self, span: Span) -> None:
        if span.clock is Clock.PROTOCOL:
            await asyncio.sleep(span.duration.ms / 1000)
        else:
            await self._agenda.wait_until(self._now_ms() + span.duration.ms)

    async def _targets(self, number: int, fault: FaultRecord) -> Sequence[str]:
        leader = await self._leader() or self._led_last()
        scenario, chance = self._scenario, self._chance(f"fault {number}")
        return fault.target.choose(
            scenario.roles, scenario.orderers, leader, chance, scenario.network.regions
        )

    def _led_last(self) -> str | None:
        """Return who became leader last: whom a fault of the leader hits while the others elect one."""
        led = [e.text("node") for e in self._book.named("raft.role") if e.text("role") == "leader"]
        return led[-1] if led else None

    async def _end(self, fault: InForce) -> None:
        if fault.kind in REPLACING and fault.course is None:
            if fault.ending is None:
                fault.ending = asyncio.get_running_loop().create_task(
                    self._replace_at_end(fault), name=f"end of fault {fault.number}"
                )
                self._finishing.append(fault.ending)
            await asyncio.shield(fault.ending)
            return
        self.in_force.pop(fault.number, None)
        if fault.must_finish and fault.course is not None and fault.course is not asyncio.current_task():
            self.in_force[fault.number] = fault
            await fault.course
            return
        if fault.course is not None and fault.course is not asyncio.current_task():
            fault.course.cancel()
            await asyncio.gather(fault.course, return_exceptions=True)
        await self._noting_what_is_not_replaced(fault.end())
        self._note_end(fault)

    async def _replace_at_end(self, fault: InForce) -> None:
        """End what may replace a node; half done it leaves one without its seat, so it stays in force meanwhile."""
        await self._noting_what_is_not_replaced(fault.end())
        self.in_force.pop(fault.number, None)
        self._note_end(fault)

    def _note_end(self, fault: InForce) -> None:
        self._book.add("fault.ended", {"fault": fault.number, "kind": fault.kind, "hit": list(fault.hit)})

    async def _noting_what_is_not_replaced(self, work: Awaitable[None]) -> None:
        try:
            await work
        except ReplacementError as error:
            self._book.add("progress.missed", {"text": str(error)})


async def _nothing() -> None:
    """End what was over at once."""
