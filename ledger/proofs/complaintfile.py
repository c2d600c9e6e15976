"""A complaint file: what stands in it, and its only bytes.

Rules:
- One canonical map, as a possession file is (`ledger.proofs.file`), with the same parts and the same limits.
- It holds the complaint as it stands on the ledger, and what the ledger does not have: the sealed bytes and their
  opening. Whoever has the file can open this one envelope, and no other.
- A complaint that shows signed digests is proven by itself: its file has neither.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from ledger.checkpoint import NOTE_BYTES_MAX
from ledger.dleq import PROOF_BYTES
from ledger.encoding import Value, decode, encode
from ledger.envelopes import SIZE_CLASSES_BYTES
from ledger.errors import EncodingError, MalformedError
from ledger.fields import Fields
from ledger.lineage import ConfigurationLink
from ledger.openings import Opening
from ledger.points import POINT_BYTES
from ledger.proofs.file import (
    PART_BYTES_MAX,
    PROOF_BYTES_MAX,
    ProvenAct,
    ProvenRecord,
    link_map,
    read_links,
)

COMPLAINT_FORMAT = "seatrial/complaint-file/v1"
SEALED_BYTES_MAX = 16 * SIZE_CLASSES_BYTES[-1]
"""The largest envelope that a file takes: one of no class's size is complained of, too."""

_WHERE = "complaint file"


@dataclass(frozen=True, slots=True)
class ComplaintProof:
    """What a complaint file holds.

    Attributes:
        genesis: canonical bytes.
        links: every change of the roster up to the checkpoint, in order.
        checkpoint: the signed note with the orderers' signatures.
        complaint: the reader's transaction.
        membership, document, standing: the state's records of the roster, the document, and the reader's holding or
            reading of it.
        certificate: the certificate's record, if it is a holding that is disputed.
        sealed: the envelope as it travelled, without its signature; None if signed digests convict already.
        opening: what its addressee shows of it; None where it needs none.
    """

    genesis: bytes
    links: tuple[ConfigurationLink, ...]
    checkpoint: str
    complaint: ProvenAct
    membership: ProvenRecord
    document: ProvenRecord
    standing: ProvenRecord
    certificate: ProvenRecord | None
    sealed: bytes | None
    opening: Opening | None

    def encode(self) -> bytes:
        """Return the file's bytes."""
        certificate, opening = self.certificate, self.opening
        return encode(
            {
                "format": COMPLAINT_FORMAT,
                "genesis": self.genesis,
                "links": [link_map(link) for link in self.links],
                "checkpoint": self.checkpoint,
                "complaint": self.complaint.as_map(),
                "records": {
                    "membership": self.membership.as_map(),
                    "document": self.document.as_map(),
                    "standing": self.standing.as_map(),
                    "certificate": None if certificate is None else certificate.as_map(),
                },
                "sealed": self.sealed,
                "opening": None if opening is None else {"point": opening.point, "proof": opening.proof},
            }
        )

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Take the file's fields."""
        fields.choice("format", [COMPLAINT_FORMAT])
        records = fields.fields("records")
        certificate = records.optional_map("certificate")
        opening = fields.optional_map("opening")
        proof = cls(
            genesis=fields.raw("genesis", max_size=PART_BYTES_MAX),
            links=read_links(fields, _WHERE),
            checkpoint=fields.text("checkpoint", NOTE_BYTES_MAX),
            complaint=ProvenAct.read(fields.fields("complaint")),
            membership=ProvenRecord.read(records.fields("membership")),
            document=ProvenRecord.read(records.fields("document")),
            standing=ProvenRecord.read(records.fields("standing")),
            certificate=None
            if certificate is None
            else ProvenRecord.read(Fields(certificate, f"{_WHERE}.records.certificate")),
            sealed=fields.optional_raw("sealed", max_size=SEALED_BYTES_MAX),
            opening=None if opening is None else _read_opening(opening),
        )
        records.finish()
        fields.finish()
        return proof


def decode_complaint(data: bytes) -> ComplaintProof:
    """Return what a file holds; nothing in it is verified.

    Args:
        data: the whole file.

    Raises:
        MalformedError: if the bytes are too long, not canonical, of another format, or not the fields of one.
    """
    try:
        value = decode(data, limit_bytes=PROOF_BYTES_MAX)
    except EncodingError as error:
        raise MalformedError(f"this is no complaint file: {error}") from error
    proof = ComplaintProof.read(Fields(value, _WHERE))
    if proof.encode() != data:
        raise MalformedError(f"{_WHERE}: a part is missing; write null where there is none")
    return proof


def is_complaint_file(data: bytes) -> bool:
    """Say whether bytes state that they are a complaint file, whatever else they are."""
    try:
        value: Value = decode(data, limit_bytes=PROOF_BYTES_MAX)
    except EncodingError:
        return False
    return isinstance(value, dict) and value.get("format") == COMPLAINT_FORMAT


def _read_opening(value: Value) -> Opening:
    fields = Fields(value, f"{_WHERE}.opening")
    opening = Opening(fields.raw("point", size=POINT_BYTES), fields.raw("proof", size=PROOF_BYTES))
    fields.finish()
    return opening
