"""The commercial invoice: what was sold, how much of it, for how much.

Rules:
- Quantities and values are whole numbers, in the unit and in US dollars; the certificate has neither, so this is
  what Customs holds a claim against.
- Nothing of it is public.
"""

from __future__ import annotations

from ledger.forms.form import Form, Lines
from ledger.forms.schema import FieldRule, date, text, whole_number
from ledger.genesis import Role

AMOUNT_MAX = 10**12

FIELD_RULES: tuple[FieldRule, ...] = (
    FieldRule("number", 1, text),
    FieldRule("issued_on", 2, date),
    FieldRule("seller_name", 3, text),
    FieldRule("seller_address", 3, text),
    FieldRule("buyer_name", 4, text),
    FieldRule("buyer_address", 4, text),
    FieldRule("statement", 6, text, required=False),
)
"""Number, date, both parties, and the statement that a small originating shipment bears."""

LINE_RULES: tuple[FieldRule, ...] = (
    FieldRule("description", 5, text),
    FieldRule("quantity", 5, whole_number(1, AMOUNT_MAX)),
    FieldRule("unit", 5, text),
    FieldRule("value_usd", 5, whole_number(1, AMOUNT_MAX)),
)

INVOICE = Form(
    code="INVOICE",
    title="commercial invoice",
    source="19 CFR 141.86",
    readers=frozenset({Role.CUSTOMS, Role.IMPORTER, Role.BROKER}),
    fields=FIELD_RULES,
    lines=Lines("lines", 5, LINE_RULES),
    coded=("unit",),
    last_box=6,
)
"""A commercial invoice."""
