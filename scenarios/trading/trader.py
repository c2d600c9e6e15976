"""Plays a generated trade: shipments are taken up as they come, and their acts begin when their time has come.

Rules:
- What an organization's program does by itself is left to it; here is only what a shipment has it do.
- What a trade takes for granted it has done as it begins: an importer that works through brokers grants them their
  powers, unless the scenario does.
- An act that begins waits for nobody: the next one begins at its own time.
- Acts that are not due yet lie in a real file without a name.
- A step that the ledger or a form's rules refuse ends there, as it does in a scenario file; any other failure is the
  program's, and is raised by the trial.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, assert_never

from p2p.observer import RecordField
from scenarios.filed import Filed
from scenarios.model import Step
from scenarios.model.fisheries import Vessel
from scenarios.model.units import DAY_MS
from scenarios.trading.carnets import carnet_lot
from scenarios.trading.lot import Act, Lot
from scenarios.trading.openscript import OpenScript
from scenarios.trading.origin import origin_lot
from scenarios.trading.powers import powers
from scenarios.trading.tuna import tuna_lot
from scenarios.workload.pace import Durations, Pace
from scenarios.workload.plan import shipments
from scenarios.workload.shipment import CarnetPlan, OriginPlan, Shipment, TunaPlan
from scenarios.workload.trade import Trade
from scenarios.workload.truth import SHIPMENT_BEGAN, truth_of

LOOKAHEAD_MS = 30 * DAY_MS
"""A shipment is taken up so long before it arrives: its papers are made earlier."""


class Stage(Protocol):
    """The trial as the trader sees it."""

    def now_ms(self) -> int:
        """Return the calendar, UTC milliseconds."""

    async def wait_until(self, time_ms: int) -> None:
        """Wait until the calendar has come to a moment."""

    def record(self, name: str, fields: Mapping[str, RecordField]) -> None:
        """Write down what only the simulator knows."""

    def begin(self, step: Step) -> asyncio.Task[object]:
        """Have an organization begin a step."""


@dataclass(order=True, slots=True)
class _Due:
    time_ms: int
    number: int


class Trader:
    """One generated trade on the ledger.

    Args:
        trade: the shipments.
        durations: of what people do.
        script: takes their papers.
        stage: the trial.
        vessels: that the fisheries authority knows.
    """

    def __init__(
        self,
        trade: Trade,
        durations: Durations,
        script: OpenScript,
        stage: Stage,
        vessels: tuple[Vessel, ...],
    ) -> None:
        self._trade = trade
        self._durations = durations
        self._script = script
        self._stage = stage
        self._vessels = vessels
        self._due: list[_Due] = []
        self._acts: Filed[Act] = Filed()
        self._made: set[str] = set()
        self._running: set[asyncio.Task[object]] = set()
        self.failure: BaseException | None = None
        self.is_over = False

    async def run(self) -> None:
        """Play all shipments; return when the last act has ended."""
        for step in powers(self._trade, self._script.steps, self._stage.now_ms()):
            self._begin(Act(self._stage.now_ms(), step))
        for shipment in shipments(self._trade):
            await self._play_until(self._trade.arrival_ms(shipment.number) - LOOKAHEAD_MS)
            self._take_up(shipment)
        await self._play_until(None)
        while self._running:
            await asyncio.wait(self._running)
        self.is_over = True

    def _take_up(self, shipment: Shipment) -> None:
        self._stage.record(SHIPMENT_BEGAN, truth_of(shipment))
        lot = self._lot_of(shipment)
        self._script.take(lot)
        for act in lot.acts:
            heapq.heappush(self._due, _Due(act.time_ms, self._acts.add(act)))

    async def _play_until(self, time_ms: int | None) -> None:
        """Begin all acts that are due before a moment, then come to it."""
        while self._due and (time_ms is None or self._due[0].time_ms < time_ms):
            due = heapq.heappop(self._due)
            await self._come_to(due.time_ms)
            act = self._acts[due.number]
            self._acts.let_go(due.number)
            self._begin(act)
        if time_ms is not None:
            await self._come_to(time_ms)

    async def _come_to(self, time_ms: int) -> None:
        if time_ms > self._stage.now_ms():
            await self._stage.wait_until(time_ms)

    def _begin(self, act: Act) -> None:
        for fields in act.submissions:
            self._stage.record("form.submitted", fields)
        task = self._stage.begin(act.step)
        self._running.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[object]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None and self.failure is None:
            self.failure = error

    def close(self) -> None:
        """Cancel what still runs."""
        for task in self._running:
            task.cancel()

    def _lot_of(self, shipment: Shipment) -> Lot:
        plan = shipment.plan
        workload, pace = self._trade.workload, Pace(self._durations, shipment)
        match plan:
            case OriginPlan():
                name = plan.certificate.name if plan.certificate is not None else ""
                first = name not in self._made
                self._made.add(name)
                return origin_lot(shipment, plan, workload, self._trade.hours, pace, first=first)
            case CarnetPlan():
                return carnet_lot(shipment, plan, workload)
            case TunaPlan():
                return tuna_lot(shipment, plan, self._vessels, pace)
            case _:
                assert_never(plan)
