"""Signed transactions: their identity, their bytes, their parsing.

Rules:
- On the wire a transaction is one canonical map: version, network, type, creator, nonce, valid_until_ms,
  documents, approvals, body, signature.
- `id` is the sha256 over the transaction's domain and the canonical map of every field but the signature; the
  creator's organization key signs the same map under the same domain.
- An approval signs the map without approvals and signature, under its own domain.
- A nonce is (key epoch, counter): the epoch 63 random bits drawn per wallet or restore, the counter in any
  order, gaps allowed.
- Parsing checks form and bounds only; whether the signature holds and the act is allowed is for execution.
- Bytes that do not parse are named by a hash of their own domain: they can consume no transaction's id.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field

from ledger.encoding import Encodable, Value, decode, encode
from ledger.errors import EncodingError, MalformedError
from ledger.fields import Fields, describe
from ledger.keys import SIGNATURE_BYTES, Domain, SigningKey, Verifier

TRANSACTION_VERSION = 1
NONCE_PART_MAX = 2**63 - 1
DOCUMENTS_MAX = 16
APPROVALS_MAX = 256
TIME_MS_MAX = 253_402_300_799_999

_TYPE = re.compile(r"[a-z][a-z_]*(?:\.[a-z][a-z_]*)+")
_NAME = re.compile(r"[a-z0-9-]+")
_ID_HEAD = f"{Domain.TRANSACTION.value}\n".encode()
_MALFORMED_HEAD = b"seatrial/malformed/v1\n"
_PAYLOAD_HEAD = b"\x89"  # a map of nine fields; with the signature it has ten
_SIGNATURE_HEAD = encode("signature") + b"\xc4" + bytes([SIGNATURE_BYTES])
_TYPE_KEY, _VALID_UNTIL_KEY, _VERSION_KEY = map(encode, ("type", "valid_until_ms", "version"))


@dataclass(frozen=True, slots=True)
class Transaction:
    """What a creator signs.

    Attributes:
        version: of this format; 1.
        network: full name of the network it is for.
        type: such as `claim.file`.
        creator: organization id.
        nonce: (key epoch, counter).
        valid_until_ms: block time after which it is EXPIRED.
        documents: 32-byte roots of the documents it anchors.
        approvals: (organization id, signature) of other members, for acts that need them.
        body: the fields of its type.
    """

    version: int
    network: str
    type: str
    creator: str
    nonce: tuple[int, int]
    valid_until_ms: int
    documents: tuple[bytes, ...]
    approvals: tuple[tuple[str, bytes], ...]
    body: dict[str, Value]

    def payload(self) -> bytes:
        """Return the canonical bytes that the creator signs."""
        return encode(_to_map(self))

    def approval_payload(self) -> bytes:
        """Return the canonical bytes that an approving organization signs, under `Domain.APPROVAL`."""
        fields = _to_map(self)
        del fields["approvals"]
        return encode(fields)

    @property
    def id(self) -> bytes:
        """The transaction's id, 32 bytes."""
        return _id_of(self.payload())


@dataclass(frozen=True, slots=True)
class SignedTransaction:
    """A transaction with its creator's signature.

    Attributes:
        transaction: what was signed.
        signature: 64 bytes.
        raw: the full canonical bytes, as they travel and as blocks hold them.
        payload: the canonical bytes that the signature covers.
        id: the transaction's id, 32 bytes.
    """

    transaction: Transaction
    signature: bytes
    raw: bytes
    payload: bytes = field(init=False, repr=False, compare=False)
    id: bytes = field(init=False, compare=False)

    def __post_init__(self) -> None:
        self._set_payload(self.transaction.payload())

    @classmethod
    def _of_bytes(cls, transaction: Transaction, signature: bytes, raw: bytes) -> SignedTransaction:
        """Return what canonical bytes were parsed into, without encoding it again."""
        signed = cls.__new__(cls)
        object.__setattr__(signed, "transaction", transaction)
        object.__setattr__(signed, "signature", signature)
        object.__setattr__(signed, "raw", raw)
        signed._set_payload(_payload_in(raw, transaction))
        return signed

    def _set_payload(self, payload: bytes) -> None:
        object.__setattr__(self, "payload", payload)
        object.__setattr__(self, "id", _id_of(payload))

    def holds(self, public: bytes, verifier: Verifier) -> bool:
        """Say whether the signature is that key's."""
        network = self.transaction.network
        return verifier.verify(public, Domain.TRANSACTION, network, self.payload, self.signature)


