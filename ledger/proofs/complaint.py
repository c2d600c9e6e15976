"""Whether an envelope that a reader complained of is spoilt, and whose it is.

Rules:
- The complaint is on the ledger, VALID, and names what its accused signed: digests, or an envelope's seal.
- The accused sent this document to this reader, by the ledger's own record, and the signature is by a key of its that
  nobody had stolen when the complaint stood on the ledger.
- Signed digests that give another root convict their signer.
- Of a seal, the file has the very bytes that were sealed. They are judged as their addressee judges them, by their
  opening (`ledger.openings`): spoilt, which convicts who sealed them, or sound, which makes the complaint false.
- The reason that the complaint gives decides nothing: a spoilt envelope is spoilt, however its reader worded it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from ledger.contracts.act import Act
from ledger.contracts.evidence import Complaint as SaidComplaint
from ledger.contracts.evidence import SignedDigests, SignedSeal
from ledger.contracts.holding import ComplainHolding
from ledger.contracts.reading import ComplainDocument
from ledger.contracts.records import (
    DocumentRecord,
    read_certificate,
    read_document,
    read_holding,
    read_reading,
)
from ledger.documents import DIGEST_BYTES, digests_statement, document_root
from ledger.envelopes import is_senders, seal_statement
from ledger.errors import BadProofError
from ledger.keys import Domain, Verifier
from ledger.openings import Judged, Soundness, judge
from ledger.proofs.certified import CertifiedAct, CertifiedLedger, Moment, certified_ledger, proving
from ledger.proofs.complaintfile import ComplaintProof
from ledger.proofs.file import ProvenRecord
from ledger.state import certificate_key, document_key, holding_key, reading_key

COMPLAINT, EVIDENCE, ENVELOPE = "complaint", "evidence", "envelope"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Complaint:
    """What a complaint file proves.

    Attributes:
        ledger: the certified ledger it is proven by.
        reader: who complains, organization id.
        accused: who sent what is complained of.
        root: of the document, 32 bytes.
        certificate: the certificate's id, if it is one of origin.
        document: the document's record at the checkpoint.
        reason: the complaint's word.
        complained: when it was made.
        standing: the state of the reader's holding or reading at the checkpoint.
        envelope: sha256 of the sealed bytes; None if signed digests convict.
        judged: what the envelope is; None if signed digests convict.
    """

    ledger: CertifiedLedger
    reader: str
    accused: str
    root: bytes
    certificate: bytes | None
    document: DocumentRecord
    reason: str
    complained: Moment
    standing: str
    envelope: bytes | None
    judged: Judged | None

    @property
    def is_true(self) -> bool:
        """Whether the envelope is spoilt."""
        return self.judged is None or self.judged.soundness is not Soundness.SOUND


@dataclass(frozen=True, slots=True)
class _Subject:
    """What is complained of."""

    said: SaidComplaint
    root: bytes
    certificate: bytes | None
    standing: str


def verify_complaint(proof: ComplaintProof, genesis_hash: bytes, verifier: Verifier) -> Complaint:
    """Return what a file proves: that an envelope is spoilt, or that the complaint about it is false.

    Args:
        proof: what the file holds.
        genesis_hash: 32 bytes that the reader of the file trusts; nothing else is.
        verifier: for the signatures.

    Raises:
        NotProvenError: naming the part that does not hold.
    """
    ledger = certified_ledger(
        genesis_hash, proof.genesis, proof.links, proof.checkpoint, proof.membership, verifier
    )
    certified = ledger.act(COMPLAINT, proof.complaint, verifier)
    reader = certified.transaction.creator
    subject = _subject(ledger, proof, certified.act, certified.transaction.type, reader)
    evidence = subject.said.evidence
    document = _read(ledger, "document record", document_key(subject.root), proof.document, read_document)
    with proving(EVIDENCE):
        _check_signed(ledger, document, subject, certified, verifier)
    with proving(ENVELOPE):
        judged = _judge(ledger, proof, subject, reader)
    return Complaint(
        ledger=ledger,
        reader=reader,
        accused=evidence.by,
        root=subject.root,
        certificate=subject.certificate,
        document=document,
        reason=subject.said.reason.value,
        complained=certified.moment,
        standing=subject.standing,
        envelope=evidence.envelope if isinstance(evidence, SignedSeal) else None,
        judged=judged,
    )


def _subject(ledger: CertifiedLedger, proof: ComplaintProof, act: Act, kind: str, reader: str) -> _Subject:
    part = "standing record"
    if isinstance(act, ComplainDocument):
        with proving("certificate record"):
            if proof.certificate is not None:
                raise BadProofError(f"{kind} is of a document, and the file has a certificate")
        reading = _read(ledger, part, reading_key(act.root, reader), proof.standing, read_reading)
        return _Subject(act.complaint, act.root, None, reading.state.value)
    with proving(COMPLAINT):
        if not isinstance(act, ComplainHolding):
            raise BadProofError(f"{kind} is no complaint about an envelope")
        if proof.certificate is None:
            raise BadProofError("it is of a certificate, and the file does not have the certificate's record")
    key = certificate_key(act.certificate)
    certificate = _read(ledger, "certificate record", key, proof.certificate, read_certificate)
    holding = _read(ledger, part, holding_key(act.certificate, reader), proof.standing, read_holding)
    return _Subject(act.complaint, certificate.root, act.certificate, holding.state.value)


def _check_signed(
    ledger: CertifiedLedger,
    document: DocumentRecord,
    subject: _Subject,
    certified: CertifiedAct,
    verifier: Verifier,
) -> None:
    evidence, reader = subject.said.evidence, certified.transaction.creator
    if evidence.by not in document.senders_to(reader):
        raise BadProofError(
            f"{evidence.by} did not send {reader} this document, by the ledger's record of it"
        )
    if isinstance(evidence, SignedDigests):
        digests = _split(evidence.digests)
        if document_root(digests) == subject.root:
            raise BadProofError("the signed digests are those of the root: they contradict nothing")
        domain, statement = Domain.ENVELOPE, digests_statement(subject.root, digests)
    else:
        domain, statement = Domain.SEAL, seal_statement(subject.root, reader, evidence.envelope)
    member, network = ledger.roster.find_ever(evidence.by), ledger.genesis.network
    height = certified.moment.height
    if not is_senders(member, verifier, domain, network, statement, evidence.signature, height):
        raise BadProofError(
            f"no key that {evidence.by} has, or had, and that was not stolen by height {height}, signed it"
        )


def _judge(ledger: CertifiedLedger, proof: ComplaintProof, subject: _Subject, reader: str) -> Judged | None:
    evidence = subject.said.evidence
    if isinstance(evidence, SignedDigests):
        if proof.sealed is not None or proof.opening is not None:
            raise BadProofError("signed digests convict by themselves, and the file has an envelope besides")
        return None
    if proof.sealed is None:
        raise BadProofError("the file does not have the envelope, and only that shows whether it is spoilt")
    if hashlib.sha256(proof.sealed).digest() != evidence.envelope:
        raise BadProofError("it is another one than the complaint names by its hash")
    member = ledger.roster.find_ever(reader)
    keys = () if member is None else tuple(term.key for term in member.box_keys)
    return judge(proof.sealed, subject.root, keys, proof.opening)


def _read(
    ledger: CertifiedLedger, part: str, key: str, proven: ProvenRecord, reader: Callable[[bytes], T]
) -> T:
    value = ledger.record(part, key, proven)
    with proving(part):
        try:
            return reader(value)
        except ValueError as error:
            raise BadProofError(f"it is of other rules than these: {error}") from error


def _split(digests: bytes) -> list[bytes]:
    return [digests[at : at + DIGEST_BYTES] for at in range(0, len(digests), DIGEST_BYTES)]
