"""CAFTA-DR's and the USMCA's certifications, the invoice and Customs' own forms: faults, readers, public facts."""

from __future__ import annotations

import pytest

from ledger.encoding import Value
from ledger.forms import CERTIFICATES, FORMS, Severity, may_be_signed, public_facts
from ledger.genesis import Role

CAFTA: dict[str, Value] = {
    "importer_name": "Globex",
    "importer_address": "1 Pier, Miami",
    "producer_name": "Textiles del Valle",
    "producer_address": "Zona Franca, San Pedro Sula",
    "certifier": "PRODUCER",
    "signer_name": "Luz Mejía",
    "signer_title": "Plant manager",
    "signer_phone": "+504 2555 0100",
    "signer_email": "luz@textiles.example",
    "goods": [{"description": "Knit shirts of cotton", "hs6": "6109.10.00", "criterion": "TS"}],
    "statement": "I certify that the goods originate.",
    "signed_on": "2018-09-04",
    "blanket_from": "2018-09-01",
    "blanket_to": "2019-08-31",
}
USMCA: dict[str, Value] = {
    "certifier": "EXPORTER",
    "certifier_name": "Autopartes",
    "certifier_title": "Export manager",
    "certifier_address": "Av. 5, Saltillo",
    "certifier_phone": "+52 844 555 0100",
    "certifier_email": "export@autopartes.example",
    "exporter": "SAME",
    "producer": "AVAILABLE UPON REQUEST BY THE IMPORTING AUTHORITIES",
    "producer_name": "Fundidora",
    "producer_address": "Av. 9, Saltillo",
    "importer": "UNKNOWN",
    "goods": [{"description": "Brake drums", "hs6": "870830", "criterion": "B"}],
    "blanket_from": "2020-07-01",
    "blanket_to": "2021-06-30",
    "signed_on": "2020-07-01",
    "signer_name": "Ana Ruiz",
}


def faults(code: str, form: dict[str, Value], **changes: Value) -> list[tuple[int, str]]:
    return [(fault.box, fault.field) for fault in FORMS[code].check(form | changes)]


def test_well_filled_certifications_have_no_faults_and_the_same_public_facts_as_any() -> None:
    for code, form in (("CAFTA-DR", CAFTA), ("USMCA", USMCA)):
        assert faults(code, form) == []
        facts = public_facts(CERTIFICATES[code], form)
        assert facts.signed_on == form["signed_on"]
        assert facts.blanket == (form["blanket_from"], form["blanket_to"])
        assert set(CERTIFICATES[code].public) == {"signed_on", "blanket_from", "blanket_to", "shipment"}


@pytest.mark.parametrize(
    "name", ["certifier", "signer_name", "signer_title", "signer_email", "statement", "signed_on"]
)
def test_an_element_of_a_cafta_dr_certification_is_missed(name: str) -> None:
    assert name in {field for _, field in faults("CAFTA-DR", CAFTA, **{name: None})}


def test_the_party_that_certifies_is_named() -> None:
    assert faults("CAFTA-DR", CAFTA, certifier="EXPORTER") == [(2, "exporter_address"), (2, "exporter_name")]
    assert faults("CAFTA-DR", CAFTA, certifier="CHAMBER") == [(4, "certifier")]


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"criterion": "E"}, [(7, "goods.1.criterion")]),
        ({"hs6": "87083"}, [(6, "goods.1.hs6")]),
        ({"origin": "MX"}, [(6, "goods.1.origin")]),
    ],
)
def test_a_good_of_the_usmca(changes: dict[str, Value], found: list[tuple[int, str]]) -> None:
    good: dict[str, Value] = {"description": "Brake drums", "hs6": "870830", "criterion": "B"}
    assert faults("USMCA", USMCA, goods=[good | changes]) == found


