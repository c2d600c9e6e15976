"""Pages made of the program say what it does now; `python -m scenarios.pages` makes them again."""

import re
from pathlib import Path

import pytest

from scenarios.model.catalog import library_names
from scenarios.pages.baseline import baseline_page
from scenarios.pages.checks import checks_page
from scenarios.pages.library import index_page
from scenarios.pages.metrics import metrics_page
from scenarios.pages.reference import codes_page, commands_page, faults_page
from scenarios.pages.schema import schema_page
from scenarios.pages.traderules import rules_page

DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_of_the_trade_rules_is_what_the_tables_say():
    assert (DOCS / "trade-rules.md").read_text(encoding="utf-8") == rules_page(), (
        "make it again: python -m scenarios.pages"
    )


def test_every_machine_is_introduced_by_the_module_that_has_its_table():
    page = rules_page()
    for heading, introduction in (
        (
            "Voucher",
            "One voucher with its counterfoil: presented by the holder, endorsed or refused by customs.",
        ),
        ("Node", "A node's standing: outside the ordering, a learner of its log, or an orderer."),
        ("Holding", "The holding: one importer's possession of one certificate, the ledger's proof of it."),
    ):
        assert f"\n## {heading}\n\n{introduction}\n" in page
    assert page.count("```mermaid") == 18


def test_the_page_of_the_checks_is_what_their_table_says():
    assert (DOCS / "checks.md").read_text(encoding="utf-8") == checks_page(), (
        "make it again: python -m scenarios.pages"
    )


def test_every_library_scenario_has_its_page_and_no_other_does():
    pages = {path.stem for path in (DOCS / "scenarios").glob("*.md")} - {"index"}
    assert pages == set(library_names()), "make them again: python -m scenarios.pages NAME..."
    index = (DOCS / "scenarios" / "index.md").read_text(encoding="utf-8")
    assert index == index_page(), "make it again: python -m scenarios.pages"


def test_the_baseline_page_says_what_the_paper_arm_plays():
    assert (DOCS / "baseline.md").read_text(encoding="utf-8") == baseline_page(), (
        "make it again: python -m scenarios.pages"
    )


def test_the_metrics_page_says_how_they_are_defined_and_what_acts_cost():
    assert (DOCS / "metrics.md").read_text(encoding="utf-8") == metrics_page(), (
        "make it again: python -m scenarios.pages"
    )


REFERENCE = {
    "schema": schema_page,
    "faults": faults_page,
    "codes": codes_page,
    "commands": commands_page,
}


@pytest.mark.parametrize("name", REFERENCE)
def test_a_reference_page_says_what_the_program_says(name):
    assert (DOCS / "reference" / f"{name}.md").read_text(encoding="utf-8") == REFERENCE[name](), (
        "make it again: python -m scenarios.pages"
    )


def test_every_reference_page_is_held():
    assert {path.stem for path in (DOCS / "reference").glob("*.md")} == set(REFERENCE)


def test_the_http_interface_s_page_names_every_route_and_no_other():
    source = (DOCS.parent / "p2p" / "api.py").read_text(encoding="utf-8")
    routes = {
        f"{method.upper()} {path.replace(':.+', '')}"
        for method, path in re.findall(r'add_(get|post)\("([^"]+)"', source)
    }
    told = re.findall(
        r"^\| `((?:GET|POST) [^?` ]+)", (DOCS / "api.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert len(routes) > 10
    assert set(told) == routes