def sign_transaction(transaction: Transaction, key: SigningKey) -> SignedTransaction:
    """Sign a transaction with its creator's organization key.

    Raises:
        EncodingError: if a field has no canonical form.
    """
    fields = _to_map(transaction)
    signature = key.sign(Domain.TRANSACTION, transaction.network, encode(fields))
    fields["signature"] = signature
    return SignedTransaction(transaction, signature, encode(fields))


def sign_approval(transaction: Transaction, key: SigningKey) -> bytes:
    """Return another organization's approval of a transaction, 64 bytes."""
    return key.sign(Domain.APPROVAL, transaction.network, transaction.approval_payload())


def parse_transaction(raw: bytes, limit_bytes: int) -> SignedTransaction:
    """Return the transaction whose bytes are `raw`.

    Args:
        raw: the full signed bytes.
        limit_bytes: genesis' `transaction_bytes_max`.

    Raises:
        MalformedError: if the bytes are too long, not canonical, or not the fields of a transaction.
    """
    try:
        value = decode(raw, limit_bytes=limit_bytes)
    except EncodingError as error:
        raise MalformedError(f"transaction: {error}") from error
    fields = Fields(value, "transaction")
    fields.integer("version", TRANSACTION_VERSION, TRANSACTION_VERSION)
    transaction = Transaction(
        version=TRANSACTION_VERSION,
        network=fields.text("network", 64, _NAME),
        type=fields.text("type", 64, _TYPE),
        creator=fields.text("creator", 40, _NAME),
        nonce=_read_nonce(fields),
        valid_until_ms=fields.integer("valid_until_ms", 0, TIME_MS_MAX),
        documents=fields.raws("documents", DOCUMENTS_MAX, 32),
        approvals=_read_approvals(fields),
        body=fields.map("body"),
    )
    signature = fields.raw("signature", size=SIGNATURE_BYTES)
    fields.finish()
    return SignedTransaction._of_bytes(transaction, signature, raw)


def malformed_id(raw: bytes) -> bytes:
    """Return the id under which bytes that do not parse are recorded, 32 bytes."""
    return hashlib.sha256(_MALFORMED_HEAD + raw).digest()


def _payload_in(raw: bytes, transaction: Transaction) -> bytes:
    """Return the canonical map without the signature, cut out of the canonical bytes of the whole map.

    Keys stand sorted, so that the signature is followed by `type`, `valid_until_ms` and `version` alone; all
    else is in `raw` as it is in the payload, and need not be encoded again.
    """
    tail = b"".join(
        [
            _TYPE_KEY,
            encode(transaction.type),
            _VALID_UNTIL_KEY,
            encode(transaction.valid_until_ms),
            _VERSION_KEY,
            encode(transaction.version),
        ]
    )
    end = len(raw) - len(tail) - SIGNATURE_BYTES - len(_SIGNATURE_HEAD)
    return _PAYLOAD_HEAD + raw[1:end] + tail


def _id_of(payload: bytes) -> bytes:
    return hashlib.sha256(_ID_HEAD + payload).digest()


def _to_map(transaction: Transaction) -> dict[str, Encodable]:
    return {
        "approvals": transaction.approvals,
        "body": transaction.body,
        "creator": transaction.creator,
        "documents": transaction.documents,
        "network": transaction.network,
        "nonce": transaction.nonce,
        "type": transaction.type,
        "valid_until_ms": transaction.valid_until_ms,
        "version": transaction.version,
    }


def _read_nonce(fields: Fields) -> tuple[int, int]:
    parts: list[int] = []
    for name, part in zip(("epoch", "counter"), fields.items("nonce", 2, 2), strict=True):
        if type(part) is not int or not 0 <= part <= NONCE_PART_MAX:
            fields.refuse("nonce", f"{name} {describe(part)} is no integer within 0 .. {NONCE_PART_MAX}")
        parts.append(part)
    return (parts[0], parts[1])


def _read_approvals(fields: Fields) -> tuple[tuple[str, bytes], ...]:
    approvals: dict[str, bytes] = {}
    for i, item in enumerate(fields.items("approvals", APPROVALS_MAX)):
        match item:
            case [str(organization), bytes(signature)] if len(signature) == SIGNATURE_BYTES:
                if organization in approvals:
                    fields.refuse(f"approvals[{i}]", f"{organization!r} approves twice; list it once")
                approvals[organization] = signature
            case _:
                fields.refuse(
                    f"approvals[{i}]", f"expected [organization, {SIGNATURE_BYTES} bytes of signature]"
                )
    return tuple(approvals.items())
