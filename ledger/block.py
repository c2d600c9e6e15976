"""Blocks: the signed header is the proposal.

Rules:
- A header names network, height, term, previous block, time, transactions root and proposer; the proposer's
  node key signs it. Its hash is the block's.
- `transactions_root` is the RFC 6962 root over the full signed bytes of every transaction, in order.
- Height 0 is genesis, whose hash is the previous of height 1. Heights count blocks only.
- A configuration transaction stands alone in its block.
- `check_block` refuses a block whose header fails or whose transactions mix; what they are worth is for execution.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from ledger.configuration import carries_configuration
from ledger.encoding import Encodable, decode, encode
from ledger.errors import BadBlockError, EncodingError, MalformedError
from ledger.fields import Fields
from ledger.genesis import TIME_MS_MAX, Genesis
from ledger.keys import SIGNATURE_BYTES, Domain, SigningKey, Verifier
from ledger.merkle import leaf_hash, root_of
from ledger.roster import Roster

COUNT_MAX = 2**63 - 1
_HASH_HEAD = f"{Domain.HEADER.value}\n".encode()


@dataclass(frozen=True, slots=True)
class Header:
    """What a proposer signs.

    Attributes:
        network: full name of the network.
        height: of the block, from 1.
        term: Raft term of the entry that carries the block.
        previous: hash of the block before, or of genesis.
        time_ms: block time, UTC milliseconds.
        transactions_root: RFC 6962 root over the transactions' bytes.
        proposer: organization id of the proposing node.
    """

    network: str
    height: int
    term: int
    previous: bytes
    time_ms: int
    transactions_root: bytes
    proposer: str

    def payload(self) -> bytes:
        """Return the canonical bytes that the proposer signs."""
        return encode(_header_map(self))

    @property
    def hash(self) -> bytes:
        """The block's hash, 32 bytes."""
        return hashlib.sha256(_HASH_HEAD + self.payload()).digest()


@dataclass(frozen=True, slots=True)
class Block:
    """A header, its signature, and the transactions' full signed bytes."""

    header: Header
    signature: bytes
    transactions: tuple[bytes, ...]

    def encode(self) -> bytes:
        """Return the canonical bytes, as Raft entries and stores hold them."""
        return encode(
            {
                "header": _header_map(self.header),
                "signature": self.signature,
                "transactions": self.transactions,
            }
        )

    @property
    def hash(self) -> bytes:
        """The block's hash: its header's."""
        return self.header.hash

    @property
    def is_configuration(self) -> bool:
        """Whether it carries a configuration transaction."""
        return carries_configuration(self.transactions)


def transactions_root(transactions: Iterable[bytes]) -> bytes:
    """Return the RFC 6962 root over transactions' full signed bytes."""
    return root_of([leaf_hash(raw) for raw in transactions])


def build_block(
    *,
    network: str,
    height: int,
    term: int,
    previous: bytes,
    time_ms: int,
    transactions: Iterable[bytes],
    proposer: str,
    key: SigningKey,
) -> Block:
    """Make and sign a block.

    Args:
        network: full name of the network.
        height: of the block, from 1.
        term: Raft term in which it is proposed.
        previous: hash of the block before, or of genesis.
        time_ms: block time, UTC milliseconds.
        transactions: full signed bytes, in order.
        proposer: organization id of the proposing node.
        key: its node key.
    """
    content = tuple(transactions)
    header = Header(network, height, term, previous, time_ms, transactions_root(content), proposer)
    return Block(header, key.sign(Domain.HEADER, network, header.payload()), content)


def decode_block(data: bytes, limit_bytes: int) -> Block:
    """Return the block whose canonical bytes are `data`.

    Args:
        data: the whole encoding.
        limit_bytes: genesis' `block_bytes_max`.

    Raises:
        BadBlockError: if the bytes are too long, not canonical, or not the fields of a block.
    """
    try:
        fields = Fields(decode(data, limit_bytes=limit_bytes), "block")
        header = _read_header(fields.fields("header"))
        signature = fields.raw("signature", size=SIGNATURE_BYTES)
        transactions: list[bytes] = []
        for position, raw in enumerate(fields.items("transactions", limit_bytes)):
            if type(raw) is not bytes:
                fields.refuse(f"transactions[{position}]", "expected bytes")
            transactions.append(raw)
        fields.finish()
    except (EncodingError, MalformedError) as error:
        raise BadBlockError(f"these bytes are no block: {error}") from error
    return Block(header, signature, tuple(transactions))


