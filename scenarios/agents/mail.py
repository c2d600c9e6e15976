"""Envelopes on their way to an agent, by root and sender.

Rules:
- An envelope may come before the act that anchors its root, or long after; who needs it waits for the root.
- Who waits says from whom: rubbish that another member sends under the same root spoils nothing.
- The first envelope from a sender that opens under its root is the document; faults before it are forgotten.
- Of a spoilt one is kept what its sender signed, for a complaint rests on that. A paper that opens under its root and
  says nothing that this program can use is no spoilt envelope: there is nothing to complain of on the ledger.
- What an official act moved is told under the commitment that the act put on the ledger.
- The sender is the member whose node sent it, as this organization's node says.
- Most of it lies in real files without a name; in memory is what somebody waits for, or works on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from weakref import WeakValueDictionary

from ledger.encoding import Value
from p2p.signal import Signal
from scenarios.agents.packing import pack_paper, unpack_paper
from scenarios.agents.papers import FINE, FORM, SUBJECT, Paper
from scenarios.filed import Filed, FiledMap

_Key = tuple[bytes, str]


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


@dataclass(frozen=True, slots=True)
class _Kept:
    """What is kept of mail."""

    number: int
    has_arrived: bool = False
    fault: MailFault | None = None
    evidence: Mapping[str, Value] | None = None
    paper: int | None = None


class Mail(_Awaited):
    """What has come under one root from one sender; `has_arrived` once something has.

    Args:
        room: keeps it.
        root, sender: which mail.
        kept: what was kept of it.

    Attributes:
        number: of the pair, in the order in which roots became known.
        fault: what was wrong with what has come, if nothing was sound.
        evidence: what the sender signed of it: digests that give another root, or the envelope's seal.
    """

    __slots__ = ("__weakref__", "_paper", "_room", "evidence", "fault", "number", "root", "sender")

    def __init__(self, room: Mailroom, root: bytes, sender: str, kept: _Kept) -> None:
        super().__init__()
        self.root = root
        self.sender = sender
        self.number = kept.number
        self.has_arrived = kept.has_arrived
        self.fault = kept.fault
        self.evidence = kept.evidence
        self._paper = kept.paper
        self._room = room

    @property
    def paper(self) -> Paper | None:
        """The document, once a sound envelope has come."""
        return None if self._paper is None else self._room.papers[self._paper]

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
        self._room.note(self, self._kept)
        return {"reason": fault.value, "evidence": dict(evidence)}

    def keep(self, paper: int) -> None:
        """Note under which number the document is filed."""
        self._paper, self.fault, self.evidence = paper, None, None
        self._arrive()
        self._room.note(self, self._kept)

    def spoil(self, fault: MailFault, evidence: Mapping[str, Value] | None = None) -> None:
        """Note that something has come that is not the document, and what its sender signed of it."""
        self.fault, self.evidence = fault, evidence
        self._arrive()
        self._room.note(self, self._kept)

    @property
    def _kept(self) -> _Kept:
        return _Kept(self.number, self.has_arrived, self.fault, self.evidence, self._paper)


class Shelf(_Awaited):
    """The documents of a kind from a sender about one subject, in the order in which they came.

    `has_arrived` once the first has.

    Args:
        papers: all documents, by number.
        numbers: of those that are there.
    """

    __slots__ = ("__weakref__", "_more", "_papers", "numbers")

    def __init__(self, papers: Filed[Paper], numbers: tuple[int, ...]) -> None:
        super().__init__()
        self.has_arrived = bool(numbers)
        self.numbers = numbers
        self._papers = papers
        self._more: Signal | None = None

    def __len__(self) -> int:
        """How many have come."""
        return len(self.numbers)

    def __getitem__(self, place: int) -> Paper:
        """Return the one at a place, from 0."""
        return self._papers[self.numbers[place]]

    @property
    def paper(self) -> Paper | None:
        """The first, or None."""
        return self[0] if self.numbers else None

    @property
    def more(self) -> Signal:
        """Fires with each that comes."""
        if self._more is None:
            self._more = Signal()
        return self._more

    def put(self, paper: int) -> None:
        """Put a document there, by the number under which it is filed."""
        self.numbers = (*self.numbers, paper)
        self._arrive()
        if self._more is not None:
            self._more.fire()


class Mailroom:
    """All mail, by root and sender, and what was opened, by kind, sender and subject.

    Attributes:
        papers: every document that has come, by number.
    """

    def __init__(self) -> None:
        self.papers: Filed[Paper] = Filed(pack_paper, unpack_paper)
        self._mail: FiledMap[_Key, _Kept] = FiledMap()
        self._shelves: FiledMap[tuple[str, str, str], tuple[int, ...]] = FiledMap()
        self._with_forms: FiledMap[tuple[str, str], tuple[tuple[int, bytes], ...]] = FiledMap()
        # Whoever waits for mail holds it: what nobody holds is made again from what was kept of it.
        self._held: WeakValueDictionary[_Key, Mail] = WeakValueDictionary()
        self._held_shelves: WeakValueDictionary[tuple[str, str, str], Shelf] = WeakValueDictionary()

    def opened(self) -> Iterator[tuple[str, Paper]]:
        """Give every document that has come, with its sender, in the order in which roots became known."""
        for (_, sender), kept in self._mail.items():
            if kept.paper is not None:
                yield sender, self.papers[kept.paper]

    def of(self, root: bytes, sender: str) -> Mail:
        """Return what has come, or will come, under a root from a sender."""
        key = (root, sender)
        mail = self._held.get(key)
        if mail is None:
            kept = self._mail.get(key)
            if kept is None:
                kept = _Kept(len(self._mail))
                self._mail.put(key, kept)
            mail = self._held[key] = Mail(self, root, sender, kept)
        return mail

    def note(self, mail: Mail, kept: _Kept) -> None:
        """Keep what is to be kept of mail that has changed."""
        self._mail.put((mail.root, mail.sender), kept)

    def keep(self, mail: Mail, paper: Paper) -> None:
        """Note that a document has come, and put it where those who look for it by its subject will find it."""
        number = self.papers.add(paper)
        mail.keep(number)
        form = paper.fields[FORM].reveal() if FORM in paper.fields else None
        if isinstance(form, str):
            key, own = (form, mail.sender), (mail.number, mail.root)
            known = self._with_forms.get(key, ())
            if own not in known:
                self._with_forms.put(key, (*known, own))
        self._put(mail.sender, paper, number)

    def with_form(self, sender: str, form: str) -> Iterator[Paper]:
        """Give a sender's documents that name a form, in the order in which roots became known."""
        for _, root in sorted(self._with_forms.get((form, sender), ())):
            paper = self.of(root, sender).paper
            if paper is not None:
                yield paper

    def about(self, kind: str, sender: str, subject: str) -> Shelf:
        """Return where a sender's document of a kind about a subject stands, or will stand."""
        key = (str(kind), sender, subject)
        shelf = self._held_shelves.get(key)
        if shelf is None:
            shelf = self._held_shelves[key] = Shelf(self.papers, self._shelves.get(key, ()))
        return shelf

    def put(self, sender: str, paper: Paper) -> None:
        """Put an opened document where those who look for it by its subject will find it."""
        self._put(sender, paper, self.papers.add(paper))

    def _put(self, sender: str, paper: Paper, number: int) -> None:
        if paper.has(SUBJECT):
            self._lay(paper.kind, sender, paper.text(SUBJECT), number)
        if paper.has(FINE):
            self._lay(FINE, sender, paper.raw(FINE).hex(), number)

    def _lay(self, kind: str, sender: str, subject: str, number: int) -> None:
        shelf = self.about(kind, sender, subject)
        shelf.put(number)
        self._shelves.put((str(kind), sender, subject), shelf.numbers)
