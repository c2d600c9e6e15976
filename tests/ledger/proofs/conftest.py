"""A consortium that keeps all it executes, and the possession files that can be made of it."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from ledger.block import build_block
from ledger.codes import Code
from ledger.encoding import Value
from ledger.envelopes import SignedEnvelope, sign_envelope
from ledger.genesis import Genesis
from ledger.lineage import build_link
from ledger.openings import Opening
from ledger.proofs import ComplaintProof, PossessionProof, ProvenAct, ProvenLeaf, ProvenRecord
from ledger.receipt import Execution
from ledger.state import (
    MEMBERSHIP_KEY,
    certificate_key,
    claim_key,
    document_key,
    holding_key,
    reading_key,
)
from ledger.transaction import SignedTransaction
from tests.ledger.conftest import Consortium, Founders

DAY_MS = 86_400_000
C1, C2 = bytes([1]) * 16, bytes([2]) * 16
ROOT1, ROOT2 = bytes([11]) * 32, bytes([12]) * 32
ENTRY = "ABC-1234567-8"


@dataclass(frozen=True)
class Done:
    """One ordered transaction: its bytes, what became of it, and where its leaves are."""

    signed: SignedTransaction
    code: Code
    leaf: int
    block_leaf: int


class Trade(Consortium):
    """A consortium whose leaves and certificates are kept."""

    def __init__(self, genesis: Genesis) -> None:
        super().__init__(genesis)
        self.leaves: list[bytes] = []
        self.notes: dict[int, str] = {}
        self.skip_ms = 1000

    def block(self, *raws: bytes) -> Execution:
        proposer = self.roster.orderers[0]
        block = build_block(
            network=self.genesis.network,
            height=self.ledger.height + 1,
            term=1,
            previous=self.ledger.block_hash,
            time_ms=self.ledger.time_ms + self.skip_ms,
            transactions=raws,
            proposer=proposer,
            key=self.secrets[self.roster.organization(proposer).node_key],
        )
        execution = self.ledger.execute(block, block.hash)
        self.leaves.extend(execution.leaves)
        self.notes[execution.height] = self.certify(execution)
        if execution.changes_roster:
            size = execution.checkpoint.size
            note = self.notes[execution.height]
            self.links.append(build_link(block.encode(), note, size, self.ledger.log))
        return execution

    def together(self, *signed: SignedTransaction) -> list[Done]:
        """Run transactions in one block."""
        first = len(self.leaves)
        execution = self.block(*(one.raw for one in signed))
        return [
            Done(one, receipt.code, first + i, len(self.leaves) - 1)
            for i, (one, receipt) in enumerate(zip(signed, execution.receipts, strict=True))
        ]

    def do(self, creator: str, kind: str, body: dict[str, Value], **changes: object) -> Done:
        """Run one transaction."""
        changes.setdefault("valid_until_ms", self.ledger.time_ms + self.skip_ms + DAY_MS)
        (done,) = self.together(self.sign(creator, kind, body, **changes))
        return done

    # Bodies.

    def anchor(
        self, creator: str = "acme", certificate: bytes = C1, root: bytes = ROOT1, **more: Value
    ) -> Done:
        body: dict[str, Value] = {
            "certificate": certificate,
            "form": "NAFTA-434",
            "signed_on": "2018-06-26",
            "blanket": {"from": "2018-06-01", "to": "2019-05-31"},
            "shipment": None,
            "addressees": ["globex", "cbp"] if creator != "globex" else ["cbp"],
        }
        return self.do(creator, "certificate.anchor", body | more, documents=(root,))

    def deliver(self, holder: str = "globex", certificate: bytes = C1) -> Done:
        return self.do("acme", "certificate.deliver", {"certificate": certificate, "holder": holder})

    def acknowledge(self, holder: str = "globex", certificate: bytes = C1, **changes: object) -> Done:
        return self.do(holder, "holding.acknowledge", {"certificate": certificate}, **changes)

    @staticmethod
    def claiming(certificate: bytes | None = C1, **more: Value) -> dict[str, Value]:
        body: dict[str, Value] = {
            "entry": ENTRY,
            "line": 1,
            "regime": "NAFTA",
            "spi": "MX",
            "certificate": certificate,
            "entry_on": "2018-06-26",
            "import_on": "2018-06-26",
            "fine": bytes(32),
        }
        return body | more

    def claim(self, importer: str = "globex", certificate: bytes | None = C1, **more: Value) -> Done:
        return self.do(importer, "claim.file", self.claiming(certificate, **more))

    def lawful(self) -> tuple[Done, Done, Done]:
        """Anchor, deliver, acknowledge and, two days later, claim; each VALID."""
        anchored = self.anchor()
        assert self.deliver().code is Code.VALID
        held = self.acknowledge()
        self.skip_ms = 2 * DAY_MS
        claimed = self.claim()
        self.skip_ms = 1000
        assert {anchored.code, held.code, claimed.code} == {Code.VALID}
        return anchored, held, claimed

    # Files.

    def leaf(self, index: int, size: int | None = None) -> ProvenLeaf:
        return ProvenLeaf(index, self.leaves[index], tuple(self.ledger.log.inclusion_proof(index, size)))

    def proven(self, done: Done, size: int | None = None) -> ProvenAct:
        return ProvenAct(done.signed.raw, self.leaf(done.leaf, size), self.leaf(done.block_leaf, size))

    def record(self, key: str) -> ProvenRecord:
        value = self.ledger.state.get(key)
        assert value is not None, key
        return ProvenRecord(value, self.ledger.prove(key).encode())

    def file(
        self,
        anchored: Done,
        held: Done | None,
        claimed: Done,
        *,
        certificate: bytes = C1,
        root: bytes = ROOT1,
        holder: str = "globex",
    ) -> PossessionProof:
        return PossessionProof(
            genesis=self.genesis.encode(),
            links=tuple(self.links),
            checkpoint=self.notes[self.ledger.height],
            anchor=self.proven(anchored),
            acknowledgement=None if held is None else self.proven(held),
            claim=self.proven(claimed),
            membership=self.record(MEMBERSHIP_KEY),
            certificate=self.record(certificate_key(certificate)),
            document=self.record(document_key(root)),
            holding=self.record(holding_key(certificate, holder)),
            filed=self.record(claim_key(ENTRY, 1)),
        )

    # Complaints.

    def anchor_document(self, root: bytes) -> Done:
        body: dict[str, Value] = {"class": "commercial", "addressees": ["globex"]}
        return self.do("acme", "document.anchor", body, documents=(root,))

    def signed_seal(self, sealed: bytes, root: bytes, to: str = "globex", by: str = "acme") -> SignedEnvelope:
        key = self.signing(f"{by}/organization")
        return SignedEnvelope.decode(sign_envelope(sealed, key, self.genesis.network, root, to))

    def complain(
        self,
        signed: SignedEnvelope,
        about: dict[str, Value],
        reason: str = "UNREADABLE",
        by: str = "acme",
        reader: str = "globex",
    ) -> Done:
        """Complain of a sealed envelope; `about` names the certificate or the root."""
        evidence = {"by": by, "envelope": signed.digest, "signature": signed.signature}
        kind = "holding.complain" if "certificate" in about else "document.complain"
        return self.do(reader, kind, {**about, "reason": reason, "evidence": evidence})

    def complaint(
        self,
        complained: Done,
        root: bytes,
        sealed: bytes | None,
        opening: Opening | None,
        certificate: bytes | None = None,
        reader: str = "globex",
    ) -> ComplaintProof:
        standing = reading_key(root, reader) if certificate is None else holding_key(certificate, reader)
        return ComplaintProof(
            genesis=self.genesis.encode(),
            links=tuple(self.links),
            checkpoint=self.notes[self.ledger.height],
            complaint=self.proven(complained),
            membership=self.record(MEMBERSHIP_KEY),
            document=self.record(document_key(root)),
            standing=self.record(standing),
            certificate=None if certificate is None else self.record(certificate_key(certificate)),
            sealed=sealed,
            opening=opening,
        )


@pytest.fixture
def trade(founders: Founders) -> Trade:
    return Trade(founders.genesis)
