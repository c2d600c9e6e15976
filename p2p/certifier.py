"""Checkpoints collected into certificates.

Rules:
- A peer's checkpoint counts only if its text is the one this node got by executing the same height itself, and its
  signature is by that orderer's node key.
- The checkpoints of k different orderers of the height's electorate are its certificate; it certifies every lower
  height too, since the log is append-only.
- A height that changed the roster needs a certificate of its own before any later height is certified: those
  certificates are the links by which the roster is proven from genesis.
- A checkpoint for a height not executed here yet waits, one per orderer and height; the next heights go before
  later ones when there are too many.
- A checkpoint that differs from ours and is signed is never adopted: it is counted and reported, after its height
  was certified too, as far back as `REMEMBERED_HEIGHTS_MAX`.
- When certificates do not come for long, only the latest heights are kept: theirs cover the lower ones.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ledger.checkpoint import (
    Certificate,
    Checkpoint,
    certificate_of,
    certified_height,
    parse_certificate,
    verify_certificate,
    verify_checkpoint,
)
from ledger.errors import BadProofError
from ledger.keys import Verifier
from ledger.roster import Roster
from p2p.frames import CheckpointFrame

EARLY_HEIGHTS_MAX = 256
OPEN_HEIGHTS_MAX = 1024
REMEMBERED_HEIGHTS_MAX = 256


@dataclass(slots=True)
class CertifierFigures:
    """Counters of one node's certifier."""

    counted: int = 0
    refused: int = 0
    divergent: int = 0


