"""What is true of a shipment, as one event for whoever measures."""

from __future__ import annotations

from p2p.observer import RecordField
from scenarios.workload.shipment import CarnetPlan, OriginPlan, Shipment, TunaPlan

SHIPMENT_BEGAN = "shipment.began"


def truth_of(shipment: Shipment) -> dict[str, RecordField]:
    """Return the fields of `shipment.began`: the parties, the value, the rates at stake, the rule broken."""
    fields: dict[str, RecordField] = {
        "shipment": shipment.name,
        "use_case": shipment.use_case.value,
        "noncompliance": shipment.noncompliance.value if shipment.noncompliance is not None else None,
        "spoilt": list(shipment.spoilt),
        "value_usd": shipment.value_usd,
    }
    plan = shipment.plan
    organizations: tuple[str | None, ...]
    match plan:
        case OriginPlan():
            organizations = (plan.exporter, plan.producer, plan.importer, plan.broker, plan.customs)
            fields |= {
                "general_percent": str(plan.good.general_percent),
                "preferential_percent": str(plan.good.preferential_percent),
                "hts": plan.good.hts,
                "quantity": plan.quantity,
                "invoiced_quantity": plan.invoiced_quantity,
                "regime": plan.regime,
            }
        case CarnetPlan():
            customs = [visit.customs for visit in plan.visits]
            organizations = (plan.holder, plan.association, plan.home_customs, *customs)
        case TunaPlan():
            organizations = (*plan.custody, plan.fisheries, plan.customs)
    if isinstance(plan, TunaPlan):
        fields["custody"] = list(plan.custody)
    fields["organizations"] = list(dict.fromkeys(name for name in organizations if name is not None))
    return fields
