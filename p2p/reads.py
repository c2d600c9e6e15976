"""Linearizable reads: what a node must have applied before it may answer.

Rules:
- A read asks the leader, over the link to it, up to which index everything acknowledged before the question stands;
  the leader answers only after a majority confirmed that it still leads (Raft dissertation, section 6.4).
- Every attempt has a number of its own, never used before in this life and told apart from other lives' by a random
  head: a late answer to an earlier attempt confirms nothing.
- The reader then waits until its own ledger has applied that index, and reads there.
- Without a leader, or with one that refuses, it asks again until its time is over; then the read has failed, and the
  caller knows nothing more than before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from consensus import ReadRefusedError, ReadState
from p2p.errors import ReadFailedError
from p2p.frames import READ_ID_BYTES, ReadAnswerFrame, ReadFrame
from p2p.machine import Machine
from p2p.ordering import Ordering

ATTEMPT_MS = 500
PAUSE_MS = 50
REFUSED = -1
_HEAD_BYTES = 8

Send = Callable[[str, ReadFrame | ReadAnswerFrame], None]


@dataclass(slots=True)
class ReadFigures:
    """Counters of one node's linearizable reads."""

    asked: int = 0
    attempts: int = 0
    answered: int = 0
    failed: int = 0


@dataclass(slots=True)
class Reads:
    """Both sides of linearizable reads on one node.

    Attributes:
        organization: whose node.
        machine: for the head of this life's numbers.
        ordering: its Raft core.
        send: sends a frame to a peer.
        wake: asks the driver for a turn.
    """

    organization: str
    machine: Machine
    ordering: Ordering
    send: Send
    wake: Callable[[], None]
    figures: ReadFigures = field(default_factory=ReadFigures)
    _head: bytes = b""
    _count: int = 0
    _waiting: dict[bytes, asyncio.Future[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._head = self.machine.random.randbytes(_HEAD_BYTES)

    async def index(self, timeout_ms: int) -> int:
        """Return an index whose application makes a local read linearizable from the moment of this call.

        Args:
            timeout_ms: protocol time after which the read has failed.

        Raises:
            ReadFailedError: if no leader confirmed in time.
        """
        self.figures.asked += 1
        try:
            async with asyncio.timeout(timeout_ms / 1000):
                while True:
                    index = await self._attempt()
                    if index != REFUSED:
                        return index
                    await asyncio.sleep(PAUSE_MS / 1000)
        except TimeoutError:
            self.figures.failed += 1
            leader = self.ordering.leader
            raise ReadFailedError(
                f"no leader confirmed the read within {timeout_ms} ms; "
                + (f"{leader} is thought to lead" if leader else "no leader is known")
            ) from None

    def asked(self, peer: str, frame: ReadFrame) -> None:
        """Take a peer's question; it is answered when a majority has confirmed, or refused at once."""
        if not self._ask_core(peer, frame.id):
            self.send(peer, ReadAnswerFrame(frame.id, refused=True, index=0))

    def answered(self, peer: str, frame: ReadAnswerFrame) -> None:
        """Take an answer; one by anybody but the leader last known, or to no waiting attempt, is dropped."""
        if peer == self.ordering.leader:
            self._settle(frame.id, REFUSED if frame.refused else frame.index)

    def confirmed(self, states: Sequence[ReadState]) -> None:
        """Pass on what the core confirmed."""
        for state in states:
            read_id, peer = state.context[:READ_ID_BYTES], state.context[READ_ID_BYTES:].decode()
            self.figures.answered += 1
            if peer == self.organization:
                self._settle(read_id, state.index)
            else:
                self.send(peer, ReadAnswerFrame(read_id, refused=False, index=state.index))

    async def _attempt(self) -> int:
        leader = self.ordering.leader
        if leader is None:
            return REFUSED
        self.figures.attempts += 1
        self._count += 1
        read_id = self._head + self._count.to_bytes(READ_ID_BYTES - _HEAD_BYTES, "big")
        answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting[read_id] = answer
        try:
            if leader != self.organization:
                self.send(leader, ReadFrame(read_id))
            elif not self._ask_core(self.organization, read_id):
                return REFUSED
            async with asyncio.timeout(ATTEMPT_MS / 1000) as attempt:
                return await answer
        except TimeoutError:
            if attempt.expired():
                return REFUSED
            raise
        finally:
            del self._waiting[read_id]

    def _ask_core(self, peer: str, read_id: bytes) -> bool:
        if self.ordering.forked is not None:
            return False
        try:
            self.ordering.raw.read_index(read_id + peer.encode())
        except ReadRefusedError:
            return False
        self.wake()
        return True

    def _settle(self, read_id: bytes, index: int) -> None:
        answer = self._waiting.get(read_id)
        if answer is not None and not answer.done():
            answer.set_result(index)
