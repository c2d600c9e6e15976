"""Whether an importer held a certificate of origin before it made a claim.

Rules:
- Held means: the importer of record acknowledged it, signed, after it had opened the envelope and recomputed the root
  (19 CFR 181.21(a)); an importer that certifies itself holds its certificate from the anchoring on.
- An acknowledgement is VALID once for one certificate and one importer, so one after the claim shows that there was
  none before it. The state's record says the same, and the two must agree.
- Before means before in the ledger's order: height, then position. Days are legal dates of the blocks' times.
- Where the claim names the certificate, execution judged possession too and recorded a finding if there was none; a
  proof that contradicts what is recorded is refused.
- Where the claim names none, its order against the certificate is proven and nothing of what the claim rests on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

from ledger.contracts.certificate import AnchorCertificate
from ledger.contracts.claim import FileClaim
from ledger.contracts.findings import Finding
from ledger.contracts.holding import AcknowledgeHolding
from ledger.contracts.records import (
    CertificateRecord,
    ClaimRecord,
    DocumentRecord,
    HoldingRecord,
    read_certificate,
    read_claim,
    read_document,
    read_holding,
)
from ledger.contracts.regime import REGIME_OF_FORM
from ledger.errors import BadProofError
from ledger.genesis import Role
from ledger.keys import Verifier
from ledger.proofs.certified import CertifiedAct, CertifiedLedger, Moment, certified_ledger, proving
from ledger.proofs.file import PossessionProof, ProvenRecord
from ledger.state import certificate_key, claim_key, document_key, holding_key

ANCHOR, ACKNOWLEDGEMENT, CLAIM = "anchoring", "acknowledgement", "claim"
_BLOCK_END = 1 << 63

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Possession:
    """What a possession file proves.

    Attributes:
        ledger: the certified ledger it is proven by.
        holder: the importer, organization id.
        filer: who filed the claim: the importer itself, or its customs broker.
        certificate: its id, 16 bytes.
        record: the certificate as the state has it at the checkpoint.
        document: its document's record there, which says whether it was purged.
        holding: the importer's holding there.
        claim: the claim there.
        entry, line: the entry line claimed on.
        anchored, held, claimed: when the certificate was anchored, when it was held from, when the claim was made.
        is_own: whether the importer certified itself.
        is_named: whether the claim names this certificate.
        findings: the legal findings recorded with the claim.
    """

    ledger: CertifiedLedger
    holder: str
    filer: str
    certificate: bytes
    record: CertificateRecord
    document: DocumentRecord
    holding: HoldingRecord
    claim: ClaimRecord
    entry: str
    line: int
    anchored: Moment
    held: Moment
    claimed: Moment
    is_own: bool
    is_named: bool
    findings: tuple[str, ...]

    @property
    def came_before(self) -> bool:
        """Whether the certificate was held before the claim was made."""
        return self.held.place < self.claimed.place

    @property
    def days(self) -> int:
        """Calendar days from the day it was held to the day of the claim; negative if it was held later."""
        return (self.claimed.day - self.held.day).days


@dataclass(frozen=True, slots=True)
class _Acts:
    """The three acts, each VALID: the anchoring may be the acknowledgement too."""

    anchored: CertifiedAct
    held: CertifiedAct
    claimed: CertifiedAct
    anchor: AnchorCertificate
    claim: FileClaim

    @property
    def holder(self) -> str:
        return self.held.transaction.creator

    @property
    def filer(self) -> str:
        return self.claimed.transaction.creator

    @property
    def root(self) -> bytes:
        return self.anchored.transaction.documents[0]


def verify_possession(proof: PossessionProof, genesis_hash: bytes, verifier: Verifier) -> Possession:
    """Return what a file proves: that a certificate was held before a claim was made, or only after it.

    Args:
        proof: what the file holds.
        genesis_hash: 32 bytes that the reader trusts; nothing else is.
        verifier: for the signatures.

    Raises:
        NotProvenError: naming the part that does not hold.
    """
    ledger = certified_ledger(
        genesis_hash, proof.genesis, proof.links, proof.checkpoint, proof.membership, verifier
    )
    acts = _acts(ledger, proof, verifier)
    _check_order(acts)
    certificate, document, holding, claim = _records(ledger, proof, acts)
    possession = Possession(
        ledger=ledger,
        holder=acts.holder,
        filer=acts.filer,
        certificate=acts.anchor.certificate,
        record=certificate,
        document=document,
        holding=holding,
        claim=claim,
        entry=acts.claim.line.entry,
        line=acts.claim.line.line,
        anchored=acts.anchored.moment,
        held=acts.held.moment,
        claimed=acts.claimed.moment,
        is_own=proof.acknowledgement is None,
        is_named=acts.claim.certificate is not None,
        findings=acts.claimed.findings,
    )
    with proving(CLAIM):
        if possession.is_named and possession.came_before == (Finding.NO_POSSESSION in possession.findings):
            said = "was not" if possession.came_before else "was"
            raise BadProofError(
                f"the ledger recorded with it that possession {said} proven, against its own order"
            )
    return possession


def _acts(ledger: CertifiedLedger, proof: PossessionProof, verifier: Verifier) -> _Acts:
    anchored = ledger.act(ANCHOR, proof.anchor, verifier)
    claimed = ledger.act(CLAIM, proof.claim, verifier)
    anchor, claim = anchored.act, claimed.act
    with proving(ANCHOR):
        if not isinstance(anchor, AnchorCertificate):
            raise BadProofError(f"{anchored.transaction.type} anchors no certificate of origin")
    with proving(CLAIM):
        if not isinstance(claim, FileClaim):
            raise BadProofError(f"{claimed.transaction.type} files no claim of preference")
        if claim.certificate is not None and claim.certificate != anchor.certificate:
            raise BadProofError(
                f"it names certificate {claim.certificate.hex()}, not {anchor.certificate.hex()}"
            )
    if proof.acknowledgement is None:
        _check_own(ledger, anchored, anchor)
        held = anchored
    else:
        held = ledger.act(ACKNOWLEDGEMENT, proof.acknowledgement, verifier)
        with proving(ACKNOWLEDGEMENT):
            if not isinstance(held.act, AcknowledgeHolding):
                raise BadProofError(f"{held.transaction.type} acknowledges no certificate of origin")
            if held.act.certificate != anchor.certificate:
                raise BadProofError(
                    f"it is of certificate {held.act.certificate.hex()}, not of {anchor.certificate.hex()}"
                )
    holder, importer = held.transaction.creator, claim.importer_of_record or claimed.transaction.creator
    with proving(CLAIM):
        if importer != holder:
            raise BadProofError(f"{importer} is its importer of record, and {holder} held the certificate")
    return _Acts(anchored, held, claimed, anchor, claim)


def _check_own(ledger: CertifiedLedger, anchored: CertifiedAct, anchor: AnchorCertificate) -> None:
    creator = anchored.transaction.creator
    member = ledger.roster.find_ever(creator)
    with proving(ACKNOWLEDGEMENT):
        if (
            member is None
            or Role.IMPORTER not in member.roles
            or Role.IMPORTER not in REGIME_OF_FORM[anchor.form].certifiers
        ):
            raise BadProofError(
                f"there is none, and {creator} is no importer that may certify itself on form {anchor.form}"
            )


def _check_order(acts: _Acts) -> None:
    """Refuse leaves whose order in the log contradicts the heights and positions that they state."""
    places: dict[tuple[int, int], int] = {}
    times: dict[int, int] = {}
    with proving("order of the log"):
        for act in (acts.anchored, acts.held, acts.claimed):
            moment = act.moment
            for place, index in zip((moment.place, (moment.height, _BLOCK_END)), act.indexes, strict=True):
                if places.setdefault(place, index) != index:
                    raise BadProofError(f"two leaves stand for one place in block {moment.height}")
            times[moment.height] = moment.time_ms
        indexes = [places[place] for place in sorted(places)]
        if any(later <= earlier for earlier, later in pairwise(indexes)):
            raise BadProofError("the leaves' numbers do not follow the blocks' heights")
        times_ms = [times[height] for height in sorted(times)]
        if any(later < earlier for earlier, later in pairwise(times_ms)):
            raise BadProofError("the blocks' times do not follow their heights")
        if acts.anchored.moment.place > acts.held.moment.place:
            raise BadProofError("the certificate was anchored after it was acknowledged")


def _records(
    ledger: CertifiedLedger, proof: PossessionProof, acts: _Acts
) -> tuple[CertificateRecord, DocumentRecord, HoldingRecord, ClaimRecord]:
    certificate_id, holder, line = acts.anchor.certificate, acts.holder, acts.claim.line

    def read(name: str, key: str, proven: ProvenRecord, reader: Callable[[bytes], T]) -> T:
        part = f"{name} record"
        value = ledger.record(part, key, proven)
        with proving(part):
            try:
                return reader(value)
            except ValueError as error:
                raise BadProofError(f"it is of other rules than these: {error}") from error

    certificate = read("certificate", certificate_key(certificate_id), proof.certificate, read_certificate)
    document = read("document", document_key(acts.root), proof.document, read_document)
    holding = read("holding", holding_key(certificate_id, holder), proof.holding, read_holding)
    claim = read("claim", claim_key(line.entry, line.line), proof.filed, read_claim)
    issuer, anchored_ms = acts.anchored.transaction.creator, acts.anchored.moment.time_ms
    for part, stated, proven in (
        (
            "certificate record",
            (certificate.issuer, certificate.root, certificate.anchored_ms),
            (issuer, acts.root, anchored_ms),
        ),
        ("document record", (document.issuer, document.anchored_ms), (issuer, anchored_ms)),
        ("holding record", holding.acknowledged_ms, acts.held.moment.time_ms),
        (
            "claim record",
            (claim.importer, claim.filer, claim.certificate, claim.filed_ms),
            (holder, acts.filer, acts.claim.certificate, acts.claimed.moment.time_ms),
        ),
    ):
        with proving(part):
            if stated != proven:
                raise BadProofError("it says something else than the transactions in the file")
    return certificate, document, holding, claim
