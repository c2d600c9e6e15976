"""The paper arm: the same shipments as the ledger's, through mail and filing cabinets.

Rules:
- Shipments are taken as they come and let go when they are done; nothing of a hundred thousand is kept.
- Events are handed on as they happen, in the order of the calendar.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from scenarios.model.units import DAY_MS
from scenarios.paper.cabinet import Cabinet
from scenarios.paper.carnets import PaperCarnet
from scenarios.paper.desk import Desk, Process
from scenarios.paper.origin import PaperClaim
from scenarios.paper.parameters import PaperParameters
from scenarios.paper.tuna import PaperForm370
from scenarios.record.eventbook import Event
from scenarios.workload.plan import shipments
from scenarios.workload.shipment import CarnetPlan, OriginPlan, Shipment, TunaPlan
from scenarios.workload.trade import Trade
from scenarios.workload.truth import SHIPMENT_BEGAN, truth_of

LOOKAHEAD_MS = 30 * DAY_MS
"""A shipment is taken up so long before it arrives: its papers are made earlier."""


@dataclass(slots=True)
class PaperArm:
    """One trade on paper.

    Attributes:
        trade: the shipments.
        parameters: the numbers of the paper process.
        end_ms: when the calendar ends, UTC milliseconds.
        write: takes every event.
        grain_ms: the calendar's, 1 or more.
    """

    trade: Trade
    parameters: PaperParameters
    end_ms: int
    write: Callable[[Event], None]
    grain_ms: int = 1

    def run(self) -> None:
        """Play all shipments until the calendar ends."""
        start_ms = self.trade.hours.place(0.0) - LOOKAHEAD_MS
        desk = Desk(self.parameters, self.trade.hours, self.write, start_ms, self.grain_ms)
        cabinet = Cabinet(desk, self.trade.seed)
        desk.start(self._arrivals(desk, cabinet, shipments(self.trade)))
        desk.clock.run(until=self.end_ms)

    def _arrivals(self, desk: Desk, cabinet: Cabinet, coming: Iterable[Shipment]) -> Process:
        for shipment in coming:
            yield desk.until(self.trade.arrival_ms(shipment.number) - LOOKAHEAD_MS)
            desk.record(SHIPMENT_BEGAN, **truth_of(shipment))
            desk.start(self._process(desk, cabinet, shipment))

    def _process(self, desk: Desk, cabinet: Cabinet, shipment: Shipment) -> Process:
        match shipment.plan:
            case OriginPlan() as plan:
                return PaperClaim(desk, cabinet, self.trade.workload, shipment, plan).run()
            case CarnetPlan() as plan:
                return PaperCarnet(desk, self.trade.workload, shipment, plan).run()
            case TunaPlan() as plan:
                return PaperForm370(desk, shipment, plan).run()
