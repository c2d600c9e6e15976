"""Tuna of a generated trade as papers and acts: Form 370, its evidence, and the filing."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence

from scenarios.errors import RefusedError
from scenarios.model import Step
from scenarios.model.fisheries import Form370, Vessel
from scenarios.trading.lot import Act, Lot, step_of
from scenarios.trading.papers import parse
from scenarios.trading.people import particulars
from scenarios.trading.spoiling import submissions
from scenarios.workload.goods import TUNA
from scenarios.workload.pace import Pace
from scenarios.workload.shipment import Noncompliance, Shipment, TunaPlan

TRIP_ENDS_DAYS_BEFORE = 45
TRIP_DAYS = 35
LARGE_SHORT_TONS = 400
_SETS: Mapping[str, str] = {"ETP": "8.250N 104.500W", "WCP": "2.100N 160.250E", "IO": "4.300S 58.750E"}
_SPECIES = ("SKJ", "YFT")
DAY = datetime.timedelta(days=1)


def tuna_lot(shipment: Shipment, plan: TunaPlan, vessels: Sequence[Vessel], pace: Pace) -> Lot:
    """Return a form's papers and acts.

    Args:
        shipment, plan: what happens.
        vessels: that the fisheries authority knows.
        pace: how long people take over this shipment.

    Raises:
        RefusedError: if no vessel of the size that is needed is known.
    """
    name = shipment.name
    handed_in = [
        fields
        for who, form in ((plan.custody[0], "form-370"), (plan.custody[-1], "filing"))
        for fields in submissions(shipment, who, form)
    ]
    draft = step_of("draft-form370", plan.custody[0], form370=name)
    acts = [Act(plan.drafted_ms, draft, tuple(handed_in))]
    scripted: tuple[Step, ...] = ()
    if shipment.noncompliance is Noncompliance.LATE_FILING:
        filing = step_of("file-form370", plan.custody[-1], form370=name)
        acts.append(Act(plan.filed_ms, filing))
        scripted = (filing,)
    return Lot(forms={name: _form(shipment, plan, vessels, pace)}, acts=tuple(acts), scripted=scripted)


def _form(shipment: Shipment, plan: TunaPlan, vessels: Sequence[Vessel], pace: Pace) -> Form370:
    exporter, importer = (particulars(who, shipment.name) for who in (plan.custody[0], plan.custody[-1]))
    vessel = _vessel(shipment, plan, vessels)
    trip_end = plan.imported_on - TRIP_ENDS_DAYS_BEFORE * DAY
    values: dict[str, object] = {
        "shipment": f"TUNA-{shipment.number}",
        "custody": _custody(plan, pace),
        "parties": {
            "exporter_name": exporter.name,
            "exporter_address": exporter.address,
            "exporter_email": exporter.email,
            "importer_name": importer.name,
            "importer_address": importer.address,
            "importer_email": importer.email,
        },
        "rows": [
            {
                "hts": f"{TUNA.hts}91",
                "species": shipment.chance.pick("species", _SPECIES),
                "product_form": f"pouches of {shipment.name}",
                "net_kg": plan.kg_out,
                "ocean_area": plan.ocean_area,
                "gear": plan.gear,
                "vessel_flag": vessel.flag,
                "vessel_name": vessel.name,
                "trip_begin": (trip_end - TRIP_DAYS * DAY).isoformat(),
                "trip_end": trip_end.isoformat(),
            }
        ],
        "status": plan.declared_status,
        "attachments": _attachments(shipment, plan),
        "entry": plan.entry,
        "import_on": plan.imported_on.isoformat(),
        "entered_kg": plan.kg_out,
    }
    return parse(Form370, values)


def _custody(plan: TunaPlan, pace: Pace) -> list[Mapping[str, object]]:
    """Return who took in and passed on what: the processor is where weight is lost, or gained."""
    last = len(plan.custody) - 1
    hops: list[Mapping[str, object]] = []
    for place, name in enumerate(plan.custody):
        is_first_half = place < last and place + 1 == max(1, last)
        kg_in = plan.kg_in if place < last else plan.kg_out
        kg_out = plan.kg_out if is_first_half or place == last else plan.kg_in
        hops.append(
            {
                "by": name,
                "kg_in": kg_in,
                "kg_out": kg_out,
                "endorse_after": f"{pace.endorse_ms(name)}ms" if name in plan.endorses else "never",
            }
        )
    return hops


def _vessel(shipment: Shipment, plan: TunaPlan, vessels: Sequence[Vessel]) -> Vessel:
    fitting = [v for v in vessels if (v.capacity_short_tons > LARGE_SHORT_TONS) is plan.large_vessel]
    if not fitting:
        size = "over" if plan.large_vessel else "up to"
        raise RefusedError(
            f"shipment {shipment.name} needs a vessel of {size} {LARGE_SHORT_TONS} short tons",
            "fisheries.vessels knows none",
            "add one",
        )
    return shipment.chance.pick("vessel", fitting)


def _attachments(shipment: Shipment, plan: TunaPlan) -> list[Mapping[str, object]]:
    """Return captain's, observer's and nation's papers; where the status is false, the sets tell where it was."""
    area = "ETP" if plan.declared_status != plan.true_status else plan.ocean_area
    sets = [_SETS[area]]
    papers: list[Mapping[str, object]] = [
        {"evidence": "captain", "captain_name": f"captain of {shipment.name}", "sets": sets}
    ]
    if plan.declared_status == "5B5":
        papers.append(
            {
                "evidence": "idcp",
                "nation": f"nation of {shipment.name}",
                "certification_number": f"IDCP-{shipment.name}-{plan.kg_in}",
                "signer_name": f"signer of {shipment.name}",
            }
        )
        papers.append(
            {
                "evidence": "observer",
                "observer_name": f"observer of {shipment.name}",
                "program": f"observer program of {shipment.name}",
                "sets": sets,
            }
        )
    return papers