def check_block(
    block: Block,
    genesis: Genesis,
    roster: Roster,
    verifier: Verifier,
    *,
    height: int | None = None,
    previous: bytes | None = None,
    term: int | None = None,
    not_before_ms: int | None = None,
    size_bytes: int | None = None,
) -> None:
    """Refuse a block whose header does not hold.

    Args:
        block: to check.
        genesis: of the network.
        roster: after the block before it, or later.
        verifier: for the header's signature.
        height: the height it must have, where known.
        previous: the hash that it must follow, where known.
        term: the term it must be of, where known.
        not_before_ms: the previous block's time, where known.
        size_bytes: length of its canonical bytes, where known; else it is encoded to measure it.

    Raises:
        BadBlockError: with the reason.
    """
    header = block.header
    where = f"block {header.height} by {header.proposer}"
    _expect(where, "network", header.network, genesis.network)
    _expect(where, "height", header.height, height)
    _expect(where, "term", header.term, term)
    _expect(where, "previous", header.previous.hex(), None if previous is None else previous.hex())
    if header.height == 1:
        _expect(where, "previous", header.previous.hex(), genesis.hash.hex())
    _check_bounds(block, genesis, where, size_bytes)
    if len(block.transactions) > 1 and block.is_configuration:
        raise BadBlockError(f"{where}: a configuration transaction stands among others; it stands alone")
    earliest_ms = genesis.time_ms if not_before_ms is None else not_before_ms
    if header.time_ms < earliest_ms:
        raise BadBlockError(
            f"{where}: time {header.time_ms} ms is before the previous block's {earliest_ms} ms"
        )
    root = transactions_root(block.transactions)
    _expect(where, "transactions_root", header.transactions_root.hex(), root.hex())
    proposers = roster.proposers(header.height)
    key = proposers.get(header.proposer)
    if key is None:
        raise BadBlockError(f"{where}: the proposer is no orderer; they are {', '.join(proposers)}")
    if not verifier.verify(key, Domain.HEADER, header.network, header.payload(), block.signature):
        raise BadBlockError(f"{where}: the signature is not the proposer's over this header")


def _expect(where: str, name: str, value: str | int, expected: str | int | None) -> None:
    if expected is not None and value != expected:
        raise BadBlockError(f"{where}: {name} is {value}, expected {expected}")


def _check_bounds(block: Block, genesis: Genesis, where: str, size_bytes: int | None) -> None:
    limits = genesis.limits
    if block.header.height < 1:
        raise BadBlockError(f"{where}: height 0 is genesis; blocks begin at 1")
    count = len(block.transactions)
    if count > limits.block_transactions_max:
        raise BadBlockError(
            f"{where}: {count} transactions are over the limit of {limits.block_transactions_max}"
        )
    size = len(block.encode()) if size_bytes is None else size_bytes
    if size > limits.block_bytes_max:
        raise BadBlockError(f"{where}: {size} bytes are over the limit of {limits.block_bytes_max}")


def _header_map(header: Header) -> dict[str, Encodable]:
    return {
        "height": header.height,
        "network": header.network,
        "previous": header.previous,
        "proposer": header.proposer,
        "term": header.term,
        "time_ms": header.time_ms,
        "transactions_root": header.transactions_root,
    }


def _read_header(fields: Fields) -> Header:
    header = Header(
        network=fields.text("network", 64),
        height=fields.integer("height", 0, COUNT_MAX),
        term=fields.integer("term", 0, COUNT_MAX),
        previous=fields.raw("previous", size=32),
        time_ms=fields.integer("time_ms", 0, TIME_MS_MAX),
        transactions_root=fields.raw("transactions_root", size=32),
        proposer=fields.text("proposer", 40),
    )
    fields.finish()
    return header
