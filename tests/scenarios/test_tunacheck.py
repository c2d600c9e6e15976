"""What NOAA and Customs find in a filed Form 370, one defect at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from random import Random

import pytest

from ledger.contracts.fisheries import DolphinStatus, Evidence, InspectionState, form_commitment
from ledger.documents import commit_fields
from ledger.encoding import Value
from ledger.forms import form370
from ledger.genesis import Role
from scenarios.agents.formregister import FormEntry, HopEntry
from scenarios.agents.papers import KIND, Paper, PaperKind
from scenarios.agents.register import Place
from scenarios.agents.tunacheck import (
    Examined,
    FormEvidence,
    decide,
    entered_defects,
    examine_form,
)
from scenarios.model.fisheries import FisheriesLists

FORM = bytes([7]) * 16
SALT = bytes(16)
COMMITTED = form_commitment(SALT, FORM, InspectionState.FILED)
PLACE = Place(b"t", 3, 2, 1_537_000_000_000)
TRIP: dict[str, Value] = {"vessel_name": "Dorada", "trip_begin": "2018-06-01", "trip_end": "2018-07-01"}
ROW: dict[str, Value] = {
    "hts": "1604.14.2291", "species": "SKJ", "product_form": "pouches", "net_kg": 900, "ocean_area": "WCP",
    "gear": "PURSE_SEINE", "vessel_flag": "PH", **TRIP,
}  # fmt: skip
CAPTAIN: dict[str, Value] = {
    **TRIP, "not_set_on_dolphins": "YES", "none_killed_or_injured": "YES", "training_completed": "YES",
}  # fmt: skip
LISTS = FisheriesLists.model_validate(
    {
        "embargoed_flags": ("VE",),
        "vessels": (
            {"name": "Dorada", "flag": "PH", "capacity_short_tons": 900},
            {"name": "Orinoco", "flag": "VE", "capacity_short_tons": 900},
        ),
    }
)


def paper(kind: PaperKind, fields: Mapping[str, Value]) -> Paper:
    return Paper.of(commit_fields({KIND: kind.value, **fields}, Random(1)))


def form_paper(status: str = "5B2", *rows: dict[str, Value]) -> Paper:
    return paper(
        PaperKind.FORM_370, form370.NOAA_370.flatten({"status": status, "rows": list(rows or (ROW,))})
    )


def filing(**changes: Value) -> Paper:
    fields: dict[str, Value] = {
        "entry": "SX7-2000301-1", "import_on": "2018-09-18", "entered_kg": 900, "salt": SALT, "pga_codes": ["NOT"],
    }  # fmt: skip
    return paper(PaperKind.FORM_370_FILING, fields | changes)


def statement(kg_in: Value, kg_out: Value) -> Paper:
    return paper(PaperKind.CUSTODY_STATEMENT, {"kg_in": kg_in, "kg_out": kg_out})


def entry(*findings: str, missing: str | None = None) -> FormEntry:
    chain = (("exporter", Role.EXPORTER), ("cannery", Role.PROCESSOR), ("importer", Role.IMPORTER))
    hops = [HopEntry(who, role, None if who == missing else PLACE, b"r") for who, role in chain]
    form = FormEntry(FORM.hex(), "exporter", "S-1", hops, b"root", PLACE)
    form.entry, form.import_on, form.findings = "SX7-2000301-1", filing().date("import_on"), findings
    return form


def evidence(**changes: object) -> FormEvidence:
    sound = FormEvidence(
        form=entry(),
        committed=COMMITTED,
        has_permit=True,
        paper=form_paper(),
        filing=filing(),
        custody=(statement(2000, 1000), statement(1000, 900), statement(900, 900)),
        attachments=((Evidence.CAPTAIN, CAPTAIN),),
    )
    return replace(sound, **changes)  # type: ignore[arg-type]


def examined(**changes: object) -> Examined:
    return examine_form(evidence(**changes), LISTS)


def test_a_sound_form_has_no_defect_and_may_proceed() -> None:
    found = examined()
    assert found == Examined((), DolphinStatus.PURSE_SEINE)
    assert decide(found.defects) is InspectionState.MAY_PROCEED


@pytest.mark.parametrize(
    ("defect", "changes", "decision"),
    [
        ("EVIDENCE_MISSING", {"attachments": ()}, "HOLD"),
        (
            "EVIDENCE_MISSING",
            {"attachments": ((Evidence.CAPTAIN, CAPTAIN | {"vessel_name": "Other"}),)},
            "HOLD",
        ),
        ("STATUS_NOT_SUPPORTED", {"paper": form_paper("5B1")}, "HOLD"),
        ("DRIFTNET", {"paper": form_paper("5A", ROW | {"gear": "HIGH_SEAS_DRIFTNET"})}, "REJECTED"),
        (
            "EMBARGOED",
            {
                "paper": form_paper(
                    "5A",
                    ROW
                    | {"species": "YFT", "ocean_area": "ETP", "vessel_flag": "VE", "vessel_name": "Orinoco"},
                )
            },
            "REJECTED",
        ),
        ("FLAG_MISMATCH", {"paper": form_paper("5B2", ROW | {"vessel_flag": "PA"})}, "HOLD"),
        (
            "AREA_MISMATCH",
            {"attachments": ((Evidence.CAPTAIN, CAPTAIN | {"sets": ["8.0N 100.0W"]}),)},
            "HOLD",
        ),
        (
            "OUT_EXCEEDS_IN",
            {"custody": (statement(2000, 1000), statement(1000, 1001), statement(900, 900))},
            "REJECTED",
        ),
        (
            "IN_EXCEEDS_OUT_BEFORE",
            {"custody": (statement(2000, 1000), statement(1001, 900), statement(900, 900))},
            "REJECTED",
        ),
        ("FORM_EXCEEDS_CUSTODY", {"paper": form_paper("5B2", ROW | {"net_kg": 901})}, "REJECTED"),
        ("COMMITMENT_NOT_OPENED", {"committed": bytes(32)}, "HOLD"),
        ("DIFFERS_FROM_LEDGER", {"filing": filing(import_on="2018-09-19")}, "HOLD"),
        ("DIFFERS_FROM_FORM", {"filing": filing(pga_codes=["YFT"])}, "HOLD"),
        ("UNREADABLE", {"filing": None}, "HOLD"),
        ("UNREADABLE", {"paper": None}, "HOLD"),
        ("UNREADABLE", {"custody": (statement("much", 1), None, None)}, "HOLD"),
        ("UNREADABLE", {"attachments": ((Evidence.CAPTAIN, CAPTAIN | {"sets": ["nowhere"]}),)}, "HOLD"),
    ],
)
def test_each_defect_is_found_and_decides(defect: str, changes: dict[str, object], decision: str) -> None:
    found = examined(**changes)
    assert defect in found.defects
    assert decide(found.defects).value == decision


def test_weights_that_stay_equal_are_no_defect_and_a_missing_statement_is_skipped() -> None:
    equal = statement(900, 900)
    assert examined(custody=(equal, equal, equal)).defects == ()
    away = entry(missing="cannery")
    assert examined(form=away, custody=(statement(1000, 900), None, equal)).defects == ()
    assert examined(form=away, custody=(statement(1000, 899), None, equal)).defects == (
        "IN_EXCEEDS_OUT_BEFORE",
        "FORM_EXCEEDS_CUSTODY",
    )


def test_who_endorses_and_does_not_tell_its_weights_holds_the_form_up() -> None:
    found = examined(custody=(statement(2000, 1000), None, statement(900, 900)))
    assert found.defects == ("UNREADABLE",)
    assert decide(found.defects) is InspectionState.HOLD


def test_5a_may_be_declared_without_and_in_spite_of_evidence() -> None:
    assert examined(paper=form_paper("5A"), attachments=()).defects == ()
    assert examined(paper=form_paper("5A")) == Examined((), DolphinStatus.PURSE_SEINE)


def test_every_row_must_bear_the_status() -> None:
    line = ROW | {"gear": "LONGLINE"}
    rows = form_paper("5B2", ROW | {"net_kg": 400}, line | {"net_kg": 500})
    found = examined(paper=rows, filing=filing(pga_codes=["NOT", "NOT"]))
    assert found == Examined(("STATUS_NOT_SUPPORTED",), DolphinStatus.NOT_CERTIFIED)


def test_a_status_declared_in_an_answer_takes_the_place_of_box_5() -> None:
    assert examined(attachments=(), redeclared="5A").defects == ()
    assert examined(paper=form_paper("5B3"), redeclared="5B2").defects == ()


@pytest.mark.parametrize(
    ("form", "changes", "stands"),
    [
        (entry("MISSING_ENDORSEMENT", missing="cannery"), {}, True),
        (entry("MISSING_ENDORSEMENT", missing="cannery"), {"answered": True}, True),
        (entry("MISSING_ENDORSEMENT"), {}, False),
        (entry("NO_IFTP_PERMIT"), {"has_permit": False, "answered": True}, True),
        (entry("NO_IFTP_PERMIT"), {"has_permit": True}, False),
        (entry("FILED_AFTER_IMPORTATION"), {}, True),
        (entry("FILED_AFTER_IMPORTATION"), {"answered": True}, False),
        (entry("SECOND_FORM"), {"answered": True}, True),
    ],
)
def test_a_finding_stands_until_it_is_mended_or_answered(form: FormEntry, changes, stands: bool) -> None:
    found = examined(form=form, **changes)
    assert found.defects == (form.findings if stands else ())
    assert decide(found.defects) is (InspectionState.HOLD if stands else InspectionState.MAY_PROCEED)


def test_customs_holds_the_weight_entered_against_the_form() -> None:
    assert entered_defects(form_paper(), filing(entered_kg=900)) == []
    assert [d.value for d in entered_defects(form_paper(), filing(entered_kg=901))] == [
        "ENTERED_EXCEEDS_FORM"
    ]
    assert [d.value for d in entered_defects(None, filing())] == ["UNREADABLE"]
    assert [d.value for d in entered_defects(form_paper(), filing(entered_kg="many"))] == ["UNREADABLE"]
