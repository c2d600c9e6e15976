"""Multibase texts: how credentials spell bytes and keys.

Rules:
- `z` begins base58btc, `u` base64url without padding (Controlled Identifiers 1.0, section 2.4).
- An Ed25519 public key is the bytes ed 01 before its 32, in base58btc (same, section 2.2.2); `did:key` is that text
  behind the method's name.
- A text that is not the one spelling of its bytes is refused.
"""

from __future__ import annotations

import base64
import binascii

import base58

from ledger.errors import BadProofError
from ledger.keys import KEY_BYTES, PublicKey

_ED25519_PUBLIC = b"\xed\x01"


def base58btc(data: bytes) -> str:
    """Return bytes as multibase base58btc."""
    return "z" + base58.b58encode(data).decode("ascii")


def read_base58btc(text: str) -> bytes:
    """Return the bytes of a multibase base58btc text.

    Raises:
        BadProofError: if it is none.
    """
    if not text.startswith("z"):
        raise BadProofError(f"{text[:40]!r} is not multibase base58btc, which begins with z")
    try:
        return base58.b58decode(text[1:].encode("ascii"))
    except ValueError as error:
        raise BadProofError(f"{text[:40]!r} is not base58btc: {error}") from error


def base64url(data: bytes) -> str:
    """Return bytes as multibase base64url without padding."""
    return "u" + base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def read_base64url(text: str) -> bytes:
    """Return the bytes of a multibase base64url text.

    Raises:
        BadProofError: if it is none, or another text stands for the same bytes.
    """
    if not text.startswith("u"):
        raise BadProofError(f"{text[:40]!r} is not multibase base64url, which begins with u")
    try:
        data = base64.b64decode(text[1:] + "=" * (-len(text[1:]) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadProofError(f"{text[:40]!r} is not base64url: {error}") from error
    if base64url(data) != text:
        raise BadProofError(f"{text[:40]!r} is not the one spelling of its bytes")
    return data


def multikey(public: bytes) -> str:
    """Return an Ed25519 public key as its Multikey text, `z6Mk...`."""
    return base58btc(_ED25519_PUBLIC + public)


def read_multikey(text: str) -> PublicKey:
    """Return the Ed25519 public key of a Multikey text.

    Raises:
        BadProofError: if it is no Ed25519 public key.
    """
    data = read_base58btc(text)
    if len(data) != len(_ED25519_PUBLIC) + KEY_BYTES or not data.startswith(_ED25519_PUBLIC):
        raise BadProofError(f"{text[:60]!r} is no Ed25519 public key: bytes ed 01 and {KEY_BYTES} more")
    return PublicKey(data[len(_ED25519_PUBLIC) :])


def did_key(public: bytes) -> str:
    """Return the decentralized identifier that is the key itself (did:key)."""
    return f"did:key:{multikey(public)}"


def verification_method(public: bytes) -> str:
    """Return the name of the only verification method of a `did:key`."""
    return f"{did_key(public)}#{multikey(public)}"
