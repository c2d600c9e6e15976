"""Tuna of a generated trade: what was caught how, who had it, and when the form is filed.

Rules:
- The mix of trips, and what a processor loses, are assumptions.
- A form is filed on or before the day of importation (50 CFR 216.24(f)); honest importers file some days before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from scenarios.workload.goods import TUNA
from scenarios.workload.shipment import Noncompliance, TunaPlan
from scenarios.workload.trade import Trade, days_after, entry_number

NOT_CERTIFIED = "5A"


@dataclass(frozen=True, slots=True)
class TripKind:
    """A kind of fishing trip, in the form's words, and the status that its tuna may bear with its evidence."""

    gear: str
    ocean_area: str
    large_vessel: bool
    status: str


LARGE_ETP = TripKind("PURSE_SEINE", "ETP", True, "5B5")
WESTERN = TripKind("PURSE_SEINE", "WCP", True, "5B2")
TRIPS: Mapping[TripKind, float] = {
    LARGE_ETP: 0.35,
    TripKind("PURSE_SEINE", "ETP", False, "5B4"): 0.15,
    WESTERN: 0.3,
    TripKind("LONGLINE", "WCP", True, "5B1"): 0.1,
    TripKind("POLE_AND_LINE", "IO", False, "5B1"): 0.1,
}
YIELD_PERCENT = (55, 70)
OVERWEIGHT_PERCENT = (2, 15)
CARGO_KG_MIN = 100
DRAFTED_DAYS_BEFORE = 10
"""From the draft to the day of filing, over a working day."""


def plan_tuna(
    trade: Trade, number: int, arrives_ms: int, value_usd: int, broken: Noncompliance | None
) -> TunaPlan:
    """Return what happens in one tuna shipment."""
    chance = trade.chance(str(number))
    trip = chance.weighted("trip", TRIPS)
    false = broken is Noncompliance.FALSE_STATUS
    exporter = chance.pick("exporter", trade.cast.tuna_exporters)
    importer = chance.pick("importer", trade.cast.importers)
    processors = [p for p in trade.cast.processors if p not in (exporter, importer)]
    custody = (exporter, *([chance.pick("processor", processors)] if processors else []), importer)
    kg_out = max(CARGO_KG_MIN, round(value_usd / TUNA.usd_per_unit))
    kg_in = kg_out * 100 // chance.whole("yield", *YIELD_PERCENT)
    if broken is Noncompliance.OVERWEIGHT:
        kg_in = kg_out * 100 // (100 + chance.whole("overweight", *OVERWEIGHT_PERCENT))
    missing = custody[-2] if broken is Noncompliance.MISSING_ENDORSEMENT else None
    imported_on = trade.hours.day_of(arrives_ms)
    days = (
        chance.whole("late", 1, 10) if broken is Noncompliance.LATE_FILING else -chance.whole("early", 1, 6)
    )
    filed_on = days_after(imported_on, days)
    drafted_on = trade.hours.next_working_day(days_after(filed_on, -DRAFTED_DAYS_BEFORE))
    return TunaPlan(
        custody=custody,
        endorses=tuple(name for name in custody if name != missing),
        fisheries=trade.cast.fisheries[0],
        customs=trade.cast.customs[0],
        kg_in=kg_in,
        kg_out=kg_out,
        gear=(LARGE_ETP if false else trip).gear,
        ocean_area=WESTERN.ocean_area if false else trip.ocean_area,
        large_vessel=(LARGE_ETP if false else trip).large_vessel,
        true_status=NOT_CERTIFIED if false else trip.status,
        declared_status=WESTERN.status if false else trip.status,
        entry=entry_number(number),
        drafted_ms=trade.hours.moment(drafted_on, 0.0),
        imported_on=imported_on,
        filed_ms=trade.hours.moment(filed_on, chance.share("filed at")),
    )
