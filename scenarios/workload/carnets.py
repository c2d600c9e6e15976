"""Carnets of a generated trade: who travels where with what, and comes back or not.

Rules:
- A carnet is issued some days before the goods leave, and is valid for a year less a day.
- Goods stay in a country for some weeks; customs there sets a final date for the re-exportation, which honest holders
  keep.
"""

from __future__ import annotations

from ledger.contracts.deadlines import anniversary
from scenarios.workload.cast import CarnetParties
from scenarios.workload.chance import Chance
from scenarios.workload.officehours import OfficeHours
from scenarios.workload.shipment import CarnetPlan, Noncompliance, Visit
from scenarios.workload.trade import Trade, days_after

VISITS_MAX = 3
STAY_DAYS = (5, 40)
FINAL_AFTER_DAYS = 60
LATE_DAYS = (1, 45)
ITEMS = (1, 12)
PIECES = (1, 9)


def plan_carnet(trade: Trade, number: int, arrives_ms: int, broken: Noncompliance | None) -> CarnetPlan:
    """Return what happens under one carnet; it leaves its home country when the shipment begins."""
    chance = trade.chance(str(number))
    parties = chance.pick("holder", trade.cast.carnets)
    issued_on = trade.hours.day_of(arrives_ms)
    valid_until = days_after(anniversary(issued_on, 1), -1)
    out_on = trade.hours.add_working_days(issued_on, chance.whole("leaves", 2, 8))
    out_ms = trade.hours.moment(out_on, chance.share("leaves at"))
    visits = _visits(trade.hours, chance, parties, out_ms, broken)
    last_out = visits[-1].out_ms
    home_ms = None
    if last_out is not None:
        home_on = trade.hours.add_working_days(trade.hours.day_of(last_out), chance.whole("home", 1, 4))
        home_ms = trade.hours.moment(home_on, chance.share("home at"))
    pieces = chance.stream("pieces")
    return CarnetPlan(
        holder=parties.holder,
        association=parties.association,
        home_customs=parties.home_customs,
        items=tuple(pieces.randint(*PIECES) for _ in range(chance.whole("items", *ITEMS))),
        unlisted=broken is Noncompliance.UNLISTED_ITEM,
        issued_on=issued_on,
        valid_until=valid_until,
        out_ms=out_ms,
        home_ms=home_ms,
        visits=visits,
    )


def _visits(
    hours: OfficeHours, chance: Chance, parties: CarnetParties, out_ms: int, broken: Noncompliance | None
) -> tuple[Visit, ...]:
    """Return the visits; the last one ends late, or not at all, if that is the fault."""
    count = chance.whole("visits", 1, min(VISITS_MAX, len(parties.abroad)))
    abroad = chance.stream("route").sample(parties.abroad, count)
    visits: list[Visit] = []
    at_ms = out_ms
    for place, member in enumerate(abroad):
        is_last = place == count - 1
        in_on = hours.add_working_days(hours.day_of(at_ms), 1)
        final_on = days_after(in_on, FINAL_AFTER_DAYS)
        leaves_on = hours.add_working_days(days_after(in_on, chance.whole(f"stay {place}", *STAY_DAYS)), 1)
        if is_last and broken is Noncompliance.LATE_REEXPORT:
            leaves_on = hours.add_working_days(days_after(final_on, chance.whole("late", *LATE_DAYS)), 1)
        stays = is_last and broken is Noncompliance.NOT_REEXPORTED
        out = None if stays else hours.moment(leaves_on, chance.share(f"out at {place}"))
        visits.append(
            Visit(
                member.name,
                member.country,
                hours.moment(in_on, chance.share(f"in at {place}")),
                out,
                final_on,
            )
        )
        at_ms = out if out is not None else at_ms
    return tuple(visits)
