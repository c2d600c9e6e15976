"""A carnet's voucher with its counterfoil: what the holder fills in, what customs stamps, what is public.

Rules:
- The holder's part: kind, serial, carnet number, holder, representative, use, means of transport, the items with the
  marks that the goods really bear, the importation voucher that it closes, and a date if it likes, which does not
  count. Customs' part: office, date, final date for re-export, officer, remarks. The layout of the boxes is partly
  unconfirmed; they are numbered here in that order.
- Public are kind, serials, item numbers and pieces, the voucher that is closed, and of customs' part the dates and
  whether the discharge is unconditional. Marks, transport, officer and remarks are for customs and holder alone.
- What must be true of the goods is the ledger's to check (`ledger.contracts.carnet.voucher`); whether they bear the
  marks of the general list is customs' to see.
"""

from __future__ import annotations

from collections.abc import Mapping

from ledger.contracts.carnet.goods import MOVES
from ledger.contracts.carnet.records import ITEM_NUMBER_MAX, ITEMS_MAX, PIECES_MAX, VOUCHERS_MAX, VoucherKind
from ledger.encoding import Value
from ledger.forms.carnet import ITEMS, listed_marks
from ledger.forms.form import Form, Lines
from ledger.forms.schema import FieldRule, FormFault, date, one_of, text, whole_number
from ledger.genesis import Role

COLORS: Mapping[VoucherKind, str] = {
    VoucherKind.EXPORT: "yellow",
    VoucherKind.IMPORT: "white",
    VoucherKind.REEXPORT: "white",
    VoucherKind.TRANSIT_ENTRY: "blue",
    VoucherKind.TRANSIT_EXIT: "blue",
    VoucherKind.REIMPORT: "yellow",
}
"""What the sheets look like."""

HOLDER_RULES: tuple[FieldRule, ...] = (
    FieldRule("voucher_kind", 1, one_of(*VoucherKind)),
    FieldRule("serial", 2, whole_number(1, VOUCHERS_MAX)),
    FieldRule("number", 3, text),
    FieldRule("holder_name", 4, text),
    FieldRule("representative", 4, text, required=False),
    FieldRule("use", 5, text),
    FieldRule("transport", 6, text, required=False),
    FieldRule("cites", 8, whole_number(1, VOUCHERS_MAX), required=False),
    FieldRule("signed_on", 8, date, required=False),
)
"""What the holder fills in."""

ITEM_RULES: tuple[FieldRule, ...] = (
    FieldRule("item", 7, whole_number(1, ITEM_NUMBER_MAX)),
    FieldRule("pieces", 7, whole_number(1, PIECES_MAX)),
    FieldRule("marks", 7, text, required=False),
)
"""One line of items."""

STAMP_RULES: tuple[FieldRule, ...] = (
    FieldRule("office", 9, text),
    FieldRule("stamped_on", 10, date),
    FieldRule("final_on", 11, date, required=False),
    FieldRule("officer", 12, text),
    FieldRule("remarks", 13, text, required=False),
)
"""What customs stamps on voucher and counterfoil."""


def _cites_what_it_closes(fields: Mapping[str, Value]) -> list[FormFault]:
    kind = fields.get("voucher_kind")
    if type(kind) is not str or kind not in list(VoucherKind):
        return []
    if not MOVES[VoucherKind(kind)].closes or fields.get("cites") is not None:
        return []
    return [FormFault(8, "cites", f"is empty, but a voucher {kind} closes another; name its serial")]


ATA_VOUCHER = Form(
    code="ATA-VOUCHER",
    title="ATA carnet: voucher",
    source="ATA Convention (1961), annex",
    readers=frozenset({Role.CUSTOMS}),
    fields=HOLDER_RULES,
    lines=Lines(ITEMS, 7, ITEM_RULES, ITEMS_MAX),
    public={
        "voucher_kind": "which border the goods cross decides who may endorse, and where pieces go",
        "serial": "a serial is used once in a carnet's line",
        "item": "only listed items may be presented",
        "pieces": "pieces must balance over all countries at every block",
        "cites": "what came in under one voucher goes out under it, and under no other",
    },
    coded=("use",),
    rules=(_cites_what_it_closes,),
    last_box=8,
)
"""The holder's part."""

ATA_COUNTERFOIL = Form(
    code="ATA-COUNTERFOIL",
    title="ATA carnet: customs' stamp on the counterfoil",
    source="ATA Convention (1961), annex",
    readers=frozenset({Role.EXPORTER, Role.PRODUCER, Role.PROCESSOR, Role.IMPORTER, Role.BROKER}),
    fields=STAMP_RULES,
    public={
        "stamped_on": "the day of the stamp governs: late re-export and expiry are findings",
        "final_on": "a re-export after it is a finding; a claim before it too",
    },
    last_box=13,
)
"""Customs' part."""


def swapped_items(carnet: Mapping[str, Value], voucher: Mapping[str, Value]) -> tuple[int, ...]:
    """Return the items whose marks on the goods are not those of the general list.

    Args:
        carnet: cover and general list.
        voucher: the holder's part, with the marks that the goods bear.
    """
    listed, borne = listed_marks(carnet), listed_marks(voucher)
    rows = voucher.get(ITEMS)
    numbers = [row.get("item") for row in rows if type(row) is dict] if type(rows) is list else []
    return tuple(
        item for item in numbers if type(item) is int and listed.get(item, "") != borne.get(item, "")
    )
