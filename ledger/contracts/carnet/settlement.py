"""Goods that will never leave: lawfully destroyed, stolen, or sold with duty paid, as customs settles it.

Rules:
- Only the customs that let goods in settles them, for what its voucher still holds; they count as settled in its
  country from then on, and as discharged.
- How they were settled is in a document to the holder.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from ledger.contracts.act import Context, Writer
from ledger.contracts.carnet.booklet import find_carnet, find_goods, read_carnet_id
from ledger.contracts.carnet.goods import discharged, settled
from ledger.contracts.carnet.records import VOUCHERS_MAX, Pieces, read_pieces
from ledger.contracts.carnet.voucher import VOUCHER_TABLE, VoucherCase, close_import, find_voucher
from ledger.contracts.document import OFFICIAL, anchor_document
from ledger.contracts.findings import Finding
from ledger.fields import Fields
from ledger.state import carnet_goods_key, carnet_key, carnet_voucher_key


@dataclass(frozen=True, slots=True)
class SettleGoods:
    """`carnet.settle`: customs takes goods as settled that came in under one of its vouchers."""

    carnet: bytes
    serial: int
    items: Pieces

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Take the body's fields."""
        return cls(
            read_carnet_id(fields), fields.integer("serial", 1, VOUCHERS_MAX), read_pieces(fields, "items", 1)
        )

    def apply(self, context: Context, state: Writer) -> tuple[Finding, ...]:
        """Move the pieces from inside the country to settled in it."""
        record = find_carnet(context.event, state, self.carnet)
        voucher = find_voucher(context.event, state, record, self.serial)
        goods = find_goods(state, record)
        case = VoucherCase(context, record, voucher, goods, home="", settling=self.items)
        VOUCHER_TABLE.advance(voucher.state, context.event, case)
        left = discharged(voucher, self.items, endorsed=True, unconditional=True)
        goods = settled(goods, voucher.country, self.items)
        state.put(carnet_voucher_key(record.origin, self.serial), left.encode())
        state.put(carnet_goods_key(record.origin), close_import(goods, self.serial, left).encode())
        anchor_document(context, state, OFFICIAL, (record.holder,), subject=carnet_key(self.carnet))
        return ()
