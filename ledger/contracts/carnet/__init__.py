"""ATA carnets: the booklet, its vouchers, where its goods are, and customs' claims on the associations.

Form rules refuse what cannot be, or what is the ledger's own act; what happened at a border is recorded with its
findings. `claim_review` is the private table that only agents run.
"""

from __future__ import annotations

from ledger.contracts.carnet.booklet import CARNET_TABLE, ISSUERS, TRADERS
from ledger.contracts.carnet.claim import CARNET_CLAIM_TABLE
from ledger.contracts.carnet.claim_review import (
    CARNET_REVIEW_TABLE,
    CarnetFineState,
    CarnetReview,
    CarnetReviewEvent,
    ProofKind,
    advance_carnet_review,
    carnet_fine_commitment,
    claim_cap,
    open_review,
    proof_kind,
)
from ledger.contracts.carnet.dates import (
    CarnetStatus,
    carnet_claim_due_on,
    carnet_status,
    proof_due_on,
    recovery_due_on,
    valid_until_max,
)
from ledger.contracts.carnet.goods import CLOSED_BY, MOVES, Move, carnet_balances
from ledger.contracts.carnet.records import (
    CarnetClaimRecord,
    CarnetClaimState,
    CarnetRecord,
    CarnetState,
    GoodsRecord,
    Pieces,
    VoucherKind,
    VoucherRecord,
    VoucherState,
    read_carnet,
    read_carnet_claim,
    read_goods,
    read_voucher,
)
from ledger.contracts.carnet.voucher import VOUCHER_TABLE

__all__ = [
    "CARNET_CLAIM_TABLE",
    "CARNET_REVIEW_TABLE",
    "CARNET_TABLE",
    "CLOSED_BY",
    "ISSUERS",
    "MOVES",
    "TRADERS",
    "VOUCHER_TABLE",
    "CarnetClaimRecord",
    "CarnetClaimState",
    "CarnetFineState",
    "CarnetRecord",
    "CarnetReview",
    "CarnetReviewEvent",
    "CarnetState",
    "CarnetStatus",
    "GoodsRecord",
    "Move",
    "Pieces",
    "ProofKind",
    "VoucherKind",
    "VoucherRecord",
    "VoucherState",
    "advance_carnet_review",
    "carnet_balances",
    "carnet_claim_due_on",
    "carnet_fine_commitment",
    "carnet_status",
    "claim_cap",
    "open_review",
    "proof_due_on",
    "proof_kind",
    "read_carnet",
    "read_carnet_claim",
    "read_goods",
    "read_voucher",
    "recovery_due_on",
    "valid_until_max",
]
