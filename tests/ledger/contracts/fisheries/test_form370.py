"""Form 370 as a paper form: its boxes, its attachments, who reads what."""

from __future__ import annotations

import pytest

from ledger.contracts.fisheries import DolphinStatus, Evidence
from ledger.encoding import Value
from ledger.forms import form370
from ledger.forms.tuna_attachments import any_set_in_etp, check_attachment, is_about, supports
from ledger.genesis import Role

ROW: dict[str, Value] = {
    "hts": "1604.14.2291",
    "species": "SKJ",
    "product_form": "pouches",
    "net_kg": 18_000,
    "ocean_area": "WCP",
    "gear": "PURSE_SEINE",
    "vessel_flag": "PH",
    "vessel_name": "Bituin ng Dagat",
    "trip_begin": "2018-06-01",
    "trip_end": "2018-07-12",
}
FORM: dict[str, Value] = {
    "exporter_name": "Exporter",
    "exporter_address": "Street 1",
    "exporter_email": "a@b.example",
    "importer_name": "Importer",
    "importer_address": "Street 2",
    "importer_email": "c@d.example",
    "rows": [ROW],
    "status": "5B2",
}
CAPTAIN: dict[str, Value] = {
    "vessel_name": "Bituin ng Dagat",
    "trip_begin": "2018-06-01",
    "trip_end": "2018-07-12",
    "captain_name": "R. Santos",
    "not_set_on_dolphins": "YES",
    "none_killed_or_injured": "YES",
    "training_completed": "YES",
    "sets": ["3.500N 155.000E"],
}
OBSERVER: dict[str, Value] = {
    **{name: CAPTAIN[name] for name in ("vessel_name", "trip_begin", "trip_end", "sets")},
    "observer_name": "O. Reyes",
    "program": "Regional observer program",
    "whole_trip": "YES",
    "not_set_on_dolphins": "YES",
    "none_killed_or_injured": "YES",
}
IDCP: dict[str, Value] = {
    **{name: CAPTAIN[name] for name in ("vessel_name", "trip_begin", "trip_end")},
    "nation": "Mexico",
    "certification_number": "IDCP-1",
    "signer_name": "I. Luna",
    "observer_whole_trip": "YES",
    "none_killed_or_injured": "YES",
}
ATTACHMENTS = {Evidence.CAPTAIN: CAPTAIN, Evidence.OBSERVER: OBSERVER, Evidence.IDCP: IDCP}


def faults(**row: Value) -> list[tuple[int, str]]:
    return [(f.box, f.field) for f in form370.NOAA_370.check(FORM | {"rows": [ROW, ROW | row]})]


def test_a_filled_in_form_has_no_fault() -> None:
    assert form370.NOAA_370.check(FORM) == []
    assert form370.NOAA_370.check(FORM | {"entry": "SX7-1000418-2", "entry_on": "2018-09-12"}) == []


@pytest.mark.parametrize("name", [name for name in FORM if name != "rows"])
def test_an_empty_box_is_named(name: str) -> None:
    (fault,) = form370.NOAA_370.check({key: value for key, value in FORM.items() if key != name})
    assert fault.field == name


@pytest.mark.parametrize("name", list(ROW))
def test_an_empty_field_of_a_row_is_named(name: str) -> None:
    assert faults(**{name: None}) == [(4, f"rows.2.{name}")]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("hts", "160414"),
        ("hts", "0302.32.0000"),  # fresh tuna
        ("species", "TUN"),
        ("net_kg", 0),
        ("net_kg", 1.5),
        ("ocean_area", "Pacific"),
        ("gear", "PS"),
        ("vessel_flag", "Philippines"),
        ("trip_begin", "2018-06-31"),
        ("trip_begin", "1993-12-31"),
        ("trip_end", "2018-05-31"),  # before it begins
    ],
)
def test_a_wrong_row_is_named(name: str, value: Value) -> None:
    assert faults(**{name: value}) == [(4, f"rows.2.{name}")]


def test_a_trip_may_end_on_the_day_it_begins() -> None:
    assert faults(trip_end="2018-06-01") == []


def test_frozen_tuna_of_the_fish_chapter_is_in_scope() -> None:
    assert faults(hts="0303.42.0060") == []


def test_a_form_has_rows_and_one_of_the_six_statuses() -> None:
    assert [f.field for f in form370.NOAA_370.check(FORM | {"rows": []})] == ["rows"]
    assert [f.field for f in form370.NOAA_370.check(FORM | {"status": "5B6"})] == ["status"]
    for status in DolphinStatus:
        assert form370.NOAA_370.check(FORM | {"status": status.value}) == []


def test_rows_are_committed_to_field_by_field_and_come_back() -> None:
    flat = form370.NOAA_370.flatten(FORM | {"rows": [ROW, ROW | {"net_kg": 7}]})
    assert (flat["rows.1.net_kg"], flat["rows.2.net_kg"]) == (18_000, 7)
    assert form370.NOAA_370.unflatten(flat) == FORM | {"rows": [ROW, ROW | {"net_kg": 7}]}


def test_a_processor_does_not_read_who_the_importer_is() -> None:
    everything = tuple(sorted(form370.NOAA_370.flatten(FORM)))
    for role in (Role.FISHERIES, Role.CUSTOMS, Role.IMPORTER):
        assert form370.NOAA_370.disclosed_names(FORM, role) == everything
    hidden = set(everything) - set(form370.NOAA_370.disclosed_names(FORM, Role.PROCESSOR))
    assert hidden == {"importer_name", "importer_address", "importer_email"}
    assert form370.NOAA_370.disclosed_names(FORM, Role.CHAMBER) == ()


@pytest.mark.parametrize("evidence", Evidence)
def test_a_filled_in_attachment_has_no_fault_and_supports(evidence: Evidence) -> None:
    fields = ATTACHMENTS[evidence]
    assert check_attachment(evidence, fields) == []
    assert supports(evidence, fields)
    for name in fields:
        if name != "sets":
            assert [f.field for f in check_attachment(evidence, {**fields, name: None})] == [name]
        if fields[name] == "YES":
            assert not supports(evidence, fields | {name: "NO"})


def test_an_attachment_is_about_one_trip_of_one_vessel() -> None:
    assert is_about(CAPTAIN, ROW)
    for name, value in (("vessel_name", "Other"), ("trip_begin", "2018-06-02"), ("trip_end", "2018-07-13")):
        assert not is_about(CAPTAIN, ROW | {name: value})


def test_one_set_in_the_etp_is_enough() -> None:
    assert not any_set_in_etp([CAPTAIN, IDCP])
    assert any_set_in_etp([IDCP, CAPTAIN | {"sets": ["3.500N 155.000E", "8.000N 100.000W"]}])


@pytest.mark.parametrize("sets", [[], ["here"], "8.000N 100.000W", [7]])
def test_sets_are_positions(sets: Value) -> None:
    assert [f.field for f in check_attachment(Evidence.CAPTAIN, CAPTAIN | {"sets": sets})] == ["sets"]
