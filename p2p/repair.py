"""What a node sends to a peer whose summary shows that it lacks something.

Rules:
- A peer behind the latest certificate gets the changes of the roster since, then the certificate; one that is certified
  as far, but not up to what is executed here, gets this node's own checkpoint.
- What the peer has and this node lacks is asked for; what it lacks is sent, a bounded number of bytes per summary.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from ledger.execution import Ledger
from ledger.store import Store
from p2p.certifier import Certifier
from p2p.executor import Executor
from p2p.frames import (
    FRAME_BYTES_AIMED,
    TRANSACTIONS_MAX,
    CertificateFrame,
    Frame,
    HaveFrame,
    TransactionsFrame,
    WantFrame,
)
from p2p.gossip import Gossip
from p2p.intake import Intake
from p2p.peerage import Peerage
from p2p.pool import Pool

REPAIR_BYTES_MAX = 4 << 20
"""The most bytes of transactions sent in answer to one summary; the next one repairs the rest."""

CHANGES_SENT_MAX = 16
"""The most certificates of changes of the roster sent in answer to one summary; the next one goes on."""


@dataclass(frozen=True, slots=True)
class Repair:
    """One node's answers to its peers' summaries.

    Attributes:
        ledger, store, pool, gossip, intake, certifier, executor, peerage: the node's.
        send: queues a frame for a peer.
    """

    ledger: Ledger
    store: Store
    pool: Pool
    gossip: Gossip
    intake: Intake
    certifier: Certifier
    executor: Executor
    peerage: Peerage
    send: Callable[[str, Frame], None]

    def summary(self) -> HaveFrame:
        """Return what this node has."""
        return HaveFrame(self.ledger.height, self.certifier.certified_height, self.gossip.summary())

    def answer(self, peer: str, have: HaveFrame) -> None:
        """Send a peer what its summary shows it to lack, and ask it for what this node lacks."""
        lineage = self.peerage.links_after(have.executed, self.certifier.certified_height)
        if lineage is not None:
            self.send(peer, lineage)
        if have.certified < self.certifier.certified_height:
            for note in self._certificates_after(have.certified):
                self.send(peer, CertificateFrame(note))
        elif have.certified < self.ledger.height:
            own = self.executor.own_checkpoint(self.ledger.height)
            if own is not None:
                self.send(peer, own)
        to_send, to_ask = self.gossip.compare(have.short_ids, self.intake.is_done)
        self.send_transactions(peer, to_send, REPAIR_BYTES_MAX)
        if to_ask:
            self.gossip.figures.repaired += len(to_ask)
            self.send(peer, WantFrame(to_ask))

    def answer_want(self, peer: str, short_ids: Sequence[bytes]) -> None:
        """Send a peer the transactions that it asks for, as far as they still wait here."""
        self.send_transactions(peer, self.gossip.resolve(short_ids), REPAIR_BYTES_MAX)

    def send_transactions(self, peer: str, ids: Sequence[bytes], bytes_max: int | None = None) -> None:
        """Send a peer those of some transactions that still wait here, up to `bytes_max` bytes in all."""
        waiting = [w.raw for i in ids if (w := self.pool.get(i)) is not None]
        for raws in frames_of(waiting, bytes_max):
            self.send(peer, TransactionsFrame(raws))

    def _certificates_after(self, height: int) -> Iterator[str]:
        """Yield what a peer that is certified up to a height needs: the roster's changes since, and the latest."""
        change = self.ledger.roster.next_change(height)
        for _ in range(CHANGES_SENT_MAX):
            if change is None or change > self.certifier.certified_height:
                break
            note = self.store.certificate(change)
            if note is not None:
                yield note
            change = self.ledger.roster.next_change(change)
        latest = self.store.latest_certificate()
        if latest is not None:
            yield latest[1]


def frames_of(raws: Sequence[bytes], bytes_max: int | None) -> Iterator[list[bytes]]:
    """Yield transactions in batches that fit a frame each, up to `bytes_max` bytes in all."""
    batch: list[bytes] = []
    size = total = 0
    for raw in raws:
        total += len(raw)
        if bytes_max is not None and total > bytes_max:
            break
        if batch and (len(batch) >= TRANSACTIONS_MAX or size + len(raw) > FRAME_BYTES_AIMED):
            yield batch
            batch, size = [], 0
        batch.append(raw)
        size += len(raw)
    if batch:
        yield batch
