"""The watermark: how far the store had got when the last answer left.

Rules:
- SQLite takes a WAL frame with a bad checksum for the end of the WAL, so one flipped bit there drops acknowledged
  commits in silence. The watermark says which commit had been answered; a store behind it is damaged.
- The record fits one 512-byte sector and is overwritten in place: the disk is assumed to write a sector whole or not.
- A record whose digest does not match is damage, never "no watermark".
"""

from __future__ import annotations

import hashlib

from ledger.errors import DamagedStoreError

_MAGIC = b"seatrial watermark 1\n"
_SIZE = len(_MAGIC) + 8 + 32


def pack_watermark(sequence: int) -> bytes:
    """Return the file's bytes for commit number `sequence` (0 or more)."""
    head = _MAGIC + sequence.to_bytes(8, "big")
    return head + hashlib.sha256(head).digest()


def unpack_watermark(data: bytes) -> int:
    """Return the commit number in `data`.

    Raises:
        DamagedStoreError: if the bytes are not a whole watermark.
    """
    head = data[:-32]
    if len(data) != _SIZE or not head.startswith(_MAGIC) or hashlib.sha256(head).digest() != data[-32:]:
        raise DamagedStoreError("watermark", "its digest does not match its content")
    return int.from_bytes(head[len(_MAGIC) :], "big")
