"""Carnets of a generated trade as papers and acts: the general list, and goods presented at every border."""

from __future__ import annotations

from scenarios.model import Step
from scenarios.model.carnets import AtaCarnet
from scenarios.model.units import HOUR_MS
from scenarios.model.workload import Workload
from scenarios.trading.lot import Act, Lot, step_of
from scenarios.trading.papers import parse
from scenarios.trading.people import particulars
from scenarios.trading.spoiling import submissions
from scenarios.workload.decisions import is_presented
from scenarios.workload.shipment import CarnetPlan, Shipment

USES = ("EXHIBITIONS AND FAIRS", "PROFESSIONAL EQUIPMENT", "COMMERCIAL SAMPLES")


def carnet_lot(shipment: Shipment, plan: CarnetPlan, workload: Workload) -> Lot:
    """Return a carnet's papers and acts.

    Goods that left a country without being shown there come to the next one, or home, from that country: the voucher
    then presented cites the one under which they came in.
    """
    name = shipment.name
    apply = step_of("apply-carnet", plan.holder, carnet=name)
    acts = [Act(shipment.begins_ms, apply, tuple(submissions(shipment, plan.holder, "general-list")))]
    journey = _Journey(name, plan)
    acts.append(Act(plan.out_ms, journey.present("EXPORT", plan.home_customs)))
    unseen: int | None = None
    for visit in plan.visits:
        entry = journey.voucher
        unlisted = plan.unlisted and visit is plan.visits[0]
        acts.append(
            Act(visit.in_ms, journey.present("IMPORT", visit.customs, unlisted=unlisted, cites=unseen))
        )
        if unlisted:  # what was refused is presented again, without the piece that no row lists
            entry = journey.voucher
            acts.append(Act(visit.in_ms + HOUR_MS, journey.present("IMPORT", visit.customs, cites=unseen)))
        if visit.out_ms is None:
            unseen = None
        elif is_presented(shipment, visit.country, workload):
            unseen = None
            acts.append(Act(visit.out_ms, journey.present("REEXPORT", visit.customs, cites=entry)))
        else:
            unseen = entry
    if plan.home_ms is not None:
        acts.append(Act(plan.home_ms, journey.present("REIMPORT", plan.home_customs, cites=unseen)))
    return Lot(carnets={name: _carnet(shipment, plan)}, acts=tuple(acts))


class _Journey:
    """Counts vouchers."""

    def __init__(self, name: str, plan: CarnetPlan) -> None:
        self._name = name
        self._plan = plan
        self.voucher = 1

    def present(self, kind: str, office: str, *, cites: int | None = None, unlisted: bool = False) -> Step:
        """Return the step that presents all goods with the next voucher."""
        items = [{"item": item, "pieces": pieces} for item, pieces in enumerate(self._plan.items, 1)]
        if unlisted:
            items.append({"item": len(self._plan.items) + 1, "pieces": 1})
        fields: dict[str, object] = {"voucher": self.voucher, "kind": kind, "office": office, "items": items}
        if cites is not None:
            fields["cites"] = cites
        self.voucher += 1
        return step_of("present-goods", self._plan.holder, carnet=self._name, **fields)


def _carnet(shipment: Shipment, plan: CarnetPlan) -> AtaCarnet:
    holder = particulars(plan.holder, shipment.name)
    value_each = max(1, shipment.value_usd // len(plan.items))
    countries = list(dict.fromkeys(visit.country for visit in plan.visits))
    values: dict[str, object] = {
        "form": "ata-carnet",
        "holder": plan.holder,
        "issuer": plan.association,
        "valid_until": plan.valid_until.isoformat(),
        "cover": {
            "holder_name": holder.name,
            "holder_address": holder.address,
            "representative": holder.person,
            "use": shipment.chance.pick("use", USES),
            "number": f"US/ACC/{plan.issued_on.year % 100}/{shipment.number:06d}",
            "issuer_name": particulars(plan.association, shipment.name).name,
            "countries": " ".join(countries),
        },
        "items": [
            {
                "item": item,
                "description": f"exhibit {item} of {shipment.name}",
                "marks": f"mark {shipment.name}/{item}",
                "pieces": pieces,
                "weight_kg": 5 * pieces,
                "value_usd": value_each,
                "origin": "US",
            }
            for item, pieces in enumerate(plan.items, 1)
        ],
    }
    return parse(AtaCarnet, values)
