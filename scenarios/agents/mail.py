"""Envelopes on their way to an agent, by root and sender.

Rules:
- An envelope may come before the act that anchors its root, or long after; who needs it waits for the root.
- Who waits says from whom: rubbish that another member sends under the same root spoils nothing.
- The first envelope from a sender that opens under its root is the document; faults before it are forgotten.
- Of a spoilt one is kept what its sender signed, for a complaint rests on that. A paper that opens under its root and
  says nothing that this program can use is no spoilt envelope: there is nothing to complain of on the ledger.
- What an official act moved is told under the commitment that the act put on the ledger.
- The sender is the member whose node sent it, as this organization's node says.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from enum import StrEnum

from ledger.encoding import Value
from p2p.signal import Signal
from scenarios.agents.packing import pack_paper, unpack_paper
from scenarios.agents.papers import FINE, FORM, SUBJECT, Paper
from scenarios.filed import Filed


class MailFault(StrEnum):
    """What is wrong with what has come; the first two are the words of `holding.complain`."""

    UNREADABLE = "UNREADABLE"
    ROOT_MISMATCH = "ROOT_MISMATCH"
    UNUSABLE = "UNUSABLE"


def is_proven(complaint: Mapping[str, Value]) -> bool:
    """Say whether a complaint convicts on the ledger, and needs no file to be proven."""
    evidence = complaint["evidence"]
    return isinstance(evidence, dict) and "digests" in evidence


class _Awaited:
    """Something that comes once and may be waited for; until somebody does, that costs nothing."""

    __slots__ = ("_waiters", "has_arrived")

    def __init__(self) -> None:
        self.has_arrived = False
        self._waiters: list[asyncio.Future[None]] | None = None

    async def arrival(self) -> None:
        """Return once it has come; who waits wakes in the order in which waiting began."""
        if self.has_arrived:
            return
        waiter = asyncio.get_running_loop().create_future()
        self._waiters = [*(self._waiters or ()), waiter]
        await waiter

    def _arrive(self) -> None:
        self.has_arrived = True
        waiters, self._waiters = self._waiters, None
        for waiter in waiters or ():
            if not waiter.done():
                waiter.set_result(None)


class Mail(_Awaited):
    """What has come under one root from one sender; `has_arrived` once something has.

    Attributes:
        root, sender: which mail.
        number: of the pair, in the order in which roots became known.
        fault: what was wrong with what has come, if nothing was sound.
        evidence: what the sender signed of it: digests that give another root, or the envelope's seal.
    """

    __slots__ = ("_paper", "_papers", "evidence", "fault", "number", "root", "sender")

    def __init__(self, root: bytes, sender: str, number: int, papers: Filed[Paper]) -> None:
        super().__init__()
        self.root = root
        self.sender = sender
        self.number = number
        self.fault: MailFault | None = None
        self.evidence: Mapping[str, Value] | None = None
        self._papers = papers
        self._paper: int | None = None

    @property
    def paper(self) -> Paper | None:
        """The document, once a sound envelope has come."""
        return None if self._paper is None else self._papers[self._paper]

    @property
    def is_sound(self) -> bool:
        """Whether the document has come."""
        return self._paper is not None

    def take_complaint(self) -> dict[str, Value] | None:
        """Return what an act that complains of this mail says, or None if there is nothing to complain of.

        What is complained of is put aside: whoever waits from now on waits for the sender's next envelope.
        """
        fault, evidence = self.fault, self.evidence
        if fault is None or evidence is None:
            return None
        self.fault, self.evidence, self.has_arrived = None, None, False
        return {"reason": fault.value, "evidence": dict(evidence)}

    def keep(self, paper: int) -> None:
        """Note under which number the document is filed."""
        self._paper, self.fault, self.evidence = paper, None, None
        self._arrive()

    def spoil(self, fault: MailFault, evidence: Mapping[str, Value] | None = None) -> None:
        """Note that something has come that is not the document, and what its sender signed of it."""
        self.fault, self.evidence = fault, evidence
        self._arrive()


class Shelf(_Awaited):
    """The documents of a kind from a sender about one subject, in the order in which they came.

    `has_arrived` once the first has.
    """

    __slots__ = ("_more", "_numbers", "_papers")

    def __init__(self, papers: Filed[Paper]) -> None:
        super().__init__()
        self._papers = papers
        self._numbers: list[int] = []
        self._more: Signal | None = None

    def __len__(self) -> int:
        """How many have come."""
        return len(self._numbers)

    def __getitem__(self, place: int) -> Paper:
        """Return the one at a place, from 0."""
        return self._papers[self._numbers[place]]

    @property
    def paper(self) -> Paper | None:
        """The first, or None."""
        return self[0] if self._numbers else None

    @property
    def more(self) -> Signal:
        """Fires with each that comes."""
        if self._more is None:
            self._more = Signal()
        return self._more

    def put(self, paper: int) -> None:
        """Put a document there, by the number under which it is filed."""
        self._numbers.append(paper)
        self._arrive()
        if self._more is not None:
            self._more.fire()


class Mailroom:
    """All mail, by root and sender, and what was opened, by kind, sender and subject."""

    def __init__(self) -> None:
        self._papers: Filed[Paper] = Filed(pack_paper, unpack_paper)
        self._mail: dict[tuple[bytes, str], Mail] = {}
        self._shelves: dict[tuple[str, str, str], Shelf] = {}
        self._with_forms: dict[tuple[str, str], dict[Mail, None]] = {}

    def opened(self) -> Iterator[tuple[str, Paper]]:
        """Give every document that has come, with its sender, in the order in which roots became known."""
        for mail in self._mail.values():
            if mail.paper is not None:
                yield mail.sender, mail.paper

    def of(self, root: bytes, sender: str) -> Mail:
        """Return what has come, or will come, under a root from a sender."""
        mail = self._mail.get((root, sender))
        if mail is None:
            mail = self._mail[root, sender] = Mail(root, sender, len(self._mail), self._papers)
        return mail

    def keep(self, mail: Mail, paper: Paper) -> None:
        """Note that a document has come, and put it where those who look for it by its subject will find it."""
        number = self._papers.add(paper)
        mail.keep(number)
        form = paper.fields[FORM].reveal() if FORM in paper.fields else None
        if isinstance(form, str):
            self._with_forms.setdefault((mail.sender, form), {})[mail] = None
        self._put(mail.sender, paper, number)

    def with_form(self, sender: str, form: str) -> Iterator[Paper]:
        """Give a sender's documents that name a form, in the order in which roots became known."""
        for mail in sorted(self._with_forms.get((sender, form), ()), key=_number):
            if mail.paper is not None:
                yield mail.paper

    def about(self, kind: str, sender: str, subject: str) -> Shelf:
        """Return where a sender's document of a kind about a subject stands, or will stand."""
        shelf = self._shelves.get((kind, sender, subject))
        if shelf is None:
            shelf = self._shelves[kind, sender, subject] = Shelf(self._papers)
        return shelf

    def put(self, sender: str, paper: Paper) -> None:
        """Put an opened document where those who look for it by its subject will find it."""
        self._put(sender, paper, self._papers.add(paper))

    def _put(self, sender: str, paper: Paper, number: int) -> None:
        if paper.has(SUBJECT):
            self.about(paper.kind, sender, paper.text(SUBJECT)).put(number)
        if paper.has(FINE):
            self.about(FINE, sender, paper.raw(FINE).hex()).put(number)


def _number(mail: Mail) -> int:
    return mail.number
