"""The blanket period or single shipment of a certificate of origin, on whichever form it stands.

Rules:
- A certificate covers either a blanket period or one shipment.
- The blanket's first day may precede the signature. More than twelve months is a finding, no fault of form.
- Signature date, blanket and shipment are what of a certificate is public.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ledger.contracts.certificate import blanket_too_long
from ledger.contracts.parameters import BLANKET_MONTHS_MAX, LEGAL_DATE_FIRST, LEGAL_DATE_LAST
from ledger.contracts.records import Blanket
from ledger.encoding import Value
from ledger.forms.schema import FormFault, Severity, read_date

PUBLIC_FACTS: Mapping[str, str] = MappingProxyType(
    {
        "signed_on": "four years from the signature, and a signature after the claim, are findings",
        "blanket_from": "an import before it is a finding",
        "blanket_to": "an import after it, and a period of more than twelve months, are findings",
        "shipment": "a certificate for one shipment used for a second one is a finding",
    }
)
"""The only fields of a certificate whose values are on the ledger, and why they must be."""


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """A certificate's public facts, as its anchor carries them."""

    signed_on: str
    blanket: tuple[str, str] | None
    shipment: str | None


def period_rule(period_box: int, signature_box: int) -> Callable[[Mapping[str, Value]], list[FormFault]]:
    """Return the rule over period, shipment and signature date for a form with these boxes."""

    def check(fields: Mapping[str, Value]) -> list[FormFault]:
        return check_period(fields, period_box, signature_box)

    return check


def check_period(fields: Mapping[str, Value], period_box: int, signature_box: int) -> list[FormFault]:
    """Return what is wrong with a certificate's period, shipment and signature date."""
    first, last = read_date(fields.get("blanket_from")), read_date(fields.get("blanket_to"))
    has_blanket = fields.get("blanket_from") is not None or fields.get("blanket_to") is not None
    faults = []
    if has_blanket == (fields.get("shipment") is not None):
        message = "name either a blanket period or one shipment, not both, not neither"
        faults.append(FormFault(period_box, "blanket_from", message))
    if has_blanket:
        faults += missing(
            fields, period_box, ("blanket_from", "blanket_to"), "a blanket period has both its days"
        )
    for box, name in (
        (period_box, "blanket_from"),
        (period_box, "blanket_to"),
        (signature_box, "signed_on"),
    ):
        day = read_date(fields.get(name))
        if day is not None and not LEGAL_DATE_FIRST <= day <= LEGAL_DATE_LAST:
            faults.append(FormFault(box, name, f"{day} is outside {LEGAL_DATE_FIRST} .. {LEGAL_DATE_LAST}"))
    if first is None or last is None:
        return faults
    if first > last:
        faults.append(FormFault(period_box, "blanket_to", f"{last} is before the first day, {first}"))
    elif not any(fault.field.startswith("blanket") for fault in faults) and blanket_too_long(
        Blanket(first, last)
    ):
        message = f"the period from {first} to {last} is longer than {BLANKET_MONTHS_MAX}"
        faults.append(FormFault(period_box, "blanket_to", message, Severity.FINDING))
    return faults


def missing(fields: Mapping[str, Value], box: int, names: tuple[str, ...], why: str) -> list[FormFault]:
    """Return a fault for each of these fields that is empty, and why it should not be."""
    return [
        FormFault(box, name, f"is empty, but {why}; fill it in") for name in names if fields.get(name) is None
    ]


def facts_of(fields: Mapping[str, Value], faults: list[FormFault], title: str) -> CertificateFacts:
    """Return what of a certificate goes on the ledger.

    Args:
        fields: of the certificate.
        faults: all that its form finds wrong with it.
        title: of the form, for errors.

    Raises:
        ValueError: if the form has faults in these fields; check it first.
    """
    bad = [fault for fault in faults if fault.field in PUBLIC_FACTS and fault.severity is Severity.FORM]
    if bad:
        raise ValueError(f"{title}: {'; '.join(map(str, bad))}")
    first, last = read_date(fields.get("blanket_from")), read_date(fields.get("blanket_to"))
    signed_on, shipment = read_date(fields.get("signed_on")), fields.get("shipment")
    if signed_on is None:
        raise ValueError(f"{title}: signed_on is empty; fill it in")
    return CertificateFacts(
        signed_on=signed_on.isoformat(),
        blanket=None if first is None or last is None else (first.isoformat(), last.isoformat()),
        shipment=shipment if type(shipment) is str else None,
    )
