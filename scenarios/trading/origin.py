"""Origin shipments as papers and acts: the certificate, the invoice, the claim, and what Customs asks."""

from __future__ import annotations

from collections.abc import Mapping

from ledger.contracts.regime import REGIMES
from scenarios.model.claims import Claim
from scenarios.model.documents import Document
from scenarios.model.invoices import Invoice
from scenarios.model.units import DAY_MS
from scenarios.model.verifications import Verification
from scenarios.model.workload import Workload
from scenarios.trading.lot import Act, Lot, step_of
from scenarios.trading.papers import certificate_paper, criterion_of, parse
from scenarios.trading.people import particulars
from scenarios.trading.spoiling import keyed_wrong, leaves_spoilt, submissions
from scenarios.workload.decisions import InquiryKind, answers, books_show, inquiry_of, replies
from scenarios.workload.officehours import OfficeHours
from scenarios.workload.pace import Pace
from scenarios.workload.shipment import CertificatePlan, Noncompliance, OriginPlan, Shipment

INVOICED_BEFORE_CLAIM_MS = DAY_MS // 2


def origin_lot(
    shipment: Shipment, plan: OriginPlan, workload: Workload, hours: OfficeHours, pace: Pace, *, first: bool
) -> Lot:
    """Return an origin shipment's papers and acts.

    Args:
        shipment, plan: what happens.
        workload: how often Customs asks.
        hours: when people work.
        pace: how long they take over this shipment.
        first: whether nobody has made its certificate yet.
    """
    name = shipment.name
    acts: list[Act] = []
    documents: dict[str, Document] = {}
    certificate = plan.certificate
    if certificate is not None and first:
        documents[certificate.name] = certificate_paper(
            certificate,
            plan,
            _shipment_on(certificate, shipment),
            is_spoilt=leaves_spoilt(shipment, certificate.issuer),
        )
        issued_ms = hours.moment(certificate.signed_on, shipment.chance.share("signed at"))
        issue = step_of("issue-certificate", certificate.issuer, document=certificate.name)
        acts.append(Act(issued_ms, issue, tuple(submissions(shipment, certificate.issuer, "certificate"))))
    invoiced_ms = plan.claimed_ms - INVOICED_BEFORE_CLAIM_MS
    acts.append(Act(invoiced_ms, step_of("send-invoice", plan.exporter, invoice=name)))
    acts.append(_entry(shipment, plan))
    scripted: list[Act] = []
    verifications: dict[str, Verification] = {}
    inquiry = inquiry_of(shipment, workload)
    if inquiry is not None:
        asks_ms = plan.claimed_ms + inquiry.after_days * DAY_MS
        if inquiry.kind is InquiryKind.REQUEST:
            ask = step_of(
                "request-information", plan.customs, claim=name, question=f"papers of {name}, please"
            )
        else:
            verifications[name] = _verification(shipment, plan, workload, pace)
            ask = step_of("open-verification", plan.customs, verification=name)
        scripted.append(Act(asks_ms, ask))
    return Lot(
        documents=documents,
        invoices={name: _invoice(shipment, plan, hours)},
        claims={name: _claim(shipment, plan, workload, pace)},
        verifications=verifications,
        acts=tuple(sorted([*acts, *scripted], key=lambda act: act.time_ms)),
        scripted=tuple(act.step for act in scripted),
    )


def _entry(shipment: Shipment, plan: OriginPlan) -> Act:
    """Return the act that has the entry line filed: by the importer, or by the broker that it instructs."""
    name = shipment.name
    writer = plan.broker or plan.importer
    do = "file-claim" if plan.broker is None else "instruct-broker"
    step = step_of(do, plan.importer, claim=name)
    return Act(plan.claimed_ms, step, tuple(submissions(shipment, writer, "entry-line")))


def _delay(duration_ms: int, *, ever: bool = True) -> str:
    return f"{duration_ms}ms" if ever else "never"


def _shipment_on(certificate: CertificatePlan, shipment: Shipment) -> str | None:
    """Return the shipment that a single certificate names: its own, or another one if it is reused."""
    if certificate.is_blanket:
        return None
    reused = shipment.noncompliance is Noncompliance.REUSED_CERTIFICATE
    return f"LOT-{shipment.number - 1 if reused else shipment.number}"


