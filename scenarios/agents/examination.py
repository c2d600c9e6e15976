"""What Customs holds against each other when it looks into a claim, and what it finds wrong.

Rules:
- Public findings of the ledger come first; what is private is compared here and nowhere else.
- The certificate has no quantity: quantity and value are compared with the invoice, summed over every claim that
  cites it in the order of the log, so that the claim that goes over it is the one found.
- A certificate is looked at only as an envelope that opened under the root on the ledger.
- Possession is proven by the importer's own acknowledgement, certified before the claim in the log's order, or by
  a dated slip of a certificate that bears no later signature; a slip is paper, and can be forged.
- No certificate is needed where the importer may rest on its knowledge, for non-commercial goods, and up to
  US$2,500 with the statement that the agreement asks for, unless the claim is one of a series.
- Defects are codes without values; which claim has which is for the two parties alone.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass

from ledger.contracts import REGIMES, FineState, fine_commitment
from ledger.contracts.findings import Finding
from ledger.contracts.parameters import SMALL_VALUE_USD_MAX
from ledger.encoding import Value
from ledger.forms import CERTIFICATES, Severity
from ledger.forms.criterion import is_possible
from ledger.forms.lines import unflatten_lines
from scenarios.agents.papers import KIND, Paper, PaperError, PaperKind
from scenarios.agents.register import CertificateEntry, ClaimEntry
from scenarios.model.defects import Defect

CURABLE = frozenset(
    {Defect.NOT_FILLED_IN, Defect.NO_CRITERION, Defect.WRONG_CERTIFICATE, Defect.CERTIFICATE_NOT_SEEN}
)
"""Defects of a certificate that a corrected one makes good (19 CFR 181.22(c))."""


@dataclass(frozen=True, slots=True)
class Billed:
    """An invoice, and what was claimed on it so far, this claim included.

    Attributes:
        paper: the invoice.
        quantity: claimed by the claims that cite it, up to this one.
        value_usd: the same in US dollars.
    """

    paper: Paper
    quantity: int
    value_usd: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """What Customs has on a claim.

    Attributes:
        claim: what the ledger says of it.
        claimed_on: the legal date of its block.
        committed: the commitment with which it was filed.
        certificate: what the ledger says of the certificate it names.
        entry_line: the importer's document behind the claim, if it has come.
        certificate_paper: the certificate, if an envelope of it opened under its root.
        shown: the certificate that an answer shows in place of the one claimed on.
        shown_paper: its envelope, if one opened.
        billed: the invoice that the entry line cites, if it has come.
        is_series: whether it looks like one of a series of small importations made to evade.
        at_two_ports: whether its shipment was claimed at another port before.
        is_of_pattern: whether its certifier had been told of a pattern of conduct on such goods.
        was_refused: whether identical goods were refused this importer before, in the same blanket.
    """

    claim: ClaimEntry
    claimed_on: datetime.date
    committed: bytes
    certificate: CertificateEntry | None
    entry_line: Paper | None
    certificate_paper: Paper | None
    shown: CertificateEntry | None = None
    shown_paper: Paper | None = None
    billed: Billed | None = None
    is_series: bool = False
    at_two_ports: bool = False
    was_refused: bool = False
    is_of_pattern: bool = False


def examine(evidence: Evidence) -> tuple[str, ...]:
    """Return the codes of everything that is wrong with a claim: the ledger's findings, then defects."""
    try:
        excused = _excused(evidence)
        defects = [*_entry_line_defects(evidence), *_basis_defects(evidence), *_other_defects(evidence)]
    except PaperError:
        excused, defects = frozenset(), [Defect.UNREADABLE]
    return _codes(evidence, excused, defects)


def examine_answer(evidence: Evidence, answer: Paper | None) -> tuple[str, ...]:
    """Return the codes of everything that is wrong with a claim after the importer's answer or protest."""
    if answer is None or answer.kind not in (PaperKind.ANSWER, PaperKind.PROTEST):
        return (*examine(evidence), Defect.UNREADABLE.value)
    try:
        excused = _excused(evidence) | _excused_by_slip(evidence, answer)
        defects = [
            *_entry_line_defects(evidence),
            *_basis_defects(evidence),
            *_other_defects(evidence),
            *_citation_defects(evidence, answer),
            *_invoice_defects(evidence.entry_line, answer),
        ]
    except PaperError:
        excused, defects = frozenset(), [Defect.UNREADABLE]
    return _codes(evidence, excused, defects)


def is_small(line: Paper) -> bool:
    """Say whether an entry line rests on its small value and has it.

    Raises:
        PaperError: if it lacks its basis.
    """
    return line.text("basis") == "SMALL-VALUE" and line.integer("value_usd") <= SMALL_VALUE_USD_MAX.value


def six_digits(code: str) -> str:
    """Return the HS subheading of a tariff number."""
    return code.replace(".", "")[:6]


