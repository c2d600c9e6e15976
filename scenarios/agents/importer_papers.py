"""What an importer, or its broker, writes to Customs: the entry line behind a claim, and its answer to a question.

Rules:
- An entry line is a form; what the ledger calls its claim, certificate and invoice stands beside it.
- An answer shows the certificate, what proves its possession, and what was invoiced; who knows by itself says
  what it knows, who has a slip on paper cites it.
- One that inflates quantities enters a tenth more than it was billed, at a price in proportion.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ledger.encoding import Value
from ledger.forms import FORMS
from scenarios.agents.papers import KIND, PaperKind
from scenarios.agents.register import CertificateEntry, ClaimEntry, claim_id
from scenarios.model.claims import Claim

_MILLI_PERCENT = 1000
_INFLATED_PERCENT = 110


def entry_fields(claim: Claim, shipment: str | None, inflated: Collection[str]) -> dict[str, Value]:
    """Return an entry line as its form takes it.

    Args:
        claim: as scripted.
        shipment: that the importer says it is for.
        inflated: amounts of which it enters more than it was billed.
    """
    quantity_percent = _INFLATED_PERCENT if "quantity" in inflated else 100
    value_percent = _INFLATED_PERCENT if "value_usd" in inflated else 100
    return {
        "entry": claim.entry,
        "line": claim.line,
        "entry_type": claim.entry_type,
        "port": claim.port,
        "entry_on": claim.entry_on.isoformat(),
        "import_on": claim.import_on.isoformat(),
        "regime": claim.regime,
        "spi": claim.spi,
        "basis": claim.rests_on,
        "shipment": shipment,
        "description": claim.goods.description,
        "article": claim.goods.article,
        "origin": claim.goods.origin,
        "hts": claim.goods.hts,
        "quantity": claim.goods.quantity * quantity_percent // 100,
        "unit": claim.goods.unit,
        "value_usd": claim.goods.value_usd * value_percent // 100,
        "invoice": claim.goods.invoice,
        "general_rate_milli_percent": round(claim.duty.general_percent * _MILLI_PERCENT),
        "preferential_rate_milli_percent": round(claim.duty.preferential_percent * _MILLI_PERCENT),
    }


def entry_line_fields(
    claim: Claim, entered: Mapping[str, Value], certificate: str | None, invoice: bytes | None
) -> dict[str, Value]:
    """Return what is behind an entry line, for Customs alone, but for the salt that opens the claim's commitment.

    Args:
        claim: as scripted.
        entered: the form, filled in.
        certificate: ledger id of the one it rests on, if the ledger has it.
        invoice: root of the invoice, if one was passed on.
    """
    return {
        KIND: PaperKind.ENTRY_LINE.value,
        **FORMS[PaperKind.ENTRY_LINE].flatten(entered),
        "claim": claim_id(claim.entry, claim.line),
        "certificate": certificate,
        "invoice_root": invoice,
    }


def answer_fields(
    kind: PaperKind, claim: ClaimEntry, scripted: Claim, shown: CertificateEntry | None, importer: str
) -> dict[str, Value]:
    """Return an answer to Customs, or the grounds of a protest.

    Args:
        kind: which of the two.
        claim: as the ledger has it.
        scripted: what the importer knows of it.
        shown: the certificate that it shows, if any.
        importer: who answers.
    """
    answer: dict[str, Value] = {
        KIND: kind.value,
        "claim": claim.id,
        "invoice": scripted.goods.invoice,
        "invoice_description": scripted.goods.description,
        "invoice_quantity": scripted.goods.quantity,
        "invoice_unit": scripted.goods.unit,
        "invoice_value_usd": scripted.goods.value_usd,
    }
    if scripted.rests_on == "KNOWLEDGE":
        answer["knowledge"] = f"we know where {scripted.goods.description} was made, and by whom"
    if scripted.paper is not None:
        answer["paper_received_on"] = scripted.paper.received_on.isoformat()
        answer["paper_carrier"] = scripted.paper.carrier
        answer["paper_slip"] = scripted.paper.slip
    if shown is not None:
        answer["certificate"] = shown.id
        answer["certificate_root"] = shown.root
        proof = shown.possessed_by(importer)
        if proof is not None:
            answer["acknowledgement"] = proof.id
    return answer
