"""What faults of trade ask of the whole file: members, fields that the hit write, and a calendar that outlasts them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from scenarios.errors import RefusedError, UnknownNameError
from scenarios.model.faults import FaultRecord
from scenarios.model.misdeeds import misfits
from scenarios.model.scenario import Scenario
from scenarios.model.targets import TargetKind
from scenarios.model.tradefaults import LateDocument, LostDocument, PaperFallback, TradeFault, WrongData
from scenarios.model.yamltree import Location

Refusals = Iterator[tuple[Location, RefusedError]]


def trade_refusals(scenario: Scenario, where: Location, fault: FaultRecord) -> Refusals:
    """Refuse a fault of trade that this consortium's offices cannot have.

    Args:
        scenario: the whole.
        where: the fault's place in it.
        fault: any fault.
    """
    match fault:
        case LateDocument() | LostDocument():
            yield from _addressee(scenario, where, fault)
        case WrongData():
            yield from _fields(scenario, where, fault)
        case _:
            pass
    if isinstance(fault, LateDocument | PaperFallback):
        yield from _end(scenario, where, fault)


def _addressee(scenario: Scenario, where: Location, fault: LateDocument | LostDocument) -> Refusals:
    to = fault.params.to
    if to is None:
        return
    inside = (*where, "params", "to")
    if to not in scenario.organizations:
        yield inside, UnknownNameError("organization", to, scenario.organizations)
    elif fault.target.names == (to,):
        yield (
            inside,
            RefusedError(f"{to} sends itself no envelope", "another organization", "name the addressee"),
        )


def _fields(scenario: Scenario, where: Location, fault: WrongData) -> Refusals:
    """Refuse a field that one of those who are hit for certain never writes."""
    for position, field in enumerate(fault.params.fields):
        for name in _hit(scenario, fault):
            refusals = [refusal for _, refusal in misfits(name, scenario.roles[name], {}, {field: 1.0})]
            if refusals:
                yield (*where, "params", "fields", position), refusals[0]
                break


def _hit(scenario: Scenario, fault: TradeFault) -> Sequence[str]:
    match fault.target.kind:
        case TargetKind.ALL:
            return tuple(scenario.organizations)
        case TargetKind.REGION:
            return tuple(scenario.network.regions.get(fault.target.region, ()))
        case TargetKind.ROLE:
            return tuple(name for name, roles in scenario.roles.items() if fault.target.role in roles)
        case _:
            return tuple(name for name in fault.target.names if name in scenario.organizations)


def _end(scenario: Scenario, where: Location, fault: LateDocument | PaperFallback) -> Refusals:
    """Refuse a window that the calendar ends in, where what comes after it is what the fault is about."""
    if fault.at is None or fault.at.calendar is None or fault.lasts is None:
        return
    try:
        ends_ms = scenario.moment_ms(fault.at.calendar) + fault.lasts.duration.ms
    except RefusedError:
        return  # reported where it stands
    if ends_ms >= scenario.calendar.end_ms:
        after = "entered" if isinstance(fault, PaperFallback) else "delivered"
        remedy = "end it earlier" + ("" if isinstance(fault, PaperFallback) else ", or write lost_document")
        what = f"it lasts to the calendar's end, so that nothing of it is {after} afterwards"
        yield (*where, "for"), RefusedError(what, f"the end is {scenario.calendar.end}", remedy)