def _claim(shipment: Shipment, plan: OriginPlan, workload: Workload, pace: Pace) -> Claim:
    spoilt = leaves_spoilt(shipment, plan.broker or plan.importer)
    quantity = max(1, int(keyed_wrong(str(plan.quantity)))) if spoilt else plan.quantity
    certificate = plan.certificate
    values: dict[str, object] = {
        "importer": plan.importer,
        "broker": plan.broker,
        "certificate": certificate.name if certificate is not None else None,
        "basis": "CERTIFICATE",
        "regime": plan.regime,
        "spi": plan.spi,
        "invoice": shipment.name,
        "entry": plan.entry,
        "port": plan.port,
        "entry_on": plan.entered_on.isoformat(),
        "import_on": plan.imported_on.isoformat(),
        "shipment": f"LOT-{shipment.number}"
        if certificate is not None and not certificate.is_blanket
        else None,
        "goods": {
            "description": f"{plan.good.description}, lot {shipment.name}-{plan.invoice}",
            "hts": plan.good.hts,
            "quantity": quantity,
            "unit": plan.good.unit,
            "value_usd": max(1, round(quantity * plan.good.usd_per_unit)),
            "invoice": plan.invoice,
        },
        "duty": {
            "general_percent": float(plan.good.general_percent),
            "preferential_percent": float(plan.good.preferential_percent),
            "source": plan.good.source,
        },
        "review_after": _delay(pace.accept_ms),
        "answer_after": _delay(pace.answer_ms, ever=answers(shipment, workload)),
        "decide_after": _delay(pace.decide_ms),
    }
    return parse(Claim, values)


def _invoice(shipment: Shipment, plan: OriginPlan, hours: OfficeHours) -> Invoice:
    seller = particulars(plan.exporter, f"{shipment.name}i")
    buyer = particulars(plan.importer, f"{shipment.name}i")
    values: dict[str, object] = {
        "issuer": plan.exporter,
        "to": plan.importer,
        "number": plan.invoice,
        "issued_on": hours.day_of(plan.claimed_ms - INVOICED_BEFORE_CLAIM_MS).isoformat(),
        "seller_name": seller.name,
        "seller_address": seller.address,
        "buyer_name": buyer.name,
        "buyer_address": buyer.address,
        "lines": [
            {
                "description": f"{plan.good.description}, lot {shipment.name}-{plan.invoice}",
                "quantity": plan.invoiced_quantity,
                "unit": plan.good.unit,
                "value_usd": max(1, round(plan.invoiced_quantity * plan.good.usd_per_unit)),
            }
        ],
    }
    return parse(Invoice, values)


def _verification(shipment: Shipment, plan: OriginPlan, workload: Workload, pace: Pace) -> Verification:
    """Return a verification of the certifier; its books tell whether the good originates."""
    certificate = plan.certificate
    if certificate is None:
        raise AssertionError(f"{shipment.name} is verified although nobody certified anything")
    false = books_show(shipment, workload)
    values: dict[str, object] = {
        "certificate": certificate.name,
        "party": certificate.issuer,
        "claims": [shipment.name],
        "books": {
            "description": f"{plan.good.description}, books of {shipment.name}",
            "hs6": plan.good.hs6,
            "criterion": criterion_of(plan),
            "is_originating": "NO" if false else "YES",
            "records_kept": "YES",
            "materials": [_material(shipment, plan, false=false)],
        },
        "reply_after": _delay(pace.reply_ms, ever=replies(shipment, workload)),
        "determine_after": _delay(pace.determine_ms),
    }
    return parse(Verification, values)


def _material(shipment: Shipment, plan: OriginPlan, *, false: bool) -> Mapping[str, object]:
    return {
        "description": f"material of {shipment.name}",
        "hs6": plan.good.hs6,
        "origin": "CN" if false else REGIMES[plan.regime].origins_of_spi[plan.spi][0],
        "value_usd": 1,
    }