@dataclass(slots=True)
class Certifier:
    """What one node knows of everybody's checkpoints.

    Attributes:
        roster: who belongs to the network after the last block executed here.
        verifier: for signatures.
        organization: whose node this is.
        on_divergence: called with (orderer, height) when an orderer's checkpoint differs from ours.
    """

    roster: Roster
    verifier: Verifier
    organization: str
    on_divergence: Callable[[str, int], None]
    certified_height: int = 0
    figures: CertifierFigures = field(default_factory=CertifierFigures)
    _executed: dict[int, tuple[Checkpoint, str]] = field(default_factory=dict)
    _signatures: dict[int, dict[str, bytes]] = field(default_factory=dict)
    _early: dict[int, dict[str, CheckpointFrame]] = field(default_factory=dict)
    _settled: dict[int, str] = field(default_factory=dict)
    _height: int = 0

    def executed(self, checkpoint: Checkpoint, own_signature: bytes | None) -> Certificate | None:
        """Take note that this node executed a height; return a certificate if that completed one.

        Args:
            checkpoint: what execution gave.
            own_signature: this node's signature if it is an orderer.
        """
        height = self._height = checkpoint.height
        if height <= self.certified_height:
            self._remember(height, checkpoint.text())
            return None
        self._executed[height] = (checkpoint, checkpoint.text())
        if len(self._executed) > OPEN_HEIGHTS_MAX:
            barrier = self.roster.next_change(self.certified_height)
            lowest = min(h for h in self._executed if h != barrier)
            del self._executed[lowest], self._signatures[lowest]
        signatures = self._signatures.setdefault(height, {})
        if own_signature is not None and self.organization in self.roster.electorate(height).keys:
            signatures[self.organization] = own_signature
        certificate = self._complete(height)
        for orderer, frame in self._early.pop(height, {}).items():
            completed = self.receive(orderer, frame)
            certificate = certificate or completed
        return certificate

    def jumped(self, checkpoint: Checkpoint, roster: Roster) -> None:
        """Take note that this node goes on from a certified height that it did not execute."""
        self.roster = roster
        self._height = self.certified_height = checkpoint.height
        self._remember(checkpoint.height, checkpoint.text())
        for table in (self._executed, self._signatures, self._early):
            for height in [h for h in table if h <= checkpoint.height]:
                del table[height]

    def receive(self, orderer: str, frame: CheckpointFrame) -> Certificate | None:
        """Take a peer's checkpoint; return a certificate if it completed one."""
        mine = self._executed.get(frame.height)
        if mine is None:
            text = self._settled.get(frame.height)
            if not self._may_sign(orderer, frame.height):
                self.figures.refused += 1
            elif text is not None and frame.text != text:
                self._diverges(orderer, frame)
            elif frame.height > max(self._height, self.certified_height):
                self._keep_early(orderer, frame)
            return None
        checkpoint, text = mine
        key = self.roster.electorate(frame.height).keys.get(orderer)
        if key is None:
            self.figures.refused += 1
            return None
        if frame.text != text:
            self._diverges(orderer, frame)
            return None
        if orderer in self._signatures[frame.height]:
            return None
        if not verify_checkpoint(checkpoint, key, frame.signature, self.verifier):
            self.figures.refused += 1
            return None
        self.figures.counted += 1
        self._signatures[frame.height][orderer] = frame.signature
        return self._complete(frame.height)

    def receive_certificate(self, note: str) -> Certificate | None:
        """Take a whole certificate; return it if it is sound, new, and of a height executed here.

        Raises:
            BadProofError: if it does not verify.
        """
        height = certified_height(note)
        if height <= self.certified_height or height not in self._executed or self._is_barred(height):
            return None
        electorate = self.roster.electorate(height)
        certificate = parse_certificate(note, electorate)
        verify_certificate(certificate, electorate, self.verifier)
        if certificate.checkpoint != self._executed[height][0]:
            self.figures.divergent += 1
            self.on_divergence("certificate", height)
            raise BadProofError(
                f"certificate of height {height} is for another block or state than executed here"
            )
        return self._certified(certificate)

    def waiting(self) -> Certificate | None:
        """Return a certificate that waited for that of a change of the roster, or None; ask again after each."""
        if self.roster.next_change(self.certified_height - 1) != self.certified_height:
            return None
        for height in sorted(self._executed, reverse=True):
            certificate = self._complete(height)
            if certificate is not None:
                return certificate
        return None

    def _is_barred(self, height: int) -> bool:
        """Whether a change of the roster below a height waits for its own certificate."""
        barrier = self.roster.next_change(self.certified_height)
        return barrier is not None and barrier < height

    def _may_sign(self, orderer: str, height: int) -> bool:
        """Whether a peer's checkpoint of a height that is not open here is worth anything."""
        if height <= self._height:
            return orderer in self.roster.electorate(height).keys
        member = self.roster.find(orderer)
        return member is not None and (member.node.orders or member.node.is_learner)

    def _complete(self, height: int) -> Certificate | None:
        signatures = self._signatures[height]
        electorate = self.roster.electorate(height)
        if electorate.lacks(signatures) is not None or self._is_barred(height):
            return None
        checkpoint = self._executed[height][0]
        return self._certified(certificate_of(checkpoint, signatures.items(), electorate))

    def _certified(self, certificate: Certificate) -> Certificate:
        self.certified_height = certificate.checkpoint.height
        for height in [h for h in self._executed if h <= self.certified_height]:
            self._remember(height, self._executed[height][1])
        for table in (self._executed, self._signatures, self._early):
            for height in [h for h in table if h <= self.certified_height]:
                del table[height]
        return certificate

    def _remember(self, height: int, text: str) -> None:
        """Keep the text of a certified height for a while, to hold late checkpoints against it."""
        self._settled[height] = text
        if len(self._settled) > REMEMBERED_HEIGHTS_MAX:
            del self._settled[min(self._settled)]

    def _diverges(self, orderer: str, frame: CheckpointFrame) -> None:
        key = self.roster.electorate(frame.height).keys.get(orderer)
        if key is None or not self.verifier.verify_bytes(key, frame.text.encode(), frame.signature):
            self.figures.refused += 1
            return
        self.figures.divergent += 1
        self.on_divergence(orderer, frame.height)

    def _keep_early(self, orderer: str, frame: CheckpointFrame) -> None:
        if frame.height not in self._early and len(self._early) >= EARLY_HEIGHTS_MAX:
            highest = max(self._early)
            if frame.height > highest:
                return
            del self._early[highest]
        self._early.setdefault(frame.height, {})[orderer] = frame
