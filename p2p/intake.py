"""How transactions enter a node: from its own organization, or by gossip.

Rules:
- Both doors ask the ledger the same question; only what it admits enters the pool. From a neighbor comes also what has
  expired by the calendar but not by the last block's time: validity ends in block time, so that without another block
  it would wait at the neighbor for ever, and its sender with it.
- What the node's own organization hands in is durable before it is called accepted, and before it is pushed to
  others; that holds for bytes that came by gossip first, or that wait for the disk already, too.
- After a restart the durable pool waits again, all of it: only a block's time or a receipt ends it.
- The same bytes again: the existing status. Another body under a nonce that waits or was used: NONCE_REUSED.
- When the roster changes, what was signed by a key or a member that ended leaves the pool, and its status says why.
- When the pool is full newcomers are refused with OVERLOADED; nothing that waits is thrown out for them.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from ledger.codes import Code
from ledger.configuration import CONFIGURATION_TYPES
from ledger.execution import Ledger
from ledger.store import Store
from ledger.transaction import SignedTransaction, parse_transaction
from p2p.codepoints import CodePoint
from p2p.frames import SHORT_ID_BYTES
from p2p.gossip import Gossip
from p2p.machine import Machine
from p2p.observer import Observer
from p2p.pool import Pool, Waiting

DONE_MAX = 8192
"""Transactions that left the pool lately: neighbors may offer them for some seconds more."""

_REVOKING = (Code.REVOKED_KEY, Code.UNKNOWN_ORGANIZATION)

Durably = Callable[[Callable[[], None]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Submission:
    """What became of bytes handed in: `code` is VALID when they wait in the durable pool now.

    Attributes:
        id: the transaction's id, if the bytes are one.
        code: VALID, DUPLICATE when it was known before, or why it was refused.
        message: what does not hold: thing, value, limit.
    """

    id: bytes | None
    code: Code
    message: str


@dataclass(slots=True)
class Intake:
    """Both doors into one node's pool."""

    machine: Machine
    ledger: Ledger
    store: Store
    pool: Pool
    gossip: Gossip
    observer: Observer
    durably: Durably
    now: Callable[[], float]
    leader: Callable[[], str | None]
    on_change: Callable[[], None]
    refused: dict[Code, int] = field(default_factory=dict)
    expired_ids: OrderedDict[bytes, Code | None] = field(default_factory=OrderedDict)
    _nonces: dict[tuple[str, int, int], bytes] = field(default_factory=dict)
    _done: OrderedDict[bytes, None] = field(default_factory=OrderedDict)

    async def submit(self, raws: Sequence[bytes]) -> list[Submission]:
        """Take in what the node's own organization hands in; return when the accepted are durable.

        Raises:
            NodeHaltedError: if the node stopped before; whether they are in the pool is unknown then.
        """
        outcomes: list[Submission] = []
        to_keep: dict[bytes, Waiting] = {}
        for raw in raws:
            outcome = self._admit(raw)
            if isinstance(outcome, Waiting):
                self._enter(outcome)
                outcomes.append(Submission(outcome.id, Code.VALID, ""))
                self._note("transaction.submitted", outcome)
                to_keep[outcome.id] = outcome
            else:
                outcomes.append(outcome)
                known = self.pool.get(outcome.id) if outcome.id and outcome.code is Code.DUPLICATE else None
                if known is not None and not known.is_durable:
                    to_keep[known.id] = known
        if to_keep:
            await self._accept(list(to_keep.values()))
        return outcomes

    def receive(self, peer: str, raws: Sequence[bytes]) -> None:
        """Take in what a neighbor pushed or answered."""
        for raw in raws:
            known = self.pool.id_of(raw)
            if known is not None:
                self.gossip.seen_again(known, peer)
                continue
            outcome = self._admit(raw, from_neighbor=True)
            if isinstance(outcome, Waiting):
                outcome.is_accepted = True
                self._enter(outcome)
                self.gossip.learn(outcome.id, peer, self.leader())
            elif outcome.code is Code.DUPLICATE:
                self.gossip.figures.duplicates += 1

    def reload(self) -> None:
        """Take the durable pool back after a restart."""
        limit = self.ledger.genesis.limits.transaction_bytes_max
        for row in self.store.pool_rows():
            waiting = self._waiting(parse_transaction(row.raw, limit))
            waiting.accepted_ms = row.accepted_ms
            waiting.is_durable = waiting.is_accepted = True
            self._enter(waiting)
            self.gossip.learn(waiting.id, None, self.leader())

    def leave(self, transaction_id: bytes) -> Waiting | None:
        """Let go of a transaction that was executed or has expired."""
        self._done[transaction_id[:SHORT_ID_BYTES]] = None
        if len(self._done) > DONE_MAX:
            self._done.popitem(last=False)
        self.gossip.forget(transaction_id)
        gone = self.pool.remove(transaction_id)
        if gone is not None:
            self._nonces.pop(gone.nonce, None)
        return gone

    def expire(self, transaction_id: bytes) -> None:
        """Let go of a transaction whose validity ended before any block took it, and remember that for a while."""
        self.leave(transaction_id)
        self._note_end(transaction_id, None)

    def revoke(self) -> list[bytes]:
        """Let go of what waits and can never be VALID as it is signed, since the roster changed; return the ids."""
        gone: list[bytes] = []
        for waiting in list(self.pool):
            code = self.ledger.admit(waiting.raw, self.machine.now_ms()).code
            if code in _REVOKING:
                self.leave(waiting.id)
                self._note_end(waiting.id, code)
                gone.append(waiting.id)
        return gone

    def _note_end(self, transaction_id: bytes, code: Code | None) -> None:
        self.expired_ids[transaction_id] = code
        if len(self.expired_ids) > DONE_MAX:
            self.expired_ids.popitem(last=False)

    def is_done(self, short_id: bytes) -> bool:
        """Whether a transaction with this short id left the pool lately."""
        return short_id in self._done

    def _admit(self, raw: bytes, *, from_neighbor: bool = False) -> Waiting | Submission:
        known = self.pool.id_of(raw)
        if known is not None:
            return Submission(known, Code.DUPLICATE, "the same bytes wait already")
        admission = self.ledger.admit(raw, self.machine.now_ms())
        if from_neighbor and admission.code is Code.EXPIRED:
            admission = self.ledger.admit(raw, self.ledger.time_ms)
        if admission.code is not Code.VALID or admission.transaction is None:
            return self._refuse(admission.id, admission.code, admission.message)
        transaction = admission.transaction.transaction
        waiting_id = self._nonces.get((transaction.creator, *transaction.nonce))
        if waiting_id is not None and waiting_id != admission.transaction.id:
            return self._refuse(
                admission.transaction.id,
                Code.NONCE_REUSED,
                f"nonce {transaction.nonce} of {transaction.creator} belongs to {waiting_id.hex()}, which waits here",
            )
        if admission.transaction.id in self.pool:
            return Submission(admission.transaction.id, Code.DUPLICATE, "the same transaction waits already")
        if self.pool.is_full:
            return self._refuse(
                admission.transaction.id,
                Code.OVERLOADED,
                f"{len(self.pool)} transactions wait; the limit is {self.pool.transactions_max}",
            )
        return self._waiting(admission.transaction)

    async def _accept(self, to_keep: list[Waiting]) -> None:
        """Make transactions that wait durable; then push and call accepted what this did for the first time."""
        for waiting in to_keep:
            if waiting.accepted_ms is None:
                waiting.accepted_ms = self.machine.now_ms()
        await self.durably(lambda: self._keep(to_keep))
        self.machine.points.reached(CodePoint.BEFORE_ANSWER)
        for waiting in to_keep:
            if not waiting.is_durable:
                waiting.is_durable = waiting.is_accepted = True
                self._note("transaction.accepted", waiting)
                if waiting.id in self.pool and not self.gossip.knows(waiting.id):
                    self.gossip.learn(waiting.id, None, self.leader())
        self.on_change()

    def _waiting(self, signed: SignedTransaction) -> Waiting:
        transaction = signed.transaction
        nonce = (transaction.creator, *transaction.nonce)
        is_configuration = transaction.type in CONFIGURATION_TYPES
        return Waiting(
            signed.id,
            signed.raw,
            transaction.valid_until_ms,
            self.now(),
            nonce,
            is_configuration=is_configuration,
        )

    def _enter(self, waiting: Waiting) -> None:
        self._nonces[waiting.nonce] = waiting.id
        self.pool.add(waiting)

    def _note(self, event: str, waiting: Waiting) -> None:
        self.observer.record(event, node=self.machine.name, id=waiting.id.hex())

    def _keep(self, accepted: list[Waiting]) -> None:
        for waiting in accepted:
            if waiting.id in self.pool:  # else it was executed before it was ever written
                self.store.pool_put(waiting.id, waiting.raw, waiting.accepted_ms or 0)

    def _refuse(self, transaction_id: bytes | None, code: Code, message: str) -> Submission:
        self.refused[code] = self.refused.get(code, 0) + 1
        return Submission(transaction_id, code, message)
