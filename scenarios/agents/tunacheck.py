"""What the authorities hold against each other when they look into a filed Form 370, and what they find wrong.

Rules:
- Findings of the ledger come first; what is private is compared here and nowhere else.
- Evidence counts if its envelope opened under a root that the exporter has anchored, and if it is about the trip.
- Every row must bear the status declared; 5A may be declared of any tuna that is not excluded.
- Weights: no party passes on more than it took in, none takes in more than the one before passed on, and the form
  covers no more than the party before the importer passed on.
- Some defects reject at once; all others hold. A finding that cannot be mended any more, such as a late filing,
  no longer holds the shipment up once it was answered; one that can be must be mended (design).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ledger.contracts.findings import Finding
from ledger.contracts.fisheries.dolphin import (
    Determination,
    DolphinStatus,
    Evidence,
    Gear,
    Trip,
    determine,
    is_embargoed,
    pga_code,
)
from ledger.contracts.fisheries.inspection import InspectionState, form_commitment
from ledger.encoding import Value
from ledger.forms import form370
from ledger.forms.form370 import ETP
from ledger.forms.tuna_attachments import any_set_in_etp, is_about, supports
from scenarios.agents.formregister import FormEntry
from scenarios.agents.papers import Paper, PaperError
from scenarios.model.fisheries import FisheriesLists, Fishery
from scenarios.model.subjects import FormDefect

REJECTING = (
    FormDefect.DRIFTNET,
    FormDefect.EMBARGOED,
    FormDefect.OUT_EXCEEDS_IN,
    FormDefect.IN_EXCEEDS_OUT_BEFORE,
    FormDefect.FORM_EXCEEDS_CUSTODY,
)
"""Defects for which nothing is waited; which they are is ours (design)."""

EXCUSABLE = (
    Finding.FILED_AFTER_IMPORTATION.value,
    Finding.ENDORSED_AFTER_FILING.value,
    Finding.DATE_IN_FUTURE.value,
)
"""Findings that nothing can mend: an answer is all that can be had (design)."""


@dataclass(frozen=True, slots=True)
class FormEvidence:
    """What NOAA has on a filed form.

    Attributes:
        form: what the ledger says of it.
        committed: the commitment with which it was filed.
        has_permit: whether the importer has a permit now.
        paper: the form, if its envelope opened.
        filing: the importer's document, if its envelope opened.
        custody: each party's custody statement, in the chain's order; None where there is none.
        attachments: what counts as evidence.
        redeclared: the status that the importer declared in an answer, if it did.
        answered: whether the importer has answered a hold.
    """

    form: FormEntry
    committed: bytes
    has_permit: bool
    paper: Paper | None
    filing: Paper | None
    custody: Sequence[Paper | None]
    attachments: Sequence[tuple[Evidence, Mapping[str, Value]]]
    redeclared: str | None = None
    answered: bool = False


@dataclass(frozen=True, slots=True)
class Examined:
    """What an examination came to: codes of everything wrong, and the status that the tuna may bear."""

    defects: tuple[str, ...]
    status: DolphinStatus | None


def examine_form(evidence: FormEvidence, lists: FisheriesLists) -> Examined:
    """Return the codes of everything that is wrong with a filed form, and its dolphin-safe status."""
    found = open_findings(evidence)
    status: DolphinStatus | None = None
    try:
        found += [defect.value for defect in filing_defects(evidence)]
        found += [defect.value for defect in weight_defects(evidence)]
        if evidence.paper is not None:
            status, defects = _status_defects(evidence, lists)
            found += [defect.value for defect in defects]
    except (PaperError, ValueError):
        found.append(FormDefect.UNREADABLE.value)
    return Examined(tuple(dict.fromkeys(found)), status)


def decide(defects: Collection[str]) -> InspectionState:
    """Return what NOAA makes of defects."""
    if not defects:
        return InspectionState.MAY_PROCEED
    return InspectionState.REJECTED if any(d in REJECTING for d in defects) else InspectionState.HOLD


def open_findings(evidence: FormEvidence) -> list[str]:
    """Return the ledger's findings that still stand against a form."""
    mended = {
        Finding.MISSING_ENDORSEMENT.value: evidence.form.is_endorsed,
        Finding.NO_IFTP_PERMIT.value: evidence.has_permit,
        **dict.fromkeys(EXCUSABLE, evidence.answered),
    }
    return [finding for finding in evidence.form.findings if not mended.get(finding, False)]


def filing_defects(evidence: FormEvidence) -> list[FormDefect]:
    """Return what is wrong with the importer's document."""
    filing, form = evidence.filing, evidence.form
    if evidence.paper is None or filing is None:
        return [FormDefect.UNREADABLE]
    defects = []
    if (
        form_commitment(filing.raw("salt"), bytes.fromhex(form.id), InspectionState.FILED)
        != evidence.committed
    ):
        defects.append(FormDefect.COMMITMENT_NOT_OPENED)
    if (filing.text("entry"), filing.date("import_on")) != (form.entry, form.import_on):
        defects.append(FormDefect.DIFFERS_FROM_LEDGER)
    if filing.plain().get("pga_codes") != [
        pga_code(str(row.get("species"))) for row in _rows(evidence.paper)
    ]:
        defects.append(FormDefect.DIFFERS_FROM_FORM)
    return defects


