"""Customs' application when it verifies origin with an exporter or producer, or under the USMCA with the importer.

Rules:
- The fine state moves only by the private verification table; each letter, notice and determination is a document
  of its own, under the act that goes with it. Silence is closed by an act once its time has passed.
- Under the USMCA the party may be the importer, and an exporter or producer may send its books straight: who answers
  first is heard. The act then names the agreement, and nothing else of what is verified.
- The books support a certificate if they show the good and criterion that it states, records are kept, and no
  material from elsewhere falls in the good's own heading (for goods wholly obtained: there is none at all). That the
  change of heading stands for every specific rule is this project's simplification.
- Claims that wait are allowed on a positive determination; on a negative one their importers are told, and they are
  denied on the day it takes effect.
- Two negative determinations on identical goods of one certifier are a pattern: it is told, and later claims on such
  goods are denied.
"""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import ClassVar

from ledger.codes import Code
from ledger.contracts import REGIME_OF_FORM, Actor, ReviewEvent, RuleViolatedError
from ledger.contracts.verification import (
    Verification,
    VerificationEvent,
    VerificationFineState,
    advance_verification,
    denial_effective_on,
    determination_is_late,
    is_pattern,
    verification_act_of,
    verification_commitment,
)
from ledger.encoding import Value
from ledger.forms.lines import unflatten_lines
from ledger.genesis import Role
from scenarios.agents.agent import Relation, StepError, Surroundings
from scenarios.agents.authority import business_ms
from scenarios.agents.books import supports
from scenarios.agents.casefile import CaseFile
from scenarios.agents.client import Receipt
from scenarios.agents.examination import six_digits
from scenarios.agents.holdingoffice import HoldingOffice
from scenarios.agents.outgoing import RefusedActError
from scenarios.agents.papers import FINE, KIND, Paper, PaperKind
from scenarios.agents.register import CertificateEntry
from scenarios.agents.script import delay_of
from scenarios.agents.work import Act, WaitKind
from scenarios.model.defects import Defect
from scenarios.model.verifications import OpenVerification

VERIFICATION_ID_BYTES = 16
VISIT_AFTER_MS = 10 * 86_400_000
_DAY = datetime.timedelta(days=1)
_F = VerificationFineState
_E = VerificationEvent


@dataclass(slots=True)
class VerificationFile:
    """One verification's file.

    Attributes:
        id: on the ledger, hex.
        name: the scenario's.
        party: who is asked.
        certificate: what it is about.
        cases: claims that wait.
        turn: held by the job that works on it.
        review: its fine state.
    """

    id: str
    name: str
    party: str
    certificate: CertificateEntry
    cases: list[CaseFile]
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    review: Verification = field(default_factory=Verification)


