"""Careless hands: at rate one every writer of a form spoils every field of it.

That nobody spoils any at rate nought, the prompt runs of `test_delays` show.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from ledger.genesis import Role
from scenarios.agents.conduct import CARELESS
from scenarios.model.misdeeds import WRITTEN
from scenarios.running.options import RunOptions, RunResult
from scenarios.running.runner import run_scenario
from tests.scenarios.delays.everybody import PARTS, careless, everybody

pytestmark = pytest.mark.slow

PARTS_OF_FORMS = {
    "origin": ("certificate", "invoice", "entry-line", "answer"),
    "tuna": ("form-370",),
    "carnets": ("voucher",),
    "withheld carnets": ("carnet",),
}
"""Forms that one run can spoil: a spoilt list is never issued, so that no voucher is looked at."""


def play(folder: Path, part: str, forms: Iterable[str], rate: float) -> RunResult:
    """Run a part in which everybody spoils every field of some forms at a rate."""
    part = part.rpartition(" ")[2]
    agents = {who: {"careless": careless(who, forms, rate)} for who in PARTS[part]}
    result = run_scenario(everybody(folder, part, agents), RunOptions("virtual", "1", folder / "run"))
    assert result.judgment.violations == ()
    return result


def spoilt(result: RunResult) -> dict[tuple[str, Role], set[str]]:
    """Return the fields spoilt, by form and by whose role; organizations are named by their only role."""
    found: dict[tuple[str, Role], set[str]] = {}
    for event in result.book.events:
        if event.name == "noncompliance.done":
            assert event.text("kind") == CARELESS
            fields = event.fields["fields"]
            assert isinstance(fields, list | tuple)
            for one in fields:
                form, _, name = str(one).partition("/")
                found.setdefault((form, Role(event.text("organization"))), set()).add(name)
    return found


def test_every_form_is_in_one_run() -> None:
    forms = [form for forms in PARTS_OF_FORMS.values() for form in forms]
    assert sorted(forms) == sorted(WRITTEN)


@pytest.mark.parametrize("part", PARTS_OF_FORMS)
def test_at_rate_one_every_writer_of_a_form_spoils_every_field_of_it(part: str, tmp_path: Path) -> None:
    forms = PARTS_OF_FORMS[part]
    seen = spoilt(play(tmp_path, part, forms, 1.0))
    for form in forms:
        writers, fields = WRITTEN[form]
        assert {role for name, role in seen if name == form} == set(writers), form
        assert set().union(*(seen[form, role] for role in writers)) == set(fields), form
