"""Bitstring status lists: one bit for each credential of an issuer.

Rules (Bitstring Status List 1.0):
- A list has at least 131,072 entries, so that asking for it does not tell which credential is meant.
- Entry 0 is the left-most bit of the first byte.
- The list travels as multibase base64url of its GZIP; the same list is always the same text.
"""

from __future__ import annotations

import gzip
import io
import zlib

from ledger.credentials.multibase import base64url, read_base64url
from ledger.errors import BadProofError

ENTRIES_MIN = 131_072
ENTRIES_MAX = 1 << 24


class StatusList:
    """A list in memory, all bits clear at first.

    Args:
        entries: how many; a multiple of 8.

    Raises:
        ValueError: if there are fewer entries than the standard's least, too many, or no whole bytes of them.
    """

    __slots__ = ("_bits",)

    def __init__(self, entries: int = ENTRIES_MIN) -> None:
        if not ENTRIES_MIN <= entries <= ENTRIES_MAX or entries % 8:
            raise ValueError(
                f"{entries} entries: choose a multiple of 8 within {ENTRIES_MIN} .. {ENTRIES_MAX}"
            )
        self._bits = bytearray(entries // 8)

    def __len__(self) -> int:
        return len(self._bits) * 8

    def set(self, index: int) -> None:
        """Set an entry's bit.

        Raises:
            IndexError: if there is no such entry.
        """
        self._check(index)
        self._bits[index // 8] |= 0x80 >> index % 8

    def is_set(self, index: int) -> bool:
        """Say whether an entry's bit is set.

        Raises:
            IndexError: if there is no such entry.
        """
        self._check(index)
        return bool(self._bits[index // 8] & 0x80 >> index % 8)

    def encode(self) -> str:
        """Return the `encodedList` text."""
        return base64url(gzip.compress(bytes(self._bits), mtime=0))

    def _check(self, index: int) -> None:
        if not 0 <= index < len(self):
            raise IndexError(f"entry {index} is outside 0 .. {len(self) - 1}")


def read_status_list(text: str) -> StatusList:
    """Return the list of an `encodedList` text.

    Raises:
        BadProofError: if it is no such text, shorter than the standard's least, or longer than we read.
    """
    packed = read_base64url(text)
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(packed)) as file:
            bits = file.read(ENTRIES_MAX // 8 + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise BadProofError(f"the status list is no GZIP: {error}") from error
    if not ENTRIES_MIN // 8 <= len(bits) <= ENTRIES_MAX // 8:
        raise BadProofError(
            f"the status list has {len(bits) * 8} entries; lists have {ENTRIES_MIN} .. {ENTRIES_MAX}"
        )
    status = StatusList(len(bits) * 8)
    status._bits[:] = bits
    return status
