"""The item balances hold at every block, whatever sequence of vouchers is thrown at the ledger."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.contracts.carnet import GoodsRecord, VoucherKind, carnet_balances
from ledger.contracts.carnet import goods as goods_module
from ledger.contracts.carnet import voucher as voucher_module
from ledger.state import State, carnet_goods_key

K1, K2 = bytes([1]) * 16, bytes([2]) * 16

acts = st.tuples(
    st.sampled_from(["voucher", "voucher", "voucher", "voucher", "settle", "refuse", "replace", "close"]),
    st.sampled_from([kind.value for kind in VoucherKind]),
    st.sampled_from(["cbp", "cbsa", "zoll", "bazg"]),
    st.lists(st.tuples(st.integers(1, 3), st.integers(1, 12)), min_size=1, max_size=3),
    st.none() | st.integers(1, 12),
    st.integers(0, 40),
)


def drive(border: Any, sequence: list[Any]) -> int:
    """Throw acts at the ledger and check the balances after each block; return how many were VALID."""
    border.make_active()
    valid, day, carnet = 0, 0, K1
    for what, kind, office, items, cites, pause in sequence:
        day = min(day + pause, 330)
        on = f"{2018 + (8 + day // 28) // 12}-{(8 + day // 28) % 12 + 1:02d}-{day % 28 + 1:02d}"
        on = max(on, "2018-09-05")
        pieces = [[item, count] for item, count in sorted(dict(items).items())]
        match what:
            case "voucher":
                final_on = "2019-08-01" if kind in ("IMPORT", "TRANSIT_ENTRY") and on < "2019-08-01" else None
                border.present(kind, office, pieces, cites=cites, on=on, carnet=carnet)
                receipts = [border.endorse(office, on, final_on=final_on, carnet=carnet)]
            case "settle":
                body = {"carnet": carnet, "serial": cites or 1, "items": pieces}
                receipts = [border.act(office, "carnet.settle", body, on=on, document=True)]
            case "refuse":
                border.present(kind, office, pieces, cites=cites, on=on, carnet=carnet)
                body = {"carnet": carnet, "serial": border.serial}
                receipts = [border.act(office, "carnet.refuse", body, document=True)]
            case "replace":
                body = {"carnet": K1, "successor": K2}
                receipts = [border.act("council", "carnet.replace", body, on=on)]
                carnet = K2 if receipts[0].code.value == "VALID" else carnet
            case _:
                receipts = [
                    border.claim(cites or 1, on, office=office),
                    border.decide("carnet.close", cites or 1, on),
                ]
        valid += sum(receipt.code.value == "VALID" for receipt in receipts)
        assert border.unbalanced == []
    return valid


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(acts, max_size=14))
def test_every_piece_is_somewhere_once_after_any_acts(
    new_border: Callable[[], Any], sequence: list[Any]
) -> None:
    drive(new_border(), sequence)


JOURNEY = [
    ("voucher", "EXPORT", "cbp", [(1, 10), (2, 4)], None, 1),
    ("voucher", "IMPORT", "cbsa", [(1, 10), (2, 4)], None, 1),
    ("voucher", "REEXPORT", "cbsa", [(1, 4)], 2, 1),
    ("settle", "IMPORT", "cbsa", [(2, 1)], 2, 1),
    ("replace", "IMPORT", "cbsa", [(2, 1)], 2, 1),
    ("voucher", "TRANSIT_ENTRY", "zoll", [(1, 4)], None, 1),
    ("voucher", "TRANSIT_EXIT", "zoll", [(1, 4)], 4, 1),
    ("voucher", "IMPORT", "bazg", [(1, 3)], 2, 1),
    ("voucher", "REIMPORT", "cbp", [(1, 3)], 6, 1),
    ("voucher", "REIMPORT", "cbp", [(1, 4)], None, 1),
]


def test_a_whole_journey_is_among_the_acts_that_are_driven(border: Any) -> None:
    assert drive(border, JOURNEY) == len(JOURNEY)


def test_a_rule_that_lets_pieces_be_invented_is_seen(
    new_border: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def doubled(goods: GoodsRecord, *rest: Any) -> GoodsRecord:
        after = goods_module.moved(goods, *rest)
        return replace(after, out=goods_module.plus(after.out, {1: 1}))

    monkeypatch.setattr(voucher_module, "moved", doubled)
    with pytest.raises(AssertionError):
        drive(new_border(), JOURNEY)


def test_what_is_wrong_is_said_of_each_item_and_country() -> None:
    goods = GoodsRecord(listed={1: 2}, home={1: 1}, out={}, inside={"CA": {1: 2}}, settled={})
    state = State({carnet_goods_key(K1): goods.encode()})
    first, second = carnet_balances(state)
    assert first.endswith("item 1: 3 pieces are somewhere, 2 are listed")
    assert second.endswith("inside CA are {1: 2}, its vouchers hold {}")
