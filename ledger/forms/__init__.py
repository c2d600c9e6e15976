"""The data elements of each paper form and its own consistency rules, private until disclosed."""

from __future__ import annotations

from ledger.forms.form434 import (
    PUBLIC_FACTS,
    Form434Facts,
    check_form,
    disclosed_names,
    flatten,
    may_be_signed,
    public_facts,
    unflatten,
)
from ledger.forms.schema import FormFault, Severity

__all__ = [
    "PUBLIC_FACTS",
    "Form434Facts",
    "FormFault",
    "Severity",
    "check_form",
    "disclosed_names",
    "flatten",
    "may_be_signed",
    "public_facts",
    "unflatten",
]
