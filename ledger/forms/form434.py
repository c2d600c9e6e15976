"""CBP Form 434, the NAFTA certificate of origin: its fields box by box, who may read which, what is public.

Rules:
- Boxes as on the form: 1 exporter, 2 blanket period (or one shipment), 3 producer, 4 importer, 5 goods, 6 HS
  number, 7 preference criterion, 8 producer basis, 9 net cost, 10 country of origin, 11 pages, signature,
  company.
- The form has no quantity: how much was imported is compared with the invoice, by Customs, in private.
- The blanket's first day may precede the signature. More than twelve months is a finding, no fault of form.
- Box 3 may say that the producer is AVAILABLE TO CUSTOMS UPON REQUEST: then only Customs' envelope names it.
- Public are the signature date and the blanket period or the shipment; nothing else.
- Fields are committed to one by one, each line of goods by its own fields (`goods.2.hs6`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ledger.contracts.certificate import blanket_too_long
from ledger.contracts.parameters import BLANKET_MONTHS_MAX, LEGAL_DATE_FIRST, LEGAL_DATE_LAST
from ledger.contracts.records import Blanket
from ledger.encoding import Value
from ledger.forms.lines import flatten_lines, unflatten_lines
from ledger.forms.schema import (
    FieldRule,
    FormFault,
    Severity,
    check_fields,
    date,
    email,
    one_of,
    pattern,
    phone,
    read_date,
    text,
    whole_number,
)
from ledger.genesis import Role

NAMED = "NAMED"
SAME = "SAME"
UNKNOWN = "UNKNOWN"
ON_REQUEST = "AVAILABLE TO CUSTOMS UPON REQUEST"
LIST = "LIST"
VARIOUS = "VARIOUS"

CRITERIA = {
    "A": "wholly obtained or produced",
    "B": "produced, and meets the rule of its tariff item",
    "C": "produced from originating materials alone",
    "D": "unassembled, or classified with its parts, with regional value content",
    "E": "automatic data processing goods (unconfirmed wording)",
    "F": "agricultural goods (unconfirmed wording)",
}
"""Box 7."""

PRODUCER_BASIS = {
    "YES": "the exporter is the producer",
    "NO(1)": "the exporter's knowledge",
    "NO(2)": "the producer's written representation",
    "NO(3)": "the producer's signed certificate",
}
"""Box 8; the numbering of the three NOs is unconfirmed."""

GOODS_MAX = 50
PUBLIC_FACTS = ("signed_on", "blanket_from", "blanket_to", "shipment")
"""The only fields whose values are on the ledger."""

PRODUCER_FIELDS = ("producer_name", "producer_address", "producer_email", "producer_tax_id")

_HS6 = re.compile(r"[0-9]{4}\.?[0-9]{2}")
_REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9./-]{0,63}")

FIELD_RULES: tuple[FieldRule, ...] = (
    FieldRule("exporter_name", 1, text),
    FieldRule("exporter_address", 1, text),
    FieldRule("exporter_email", 1, email),
    FieldRule("exporter_tax_id", 1, text),
    FieldRule("blanket_from", 2, date, required=False),
    FieldRule("blanket_to", 2, date, required=False),
    FieldRule("shipment", 2, pattern(_REFERENCE, "a shipment or invoice number"), required=False),
    FieldRule("producer", 3, one_of(NAMED, SAME, UNKNOWN, ON_REQUEST, LIST)),
    FieldRule("producer_name", 3, text, required=False),
    FieldRule("producer_address", 3, text, required=False),
    FieldRule("producer_email", 3, email, required=False),
    FieldRule("producer_tax_id", 3, text, required=False),
    FieldRule("importer", 4, one_of(NAMED, UNKNOWN, VARIOUS)),
    FieldRule("importer_name", 4, text, required=False),
    FieldRule("importer_address", 4, text, required=False),
    FieldRule("importer_email", 4, email, required=False),
    FieldRule("importer_tax_id", 4, text, required=False),
    FieldRule("goods", 5, lambda _: None, required=False),
    FieldRule("signed_on", 11, date),
    FieldRule("signer_name", 11, text),
    FieldRule("signer_title", 11, text),
    FieldRule("company", 11, text),
    FieldRule("phone", 11, phone),
    FieldRule("email", 11, email),
    FieldRule("pages", 11, whole_number(1, 999)),
)
"""Boxes 1 to 4 and 11."""

GOODS_RULES: tuple[FieldRule, ...] = (
    FieldRule("description", 5, text),
    FieldRule("hs6", 6, pattern(_HS6, "six digits such as 1604.14, quoted")),
    FieldRule("criterion", 7, one_of(*CRITERIA)),
    FieldRule("producer_basis", 8, one_of(*PRODUCER_BASIS)),
    FieldRule("net_cost", 9, one_of("NC", "NO")),
    FieldRule("origin", 10, one_of("US", "MX", "CA", "JNT")),
    FieldRule("producer_name", 3, text, required=False),
    FieldRule("producer_address", 3, text, required=False),
)
"""Boxes 5 to 10 of one line; the producer of a line is for a LIST in box 3."""


@dataclass(frozen=True, slots=True)
class Form434Facts:
    """The form's public facts, as a certificate's anchor carries them."""

    signed_on: str
    blanket: tuple[str, str] | None
    shipment: str | None


def check_form(fields: Mapping[str, Value]) -> list[FormFault]:
    """Return every fault of a filled-in form, by box; an empty list means that it may be signed.

    Args:
        fields: as filled in; `goods` is a list of maps.
    """
    faults = check_fields(FIELD_RULES, fields, "", box=11)
    faults += _check_period(fields)
    faults += _check_producer(fields)
    if fields.get("importer") == NAMED:
        faults += _missing(fields, 4, ("importer_name", "importer_address"), "the importer is NAMED")
    faults += _check_goods(fields)
    return sorted(faults, key=lambda fault: (fault.box, fault.field))


def may_be_signed(faults: list[FormFault]) -> bool:
    """Say whether none of the faults is one of form."""
    return all(fault.severity is not Severity.FORM for fault in faults)


def flatten(fields: Mapping[str, Value]) -> dict[str, Value]:
    """Return the form's fields one by one, as documents commit to them; empty ones are left out."""
    return flatten_lines(fields, "goods")


