"""What a complaint about an envelope rests on: a statement that the envelope's sender signed.

Rules:
- There is no complaint without one, so nobody is accused of what it never signed.
- Signed digests that give another root convict their signer here and now, and tell nothing of any field.
- A signed seal says whose envelope the complaint is about, and binds both: its sender to these very bytes, its reader
  to what it says of them. Whether they open is not decided here, for that takes the envelope's opening, by which
  everybody could read it: the reader hands it in a file to whom it chooses (`ledger.proofs.complaint`).
- The signer is one who sent this reader this document; what a stolen key signed accuses nobody.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ledger.contracts.act import Context, read_organization
from ledger.contracts.findings import Finding
from ledger.contracts.records import ComplaintRecord, DocumentRecord
from ledger.documents import DIGEST_BYTES, digests_statement, document_root
from ledger.envelopes import is_senders, seal_statement
from ledger.fields import Fields
from ledger.keys import SIGNATURE_BYTES, Domain

DIGESTS_BYTES_MAX = 384 * DIGEST_BYTES
"""What fits a transaction of the default size; of a document with more digests the signed seal is shown."""


EVIDENCE_SAYS = "a statement that the envelope's sender signed, and that shows what is said"


class ComplaintReason(StrEnum):
    """What a reader says of an envelope."""

    ROOT_MISMATCH = "ROOT_MISMATCH"
    UNREADABLE = "UNREADABLE"


@dataclass(frozen=True, slots=True)
class SignedDigests:
    """Digests that somebody signed as those of a root.

    Attributes:
        by: who signed.
        digests: all of them, 32 bytes each, one after the other.
        signature: over `digests_statement` under `Domain.ENVELOPE`.
    """

    by: str
    digests: bytes
    signature: bytes

    def holds(self, context: Context, root: bytes) -> bool:
        """Say whether they were signed for this root and give another."""
        size = len(self.digests)
        digests = [self.digests[at : at + DIGEST_BYTES] for at in range(0, size, DIGEST_BYTES)]
        if document_root(digests) == root:
            return False
        return _signed(context, self.by, Domain.ENVELOPE, digests_statement(root, digests), self.signature)


@dataclass(frozen=True, slots=True)
class SignedSeal:
    """An envelope, by what its sender signed when it sent it.

    Attributes:
        by: who signed.
        envelope: sha256 of the sealed bytes.
        signature: over `seal_statement` under `Domain.SEAL`.
    """

    by: str
    envelope: bytes
    signature: bytes

    def holds(self, context: Context, root: bytes) -> bool:
        """Say whether it was signed for this root and for whoever complains."""
        statement = seal_statement(root, context.sender.id, self.envelope)
        return _signed(context, self.by, Domain.SEAL, statement, self.signature)


@dataclass(frozen=True, slots=True)
class Complaint:
    """What a reader says of an envelope, and what that rests on."""

    reason: ComplaintReason
    evidence: SignedDigests | SignedSeal

    def holds(self, context: Context, root: bytes, document: DocumentRecord) -> bool:
        """Say whether it accuses one who sent this document to whoever complains, of what it signed."""
        sent = self.evidence.by in document.senders_to(context.sender.id)
        return sent and self.evidence.holds(context, root)

    @property
    def record(self) -> ComplaintRecord:
        """What the state keeps of it."""
        evidence = self.evidence
        envelope = evidence.envelope if isinstance(evidence, SignedSeal) else None
        return ComplaintRecord(self.reason.value, evidence.by, envelope)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is recorded with it."""
        if isinstance(self.evidence, SignedSeal):
            return (Finding.ENVELOPE_DISPUTED,)
        return (Finding.ENVELOPE_CONTRADICTS_ROOT,)


def read_complaint(fields: Fields) -> Complaint:
    """Take a complaint's reason and evidence."""
    reason = fields.member("reason", ComplaintReason)
    evidence = fields.fields("evidence")
    by = read_organization(evidence, "by")
    signature = evidence.raw("signature", size=SIGNATURE_BYTES)
    digests = evidence.optional_raw("digests", max_size=DIGESTS_BYTES_MAX)
    envelope = evidence.optional_raw("envelope", size=DIGEST_BYTES)
    evidence.finish()
    if (digests is None) == (envelope is None):
        evidence.refuse("digests", "give either digests that were signed, or the envelope whose seal was")
    if envelope is not None:
        return Complaint(reason, SignedSeal(by, envelope, signature))
    if not digests or len(digests) % DIGEST_BYTES:
        evidence.refuse("digests", f"{len(digests or b'')} bytes are no digests of {DIGEST_BYTES} bytes each")
    if reason is not ComplaintReason.ROOT_MISMATCH:
        evidence.refuse("digests", "digests show another root; complain with ROOT_MISMATCH")
    return Complaint(reason, SignedDigests(by, digests, signature))


def _signed(context: Context, by: str, domain: Domain, statement: bytes, signature: bytes) -> bool:
    member = context.roster.find_ever(by)
    return is_senders(member, context.verifier, domain, context.roster.network, statement, signature)
