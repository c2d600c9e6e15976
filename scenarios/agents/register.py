"""What an agent knows of certificates and claims from certified receipts alone.

Rules:
- Only VALID receipts change the register, in the order of the log; it repeats nothing and forgets nothing.
- It holds public facts: the same register could be kept by any member. Most of them lie in a real file without a name.
- Bodies come as JSON from the node: byte strings are lower-case hex, and stay so here.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol

from ledger.codes import Code
from ledger.encoding import Value
from ledger.fields import Fields
from scenarios.agents.client import Receipt
from scenarios.filed import FiledEntries

PLACES_REMEMBERED = 1024


@dataclass(frozen=True, slots=True)
class Place:
    """Where the ledger recorded something: enough for anyone to find and prove it.

    Attributes:
        id: the transaction's id.
        index: its receipt's place in the Merkle log.
        height: its block.
        time_ms: its block's time, UTC milliseconds.
    """

    id: bytes
    index: int
    height: int
    time_ms: int


@dataclass(slots=True, weakref_slot=True)
class CertificateEntry:
    """A certificate as any member sees it; `acknowledged` holds who has proven possession, and where."""

    id: str
    form: str
    issuer: str
    root: bytes
    signed_on: datetime.date
    blanket: tuple[datetime.date, datetime.date] | None
    shipment: str | None
    addressees: tuple[str, ...]
    anchored: Place
    delivered: dict[str, Place] = field(default_factory=dict)
    acknowledged: dict[str, Place] = field(default_factory=dict)
    successor: str | None = None

    def possessed_by(self, importer: str) -> Place | None:
        """Return what proves an importer's possession: its acknowledgement, or its own anchoring; or None."""
        return self.anchored if self.issuer == importer else self.acknowledged.get(importer)


@dataclass(slots=True, weakref_slot=True)
class ClaimEntry:
    """A claim as any member sees it.

    Attributes:
        importer, filer: the importer of record, and who filed: itself, or its customs broker.
        fine, committed: the latest commitment to its fine state, and the one with which it was filed.
        request, answers: roots of official documents.
        last_act: the type of the latest act on it.
    """

    entry: str
    line: int
    importer: str
    filer: str
    regime: str
    spi: str
    certificate: str | None
    entry_on: datetime.date
    import_on: datetime.date
    shipment: str | None
    post: bool
    fine: bytes
    filed: Place
    findings: tuple[str, ...]
    request: bytes | None = None
    answers: list[bytes] = field(default_factory=list)
    committed: bytes = b""
    last_act: str = "claim.file"

    @property
    def id(self) -> str:
        """The claim's id on the ledger."""
        return claim_id(self.entry, self.line)


@dataclass(slots=True, weakref_slot=True)
class VerificationEntry:
    """A verification as any member sees it: whom Customs asks."""

    id: str
    authority: str
    party: str
    opened: Place


def claim_id(entry: str, line: int) -> str:
    """Return the id by which desks and records name a claim."""
    return f"{entry}/{line}"


class Folding(Protocol):
    """Anything that certified receipts are folded into, in the order of the log."""

    def take(self, receipt: Receipt) -> None:
        """Take one certified receipt into account."""


