"""The CAFTA-DR certification of origin: its data elements, on no prescribed form.

Rules:
- The elements are those of 19 CFR 10.584(a); the numbers here are only their order in it.
- Importer, exporter, producer: legal name, address, telephone and e-mail, those that are known. Who signs is one
  of the three and says so.
- Each good has its tariff number to six digits or more and the rule of General Note 29 that it meets.
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
PARTIES = ("importer", "exporter", "producer")
RULES_OF_ORIGIN = {
    "WO": "wholly obtained or produced",
    "TS": "produced, and meets the rule of its tariff item",
    "OM": "produced from originating materials alone",
}
"""General Note 29(b); the letters are this project's own."""

_HTS = re.compile(r"[0-9]{4}\.?[0-9]{2}(?:\.?[0-9]{2}){0,2}")
_REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9./-]{0,63}")


def _party(name: str, box: int) -> tuple[FieldRule, ...]:
    return (
        FieldRule(f"{name}_name", box, text, required=False),
        FieldRule(f"{name}_address", box, text, required=False),
        FieldRule(f"{name}_phone", box, phone, required=False),
        FieldRule(f"{name}_email", box, email, required=False),
    )


FIELD_RULES: tuple[FieldRule, ...] = (
    *_party("importer", 1),
    *_party("exporter", 2),
    *_party("producer", 3),
    FieldRule("certifier", 4, one_of(*CERTIFIERS)),
    FieldRule("signer_name", 4, text),
    FieldRule("signer_title", 4, text),
    FieldRule("signer_phone", 4, phone),
    FieldRule("signer_email", 4, email),
    FieldRule("statement", 8, text),
    FieldRule("signed_on", 9, date),
    FieldRule("blanket_from", 10, date, required=False),
    FieldRule("blanket_to", 10, date, required=False),
    FieldRule("shipment", 10, pattern(_REFERENCE, "a shipment or invoice number"), required=False),
)

GOODS_RULES: tuple[FieldRule, ...] = (
    FieldRule("description", 5, text),
    FieldRule("invoice", 5, text, required=False),
    FieldRule("hs6", 6, pattern(_HTS, "six digits or more such as 6109.10, quoted")),
    FieldRule("criterion", 7, one_of(*RULES_OF_ORIGIN)),
)
"""One good: its description, tied to the invoice, its tariff number, its rule of General Note 29."""


def _check_certifier(fields: Mapping[str, Value]) -> list[FormFault]:
    certifier = fields.get("certifier")
    if certifier not in CERTIFIERS:
        return []
    party = str(certifier).lower()
    return missing(
        fields, PARTIES.index(party) + 1, (f"{party}_name", f"{party}_address"), f"the {party} certifies"
    )


CAFTA_DR = Form(
    code="CAFTA-DR",
    title="CAFTA-DR certification",
    source="19 CFR 10.584(a)",
    readers=frozenset({Role.CUSTOMS, Role.IMPORTER}),
    fields=FIELD_RULES,
    lines=Lines("goods", 5, GOODS_RULES),
    public=PUBLIC_FACTS,
    coded=("certifier", "criterion"),
    rules=(period_rule(10, 9), _check_certifier),
    last_box=10,
)
"""CAFTA-DR's certification of origin."""
