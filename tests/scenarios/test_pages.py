"""A scenario's page tells the run that it says it does."""

from pathlib import Path

import pytest

from scenarios.model.catalog import library_names
from scenarios.telling.scenariopages import scenario_page

PAGES = Path(__file__).parents[2] / "docs" / "scenarios"


@pytest.mark.slow
@pytest.mark.parametrize("name", library_names())
def test_the_page_tells_what_the_run_comes_to(name):
    page = scenario_page(name)
    assert (PAGES / f"{name}.md").read_text(encoding="utf-8") == page, (
        f"make it again: python -m scenarios.telling {name}"
    )
    assert "verdict    passed" in page