def test_twelve_months_are_the_longest_blanket_on_either() -> None:
    for code, form, last in (("CAFTA-DR", CAFTA, "2019-09-01"), ("USMCA", USMCA, "2021-07-01")):
        found = FORMS[code].check(form | {"blanket_to": last})
        assert [(fault.field, fault.severity) for fault in found] == [("blanket_to", Severity.FINDING)]
        assert may_be_signed(found)


def test_a_party_available_to_the_authorities_is_in_customs_envelope_alone() -> None:
    form = CERTIFICATES["USMCA"]
    everything = set(form.disclosed_names(USMCA, Role.CUSTOMS))
    assert everything - set(form.disclosed_names(USMCA, Role.IMPORTER)) == {
        "producer_name",
        "producer_address",
    }
    assert form.disclosed_names(USMCA, Role.CHAMBER) == ()


def test_an_envelope_without_a_withheld_party_is_put_together_again() -> None:
    form = CERTIFICATES["USMCA"]
    assert form.unflatten(form.flatten(USMCA)) == USMCA


INVOICE: dict[str, Value] = {
    "number": "F-77",
    "issued_on": "2018-09-05",
    "seller_name": "Acme",
    "seller_address": "Mazatlán",
    "buyer_name": "Globex",
    "buyer_address": "Los Angeles",
    "lines": [{"description": "Tuna", "quantity": 10, "unit": "kg", "value_usd": 100}],
}


@pytest.mark.parametrize("amount", [0, -1, 1.5, "10", True])
def test_amounts_on_an_invoice_are_whole_and_positive(amount: Value) -> None:
    line: dict[str, Value] = {"description": "Tuna", "quantity": amount, "unit": "kg", "value_usd": 100}
    assert faults("INVOICE", INVOICE) == []
    assert faults("INVOICE", INVOICE, lines=[line]) == [(5, "lines.1.quantity")]


def test_what_customs_asks_goes_to_who_is_asked_and_nothing_of_it_is_public() -> None:
    for code, reader in (("CF-28", Role.IMPORTER), ("CF-29", Role.IMPORTER), ("CF-446", Role.PRODUCER)):
        form = FORMS[code]
        assert form.public == {}
        assert reader in form.readers
        assert Role.OBSERVER not in form.readers
    assert FORMS["ENTRY-LINE"].readers == {Role.CUSTOMS}


@pytest.mark.parametrize(
    ("code", "fields", "found"),
    [
        ("CF-28", {"question": "Q", "defects": [], "due_on": "2018-10-31"}, []),
        ("CF-28", {"question": "Q", "defects": ["NO_CERTIFICATE"]}, ["due_on"]),
        ("CF-28", {"question": "Q", "defects": "NO_CERTIFICATE", "due_on": "2018-10-31"}, ["defects"]),
        ("CF-28", {"question": "Q", "defects": ["no words"], "due_on": "2018-10-31"}, ["defects"]),
        ("CF-29", {"action": "TAKEN", "defects": ["NO_ANSWER"]}, []),
        ("CF-29", {"action": "PROPOSED", "defects": [], "due_on": "2018-10-21", "explanation": "so"}, []),
        ("CF-29", {"action": "WITHDRAWN", "defects": []}, ["action"]),
        ("CF-29", {"action": "TAKEN", "defects": [], "value_usd": 1}, ["value_usd"]),
    ],
)
def test_what_customs_asks_and_decides_is_filled_in_box_by_box(
    code: str, fields: dict[str, Value], found: list[str]
) -> None:
    assert [fault.field for fault in FORMS[code].check(fields)] == found


def test_every_form_names_its_source_and_each_coded_or_public_field_exists() -> None:
    for form in FORMS.values():
        names = {rule.name for rule in form.fields} | {
            rule.name for rule in (form.lines.rules if form.lines else ())
        }
        assert form.source
        assert all(form.public.values()), f"{form.code}: say why each of its public fields must be"
        assert set(form.public) | set(form.coded) <= names, form.code
