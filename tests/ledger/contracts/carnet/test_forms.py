"""Cover, general list and voucher: what may be signed, who reads what, what is public."""

from __future__ import annotations

import pytest

from ledger.contracts.carnet import MOVES, VoucherKind
from ledger.encoding import Value
from ledger.forms import carnet, voucher
from ledger.genesis import Role

DRUMS: dict[str, Value] = {
    "item": 1, "description": "Snare drum, maple", "marks": "LW-2207", "pieces": 10, "weight_kg": 52,
    "value_usd": 4_005, "origin": "US",
}  # fmt: skip
LAMPS: dict[str, Value] = {
    "item": 4,
    "description": "Stage lamp",
    "pieces": 4,
    "value_usd": 1_000,
    "origin": "DE",
}
COVER: dict[str, Value] = {
    "holder_name": "Lakeshore Percussion LLC",
    "holder_address": "12 Pier Street, Chicago",
    "representative": "R. Okafor",
    "use": "EXHIBITIONS AND FAIRS",
    "number": "US/USC/18/041527",
    "issuer_name": "Council for Trade",
    "continuation_sheets": 0,
    "countries": "CA DE CH",
    "items": [DRUMS, LAMPS],
}
VOUCHER: dict[str, Value] = {
    "voucher_kind": "REEXPORT",
    "serial": 3,
    "number": "US/USC/18/041527",
    "holder_name": "Lakeshore Percussion LLC",
    "use": "EXHIBITIONS AND FAIRS",
    "transport": "truck",
    "items": [{"item": 1, "pieces": 6, "marks": "LW-2207"}, {"item": 4, "pieces": 1}],
    "cites": 2,
}


def boxes(changes: dict[str, Value]) -> list[tuple[int | str, str]]:
    return [(fault.box, fault.field) for fault in carnet.ATA_CARNET.check(COVER | changes)]


def test_a_sound_cover_and_voucher_have_no_faults() -> None:
    assert carnet.ATA_CARNET.check(COVER) == []
    assert voucher.ATA_VOUCHER.check(VOUCHER) == []


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"holder_name": None}, [("A", "holder_name")]),
        ({"use": "HOLIDAY"}, [("C", "use")]),
        ({"number": "41527"}, [("G", "number")]),
        ({"countries": "CANADA"}, [("P", "countries")]),
        ({"color": "green"}, [("P", "color")]),
        ({"items": []}, [(1, "items")]),
        ({"items": [LAMPS, DRUMS]}, [(1, "items.2.item")]),
        ({"items": [DRUMS, DRUMS]}, [(1, "items.2.item")]),
        ({"items": ["drums"]}, [(1, "items.1")]),
        ({"items": [DRUMS | {"pieces": 0, "origin": "usa"}]}, [(3, "items.1.pieces"), (6, "items.1.origin")]),
    ],
)
def test_faults_of_the_cover_and_list_name_their_box(
    changes: dict[str, Value], found: list[tuple[int | str, str]]
) -> None:
    assert sorted(boxes(changes), key=str) == sorted(found, key=str)


def test_public_are_item_numbers_and_pieces_alone() -> None:
    assert carnet.listed_pieces(COVER) == {1: 10, 4: 4}


def test_issuer_and_customs_read_all_and_nobody_else_anything() -> None:
    for role in Role:
        names = carnet.ATA_CARNET.disclosed_names(COVER, role)
        reads = role in {Role.CUSTOMS, Role.CHAMBER, Role.GUARANTEEING}
        assert names == (tuple(sorted(carnet.ATA_CARNET.flatten(COVER))) if reads else ())


def test_lines_come_back_as_they_were() -> None:
    assert carnet.ATA_CARNET.unflatten(carnet.ATA_CARNET.flatten(COVER)) == COVER
    assert voucher.ATA_VOUCHER.unflatten(voucher.ATA_VOUCHER.flatten(VOUCHER)) == VOUCHER


def test_the_value_of_some_pieces_is_rounded_up_and_security_is_two_fifths_of_the_list() -> None:
    assert carnet.value_of(COVER) == 5_005
    assert carnet.value_of(COVER, {1: 3}) == 1_202  # 1201.5
    assert carnet.value_of(COVER, {2: 3}) == 0
    assert carnet.security_due(COVER) == 2_002


def test_a_voucher_that_closes_says_what_it_closes() -> None:
    for kind in VoucherKind:
        faults = voucher.ATA_VOUCHER.check(VOUCHER | {"voucher_kind": kind.value, "cites": None})
        assert [fault.box for fault in faults] == ([8] if MOVES[kind].closes else [])


def test_faults_of_a_voucher_and_of_a_stamp_name_their_box() -> None:
    broken = VOUCHER | {"serial": 0, "items": [{"item": 1, "pieces": 0}, "lamps"]}
    assert [fault.box for fault in voucher.ATA_VOUCHER.check(broken)] == [2, 7, 7]
    assert [
        fault.box for fault in voucher.ATA_COUNTERFOIL.check({"office": "Toronto", "stamped_on": "yesterday"})
    ] == [
        10,
        12,
    ]


def test_goods_with_other_marks_than_the_list_s_are_seen() -> None:
    assert voucher.swapped_items(COVER, VOUCHER) == ()
    other: dict[str, Value] = {
        "items": [{"item": 1, "pieces": 6, "marks": "LW-9999"}, {"item": 4, "pieces": 1}]
    }
    assert voucher.swapped_items(COVER, other) == (1,)
    bare: dict[str, Value] = {"items": [{"item": 1, "pieces": 6}, {"item": 4, "pieces": 1, "marks": "X"}]}
    assert voucher.swapped_items(COVER, bare) == (1, 4)


def test_every_kind_of_voucher_has_its_color() -> None:
    assert set(voucher.COLORS) == set(VoucherKind)
