"""The ATA carnet's cover and general list: their boxes, who may read which, what is public.

Rules:
- Boxes of the cover as on the form: A holder, B representative, C intended use, G number, issuer and continuation
  sheets, P countries to be visited. The letter G is unconfirmed. H (activation), I and J (signatures) are acts on the
  ledger, and the validity is given by the issue.
- Columns of the general list: 1 item number, 2 description with marks and serial numbers, 3 pieces, 4 weight or
  volume, 5 value, 6 country of origin, 7 for customs' marks.
- Cover and list are one document under one root, which the application freezes.
- Public are item numbers and pieces; nothing else. The issuer and every customs that goods are presented to read
  all; nobody else reads anything.
- Value is commercial value in the country of issue, in whole US dollars here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ledger.contracts.carnet.records import ITEM_NUMBER_MAX, ITEMS_MAX, PIECES_MAX, Pieces
from ledger.contracts.parameters import CARNET_SECURITY_PERCENT
from ledger.encoding import Value
from ledger.forms.form import Form, Lines
from ledger.forms.schema import FieldRule, FormFault, one_of, pattern, text, whole_number
from ledger.genesis import Role

ITEMS = "items"
VALUE_USD_MAX = 10**12

USES = {
    "COMMERCIAL SAMPLES": "goods shown to win orders",
    "PROFESSIONAL EQUIPMENT": "tools of a trade, carried by who uses them",
    "EXHIBITIONS AND FAIRS": "goods shown at an event",
}
"""Box C: the three uses that most countries accept (partly confirmed wording)."""

_NUMBER = re.compile(r"[A-Z]{2}/[A-Z0-9]{2,6}/[0-9]{2}/[0-9]{4,8}")
_COUNTRY = re.compile(r"[A-Z]{2}")
_COUNTRIES = re.compile(r"[A-Z]{2}(?: [A-Z]{2})*")

COVER_RULES: tuple[FieldRule, ...] = (
    FieldRule("holder_name", "A", text),
    FieldRule("holder_address", "A", text),
    FieldRule("representative", "B", text, required=False),
    FieldRule("use", "C", one_of(*USES)),
    FieldRule("number", "G", pattern(_NUMBER, "a carnet number such as US/USC/18/041527")),
    FieldRule("issuer_name", "G", text),
    FieldRule("continuation_sheets", "G", whole_number(0, 99)),
    FieldRule("countries", "P", pattern(_COUNTRIES, "two-letter country codes with a space between them")),
)
"""The cover."""

ITEM_RULES: tuple[FieldRule, ...] = (
    FieldRule("item", 1, whole_number(1, ITEM_NUMBER_MAX)),
    FieldRule("description", 2, text),
    FieldRule("marks", 2, text, required=False),
    FieldRule("pieces", 3, whole_number(1, PIECES_MAX)),
    FieldRule("weight_kg", 4, whole_number(1, 10**9), required=False),
    FieldRule("value_usd", 5, whole_number(1, VALUE_USD_MAX)),
    FieldRule("origin", 6, pattern(_COUNTRY, "a two-letter country code such as US")),
    FieldRule("customs_marks", 7, text, required=False),
)
"""One row of the general list; the value is that of all its pieces."""


def _in_order(fields: Mapping[str, Value]) -> list[FormFault]:
    """Items are numbered in ascending order, each once."""
    faults, last = [], 0
    for place, row in enumerate(_rows(fields), 1):
        number = row.get("item") if type(row) is dict else None
        if type(number) is int:
            if number <= last:
                message = f"{number} does not come after {last}; number the items in order"
                faults.append(FormFault(1, f"{ITEMS}.{place}.item", message))
            last = max(last, number)
    return faults


ATA_CARNET = Form(
    code="ATA-CARNET",
    title="ATA carnet: cover and general list",
    source="ATA Convention (1961), annex",
    readers=frozenset({Role.CUSTOMS, Role.CHAMBER, Role.GUARANTEEING}),
    fields=COVER_RULES,
    lines=Lines(ITEMS, 1, ITEM_RULES, ITEMS_MAX),
    public={
        "item": "goods are followed by their number on the list, which names nothing",
        "pieces": "pieces must balance over all countries at every block",
    },
    coded=("use", "origin", "countries"),
    rules=(_in_order,),
    last_box="P",
)
"""Cover and general list."""


def listed_pieces(fields: Mapping[str, Value]) -> Pieces:
    """Return the public part of a general list: pieces per item number."""
    pieces = {}
    for row in _rows(fields):
        match row:
            case {"item": int(item), "pieces": int(count)}:
                pieces[item] = count
    return pieces


def listed_marks(fields: Mapping[str, Value]) -> dict[int, str]:
    """Return the marks and serial numbers per item number, of items that bear any."""
    marks = {}
    for row in _rows(fields):
        match row:
            case {"item": int(item), "marks": str(text_of)}:
                marks[item] = text_of
    return marks


def value_of(fields: Mapping[str, Value], pieces: Pieces | None = None) -> int:
    """Return the value in US dollars of some pieces, rounded up per item, or of the whole general list.

    Args:
        fields: with the general list.
        pieces: per item number; the whole list if None.
    """
    total = 0
    for row in _rows(fields):
        match row:
            case {"item": int(item), "pieces": int(count), "value_usd": int(value)}:
                wanted = count if pieces is None else pieces.get(item, 0)
                total += -(-value * wanted // count)
    return total


def security_due(fields: Mapping[str, Value]) -> int:
    """Return the least security for a carnet in US dollars, rounded up."""
    return -(-value_of(fields) * CARNET_SECURITY_PERCENT.value // 100)


def _rows(fields: Mapping[str, Value]) -> Iterator[Value]:
    rows = fields.get(ITEMS)
    yield from rows if type(rows) is list else ()
