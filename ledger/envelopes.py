"""Envelopes as they travel: sealed to one key of their addressee, signed by their sender.

Rules:
- An envelope is padded to a size class and sealed with libsodium's Box from an ephemeral key; key and nonce come from
  the `random` it is given. It names the key of the addressee that it is sealed to.
- Its sender signs under which root it sends which sealed bytes to whom. Nodes take in nothing else, so whatever a
  reader receives is provably its sender's, and can be held against it.
- Box does not commit to its key: the addressee recomputes the root and compares it with the ledger's, so that no two
  of them are shown different documents.
- An ephemeral key that is no point of prime order makes no envelope, for its shared point could not be proven to
  anybody (`ledger.openings`).
- Whatever does not open is an EnvelopeError; nothing in it is trusted.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Final, Self

import nacl.exceptions
import nacl.public

from ledger.documents import Chance, OpenedEnvelope, read_envelope
from ledger.encoding import encode
from ledger.errors import EnvelopeError
from ledger.keys import KEY_BYTES, SIGNATURE_BYTES, BoxKey, Domain, SigningKey, Verifier
from ledger.members import Member
from ledger.points import edwards

SIZE_CLASSES_BYTES: Final = (1 << 10, 4 << 10, 16 << 10, 64 << 10)
"""Envelopes that travel have exactly one of these sizes, their signature included."""

_LENGTH_BYTES = 4
_NONCE_BYTES = nacl.public.Box.NONCE_SIZE
_MAC_BYTES = 16
_HEAD_BYTES = 2 * KEY_BYTES
_OVERHEAD_BYTES = _HEAD_BYTES + _NONCE_BYTES + _MAC_BYTES + _LENGTH_BYTES + SIGNATURE_BYTES


@dataclass(frozen=True, slots=True)
class SignedEnvelope:
    """An envelope as it travels.

    Attributes:
        sealed: ephemeral key, the addressee's key, nonce, ciphertext.
        signature: of the sender's organization over `seal_statement`, 64 bytes.
    """

    sealed: bytes = field(repr=False)
    signature: bytes

    @property
    def digest(self) -> bytes:
        """The sha256 of the sealed bytes, by which the sender's statement names them."""
        return hashlib.sha256(self.sealed).digest()

    def encode(self) -> bytes:
        """Return the bytes that travel."""
        return self.sealed + self.signature

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Return the parts of what travelled.

        Raises:
            EnvelopeError: if it is too short to be signed.
        """
        if len(data) < SIGNATURE_BYTES:
            raise EnvelopeError(
                f"{len(data)} bytes are no signed envelope: its last {SIGNATURE_BYTES} are its sender's signature"
            )
        return cls(data[:-SIGNATURE_BYTES], data[-SIGNATURE_BYTES:])


def seal(envelope_bytes: bytes, recipient_box_public: bytes, random: Chance) -> bytes:
    """Pad an envelope to its size class and encrypt it to an addressee.

    Args:
        envelope_bytes: from `ledger.documents.envelope`.
        recipient_box_public: the addressee's X25519 key, 32 bytes.
        random: for the ephemeral key and the nonce.

    Returns:
        The sealed bytes, to be signed.

    Raises:
        EnvelopeError: if the envelope is larger than the largest class, or the key is none.
    """
    size = len(envelope_bytes) + _OVERHEAD_BYTES
    fitting = [size_class for size_class in SIZE_CLASSES_BYTES if size_class >= size]
    if not fitting:
        raise EnvelopeError(
            f"a sealed envelope of {size} bytes is over the largest class, {SIZE_CLASSES_BYTES[-1]}; "
            f"send fewer or shorter fields"
        )
    padding = bytes(fitting[0] - size)
    padded = len(envelope_bytes).to_bytes(_LENGTH_BYTES, "big") + envelope_bytes + padding
    ephemeral = BoxKey(random.randbytes(KEY_BYTES))
    nonce = random.randbytes(_NONCE_BYTES)
    try:
        sealed = ephemeral.box(recipient_box_public).encrypt(padded, nonce)
    except (nacl.exceptions.CryptoError, ValueError, TypeError) as error:
        raise EnvelopeError(
            f"the addressee's key is no X25519 key: {error}; use its registered key"
        ) from error
    return ephemeral.public + recipient_box_public + bytes(sealed)


def seal_statement(root: bytes, to: str, digest: bytes) -> bytes:
    """Return what a sender signs under `Domain.SEAL`: under which root it sends which sealed bytes to whom.

    Args:
        root: of the document, 32 bytes.
        to: the addressee, organization id.
        digest: sha256 of the sealed bytes.
    """
    return encode({"root": root, "to": to, "envelope": digest})


def sign_envelope(sealed: bytes, key: SigningKey, network: str, root: bytes, to: str) -> bytes:
    """Return what travels: the sealed bytes with their sender's signature.

    Args:
        sealed: from `seal`.
        key: the sender's organization key.
        network: the network's full name.
        root: under which it is sent.
        to: the addressee, organization id.
    """
    digest = hashlib.sha256(sealed).digest()
    return sealed + key.sign(Domain.SEAL, network, seal_statement(root, to, digest))


def is_senders(
    sender: Member | None,
    verifier: Verifier,
    domain: Domain,
    network: str,
    statement: bytes,
    signature: bytes,
    known_at: int | None = None,
) -> bool:
    """Say whether a statement is signed with a key that the sender has, or had, and that nobody had stolen.

    Args:
        sender: as the roster has it; None has no key.
        verifier: for the signature.
        domain: what the signature is for.
        network: the network's full name.
        statement: the bytes signed.
        signature: 64 bytes.
        known_at: the height at which the signature stood on the ledger, if it did: a theft after it undoes nothing.
    """
    return sender is not None and any(
        (term.compromised_since is None or (known_at is not None and known_at <= term.compromised_since))
        and verifier.verify(term.key, domain, network, statement, signature)
        for term in reversed(sender.keys)
    )


def open_envelope(sealed: bytes, box_key: BoxKey) -> OpenedEnvelope:
    """Open a sealed envelope and recompute its root.

    Args:
        sealed: as it travelled, without its signature.
        box_key: the addressee's.

    Raises: EnvelopeError: if it does not open or is no envelope. Whether its root is the ledger's is the
    caller's to compare (`OpenedEnvelope.check_root`).
    """
    check_size(sealed)
    if addressed_key(sealed) != box_key.public:
        raise EnvelopeError("the envelope is sealed to another key than this one; complain with UNREADABLE")
    ephemeral = ephemeral_key(sealed)
    if edwards(ephemeral) is None:
        raise EnvelopeError(
            "the envelope's ephemeral key is no point of prime order; complain with UNREADABLE"
        )
    return unpadded(decrypted(sealed, box_key, ephemeral))


def ephemeral_key(sealed: bytes) -> bytes:
    """Return the X25519 key that sealed bytes were sealed from."""
    return sealed[:KEY_BYTES]


def addressed_key(sealed: bytes) -> bytes:
    """Return the X25519 key that sealed bytes say they are sealed to."""
    return sealed[KEY_BYTES:_HEAD_BYTES]


def check_size(sealed: bytes) -> None:
    """Check that sealed bytes have the size of a class.

    Raises:
        EnvelopeError: if they have another.
    """
    size = len(sealed) + SIGNATURE_BYTES
    if size not in SIZE_CLASSES_BYTES:
        raise EnvelopeError(
            f"an envelope has {', '.join(map(str, SIZE_CLASSES_BYTES))} bytes with its signature, got {size}; "
            f"complain with UNREADABLE"
        )


def decrypted(sealed: bytes, box_key: BoxKey, public: bytes) -> bytes:
    """Return the padded envelope in sealed bytes, decrypted with what a secret and a public key share.

    Raises:
        EnvelopeError: if it does not open.
    """
    try:
        return box_key.box(public).decrypt(sealed[_HEAD_BYTES:])
    except nacl.exceptions.CryptoError as error:
        raise EnvelopeError(
            "the envelope does not open with this key: it was changed or is another's; "
            "complain with UNREADABLE"
        ) from error


def unpadded(padded: bytes) -> OpenedEnvelope:
    """Return the envelope in its padding.

    Raises:
        EnvelopeError: if it is none.
    """
    length = int.from_bytes(padded[:_LENGTH_BYTES], "big")
    end = _LENGTH_BYTES + length
    if end > len(padded) or any(padded[end:]):
        raise EnvelopeError("the envelope's padding is not zeros after its length; complain with UNREADABLE")
    return read_envelope(padded[_LENGTH_BYTES:end])
