"""A scenario's page tells the run that it says it does, and the run keeps to its forms and to who may read what."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from ledger.forms import FORMS
from scenarios.model.catalog import library_names
from scenarios.pages import library
from scenarios.running.options import RunResult
from scenarios.running.runner import run_scenario

PAGES = Path(__file__).parents[2] / "docs" / "scenarios"

BESIDE = frozenset(
    {
        *("kind", "claim", "certificate", "invoice_root", "fine", "state", "salt"),
        *("verification", "form370", "carnet", "voucher"),
    }
)
"""Ids, commitments and what opens them, put beside a form's own fields by whoever sends it."""

OFFICIAL = {"CF-28", "CF-29"}
ON_FORMS = {
    # Where nobody is careless or scripted to err: the forms that these scenarios have, all of them between them.
    "over-claim": {"NAFTA-434", "INVOICE", "ENTRY-LINE", *OFFICIAL},
    "cafta-importer-knowledge": {"CAFTA-DR", "ENTRY-LINE", *OFFICIAL},
    "usmca-verification": {"USMCA", "ENTRY-LINE", "CF-446"},
    "carnet-journey": {"ATA-CARNET", "ATA-VOUCHER", "ATA-COUNTERFOIL"},
    "tuna-matrix": {"NOAA-370"},
}


def on_forms(result: RunResult, checked: set[str]) -> Counter[str]:
    """Hold every document on one of these forms against the form's schema; return how many there were of each."""
    seen: Counter[str] = Counter()
    for committed in result.trial.outcome.witness.documents.values():
        flat = {disclosure.name: disclosure.value.reveal() for disclosure in committed.document.disclosures}
        form = FORMS.get(str(flat["kind"]))
        if form is not None and form.code in checked:
            own = {rule.name for rule in form.fields}
            fields = form.unflatten({k: v for k, v in flat.items() if k in own or k not in BESIDE})
            assert [str(fault) for fault in form.check(fields)] == [], form.code
            seen[form.code] += 1
    return seen


@pytest.mark.slow
@pytest.mark.parametrize("name", library_names())
def test_the_page_tells_what_the_run_comes_to(name, monkeypatch):
    ran = []

    def kept(scenario, options):
        ran.append(run_scenario(scenario, options))
        return ran[-1]

    monkeypatch.setattr(library, "run_scenario", kept)
    page = library.scenario_page(name)
    assert (PAGES / f"{name}.md").read_text(encoding="utf-8") == page, (
        f"make it again: python -m scenarios.pages {name}"
    )
    assert "verdict    passed" in page
    (result,) = ran
    assert result.readings.pairs == result.readings.as_entitled > 0
    assert result.readings.leak_count == 0
    expected = ON_FORMS.get(name, set())
    assert expected <= set(on_forms(result, expected | OFFICIAL))


def test_between_them_the_scenarios_have_every_form():
    assert set().union(*ON_FORMS.values()) == set(FORMS)
