"""What only the whole file can tell about forms 370: names, roles, dates, boxes.

Rules:
- As in `crosscheck`: a fraud is no fault; refused is what could not be played, or is a slip of the pen.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from ledger.forms import form370
from ledger.forms.schema import Severity
from ledger.forms.tuna_attachments import check_attachment
from ledger.genesis import Role
from scenarios.errors import RefusedError, UnknownNameError
from scenarios.model.fisheries import EVIDENCE, Form370
from scenarios.model.fisherysteps import (
    AttachEvidence,
    AuditForm370,
    DraftForm370,
    FileForm370,
    FisheryStep,
    GrantPermit,
)
from scenarios.model.scenario import Scenario
from scenarios.model.yamltree import Location

Refusals = Iterator[tuple[Location, RefusedError]]

_MEANT = "say faulty: true if this is meant"


def forms(scenario: Scenario) -> Refusals:
    """Give what is wrong with the forms."""
    if scenario.forms and not any(Role.FISHERIES in roles for roles in scenario.roles.values()):
        what = "there are forms 370 and nobody to check them"
        yield ("forms",), RefusedError(what, "", "give somebody the role fisheries")
    for name, form in scenario.forms.items():
        where: Location = ("forms", name)
        yield from _chain(scenario, (*where, "custody"), form)
        yield from _import_date(scenario, (*where, "import_on"), form)
        for place, attachment in enumerate(form.attachments):
            if attachment.row > len(form.rows):
                limit = f"box 4 has {len(form.rows)} rows"
                yield (
                    (*where, "attachments", place, "row"),
                    RefusedError(f"there is no row {attachment.row}", limit, "correct the number"),
                )
        if not form.faulty:
            yield from _boxes(where, form)


def _chain(scenario: Scenario, where: Location, form: Form370) -> Refusals:
    members = [hop.by for hop in form.custody]
    for place, (member, role) in enumerate(form.chain()):
        at = (*where, place, "by")
        if member not in scenario.organizations:
            yield at, UnknownNameError("organization", member, scenario.organizations)
        elif role not in scenario.roles[member]:
            able = [other for other, roles in scenario.roles.items() if role in roles]
            limit = (
                f"this place in the chain is the {role}'s; {member} has {', '.join(scenario.roles[member])}"
            )
            remedy = f"name {' or '.join(able)}" if able else f"give somebody the role {role}"
            yield at, RefusedError(f"{member} cannot take custody here", limit, remedy)
        if member in members[:place]:
            yield at, RefusedError(f"{member} takes custody twice", "", "name each party once")


def _import_date(scenario: Scenario, where: Location, form: Form370) -> Refusals:
    first, last = (
        datetime.datetime.fromtimestamp(time_ms / 1000, scenario.zone).date()
        for time_ms in (scenario.calendar.start_ms, scenario.calendar.end_ms)
    )
    if not first <= form.import_on <= last:
        limit = f"the calendar runs from {first} to {last}"
        yield where, RefusedError(f"{form.import_on} lies outside the calendar", limit, "move it")


def _boxes(where: Location, form: Form370) -> Refusals:
    for fault in form370.NOAA_370.check(form.form_values()):
        if fault.severity is Severity.FORM:
            what, _, remedy = fault.message.partition("; ")
            yield (*where, *_place(fault.field)), RefusedError(f"box {fault.box} {what}", remedy, _MEANT)
    for place, attachment in enumerate(form.attachments):
        if attachment.row > len(form.rows):
            continue
        for fault in check_attachment(EVIDENCE[attachment.evidence], form.attachment_values(attachment)):
            what, _, remedy = fault.message.partition("; ")
            yield (*where, "attachments", place, fault.field), RefusedError(what, remedy, _MEANT)


def _place(field: str) -> Location:
    steps = field.split(".")
    if steps[0] in ("rows", "status"):
        return tuple(int(step) - 1 if step.isdecimal() else step for step in steps)
    return ("parties", *steps)


def fishery_step(scenario: Scenario, where: Location, step: FisheryStep) -> Refusals:
    """Give what is wrong with the names in a step."""
    if isinstance(step, GrantPermit):
        if step.holder not in scenario.organizations:
            yield (*where, "holder"), UnknownNameError("organization", step.holder, scenario.organizations)
        return
    form = scenario.forms.get(step.form370)
    if form is None:
        yield (*where, "form370"), UnknownNameError("form", step.form370, scenario.forms)
        return
    owner = {
        DraftForm370: form.exporter,
        AttachEvidence: form.exporter,
        FileForm370: form.importer,
        AuditForm370: step.by,
    }[type(step)]
    if step.by != owner and {step.by, owner} <= scenario.organizations.keys():
        what = f"{step.by} may not {step.do} {step.form370}"
        yield (*where, "by"), RefusedError(what, "", f"let {owner} do it")
