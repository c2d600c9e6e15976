"""The data elements of each paper form and its own consistency rules, private until disclosed."""

from __future__ import annotations

from ledger.forms.catalog import CERTIFICATES, FORMS, public_facts
from ledger.forms.form import Form, Lines
from ledger.forms.period import PUBLIC_FACTS, CertificateFacts
from ledger.forms.schema import FormFault, Severity, may_be_signed

__all__ = [
    "CERTIFICATES",
    "FORMS",
    "PUBLIC_FACTS",
    "CertificateFacts",
    "Form",
    "FormFault",
    "Lines",
    "Severity",
    "may_be_signed",
    "public_facts",
]
