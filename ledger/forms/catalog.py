"""Every paper form, by its code."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ledger.encoding import Value
from ledger.forms.cafta import CAFTA_DR
from ledger.forms.carnet import ATA_CARNET
from ledger.forms.entry_line import ENTRY_LINE
from ledger.forms.form import Form
from ledger.forms.form370 import NOAA_370
from ledger.forms.form434 import FORM_434
from ledger.forms.inquiry import CF_28, CF_29, FORM_446
from ledger.forms.invoice import INVOICE
from ledger.forms.period import CertificateFacts, facts_of
from ledger.forms.usmca import USMCA
from ledger.forms.voucher import ATA_COUNTERFOIL, ATA_VOUCHER

CERTIFICATES: Mapping[str, Form] = MappingProxyType({form.code: form for form in (FORM_434, CAFTA_DR, USMCA)})
"""The certificates of origin."""

_OTHERS = (INVOICE, ENTRY_LINE, CF_28, CF_29, FORM_446, NOAA_370, ATA_CARNET, ATA_VOUCHER, ATA_COUNTERFOIL)

FORMS: Mapping[str, Form] = MappingProxyType(
    {
        **CERTIFICATES,
        **{form.code: form for form in _OTHERS},
    }
)
"""All of them."""


def public_facts(form: Form, fields: Mapping[str, Value]) -> CertificateFacts:
    """Return what of a certificate goes on the ledger.

    Raises:
        ValueError: if it has faults in these fields; check it first.
    """
    return facts_of(fields, form.check(fields), form.title)