class Verifier(HoldingOffice):
    """What Customs' application does about claims, and when it verifies."""

    steps: ClassVar[Mapping[str, str]] = {**HoldingOffice.steps, "open-verification": "open_verification"}
    reactions: ClassVar[Mapping[tuple[str, Relation], str]] = {
        **HoldingOffice.reactions,
        ("verification.respond", Relation.ANY): "verification_answered",
    }

    def __init__(self, surroundings: Surroundings) -> None:
        super().__init__(surroundings)
        self._files: dict[str, VerificationFile] = {}
        self._results: dict[tuple[str, str], list[VerificationFineState]] = {}

    async def open_verification(self, step: OpenVerification) -> None:
        """Tell the importers whose claims wait, then write to the party."""
        plan = self.script.verifications[step.verification]
        ledger_id = self.desk.ledger_id("certificate", plan.certificate)
        if ledger_id is None:
            raise StepError(f"certificate {plan.certificate} is not on the ledger; issue it first")
        await self.until(f"certificate {plan.certificate}", lambda: ledger_id in self.register.certificates)
        cases = [await self._scripted(name) for name in plan.claims]
        for case in cases:
            async with self._turn(case):
                await self._tell(case, ReviewEvent.VERIFY, PaperKind.VERIFICATION_NOTICE, ())
        file = VerificationFile(
            id=self.random.randbytes(VERIFICATION_ID_BYTES).hex(),
            name=step.verification,
            party=plan.party,
            certificate=self.register.certificates[ledger_id],
            cases=cases,
        )
        self._files[file.id] = file
        self.desk.bind("verification", file.name, file.id)
        async with self._held(file):
            if plan.by == "VISIT":
                await self._notify_visit(file)
            else:
                await self._write(file, _E.QUESTIONNAIRE, PaperKind.QUESTIONS, self._about(file))
            self._watch(file)

    async def verification_answered(self, receipt: Receipt) -> None:
        """Take an answer in; determine, visit, or give notice of intent."""
        file = self._files.get(str(receipt.body["verification"]))
        if file is None:
            return
        mail = await self.receive(receipt.documents[0], receipt.creator or "")
        event = _ANSWERS.get(mail.paper.kind) if mail.paper is not None else None
        if mail.paper is None or event is None:
            self.record("answer.unreadable", private=True, verification=file.name, time_ms=receipt.time_ms)
            return
        async with self._held(file):
            try:
                today = self._calendar.legal_date(receipt.time_ms)
                file.review = advance_verification(file.review, event, Actor.VERIFIED, today)
            except RuleViolatedError:
                self.record("answer.late", private=True, verification=file.name, time_ms=receipt.time_ms)
                return
            self._note(file, receipt.time_ms)
            if event is _E.REFUSE:
                await self._intend(file)
                return
        if event is _E.CONSENT:
            await self.sleep_until(receipt.time_ms + VISIT_AFTER_MS)
            async with self._held(file):
                if mail.paper.text("records_kept") == "NO":
                    await self._write(file, _E.NO_RECORDS, PaperKind.VISIT_REPORT, {})
                    await self._intend(file)
                    return
                await self._write(file, _E.VISITED, PaperKind.VISIT_REPORT, {})
        plan = self.script.verifications[file.name]
        delay_ms = self.draw_ms(delay_of(plan.determine_after, self.behavior.review_after))
        if delay_ms is None:
            return
        await self.sleep_until(self.desk.now_ms() + delay_ms)
        async with self._held(file):
            await self._determine(file, mail.paper)

    # Letters and determinations.

    async def _notify_visit(self, file: VerificationFile) -> None:
        member = self.members.find(file.party)
        if member is None:
            raise StepError(f"{file.party} is no member of the network; it cannot be visited")
        there = [m.id for m in self.members.with_role(Role.CUSTOMS) if m.country == member.country]
        party = member.name
        notice: dict[str, Value] = {
            **self._about(file),
            "authority": self.organization.name,
            "visited": party,
            "place": f"premises of {party} where the goods are made",
            "proposed_on": self._calendar.legal_date(self.desk.now_ms() + VISIT_AFTER_MS).isoformat(),
            "object": "verification of origin of the goods described",
            "officers": "two import specialists of the textile and trade agreements division",
            "legal_authority": "19 CFR 181.71 to 181.76",
        }
        also = tuple(name for name in there if name not in (self.id, file.party))
        await self._write(file, _E.VISIT_NOTICE, PaperKind.VISIT_NOTICE, notice, also)

    async def _intend(self, file: VerificationFile) -> None:
        await self._write(file, _E.INTEND, PaperKind.INTENT, {"defects": [Defect.VISIT_REFUSED.value]})
        self._watch(file)

    async def _determine(self, file: VerificationFile, books: Paper) -> None:
        certificate = self.wallet.opened(file.certificate.root)
        form = {} if certificate is None else unflatten_lines(Paper.of(certificate).plain(), "goods")
        goods = form.get("goods")
        if supports(books, goods if isinstance(goods, list) else [], REGIME_OF_FORM[file.certificate.form]):
            await self._close_verification(file, _E.DETERMINE_POSITIVE, None)
        else:
            await self._close_verification(file, _E.DETERMINE_NEGATIVE, Defect.NOT_ORIGINATING)

    async def _close_verification(
        self, file: VerificationFile, event: VerificationEvent, reason: Defect | None
    ) -> None:
        late = determination_is_late(file.review, self._calendar.legal_date(self.desk.now_ms()))
        reasons: list[Value] = [] if reason is None else [reason.value]
        told: dict[str, Value] = {"defects": reasons, "is_late": late}
        place_ms = await self._write(file, event, PaperKind.DETERMINATION, told)
        self.record("verification.closed", verification=file.name, time_ms=place_ms)
        for key in self._goods(file):
            self._results.setdefault(key, []).append(file.review.state)
        if reason is None:
            for case in file.cases:
                async with self._turn(case):
                    await self._close(case, ReviewEvent.ALLOW, ())
            return
        effective_on = denial_effective_on(self._calendar.legal_date(place_ms))
        for case in file.cases:
            async with self._turn(case):
                await self._tell(case, ReviewEvent.NOTICE_DENIAL, PaperKind.ACTION, (reason.value,))
            self.start(f"denial of {case.id}", self._deny_when_effective(case, effective_on, reason))
        await self._note_pattern(file)

    async def _deny_when_effective(self, case: CaseFile, on: datetime.date, reason: Defect) -> None:
        await self.sleep_until(business_ms(on))
        async with self._turn(case):
            await self._close(case, ReviewEvent.DENY, (reason.value,))

    async def _note_pattern(self, file: VerificationFile) -> None:
        """Tell a certifier of a pattern of conduct, and hold it against later claims on identical goods."""
        for key in self._goods(file):
            if key in self._archive.patterns or not is_pattern(self._results[key]):
                continue
            root = self.commit({KIND: PaperKind.PATTERN_NOTICE.value, "hs6": key[1]})
            await self.send(root, key[0])
            place = await self.transact(
                "document.anchor", {"class": "official", "addressees": [key[0]]}, (root,)
            )
            self._archive.patterns[key] = place.index
            self.record("pattern.noticed", private=True, party=key[0], time_ms=place.time_ms)

    # Time.

    def _watch(self, file: VerificationFile) -> None:
        if file.review.due_on is not None:
            self.start(f"silence in {file.name}", self._after(file, file.review.state, file.review.due_on))

    async def _after(
        self, file: VerificationFile, state: VerificationFineState, due_on: datetime.date
    ) -> None:
        await self.sleep_until(business_ms(due_on + _DAY))
        async with self._held(file):
            if (file.review.state, file.review.due_on) != (state, due_on):
                return
            match state:
                case VerificationFineState.WAITING:
                    await self._write(file, _E.REMIND, PaperKind.REMINDER, {})
                    self._watch(file)
                case VerificationFineState.FOLLOW_UP:
                    await self._close_verification(file, _E.SILENCE, Defect.NO_REPLY)
                case VerificationFineState.CONSENT_WAIT:
                    await self._write(file, _E.NO_CONSENT, PaperKind.VISIT_REPORT, {})
                    await self._intend(file)
                case VerificationFineState.INTENT:
                    await self._close_verification(file, _E.DETERMINE_NEGATIVE, Defect.VISIT_REFUSED)

    # Parts.

    async def _write(
        self,
        file: VerificationFile,
        event: VerificationEvent,
        kind: PaperKind,
        fields: Mapping[str, Value],
        also: tuple[str, ...] = (),
    ) -> int:
        """Put an act with its document on the ledger, move the fine state, and return the act's block time."""
        verification = bytes.fromhex(file.id)
        after = self._moved(file, event, self.desk.now_ms())
        salt = self.wallet.draw_salt()
        fine = verification_commitment(salt, verification, after.state)
        self.wallet.keep_salt(fine, salt)
        root = self.commit(
            {
                KIND: kind.value,
                "verification": file.id,
                FINE: fine,
                "state": after.state.value,
                "salt": salt,
                "due_on": None if after.due_on is None else after.due_on.isoformat(),
                **fields,
            }
        )
        for addressee in (file.party, *also):
            await self.send(root, addressee)
        act = verification_act_of(file.review.state, event)
        body: dict[str, Value] = {"verification": verification, "also": list(also), "fine": fine}
        if act == "verification.open":
            body["party"] = file.party
            regime = REGIME_OF_FORM[file.certificate.form]
            if regime.verifies_importer:
                body["regime"] = regime.name
        place = await self.transact(act, body, (root,))
        file.review = self._moved(file, event, place.time_ms)
        if act == "verification.open":
            self.record(
                "verification.opened", verification=file.name, party=file.party, time_ms=place.time_ms
            )
        self._note(file, place.time_ms)
        return place.time_ms

    def _moved(self, file: VerificationFile, event: VerificationEvent, time_ms: int) -> Verification:
        today = self._calendar.legal_date(time_ms)
        try:
            return advance_verification(file.review, event, Actor.VERIFIER, today)
        except RuleViolatedError as error:
            act = Act(verification_act_of(file.review.state, event), "", Code.RULE_VIOLATED.value, error.rule)
            self.note(act)
            raise RefusedActError(act) from None

    def _about(self, file: VerificationFile) -> dict[str, Value]:
        return {"certificate": file.certificate.id, "subheadings": [key[1] for key in self._goods(file)]}

    def _goods(self, file: VerificationFile) -> list[tuple[str, str]]:
        """Return certifier and subheading of the goods that are verified: those of the books asked for."""
        books = self.script.verifications[file.name].books
        return [(file.certificate.issuer, six_digits(books.hs6))]

    def _note(self, file: VerificationFile, time_ms: int) -> None:
        self.record(
            "verification.state",
            private=True,
            verification=file.name,
            state=file.review.state.value,
            time_ms=time_ms,
        )

    @asynccontextmanager
    async def _held(self, file: VerificationFile) -> AsyncIterator[None]:
        """Work on a verification when no other job does."""
        with self.waiting(WaitKind.TURN, file.id, lambda: not file.turn.locked()):
            await file.turn.acquire()
        try:
            yield
        finally:
            file.turn.release()


_ANSWERS: Mapping[str, VerificationEvent] = {
    PaperKind.QUESTIONNAIRE: _E.REPLY,
    PaperKind.CONSENT: _E.CONSENT,
    PaperKind.REFUSAL: _E.REFUSE,
}
