"""The trade rules, as tables: certificates of origin, their holdings, preference claims, documents.

Form rules refuse with a stable id, legal findings are recorded and refuse nothing. `rules` lists every
transaction type; `parameters` has every number with its source; `claim_review` is the private table that only
agents run.
"""

from __future__ import annotations

from ledger.contracts.act import Act, Context, Sender, Writer
from ledger.contracts.certificate import CERTIFICATE_TABLE, blanket_too_long
from ledger.contracts.claim import CLAIM_TABLE, ENTRY_NUMBER
from ledger.contracts.claim_findings import (
    certificate_valid_until,
    correction_due_on,
    has_proven_possession,
    post_claim_due_on,
    protest_due_on,
    summary_due_on,
)
from ledger.contracts.claim_review import (
    REVIEW_TABLE,
    FineState,
    Review,
    ReviewEvent,
    act_of,
    advance_review,
    fine_commitment,
    public_state,
)
from ledger.contracts.deadlines import LegalCalendar, add_calendar_days, anniversary, last_day_of_period
from ledger.contracts.document import DOCUMENT_TABLE, purged_roots
from ledger.contracts.evidence import DIGESTS_BYTES_MAX
from ledger.contracts.findings import Finding
from ledger.contracts.holding import HOLDING_TABLE
from ledger.contracts.holding_review import (
    HOLDING_REVIEW_TABLE,
    HoldingEvent,
    HoldingFineState,
    HoldingReview,
    advance_holding_review,
    holding_commitment,
    public_holding_state,
)
from ledger.contracts.power import POWER_TABLE
from ledger.contracts.reading import READING_TABLE
from ledger.contracts.records import (
    Blanket,
    CertificateRecord,
    CertificateState,
    ClaimRecord,
    ClaimState,
    DocumentRecord,
    DocumentState,
    HoldingRecord,
    HoldingState,
    read_certificate,
    read_claim,
    read_document,
    read_holding,
)
from ledger.contracts.regime import REGIME_OF_FORM, REGIMES, Regime, regime_of
from ledger.contracts.rules import RULES, TypeRule, read_act, rule_remedy
from ledger.contracts.table import Actor, Guard, Refusal, RuleViolatedError, Step, Table

__all__ = [
    "CERTIFICATE_TABLE",
    "CLAIM_TABLE",
    "DIGESTS_BYTES_MAX",
    "DOCUMENT_TABLE",
    "ENTRY_NUMBER",
    "HOLDING_REVIEW_TABLE",
    "HOLDING_TABLE",
    "POWER_TABLE",
    "READING_TABLE",
    "REGIMES",
    "REGIME_OF_FORM",
    "REVIEW_TABLE",
    "RULES",
    "Act",
    "Actor",
    "Blanket",
    "CertificateRecord",
    "CertificateState",
    "ClaimRecord",
    "ClaimState",
    "Context",
    "DocumentRecord",
    "DocumentState",
    "Finding",
    "FineState",
    "Guard",
    "HoldingEvent",
    "HoldingFineState",
    "HoldingRecord",
    "HoldingReview",
    "HoldingState",
    "LegalCalendar",
    "Refusal",
    "Regime",
    "Review",
    "ReviewEvent",
    "RuleViolatedError",
    "Sender",
    "Step",
    "Table",
    "TypeRule",
    "Writer",
    "act_of",
    "add_calendar_days",
    "advance_holding_review",
    "advance_review",
    "anniversary",
    "blanket_too_long",
    "certificate_valid_until",
    "correction_due_on",
    "fine_commitment",
    "has_proven_possession",
    "holding_commitment",
    "last_day_of_period",
    "post_claim_due_on",
    "protest_due_on",
    "public_holding_state",
    "public_state",
    "purged_roots",
    "read_act",
    "read_certificate",
    "read_claim",
    "read_document",
    "read_holding",
    "regime_of",
    "rule_remedy",
    "summary_due_on",
]
