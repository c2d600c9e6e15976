"""NOAA Form 370, the fisheries certificate of origin: its boxes, who may read which, what is public.

Rules:
- Boxes as on the form: 1 customs entry, 2 exporter, 3 importer, 4 description of fish (one row per tariff number
  and trip), 5 dolphin-safe status, and the attachments. How the form numbers its certifications below box 5
  was found in no public source: they are endorsements of their own on the ledger.
- Box 1 is filled in by the importer when it files, in a document of its own; the exporter leaves it empty.
- The form is for frozen and processed tuna; fresh and chilled tuna needs none (HTS heading 0302).
- Public of it is the entry number alone, once the importer files; shipment, chain of custody and import date stand on
  the ledger and on no box of the form.
- A processor in the chain does not learn who the importer is from the form, nor whom to ask for it.
- Species, ocean areas and gear are named by words of our own where the form's codes are unconfirmed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ledger.contracts.fisheries.dolphin import DolphinStatus, Gear
from ledger.contracts.parameters import LEGAL_DATE_FIRST, LEGAL_DATE_LAST
from ledger.encoding import Value
from ledger.forms.form import Form, Lines
from ledger.forms.schema import (
    FieldRule,
    FormFault,
    date,
    email,
    one_of,
    pattern,
    read_date,
    text,
    whole_number,
)
from ledger.genesis import Role

ROWS = "rows"
ROWS_MAX = 50
NET_KG_MAX = 10**9

SPECIES = {
    "ALB": "albacore",
    "BET": "bigeye",
    "BFT": "Atlantic bluefin",
    "PBF": "Pacific bluefin",
    "SBF": "southern bluefin",
    "SKJ": "skipjack",
    "YFT": "yellowfin",
}
"""Three-letter codes of the FAO's list of species (ASFIS)."""

ETP = "ETP"
OCEAN_AREAS = {
    ETP: "eastern tropical Pacific",
    "EP": "eastern Pacific outside the ETP",
    "WCP": "western and central Pacific",
    "IO": "Indian Ocean",
    "AO": "Atlantic Ocean",
    "MED": "Mediterranean",
}
"""Box 4. The words are ours (unconfirmed)."""

_ENTRY = re.compile(r"[A-Z0-9]{3}-[0-9]{7}-[0-9]")
_HTS = re.compile(r"[0-9]{4}\.[0-9]{2}(?:\.[0-9]{2}(?:[0-9]{2})?)?")
_FLAG = re.compile(r"[A-Z]{2}")
_FRESH = "0302"

FIELD_RULES: tuple[FieldRule, ...] = (
    FieldRule("entry", 1, pattern(_ENTRY, "an entry number such as SX7-1000418-2"), required=False),
    FieldRule("entry_on", 1, date, required=False),
    FieldRule("exporter_name", 2, text),
    FieldRule("exporter_address", 2, text),
    FieldRule("exporter_email", 2, email),
    FieldRule("importer_name", 3, text),
    FieldRule("importer_address", 3, text),
    FieldRule("importer_email", 3, email),
    FieldRule("status", 5, one_of(*DolphinStatus)),
)
"""Boxes 1 to 3 and 5."""

ROW_RULES: tuple[FieldRule, ...] = (
    FieldRule("hts", 4, pattern(_HTS, "six to ten digits such as 1604.14.2291, quoted")),
    FieldRule("species", 4, one_of(*SPECIES)),
    FieldRule("product_form", 4, text),
    FieldRule("net_kg", 4, whole_number(1, NET_KG_MAX)),
    FieldRule("ocean_area", 4, one_of(*OCEAN_AREAS)),
    FieldRule("gear", 4, one_of(*Gear)),
    FieldRule("vessel_flag", 4, pattern(_FLAG, "a two-letter country code such as MX")),
    FieldRule("vessel_name", 4, text),
    FieldRule("trip_begin", 4, date),
    FieldRule("trip_end", 4, date),
)
"""One row of box 4."""

_IMPORTER_FIELDS = frozenset({"importer_name", "importer_address", "importer_email"})


def _check_rows(fields: Mapping[str, Value]) -> list[FormFault]:
    """Return what is wrong with rows beyond their single fields: the trip's dates, and tuna that needs no form."""
    faults = []
    rows = fields.get(ROWS)
    for place, row in enumerate(rows if type(rows) is list else [], 1):
        if type(row) is not dict:
            continue
        where = f"{ROWS}.{place}."
        faults += check_trip(row, where, 4)
        if str(row.get("hts")).startswith(_FRESH):
            message = "is fresh or chilled tuna, which needs no Form 370; leave the row out"
            faults.append(FormFault(4, f"{where}hts", message))
    return faults


def check_trip(fields: Mapping[str, Value], where: str, box: int) -> list[FormFault]:
    """Return the faults of a trip's dates."""
    begin, end = read_date(fields.get("trip_begin")), read_date(fields.get("trip_end"))
    faults = [
        FormFault(box, where + name, f"{day} is outside {LEGAL_DATE_FIRST} .. {LEGAL_DATE_LAST}")
        for name, day in (("trip_begin", begin), ("trip_end", end))
        if day is not None and not LEGAL_DATE_FIRST <= day <= LEGAL_DATE_LAST
    ]
    if begin is not None and end is not None and end < begin:
        faults.append(FormFault(box, f"{where}trip_end", f"comes before the trip begins, {begin}"))
    return faults


def _withheld(_fields: Mapping[str, Value], role: Role) -> frozenset[str]:
    """A processor reads all but box 3; the authorities and the importer read all."""
    return _IMPORTER_FIELDS if role is Role.PROCESSOR else frozenset()


NOAA_370 = Form(
    code="NOAA-370",
    title="NOAA Form 370, fisheries certificate of origin",
    source="NOAA Form 370; 50 CFR 216.24(f)",
    readers=frozenset({Role.FISHERIES, Role.CUSTOMS, Role.IMPORTER, Role.PROCESSOR}),
    fields=FIELD_RULES,
    lines=Lines(ROWS, 4, ROW_RULES, ROWS_MAX),
    public={"entry": "a form is filed under one entry, at or before importation"},
    coded=("gear", "ocean_area", "species", "status", "vessel_flag"),
    rules=(_check_rows,),
    withheld=_withheld,
    last_box=5,
)
"""The form as the exporter fills it in, and the importer completes it."""
