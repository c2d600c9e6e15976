"""What only the whole file can tell about ATA carnets: names, roles, dates, boxes.

Rules:
- As in `crosscheck`: a fraud is no fault; refused is what could not be played, or is a slip of the pen.
"""

from __future__ import annotations

from collections.abc import Iterator

from ledger.contracts.carnet import ISSUERS, TRADERS
from ledger.forms import Severity
from ledger.forms.carnet import ATA_CARNET
from ledger.genesis import Role
from scenarios.errors import RefusedError, UnknownNameError
from scenarios.model.carnets import AtaCarnet, AtaReplacement, original
from scenarios.model.carnetsteps import (
    ApplyCarnet,
    CarnetStep,
    PresentGoods,
    ReportLostCarnet,
    SettleGoods,
)
from scenarios.model.scenario import Scenario
from scenarios.model.yamltree import Location

Refusals = Iterator[tuple[Location, RefusedError]]

_MEANT = "say faulty: true if this is meant"


def carnets(scenario: Scenario) -> Refusals:
    """Give what is wrong with the carnets."""
    for name, carnet in scenario.carnets.items():
        where: Location = ("carnets", name)
        if isinstance(carnet, AtaReplacement):
            yield from _replacement(scenario, where, name, carnet)
            continue
        yield from _party(scenario, (*where, "holder"), carnet.holder, TRADERS, "holding a carnet")
        yield from _party(scenario, (*where, "issuer"), carnet.issuer, ISSUERS, "issuing carnets")
        yield from _countries(scenario, where, carnet)
        if not carnet.faulty:
            yield from _boxes(where, carnet)


def carnet_step(scenario: Scenario, where: Location, step: CarnetStep) -> Refusals:
    """Give what is wrong with the names in a step about a carnet."""
    if step.carnet not in scenario.carnets:
        yield (*where, "carnet"), UnknownNameError("carnet", step.carnet, scenario.carnets)
        return
    carnet = original(scenario.carnets, step.carnet)
    if carnet is None:
        return
    holds = step.by == carnet.holder or Role.CUSTOMS in scenario.roles.get(step.by, ())
    if not holds and {step.by, carnet.holder} <= scenario.organizations.keys():
        what = f"{step.by} does not hold {step.carnet}"
        yield (*where, "by"), RefusedError(what, "", f"let {carnet.holder} do it")
    match step:
        case PresentGoods(office=office):
            yield from _party(
                scenario, (*where, "office"), office, frozenset({Role.CUSTOMS}), "endorsing vouchers"
            )
        case ReportLostCarnet(successor=successor):
            lost = scenario.carnets.get(successor)
            if not isinstance(lost, AtaReplacement) or lost.replaces != step.carnet:
                limit = f"its carnet says replaces: {step.carnet}"
                what = f"{successor} does not replace {step.carnet}"
                yield (*where, "successor"), RefusedError(what, limit, "add it to carnets:")
        case ApplyCarnet() if isinstance(scenario.carnets[step.carnet], AtaReplacement):
            what = f"{step.carnet} replaces another"
            yield (*where, "carnet"), RefusedError(what, "", "report the other one lost instead")
    if isinstance(step, PresentGoods | SettleGoods):
        numbers = [line.item for line in step.items]
        if numbers != sorted(set(numbers)):
            yield (*where, "items"), RefusedError("items are not in order, each once", "", "sort them")


def _party(scenario: Scenario, location: Location, name: str, roles: frozenset[Role], act: str) -> Refusals:
    if name not in scenario.organizations:
        yield location, UnknownNameError("organization", name, scenario.organizations)
    elif roles.isdisjoint(scenario.roles[name]):
        needed = " or ".join(sorted(roles))
        limit = f"{act} needs the role {needed}; {name} has {', '.join(scenario.roles[name])}"
        yield location, RefusedError(f"{name} may not do this", limit, "name another, or give it the role")


def _countries(scenario: Scenario, where: Location, carnet: AtaCarnet) -> Refusals:
    """A carnet is issued in its holder's country, under the guarantee of that country's association."""
    holder, issuer = (scenario.organizations.get(name) for name in (carnet.holder, carnet.issuer))
    if holder is None or issuer is None:
        return
    if holder.country != issuer.country:
        limit = f"{carnet.holder} is of {holder.country}, {carnet.issuer} of {issuer.country}"
        yield (
            (*where, "issuer"),
            RefusedError("issuer and holder are of two countries", limit, "name another"),
        )
    for role in (Role.GUARANTEEING, Role.CUSTOMS):
        if not any(
            role in one.roles and one.country == holder.country for one in scenario.organizations.values()
        ):
            what = f"{holder.country} has nobody with the role {role}"
            yield (*where, "holder"), RefusedError(what, "a carnet needs one at home", "add an organization")


def _replacement(scenario: Scenario, where: Location, name: str, carnet: AtaReplacement) -> Refusals:
    if carnet.replaces not in scenario.carnets:
        yield (*where, "replaces"), UnknownNameError("carnet", carnet.replaces, scenario.carnets)
    elif original(scenario.carnets, name) is None:
        yield (
            (*where, "replaces"),
            RefusedError("it replaces itself in the end", "", "begin with an ata-carnet"),
        )


def _boxes(where: Location, carnet: AtaCarnet) -> Refusals:
    for fault in ATA_CARNET.check(carnet.form_values()):
        if fault.severity is Severity.FORM:
            what, _, remedy = fault.message.partition("; ")
            place: Location = ("cover", fault.field)
            if fault.field.startswith("items"):
                place = tuple(int(part) - 1 if part.isdecimal() else part for part in fault.field.split("."))
            yield (*where, *place), RefusedError(f"box {fault.box} {what}", remedy, _MEANT)
