"""What every member sees is declared, argued for, and no more than that: fields, forms, and states of official acts."""

from __future__ import annotations

import pytest

from ledger.contracts import RULES
from ledger.contracts.publicity import body_fields, public_fact, unused_reasons
from ledger.contracts.table import Actor
from ledger.forms import FORMS
from tests.ledger.contracts.test_tables import PUBLIC_TABLES

IDS_AND_READERS = {
    *("certificate", "form", "addressees", "fine", "carnet", "issuer", "guarantor", "importer_of_record"),
    *("counterfoil", "office", "unconditional", "successor", "also"),
}
"""Fields of acts that are on no paper form: ids, who may read or act, commitments."""

CERTIFICATE = {
    "signed_on": "signed_on",
    "blanket_from": "blanket",
    "blanket_to": "blanket",
    "shipment": "shipment",
}
CARRIED: dict[str, dict[str, dict[str, str]]] = {
    # Form, act that puts it on the ledger: the form's public fields by the act's field that tells them.
    "NAFTA-434": {"certificate.anchor": CERTIFICATE},
    "CAFTA-DR": {"certificate.anchor": CERTIFICATE},
    "USMCA": {"certificate.anchor": CERTIFICATE},
    "ENTRY-LINE": {
        "claim.file": {"entry": "line", "line": "line"}
        | {name: name for name in ("entry_on", "import_on", "regime", "spi", "shipment")}
    },
    "ATA-CARNET": {"carnet.apply": {"item": "items", "pieces": "items"}},
    "ATA-VOUCHER": {
        "carnet.present": {
            "voucher_kind": "kind",
            "serial": "serial",
            "item": "items",
            "pieces": "items",
            "cites": "cites",
        }
    },
    "ATA-COUNTERFOIL": {"carnet.endorse": {"stamped_on": "endorsed_on", "final_on": "final_on"}},
    "NOAA-370": {"fisheries.file": {"entry": "entry"}},
    "INVOICE": {"document.anchor": {}},
    "CF-28": {"claim.open": {}},
    "CF-29": {"claim.act": {}, "claim.close": {}},
    "CF-446": {"verification.open": {}, "verification.respond": {}},
}
BESIDE = {
    # What such an act tells beside the form: what it is about, who is asked, the importation's date.
    "claim.file": {"certificate"},
    "carnet.endorse": {"serial"},
    "fisheries.file": {"import_on"},
    "claim.open": {"line"},
    "claim.act": {"line"},
    "claim.close": {"line"},
    "verification.open": {"verification", "party", "regime"},
    "verification.respond": {"verification"},
    "document.anchor": {"document_class"},
}


def test_every_field_of_every_act_says_why_it_is_public() -> None:
    for act in RULES:
        for field in body_fields(act):
            assert public_fact(act, field).because
    assert unused_reasons() == []


@pytest.mark.parametrize("code", list(FORMS))
def test_a_form_s_public_fields_are_those_that_its_acts_tell_and_no_others(code: str) -> None:
    for act, told in CARRIED[code].items():
        assert set(FORMS[code].public) == set(told)
        assert set(body_fields(act)) - IDS_AND_READERS - BESIDE.get(act, set()) == set(told.values())


def test_private_forms_have_no_public_field() -> None:
    for code in ("INVOICE", "CF-28", "CF-29", "CF-446"):
        assert FORMS[code].public == {}


OFFICIALS = (Actor.CUSTOMS, Actor.VERIFIER, Actor.FISHERIES, Actor.AUTHORITY, Actor.OFFICE)
GOODS_CROSS = {
    # Customs' stamps, by which everybody follows the pieces: that goods crossed, or did not, is no inquiry.
    ("carnet", "ACTIVE"),
    ("voucher", "ENDORSED"),
    ("voucher", "REFUSED"),
}


@pytest.mark.parametrize("table", PUBLIC_TABLES, ids=lambda table: table.name)
def test_an_official_act_leaves_open_or_closed_or_liquidated_and_nothing_else(table) -> None:
    for step in table.steps:
        if step.actor in OFFICIALS and (table.name, step.target.value) not in GOODS_CROSS:
            assert step.target.value in {"OFFICIAL_OPEN", "OFFICIAL_CLOSED", "LIQUIDATED"}


def test_an_official_act_tells_what_it_is_about_who_is_told_and_a_commitment() -> None:
    for act, rule in RULES.items():
        is_official = rule.roles <= {"customs", "fisheries"} and act.partition(".")[2] in (
            "open",
            "act",
            "close",
        )
        if is_official or act in ("claim.liquidate", "carnet.decide"):
            assert set(body_fields(act)) <= {
                *(
                    "line",
                    "certificate",
                    "holder",
                    "verification",
                    "party",
                    "also",
                    "regime",
                    "form",
                    "addressees",
                ),
                *("voucher", "fine"),
            }
            assert "fine" in body_fields(act)
