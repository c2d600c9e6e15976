"""Writes the pages in docs/ that are made of the program itself: `python -m scenarios.pages [NAME... | all]`.

The trade rules, the baseline, the metrics, the behaviors, the checks, the reference and the list of scenarios are
written every time, the pages of scenarios as they are named: each costs a run.
"""

from __future__ import annotations

import sys
from pathlib import Path

from scenarios.model.catalog import library_names
from scenarios.pages.baseline import baseline_page
from scenarios.pages.behaviors import behaviors_page
from scenarios.pages.checks import checks_page
from scenarios.pages.library import index_page, scenario_page
from scenarios.pages.metrics import metrics_page
from scenarios.pages.reference import codes_page, commands_page, faults_page
from scenarios.pages.schema import schema_page
from scenarios.pages.traderules import rules_page

DOCS = Path(__file__).parents[2] / "docs"


def main(names: list[str]) -> None:
    """Write the pages."""
    pages = DOCS / "scenarios"
    reference = DOCS / "reference"
    for folder in (pages, reference):
        folder.mkdir(exist_ok=True)
    made = {
        DOCS / "trade-rules.md": rules_page(),
        DOCS / "checks.md": checks_page(),
        DOCS / "baseline.md": baseline_page(),
        DOCS / "metrics.md": metrics_page(),
        DOCS / "behaviors.md": behaviors_page(),
        pages / "index.md": index_page(),
        reference / "schema.md": schema_page(),
        reference / "faults.md": faults_page(),
        reference / "codes.md": codes_page(),
        reference / "commands.md": commands_page(),
    }
    for name in library_names() if names == ["all"] else names:
        made[pages / f"{name}.md"] = scenario_page(name)
    for path, text in made.items():
        path.write_text(text, encoding="utf-8")
        print(path.relative_to(DOCS.parent))


if __name__ == "__main__":
    main(sys.argv[1:])
