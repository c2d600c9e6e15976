"""What only the whole file can tell about invoices, verifications, or steps on claims: names, roles.

Rules:
- As in `crosscheck`: a fraud is no fault; refused is what could not be played, or is a slip of the pen.
"""

from __future__ import annotations

from collections.abc import Iterator

from ledger.contracts import REGIME_OF_FORM
from ledger.genesis import Role
from scenarios.errors import RefusedError, UnknownNameError
from scenarios.model.documents import form_of
from scenarios.model.forgeries import ForgeCarnet, ForgeCertificate, Forgery
from scenarios.model.network import plays
from scenarios.model.scenario import Scenario
from scenarios.model.steps import (
    AnswerRequest,
    ClaimStep,
    CorrectClaim,
    FileClaim,
    FilePostClaim,
    ProtestClaim,
    SendInvoice,
)
from scenarios.model.verifications import OpenVerification
from scenarios.model.yamltree import Location

Refusals = Iterator[tuple[Location, RefusedError]]

_SELLERS = (Role.EXPORTER, Role.PRODUCER)


def _party(
    scenario: Scenario, location: Location, name: str, role: Role | tuple[Role, ...], act: str
) -> Refusals:
    if name not in scenario.organizations:
        yield location, UnknownNameError("organization", name, scenario.organizations)
    elif not plays(scenario.roles[name], role):
        able = [other for other, roles in scenario.roles.items() if plays(roles, role)]
        needed = role if isinstance(role, Role) else " or ".join(role)
        limit = f"{act} needs the role {needed}; {name} has {', '.join(scenario.roles[name])}"
        remedy = f"let {' or '.join(able)} do it" if able else f"give somebody the role {needed}"
        yield location, RefusedError(f"{name} may not do this", limit, remedy)


def invoices(scenario: Scenario) -> Refusals:
    """Give what is wrong with the invoices."""
    for name, invoice in scenario.invoices.items():
        where = ("invoices", name)
        yield from _party(scenario, (*where, "issuer"), invoice.issuer, _SELLERS, "selling")
        yield from _party(scenario, (*where, "to"), invoice.to, Role.IMPORTER, "buying")
        if invoice.issuer == invoice.to:
            yield (*where, "to"), RefusedError(f"{invoice.to} is the issuer", "", "sell to another")


def verifications(scenario: Scenario) -> Refusals:
    """Give what is wrong with the verifications."""
    for name, plan in scenario.verifications.items():
        where = ("verifications", name)
        document = scenario.documents.get(plan.certificate)
        takes_importer = document is not None and REGIME_OF_FORM[form_of(document).code].verifies_importer
        asked = (*_SELLERS, Role.IMPORTER) if takes_importer else _SELLERS
        if not plan.faulty:
            yield from _party(scenario, (*where, "party"), plan.party, asked, "being verified")
        if (
            plan.by == "VISIT"
            and plan.party in scenario.roles
            and not plays(scenario.roles[plan.party], _SELLERS)
        ):
            limit = "19 CFR 182.72(a)(2): visits are to premises of an exporter or producer"
            yield (*where, "by"), RefusedError(f"{plan.party} is not visited", limit, "send a questionnaire")
        if plan.direct is not None:
            act = "sending books straight to Customs"
            yield from _party(scenario, (*where, "direct"), plan.direct, _SELLERS, act)
            if not takes_importer:
                limit = "19 CFR 182.72(c) is of the USMCA"
                yield (*where, "direct"), RefusedError("the party answers itself", limit, "leave it out")
        if plan.certificate not in scenario.documents:
            yield (*where, "certificate"), UnknownNameError("document", plan.certificate, scenario.documents)
        for position, claim in enumerate(plan.claims):
            if claim not in scenario.claims:
                yield (*where, "claims", position), UnknownNameError("claim", claim, scenario.claims)


def trade_step(
    scenario: Scenario, where: Location, step: SendInvoice | OpenVerification | Forgery | ClaimStep
) -> Refusals:
    """Give what is wrong with a step on an invoice, a verification or a claim, or with a forgery."""
    match step:
        case ForgeCarnet():
            if step.victim not in scenario.organizations:
                members = scenario.organizations
                yield (*where, "victim"), UnknownNameError("organization", step.victim, members)
        case ForgeCertificate():
            document = scenario.documents.get(step.document)
            if document is None:
                yield (*where, "document"), UnknownNameError("document", step.document, scenario.documents)
            elif step.by not in document.addressees or step.by == document.issuer:
                what = f"{step.by} has no use for {step.document}"
                limit = "a forger forges what is addressed to it, in another's name"
                yield (*where, "by"), RefusedError(what, limit, f"add {step.by} to its addressees")
        case OpenVerification():
            if step.verification not in scenario.verifications:
                known = scenario.verifications
                yield (*where, "verification"), UnknownNameError("verification", step.verification, known)
        case SendInvoice():
            invoice = scenario.invoices.get(step.invoice)
            if invoice is None:
                yield (*where, "invoice"), UnknownNameError("invoice", step.invoice, scenario.invoices)
            elif step.by != invoice.issuer and {step.by, invoice.issuer} <= scenario.organizations.keys():
                what = f"{step.by} is not the issuer of {step.invoice}"
                yield (*where, "by"), RefusedError(what, "", f"let {invoice.issuer} do it")
        case ClaimStep():
            yield from _claim_step(scenario, where, step)


def _claim_step(scenario: Scenario, where: Location, step: ClaimStep) -> Refusals:
    shown = step.document if isinstance(step, AnswerRequest | ProtestClaim) else None
    if shown is not None and shown not in scenario.documents:
        yield (*where, "document"), UnknownNameError("document", shown, scenario.documents)
    claim = scenario.claims.get(step.claim)
    if claim is None:
        yield (*where, "claim"), UnknownNameError("claim", step.claim, scenario.claims)
    elif (
        isinstance(step, FileClaim | FilePostClaim | CorrectClaim | AnswerRequest | ProtestClaim)
        and step.by not in (claim.importer, claim.broker)
        and {step.by, claim.importer} <= scenario.organizations.keys()
    ):
        able = claim.importer if claim.broker is None else f"{claim.importer} or {claim.broker}"
        what = f"{step.by} is not the importer of {step.claim}"
        yield (*where, "by"), RefusedError(what, "", f"let {able} do it")
