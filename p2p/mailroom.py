"""Envelopes taken into outbox and inbox, while genesis' limits have room for them.

Rules:
- Only what its sender's organization signed for this root and this addressee is taken, from one's own application and
  from a peer: so whatever a reader is given is provably its sender's. What a stolen key signed is nobody's.
- What waits in the outbox when the key that signed it turns out to be stolen goes, and that is recorded: no addressee
  would take it any more, and its sender seals it again under a key of its own.
- What is taken is durable before anybody is told so, and is never given up for another: only the addressee's word
  that it has these very bytes lets an envelope leave the outbox.
- The same bytes again are taken already; they need no room.
- What there is no room for is refused before anything is kept. A peer gets no answer then, so that it keeps its
  envelope and tries again; the refusal is recorded once, not at every attempt.
- Of a purged document nothing is kept: not in a row, not in a free page, not in the log of writes; what still comes
  in is refused.
- Called in the driver's turns; what must not leave before the turn is durable is handed to `later`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from ledger.genesis import Limits
from ledger.store import OutboxRow, Store, envelope_bytes
from p2p.courier import Courier
from p2p.frames import EnvelopeFrame, EnvelopeStoredFrame
from p2p.machine import Machine
from p2p.observer import Observer


@dataclass(slots=True)
class Mailroom:
    """One node's outbox and inbox.

    Attributes:
        organization: whose.
        limits: genesis'.
        store: keeps the envelopes.
        courier: carries those on their way out.
        machine: tells when one came in.
        observer: takes records.
        later: takes what is to be done once the turn is durable.
        answer: sends a receipt to a peer.
        is_purged: whether the document of a root was purged, as far as this node has executed.
        is_signed: says whether an envelope is signed by a sender, for an addressee, under a root.
    """

    organization: str
    limits: Limits
    store: Store
    courier: Courier
    machine: Machine
    observer: Observer
    later: Callable[[Callable[[], None]], None]
    answer: Callable[[str, EnvelopeStoredFrame], None]
    is_purged: Callable[[bytes], bool]
    is_signed: Callable[[str, str, bytes, bytes], bool]
    _refused: dict[str, str] = field(default_factory=dict)

    def post(self, to: str, root: bytes, envelope: bytes) -> bool | str:
        """Stage an envelope of the own organization.

        Returns:
            Whether it is new, or why there is no room for it.
        """
        if to == self.organization:
            return self._keep(to, root, envelope)
        if self.store.outbox_index(root, to, envelope) is not None:
            return False
        held, limit = self.store.outbox_bytes, self.limits.outbox_bytes_max
        if held + envelope_bytes(envelope) > limit:
            return _no_room(f"the outbox of {self.organization}", held, envelope, "outbox_bytes_max", limit)
        index = self.store.outbox_put(root, to, envelope)
        self.later(lambda: self.courier.add(index, root, to, envelope))
        return True

    def receive(self, peer: str, frame: EnvelopeFrame) -> bool:
        """Stage a peer's envelope for the inbox, and the receipt for it; return whether it was taken."""
        if len(frame.envelope) > self.limits.envelope_bytes_max:
            self._refuse(peer, f"{len(frame.envelope)} bytes of {self.limits.envelope_bytes_max}")
            return False
        if self.is_purged(frame.root):
            self._refuse(peer, f"document {frame.root.hex()[:16]} was purged")
            return False
        if not self.is_signed(peer, self.organization, frame.root, frame.envelope):
            self._refuse(
                peer,
                f"no key that {peer} has, as far as this node knows, signed it under {frame.root.hex()[:16]}",
            )
            return False
        kept = self._keep(peer, frame.root, frame.envelope)
        if isinstance(kept, str):
            self._refuse(peer, kept)
            return False
        self._refused.pop(peer, None)
        stored = EnvelopeStoredFrame(frame.root, hashlib.sha256(frame.envelope).digest())
        self.later(lambda: self.answer(peer, stored))
        return True

    def delivered(self, peer: str, frame: EnvelopeStoredFrame) -> bool:
        """Take a receiver's answer; return whether an envelope has left the outbox by it."""
        index = self.courier.stored(peer, frame)
        if index is None:
            return False
        self.store.outbox_remove(index)
        return True

    def revoke(self) -> None:
        """Stage that envelopes leave the outbox whose signature a theft has undone: nobody would take them any more."""
        for row in self.store.outbox_rows():
            if not self.is_signed(self.organization, row.to, row.root, row.envelope):
                self.store.outbox_remove(row.index)
                self.later(partial(self._revoked, row))

    def _revoked(self, row: OutboxRow) -> None:
        self.courier.drop(row.root, row.to, row.envelope)
        self.observer.record("envelope.revoked", node=self.organization, to=row.to, root=row.root.hex())

    def purge(self, root: bytes) -> None:
        """Stage that every envelope of a purged document goes."""
        count = self.store.purge(root)
        self.courier.forget(root)
        if count:
            self.later(self._overwrite)
            self.later(
                lambda: self.observer.record(
                    "envelopes.purged", node=self.organization, root=root.hex(), envelopes=count
                )
            )

    def _overwrite(self) -> None:
        """Let the log of writes go, in which the bytes still stand."""
        self.store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _keep(self, sender: str, root: bytes, envelope: bytes) -> bool | str:
        if self.store.inbox_index(root, sender, envelope) is not None:
            return False
        held, limit = self.store.inbox_bytes(sender), self.limits.inbox_bytes_max
        if held + envelope_bytes(envelope) > limit:
            where = f"the inbox of {self.organization} for {sender}"
            return _no_room(where, held, envelope, "inbox_bytes_max", limit)
        self.store.inbox_put(root, sender, envelope, self.machine.now_ms())
        size = len(envelope)
        self.later(
            lambda: self.observer.record(
                "envelope.received", node=self.organization, sender=sender, root=root.hex(), size=size
            )
        )
        return True

    def _refuse(self, peer: str, reason: str) -> None:
        if self._refused.get(peer) != reason:
            self._refused[peer] = reason
            self.observer.record("envelope.refused", node=self.organization, peer=peer, reason=reason)


def _no_room(where: str, held: int, envelope: bytes, name: str, limit: int) -> str:
    return f"{where} holds {held} bytes and has no room for {len(envelope)} more; genesis' {name} is {limit}"
