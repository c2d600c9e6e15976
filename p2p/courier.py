"""Envelopes carried to their addressees.

Rules:
- An envelope goes straight to its addressee's node, never over others: what was flooded could never be purged.
- It stays in the sender's durable outbox until the addressee's node says that it is on its disk.
- An unanswered envelope is sent again after a pause; the receiver keeps one copy and answers every time.
- Nodes carry ciphertext only; nothing here can open an envelope.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from p2p.frames import EnvelopeFrame, EnvelopeStoredFrame


@dataclass(slots=True)
class Parcel:
    """One envelope under way; `index` is its number in the durable outbox."""

    index: int
    root: bytes
    to: str
    envelope: bytes
    sent_at: float | None = None


@dataclass(slots=True)
class CourierFigures:
    """Counters of one node's courier."""

    sent: int = 0
    delivered: int = 0


@dataclass(slots=True)
class Courier:
    """The outbox of one node; no I/O."""

    retry_ms: int
    figures: CourierFigures = field(default_factory=CourierFigures)
    _parcels: dict[tuple[bytes, str, bytes], Parcel] = field(default_factory=dict)

    @property
    def outstanding(self) -> int:
        """How many envelopes are not delivered yet."""
        return len(self._parcels)

    @property
    def addressees(self) -> list[str]:
        """For whom there are envelopes, each once, in the order of their first."""
        return list(dict.fromkeys(parcel.to for parcel in self._parcels.values()))

    def add(self, index: int, root: bytes, to: str, envelope: bytes) -> None:
        """Take an envelope that is in the durable outbox under this number; one that is under way stays so."""
        digest = hashlib.sha256(envelope).digest()
        self._parcels.setdefault((root, to, digest), Parcel(index, root, to, envelope))

    def drop(self, root: bytes, to: str, envelope: bytes) -> None:
        """Let an envelope go that is not to be delivered any more."""
        self._parcels.pop((root, to, hashlib.sha256(envelope).digest()), None)

    def forget(self, root: bytes) -> None:
        """Let every envelope under a root go: its document was purged."""
        for key in [key for key in self._parcels if key[0] == root]:
            del self._parcels[key]

    def reconnected(self, peer: str) -> None:
        """Forget what was sent over the link that ended: it may not have arrived."""
        for parcel in self._parcels.values():
            if parcel.to == peer:
                parcel.sent_at = None

    def due(self, now: float, connected: list[str]) -> list[tuple[str, EnvelopeFrame]]:
        """Return what to send now, to peers with an open link."""
        frames: list[tuple[str, EnvelopeFrame]] = []
        for parcel in self._parcels.values():
            waits = parcel.sent_at is not None and (now - parcel.sent_at) * 1000 < self.retry_ms
            if parcel.to in connected and not waits:
                parcel.sent_at = now
                self.figures.sent += 1
                frames.append((parcel.to, EnvelopeFrame(parcel.root, parcel.envelope)))
        return frames

    def stored(self, peer: str, frame: EnvelopeStoredFrame) -> int | None:
        """Take a receiver's answer; return the number of the envelope that may leave the outbox, or None.

        Only the very bytes that the receiver has may go: another envelope under the same root stays.
        """
        parcel = self._parcels.pop((frame.root, peer, frame.digest), None)
        if parcel is None:
            return None
        self.figures.delivered += 1
        return parcel.index