def unflatten(flat: Mapping[str, Value]) -> dict[str, Value]:
    """Return the form's fields out of single ones, as disclosed in an envelope; lines keep their order."""
    return unflatten_lines(flat, "goods")


def disclosed_names(fields: Mapping[str, Value], role: Role) -> tuple[str, ...]:
    """Return the names of the single fields that an addressee of some role may read, sorted.

    Args:
        fields: the form, as filled in.
        role: in which the addressee gets it. Customs gets all; an importer all but a producer that is
            available to Customs upon request; anyone else gets nothing.
    """
    names = sorted(flatten(fields))
    if role is Role.CUSTOMS:
        return tuple(names)
    if role is not Role.IMPORTER:
        return ()
    if fields.get("producer") != ON_REQUEST:
        return tuple(names)
    return tuple(name for name in names if name.rpartition(".")[2] not in PRODUCER_FIELDS)


def public_facts(fields: Mapping[str, Value]) -> Form434Facts:
    """Return what of a form goes on the ledger.

    Raises:
        ValueError: if the form has faults in these fields; check it first.
    """
    faults = [fault for fault in check_form(fields) if fault.field in PUBLIC_FACTS]
    if not may_be_signed(faults):
        raise ValueError(f"form 434: {'; '.join(map(str, faults))}")
    first, last = read_date(fields.get("blanket_from")), read_date(fields.get("blanket_to"))
    signed_on, shipment = read_date(fields.get("signed_on")), fields.get("shipment")
    if signed_on is None:
        raise ValueError("form 434: box 11, signed_on: is empty; fill it in")
    return Form434Facts(
        signed_on=signed_on.isoformat(),
        blanket=None if first is None or last is None else (first.isoformat(), last.isoformat()),
        shipment=shipment if type(shipment) is str else None,
    )


