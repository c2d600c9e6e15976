"""Pages made of the program say what it does now; `python -m scenarios.telling` makes them again."""

from pathlib import Path

from scenarios.model.catalog import library_names
from scenarios.telling.baselinepage import baseline_page
from scenarios.telling.checkpage import checks_page
from scenarios.telling.metricspage import metrics_page
from scenarios.telling.rulepages import rules_page
from scenarios.telling.scenariopages import index_page

DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_of_the_trade_rules_is_what_the_tables_say():
    assert (DOCS / "trade-rules.md").read_text(encoding="utf-8") == rules_page(), (
        "make it again: python -m scenarios.telling"
    )


def test_the_page_of_the_checks_is_what_their_table_says():
    assert (DOCS / "checks.md").read_text(encoding="utf-8") == checks_page(), (
        "make it again: python -m scenarios.telling"
    )


def test_every_library_scenario_has_its_page_and_no_other_does():
    pages = {path.stem for path in (DOCS / "scenarios").glob("*.md")} - {"index"}
    assert pages == set(library_names()), "make them again: python -m scenarios.telling NAME..."
    index = (DOCS / "scenarios" / "index.md").read_text(encoding="utf-8")
    assert index == index_page(), "make it again: python -m scenarios.telling"


def test_the_baseline_page_says_what_the_paper_arm_plays():
    assert (DOCS / "baseline.md").read_text(encoding="utf-8") == baseline_page(), (
        "make it again: python -m scenarios.telling"
    )


def test_the_metrics_page_says_how_they_are_defined_and_what_acts_cost():
    assert (DOCS / "metrics.md").read_text(encoding="utf-8") == metrics_page(), (
        "make it again: python -m scenarios.telling"
    )
