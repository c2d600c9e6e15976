"""A possession file: what stands in it, and its only bytes.

Rules:
- One canonical map (`ledger.encoding`): no field twice, no field unknown, no number beyond 64 bits; bytes that differ
  from what their value encodes to are refused, and so is more than `PROOF_BYTES_MAX`.
- It holds everything: genesis, every change of the roster with its certificate, one certified checkpoint, the
  transactions as they were signed, and the leaves and records with their paths to that checkpoint.
- Nothing in it is derived from anything else in it, and reading it verifies nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from ledger.checkpoint import COUNT_MAX, NOTE_BYTES_MAX
from ledger.encoding import Encodable, Value, decode, encode
from ledger.errors import EncodingError, MalformedError
from ledger.fields import Fields
from ledger.lineage import ConfigurationLink
from ledger.merkle import HASH_BYTES

FORMAT = "seatrial/possession-file/v1"
PROOF_BYTES_MAX = 4 << 20
"""The largest file that is looked at: the costliest of that size takes some 300 MiB of memory to refuse."""

LINKS_MAX = 4096
PATH_MAX = 64
PART_BYTES_MAX = 1 << 20


@dataclass(frozen=True, slots=True)
class ProvenLeaf:
    """A leaf of the Merkle log with its audit path to the checkpoint's root.

    Attributes:
        index: its place in the log, from 0.
        data: what the leaf hashes.
        path: sibling hashes from the leaf up (RFC 6962 section 2.1.1).
    """

    index: int
    data: bytes
    path: tuple[bytes, ...]

    def as_map(self) -> dict[str, Encodable]:
        """Return the canonical map."""
        return {"index": self.index, "data": self.data, "path": self.path}

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Take the map's fields."""
        leaf = cls(
            fields.integer("index", 0, COUNT_MAX),
            fields.raw("data", max_size=PART_BYTES_MAX),
            fields.raws("path", PATH_MAX, HASH_BYTES),
        )
        fields.finish()
        return leaf


@dataclass(frozen=True, slots=True)
class ProvenAct:
    """A transaction with what became of it.

    Attributes:
        transaction: its full signed bytes.
        receipt: the leaf of its receipt.
        block: the leaf of its block, which has the block's time.
    """

    transaction: bytes
    receipt: ProvenLeaf
    block: ProvenLeaf

    def as_map(self) -> dict[str, Encodable]:
        """Return the canonical map."""
        return {
            "transaction": self.transaction,
            "receipt": self.receipt.as_map(),
            "block": self.block.as_map(),
        }

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Take the map's fields."""
        act = cls(
            fields.raw("transaction", max_size=PART_BYTES_MAX),
            ProvenLeaf.read(fields.fields("receipt")),
            ProvenLeaf.read(fields.fields("block")),
        )
        fields.finish()
        return act


@dataclass(frozen=True, slots=True)
class ProvenRecord:
    """A record of the state at the checkpoint; the key is not in the file, it follows from the acts.

    Attributes:
        value: the record's canonical bytes.
        proof: the canonical bytes of its state proof.
    """

    value: bytes
    proof: bytes

    def as_map(self) -> dict[str, Encodable]:
        """Return the canonical map."""
        return {"value": self.value, "proof": self.proof}

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Take the map's fields."""
        record = cls(
            fields.raw("value", max_size=PART_BYTES_MAX), fields.raw("proof", max_size=PART_BYTES_MAX)
        )
        fields.finish()
        return record


@dataclass(frozen=True, slots=True)
class PossessionProof:
    """What a possession file holds.

    Attributes:
        genesis: canonical bytes.
        links: every change of the roster up to the checkpoint, in order.
        checkpoint: the signed note with the orderers' signatures.
        anchor: the transaction that anchored the certificate.
        acknowledgement: the importer's; None where it certified itself and so held the certificate at once.
        claim: the transaction that filed the claim.
        membership, certificate, document, holding, filed: the state's records of the roster, the certificate, its
            document, the holding and the claim.
    """

    genesis: bytes
    links: tuple[ConfigurationLink, ...]
    checkpoint: str
    anchor: ProvenAct
    acknowledgement: ProvenAct | None
    claim: ProvenAct
    membership: ProvenRecord
    certificate: ProvenRecord
    document: ProvenRecord
    holding: ProvenRecord
    filed: ProvenRecord

    def encode(self) -> bytes:
        """Return the file's bytes."""
        acknowledgement = self.acknowledgement
        return encode(
            {
                "format": FORMAT,
                "genesis": self.genesis,
                "links": [link_map(link) for link in self.links],
                "checkpoint": self.checkpoint,
                "anchor": self.anchor.as_map(),
                "acknowledgement": None if acknowledgement is None else acknowledgement.as_map(),
                "claim": self.claim.as_map(),
                "records": {name: getattr(self, name).as_map() for name in _RECORDS},
            }
        )


_RECORDS = ("membership", "certificate", "document", "holding", "filed")


def decode_proof(data: bytes) -> PossessionProof:
    """Return what a file holds; nothing in it is verified.

    Args:
        data: the whole file.

    Raises:
        MalformedError: if the bytes are too long, not canonical, of another format, or not the fields of one.
    """
    try:
        value = decode(data, limit_bytes=PROOF_BYTES_MAX)
    except EncodingError as error:
        raise MalformedError(f"this is no possession file: {error}") from error
    fields = Fields(value, "possession file")
    fields.choice("format", [FORMAT])
    acknowledgement = fields.optional_map("acknowledgement")
    proof = _read(fields, None if acknowledgement is None else _act(acknowledgement, "acknowledgement"))
    if proof.encode() != data:
        raise MalformedError("possession file.acknowledgement: missing; write null where there is none")
    return proof


def _read(fields: Fields, acknowledgement: ProvenAct | None) -> PossessionProof:
    records = fields.fields("records")
    proof = PossessionProof(
        genesis=fields.raw("genesis", max_size=PART_BYTES_MAX),
        links=read_links(fields, "possession file"),
        checkpoint=fields.text("checkpoint", NOTE_BYTES_MAX),
        anchor=ProvenAct.read(fields.fields("anchor")),
        acknowledgement=acknowledgement,
        claim=ProvenAct.read(fields.fields("claim")),
        **{name: ProvenRecord.read(records.fields(name)) for name in _RECORDS},
    )
    records.finish()
    fields.finish()
    return proof


def _act(value: Value, name: str) -> ProvenAct:
    return ProvenAct.read(Fields(value, f"possession file.{name}"))


def link_map(link: ConfigurationLink) -> dict[str, Encodable]:
    """Return a link's canonical map."""
    return {"block": link.block, "certificate": link.certificate, "path": link.path}


def read_links(fields: Fields, where: str) -> tuple[ConfigurationLink, ...]:
    """Take the changes of the roster that a file has, in order; errors name it by `where`."""
    return tuple(
        _read_link(Fields(item, f"{where}.links[{place}]"))
        for place, item in enumerate(fields.items("links", LINKS_MAX))
    )


def _read_link(fields: Fields) -> ConfigurationLink:
    link = ConfigurationLink(
        block=fields.raw("block", max_size=PROOF_BYTES_MAX),
        certificate=fields.text("certificate", NOTE_BYTES_MAX),
        path=fields.raws("path", PATH_MAX, HASH_BYTES),
    )
    fields.finish()
    return link