def _codes(evidence: Evidence, excused: frozenset[str], defects: list[Defect]) -> tuple[str, ...]:
    findings = [finding for finding in evidence.claim.findings if finding not in excused]
    return tuple(dict.fromkeys((*findings, *(defect.value for defect in defects))))


def _entry_line_defects(evidence: Evidence) -> list[Defect]:
    line, claim = evidence.entry_line, evidence.claim
    if line is None:
        return [Defect.NO_ENTRY_LINE]
    defects = []
    if not _opens(line, claim, evidence.committed):
        defects.append(Defect.COMMITMENT_NOT_OPENED)
    stated = (line.text("spi"), line.date("entry_on"), line.date("import_on"))
    if stated != (claim.spi, claim.entry_on, claim.import_on):
        defects.append(Defect.DIFFERS_FROM_CLAIM)
    if line.has("origin") and line.text("origin") not in _origins(claim):
        defects.append(Defect.ORIGIN_MISMATCH)
    return defects


def _opens(line: Paper, claim: ClaimEntry, committed: bytes) -> bool:
    try:
        return fine_commitment(line.raw("salt"), claim.entry, claim.line, FineState.CLAIMED) == committed
    except ValueError:
        return False


# What a claim rests on.


def _basis_defects(evidence: Evidence) -> list[Defect]:
    if evidence.certificate is not None or evidence.shown is not None:
        return _certificate_defects(evidence)
    if _needs_none(evidence):
        return []
    if _is_exempt(evidence) and evidence.is_series:
        return [Defect.SERIES]
    return [Defect.NO_CERTIFICATE]


def _needs_none(evidence: Evidence) -> bool:
    """Whether this claim may stand without a certificate."""
    line, claim = evidence.entry_line, evidence.claim
    if line is None or claim.post:
        return False
    if line.text("basis") == "KNOWLEDGE":
        return REGIMES[claim.regime].knowledge_suffices
    return _is_exempt(evidence) and not evidence.is_series


def _is_exempt(evidence: Evidence) -> bool:
    line = evidence.entry_line
    if line is None:
        return False
    if line.text("basis") == "NON-COMMERCIAL":
        return True
    billed = evidence.billed
    stated = billed is not None and billed.paper.has("statement")
    return is_small(line) and (stated or evidence.claim.regime != "NAFTA")


def _excused(evidence: Evidence) -> frozenset[str]:
    """The findings that say no more than that there is no certificate, where none is needed."""
    shown = evidence.shown is not None and _is_exempt(evidence)
    if evidence.certificate is None and (_needs_none(evidence) or shown):
        return frozenset({Finding.NO_POSSESSION.value})
    return frozenset()


def _excused_by_slip(evidence: Evidence, answer: Paper) -> frozenset[str]:
    return frozenset({Finding.NO_POSSESSION.value}) if _has_slip(evidence, answer) else frozenset()


def _has_slip(evidence: Evidence, answer: Paper) -> bool:
    """Whether a dated slip shows that the certificate was there on paper before the claim."""
    certificate = evidence.shown or evidence.certificate
    if certificate is None or not answer.has("paper_received_on") or not answer.has("paper_slip"):
        return False
    received_on = answer.date("paper_received_on")
    return certificate.signed_on <= received_on <= evidence.claimed_on


def _certificate_defects(evidence: Evidence) -> list[Defect]:
    certificate, paper = evidence.certificate, evidence.certificate_paper
    if evidence.shown is not None:
        before = evidence.certificate
        if before is not None and evidence.shown is not before and before.successor != evidence.shown.id:
            return [Defect.WRONG_CERTIFICATE]
        certificate, paper = evidence.shown, evidence.shown_paper
    if certificate is None or paper is None:
        return [Defect.CERTIFICATE_NOT_SEEN]
    form = unflatten_lines(paper.plain(), "goods")
    defects = []
    if not _is_as_anchored(form, certificate):
        defects.append(Defect.DIFFERS_FROM_ANCHOR)
    if not _is_filled_in(form, paper.kind):
        defects.append(Defect.NOT_FILLED_IN)
    if evidence.entry_line is not None:
        defects += _goods_defects(form, evidence.entry_line, evidence.claim, paper.kind)
    return defects


def _is_filled_in(form: Mapping[str, Value], kind: str) -> bool:
    """Whether every field that is not another party's secret is as the form asks."""
    return not any(
        fault.severity is Severity.FORM and not fault.field.startswith(("producer", "exporter"))
        for fault in CERTIFICATES[kind].check({name: form[name] for name in form if name != KIND})
    )


