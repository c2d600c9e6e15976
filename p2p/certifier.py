"""Checkpoints collected into certificates.

Rules:
- A peer's checkpoint counts only if its text is the one this node got by executing the same height itself, and its
  signature is by that orderer's node key.
- k different orderers' checkpoints of one height are its certificate; it certifies every lower height too, since
  the log is append-only.
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
    parse_certificate,
    verify_certificate,
    verify_checkpoint,
)
from ledger.errors import BadProofError
from ledger.genesis import Genesis
from ledger.keys import Verifier
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
        genesis, verifier: the network's.
        organization: whose node this is.
        on_divergence: called with (orderer, height) when an orderer's checkpoint differs from ours.
    """

    genesis: Genesis
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
            lowest = min(self._executed)
            del self._executed[lowest], self._signatures[lowest]
        signatures = self._signatures.setdefault(height, {})
        if own_signature is not None:
            signatures[self.organization] = own_signature
        certificate = self._complete(height)
        for orderer, frame in self._early.pop(height, {}).items():
            completed = self.receive(orderer, frame)
            certificate = certificate or completed
        return certificate

    def receive(self, orderer: str, frame: CheckpointFrame) -> Certificate | None:
        """Take a peer's checkpoint; return a certificate if it completed one."""
        if orderer not in self.genesis.orderers:
            self.figures.refused += 1
            return None
        mine = self._executed.get(frame.height)
        if mine is None:
            text = self._settled.get(frame.height)
            if text is not None and frame.text != text:
                self._diverges(orderer, frame)
            elif frame.height > max(self._height, self.certified_height):
                self._keep_early(orderer, frame)
            return None
        checkpoint, text = mine
        if frame.text != text:
            self._diverges(orderer, frame)
            return None
        if orderer in self._signatures[frame.height]:
            return None
        key = self.genesis.organization(orderer).node_key
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
        certificate = parse_certificate(note, self.genesis)
        height = certificate.checkpoint.height
        if height <= self.certified_height or height not in self._executed:
            return None
        verify_certificate(certificate, self.genesis, self.verifier)
        if certificate.checkpoint != self._executed[height][0]:
            self.figures.divergent += 1
            self.on_divergence("certificate", height)
            raise BadProofError(
                f"certificate of height {height} is for another block or state than executed here"
            )
        return self._certified(certificate)

    def _complete(self, height: int) -> Certificate | None:
        signatures = self._signatures[height]
        if len(signatures) < self.genesis.quorum:
            return None
        checkpoint = self._executed[height][0]
        return self._certified(certificate_of(checkpoint, signatures.items(), self.genesis))

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
        key = self.genesis.organization(orderer).node_key
        if not self.verifier.verify_bytes(key, frame.text.encode(), frame.signature):
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
