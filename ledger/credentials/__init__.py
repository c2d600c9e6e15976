"""Documents as verifiable credentials: the standards by which programs that do not know this ledger check them.

Bytes and JSON values only; which document, whose key and which bit are for the caller.
"""

from __future__ import annotations

from ledger.credentials.cryptosuite import PROOF_TYPE, SUITE, ProofOptions, secure, verify_secured
from ledger.credentials.multibase import (
    base64url,
    did_key,
    multikey,
    read_base64url,
    read_multikey,
    verification_method,
)
from ledger.credentials.statuslist import ENTRIES_MIN, StatusList, read_status_list
from ledger.credentials.tlogproof import TlogProof, read_tlog_proof, verifier_key

__all__ = [
    "ENTRIES_MIN",
    "PROOF_TYPE",
    "SUITE",
    "ProofOptions",
    "StatusList",
    "TlogProof",
    "base64url",
    "did_key",
    "multikey",
    "read_base64url",
    "read_multikey",
    "read_status_list",
    "read_tlog_proof",
    "secure",
    "verification_method",
    "verifier_key",
    "verify_secured",
]
