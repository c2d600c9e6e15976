"""What is behind an entry line: the importer's declaration, for Customs alone.

Rules:
- Of an entry line only entry, line, dates, agreement, indicator, certificate and shipment are public, on the
  claim; this is the rest of the entry summary (CBP Form 7501) as far as preference needs it.
- The entry's check digit is not verified, since how it is computed is not confirmed; an entry line is used once.
"""

from __future__ import annotations

import re

from ledger.forms.form import Form
from ledger.forms.invoice import AMOUNT_MAX
from ledger.forms.schema import FieldRule, date, one_of, pattern, text, whole_number
from ledger.genesis import Role

ENTRY_TYPES = ("01", "03", "06", "11", "23")
BASES = ("CERTIFICATE", "KNOWLEDGE", "SMALL-VALUE", "NON-COMMERCIAL")
"""What a claim rests on."""

_HTS = re.compile(r"[0-9]{4}\.[0-9]{2}(?:\.[0-9]{2}(?:[0-9]{2})?)?")
_PORT = re.compile(r"[0-9]{4}")
_ENTRY = re.compile(r"[A-Z0-9]{3}-[0-9]{7}-[0-9]")

FIELD_RULES: tuple[FieldRule, ...] = (
    FieldRule("entry", 1, pattern(_ENTRY, "an entry number such as SX7-1000418-2")),
    FieldRule("line", 1, whole_number(1, 999)),
    FieldRule("entry_type", 2, one_of(*ENTRY_TYPES)),
    FieldRule("port", 3, pattern(_PORT, "a port of entry such as 2709")),
    FieldRule("entry_on", 4, date),
    FieldRule("import_on", 4, date),
    FieldRule("regime", 5, text),
    FieldRule("spi", 5, text),
    FieldRule("basis", 5, one_of(*BASES)),
    FieldRule("shipment", 5, text, required=False),
    FieldRule("description", 6, text),
    FieldRule("article", 6, text, required=False),
    FieldRule("origin", 6, text, required=False),
    FieldRule("hts", 7, pattern(_HTS, "a tariff number such as 1604.14.2291, quoted")),
    FieldRule("quantity", 8, whole_number(1, AMOUNT_MAX)),
    FieldRule("unit", 8, text),
    FieldRule("value_usd", 9, whole_number(1, AMOUNT_MAX)),
    FieldRule("invoice", 10, text),
    FieldRule("general_rate_milli_percent", 11, whole_number(0, 10**6)),
    FieldRule("preferential_rate_milli_percent", 11, whole_number(0, 10**6)),
)

ENTRY_LINE = Form(
    code="ENTRY-LINE",
    title="entry line",
    source="CBP Form 7501; 19 CFR 142.12, 142.16",
    readers=frozenset({Role.CUSTOMS}),
    fields=FIELD_RULES,
    public={
        "entry": "an entry line is claimed once; a duplicate is refused",
        "line": "an entry line is claimed once; a duplicate is refused",
        "entry_on": "ten working days from entry to the summary are counted from it",
        "import_on": "blanket, agreement and the year for a late claim go by it",
        "regime": "which agreement governs the import date, and what it asks for, is checked",
        "spi": "the indicator must be one of the agreement's",
        "shipment": "a certificate for one shipment used for a second one is a finding",
    },
    coded=("basis", "entry_type", "origin", "port", "unit"),
    last_box=11,
)
"""An entry line with a claim for preference."""
