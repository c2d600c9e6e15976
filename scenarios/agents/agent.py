"""An organization's own application: it follows its node's feeds, reacts, and takes scripted steps.

Rules:
- Who belongs to the network, in which role and with which keys, it reads from the ledger at the moment of an act.
- It uses the node's HTTP interface as any outside program would; keys and plaintext are in its wallet.
- What it reacts to is a table: a receipt's type and relation to this organization, to the name of a method.
- A reaction runs as a job of its own; its failure ends the agent and is told. A feed's cursor moves in the
  same instant in which the jobs that its news asks for begin.
- Work on paper ends a job's slip where the job waits for an envelope or another day.
- An office that is away takes nothing in, wakes for nothing and takes no step; it does all that when it is back.
- What it does wrong, and the telling of it, is its `conduct`'s.
- An envelope that cannot be opened, or has another root than it came under, is trusted for nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from random import Random
from typing import ClassVar

from ledger.codes import Code
from ledger.contracts import DIGESTS_BYTES_MAX
from ledger.documents import OpenedEnvelope
from ledger.encoding import Value
from ledger.envelopes import SignedEnvelope
from ledger.errors import EnvelopeError
from p2p.signal import Signal
from scenarios.agents.client import (
    ApiProblem,
    DocumentNotice,
    NodeClient,
    NodeUnreachableError,
    Receipt,
)
from scenarios.agents.conduct import Conduct
from scenarios.agents.desk import Desk
from scenarios.agents.keybook import Keybook
from scenarios.agents.mail import Mail, MailFault, Mailroom
from scenarios.agents.members import MemberEntry, Members
from scenarios.agents.office import Office
from scenarios.agents.papers import Paper, PaperError, open_fields
from scenarios.agents.paperwork import OwnReceipts, Paperwork
from scenarios.agents.receiptstream import ReceiptStream
from scenarios.agents.register import Folding, Register
from scenarios.agents.script import Behavior, Delay, Script, Step
from scenarios.agents.sent import Sent
from scenarios.agents.wallet import Wallet
from scenarios.agents.work import Act, Begin, WaitKind, Workload
from scenarios.model.behaviors import Dishonesty

FEED_WAIT_MS = 5_000
FEED_RETRY_MS = 500
REACTIONS_REMEMBERED = 4096
NODE_REPLACED = "node.replace"
GONE_SINCE = ("UNKNOWN_DOCUMENT", "PURGED")
"""Answers of a node that has listed an envelope and has it no more: lost with its disk (its sender posts it again), or
purged."""
BESIDE_DIGESTS_BYTES = 1024
"""What a complaint takes beside the digests that it shows, generously."""

OnFailure = Callable[["Agent", BaseException], None]


class Relation(StrEnum):
    """What a receipt has to do with this organization."""

    ANY = "any"
    OWN = "own"
    CONCERNED = "concerned"  # another's act on a certificate, holding or claim of this organization


class StepError(Exception):
    """A scripted step that this agent cannot take; the message never shows a private value."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every agent is made of.

    Attributes:
        organization: the member it acts for.
        wallet: the organization's keys, nonces and plaintext.
        client: of the organization's node.
        desk: the trial.
        random: this agent's own stream of chance.
        script: the scenario's documents, claims and steps.
        behavior: what it does by itself, and after how long.
        on_failure: told when a reaction ends by an exception.
    """

    organization: MemberEntry
    wallet: Wallet
    client: NodeClient
    desk: Desk
    random: Random
    script: Script
    behavior: Behavior
    on_failure: OnFailure | None = None


class Agent(Paperwork):
    """What every organization's application has.

    Attributes:
        seen_receipt: the last leaf index of the receipts feed taken into account, -1 before the first.
        seen_document: the number of the last envelope that was taken into account, 0 before the first.
        registers: what takes certified receipts into account before anything reacts to them; a part adds its own.
        sound_seals: of sound envelopes, by root and sender, if this organization complains falsely; empty else.
        failure: the first exception that ended a reaction, or None.
    """

    reactions: ClassVar[Mapping[tuple[str, Relation], str]] = {}
    """Receipt type and relation, to the name of the method that reacts to it."""

    steps: ClassVar[Mapping[str, str]] = {}
    """Scripted step (`do`), to the name of the method that takes it."""

    parts: ClassVar[tuple[type[Agent], ...]] = ()
    """What a joined application is made of; each part reacts by its own table."""

    @classmethod
    @lru_cache(REACTIONS_REMEMBERED)
    def reacting(cls, kind: str, relation: Relation) -> tuple[str, ...]:
        """Return the names of the methods that react to a receipt of this type and relation, each once."""
        tables = [part.reactions for part in cls.parts or (cls,)]
        return tuple(dict.fromkeys(table[kind, relation] for table in tables if (kind, relation) in table))

    def __init__(self, surroundings: Surroundings) -> None:
        self.organization = surroundings.organization
        self.id = surroundings.organization.id
        self.wallet = surroundings.wallet
        self.client = surroundings.client
        self.desk = surroundings.desk
        self.random = surroundings.random
        self.script = surroundings.script
        self.behavior = surroundings.behavior
        self.on_failure = surroundings.on_failure
        self.office = Office()
        self.conduct = Conduct(self.id, self.behavior, self.random, self.desk, self.office)
        self.register = Register()
        self.keybook = Keybook(surroundings.desk.genesis)
        self.members = Members(surroundings.desk.genesis)
        self.own_receipts = OwnReceipts(self.id)
        self.registers: list[Folding] = [self.register, self.keybook, self.members, self.own_receipts]
        self.books = []
        self.office.take_up = self.take_up
        self.mailroom = Mailroom()
        self.sent = Sent()
        self._receipts = ReceiptStream(surroundings.client, FEED_WAIT_MS)
        self.sound_seals: dict[tuple[bytes, str], dict[str, Value]] = {}
        self.seen_receipt = -1
        self.seen_document = 0
        self._inbox: str | None = None
        self.failure: BaseException | None = None
        self._ended: asyncio.Future[None] | None = None
        self._work = Workload(self._failed)
        self.news = Signal()
        self._awaited: dict[bytes, bool] = {}

    @property
    def active(self) -> int:
        """How many jobs are at work: not waiting for the calendar, an envelope, a receipt or the node."""
        return self._work.active

    @property
    def blocked(self) -> int:
        """How many jobs wait for a node that does not answer."""
        return self._work.blocked

    @property
    def waits(self) -> tuple[tuple[str, WaitKind, str], ...]:
        """What every waiting job waits for: (job, kind, what)."""
        return self._work.waits

    async def run(self) -> None:
        """Follow both feeds and react, until cancelled.

        Raises:
            Exception: the first with which a reaction or a feed ended.
        """
        loop = asyncio.get_running_loop()
        self._ended = loop.create_future()
        if self.failure is not None:
            self._ended.set_exception(self.failure)
        feeds = [
            loop.create_task(self._follow(step), name=f"{self.id}: {step.__name__}")
            for step in (self._take_receipts, self._take_documents)
        ]
        try:
            await self._ended
        finally:
            for feed in feeds:
                feed.cancel()
            await asyncio.gather(*feeds, return_exceptions=True)
            self._receipts.close()
            await self._work.cancel()

    async def perform(self, step: Step) -> tuple[Act, ...]:
        """Take a scripted step in the caller's task and return what became of its transactions, in order.

        Raises:
            StepError: if this agent has no such step, or cannot take it as things stand.
        """
        name = self.steps.get(step.do)
        if name is None:
            roles = ", ".join(self.organization.roles)
            raise StepError(f"{self.id} cannot {step.do}: it is {roles}; let another organization do it")
        method: Callable[[Step], Coroutine[object, object, None]] = getattr(self, name)
        with self._work.here(f"{self.id}: {step.do}") as job:
            await self.until_it_reads()
            await self._unless_refused(method(step))
            return tuple(job.acts)

    async def sleep_until(self, time_ms: int) -> None:
        """Let the calendar come to `time_ms`."""
        if self.desk.now_ms() >= time_ms:
            return
        # Not over when the moment has come but when the trial says so: it wakes sleepers only at rest.
        self.leave_slip()
        with self._work.waiting(WaitKind.CALENDAR, str(time_ms), None):
            await self.desk.sleep_until(time_ms)
        await self.until_it_reads()

    def start_at(self, name: str, time_ms: int, begin: Begin) -> None:
        """Start a job when the calendar has come to `time_ms`."""
        if self.desk.now_ms() >= time_ms:
            self.start(name, begin())
        else:
            self._work.start_at(f"{self.id}: {name}", time_ms, self.desk.call_at, self._waking(begin))

    async def go_on_at(self, time_ms: int, begin: Begin) -> None:
        """Let the current job go on with `begin` when the calendar has come to `time_ms`; nothing may follow this."""
        if self.desk.now_ms() >= time_ms:
            await begin()
        else:
            self.leave_slip()
            self._work.go_on_at(time_ms, self.desk.call_at, self._waking(begin))

    def _waking(self, begin: Begin) -> Begin:
        async def woken() -> None:
            await self.until_it_reads()
            await begin()

        return lambda: self._unless_refused(woken())

    async def until(self, what: str, holds: Callable[[], bool]) -> None:
        """Wait until something holds of what the receipts feed has told."""
        with self.waiting(WaitKind.RECEIPT, what, holds):
            while not holds():
                await self.news.wait()

    def waiting(self, kind: WaitKind, what: str, is_over: Callable[[], bool]) -> AbstractContextManager[None]:
        """Let the current job wait in this context."""
        return self._work.waiting(kind, what, is_over)

    @asynccontextmanager
    async def in_turn(self, turn: asyncio.Lock, what: str) -> AsyncIterator[None]:
        """Let the current job work on something when no other job of this agent does."""
        if turn.locked():
            with self.waiting(WaitKind.TURN, what, lambda: not turn.locked()):
                await turn.acquire()
        else:
            await turn.acquire()
        try:
            yield
        finally:
            turn.release()

    def note(self, act: Act) -> None:
        """Note what became of a transaction of the current job, for whoever took the step."""
        self._work.note(act)

    # Envelopes.

    def commit(self, fields: Mapping[str, Value]) -> bytes:
        """Commit to a document's fields, keep it in the wallet, and return its root."""
        return self.wallet.commit(fields, public=open_fields(fields, self.members.names))

    async def receive(self, root: bytes, sender: str) -> Mail:
        """Wait for a sender's envelope of a root and return it, opened or found wanting; what is its own it has."""
        mail = self.mailroom.of(root, sender)
        own = self.wallet.issued(root) if sender == self.id else None
        if own is not None and mail.paper is None:
            self.mailroom.keep(mail, Paper.of(own))
        self.leave_slip()
        with self._work.waiting(WaitKind.ENVELOPE, root.hex(), lambda: mail.has_arrived):
            await mail.arrival()
        return mail

    def draw_ms(self, delay: Delay) -> int | None:
        """Return how long this agent takes this time, or None for never."""
        return delay.draw_ms(self.random)

    async def receive_about(self, kind: str, sender: str, subject: str) -> Paper:
        """Wait for a sender's document of a kind about a claim, or one that opens a commitment (kind FINE)."""
        shelf = self.mailroom.about(kind, sender, subject)
        self.leave_slip()
        with self._work.waiting(WaitKind.ENVELOPE, f"{kind} of {subject}", lambda: shelf.has_arrived):
            await shelf.arrival()
        if shelf.paper is None:
            raise AssertionError(f"{kind} of {subject} has arrived and is not there")
        return shelf.paper

    async def receive_next(self, kind: str, sender: str, subject: str, seen: int) -> Paper:
        """Wait for a sender's next document of a kind about a subject, after the first `seen` of them."""
        shelf = self.mailroom.about(kind, sender, subject)
        what = f"{kind} {seen + 1} of {subject}"
        self.leave_slip()
        with self._work.waiting(WaitKind.ENVELOPE, what, lambda: len(shelf) > seen):
            while len(shelf) <= seen:
                await shelf.more.wait()
        return shelf[seen]

    # Feeds.

    async def _follow(self, step: Callable[[], Coroutine[object, object, None]]) -> None:
        try:
            while True:
                while not self.office.reads:
                    await self.office.changed.wait()
                try:
                    await step()
                except NodeUnreachableError:
                    await asyncio.sleep(FEED_RETRY_MS / 1000)
                except ApiProblem as problem:
                    if not problem.is_passing:
                        raise
                    await asyncio.sleep(FEED_RETRY_MS / 1000)
        except asyncio.CancelledError:
            raise
        except BaseException as error:
            self._failed(error)
            raise

    async def _take_receipts(self) -> None:
        page = await self._receipts.next(self.seen_receipt)
        if not self.office.reads:
            self._receipts.close()
            self._leave_lying(len(page.receipts))
            return
        for receipt in page.receipts:
            for register in self.registers:
                register.take(receipt)
            if receipt.id in self._awaited:
                self._awaited[receipt.id] = True
            if receipt.code == Code.VALID:
                self._react(receipt)
        self.seen_receipt = page.next
        if page.receipts:
            self.news.fire()

    async def _take_documents(self) -> None:
        page = await self.client.documents(self.seen_document, inbox=self._inbox, wait_ms=FEED_WAIT_MS)
        if not self.office.reads:
            self._leave_lying(len(page.documents))
            return
        for notice in page.documents:
            self.start(f"open {notice.root.hex()[:16]} from {notice.sender}", self._open(notice))
        self._inbox, self.seen_document = page.inbox, page.next

    def _leave_lying(self, count: int) -> None:
        if count:
            self.record("office.waits", private=True, what="news", time_ms=self.desk.now_ms())

    def _react(self, receipt: Receipt) -> None:
        kind = receipt.type or ""
        if kind == NODE_REPLACED and receipt.creator is not None and len(self.sent):
            self.start(f"post again {receipt.index}", self.post_again(receipt.creator))
        for relation in (Relation.OWN, Relation.CONCERNED, Relation.ANY):
            names = self.reacting(kind, relation)
            for name in names if names and self._stands_in(relation, receipt) else ():
                reaction: Callable[[Receipt], Coroutine[object, object, None]] = getattr(self, name)
                self.start(f"{name} {receipt.index}", reaction(receipt))

    def _stands_in(self, relation: Relation, receipt: Receipt) -> bool:
        """Say whether a receipt stands in a relation to this organization."""
        is_own = receipt.creator == self.id
        match relation:
            case Relation.OWN:
                return is_own
            case Relation.CONCERNED:
                return not is_own and self.is_concerned(receipt)
            case Relation.ANY:
                return True

    async def _open(self, notice: DocumentNotice) -> None:
        mail = self.mailroom.of(notice.root, notice.sender)
        if mail.is_sound:
            return
        try:
            data = await self.client.get_document(notice.root, notice.index, pause=self._pause_for(None))
        except ApiProblem as problem:
            if problem.code not in GONE_SINCE:
                raise
            return
        signed = SignedEnvelope.decode(data)  # the node takes in no shorter one
        seal: dict[str, Value] = {
            "by": notice.sender,
            "envelope": signed.digest,
            "signature": signed.signature,
        }
        try:
            opened = self.wallet.open(notice.root, data)
        except EnvelopeError:
            mail.spoil(MailFault.UNREADABLE, seal)
            return
        if opened.root != notice.root:
            digests = self._signed_digests(opened, notice)
            mail.spoil(MailFault.ROOT_MISMATCH, seal if digests is None else digests)
            return
        if Dishonesty.COMPLAINS_FALSELY in self.behavior.dishonest:
            self.sound_seals[notice.root, notice.sender] = seal
        try:
            self.mailroom.keep(mail, Paper.of(opened))
        except PaperError:
            mail.spoil(MailFault.UNUSABLE)

    def _signed_digests(self, opened: OpenedEnvelope, notice: DocumentNotice) -> dict[str, Value] | None:
        """Return the digests with which their signer is convicted on the ledger, if it signed them and they fit."""
        digests = b"".join(opened.digests)
        fits = min(DIGESTS_BYTES_MAX, self.desk.genesis.limits.transaction_bytes_max - BESIDE_DIGESTS_BYTES)
        if len(digests) > fits or not self.keybook.is_vouched(opened, notice.root, notice.sender):
            return None
        return {"by": notice.sender, "digests": digests, "signature": opened.vouched}

    def is_concerned(self, receipt: Receipt) -> bool:
        """Say whether another's act is about something of this organization; a part adds its own."""
        return self.register.concerns(receipt, self.id)

    # Ends.

    def _failed(self, error: BaseException) -> None:
        if self.failure is None:
            self.failure = error
            if self._ended is not None and not self._ended.done():
                self._ended.set_exception(error)
        if self.on_failure is not None:
            self.on_failure(self, error)
