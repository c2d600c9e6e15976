"""Forms 370 in a scenario file: what is refused with file and line, what is not."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from scenarios.errors import ScenarioError
from scenarios.model.catalog import LIBRARY, load_scenario
from scenarios.privacy.leaks import CANARY_CHARACTERS_MIN
from scenarios.telling.fisheries import status_table

TEXT = (LIBRARY / "tuna-matrix.yaml").read_text(encoding="utf-8")
PAGE = (Path(__file__).parents[2] / "docs" / "form-370.md").read_text(encoding="utf-8")


def test_a_sound_form_says_its_chain_and_its_attachments_trips() -> None:
    form = load_scenario("tuna-matrix").forms["seine-other-trip"]
    assert [(who, role.value) for who, role in form.chain()] == [
        ("exporter", "exporter"),
        ("cannery", "processor"),
        ("newcomer", "importer"),
    ]
    (captain,) = form.attachments
    own = form.attachment_values(captain)
    assert (own["vessel_name"], own["trip_begin"]) == ("Bituin ng Dagat Sulu", "2018-03-01")
    assert {"row", "late", "evidence"}.isdisjoint(own)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("forms.large-safe.custody.2.by=importer", "this place in the chain is the processor's"),
        ("forms.large-safe.custody.2.by=nobody", 'unknown organization "nobody"'),
        ("forms.large-safe.custody.3.by=cannery", "cannery takes custody twice"),
        ('forms.large-safe.import_on="2019-01-01"', "lies outside the calendar"),
        ("forms.large-safe.status=5B6", r"box 5 '5B6' is not one of"),
        ("forms.large-safe.rows.1.gear=PS", r"box 4 'PS' is not one of"),
        ('forms.large-safe.rows.1.hts="0302.32.0000"', "fresh or chilled"),
        ("forms.large-safe.attachments.1.row=2", "there is no row 2"),
        ('forms.large-safe.attachments.2.sets=["8N"]', "is no position"),
        ("steps.3.form370=nothing", 'unknown form "nothing"'),
        ("steps.1.holder=nobody", 'unknown organization "nobody"'),
        ("steps.3.by=cannery", "draft-form370 needs the role exporter"),
        ("organizations.noaa.roles=[observer]", "nobody to check them"),
    ],
)
def test_a_slip_of_the_pen_is_refused_where_it_stands(override: str, message: str) -> None:
    with pytest.raises(ScenarioError, match=re.escape(message) if "'" not in message else message):
        load_scenario("tuna-matrix", [override])


def test_who_does_what_is_held_to_the_form() -> None:
    with pytest.raises(ScenarioError, match="newcomer may not file-form370 filed-in-time"):
        load_scenario("tuna-matrix", ["steps.33.by=newcomer"])


def test_a_faulty_form_is_taken_if_it_says_so() -> None:
    overrides = ["forms.large-safe.rows.1.gear=PS", "forms.large-safe.faulty=true"]
    assert load_scenario("tuna-matrix", overrides).forms["large-safe"].faulty


def test_names_of_forms_in_sentences_are_checked() -> None:
    for sentence in ("form nix is HOLD", "status of form nix is 5A", "defect of form nix is DRIFTNET"):
        with pytest.raises(ScenarioError, match='unknown form "nix"'):
            load_scenario("tuna-matrix", [f'expect.1="{sentence}"'])
    with pytest.raises(ScenarioError, match='unknown status of form state "5C"'):
        load_scenario("tuna-matrix", ['expect.1="status of form driftnet is 5C"'])
    with pytest.raises(ScenarioError, match="is no expectation"):
        load_scenario("tuna-matrix", ['expect.1="status of form driftnet has no finding"'])


def test_every_form_of_the_matrix_is_expected_to_end_somewhere() -> None:
    scenario = load_scenario("tuna-matrix")
    ends = [sentence.split()[1] for sentence in map(str, scenario.expect) if " ends " in sentence]
    assert set(scenario.forms) - set(ends) - {"of"} == {"filed-in-time"}


def test_the_page_has_the_status_table_that_runs() -> None:
    assert status_table() in PAGE


CODED = {
    "hts", "species", "net_kg", "ocean_area", "gear", "vessel_flag", "trip_begin", "trip_end", "status",
    "whole_trip", "not_set_on_dolphins", "none_killed_or_injured", "training_completed", "observer_whole_trip", "sets",
}  # fmt: skip
"""Fields that are codes, dates, weights or positions: their salts are searched for, their values say nothing."""


def test_every_private_text_of_the_matrix_can_be_searched_for() -> None:
    scenario = load_scenario("tuna-matrix")
    texts: set[str] = set()
    for form in scenario.forms.values():
        records: list[Any] = [form.form_values(), *form.rows, *map(form.attachment_values, form.attachments)]
        for record in records:
            values = record if isinstance(record, dict) else record.model_dump(exclude_none=True)
            texts |= {str(v) for name, v in values.items() if name not in CODED and isinstance(v, str)}
    assert len(texts) > 30
    assert not [text for text in texts if len(text.encode()) < CANARY_CHARACTERS_MIN]
    public = " ".join([o.name for o in scenario.organizations.values()])
    assert not [text for text in texts if text in public]