class Register:
    """Certificates and claims by their ids, in the order of the log."""

    def __init__(self) -> None:
        self.certificates: FiledEntries[str, CertificateEntry] = FiledEntries()
        self.claims: FiledEntries[str, ClaimEntry] = FiledEntries()
        self.verifications: FiledEntries[str, VerificationEntry] = FiledEntries()

    def take(self, receipt: Receipt) -> None:
        """Take one certified receipt into account."""
        if receipt.code != Code.VALID or receipt.type is None or receipt.creator is None:
            return
        fold = _FOLDS.get(receipt.type)
        if fold is not None:
            fold(self, receipt, receipt.creator, Fields(dict(receipt.body), receipt.type))

    def certificate_of(self, receipt: Receipt) -> CertificateEntry:
        """Return the certificate that a receipt's body names."""
        return self.certificates[_text(receipt.body, "certificate")]

    def claim_of(self, receipt: Receipt) -> ClaimEntry:
        """Return the claim that a receipt's body names."""
        return self.claims[claim_id(_text(receipt.body, "entry"), _line(receipt.body))]

    def verification_of(self, receipt: Receipt) -> VerificationEntry:
        """Return the verification that a receipt's body names."""
        return self.verifications[_text(receipt.body, "verification")]

    def concerns(self, receipt: Receipt, organization: str) -> bool:
        """Say whether a receipt is about a certificate, holding or claim of this organization."""
        body = receipt.body
        if body.get("holder") == organization:
            return True
        certificate = self.certificates.get(str(body.get("certificate")))
        if certificate is not None and organization in (certificate.issuer, *certificate.addressees):
            return True
        verification = self.verifications.get(str(body.get("verification")))
        if verification is not None and verification.party == organization:
            return True
        claim = self.claims.get(claim_id(str(body.get("entry")), _line(body)))
        return claim is not None and claim.importer == organization

    def _anchored(self, receipt: Receipt, creator: str, body: Fields) -> None:
        blanket = body.optional_map("blanket")
        days = None if blanket is None else Fields(blanket, "blanket")
        certificate = body.text("certificate")
        entry = CertificateEntry(
            id=certificate,
            form=body.text("form"),
            issuer=creator,
            root=receipt.documents[0],
            signed_on=body.date("signed_on"),
            blanket=None if days is None else (days.date("from"), days.date("to")),
            shipment=body.optional_text("shipment"),
            addressees=body.texts("addressees", 1000),
            anchored=place_of(receipt),
        )
        self.certificates.put(certificate, entry)

    def _delivered(self, receipt: Receipt, _creator: str, body: Fields) -> None:
        certificate = self.certificate_of(receipt)
        certificate.delivered[body.text("holder")] = place_of(receipt)
        self.certificates.put(certificate.id, certificate)

    def _acknowledged(self, receipt: Receipt, creator: str, _body: Fields) -> None:
        certificate = self.certificate_of(receipt)
        certificate.acknowledged[creator] = place_of(receipt)
        self.certificates.put(certificate.id, certificate)

    def _superseded(self, receipt: Receipt, _creator: str, body: Fields) -> None:
        certificate = self.certificate_of(receipt)
        certificate.successor = body.text("successor")
        self.certificates.put(certificate.id, certificate)

    def _filed(self, receipt: Receipt, creator: str, body: Fields) -> None:
        fine = bytes.fromhex(body.text("fine"))
        entry = ClaimEntry(
            entry=body.text("entry"),
            line=body.integer("line"),
            importer=body.optional_text("importer_of_record") or creator,
            filer=creator,
            regime=body.text("regime"),
            spi=body.text("spi"),
            certificate=body.optional_text("certificate"),
            entry_on=body.date("entry_on"),
            import_on=body.date("import_on"),
            shipment=body.optional_text("shipment"),
            post=receipt.type == "claim.file_post",
            fine=fine,
            filed=place_of(receipt),
            findings=receipt.findings,
            committed=fine,
            last_act=receipt.type or "",
        )
        self.claims.put(entry.id, entry)

    def _moved(self, receipt: Receipt, _creator: str, body: Fields) -> None:
        claim = self.claim_of(receipt)
        claim.fine = bytes.fromhex(body.text("fine"))
        claim.findings = (*claim.findings, *receipt.findings)
        claim.last_act = receipt.type or ""
        if receipt.type == "claim.open":
            claim.request = receipt.documents[0]
        elif receipt.type == "claim.protest":
            claim.answers.append(receipt.documents[0])
        self.claims.put(claim.id, claim)

    def _verified(self, receipt: Receipt, creator: str, body: Fields) -> None:
        verification = body.text("verification")
        entry = VerificationEntry(verification, creator, body.text("party"), place_of(receipt))
        self.verifications.put(verification, entry)

    def _answered(self, receipt: Receipt, _creator: str, _body: Fields) -> None:
        claim = self.claim_of(receipt)
        claim.answers.append(receipt.documents[0])
        claim.last_act = receipt.type or ""
        self.claims.put(claim.id, claim)


def place_of(receipt: Receipt) -> Place:
    """Return where a receipt stands; all that note it at about the same time note the same object."""
    return _place(receipt.id, receipt.index, receipt.height, receipt.time_ms)


@lru_cache(PLACES_REMEMBERED)
def _place(transaction_id: bytes, index: int, height: int, time_ms: int) -> Place:
    return Place(transaction_id, index, height, time_ms)


def _text(body: Mapping[str, Value], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str):
        raise TypeError(f"{name} is no text")
    return value


def _line(body: Mapping[str, Value]) -> int:
    line = body.get("line")
    return line if isinstance(line, int) else 0


_Fold = Callable[[Register, Receipt, str, Fields], None]

_FOLDS: dict[str, _Fold] = {
    "certificate.anchor": Register._anchored,
    "certificate.deliver": Register._delivered,
    "certificate.supersede": Register._superseded,
    "holding.acknowledge": Register._acknowledged,
    "verification.open": Register._verified,
    "claim.file": Register._filed,
    "claim.file_post": Register._filed,
    "claim.correct": Register._moved,
    "claim.open": Register._moved,
    "claim.act": Register._moved,
    "claim.close": Register._moved,
    "claim.liquidate": Register._moved,
    "claim.protest": Register._moved,
    "claim.respond": Register._answered,
}