def weight_defects(evidence: FormEvidence) -> list[FormDefect]:
    """Return where weights grow on their way through the chain of custody, or are not told by who endorsed."""
    defects = [
        FormDefect.UNREADABLE
        for hop, statement in zip(evidence.form.hops, evidence.custody, strict=True)
        if hop.endorsed is not None and statement is None
    ]
    stated = [statement for statement in evidence.custody if statement is not None]
    for statement in stated:
        if _kg(statement, "kg_out") > _kg(statement, "kg_in"):
            defects.append(FormDefect.OUT_EXCEEDS_IN)
    for before, after in pairwise(stated):
        if _kg(after, "kg_in") > _kg(before, "kg_out"):
            defects.append(FormDefect.IN_EXCEEDS_OUT_BEFORE)
    passed_on = [statement for statement in evidence.custody[:-1] if statement is not None]
    if evidence.paper is not None and passed_on and net_kg(evidence.paper) > _kg(passed_on[-1], "kg_out"):
        defects.append(FormDefect.FORM_EXCEEDS_CUSTODY)
    return defects


def net_kg(paper: Paper) -> int:
    """Return the net weight on a form, kilograms."""
    return sum(_whole(row.get("net_kg")) for row in _rows(paper))


def entered_defects(paper: Paper | None, filing: Paper | None) -> list[FormDefect]:
    """Return what Customs has against a filing: more entered than the form covers, or nothing to read."""
    if paper is None or filing is None:
        return [FormDefect.UNREADABLE]
    try:
        exceeds = _kg(filing, "entered_kg") > net_kg(paper)
    except (PaperError, ValueError):
        return [FormDefect.UNREADABLE]
    return [FormDefect.ENTERED_EXCEEDS_FORM] if exceeds else []


def _status_defects(evidence: FormEvidence, lists: FisheriesLists) -> tuple[DolphinStatus, list[FormDefect]]:
    if evidence.paper is None:
        raise AssertionError("a form that was not seen has no status")
    declared = DolphinStatus(evidence.redeclared or evidence.paper.text("status"))
    defects: list[FormDefect] = []
    borne: list[DolphinStatus] = []
    for row in _rows(evidence.paper):
        attached = [(kind, fields) for kind, fields in evidence.attachments if is_about(fields, row)]
        trip = _trip(row, attached, lists)
        found = determine(trip)
        borne.append(found.status)
        defects += _row_defects(row, trip, found, declared, lists)
    status = borne[0] if len(set(borne)) == 1 else DolphinStatus.NOT_CERTIFIED
    return status, defects


def _row_defects(
    row: Mapping[str, Value],
    trip: Trip,
    found: Determination,
    declared: DolphinStatus,
    lists: FisheriesLists,
) -> list[FormDefect]:
    species, flag = str(row.get("species")), str(row.get("vessel_flag"))
    registered = {vessel.name: vessel.flag for vessel in lists.vessels}
    is_dolphin_safe = declared is not DolphinStatus.NOT_CERTIFIED
    checks = (
        (FormDefect.DRIFTNET, found.excluded),
        (FormDefect.EMBARGOED, is_embargoed(trip, species, flag, lists.embargoed_flags)),
        (FormDefect.EVIDENCE_MISSING, is_dolphin_safe and bool(found.missing)),
        (
            FormDefect.STATUS_NOT_SUPPORTED,
            is_dolphin_safe and not found.missing and declared is not found.status,
        ),
        (FormDefect.AREA_MISMATCH, trip.in_etp and row.get("ocean_area") != ETP),
        (FormDefect.FLAG_MISMATCH, registered.get(str(row.get("vessel_name")), flag) != flag),
    )
    return [defect for defect, holds in checks if holds]


def _trip(
    row: Mapping[str, Value],
    attached: Sequence[tuple[Evidence, Mapping[str, Value]]],
    lists: FisheriesLists,
) -> Trip:
    capacity = {vessel.name: vessel.capacity_short_tons for vessel in lists.vessels}
    fishery = Fishery(ocean_area=str(row.get("ocean_area")), gear=str(row.get("gear")))
    return Trip(
        gear=Gear(fishery.gear),
        in_etp=fishery.ocean_area == ETP or any_set_in_etp(fields for _, fields in attached),
        capacity_short_tons=capacity.get(str(row.get("vessel_name"))),
        associated=fishery in lists.associated,
        identified=fishery in lists.identified,
        evidence=frozenset(kind for kind, fields in attached if supports(kind, fields)),
    )


def _rows(paper: Paper) -> list[dict[str, Value]]:
    rows = form370.NOAA_370.unflatten(paper.plain()).get(form370.ROWS)
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _kg(paper: Paper, name: str) -> int:
    return _whole(paper.plain().get(name))


def _whole(value: Value) -> int:
    if type(value) is not int:
        raise ValueError("a weight is no whole number")
    return value
