"""The table of behaviors: what it names exists, who may have what, and the page is made of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.contracts.findings import Finding
from ledger.contracts.table import Refusal
from ledger.forms.criterion import is_possible
from ledger.genesis import Role
from scenarios.agents.carelessness import spoil, spoilt_fields
from scenarios.agents.carnetclaimant import FALSE_OBJECTION
from scenarios.agents.carnetpapers import GoodsDefect
from scenarios.errors import ScenarioError
from scenarios.model.behaviors import MISCONDUCT, Dishonesty, fitting
from scenarios.model.catalog import load_scenario
from scenarios.model.defects import Defect
from scenarios.model.misdeeds import rates_for
from scenarios.model.subjects import FormDefect
from scenarios.pages.behaviors import behaviors_page

PAGE = Path(__file__).parents[2] / "docs" / "behaviors.md"
CODES = {str(code.value) for codes in (Finding, Defect, FormDefect, GoodsDefect) for code in codes}


def faults(override: str) -> str:
    with pytest.raises(ScenarioError) as caught:
        load_scenario("nafta-certificate", [override])
    return "\n".join(str(fault) for fault in caught.value.faults)


def test_the_page_is_made_of_the_tables() -> None:
    assert PAGE.read_text(encoding="utf-8") == behaviors_page(), "make it again: python -m scenarios.pages"


def test_every_kind_has_a_row_and_every_code_exists() -> None:
    assert set(MISCONDUCT) == set(Dishonesty)
    slugs = {refusal.value for refusal in Refusal}
    for kind, row in MISCONDUCT.items():
        for code in row.caught_by:
            act, _, slug = code.partition("/")
            known = slug in slugs if slug else code in {*CODES, FALSE_OBJECTION, "carnet claim"}
            assert act, kind
            assert known, (kind, code)


def test_a_fraud_of_another_role_is_refused_with_those_that_fit() -> None:
    told = faults("organizations.exporter.agent.dishonest=[stamps-unseen]")
    assert "exporter cannot be dishonest so" in told
    assert "wrong-trip" in told
    assert "files-late" not in told
    assert fitting((Role.CUSTOMS,)) == (
        Dishonesty.STAMPS_UNSEEN,
        Dishonesty.STAMPS_ABSENT_GOODS,
        Dishonesty.BACK_DATES_STAMPS,
    )


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("organizations.exporter.agent.dishonest=[back-dats]", 'unknown dishonesty "back-dats"'),
        ("organizations.exporter.agent.dishonest={back-dates: 2}", "2 is no rate"),
        ("organizations.exporter.agent.dishonest=often", "is no list of frauds"),
        ("organizations.exporter.agent.dishonest={wrong-trip: {rate: 0.1, fields: [gear]}}", '"gear"'),
        ("organizations.exporter.agent.dishonest={wrong-trip: {odds: 0.1}}", 'unknown key "odds"'),
        ("organizations.cbp.agent.careless={marks: 0.1}", "cbp writes no field marks"),
        ("organizations.exporter.agent.careless={letter/marks: 0.1}", 'unknown form "letter"'),
        ("organizations.importer.agent.answer_after=silent", "a range such as 1d..12d, or never"),
        ("organizations.importer.agent.answer_after=1d..", "a range such as 1d..12d, or never"),
        ("organizations.chamber.agent.pass_on_after=never", "chamber is no guaranteeing"),
        ("organizations.importer.agent.pass_on_after=never", "importer is no guaranteeing"),
    ],
)
def test_a_slip_of_the_pen_is_told(override: str, told: str) -> None:
    assert told in faults(override)


def test_the_whole_scenario_keeps_rates_and_fields() -> None:
    said = "organizations.exporter.agent.dishonest={wrong-trip: {rate: 0.25, fields: [trip_begin]}}"
    resolved = load_scenario("nafta-certificate", [said]).resolved()
    assert '"wrong-trip": {' in resolved
    assert '"rate": 0.25' in resolved
    assert '"trip_begin"' in resolved


def test_a_field_of_one_form_goes_before_the_field_of_any() -> None:
    rates = {"marks": 0.1, "voucher/marks": 0.9, "hs6": 1.0}
    assert rates_for("voucher", rates) == {"marks": 0.9}
    assert rates_for("carnet", rates) == {"marks": 0.1}


def test_what_was_spoilt_is_named_once_and_a_number_has_a_digit_too_many() -> None:
    from random import Random

    meant = {"unit": "kg", "lines": [{"value_usd": 12}, {"value_usd": 13}]}
    written = spoil(meant, {"value_usd": 1.0}, Random(1))
    assert written == {"unit": "kg", "lines": [{"value_usd": 120}, {"value_usd": 130}]}
    assert spoilt_fields(meant, written) == ["value_usd"]


@pytest.mark.parametrize(
    ("form", "criterion", "hs6", "possible"),
    [
        ("NAFTA-434", "A", "160414", True),
        ("NAFTA-434", "A", "8471.30", False),
        ("NAFTA-434", "A", "940360", True),
        ("NAFTA-434", "E", "160414", False),
        ("NAFTA-434", "E", "847130", True),
        ("NAFTA-434", "F", "240120", True),
        ("NAFTA-434", "F", "250100", False),
        ("CAFTA-DR", "WO", "870323", False),
        ("USMCA", "B", "870323", True),
    ],
)
def test_a_criterion_is_held_against_the_chapter(
    form: str, criterion: str, hs6: str, *, possible: bool
) -> None:
    assert is_possible(form, criterion, hs6) is possible
