"""The forms' own rules, asked of the ledger's modules for them.

Rules:
- Only faults of form count here: nobody could sign such a paper. What the law has against a well-formed one
  is a finding, and may be scripted.
"""

from __future__ import annotations

from collections.abc import Iterator

from ledger.forms import Severity
from scenarios.errors import RefusedError
from scenarios.model.documents import Document, form_of, form_values
from scenarios.model.yamltree import Location


def form_refusals(document: Document) -> Iterator[tuple[Location, RefusedError]]:
    """Yield what the form's own rules refuse, each with its place under `fields`."""
    for fault in form_of(document).check(form_values(document)):
        if fault.severity is Severity.FORM:
            what, _, remedy = fault.message.partition("; ")
            say = "say faulty: true if this is meant"
            yield (
                _location(fault.field),
                RefusedError(f"box {fault.box} {what}", remedy, say),
            )


def _location(field: str) -> Location:
    return tuple(int(step) - 1 if step.isdecimal() else step for step in field.split("."))