def _missing(fields: Mapping[str, Value], box: int, names: tuple[str, ...], why: str) -> list[FormFault]:
    return [
        FormFault(box, name, f"is empty, but {why}; fill it in") for name in names if fields.get(name) is None
    ]


def _check_period(fields: Mapping[str, Value]) -> list[FormFault]:
    first, last = read_date(fields.get("blanket_from")), read_date(fields.get("blanket_to"))
    has_blanket = fields.get("blanket_from") is not None or fields.get("blanket_to") is not None
    faults = []
    if has_blanket == (fields.get("shipment") is not None):
        faults.append(
            FormFault(
                2, "blanket_from", "name either a blanket period or one shipment, not both, not neither"
            )
        )
    if has_blanket:
        faults += _missing(fields, 2, ("blanket_from", "blanket_to"), "a blanket period has both its days")
    for box, name in ((2, "blanket_from"), (2, "blanket_to"), (11, "signed_on")):
        day = read_date(fields.get(name))
        if day is not None and not LEGAL_DATE_FIRST <= day <= LEGAL_DATE_LAST:
            faults.append(FormFault(box, name, f"{day} is outside {LEGAL_DATE_FIRST} .. {LEGAL_DATE_LAST}"))
    if first is None or last is None:
        return faults
    if first > last:
        faults.append(FormFault(2, "blanket_to", f"{last} is before the first day, {first}"))
    elif not any(fault.field.startswith("blanket") for fault in faults) and blanket_too_long(
        Blanket(first, last)
    ):
        message = f"the period from {first} to {last} is longer than {BLANKET_MONTHS_MAX}"
        faults.append(FormFault(2, "blanket_to", message, Severity.FINDING))
    return faults


def _check_producer(fields: Mapping[str, Value]) -> list[FormFault]:
    producer = fields.get("producer")
    if producer in (NAMED, ON_REQUEST):
        return _missing(fields, 3, ("producer_name", "producer_address"), f"the producer is {producer}")
    return [
        FormFault(3, name, f"is filled in, but the producer is {producer!r}; leave it out or choose {NAMED}")
        for name in PRODUCER_FIELDS
        if fields.get(name) is not None
    ]


def _check_goods(fields: Mapping[str, Value]) -> list[FormFault]:
    goods = fields.get("goods")
    if type(goods) is not list or not 1 <= len(goods) <= GOODS_MAX:
        return [FormFault(5, "goods", f"expected a list of 1 to {GOODS_MAX} lines of goods")]
    faults = []
    for place, line in enumerate(goods, 1):
        where = f"goods.{place}."
        if type(line) is not dict:
            faults.append(FormFault(5, where[:-1], "expected the fields of one line"))
            continue
        faults += check_fields(GOODS_RULES, line, where, box=5)
        faults += _check_line_producer(fields.get("producer"), line, where)
    return faults


def _check_line_producer(producer: Value, line: Mapping[str, Value], where: str) -> list[FormFault]:
    basis = line.get("producer_basis")
    faults = []
    if producer == SAME and basis in PRODUCER_BASIS and basis != "YES":
        faults.append(FormFault(8, f"{where}producer_basis", f"{basis!r} means that another is the producer"))
    if producer in (NAMED, UNKNOWN, ON_REQUEST) and basis == "YES":
        message = "YES means that the exporter is the producer; then box 3 says SAME"
        faults.append(FormFault(8, f"{where}producer_basis", message))
    named = line.get("producer_name") is not None
    if producer == LIST and not named and basis != "YES":
        faults.append(FormFault(3, f"{where}producer_name", "is empty, but box 3 says LIST; fill it in"))
    if producer != LIST and (named or line.get("producer_address") is not None):
        faults.append(FormFault(3, f"{where}producer_name", "is for a LIST in box 3 only; leave it out"))
    return faults
