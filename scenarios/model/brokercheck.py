"""What only the whole file can tell about customs brokers: who is one, and for whose claim."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.genesis import Role
from scenarios.errors import RefusedError, UnknownNameError
from scenarios.model.brokersteps import BrokerStep, InstructBroker
from scenarios.model.scenario import Scenario
from scenarios.model.yamltree import Location

Refusals = Iterator[tuple[Location, RefusedError]]


def claim_brokers(scenario: Scenario) -> Refusals:
    """Give what is wrong with the brokers that claims name."""
    for name, claim in scenario.claims.items():
        if claim.broker is not None:
            yield from _broker(scenario, ("claims", name, "broker"), claim.broker)


def broker_step(scenario: Scenario, where: Location, step: BrokerStep) -> Refusals:
    """Give what is wrong with a step of an importer that works through a broker."""
    if not isinstance(step, InstructBroker):
        yield from _broker(scenario, (*where, "broker"), step.broker)
        return
    claim = scenario.claims.get(step.claim)
    if claim is None:
        yield (*where, "claim"), UnknownNameError("claim", step.claim, scenario.claims)
    elif claim.broker is None:
        what = f"{step.claim} has no broker"
        yield (
            (*where, "claim"),
            RefusedError(what, "", f"add broker: under {step.claim}, or let its importer file"),
        )
    elif step.by != claim.importer and {step.by, claim.importer} <= scenario.organizations.keys():
        what = f"{step.by} is not the importer of {step.claim}"
        yield (*where, "by"), RefusedError(what, "", f"let {claim.importer} do it")


def _broker(scenario: Scenario, location: Location, name: str) -> Refusals:
    if name not in scenario.organizations:
        yield location, UnknownNameError("organization", name, scenario.organizations)
    elif Role.BROKER not in scenario.roles[name]:
        able = [other for other, roles in scenario.roles.items() if Role.BROKER in roles]
        remedy = f"name {' or '.join(able)}" if able else "give somebody the role broker"
        yield (
            location,
            RefusedError(f"{name} is no broker", f"it has {', '.join(scenario.roles[name])}", remedy),
        )
