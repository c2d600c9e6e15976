"""Windows of salts' forms, worked out for many salts at once.

Rules:
- A salt is 16 bytes by chance: no text, so that JSON has no form of it; and no two begin alike, so that the first
  windows of a form are as good as any.
- The forms are those that `scenarios.privacy.leaks.forms_of` gives of one; a test holds them against each other.
"""

from __future__ import annotations

from binascii import b2a_base64
from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

SALT_BYTES: Final = 16
_PADDED_BYTES: Final = 18
"""Whole groups of base64, wherever in the first of them a salt begins."""
_URL_SAFE: Final = bytes.maketrans(b"+/", b"-_")

Bytes = npt.NDArray[np.uint8]


def is_salt(value: bytes) -> bool:
    """Whether a value is like a salt: of its size, and no text."""
    if len(value) != SALT_BYTES:
        return False
    try:
        value.decode()
    except UnicodeDecodeError:
        return True
    return False


def salt_windows(
    salts: bytes, width_bytes: int, places: int
) -> Iterator[tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint64]]]:
    """Give the windows at the first places of every form of salts: whose they are, by number from 0, and the windows.

    Args:
        salts: one after the other.
        width_bytes: of a window: 8.
        places: how many windows of each form, from its first byte on.
    """
    everyone = np.arange(len(salts) // SALT_BYTES, dtype=np.uint32)
    plain: Bytes = np.frombuffer(salts, np.uint8).reshape(-1, SALT_BYTES)
    digits = salts.hex()
    for form in (plain, _rows(digits.encode()), _rows(digits.upper().encode())):
        for place in range(places):
            yield everyone, _windows(form, place, width_bytes)
    for offset in range(3):
        encoded = _in_base64(plain, offset)
        form, url_safe = (_cores(text, offset) for text in (encoded, encoded.translate(_URL_SAFE)))
        for place in range(places):
            windows, others = _windows(form, place, width_bytes), _windows(url_safe, place, width_bytes)
            yield everyone, windows
            differs = windows != others
            yield everyone[differs], others[differs]


def _rows(digits: bytes) -> Bytes:
    return np.frombuffer(digits, np.uint8).reshape(-1, 2 * SALT_BYTES)


def _in_base64(salts: Bytes, offset: int) -> bytes:
    """Return the base64 texts of salts that begin at a byte of a group of three, one after the other."""
    padded = np.zeros((len(salts), _PADDED_BYTES), np.uint8)
    padded[:, offset : offset + SALT_BYTES] = salts
    return b2a_base64(padded.tobytes(), newline=False)


def _cores(texts: bytes, offset: int) -> Bytes:
    """Return, of each text, the characters that depend on the salt alone."""
    return np.frombuffer(texts, np.uint8).reshape(-1, _PADDED_BYTES // 3 * 4)[:, (offset * 8 + 5) // 6 :]


def _windows(form: Bytes, place: int, width_bytes: int) -> npt.NDArray[np.uint64]:
    return np.ascontiguousarray(form[:, place : place + width_bytes]).view("<u8").ravel()