def _is_as_anchored(form: Mapping[str, Value], anchored: CertificateEntry) -> bool:
    blanket = anchored.blanket
    days = (None, None) if blanket is None else (blanket[0].isoformat(), blanket[1].isoformat())
    return (
        form.get("signed_on") == anchored.signed_on.isoformat()
        and (form.get("blanket_from"), form.get("blanket_to")) == days
        and form.get("shipment") == anchored.shipment
    )


def _goods_defects(form: Mapping[str, Value], line: Paper, claim: ClaimEntry, kind: str) -> list[Defect]:
    goods = form.get("goods")
    subheading = six_digits(line.text("hts"))
    matching = [
        good
        for good in (goods if isinstance(goods, list) else [])
        if isinstance(good, dict) and six_digits(str(good.get("hs6"))) == subheading
    ]
    if not matching:
        return [Defect.HS_MISMATCH]
    defects = []
    if line.has("article"):
        matching = [good for good in matching if line.text("article") in str(good.get("description"))]
        if not matching:
            return [Defect.NOT_IDENTICAL]
    if not any(good.get("criterion") is not None for good in matching):
        defects.append(Defect.NO_CRITERION)
    elif not any(_is_possible(kind, good) for good in matching):
        defects.append(Defect.CRITERION_MISMATCH)
    if CERTIFICATES[kind].states_origin and not any(
        good.get("origin") in _origins(claim) for good in matching
    ):
        defects.append(Defect.ORIGIN_MISMATCH)
    return defects


def _is_possible(kind: str, good: Mapping[str, Value]) -> bool:
    """Whether a good may meet the criterion that is stated for it at all."""
    stated = good.get("criterion")
    return isinstance(stated, str) and is_possible(kind, stated, str(good.get("hs6")))


def _origins(claim: ClaimEntry) -> tuple[str, ...]:
    return REGIMES[claim.regime].origins_of_spi[claim.spi]


# What else is held against the claim.


def _other_defects(evidence: Evidence) -> list[Defect]:
    defects = []
    if evidence.billed is not None and evidence.entry_line is not None:
        defects += _billed_defects(evidence.entry_line, evidence.billed)
    if evidence.at_two_ports:
        defects.append(Defect.TWO_PORTS)
    if evidence.is_of_pattern:
        defects.append(Defect.PATTERN)
    if evidence.was_refused:
        defects.append(Defect.REFUSED_BEFORE)
    return defects


def _billed_defects(line: Paper, billed: Billed) -> list[Defect]:
    invoice = unflatten_lines(billed.paper.plain(), "lines")
    lines = invoice.get("lines")
    listed = [item for item in (lines if isinstance(lines, list) else []) if isinstance(item, dict)]
    units = {str(item.get("unit")) for item in listed}
    if line.text("invoice") != invoice.get("number") or line.text("unit") not in units:
        return [Defect.INVOICE_MISMATCH]
    quantity, value_usd = _sum(listed, "quantity"), _sum(listed, "value_usd")
    return [Defect.OVER_INVOICE] if billed.quantity > quantity or billed.value_usd > value_usd else []


def _sum(lines: list[dict[str, Value]], name: str) -> int:
    return sum(value for line in lines if isinstance(value := line.get(name), int))


def _citation_defects(evidence: Evidence, answer: Paper) -> list[Defect]:
    certificate, claim = evidence.certificate, evidence.claim
    if certificate is None and evidence.shown is None:
        return [Defect.NO_BASIS] if _rests_on_knowledge(evidence) and not answer.has("knowledge") else []
    cited = evidence.shown or certificate
    if cited is None or not answer.has("certificate") or not answer.has("certificate_root"):
        return [Defect.WRONG_CERTIFICATE]
    if (answer.text("certificate"), answer.raw("certificate_root")) != (cited.id, cited.root):
        return [Defect.WRONG_CERTIFICATE]
    if certificate is None and _is_exempt(evidence):
        return []
    possessed = certificate or cited
    proof = possessed.possessed_by(claim.importer)
    proven = (
        proof is not None
        and proof.index < claim.filed.index
        and (
            possessed is not cited
            or (answer.has("acknowledgement") and answer.raw("acknowledgement") == proof.id)
        )
    )
    return [] if proven or _has_slip(evidence, answer) else [Defect.POSSESSION_NOT_PROVEN]


def _rests_on_knowledge(evidence: Evidence) -> bool:
    return evidence.entry_line is not None and evidence.entry_line.text("basis") == "KNOWLEDGE"


def _invoice_defects(line: Paper | None, answer: Paper) -> list[Defect]:
    if line is None:
        return []
    pairs = (
        ("invoice", "invoice"),
        ("quantity", "invoice_quantity"),
        ("unit", "invoice_unit"),
        ("value_usd", "invoice_value_usd"),
    )
    entered, invoiced = line.plain(), answer.plain()
    same = all(
        entered.get(one) is not None and entered.get(one) == invoiced.get(other) for one, other in pairs
    )
    return [] if same else [Defect.INVOICE_MISMATCH]
