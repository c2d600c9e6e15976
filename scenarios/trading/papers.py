"""Certificates of a generated trade, on the form of their agreement."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TypeVar

from pydantic import TypeAdapter

from ledger.contracts.regime import REGIMES
from scenarios.model.documents import Document
from scenarios.model.units import Record
from scenarios.trading.people import particulars
from scenarios.trading.spoiling import keyed_wrong
from scenarios.workload.shipment import CertificatePlan, OriginPlan

_DOCUMENT: TypeAdapter[Document] = TypeAdapter(Document)
_CRITERIA_OF_CAFTA: Mapping[str, str] = {"A": "WO", "B": "TS"}

R = TypeVar("R", bound=Record)


def parse(record: type[R], values: Mapping[str, object]) -> R:
    """Return a record, checked as one of a file is."""
    return record.model_validate_json(json.dumps(values))


def criterion_of(plan: OriginPlan) -> str:
    """Return a good's preference criterion in the letters of its agreement."""
    criterion = plan.good.criterion
    return _CRITERIA_OF_CAFTA[criterion] if plan.regime == "CAFTA-DR" else criterion


def certificate_paper(
    certificate: CertificatePlan, plan: OriginPlan, shipment: str | None, *, is_spoilt: bool
) -> Document:
    """Return a certificate as filled in.

    Args:
        certificate: whose, when, for what time.
        plan: parties and goods.
        shipment: the single shipment that it names, if it is no blanket.
        is_spoilt: whether a digit of its tariff number is keyed wrong.
    """
    hs6 = keyed_wrong(plan.good.hs6) if is_spoilt else plan.good.hs6
    values = {
        "issuer": certificate.issuer,
        "addressees": [plan.importer, plan.customs],
        "form": REGIMES[plan.regime].form.lower(),
        "fields": _FIELDS[plan.regime](certificate, plan, hs6) | _period(certificate, shipment),
    }
    return _DOCUMENT.validate_json(json.dumps(values))


def _period(certificate: CertificatePlan, shipment: str | None) -> dict[str, object]:
    if certificate.covers is None:
        return {"shipment": shipment}
    first, last = certificate.covers
    return {"blanket_from": first.isoformat(), "blanket_to": last.isoformat()}


def _nafta(certificate: CertificatePlan, plan: OriginPlan, hs6: str) -> dict[str, object]:
    exporter = particulars(certificate.issuer, certificate.name)
    importer = particulars(plan.importer, certificate.name)
    return {
        "exporter_name": exporter.name,
        "exporter_address": exporter.address,
        "exporter_email": exporter.email,
        "exporter_tax_id": exporter.tax_id,
        "producer": "SAME",
        "importer": "NAMED",
        "importer_name": importer.name,
        "importer_address": importer.address,
        "importer_email": importer.email,
        "importer_tax_id": importer.tax_id,
        "goods": [
            {
                "description": f"{plan.good.description}, certified as {certificate.name}",
                "hs6": hs6,
                "criterion": criterion_of(plan),
                "producer_basis": "YES",
                "net_cost": "NO",
                "origin": plan.spi,
            }
        ],
        "signed_on": certificate.dated_on.isoformat(),
        "signer_name": exporter.person,
        "signer_title": f"export desk {certificate.name}",
        "company": f"{exporter.name}, exports",
        "phone": exporter.phone,
        "email": f"signer.{exporter.email}",
        "pages": 1,
    }


def _cafta(certificate: CertificatePlan, plan: OriginPlan, hs6: str) -> dict[str, object]:
    exporter = particulars(certificate.issuer, certificate.name)
    importer = particulars(plan.importer, certificate.name)
    return {
        "importer_name": importer.name,
        "importer_address": importer.address,
        "importer_phone": importer.phone,
        "importer_email": importer.email,
        "exporter_name": exporter.name,
        "exporter_address": exporter.address,
        "exporter_phone": exporter.phone,
        "exporter_email": exporter.email,
        "certifier": "EXPORTER",
        "signer_name": exporter.person,
        "signer_title": f"export desk {certificate.name}",
        "signer_phone": exporter.phone,
        "signer_email": f"signer.{exporter.email}",
        "goods": [
            {
                "description": f"{plan.good.description}, certified as {certificate.name}",
                "hs6": hs6,
                "criterion": criterion_of(plan),
            }
        ],
        "statement": f"We certify that the goods of {certificate.name} are originating goods.",
        "signed_on": certificate.dated_on.isoformat(),
    }


def _usmca(certificate: CertificatePlan, plan: OriginPlan, hs6: str) -> dict[str, object]:
    exporter = particulars(certificate.issuer, certificate.name)
    importer = particulars(plan.importer, certificate.name)
    return {
        "certifier": "EXPORTER",
        "certifier_name": exporter.name,
        "certifier_title": f"export desk {certificate.name}",
        "certifier_address": exporter.address,
        "certifier_phone": exporter.phone,
        "certifier_email": exporter.email,
        "exporter": "SAME",
        "producer": "SAME",
        "importer": "NAMED",
        "importer_name": importer.name,
        "importer_address": importer.address,
        "importer_phone": importer.phone,
        "importer_email": importer.email,
        "goods": [
            {
                "description": f"{plan.good.description}, certified as {certificate.name}",
                "hs6": hs6,
                "criterion": criterion_of(plan),
            }
        ],
        "signed_on": certificate.dated_on.isoformat(),
        "signer_name": exporter.person,
    }


_FIELDS = {"NAFTA": _nafta, "CAFTA-DR": _cafta, "USMCA": _usmca}
