"""NAFTA Form 434: faults with their box, who reads what, what is public."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.encoding import Value
from ledger.forms import CERTIFICATES, PUBLIC_FACTS, Severity, may_be_signed
from ledger.forms import public_facts as facts_of_form
from ledger.genesis import Role

FORM_434 = CERTIFICATES["NAFTA-434"]
GOOD: dict[str, Value] = {
    "description": "Tuna in airtight containers, in oil",
    "hs6": "1604.14",
    "criterion": "B",
    "producer_basis": "NO(2)",
    "net_cost": "NO",
    "origin": "MX",
}
FORM: dict[str, Value] = {
    "exporter_name": "Acme Exportadora",
    "exporter_address": "Av. Puerto 1, Mazatlán",
    "exporter_email": "sales@acme.example",
    "exporter_tax_id": "AEX010203XY1",
    "blanket_from": "2018-09-01",
    "blanket_to": "2019-08-31",
    "producer": "AVAILABLE TO CUSTOMS UPON REQUEST",
    "producer_name": "Atunes del Norte",
    "producer_address": "Muelle 7, Mazatlán",
    "importer": "VARIOUS",
    "goods": [GOOD],
    "signed_on": "2018-09-04",
    "signer_name": "Ana Ruiz",
    "signer_title": "Export manager",
    "company": "Acme Exportadora",
    "phone": "+52 669 555 0100",
    "email": "ana.ruiz@acme.example",
    "pages": 1,
}


def faults(**changes: Value) -> list[tuple[int, str]]:
    return [(fault.box, fault.field) for fault in FORM_434.check(FORM | changes)]


def goods_faults(**changes: Value) -> list[tuple[int, str]]:
    return faults(goods=[GOOD | changes])


def test_a_well_filled_form_has_no_faults() -> None:
    assert FORM_434.check(FORM) == []
    assert faults(blanket_from=None, blanket_to=None, shipment="INV-2018/77") == []


def test_every_fault_is_reported_at_once_with_its_box() -> None:
    broken: dict[str, Value] = FORM | {
        "exporter_name": " ",
        "exporter_email": "nobody",
        "blanket_to": "2018-02-30",
        "producer": "SOMEBODY",
        "importer": "NOBODY",
        "goods": [GOOD | {"description": None, "hs6": 160414, "criterion": "G", "net_cost": "YES"}],
        "signed_on": "yesterday",
        "pages": "1",
        "quantity": 12,
    }
    found = [(fault.box, fault.field) for fault in FORM_434.check(broken)]
    expected = [
        (1, "exporter_email"),
        (1, "exporter_name"),
        (2, "blanket_to"),
        (3, "producer"),
        (4, "importer"),
        (5, "goods.1.description"),
        (6, "goods.1.hs6"),
        (7, "goods.1.criterion"),
        (9, "goods.1.net_cost"),
        (11, "pages"),
        (11, "quantity"),
        (11, "signed_on"),
    ]
    assert set(expected) <= set(found)
    assert found == sorted(found)


@pytest.mark.parametrize("name", [name for name in FORM if not name.startswith(("blanket", "producer_"))])
def test_every_box_must_be_filled_in(name: str) -> None:
    assert (name in {field for _, field in faults(**{name: None})}) == (name != "producer_basis")


@pytest.mark.parametrize(
    ("hs6", "sound"),
    [
        ("1604.14", True),
        ("160414", True),
        ("0303.42", True),
        ("1604.1", False),
        ("1604.14.22", False),
        ("16.0414", False),
        ("16041４", False),
        (160414, False),
        (1604.14, False),
        (True, False),
    ],
)
def test_an_hs_number_is_six_digits_of_text(hs6: Value, sound: bool) -> None:
    assert goods_faults(hs6=hs6) == ([] if sound else [(6, "goods.1.hs6")])


def test_a_number_for_a_code_is_told_to_be_quoted() -> None:
    (fault,) = FORM_434.check(FORM | {"goods": [GOOD | {"hs6": 30342}]})
    assert "quote it" in fault.message


@pytest.mark.parametrize(
    ("field", "box", "good", "bad"),
    [
        ("criterion", 7, "ABCDEF", "GHa"),
        ("origin", 10, ("US", "MX", "CA", "JNT"), ("us", "DE", "")),
        ("net_cost", 9, ("NC", "NO"), ("YES", False)),
        ("producer_basis", 8, ("NO(1)", "NO(2)", "NO(3)"), ("NO(4)", "NO", False)),
    ],
)
def test_the_codes_of_a_line(field: str, box: int, good, bad) -> None:
    assert all(goods_faults(**{field: code}) == [] for code in good)
    assert all(goods_faults(**{field: code}) == [(box, f"goods.1.{field}")] for code in bad)


def test_a_blanket_over_twelve_months_is_a_finding_and_may_be_signed() -> None:
    assert faults(blanket_from="2018-09-04", blanket_to="2019-09-03") == []
    found = FORM_434.check(FORM | {"blanket_from": "2018-09-04", "blanket_to": "2019-09-04"})
    assert [(fault.box, fault.field, fault.severity) for fault in found] == [
        (2, "blanket_to", Severity.FINDING)
    ]
    assert may_be_signed(found)


def test_a_blanket_may_begin_before_the_signature() -> None:
    assert faults(blanket_from="2018-01-01", blanket_to="2018-12-31") == []


@pytest.mark.parametrize(
    "changes",
    [
        {"shipment": "S1"},
        {"blanket_from": None, "blanket_to": None},
        {"blanket_from": None},
        {"blanket_to": None},
        {"blanket_from": "2019-09-01"},
        {"blanket_to": "2999-01-01"},
    ],
)
def test_a_period_is_a_whole_blanket_or_one_shipment(changes: dict[str, Value]) -> None:
    found = FORM_434.check(FORM | changes)
    assert {fault.box for fault in found} == {2}
    assert not may_be_signed(found)


def test_box_3_and_box_8_agree() -> None:
    same: dict[str, Value] = {"producer": "SAME", "producer_name": None, "producer_address": None}
    assert faults(**same) == [(8, "goods.1.producer_basis")]
    assert faults(**same, goods=[GOOD | {"producer_basis": "YES"}]) == []
    assert goods_faults(producer_basis="YES") == [(8, "goods.1.producer_basis")]
    assert faults(producer="SAME", goods=[GOOD | {"producer_basis": "YES"}]) == [
        (3, "producer_address"),
        (3, "producer_name"),
    ]


def test_a_named_or_withheld_producer_is_filled_in_for_customs() -> None:
    for producer in ("NAMED", "AVAILABLE TO CUSTOMS UPON REQUEST"):
        assert faults(producer=producer, producer_name=None) == [(3, "producer_name")]


def test_a_list_names_the_producer_of_each_line() -> None:
    listed: dict[str, Value] = {"producer": "LIST", "producer_name": None, "producer_address": None}
    assert faults(**listed) == [(3, "goods.1.producer_name")]
    assert faults(**listed, goods=[GOOD | {"producer_name": "Atunes"}]) == []
    assert goods_faults(producer_name="Atunes") == [(3, "goods.1.producer_name")]


def test_a_named_importer_is_filled_in() -> None:
    assert faults(importer="NAMED") == [(4, "importer_address"), (4, "importer_name")]


def test_customs_reads_all_and_the_importer_not_a_producer_available_upon_request() -> None:
    assert FORM_434.disclosed_names(FORM, Role.CUSTOMS) == tuple(sorted(FORM_434.flatten(FORM)))
    hidden = set(FORM_434.disclosed_names(FORM, Role.CUSTOMS)) - set(
        FORM_434.disclosed_names(FORM, Role.IMPORTER)
    )
    assert hidden == {"producer_name", "producer_address"}
    assert "producer" in FORM_434.disclosed_names(FORM, Role.IMPORTER)
    named = FORM | {"producer": "NAMED"}
    assert FORM_434.disclosed_names(named, Role.IMPORTER) == FORM_434.disclosed_names(named, Role.CUSTOMS)


def test_nobody_else_reads_anything() -> None:
    assert all(
        FORM_434.disclosed_names(FORM, role) == ()
        for role in Role
        if role not in {Role.CUSTOMS, Role.IMPORTER}
    )


def test_public_are_the_signature_date_and_the_period_alone() -> None:
    facts = facts_of_form(FORM_434, FORM)
    assert (facts.signed_on, facts.blanket, facts.shipment) == (
        "2018-09-04",
        ("2018-09-01", "2019-08-31"),
        None,
    )
    single = facts_of_form(FORM_434, FORM | {"blanket_from": None, "blanket_to": None, "shipment": "S1"})
    assert (single.blanket, single.shipment) == (None, "S1")
    assert set(PUBLIC_FACTS) == {"signed_on", "blanket_from", "blanket_to", "shipment"}
    with pytest.raises(ValueError, match="box 11, signed_on"):
        facts_of_form(FORM_434, FORM | {"signed_on": "soon"})


def test_single_fields_come_together_again() -> None:
    form: dict[str, Value] = FORM | {"goods": [GOOD | {"hs6": str(100000 + n)} for n in range(11)]}
    assert FORM_434.flatten(form)["goods.11.hs6"] == "100010"
    assert FORM_434.unflatten(FORM_434.flatten(form)) == form


@settings(max_examples=50, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from([*FORM, "surprise"]),
        st.none()
        | st.booleans()
        | st.integers()
        | st.text(max_size=12)
        | st.binary(max_size=4)
        | st.lists(st.dictionaries(st.sampled_from([*GOOD, "other"]), st.text(max_size=8)), max_size=3),
    )
)
def test_whatever_is_filled_in_gives_faults_and_never_an_error(fields: dict[str, Value]) -> None:
    for fault in FORM_434.check(fields):
        assert 1 <= fault.box <= 11
        assert fault.message
    assert not may_be_signed(FORM_434.check(fields)) or set(FORM) - set(fields) <= {
        "producer_name",
        "producer_address",
    }
