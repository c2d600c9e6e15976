"""What may be presented and endorsed, and what is recorded with a finding."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.codes import Code

K1 = bytes([1]) * 16


def rule_of(receipt: Any) -> str:
    assert receipt.code is Code.RULE_VIOLATED, receipt
    return str(receipt.rule).partition("/")[2]


def test_goods_leave_in_two_parts_and_the_import_is_closed_by_the_last(abroad: Any) -> None:
    abroad.cross("REEXPORT", "cbsa", [[1, 6]], "2018-11-01", cites=2)
    assert (abroad.voucher(2).undischarged, abroad.goods().open_imports) == ({1: 4, 2: 4}, (2,))
    abroad.cross("REEXPORT", "cbsa", [[1, 4], [2, 4]], "2018-12-31", cites=2)
    assert (abroad.voucher(2).undischarged, abroad.goods().open_imports) == ({}, ())
    assert abroad.goods().out == {1: 10, 2: 4}
    assert abroad.unbalanced == []


def test_a_transit_is_a_pair_of_one_country(abroad: Any) -> None:
    abroad.cross("REEXPORT", "cbsa", [[1, 10], [2, 4]], "2018-11-01", cites=2)
    assert (
        abroad.cross("TRANSIT_ENTRY", "zoll", [[1, 10]], "2018-11-03", final_on="2018-11-10").code
        is Code.VALID
    )
    assert rule_of(abroad.present("REEXPORT", "zoll", [[1, 10]], cites=4)) == "wrong-import-voucher"
    assert rule_of(abroad.present("TRANSIT_EXIT", "bazg", [[1, 10]], cites=4)) == "wrong-import-voucher"
    assert abroad.cross("TRANSIT_EXIT", "zoll", [[1, 10]], "2018-11-04", cites=4).findings == ()
    assert abroad.cross("IMPORT", "bazg", [[1, 10]], "2018-11-04", final_on="2018-11-30").code is Code.VALID
    assert abroad.goods().inside["CH"] == {1: 10}


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"items": [[3, 1]]}, "unlisted-item"),
        ({"items": [[1, 11]]}, "pieces-missing"),
        ({"serial": 2}, "voucher-used"),
        ({"serial": 9, "counterfoil": 8}, "counterfoil"),
        ({"cites": None}, "wrong-import-voucher"),
        ({"cites": 1}, "wrong-import-voucher"),  # the export voucher
        ({"cites": 77}, "wrong-import-voucher"),
        ({"office": "bazg"}, "wrong-import-voucher"),  # came in through another country
        ({"office": "cbp"}, "wrong-country"),
        ({"office": "council"}, "unknown-office"),
        ({"holder": "rival"}, "wrong-actor"),
        ({"carnet": bytes(16)}, "unknown-carnet"),
    ],
)
def test_what_cannot_be_presented(abroad: Any, changes: dict[str, Any], rule: str) -> None:
    presentation = {"kind": "REEXPORT", "office": "cbsa", "items": [[1, 10]], "cites": 2} | changes
    assert rule_of(abroad.present(**presentation)) == rule
    assert abroad.present("REEXPORT", "cbsa", [[1, 10]], cites=2, serial=50).code is Code.VALID


def test_no_goods_are_imported_at_home_or_exported_abroad(abroad: Any) -> None:
    assert rule_of(abroad.present("IMPORT", "cbp", [[1, 1]])) == "wrong-country"
    assert rule_of(abroad.present("EXPORT", "cbsa", [[1, 1]])) == "wrong-country"
    assert rule_of(abroad.present("REIMPORT", "cbsa", [[1, 1]])) == "wrong-country"


def test_pieces_presented_twice_are_endorsed_once(abroad: Any) -> None:
    for serial in (3, 4):
        assert abroad.present("REEXPORT", "cbsa", [[1, 10]], cites=2, serial=serial).code is Code.VALID
    assert abroad.endorse("cbsa", "2018-11-01", serial=3, on="2018-11-01").code is Code.VALID
    assert rule_of(abroad.endorse("cbsa", "2018-11-01", serial=4)) == "pieces-missing"
    assert rule_of(abroad.endorse("cbsa", "2018-11-01", serial=3)) == "impossible-transition"


def test_only_the_office_that_was_named_endorses_or_refuses(abroad: Any) -> None:
    abroad.present("REEXPORT", "cbsa", [[1, 10]], cites=2)
    body = {"carnet": K1, "serial": 3}
    assert rule_of(abroad.endorse("bazg", "2018-11-01", on="2018-11-01")) == "wrong-actor"
    assert rule_of(abroad.act("bazg", "carnet.refuse", body, document=True)) == "wrong-actor"
    assert abroad.act("cbsa", "carnet.refuse", body, document=True).code is Code.VALID
    assert rule_of(abroad.endorse("cbsa", "2018-11-01")) == "impossible-transition"
    assert abroad.goods().inside["CA"] == {1: 10, 2: 4}
    assert rule_of(abroad.endorse("cbsa", "2018-11-01", serial=40)) == "unknown-voucher"


@pytest.mark.parametrize(
    ("on", "findings"),
    [
        ("2018-12-31", ()),  # the final date
        ("2019-01-01", ("REEXPORT_LATE",)),
        ("2019-09-03", ("REEXPORT_LATE",)),  # the last day of validity
        ("2019-09-04", ("REEXPORT_LATE", "CARNET_EXPIRED_ABROAD")),
    ],
)
def test_a_late_reexport_is_recorded_with_its_findings(
    abroad: Any, on: str, findings: tuple[str, ...]
) -> None:
    receipt = abroad.cross("REEXPORT", "cbsa", [[1, 10]], on, cites=2)
    assert (receipt.code, receipt.findings) == (Code.VALID, findings)
    assert abroad.goods().out == {1: 10}


def test_the_stamps_date_governs_and_not_the_day_on_which_the_ledger_hears_of_it(abroad: Any) -> None:
    abroad.present("REEXPORT", "cbsa", [[1, 10]], cites=2, on="2019-01-05")
    assert abroad.endorse("cbsa", "2018-12-31").findings == ()
    abroad.present("REEXPORT", "cbsa", [[2, 4]], cites=2)
    assert abroad.endorse("cbsa", "2019-01-06").findings == ("REEXPORT_LATE", "DATE_IN_FUTURE")


def test_goods_from_a_country_that_endorsed_no_exit_are_taken_home_with_a_finding(abroad: Any) -> None:
    assert rule_of(abroad.present("REIMPORT", "cbp", [[1, 10]])) == "pieces-missing"  # nothing is under way
    receipt = abroad.cross("REIMPORT", "cbp", [[1, 10]], "2018-11-21", cites=2)
    assert receipt.findings == ("EXIT_UNRECORDED",)
    assert (abroad.goods().home, abroad.voucher(2).inside) == ({1: 10}, {2: 4})
    assert abroad.voucher(2).undischarged == {1: 10, 2: 4}
    assert abroad.unbalanced == []


def test_goods_come_from_one_country_into_another_with_the_same_finding(abroad: Any) -> None:
    receipt = abroad.cross("IMPORT", "bazg", [[1, 10]], "2018-11-21", cites=2, final_on="2018-12-31")
    assert receipt.findings == ("EXIT_UNRECORDED",)
    assert abroad.goods().inside == {"CA": {2: 4}, "CH": {1: 10}}
    assert abroad.unbalanced == []


def test_home_after_the_validity_is_recorded(abroad: Any) -> None:
    abroad.cross("REEXPORT", "cbsa", [[1, 10]], "2018-12-01", cites=2)
    assert abroad.cross("REIMPORT", "cbp", [[1, 5]], "2019-09-03").findings == ()
    assert abroad.cross("REIMPORT", "cbp", [[1, 5]], "2019-09-04").findings == ("CARNET_EXPIRED_ABROAD",)


@pytest.mark.parametrize(("on", "valid"), [("2019-09-03", True), ("2019-09-04", False)])
def test_nothing_is_brought_in_under_an_expired_carnet(border: Any, on: str, valid: bool) -> None:
    border.make_active()
    border.cross("EXPORT", "cbp", [[1, 10]], "2018-10-01")
    border.present("IMPORT", "cbsa", [[1, 10]], on=on)
    receipt = border.endorse("cbsa", on, final_on="2019-09-03")
    assert receipt.code is (Code.VALID if valid else Code.RULE_VIOLATED)
    border.present("EXPORT", "cbp", [[2, 1]])
    exported = border.endorse("cbp", on)
    assert valid or rule_of(exported) == "carnet-expired"


@pytest.mark.parametrize(
    ("final_on", "valid"),
    [("2018-10-01", True), ("2018-09-30", False), ("2019-09-03", True), ("2019-09-04", False), (None, False)],
)
def test_the_final_date_lies_between_the_stamp_and_the_validity(
    border: Any, final_on: str | None, valid: bool
) -> None:
    border.make_active()
    border.cross("EXPORT", "cbp", [[1, 10]], "2018-10-01")
    border.present("IMPORT", "cbsa", [[1, 10]])
    receipt = border.endorse("cbsa", "2018-10-01", final_on=final_on)
    assert valid == (receipt.code is Code.VALID)
    assert valid or rule_of(receipt) == "final-date"


def test_a_voucher_that_brings_nothing_in_has_no_final_date_and_no_stamp_before_the_imports(
    abroad: Any,
) -> None:
    abroad.present("REEXPORT", "cbsa", [[1, 10]], cites=2, on="2018-11-01")
    assert rule_of(abroad.endorse("cbsa", "2018-11-01", final_on="2018-12-01")) == "final-date"
    assert rule_of(abroad.endorse("cbsa", "2018-09-30")) == "date-order"
    assert abroad.endorse("cbsa", "2018-10-01").code is Code.VALID


def test_what_was_settled_is_discharged_and_stays_in_the_balance(abroad: Any) -> None:
    body = {"carnet": K1, "serial": 2, "items": [[1, 2]]}
    assert rule_of(abroad.act("bazg", "carnet.settle", body, document=True)) == "wrong-actor"
    assert (
        rule_of(abroad.act("cbsa", "carnet.settle", body | {"items": [[1, 11]]}, document=True))
        == "pieces-missing"
    )
    assert abroad.act("cbsa", "carnet.settle", body, document=True).code is Code.VALID
    assert abroad.goods().settled == {"CA": {1: 2}}
    assert abroad.unbalanced == []
    abroad.cross("REEXPORT", "cbsa", [[1, 8], [2, 4]], "2018-11-20", cites=2)
    abroad.cross("REIMPORT", "cbp", [[1, 8], [2, 4]], "2018-11-21")
    assert abroad.act("acme", "carnet.return", {"carnet": K1}).code is Code.VALID


@pytest.mark.parametrize(
    "items", [[], [[1, 0]], [[2, 1], [1, 1]], [[1, True]], [[1]], [[1, 1], [1, 1]], [["1", 1]]]
)
def test_pieces_of_another_shape_are_malformed(abroad: Any, items: list[Any]) -> None:
    assert abroad.present("REEXPORT", "cbsa", items, cites=2).code is Code.MALFORMED


def test_goods_go_through_three_foreign_customs_and_each_stamps_its_own_vouchers_alone(border: Any) -> None:
    border.make_active()
    goods = [[1, 10]]
    assert border.cross("EXPORT", "cbp", goods, "2018-10-01").code is Code.VALID
    for month, office in (("10", "cbsa"), ("11", "zoll"), ("12", "bazg")):
        day = f"2018-{month}-05"
        assert border.present("IMPORT", office, goods, on=day).code is Code.VALID
        for stranger in {"cbp", "cbsa", "zoll", "bazg"} - {office}:
            refused = border.endorse(stranger, day, on=day, final_on="2018-12-31")
            assert refused.rule == "carnet.endorse/wrong-actor"
        assert border.endorse(office, day, on=day, final_on="2018-12-31").code is Code.VALID
        left = border.cross("REEXPORT", office, goods, f"2018-{month}-20", cites=border.serial)
        assert left.code is Code.VALID
    assert border.cross("REIMPORT", "cbp", goods, "2019-01-10").code is Code.VALID
