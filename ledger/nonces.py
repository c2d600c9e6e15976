"""Nonce records in the state: which transaction used a nonce, until its bytes are expired.

Rules:
- A record holds the id that used the nonce, so one key answers both "executed?" and "nonce used?".
- Records are forgotten once block time is past `valid_until_ms`, earliest first, a bounded number per block; the bytes
  are EXPIRED by then.
"""

from __future__ import annotations

import heapq

from ledger.encoding import decode
from ledger.errors import DamagedStoreError
from ledger.state import Overlay, Reader, nonce_key
from ledger.transaction import SignedTransaction
from ledger.treestate import TreeState

FORGOTTEN_PER_BLOCK_MAX = 1000
"""How many nonce records one block forgets at most: twice the default block, so that they cannot pile up."""

_NONCE_BYTES_MAX = 256
_NONCE_PREFIX = "nonce/"


class NonceRecords:
    """The records of one state, in the order in which they may be forgotten.

    Args:
        state: whose records they are.

    Raises:
        DamagedStoreError: if a record cannot be read.
    """

    __slots__ = ("_due",)

    def __init__(self, state: TreeState) -> None:
        self._due = [
            (_read_nonce(key, value)[1], key) for key, value in state.items() if key.startswith(_NONCE_PREFIX)
        ]
        heapq.heapify(self._due)

    def used(self, signed: SignedTransaction, changed: Overlay) -> None:
        """Record that a transaction uses its nonce up."""
        transaction = signed.transaction
        key = nonce_key(transaction.creator, transaction.nonce)
        changed.put_map(key, {"id": signed.id, "valid_until_ms": transaction.valid_until_ms})
        heapq.heappush(self._due, (transaction.valid_until_ms, key))

    def forget(self, changed: Overlay, time_ms: int) -> None:
        """Delete what is expired at a block's time, as far as one block may."""
        left = FORGOTTEN_PER_BLOCK_MAX
        while left and self._due and self._due[0][0] < time_ms:
            changed.delete(heapq.heappop(self._due)[1])
            left -= 1


def nonce_user(state: Reader, organization: str, nonce: tuple[int, int]) -> bytes | None:
    """Return the id of the transaction that used a nonce, or None if none did or it is forgotten.

    Raises:
        DamagedStoreError: if its record cannot be read.
    """
    key = nonce_key(organization, nonce)
    data = state.get(key)
    return None if data is None else _read_nonce(key, data)[0]


def _read_nonce(key: str, data: bytes) -> tuple[bytes, int]:
    match decode(data, limit_bytes=_NONCE_BYTES_MAX):
        case {"id": bytes(used_by), "valid_until_ms": int(valid_until_ms)}:
            return used_by, valid_until_ms
    raise DamagedStoreError(f"state {key}", "it is no nonce record")
