"""What Customs may find wrong with a claim beyond the ledger's own findings, by code.

Rules:
- A code says which two things do not agree, never what either says.
"""

from __future__ import annotations

from enum import StrEnum


class Defect(StrEnum):
    """What is wrong with a claim beyond the ledger's own findings."""

    NO_ENTRY_LINE = "NO_ENTRY_LINE"
    COMMITMENT_NOT_OPENED = "COMMITMENT_NOT_OPENED"
    DIFFERS_FROM_CLAIM = "DIFFERS_FROM_CLAIM"
    NO_CERTIFICATE = "NO_CERTIFICATE"
    NO_BASIS = "NO_BASIS"
    CERTIFICATE_NOT_SEEN = "CERTIFICATE_NOT_SEEN"
    DIFFERS_FROM_ANCHOR = "DIFFERS_FROM_ANCHOR"
    NOT_FILLED_IN = "NOT_FILLED_IN"
    HS_MISMATCH = "HS_MISMATCH"
    NOT_IDENTICAL = "NOT_IDENTICAL"
    NO_CRITERION = "NO_CRITERION"
    ORIGIN_MISMATCH = "ORIGIN_MISMATCH"
    UNREADABLE = "UNREADABLE"
    NO_ANSWER = "NO_ANSWER"
    WRONG_CERTIFICATE = "WRONG_CERTIFICATE"
    POSSESSION_NOT_PROVEN = "POSSESSION_NOT_PROVEN"
    INVOICE_MISMATCH = "INVOICE_MISMATCH"
    OVER_INVOICE = "OVER_INVOICE"
    TWO_PORTS = "TWO_PORTS"
    REFUSED_BEFORE = "REFUSED_BEFORE"
    SERIES = "SERIES"
    NO_REPLY = "NO_REPLY"
    VISIT_REFUSED = "VISIT_REFUSED"
    NOT_ORIGINATING = "NOT_ORIGINATING"
    PATTERN = "PATTERN"
