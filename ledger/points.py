"""Points of X25519 keys on the Edwards curve, where they can be added.

Rules:
- X25519 works with one coordinate of the Montgomery curve (u); the curve of Ed25519 is the same one in another form,
  y = (u - 1) / (u + 1) (RFC 7748, 4.1). A point and its negative have the same u: the one of sign 0 stands for both.
- Only points of prime order count, in their canonical spelling. On the rest (small order, a torsion part, the twist) a
  shared point is not the product of one secret that all can agree on.
- libsodium does the arithmetic of points and scalars; here are field elements of public points only.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import nacl.bindings
import nacl.exceptions

POINT_BYTES = 32
SCALAR_BYTES = 32
WIDE_BYTES = 64

_P: Final = 2**255 - 19
_SIGN = 0x80
_REMEMBERED = 1024


@lru_cache(_REMEMBERED)
def edwards(u: bytes) -> bytes | None:
    """Return the Edwards point of sign 0 with a Montgomery coordinate, or None if it is no point of prime order.

    Args:
        u: little-endian, 32 bytes, such as an X25519 public key.
    """
    number = int.from_bytes(u, "little")
    if len(u) != POINT_BYTES or number >= _P - 1:  # u = -1 has no y
        return None
    y = (number - 1) * pow(number + 1, -1, _P) % _P
    point = y.to_bytes(POINT_BYTES, "little")
    return point if is_point(point) else None


def montgomery(point: bytes) -> bytes:
    """Return the Montgomery coordinate of an Edwards point of prime order, of either sign."""
    y = int.from_bytes(without_sign(point), "little")
    return ((1 + y) * pow(1 - y, -1, _P) % _P).to_bytes(POINT_BYTES, "little")


def is_point(data: bytes) -> bool:
    """Say whether bytes are the canonical spelling of a point of prime order."""
    return len(data) == POINT_BYTES and nacl.bindings.crypto_core_ed25519_is_valid_point(data)


def has_sign(point: bytes) -> bool:
    """Say whether a point is of sign 1."""
    return bool(point[-1] & _SIGN)


def without_sign(point: bytes) -> bytes:
    """Return the point or its negative, whichever is of sign 0."""
    return point[:-1] + bytes([point[-1] & ~_SIGN])


def times(scalar: bytes, point: bytes | None = None) -> bytes:
    """Return a multiple of a point of prime order, of the base point if None.

    Raises:
        nacl.exceptions.RuntimeError: if the scalar is zero, or the point is none of prime order.
    """
    if point is None:
        return nacl.bindings.crypto_scalarmult_ed25519_base_noclamp(scalar)
    return nacl.bindings.crypto_scalarmult_ed25519_noclamp(scalar, point)


def reduced(number: bytes) -> bytes:
    """Return a little-endian number of at most 64 bytes modulo the group's order."""
    return nacl.bindings.crypto_core_ed25519_scalar_reduce(number.ljust(WIDE_BYTES, b"\0"))


def is_scalar(data: bytes) -> bool:
    """Say whether bytes are the canonical spelling of a scalar other than zero."""
    return len(data) == SCALAR_BYTES and any(data) and reduced(data) == data
