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
    certified_height,
    parse_certificate,
    parse_checkpoint,
    sign_checkpoint,
    verify_certificate,
    verify_checkpoint,
)
from ledger.codes import Code
from ledger.configuration import CONFIGURATION_TYPES, configuration_type
from ledger.electorate import Constituency, Electorate
from ledger.encoding import Encodable, Value, decode, encode
from ledger.errors import (
    BadBlockError,
    BadLinkError,
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
    NotHereYetError,
    NotProvenError,
    RosterError,
    UnknownOrganizationError,
)
from ledger.fields import Fields
from ledger.genesis import Genesis, Limits, Organization, Role, quorum
from ledger.keys import BoxKey, Domain, PublicKey, SigningKey, Verifier, seed_for
from ledger.members import KeyTerm, Member, NodeTerm, Seat
from ledger.merkle import MerkleLog, leaf_hash, node_hash, root_of, verify_consistency, verify_inclusion
from ledger.roster import Roster
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
    "CONFIGURATION_TYPES",
    "BadBlockError",
    "BadLinkError",
    "BadProofError",
    "Block",
    "BoxKey",
    "Certificate",
    "Checkpoint",
    "Code",
    "Constituency",
    "DamagedBlockError",
    "DamagedStoreError",
    "Domain",
    "Electorate",
    "Encodable",
    "EncodingError",
    "EnvelopeError",
    "Fields",
    "Genesis",
    "GenesisError",
    "Header",
    "KeyFileError",
    "KeyTerm",
    "LedgerError",
    "Limits",
    "MalformedError",
    "Member",
    "MerkleLog",
    "NoProofError",
    "NodeTerm",
    "NotHereYetError",
    "NotProvenError",
    "Organization",
    "Overlay",
    "PublicKey",
    "Reader",
    "Role",
    "Roster",
    "RosterError",
    "Seat",
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
    "certified_height",
    "check_block",
    "claim_key",
    "configuration_type",
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
