"""What a snapshot says: a certified height, its block's header, and the Merkle log's frontier there.

Rules:
- It is small and travels in one message; the state itself is fetched in chunks against the certificate's state root.
- Nothing in it is believed: the certificate carries k orderers' signatures, the header has the certified hash, the
  frontier gives the certified root. What Raft's snapshot adds, the entry's term, is the header's; the entry's index
  is the one thing that Raft's leader is believed, as in every append.
"""

from __future__ import annotations

from dataclasses import dataclass

from ledger.block import COUNT_MAX, Header
from ledger.checkpoint import (
    NOTE_BYTES_MAX,
    Checkpoint,
    certified_height,
    parse_certificate,
    verify_certificate,
)
from ledger.encoding import decode, encode
from ledger.errors import BadProofError, EncodingError, MalformedError
from ledger.fields import Fields
from ledger.genesis import TIME_MS_MAX
from ledger.keys import Verifier
from ledger.merkle import frontier_root
from ledger.roster import Roster

OFFER_BYTES_MAX = 2 * NOTE_BYTES_MAX
FRONTIER_MAX = 64


@dataclass(frozen=True, slots=True)
class Offer:
    """A state that can be fetched.

    Attributes:
        note: the certificate of its height, a signed note.
        header: of that height's block.
        frontier: hashes of the complete subtrees of the Merkle log at the certificate's size, largest first.
    """

    note: str
    header: Header
    frontier: tuple[bytes, ...]

    @property
    def height(self) -> int:
        """The height."""
        return self.header.height

    def encode(self) -> bytes:
        """Return the canonical bytes."""
        header = self.header
        return encode(
            {
                "note": self.note,
                "header": {name: getattr(header, name) for name in Header.__slots__},
                "frontier": self.frontier,
            }
        )

    @staticmethod
    def decode(data: bytes) -> Offer:
        """Return the offer whose canonical bytes are `data`.

        Raises:
            BadProofError: if the bytes are none.
        """
        try:
            fields = Fields(decode(data, limit_bytes=OFFER_BYTES_MAX), "snapshot")
            header = fields.fields("header")
            offer = Offer(
                fields.text("note", NOTE_BYTES_MAX),
                Header(
                    network=header.text("network", 64),
                    height=header.integer("height", 1, COUNT_MAX),
                    term=header.integer("term", 1, COUNT_MAX),
                    previous=header.raw("previous", size=32),
                    time_ms=header.integer("time_ms", 0, TIME_MS_MAX),
                    transactions_root=header.raw("transactions_root", size=32),
                    proposer=header.text("proposer", 40),
                ),
                fields.raws("frontier", FRONTIER_MAX, 32),
            )
            header.finish()
            fields.finish()
        except (EncodingError, MalformedError) as error:
            raise BadProofError(f"these bytes are no snapshot: {error}") from error
        return offer


def verify_offer(offer: Offer, roster: Roster, verifier: Verifier) -> Checkpoint:
    """Return what an offer's certificate certifies, having verified all of it.

    Args:
        offer: from anybody.
        roster: the last that the receiver knows of.
        verifier: for the signatures.

    Raises:
        BadProofError: with what does not hold.
    """
    electorate = roster.electorate(certified_height(offer.note))
    certificate = parse_certificate(offer.note, electorate)
    verify_certificate(certificate, electorate, verifier)
    checkpoint = certificate.checkpoint
    where = f"snapshot of height {checkpoint.height}"
    if (offer.header.height, offer.header.hash) != (checkpoint.height, checkpoint.block_hash):
        raise BadProofError(f"{where}: its header is not the certified block's")
    if frontier_root(offer.frontier, checkpoint.size) != checkpoint.root:
        raise BadProofError(f"{where}: its frontier does not give the certified log")
    return checkpoint
