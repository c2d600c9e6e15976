"""What Customs holds against each other when it looks into a claim, and what it finds wrong.

Rules:
- Public findings of the ledger come first; what is private is compared here and nowhere else.
- The certificate has no quantity: quantity and value are compared between entry line and invoice.
- A certificate is looked at only as an envelope that opened under the root on the ledger.
- Possession is proven by the importer's own acknowledgement, certified before the claim in the log's order.
- Defects are codes without values; which claim has which is for the two parties alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from ledger.contracts import FineState, fine_commitment
from ledger.encoding import Value
from ledger.forms import unflatten
from scenarios.agents.papers import Paper, PaperError, PaperKind
from scenarios.agents.register import CertificateEntry, ClaimEntry

_ORIGINS_OF_SPI: Mapping[str, tuple[str, ...]] = {"MX": ("MX", "JNT"), "CA": ("CA", "JNT")}
_CRITERIA = ("A", "B", "C", "D", "E", "F")


class Defect(StrEnum):
    """What is wrong with a claim beyond the ledger's own findings."""

    NO_ENTRY_LINE = "NO_ENTRY_LINE"
    COMMITMENT_NOT_OPENED = "COMMITMENT_NOT_OPENED"
    DIFFERS_FROM_CLAIM = "DIFFERS_FROM_CLAIM"
    NO_CERTIFICATE = "NO_CERTIFICATE"
    CERTIFICATE_NOT_SEEN = "CERTIFICATE_NOT_SEEN"
    DIFFERS_FROM_ANCHOR = "DIFFERS_FROM_ANCHOR"
    HS_MISMATCH = "HS_MISMATCH"
    NO_CRITERION = "NO_CRITERION"
    ORIGIN_MISMATCH = "ORIGIN_MISMATCH"
    UNREADABLE = "UNREADABLE"
    NO_ANSWER = "NO_ANSWER"
    WRONG_CERTIFICATE = "WRONG_CERTIFICATE"
    POSSESSION_NOT_PROVEN = "POSSESSION_NOT_PROVEN"
    INVOICE_MISMATCH = "INVOICE_MISMATCH"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What Customs has on a claim.

    Attributes:
        claim: what the ledger says of it.
        committed: the commitment with which it was filed.
        certificate: what the ledger says of the certificate it names.
        entry_line: the importer's document behind the claim, if it has come.
        certificate_paper: the certificate, if an envelope of it opened under its root.
    """

    claim: ClaimEntry
    committed: bytes
    certificate: CertificateEntry | None
    entry_line: Paper | None
    certificate_paper: Paper | None


def examine(evidence: Evidence) -> tuple[str, ...]:
    """Return the codes of everything that is wrong with a claim: the ledger's findings, then defects."""
    try:
        defects = [*_entry_line_defects(evidence), *_certificate_defects(evidence)]
    except PaperError:
        defects = [Defect.UNREADABLE]
    return tuple(dict.fromkeys((*evidence.claim.findings, *(defect.value for defect in defects))))


def examine_answer(evidence: Evidence, answer: Paper | None) -> tuple[str, ...]:
    """Return the codes of everything that is wrong with a claim after the importer's answer."""
    if answer is None or answer.kind != PaperKind.ANSWER:
        return (*examine(evidence), Defect.UNREADABLE.value)
    try:
        defects = [*_citation_defects(evidence, answer), *_invoice_defects(evidence.entry_line, answer)]
    except PaperError:
        defects = [Defect.UNREADABLE]
    return tuple(dict.fromkeys((*examine(evidence), *(defect.value for defect in defects))))


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
    return defects


def _opens(line: Paper, claim: ClaimEntry, committed: bytes) -> bool:
    try:
        return fine_commitment(line.raw("salt"), claim.entry, claim.line, FineState.CLAIMED) == committed
    except ValueError:
        return False


def _certificate_defects(evidence: Evidence) -> list[Defect]:
    if evidence.certificate is None:
        return [Defect.NO_CERTIFICATE]
    paper = evidence.certificate_paper
    if paper is None:
        return [Defect.CERTIFICATE_NOT_SEEN]
    form = unflatten(paper.plain())
    defects = []
    if not _is_as_anchored(form, evidence.certificate):
        defects.append(Defect.DIFFERS_FROM_ANCHOR)
    if evidence.entry_line is not None:
        defects += _goods_defects(form, evidence.entry_line, evidence.claim.spi)
    return defects


def _is_as_anchored(form: Mapping[str, Value], anchored: CertificateEntry) -> bool:
    blanket = anchored.blanket
    days = (None, None) if blanket is None else (blanket[0].isoformat(), blanket[1].isoformat())
    return (
        form.get("signed_on") == anchored.signed_on.isoformat()
        and (form.get("blanket_from"), form.get("blanket_to")) == days
    )


def _goods_defects(form: Mapping[str, Value], line: Paper, spi: str) -> list[Defect]:
    subheading = _six_digits(line.text("hts"))
    goods = form.get("goods")
    matching = [
        good
        for good in (goods if isinstance(goods, list) else [])
        if isinstance(good, dict) and _six_digits(str(good.get("hs6"))) == subheading
    ]
    if not matching:
        return [Defect.HS_MISMATCH]
    defects = []
    if not any(good.get("criterion") in _CRITERIA for good in matching):
        defects.append(Defect.NO_CRITERION)
    if not any(good.get("origin") in _ORIGINS_OF_SPI[spi] for good in matching):
        defects.append(Defect.ORIGIN_MISMATCH)
    return defects


def _six_digits(code: str) -> str:
    return code.replace(".", "")[:6]


def _citation_defects(evidence: Evidence, answer: Paper) -> list[Defect]:
    certificate, claim = evidence.certificate, evidence.claim
    if certificate is None:
        return []
    if not answer.has("certificate") or not answer.has("certificate_root"):
        return [Defect.WRONG_CERTIFICATE]
    cited = (answer.text("certificate"), answer.raw("certificate_root"))
    if cited != (certificate.id, certificate.root):
        return [Defect.WRONG_CERTIFICATE]
    proof = certificate.acknowledged.get(claim.importer)
    if (
        proof is None
        or not answer.has("acknowledgement")
        or answer.raw("acknowledgement") != proof.id
        or proof.index >= claim.filed.index
    ):
        return [Defect.POSSESSION_NOT_PROVEN]
    return []


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
