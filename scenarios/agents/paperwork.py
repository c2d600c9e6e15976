"""Work on paper: acts are written down, entered when the ledger can be used again, and reconciled with it.

Rules:
- While the office works on paper an act is written on its job's slip, with that day as its date; it is entered, its
  body unchanged, when the slip's turn has come. What envelopes go with it leave when the window has ended.
- A job's later acts are of the same slip until it waits for an envelope or another day.
- What others put on the ledger reaches an office on paper as before, as if by post or telephone.
- Once a window's slips are all entered, the ledger's receipts are held against them, and what differs is told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ledger.codes import Code
from ledger.contracts import LegalCalendar
from ledger.encoding import Value
from ledger.transaction import SignedTransaction
from p2p.finality import TransactionStatus
from p2p.signal import Signal
from scenarios.agents.client import Receipt
from scenarios.agents.outgoing import Outgoing, RefusedActError
from scenarios.agents.paperbook import PaperAct, Paperbook, Slip
from scenarios.agents.reconciling import ReconciledAct, Reconciliation, reconcile
from scenarios.agents.register import Place, claim_id
from scenarios.agents.work import Act, WaitKind


class OwnReceipts:
    """What the ledger has of one organization's acts, in the order of the log, from the first window on paper on.

    Args:
        organization: whose.
    """

    def __init__(self, organization: str) -> None:
        self._organization = organization
        self._expected: dict[bytes, None] = {}
        self._receipts: dict[bytes, Receipt] = {}
        self.is_kept = False

    def take(self, receipt: Receipt) -> None:
        """Take one certified receipt into account."""
        if self.is_kept and receipt.creator == self._organization:
            self._receipts[receipt.id] = receipt
            self._expected.pop(receipt.id, None)

    def expect(self, transaction_id: bytes) -> None:
        """Take into account that the node says of a transaction that it has a certified receipt."""
        if self.is_kept and transaction_id not in self._receipts:
            self._expected[transaction_id] = None

    @property
    def receipts(self) -> tuple[Receipt, ...]:
        """Return all of them."""
        return tuple(self._receipts.values())

    @property
    def are_told(self) -> bool:
        """Whether the feed has told of every receipt that there is to expect."""
        return not self._expected


class Paperwork(Outgoing):
    """What leaves an application, on paper first where it must.

    Attributes:
        own_receipts: the ledger's word on what it entered.
        news: fires when the feed has told something.
        seen_receipt: the last leaf index that it told of.
        books: of every window on paper, in their order.
    """

    own_receipts: OwnReceipts
    news: Signal
    seen_receipt: int
    books: list[Paperbook]

    async def transact(self, act: str, body: Mapping[str, Value], documents: tuple[bytes, ...] = ()) -> Place:
        """Hand an act in, as `Outgoing` does; on paper, write it down first and hand it in when its turn has come."""
        await self.until_it_speaks()
        slip, book = await self._slip(act), self._work.current.book
        if slip is None or book is None:
            return await super().transact(act, body, documents)
        written = PaperAct(act, dict(body), documents)
        slip.acts.append(written)
        try:
            place = await super().transact(act, body, documents)
        except RefusedActError as refused:
            self._note_entry(book, slip, written, refused.act)
            raise
        self._note_entry(book, slip, written, Act(act, place.id.hex(), Code.VALID, None))
        return place

    async def hand_over(self, root: bytes, to: str, sealed: bytes) -> None:
        """Hand an envelope over, as `Outgoing` does; on paper, when the window has ended."""
        book = self.office.on_paper
        if book is None or self._work.current.slip is not None:
            await super().hand_over(root, to, sealed)
        else:
            self.start(f"envelope to {to}", self._post_after(book, root, to, sealed))

    def leave_slip(self) -> None:
        """Let the current job's business on paper be over; what it does from now on is another day's."""
        job = self._work.current
        slip, job.slip, job.book = job.slip, None, None
        if slip is not None:
            slip.is_finished = True
            self.office.changed.fire()

    def take_up(self, book: Paperbook) -> None:
        """Begin to follow a window on paper, to its reconciliation."""
        self.own_receipts.is_kept = True
        self.books.append(book)
        self.start("reconciliation", self._reconcile(book))

    def acknowledged_on_paper(self, certificate: bytes) -> int | None:
        """Return when this organization acknowledged a certificate on paper, or None."""
        dates = [
            slip.written_ms
            for book in self.books
            for slip in book.slips
            for act in slip.acts
            if act.type == "holding.acknowledge" and act.body.get("certificate") == certificate
        ]
        return min(dates, default=None)

    async def until_paper(self, what: str, holds: Callable[[], bool]) -> None:
        """Let the current job wait until something holds of what is on paper."""
        with self._work.waiting(WaitKind.OFFICE, what, holds):
            while not holds():
                await self.office.changed.wait()

    async def _settled(self, signed: SignedTransaction) -> TransactionStatus:
        status = await super()._settled(signed)
        if status.index is not None:
            self.own_receipts.expect(signed.id)
        return status

    # Slips.

    async def _slip(self, act: str) -> Slip | None:
        """Return the current job's slip once its turn to be entered has come, or None if it is not on paper."""
        job, book = self._work.current, self.office.on_paper
        if job.slip is not None or book is None:
            return job.slip
        slip = book.write(job.name.removeprefix(f"{self.id}: "), self.desk.now_ms())
        job.slip, job.book = slip, book
        self.record(
            "paper.written",
            private=True,
            window=book.number,
            slip=slip.number,
            job=slip.job,
            act=act,
            time_ms=slip.written_ms,
        )
        await self.until_paper(f"slip {slip.number} to be entered", lambda: not book.is_open)
        with self._work.waiting(WaitKind.CALENDAR, f"slip {slip.number}", None):
            await self.desk.sleep_until(book.due_ms(slip))
        await self.until_it_speaks()
        return slip

    async def _post_after(self, book: Paperbook, root: bytes, to: str, sealed: bytes) -> None:
        await self.until_paper(f"the end of paper, for an envelope to {to}", lambda: not book.is_open)
        await self.until_it_speaks()
        await super().hand_over(root, to, sealed)

    def _note_entry(self, book: Paperbook, slip: Slip, written: PaperAct, outcome: Act) -> None:
        written.id = outcome.id
        self._record_entry("paper.entered", book, slip, written, outcome)
        if slip.is_doubled:
            book.doubling += 1
            self.start(f"slip {slip.number} again", self._enter_again(book, slip, written))

    async def _enter_again(self, book: Paperbook, slip: Slip, written: PaperAct) -> None:
        """Be the clerk who enters from the same slip what has been entered."""
        try:
            await self.until_it_speaks()
            signed = self.sign(written.type, written.body, written.documents)
            status = await self._settled(signed)
            outcome = Act(written.type, signed.id.hex(), status.code or "", status.rule)
            self._record_entry("paper.entered_again", book, slip, written, outcome)
        finally:
            book.doubling -= 1
            self.office.changed.fire()

    def _record_entry(self, event: str, book: Paperbook, slip: Slip, written: PaperAct, outcome: Act) -> None:
        self.record(
            event,
            private=True,
            window=book.number,
            slip=slip.number,
            act=outcome.type,
            id=outcome.id,
            code=outcome.code,
            rule=outcome.rule,
            time_ms=self.desk.now_ms(),
            **self._subject(written.body),
        )

    def _subject(self, body: Mapping[str, Value]) -> dict[str, str | None]:
        """Return what an act is about, by the scenario's names."""
        certificate, entry, line = (body.get(name) for name in ("certificate", "entry", "line"))
        if isinstance(entry, str) and isinstance(line, int):
            return {"claim": self.desk.local_name("claim", claim_id(entry, line))}
        if isinstance(certificate, bytes):
            return {"certificate": self.desk.local_name("certificate", certificate.hex())}
        return {}

    # Reconciliation.

    async def _reconcile(self, book: Paperbook) -> None:
        await self.until_paper("all slips to be entered", lambda: book.is_entered)
        with self._work.waiting(
            WaitKind.RECEIPT, "the receipts of all slips", lambda: self.own_receipts.are_told
        ):
            while not self.own_receipts.are_told:
                await self.news.wait()
        await self.until_it_reads()
        found = reconcile(book, self.own_receipts.receipts, LegalCalendar.of(self.desk.genesis))
        for act in found.acts:
            self._record_act(book, act)
        for mismatch in found.mismatches:
            self.record(
                "paper.mismatched",
                private=True,
                window=book.number,
                subject=mismatch.subject,
                fields=list(mismatch.fields),
                time_ms=self.desk.now_ms(),
            )
        self._record_end(book, found)

    def _record_act(self, book: Paperbook, act: ReconciledAct) -> None:
        self.record(
            "paper.reconciled",
            private=True,
            window=book.number,
            slip=act.slip,
            act=act.type,
            id=act.id,
            written_ms=act.written_ms,
            on_ledger_ms=act.on_ledger_ms,
            entries=act.entries,
            valid=act.valid,
            late=list(act.late),
            in_time=list(act.in_time),
            unknown=list(act.unknown),
            time_ms=self.desk.now_ms(),
            **self._subject(act.body),
        )

    def _record_end(self, book: Paperbook, found: Reconciliation) -> None:
        self.record(
            "reconciliation.done",
            private=True,
            window=book.number,
            seen_receipt=self.seen_receipt,
            slips=found.slips,
            acts=len(found.acts),
            missing=found.missing,
            doubled=found.doubled,
            mismatched=len(found.mismatches),
            late=found.late,
            in_time=found.in_time,
            time_ms=self.desk.now_ms(),
        )
