"""Verification of origin: what of it is public, and the fine state between Customs and whom it asks."""

from __future__ import annotations

from ledger.contracts.verification.inquiry import VERIFICATION_TABLE
from ledger.contracts.verification.records import (
    VerificationRecord,
    VerificationState,
    read_verification,
)
from ledger.contracts.verification.review import (
    VERIFICATION_REVIEW_TABLE,
    Verification,
    VerificationEvent,
    VerificationFineState,
    advance_verification,
    denial_effective_on,
    determination_is_late,
    is_pattern,
    verification_act_of,
    verification_commitment,
    verification_public_state,
)

__all__ = [
    "VERIFICATION_REVIEW_TABLE",
    "VERIFICATION_TABLE",
    "Verification",
    "VerificationEvent",
    "VerificationFineState",
    "VerificationRecord",
    "VerificationState",
    "advance_verification",
    "denial_effective_on",
    "determination_is_late",
    "is_pattern",
    "read_verification",
    "verification_act_of",
    "verification_commitment",
    "verification_public_state",
]
