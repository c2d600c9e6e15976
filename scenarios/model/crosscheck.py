"""What only the whole file can tell: names, roles, dates and forms against each other.

Rules:
- Every rule looks at the whole file and reports all it finds; none relies on another having held.
- A fraud is no fault: what the ledger would record with a finding may be scripted. Refused is what could not
  be played at all, or what can only be a slip of the pen.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator

from ledger.contracts import REGIME_OF_FORM
from ledger.genesis import Role
from scenarios.errors import Fault, RefusedError, UnknownNameError
from scenarios.model.brokercheck import broker_step, claim_brokers
from scenarios.model.brokersteps import BrokerStep
from scenarios.model.carnetcheck import carnet_step, carnets
from scenarios.model.carnetsteps import CarnetStep
from scenarios.model.contradictions import contradictions
from scenarios.model.documents import Document, form_of
from scenarios.model.faultclash import clashes
from scenarios.model.fisherycheck import fishery_step, forms
from scenarios.model.fisherysteps import FisheryStep
from scenarios.model.forgeries import ForgeCarnet, ForgeCertificate
from scenarios.model.formcheck import form_refusals
from scenarios.model.linkcheck import link_refusals, region_names
from scenarios.model.misdeeds import misfits
from scenarios.model.network import AGENT_ROLES, plays
from scenarios.model.nodecheck import node_refusals
from scenarios.model.predicates import (
    BlockCommitted,
    CertificateReached,
    ClaimFiled,
    LeaderElected,
    Predicate,
    SubjectReached,
)
from scenarios.model.salvage import Salvage
from scenarios.model.scenario import Scenario
from scenarios.model.schedulecheck import schedule_refusals
from scenarios.model.sentences import (
    CertificateReaches,
    DeniedFor,
    Ends,
    Expectation,
    HasFinding,
    HasNoFinding,
    Never,
    NoticeReaches,
    Reaches,
    StepRefused,
    TransactionIs,
)
from scenarios.model.source import Source
from scenarios.model.steps import (
    ROLES,
    ClaimStep,
    IssueCertificate,
    NotifyIncorrect,
    ReinstateHolding,
    RejectHolding,
    SendInvoice,
    Step,
    SupersedeCertificate,
    SuspendHolding,
)
from scenarios.model.subjects import SUBJECTS, SubjectKind
from scenarios.model.targets import check_target
from scenarios.model.tradecheck import invoices, trade_step, verifications
from scenarios.model.tradefaultcheck import trade_refusals
from scenarios.model.units import UNITS_MS, Duration, Moment
from scenarios.model.verifications import OpenVerification
from scenarios.model.yamltree import Location, dotted

Refusals = Iterator[tuple[Location, RefusedError]]
"""Where something stands, and what is the matter with it."""


def cross_check(scenario: Scenario, source: Source, salvage: Salvage | None = None) -> list[Fault]:
    """Return everything about a scenario that its parts alone do not show.

    Args:
        scenario: The scenario.
        source: Its text.
        salvage: What was left out of `scenario` because it is wrong in itself.
    """
    found: list[Fault] = []
    for rule in (
        _network,
        _documents,
        invoices,
        verifications,
        _claims,
        claim_brokers,
        carnets,
        forms,
        _steps,
        _faults,
        schedule_refusals,
        _expectations,
    ):
        for found_at, seen in rule(scenario):
            refusal = salvage.judge(seen) if salvage is not None else seen
            if refusal is None:
                continue
            location = salvage.original(found_at) if salvage is not None else found_at
            what = f"{dotted(location)}: {refusal.what}"
            found.append(Fault(source.place(location), what, refusal.limit, refusal.remedy))
    return found


def _members(scenario: Scenario, location: Location, names: Iterable[str]) -> Refusals:
    for position, name in enumerate(names):
        if name not in scenario.organizations:
            yield (*location, position), UnknownNameError("organization", name, scenario.organizations)


def _member(
    scenario: Scenario, location: Location, name: str, role: Role | tuple[Role, ...] | None, act: str
) -> Refusals:
    """Refuse a name that is no member, or a member without a role its act needs."""
    if name not in scenario.organizations:
        yield location, UnknownNameError("organization", name, scenario.organizations)
    elif role is not None and not plays(scenario.roles[name], role):
        able = [other for other, roles in scenario.roles.items() if plays(roles, role)]
        needed = role if isinstance(role, Role) else " or ".join(role)
        limit = f"{act} needs the role {needed}; {name} has {', '.join(scenario.roles[name])}"
        remedy = f"let {' or '.join(able)} do it" if able else f"give somebody the role {needed}"
        yield location, RefusedError(f"{name} may not do this", limit, remedy)


def _network(scenario: Scenario) -> Refusals:
    network = scenario.network
    for position, edge in enumerate(network.edges):
        yield from _members(scenario, ("network", "edges", position), edge)
    yield from _members(scenario, ("network", "orderers"), network.orderers or ())
    named = network.orderers
    if named is not None and (not named or len(set(named)) != len(named)):
        yield ("network", "orderers"), RefusedError("names nobody, or somebody twice", "", "name each once")
    yield from _regions(scenario)
    count, liars = len(scenario.orderers), network.orderer_liars_tolerated
    if count < 3 * liars + 1:
        limit = f"{count} orderers tolerate {max(0, count - 1) // 3}"
        where = ("network", "orderer_liars_tolerated")
        yield where, RefusedError(f"{liars} liars are too many", limit, f"name {3 * liars + 1} orderers")
    for name, organization in scenario.organizations.items():
        for delay, role in AGENT_ROLES.items():
            if delay in organization.agent.model_fields_set and not plays(organization.roles, role):
                needed = role if isinstance(role, Role) else " or ".join(role)
                refusal = RefusedError(
                    f"{name} is no {needed}", f"{delay} is for the role {needed}", "remove it"
                )
                yield ("organizations", name, "agent", delay), refusal
        agent = organization.agent
        for inside, refusal in misfits(name, organization.roles, agent.dishonest, agent.careless):
            yield ("organizations", name, "agent", *inside), refusal


def _regions(scenario: Scenario) -> Refusals:
    regions, home = scenario.network.regions, dict[str, str]()
    for region, members in regions.items():
        where = ("network", "regions", region)
        yield from _members(scenario, where, members)
        if not members:
            yield where, RefusedError("has no organization", "one at least", "name one, or remove the region")
        for position, name in enumerate(members):
            if name in home:
                what = f"{name} is in {home[name]} already"
                yield (*where, position), RefusedError(what, "one region at most", "name it once")
            home[name] = region
    yield from region_names(regions, ("network", "region_latency_ms"), scenario.network.region_latency_ms)


def _documents(scenario: Scenario) -> Refusals:
    for name, document in scenario.documents.items():
        where = ("documents", name)
        act = f"issuing a certificate on form {document.form}"
        able = tuple(role for role in Role if role in REGIME_OF_FORM[form_of(document).code].certifiers)
        needed = able[0] if len(able) == 1 else able
        yield from _member(scenario, (*where, "issuer"), document.issuer, needed, act)
        yield from _members(scenario, (*where, "addressees"), document.addressees)
        yield from _addressees(scenario, (*where, "addressees"), document)
        if not document.faulty:
            for box, refusal in form_refusals(document):
                yield (*where, "fields", *box), refusal


def _addressees(scenario: Scenario, location: Location, document: Document) -> Refusals:
    if document.issuer in document.addressees:
        position = document.addressees.index(document.issuer)
        refusal = RefusedError(f"{document.issuer} is the issuer", "", "address it to others")
        yield (*location, position), refusal
    if len(set(document.addressees)) != len(document.addressees):
        yield location, RefusedError("names somebody twice", "", "name each addressee once")
    importers = [name for name, roles in scenario.roles.items() if Role.IMPORTER in roles]
    certifies_itself = Role.IMPORTER in REGIME_OF_FORM[form_of(document).code].certifiers
    holders = (*document.addressees, document.issuer) if certifies_itself else document.addressees
    if not any(name in importers for name in holders):
        remedy = f"add {' or '.join(importers)}" if importers else "give somebody the role importer"
        yield location, RefusedError("no importer is among the addressees", "somebody must hold it", remedy)


def _claims(scenario: Scenario) -> Refusals:
    used: dict[tuple[str, int], str] = {}
    first, last = (
        datetime.datetime.fromtimestamp(time_ms / 1000, scenario.zone).date()
        for time_ms in (scenario.calendar.start_ms, scenario.calendar.end_ms)
    )
    for name, claim in scenario.claims.items():
        where = ("claims", name)
        yield from _member(
            scenario, (*where, "importer"), claim.importer, Role.IMPORTER, "claiming preference"
        )
        for key, day in (("import_on", claim.import_on), ("entry_on", claim.entry_on)):
            if not first <= day <= last:
                limit = f"the calendar runs from {first} to {last}"
                yield (*where, key), RefusedError(f"{day} lies outside the calendar", limit, "move it")
        if claim.certificate is not None:
            document = scenario.documents.get(claim.certificate)
            if document is None:
                refusal = UnknownNameError("document", claim.certificate, scenario.documents)
                yield (*where, "certificate"), refusal
            elif claim.importer not in (*document.addressees, document.issuer) and not claim.faulty:
                limit = f"{claim.certificate} goes to {', '.join(document.addressees)}"
                remedy = f"add {claim.importer} to its addressees, or say faulty: true"
                what = f"{claim.importer} is no addressee of {claim.certificate}"
                yield (*where, "certificate"), RefusedError(what, limit, remedy)
        if claim.invoice is not None and claim.invoice not in scenario.invoices:
            yield (*where, "invoice"), UnknownNameError("invoice", claim.invoice, scenario.invoices)
        first_use = used.setdefault((claim.entry, claim.line), name)
        if first_use != name and not claim.faulty:
            what = f"entry {claim.entry} line {claim.line} is claimed by {first_use} too"
            yield (
                (*where, "entry"),
                RefusedError(what, "one claim per line", "correct it, or say faulty: true"),
            )


def _steps(scenario: Scenario) -> Refusals:
    for position, step in enumerate(scenario.steps):
        where = ("steps", position)
        yield from _member(scenario, (*where, "by"), step.by, ROLES[step.do], step.do)
        if step.at is not None:
            yield from _inside_calendar(scenario, (*where, "at"), step.at)
        if step.when is not None:
            yield from _predicate(scenario, (*where, "when"), step.when)
        if isinstance(step, CarnetStep):
            yield from carnet_step(scenario, where, step)
        elif isinstance(step, BrokerStep):
            yield from broker_step(scenario, where, step)
        elif isinstance(step, FisheryStep):
            yield from fishery_step(scenario, where, step)
        else:
            yield from _step_names(scenario, where, step)


def _step_names(scenario: Scenario, where: Location, step: Step) -> Refusals:
    match step:
        case (
            IssueCertificate()
            | NotifyIncorrect()
            | SupersedeCertificate()
            | SuspendHolding()
            | ReinstateHolding()
            | RejectHolding()
        ):
            names = {"document": step.document}
            if isinstance(step, SupersedeCertificate):
                names["successor"] = step.successor
            for key, name in names.items():
                if name not in scenario.documents:
                    yield (*where, key), UnknownNameError("document", name, scenario.documents)
            document = scenario.documents.get(step.document)
            if document is None:
                return
            if isinstance(step, SuspendHolding | ReinstateHolding | RejectHolding):
                if step.holder not in (*document.addressees, document.issuer):
                    yield (*where, "holder"), UnknownNameError("addressee", step.holder, document.addressees)
            elif step.by != document.issuer and {step.by, document.issuer} <= scenario.organizations.keys():
                what = f"{step.by} is not the issuer of {step.document}"
                yield (*where, "by"), RefusedError(what, "", f"let {document.issuer} do it")
        case SendInvoice() | OpenVerification() | ForgeCertificate() | ForgeCarnet() | ClaimStep():
            yield from trade_step(scenario, where, step)


def _inside_calendar(scenario: Scenario, location: Location, moment: Moment) -> Refusals:
    try:
        time_ms = scenario.moment_ms(moment)
    except RefusedError as refusal:
        yield location, refusal
        return
    calendar = scenario.calendar
    if time_ms < calendar.start_ms:
        yield (
            location,
            RefusedError(f"{moment} is before the start", f"the start is {calendar.start}", "move it"),
        )
    elif time_ms > calendar.end_ms:
        yield location, RefusedError(f"{moment} is after the end", f"the end is {calendar.end}", "move it")


def _predicate(scenario: Scenario, location: Location, predicate: Predicate) -> Refusals:
    match predicate:
        case LeaderElected() | BlockCommitted():
            return
        case CertificateReached(name, _, holder):
            document = scenario.documents.get(name)
            if document is None:
                yield location, UnknownNameError("document", name, scenario.documents)
            elif holder is not None and holder not in document.addressees:
                yield location, UnknownNameError("addressee", holder, document.addressees)
        case SubjectReached(kind, name):
            yield from _subject(scenario, location, kind, name)
        case ClaimFiled(claim):
            yield from _subject(scenario, location, SUBJECTS["claim"], claim)


def _faults(scenario: Scenario) -> Refusals:
    for position, fault in enumerate(scenario.faults):
        where = ("faults", position)
        refusal = check_target(fault.target, scenario.roles, scenario.orderers, scenario.network.regions)
        if refusal is not None:
            yield (*where, "target"), refusal
        if fault.when is not None:
            yield from _predicate(scenario, (*where, "when"), fault.when)
        if fault.at is not None and fault.at.calendar is not None:
            yield from _inside_calendar(scenario, (*where, "at", "calendar"), fault.at.calendar)
        yield from link_refusals(scenario, where, fault)
        yield from node_refusals(scenario, where, fault)
        yield from trade_refusals(scenario, where, fault)
    for clash in clashes(scenario):
        yield ("faults", clash.second), clash.refusal


def _expectations(scenario: Scenario) -> Refusals:
    for position, expectation in enumerate(scenario.expect):
        yield from _expectation(scenario, ("expect", position), expectation)
    for pair in contradictions(scenario.expect):
        what = f'contradicts "{scenario.expect[pair.first].text}"'
        yield ("expect", pair.second), RefusedError(what, pair.why, "remove one of them")


def _expectation(scenario: Scenario, location: Location, expectation: Expectation) -> Refusals:
    match expectation:
        case Reaches() | Never() | Ends() | HasFinding() | HasNoFinding() | DeniedFor():
            kind = expectation.kind
            yield from _subject(scenario, location, kind, expectation.name)
            if isinstance(expectation, Reaches):
                begun = [
                    step.at
                    for step in scenario.steps
                    if step.do in kind.begun_by and getattr(step, kind.field) == expectation.name
                ]
                yield from _deadline(scenario, location, expectation.within, begun)
        case CertificateReaches():
            document = scenario.documents.get(expectation.certificate)
            if document is None:
                yield location, UnknownNameError("document", expectation.certificate, scenario.documents)
                return
            holders = (*document.addressees, document.issuer)
            if expectation.holder is not None and expectation.holder not in holders:
                yield location, UnknownNameError("addressee", expectation.holder, document.addressees)
            issued = [
                step.at
                for step in scenario.steps
                if isinstance(step, IssueCertificate) and step.document == expectation.certificate
            ]
            yield from _deadline(scenario, location, expectation.within, issued)
        case NoticeReaches():
            document = scenario.documents.get(expectation.certificate)
            if document is None:
                yield location, UnknownNameError("document", expectation.certificate, scenario.documents)
            elif expectation.importer not in document.addressees:
                yield location, UnknownNameError("addressee", expectation.importer, document.addressees)
        case TransactionIs() | StepRefused():
            if not 1 <= expectation.step <= len(scenario.steps):
                limit = f"steps count from 1 to {len(scenario.steps)}"
                yield (
                    location,
                    RefusedError(f"there is no step {expectation.step}", limit, "correct the number"),
                )
        case _:
            return


def _subject(scenario: Scenario, location: Location, kind: SubjectKind, name: str) -> Refusals:
    """Refuse the name of a subject that the scenario does not have."""
    named = name.partition("/")[0]
    known = getattr(scenario, kind.section)
    if named not in known:
        yield location, UnknownNameError(kind.section.removesuffix("s"), named, known)


def _deadline(
    scenario: Scenario, location: Location, within: Duration | None, begins: list[Moment | None]
) -> Refusals:
    """Refuse a deadline that the calendar's end comes before, counted from when the subject's step begins."""
    if within is None:
        return
    try:
        moments = [scenario.moment_ms(moment) for moment in begins if moment is not None]
    except RefusedError:
        return  # reported where the step stands
    begin_ms = min(moments, default=scenario.calendar.start_ms)
    left_days = (scenario.calendar.end_ms - begin_ms) // UNITS_MS["d"]
    if begin_ms + within.ms > scenario.calendar.end_ms:
        limit = f"the calendar ends {scenario.calendar.end}, {max(0, left_days)} days after the step"
        yield location, RefusedError("the deadline lies beyond the calendar's end", limit, "move the end")
