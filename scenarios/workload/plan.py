"""The generated trade, shipment by shipment.

Rules:
- Shipment n depends on seed, workload and members alone, never on the shipments before it: any one of a hundred
  thousand is made by itself, and none has to be kept.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from typing import assert_never
from zoneinfo import ZoneInfo

from scenarios.model.workload import Workload
from scenarios.workload.carnets import plan_carnet
from scenarios.workload.cast import Cast, Member
from scenarios.workload.chance import Chance
from scenarios.workload.officehours import OfficeHours
from scenarios.workload.origin import plan_origin
from scenarios.workload.shipment import (
    KINDS,
    CarnetPlan,
    OriginPlan,
    Plan,
    Shipment,
    TunaPlan,
    UseCase,
)
from scenarios.workload.trade import Trade
from scenarios.workload.tuna import plan_tuna


def open_trade(
    seed: str, workload: Workload, members: Sequence[Member], zone: ZoneInfo, start: datetime.date
) -> Trade:
    """Return a trade to take shipments from.

    Args:
        seed: the run's.
        workload: how much, of what, how honest.
        members: in genesis' order.
        zone: of legal days.
        start: the first day.

    Raises:
        RefusedError: if a use case has a weight and nobody to play it.
    """
    cast = Cast(members)
    cast.require(workload.mix.model_dump())
    last = start + datetime.timedelta(days=workload.days - 1)
    return Trade(seed, workload, cast, OfficeHours(zone, start, last))


def shipments(trade: Trade, first: int = 1) -> Iterator[Shipment]:
    """Yield the shipments in the order of their arrival, from number `first` on."""
    for number in range(first, trade.workload.shipments + 1):
        yield shipment(trade, number)


def shipment(trade: Trade, number: int) -> Shipment:
    """Return shipment `number`, which counts from 1."""
    chance = trade.chance(str(number))
    use_case = UseCase(chance.weighted("use case", trade.workload.mix.model_dump()))
    broken = (
        chance.pick("fault", KINDS[use_case])
        if chance.happens("noncompliance", trade.workload.noncompliance)
        else None
    )
    arrives_ms = trade.arrival_ms(number)
    value_usd = trade.value_usd(chance)
    plan: Plan
    match use_case:
        case UseCase.ORIGIN:
            plan = plan_origin(trade, number, arrives_ms, value_usd, broken)
        case UseCase.CARNET:
            plan = plan_carnet(trade, number, arrives_ms, broken)
        case UseCase.TUNA:
            plan = plan_tuna(trade, number, arrives_ms, value_usd, broken)
        case _:
            assert_never(use_case)
    begins_ms = _begins_ms(trade, plan, arrives_ms)
    spoilt = _spoilt(trade, plan, chance)
    return Shipment(number, f"s{number}", use_case, begins_ms, value_usd, plan, broken, spoilt, chance)


def _spoilt(trade: Trade, plan: Plan, chance: Chance) -> tuple[str, ...]:
    """Return who spoils the form that it fills in; a blanket is spoilt for all its shipments or for none."""
    careless = trade.workload.careless
    match plan:
        case OriginPlan(certificate=certificate):
            writers = [(plan.broker or plan.importer, chance)]
            if certificate is not None:
                writers.insert(0, (certificate.issuer, trade.chance(certificate.name)))
        case CarnetPlan():
            writers = [(plan.holder, chance)]
        case TunaPlan():
            writers = [(plan.custody[0], chance), (plan.custody[-1], chance)]
    return tuple(
        dict.fromkeys(name for name, drawn in writers if drawn.happens(f"spoilt by {name}", careless))
    )


def _begins_ms(trade: Trade, plan: Plan, arrives_ms: int) -> int:
    """Return when somebody first acts for a shipment; what lies before the trade begins is done as it begins."""
    opens_ms = trade.hours.place(0.0)
    if isinstance(plan, OriginPlan) and plan.certificate is not None:
        return max(opens_ms, min(arrives_ms, trade.hours.moment(plan.certificate.signed_on, 0.0)))
    if isinstance(plan, TunaPlan):
        return max(opens_ms, min(arrives_ms, plan.filed_ms))
    return arrives_ms
