"""The proof that two points are multiples of their bases by one secret scalar, of Chaum and Pedersen.

Rules:
- Proven is: whoever made it knew x with X = xG and S = xH, for the base point G and any H (Chaum and Pedersen,
  "Wallet Databases with Observers", CRYPTO '92, 3.2). It tells nothing else of x.
- The challenge is a hash over all points, both commitments and what the proof is for (Fiat and Shamir), under a
  domain of its own: a proof for one thing proves nothing of another.
- The nonce follows from the secret and from what is proven, as in RFC 8032 and RFC 6979: no chance, and never one
  nonce for two challenges, which would give the secret away.
- All points are of prime order and spelled canonically, and so are the scalars: else one could be shifted by a point of
  small order, or a proof be written in two ways.
"""

from __future__ import annotations

import hashlib
import hmac

import nacl.bindings
import nacl.exceptions

from ledger.encoding import encode
from ledger.points import SCALAR_BYTES, is_point, is_scalar, reduced, times

PROOF_BYTES = 2 * SCALAR_BYTES
"""Challenge and response."""

_CHALLENGE_DOMAIN = b"seatrial/dleq/challenge/v1\n"
_NONCE_DOMAIN = b"seatrial/dleq/nonce/v1\n"


def prove(secret: bytes, base: bytes, context: bytes) -> bytes:
    """Return the proof that `times(secret)` and `times(secret, base)` have the same scalar, 64 bytes.

    Args:
        secret: the scalar, 32 bytes, not zero.
        base: the second base, a point of prime order.
        context: what the proof is for.
    """
    public, shared = times(secret), times(secret, base)
    transcript = encode([public, base, shared, context])
    nonce = reduced(hashlib.sha512(_NONCE_DOMAIN + secret + transcript).digest())
    challenge = _challenge(transcript, times(nonce), times(nonce, base))
    product = nacl.bindings.crypto_core_ed25519_scalar_mul(challenge, secret)
    return challenge + nacl.bindings.crypto_core_ed25519_scalar_add(nonce, product)


def verify(public: bytes, base: bytes, shared: bytes, context: bytes, proof: bytes) -> bool:
    """Say whether a proof shows that `shared` is to `base` what `public` is to the base point.

    Args:
        public: X = xG.
        base: H.
        shared: S = xH.
        context: what the proof is for.
        proof: 64 bytes.
    """
    challenge, response = proof[:SCALAR_BYTES], proof[SCALAR_BYTES:]
    if not all(map(is_point, (public, base, shared))) or not (is_scalar(challenge) and is_scalar(response)):
        return False
    try:
        first, second = commitments(public, base, shared, challenge, response)
    except nacl.exceptions.RuntimeError:
        return False  # a commitment would be the neutral element, which no honest nonce gives
    transcript = encode([public, base, shared, context])
    return hmac.compare_digest(_challenge(transcript, first, second), challenge)


def commitments(
    public: bytes, base: bytes, shared: bytes, challenge: bytes, response: bytes
) -> tuple[bytes, bytes]:
    """Return what the prover must have committed to: (sG - cX, sH - cS).

    Raises:
        nacl.exceptions.RuntimeError: if a scalar is zero, or a point is none of prime order.
    """
    sub = nacl.bindings.crypto_core_ed25519_sub
    return (
        sub(times(response), times(challenge, public)),
        sub(times(response, base), times(challenge, shared)),
    )


def _challenge(transcript: bytes, first: bytes, second: bytes) -> bytes:
    return reduced(hashlib.sha512(_CHALLENGE_DOMAIN + encode([transcript, first, second])).digest())
