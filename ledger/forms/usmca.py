"""The USMCA certification of origin: nine data elements, on no prescribed form.

Rules:
- The elements bear the agreement's numbers (USMCA annex 5-A; 19 CFR 182.12(b)).
- Exporter and producer may be withheld from the importer: then they say AVAILABLE UPON REQUEST BY THE IMPORTING
  AUTHORITIES, and Customs' envelope alone names them.
- The importer may be UNKNOWN; goods have an HS number of six digits and a criterion A to D.
- It covers one shipment or a blanket period of at most twelve months, and is accepted for four years.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ledger.encoding import Value
from ledger.forms.form import Form, Lines
from ledger.forms.period import PUBLIC_FACTS, missing, period_rule
from ledger.forms.schema import FieldRule, FormFault, date, email, one_of, pattern, phone, text
from ledger.genesis import Role

CERTIFIERS = ("IMPORTER", "EXPORTER", "PRODUCER")
ON_REQUEST = "AVAILABLE UPON REQUEST BY THE IMPORTING AUTHORITIES"
NAMED, SAME, VARIOUS, UNKNOWN = "NAMED", "SAME", "VARIOUS", "UNKNOWN"
CRITERIA = {
    "A": "wholly obtained or produced",
    "B": "produced, and meets the rule of its tariff item",
    "C": "produced from originating materials alone",
    "D": "unassembled, or classified with its parts, with regional value content",
}
"""Element 7."""

_HS6 = re.compile(r"[0-9]{4}\.?[0-9]{2}")
_REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9./-]{0,63}")
_CONTACT = ("name", "address", "phone", "email")


def _contact(name: str, box: int, *, required: bool = False) -> tuple[FieldRule, ...]:
    checks = (text, text, phone, email)
    return tuple(
        FieldRule(f"{name}_{part}", box, check, required=required)
        for part, check in zip(_CONTACT, checks, strict=True)
    )


FIELD_RULES: tuple[FieldRule, ...] = (
    FieldRule("certifier", 1, one_of(*CERTIFIERS)),
    FieldRule("certifier_title", 2, text),
    *_contact("certifier", 2, required=True),
    FieldRule("exporter", 3, one_of(NAMED, SAME, ON_REQUEST)),
    *_contact("exporter", 3),
    FieldRule("producer", 4, one_of(NAMED, SAME, VARIOUS, ON_REQUEST)),
    *_contact("producer", 4),
    FieldRule("importer", 5, one_of(NAMED, SAME, VARIOUS, UNKNOWN)),
    *_contact("importer", 5),
    FieldRule("blanket_from", 8, date, required=False),
    FieldRule("blanket_to", 8, date, required=False),
    FieldRule("shipment", 8, pattern(_REFERENCE, "a shipment or invoice number"), required=False),
    FieldRule("signed_on", 9, date),
    FieldRule("signer_name", 9, text),
)

GOODS_RULES: tuple[FieldRule, ...] = (
    FieldRule("description", 6, text),
    FieldRule("hs6", 6, pattern(_HS6, "six digits such as 8708.99, quoted")),
    FieldRule("criterion", 7, one_of(*CRITERIA)),
)
"""Elements 6 and 7 of one good."""

_BOXES = {"exporter": 3, "producer": 4, "importer": 5}


def _check_parties(fields: Mapping[str, Value]) -> list[FormFault]:
    faults = []
    for party, box in _BOXES.items():
        said = fields.get(party)
        names = tuple(f"{party}_{part}" for part in _CONTACT)
        if said in (NAMED, ON_REQUEST):
            faults += missing(fields, box, names[:2], f"the {party} is {said}")
        else:
            faults += [
                FormFault(
                    box, name, f"is filled in, but the {party} is {said!r}; leave it out or say {NAMED}"
                )
                for name in names
                if fields.get(name) is not None
            ]
    return faults


def _withheld(fields: Mapping[str, Value], role: Role) -> frozenset[str]:
    """Customs reads all; others neither exporter nor producer that is available to the authorities only."""
    if role is Role.CUSTOMS:
        return frozenset()
    hidden = [party for party in ("exporter", "producer") if fields.get(party) == ON_REQUEST]
    return frozenset(f"{party}_{part}" for party in hidden for part in _CONTACT)


USMCA = Form(
    code="USMCA",
    title="USMCA certification",
    source="USMCA annex 5-A; 19 CFR 182.12",
    readers=frozenset({Role.CUSTOMS, Role.IMPORTER}),
    fields=FIELD_RULES,
    lines=Lines("goods", 6, GOODS_RULES),
    public=PUBLIC_FACTS,
    coded=("certifier", "criterion", "exporter", "importer", "producer"),
    rules=(period_rule(8, 9), _check_parties),
    withheld=_withheld,
    last_box=9,
)
"""The USMCA's certification of origin."""
