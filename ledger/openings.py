"""The opening of one envelope: the shared point of its two keys, proven, with which anybody can try to open it.

Rules:
- The addressee shows the product of its secret key and the envelope's ephemeral key, with the proof (`ledger.dleq`)
  that it is that product; the key itself it keeps, and no other envelope opens by it.
- The shared point follows from the two public keys alone. So it opens what the addressee's key opens, and what it does
  not open that key does not open either: nobody can show a sound envelope to be spoilt, or hide that one is.
- What an envelope is found to be (`Judged`) is the same for whoever judges it by an opening and for its addressee.
- An ephemeral key that is no point of prime order has no shared point that could be proven: an envelope with such a
  key, of another size, or to a key that is none of its addressee's is spoilt as it stands, and needs no opening.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import nacl.bindings
import nacl.exceptions

from ledger import dleq
from ledger.documents import OpenedEnvelope
from ledger.envelopes import addressed_key, check_size, decrypted, ephemeral_key, unpadded
from ledger.errors import BadProofError, EnvelopeError
from ledger.keys import BoxKey
from ledger.points import edwards, has_sign, montgomery, reduced, times

_DOMAIN = b"seatrial/opening/v1\n"
_OPENER: Final = BoxKey(bytes(32))
"""A key that everybody has: a box between it and the right point has the shared key that is wanted."""


class Soundness(StrEnum):
    """What an envelope is."""

    WRONG_SIZE = "WRONG_SIZE"
    FOREIGN_KEY = "FOREIGN_KEY"
    BAD_KEY = "BAD_KEY"
    DOES_NOT_OPEN = "DOES_NOT_OPEN"
    NO_ENVELOPE = "NO_ENVELOPE"
    OTHER_ROOT = "OTHER_ROOT"
    SOUND = "SOUND"


@dataclass(frozen=True, slots=True)
class Opening:
    """What its addressee shows of one envelope.

    Attributes:
        point: the shared point on the Edwards curve, 32 bytes. Whoever has it and the envelope can open it.
        proof: that it is the product of the addressee's secret key and the ephemeral key, 64 bytes.
    """

    point: bytes
    proof: bytes


@dataclass(frozen=True, slots=True)
class Judged:
    """What an envelope was found to be.

    Attributes:
        soundness: what it is.
        why: what is wrong with it, in words that quote no value.
        opened: what it opens to, if it is an envelope.
    """

    soundness: Soundness
    why: str
    opened: OpenedEnvelope | None = None


def make_opening(sealed: bytes, box_key: BoxKey) -> Opening | None:
    """Return the opening of an envelope, or None if its ephemeral key, or one's own, has no shared point to prove.

    Args:
        sealed: as it travelled, without its signature.
        box_key: the addressee's, to which it is sealed.
    """
    ephemeral, public = edwards(ephemeral_key(sealed)), edwards(box_key.public)
    if ephemeral is None or public is None:
        return None
    secret = reduced(box_key.scalar)
    if has_sign(times(secret)):
        secret = nacl.bindings.crypto_core_ed25519_scalar_negate(
            secret
        )  # so that its point is the one of sign 0
    return Opening(times(secret, ephemeral), dleq.prove(secret, ephemeral, _context(sealed)))


def judge(sealed: bytes, root: bytes, keys: Collection[bytes], opening: Opening | None) -> Judged:
    """Say what an envelope is, without its addressee's secret key.

    Args:
        sealed: as it travelled, without its signature.
        root: under which it was sent.
        keys: the X25519 keys that its addressee ever had.
        opening: what the addressee shows of it; None where it needs none.

    Raises:
        BadProofError: if there is no opening and it needs one, or the opening is not this envelope's.
    """
    try:
        check_size(sealed)
    except EnvelopeError as error:
        return Judged(Soundness.WRONG_SIZE, _found(error))
    addressed = addressed_key(sealed)
    if addressed not in keys:
        return Judged(
            Soundness.FOREIGN_KEY, f"it is sealed to key {addressed.hex()}, which is none of its addressee's"
        )
    ephemeral = edwards(ephemeral_key(sealed))
    if ephemeral is None:
        return Judged(
            Soundness.BAD_KEY, "its ephemeral key is no point of prime order, so nobody can open it"
        )
    public = edwards(addressed)
    if public is None:
        raise BadProofError(
            f"the addressee's own key {addressed.hex()} is no point of prime order: of an envelope to it nothing can "
            f"be proven"
        )
    if opening is None:
        raise BadProofError("it has no opening, and nobody can say by itself whether this envelope opens")
    if not dleq.verify(public, ephemeral, opening.point, _context(sealed), opening.proof):
        raise BadProofError(
            "the shared point is not proven to be that of the addressee's key and this envelope's ephemeral key"
        )
    return _judge_opened(sealed, root, opening.point)


def _judge_opened(sealed: bytes, root: bytes, point: bytes) -> Judged:
    try:
        padded = decrypted(sealed, _OPENER, _opener_point(point))
    except EnvelopeError:
        return Judged(Soundness.DOES_NOT_OPEN, "it does not open with the key that its two keys share")
    try:
        opened = unpadded(padded)
    except EnvelopeError as error:
        return Judged(Soundness.NO_ENVELOPE, _found(error))
    if opened.root != root:
        why = f"it opens to digests of another root, {opened.root.hex()}"
        return Judged(Soundness.OTHER_ROOT, why, opened)
    return Judged(Soundness.SOUND, "it opens and has the root", opened)


def _opener_point(point: bytes) -> bytes:
    """Return the public key with which `_OPENER` shares the point.

    libsodium derives a box's key from a secret and a public key only, and not from a shared point: so that of the
    opener's inverse is taken, which the opener's multiplication brings back.
    """
    inverse = nacl.bindings.crypto_core_ed25519_scalar_invert(reduced(_OPENER.scalar))
    return montgomery(times(inverse, point))


def _found(error: EnvelopeError) -> str:
    """Return what is wrong, without what its addressee is to do about it."""
    return str(error).partition("; complain with")[0]


def _context(sealed: bytes) -> bytes:
    return _DOMAIN + sealed
