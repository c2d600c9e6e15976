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

from ledger.encoding import Value
from ledger.forms.form import Form, Lines
from ledger.forms.period import PUBLIC_FACTS, missing, period_rule
from ledger.forms.schema import (
    FieldRule,
    FormFault,
    date,
    email,
    one_of,
    pattern,
    phone,
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


def _withheld(fields: Mapping[str, Value], role: Role) -> frozenset[str]:
    """Customs reads all; an importer all but a producer that is available to Customs upon request."""
    if role is Role.CUSTOMS or fields.get("producer") != ON_REQUEST:
        return frozenset()
    return frozenset(PRODUCER_FIELDS)


def _check_producer(fields: Mapping[str, Value]) -> list[FormFault]:
    producer = fields.get("producer")
    if producer in (NAMED, ON_REQUEST):
        return missing(fields, 3, ("producer_name", "producer_address"), f"the producer is {producer}")
    return [
        FormFault(3, name, f"is filled in, but the producer is {producer!r}; leave it out or choose {NAMED}")
        for name in PRODUCER_FIELDS
        if fields.get(name) is not None
    ]


def _check_importer(fields: Mapping[str, Value]) -> list[FormFault]:
    if fields.get("importer") != NAMED:
        return []
    return missing(fields, 4, ("importer_name", "importer_address"), "the importer is NAMED")


def _check_line_producers(fields: Mapping[str, Value]) -> list[FormFault]:
    goods = fields.get("goods")
    faults = []
    for place, line in enumerate(goods if type(goods) is list else [], 1):
        if type(line) is dict:
            faults += _check_line_producer(fields.get("producer"), line, f"goods.{place}.")
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


FORM_434 = Form(
    code="NAFTA-434",
    title="form 434",
    source="CBP Form 434; 19 CFR 181.11, 181.22(b)",
    readers=frozenset({Role.CUSTOMS, Role.IMPORTER}),
    fields=FIELD_RULES,
    lines=Lines("goods", 5, GOODS_RULES),
    public=PUBLIC_FACTS,
    coded=("criterion", "importer", "net_cost", "origin", "producer", "producer_basis"),
    rules=(period_rule(2, 11), _check_producer, _check_importer, _check_line_producers),
    withheld=_withheld,
    last_box=11,
)
"""NAFTA's certificate of origin."""
