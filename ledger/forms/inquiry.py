"""The forms in which Customs asks and decides: CF-28, CF-29, Form 446.

Rules:
- Who is asked, and that an official matter is open or closed, is public; nothing of these forms' fields is.
- A request (CF-28) and a notice of action (CF-29, proposed or taken) go to the claim's importer, which may pass them
  on to its broker.
- What Customs holds against a claim stands on them as code words, each of which says which two things do not agree.
- A verification questionnaire (Form 446) goes to the exporter or producer, who answers it on the same form.
"""

from __future__ import annotations

import re

from ledger.encoding import Value
from ledger.forms.form import Form, Lines
from ledger.forms.invoice import AMOUNT_MAX
from ledger.forms.schema import FieldRule, date, one_of, pattern, text, whole_number
from ledger.genesis import Role

_HS6 = re.compile(r"[0-9]{4}\.?[0-9]{2}")
_CODE = re.compile(r"[A-Z][A-Z0-9_]*")


def codes(value: Value) -> str | None:
    """Check a list of code words."""
    if type(value) is list and all(type(item) is str and _CODE.fullmatch(item) for item in value):
        return None
    return "is no list of code words such as NO_CERTIFICATE"


CF_28 = Form(
    code="CF-28",
    title="request for information",
    source="CBP Form 28; 19 CFR 181.22(a)",
    readers=frozenset({Role.IMPORTER, Role.BROKER}),
    fields=(
        FieldRule("question", 1, text),
        FieldRule("defects", 2, codes),
        FieldRule("due_on", 3, date),
    ),
    coded=("defects",),
    last_box=3,
)
"""Customs asks the importer for the certificate and its support."""

CF_29 = Form(
    code="CF-29",
    title="notice of action",
    source="CBP Form 29; 19 CFR 181.22(c), 152.2",
    readers=frozenset({Role.IMPORTER, Role.BROKER}),
    fields=(
        FieldRule("action", 1, one_of("PROPOSED", "TAKEN")),
        FieldRule("defects", 2, codes),
        FieldRule("explanation", 2, text, required=False),
        FieldRule("due_on", 3, date, required=False),
    ),
    coded=("action", "defects"),
    last_box=3,
)
"""Customs tells the importer that it will deny, or has denied, a claim."""

FORM_446 = Form(
    code="CF-446",
    title="verification questionnaire",
    source="CBP Form 446; 19 CFR 181.72(a)",
    readers=frozenset({Role.CUSTOMS, Role.EXPORTER, Role.PRODUCER}),
    fields=(
        FieldRule("description", 1, text),
        FieldRule("hs6", 2, pattern(_HS6, "six digits such as 1604.14, quoted")),
        FieldRule("criterion", 3, text),
        FieldRule("is_originating", 4, one_of("YES", "NO")),
        FieldRule("records_kept", 5, one_of("YES", "NO")),
        FieldRule("net_cost_usd", 6, whole_number(0, AMOUNT_MAX), required=False),
    ),
    lines=Lines(
        "materials",
        7,
        (
            FieldRule("description", 7, text),
            FieldRule("hs6", 7, pattern(_HS6, "six digits such as 0303.42, quoted")),
            FieldRule("origin", 7, text),
            FieldRule("value_usd", 7, whole_number(0, AMOUNT_MAX)),
        ),
    ),
    coded=("criterion", "is_originating", "origin", "records_kept"),
    last_box=7,
)
"""How a good is produced, and of what: the exporter's or producer's answer. Its boxes are unconfirmed."""
