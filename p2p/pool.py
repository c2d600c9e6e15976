"""Transactions waiting for a block.

Rules:
- A transaction enters once, by its id, after the ledger admitted it; it leaves when it is executed or expired.
- Those this node took in for its own organization are *durable*: they are in the store too, survive a restart and
  leave the store in the transaction that executes them.
- Order is the order of arrival; what stands in a block that is not executed yet is *ordered* and not cut again,
  unless that block is truncated.
- A configuration transaction is cut alone, never with others.
- The pool is bounded by genesis' `pool_transactions_max`; when it is full, newcomers are refused, never the waiting.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(slots=True)
class Waiting:
    """One transaction that waits.

    Attributes:
        id: its id.
        raw: its full signed bytes.
        valid_until_ms: block time after which it is expired.
        received_at: protocol time of arrival, seconds.
        nonce: creator, key epoch and counter.
        accepted_ms: the calendar when this node took it in for its own organization, or None if it came by gossip.
        is_durable: whether it is in this node's store.
        is_accepted: whether it is in a durable pool: this node's, or that of the node it came from.
        ordered_at: the log index of the block it stands in, if it does.
        is_configuration: whether it changes who belongs to the network, and so needs a block of its own.
    """

    id: bytes
    raw: bytes
    valid_until_ms: int
    received_at: float
    nonce: tuple[str, int, int]
    accepted_ms: int | None = None
    is_durable: bool = False
    is_accepted: bool = False
    ordered_at: int = 0
    is_configuration: bool = False


class Pool:
    """The transactions one node knows that are not executed yet."""

    def __init__(self, transactions_max: int) -> None:
        self.transactions_max = transactions_max
        self._free: dict[bytes, Waiting] = {}
        self._ordered: dict[bytes, Waiting] = {}
        self._id_of_raw: dict[bytes, bytes] = {}

    def __len__(self) -> int:
        return len(self._free) + len(self._ordered)

    def __contains__(self, transaction_id: bytes) -> bool:
        return transaction_id in self._free or transaction_id in self._ordered

    def __iter__(self) -> Iterator[Waiting]:
        yield from self._ordered.values()
        yield from self._free.values()

    @property
    def is_full(self) -> bool:
        """Whether there is no room for another."""
        return len(self) >= self.transactions_max

    @property
    def free_count(self) -> int:
        """How many stand in no block."""
        return len(self._free)

    def get(self, transaction_id: bytes) -> Waiting | None:
        """Return a waiting transaction by id."""
        return self._free.get(transaction_id) or self._ordered.get(transaction_id)

    def is_ordered(self, transaction_id: bytes, up_to: int) -> bool:
        """Whether it stands in a block that is not executed yet, in the log up to an index."""
        waiting = self._ordered.get(transaction_id)
        return waiting is not None and waiting.ordered_at <= up_to

    def id_of(self, raw: bytes) -> bytes | None:
        """Return the id of these very bytes if they wait here."""
        return self._id_of_raw.get(raw)

    def add(self, waiting: Waiting) -> None:
        """Take in a transaction that is not here yet."""
        self._free[waiting.id] = waiting
        self._id_of_raw[waiting.raw] = waiting.id

    def remove(self, transaction_id: bytes) -> Waiting | None:
        """Let a transaction go."""
        gone = self._free.pop(transaction_id, None) or self._ordered.pop(transaction_id, None)
        if gone is not None:
            del self._id_of_raw[gone.raw]
        return gone

    def oldest_wait(self, now: float) -> float:
        """Return for how many seconds the oldest transaction outside any block has waited; 0 if there is none."""
        for waiting in self._free.values():
            return now - waiting.received_at
        return 0.0

    def select(self, count_max: int, bytes_max: int, valid_until_ms_max: int) -> list[bytes]:
        """Return the bytes of the oldest transactions outside any block that fit a new one.

        Args:
            count_max: the most transactions.
            bytes_max: the most bytes, framing included.
            valid_until_ms_max: the latest end of validity the new block's time allows; later ones wait.
        """
        chosen: list[bytes] = []
        total = 0
        for waiting in self._free.values():
            if waiting.is_configuration or waiting.valid_until_ms > valid_until_ms_max:
                continue
            total += len(waiting.raw) + 8
            if len(chosen) >= count_max or total > bytes_max:
                break
            chosen.append(waiting.raw)
        return chosen

    def configurations(self, valid_until_ms_max: int) -> list[bytes]:
        """Return the bytes of the configuration transactions outside any block, oldest first.

        Args:
            valid_until_ms_max: as for `select`.
        """
        return [
            waiting.raw
            for waiting in self._free.values()
            if waiting.is_configuration and waiting.valid_until_ms <= valid_until_ms_max
        ]

    def mark_ordered(self, transactions: Iterable[bytes], index: int) -> None:
        """Note that these bytes stand in the block of the log's entry at `index`."""
        for raw in transactions:
            transaction_id = self.id_of(raw)
            waiting = self._free.pop(transaction_id, None) if transaction_id is not None else None
            if waiting is not None:
                waiting.ordered_at = index
                self._ordered[waiting.id] = waiting

    def release(self, transaction_id: bytes) -> None:
        """Let a transaction wait for another block: the one it stood in gave it no final answer."""
        waiting = self._ordered.pop(transaction_id, None)
        if waiting is not None:
            self._free[transaction_id] = waiting

    def release_all(self) -> None:
        """Forget all orderings, in order of arrival: the log was truncated and the caller marks anew."""
        everything = sorted([*self._ordered.values(), *self._free.values()], key=lambda w: w.received_at)
        self._free = {waiting.id: waiting for waiting in everything}
        self._ordered = {}

    def expired(self, block_time_ms: int) -> list[Waiting]:
        """Return those outside any block whose validity ended before `block_time_ms`."""
        return [waiting for waiting in self._free.values() if waiting.valid_until_ms < block_time_ms]
