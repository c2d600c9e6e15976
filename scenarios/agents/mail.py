"""Envelopes on their way to an agent, by root and sender.

Rules:
- An envelope may come before the act that anchors its root, or long after; who needs it waits for the root.
- Who waits says from whom: rubbish that another member sends under the same root spoils nothing.
- The first envelope from a sender that opens under its root, and whose digests the sender signed as that root's, is the
  document; faults before it are forgotten.
- A signature may be by a key that the ledger tells of a moment later, so it is held against the keys again until then.
- What an official act moved is told under the commitment that the act put on the ledger.
- The sender is the member whose node sent it, as this organization's node says.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from ledger.documents import OpenedEnvelope
from ledger.encoding import Value
from p2p.signal import Signal
from scenarios.agents.papers import FINE, SUBJECT, Paper


class MailFault(StrEnum):
    """What is wrong with an envelope; the words of `holding.complain`."""

    UNREADABLE = "UNREADABLE"
    ROOT_MISMATCH = "ROOT_MISMATCH"


@dataclass(slots=True)
class Mail:
    """What has come under one root from one sender.

    Attributes:
        root, sender: which mail.
        arrived: set once something has come.
        paper: the document, once a sound envelope has come.
        fault: what was wrong with what has come, if nothing was sound.
        unproven: an envelope whose signature does not hold by any key known yet.
        evidence: digests that the sender signed for this root and that give another.
    """

    root: bytes
    sender: str
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    paper: Paper | None = None
    fault: MailFault | None = None
    unproven: OpenedEnvelope | None = None
    evidence: Mapping[str, Value] | None = None

    def complaint(self) -> dict[str, Value]:
        """Return what an act that complains of this mail says: a reason, and the sender's signature if it proves it."""
        reason = self.fault or MailFault.UNREADABLE
        evidence = None if self.evidence is None else dict(self.evidence)
        return {"reason": reason.value, "evidence": evidence}

    def keep(self, paper: Paper) -> None:
        """Note that the document has come."""
        self.paper, self.fault, self.unproven, self.evidence = paper, None, None, None
        self.arrived.set()

    def spoil(self, fault: MailFault) -> None:
        """Note that something has come that is not the document."""
        self.fault = fault
        self.arrived.set()


@dataclass(slots=True)
class Shelf:
    """The documents of a kind from a sender about one subject, in the order in which they came.

    Attributes:
        arrived: set once the first has come.
        papers: all that have come.
        more: fires with each.
    """

    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    papers: list[Paper] = field(default_factory=list)
    more: Signal = field(default_factory=Signal)

    @property
    def paper(self) -> Paper | None:
        """The first, or None."""
        return self.papers[0] if self.papers else None

    def put(self, paper: Paper) -> None:
        """Put a document there."""
        self.papers.append(paper)
        self.arrived.set()
        self.more.fire()


class Mailroom:
    """All mail, by root and sender, and what was opened, by kind, sender and subject."""

    def opened(self) -> Iterator[tuple[str, Paper]]:
        """Give every document that has come, with its sender, in the order in which roots became known."""
        for mail in self._mail.values():
            if mail.paper is not None:
                yield mail.sender, mail.paper

    def __init__(self) -> None:
        self._mail: dict[tuple[bytes, str], Mail] = {}
        self._shelves: dict[tuple[str, str, str], Shelf] = {}

    def of(self, root: bytes, sender: str) -> Mail:
        """Return what has come, or will come, under a root from a sender."""
        return self._mail.setdefault((root, sender), Mail(root, sender))

    def unproven(self) -> Iterator[Mail]:
        """Yield the mail whose sender's signature does not hold yet."""
        yield from [mail for mail in self._mail.values() if mail.unproven is not None]

    def about(self, kind: str, sender: str, subject: str) -> Shelf:
        """Return where a sender's document of a kind about a subject stands, or will stand."""
        return self._shelves.setdefault((kind, sender, subject), Shelf())

    def put(self, sender: str, paper: Paper) -> None:
        """Put an opened document where those who look for it by its subject will find it."""
        if paper.has(SUBJECT):
            self.about(paper.kind, sender, paper.text(SUBJECT)).put(paper)
        if paper.has(FINE):
            self.about(FINE, sender, paper.raw(FINE).hex()).put(paper)
