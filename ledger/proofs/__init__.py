"""Files that prove something of the ledger to whoever knows the genesis hash alone.

Bytes in, a typed statement out; no store, no clock. A state proof (`StateProof`) and an inclusion proof are parts of
such a file; a file has everything else too.
"""

from __future__ import annotations

from ledger.proofs.certified import CertifiedAct, CertifiedLedger, Moment, certified_ledger
from ledger.proofs.complaint import Complaint, verify_complaint
from ledger.proofs.complaintfile import (
    COMPLAINT_FORMAT,
    ComplaintProof,
    decode_complaint,
    is_complaint_file,
)
from ledger.proofs.file import (
    FORMAT,
    PROOF_BYTES_MAX,
    PossessionProof,
    ProvenAct,
    ProvenLeaf,
    ProvenRecord,
    decode_proof,
)
from ledger.proofs.possession import Possession, verify_possession

__all__ = [
    "COMPLAINT_FORMAT",
    "FORMAT",
    "PROOF_BYTES_MAX",
    "CertifiedAct",
    "CertifiedLedger",
    "Complaint",
    "ComplaintProof",
    "Moment",
    "Possession",
    "PossessionProof",
    "ProvenAct",
    "ProvenLeaf",
    "ProvenRecord",
    "certified_ledger",
    "decode_complaint",
    "decode_proof",
    "is_complaint_file",
    "verify_complaint",
    "verify_possession",
]
