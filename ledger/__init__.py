"""What is recorded, who signed it, whether it holds.

Pure but for `ledger.store`, which takes an open connection, and for key files. Start with `genesis` and
`transaction`; `execution` runs a block, `checkpoint` states the result, `merkle` and `statetree` prove it.

`ledger.holidays_data` is not imported here: only whoever writes a genesis needs its libraries.
"""

from __future__ import annotations

from ledger.block import Block, Header, build_block, check_block, decode_block, transactions_root
from ledger.checkpoint import (
    Certificate,
    Checkpoint,
    certificate_of,
    parse_certificate,
    parse_checkpoint,
    sign_checkpoint,
    verify_certificate,
    verify_checkpoint,
)
from ledger.codes import Code
from ledger.encoding import Encodable, Value, decode, encode
from ledger.errors import (
    BadBlockError,
    BadProofError,
    DamagedBlockError,
    DamagedStoreError,
    EncodingError,
    EnvelopeError,
    GenesisError,
    KeyFileError,
    LedgerError,
    MalformedError,
    NoProofError,
    UnknownOrganizationError,
)
from ledger.fields import Fields
from ledger.genesis import Genesis, Limits, Organization, Role, quorum
from ledger.keys import BoxKey, Domain, PublicKey, SigningKey, Verifier, seed_for
from ledger.merkle import MerkleLog, leaf_hash, node_hash, root_of, verify_consistency, verify_inclusion
from ledger.state import (
    Overlay,
    Reader,
    State,
    certificate_key,
    claim_key,
    document_key,
    holding_key,
    nonce_key,
    organization_key,
)
from ledger.statetree import StateProof, StateTree, verify_state
from ledger.transaction import (
    SignedTransaction,
    Transaction,
    malformed_id,
    parse_transaction,
    sign_approval,
    sign_transaction,
)

__all__ = [
    "BadBlockError",
    "BadProofError",
    "Block",
    "BoxKey",
    "Certificate",
    "Checkpoint",
    "Code",
    "DamagedBlockError",
    "DamagedStoreError",
    "Domain",
    "Encodable",
    "EncodingError",
    "EnvelopeError",
    "Fields",
    "Genesis",
    "GenesisError",
    "Header",
    "KeyFileError",
    "LedgerError",
    "Limits",
    "MalformedError",
    "MerkleLog",
    "NoProofError",
    "Organization",
    "Overlay",
    "PublicKey",
    "Reader",
    "Role",
    "SignedTransaction",
    "SigningKey",
    "State",
    "StateProof",
    "StateTree",
    "Transaction",
    "UnknownOrganizationError",
    "Value",
    "Verifier",
    "build_block",
    "certificate_key",
    "certificate_of",
    "check_block",
    "claim_key",
    "decode",
    "decode_block",
    "document_key",
    "encode",
    "holding_key",
    "leaf_hash",
    "malformed_id",
    "node_hash",
    "nonce_key",
    "organization_key",
    "parse_certificate",
    "parse_checkpoint",
    "parse_transaction",
    "quorum",
    "root_of",
    "seed_for",
    "sign_approval",
    "sign_checkpoint",
    "sign_transaction",
    "transactions_root",
    "verify_certificate",
    "verify_checkpoint",
    "verify_consistency",
    "verify_inclusion",
    "verify_state",
]
