"""Customs' application: it looks into claims, asks, decides and liquidates.

Rules:
- The fine state of a claim moves only by the private review table; each public act that goes with a move
  carries a fresh salted commitment to the new state, and its salt goes to the importer alone.
- Most claims are allowed without a question. A ledger finding, or a defect in what Customs holds, leads to a
  request (CF-28), or to a notice where small importations look like a series made to evade. A certificate's own
  defect gets time to cure once; what is wrong after that leads to denial (CF-29), and so does silence, or an
  answer, past the time given.
- A protest is granted if what supports it has no defect and it came in time.
- What the scenario scripts for a claim (a request, a decision) this program leaves to the script.
- A claim that another Customs decided, which has left, goes on with its successor where the ledger has it; the
  predecessor's files are not on the ledger, so the successor goes by what it is sent. A Customs of another country
  than that of importation may not decide, and records that it does not.
- One job at a time works on one claim; a move is looked up again when its turn comes.
- Fine states and the codes of defects are recorded for the observer alone; reasons go into envelopes only.
"""

from __future__ import annotations

import datetime
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import ClassVar

from ledger.codes import Code
from ledger.contracts import (
    REGIMES,
    Actor,
    FineState,
    LegalCalendar,
    Refusal,
    Review,
    ReviewEvent,
    RuleViolatedError,
    act_of,
    advance_review,
    fine_commitment,
)
from ledger.encoding import Value
from ledger.forms import FORMS
from scenarios.agents.agent import Agent, Relation, StepError, Surroundings
from scenarios.agents.authority import authority_of, business_ms
from scenarios.agents.casefile import TOLD, CaseFile
from scenarios.agents.client import Receipt
from scenarios.agents.evidence import Archive
from scenarios.agents.examination import CURABLE, examine, examine_answer
from scenarios.agents.outgoing import RefusedActError
from scenarios.agents.papers import FINE, KIND, PaperKind
from scenarios.agents.register import Place, claim_id
from scenarios.agents.script import delay_of, is_decided_by_script, is_requested_by_script
from scenarios.agents.work import Act, WaitKind
from scenarios.model.defects import Defect
from scenarios.model.steps import (
    AllowClaim,
    DenyClaim,
    ExtendRequest,
    Liquidate,
    RequestInformation,
)

OWN_QUESTION = "Send the certificate of origin, proof of its possession before the claim, and the invoice."
SERIES_QUESTION = "These importations look like one, made small to need no certificate. Send the certificate."
_DAY = datetime.timedelta(days=1)
_SILENT = (FineState.CERT_REQUESTED, FineState.CURE)
_LIQUIDABLE = (FineState.CLAIMED, FineState.ALLOWED, FineState.DENIED)


class Customs(Agent):
    """What Customs' application does."""

    steps: ClassVar[Mapping[str, str]] = {
        "request-information": "request_information",
        "extend-request": "extend_request",
        "allow-claim": "allow_claim",
        "deny-claim": "deny_claim",
        "liquidate": "liquidate",
    }
    reactions: ClassVar[Mapping[tuple[str, Relation], str]] = {
        ("claim.file", Relation.ANY): "claim_filed",
        ("claim.file_post", Relation.ANY): "claim_filed",
        ("claim.correct", Relation.ANY): "claim_corrected",
        ("claim.respond", Relation.ANY): "claim_answered",
        ("claim.protest", Relation.ANY): "claim_protested",
    }

    def __init__(self, surroundings: Surroundings) -> None:
        super().__init__(surroundings)
        genesis = self.desk.genesis
        self._calendar = LegalCalendar(
            genesis.zone_offsets, map(datetime.date.fromisoformat, genesis.holidays)
        )
        self._cases: dict[str, CaseFile] = {}
        self._archive = Archive(self.register, self.mailroom, self.wallet, self._calendar)

    @property
    def _decides(self) -> bool:
        """Whether this is the Customs that decides claims now."""
        return authority_of(self.members) == self.id

    # What it does by itself.

    async def claim_filed(self, receipt: Receipt) -> None:
        """Open a case file, and look into the claim when its time comes."""
        claim = self.register.claim_of(receipt)
        case = self._case(claim.id)
        case.is_filed = True
        if not self._is_in_charge(case, receipt.time_ms):
            return
        case.is_ours = True
        self._note_state(case, FineState.CLAIMED.value, receipt.time_ms, claim.importer)
        self.news.fire()
        self._plan_liquidation(case, receipt.time_ms)
        name = self._name(case)
        scripted = self.script.claims.get(name)
        own = None if scripted is None else scripted.review_after
        review_ms = self.draw_ms(delay_of(own, self.behavior.review_after))
        if review_ms is None:
            return
        await self.sleep_until(receipt.time_ms + review_ms)
        if is_requested_by_script(self.script, name) or is_decided_by_script(self.script, name):
            return
        async with self._turn(case):
            if case.review.state is not FineState.CLAIMED or case.is_corrected:
                return
            defects = examine(self._archive.evidence(case))
            if not defects:
                await self._close(case, ReviewEvent.ALLOW, ())
            elif Defect.SERIES in defects:
                await self._request(case, ReviewEvent.SERIES_NOTICE, SERIES_QUESTION, defects)
            else:
                await self._request(case, ReviewEvent.REQUEST, OWN_QUESTION, defects)

    async def claim_answered(self, receipt: Receipt) -> None:
        """Take an answer in, and decide when its time comes."""
        case = self._case(self.register.claim_of(receipt).id)
        if not self._is_in_charge(case, receipt.time_ms):
            return
        async with self._turn(case):
            self._take_over(case, FineState.UNDER_REVIEW)
            today = self._calendar.legal_date(receipt.time_ms)
            due_on = case.review.due_on
            try:
                if case.review.state in _SILENT and due_on is not None and today > due_on:
                    await self._close(case, ReviewEvent.DENY_SILENCE, (Defect.NO_ANSWER.value,))
                    raise RuleViolatedError("submit", Refusal.TOO_EARLY, "the time has passed")
                case.review = advance_review(
                    case.review, ReviewEvent.SUBMIT, Actor.CLAIMANT, today, self._calendar
                )
            except RuleViolatedError:
                self.record("answer.late", private=True, claim=self._name(case), time_ms=receipt.time_ms)
                return
            self._note_state(case, case.review.state.value, receipt.time_ms, case.filed.importer)
        mail = await self.receive(receipt.documents[0], receipt.creator or "")
        case.answer = mail.paper
        self.record("request.answered", private=True, claim=self._name(case), time_ms=self.desk.now_ms())
        name = self._name(case)
        scripted = self.script.claims.get(name)
        own = None if scripted is None else scripted.decide_after
        review_ms = self.draw_ms(delay_of(own, self.behavior.review_after))
        if review_ms is None or is_decided_by_script(self.script, name):
            return
        await self.sleep_until(receipt.time_ms + review_ms)
        async with self._turn(case):
            if case.review.state is FineState.UNDER_REVIEW:
                await self._decide(case)

    async def _decide(self, case: CaseFile) -> None:
        defects = examine_answer(self._archive.evidence(case), case.answer)
        if not defects:
            await self._close(case, ReviewEvent.ALLOW, ())
        elif not case.has_cured and CURABLE.issuperset(defects):
            case.has_cured = True
            await self._tell(case, ReviewEvent.FIND_DEFECT, PaperKind.CURE_NOTICE, defects)
            self._watch_silence(case)
        elif self.behavior.denial == "PROPOSED" and case.review.due_on is None and not case.is_proposed:
            case.is_proposed = True
            await self._tell(case, ReviewEvent.PROPOSE_DENIAL, PaperKind.ACTION, defects)
            self._watch_silence(case)
        else:
            await self._close(case, ReviewEvent.DENY, defects)

    async def claim_protested(self, receipt: Receipt) -> None:
        """Take a protest in, and grant or deny it when its time comes."""
        case = self._case(self.register.claim_of(receipt).id)
        if not self._is_in_charge(case, receipt.time_ms):
            return
        today = self._calendar.legal_date(receipt.time_ms)
        async with self._turn(case):
            self._take_over(case, FineState.LIQUIDATED)
            case.review = advance_review(
                case.review, ReviewEvent.PROTEST, Actor.CLAIMANT, today, self._calendar
            )
            self._note_state(case, case.review.state.value, receipt.time_ms, case.filed.importer)
        mail = await self.receive(receipt.documents[0], receipt.creator or "")
        case.answer = mail.paper
        review_ms = self.draw_ms(self.behavior.review_after)
        if review_ms is None:
            return
        await self.sleep_until(receipt.time_ms + review_ms)
        async with self._turn(case):
            defects = examine_answer(self._archive.evidence(case), case.answer)
            await self._close(
                case, ReviewEvent.DENY_PROTEST if defects else ReviewEvent.GRANT_PROTEST, defects
            )

    async def claim_corrected(self, receipt: Receipt) -> None:
        """Note that the importer withdrew its claim; only liquidation is left."""
        case = self._case(self.register.claim_of(receipt).id)
        if self._is_in_charge(case, receipt.time_ms):
            self._take_over(case, FineState.CLAIMED)
            case.is_corrected = True
            self._note_state(case, "CORRECTED", receipt.time_ms, case.filed.importer)

    def _plan_liquidation(self, case: CaseFile, now_ms: int) -> None:
        liquidate_ms = self.draw_ms(self.behavior.liquidate_after)
        if liquidate_ms is not None:
            due_ms = business_ms(case.filed.entry_on) + liquidate_ms
            # What was claimed after its time to liquidate is liquidated when it is decided.
            case.is_due = due_ms <= now_ms
            if not case.is_due:
                self.start_at(f"liquidate {case.id}", due_ms, partial(self._liquidate_in_time, case))

    async def _liquidate_in_time(self, case: CaseFile) -> None:
        case.is_due = True
        async with self._turn(case):
            if case.review.state in _LIQUIDABLE:
                await self._liquidate(case)

    def _watch_silence(self, case: CaseFile) -> None:
        if case.review.due_on is not None:
            self.start(f"silence of {case.id}", self._close_silence_after(case, case.review.due_on))

    async def _close_silence_after(self, case: CaseFile, due_on: datetime.date) -> None:
        await self.sleep_until(business_ms(due_on + _DAY))
        async with self._turn(case):
            if case.review.due_on != due_on:
                return
            if case.review.state in _SILENT:
                await self._close(case, ReviewEvent.DENY_SILENCE, (Defect.NO_ANSWER.value,))
            elif case.review.state is FineState.UNDER_REVIEW:
                defects = examine_answer(self._archive.evidence(case), case.answer)
                await self._close(case, ReviewEvent.DENY, defects)

    # What is scripted.

    async def request_information(self, step: RequestInformation) -> None:
        """Ask the importer (CF-28)."""
        case = await self._scripted(step.claim)
        async with self._turn(case):
            await self._request(case, ReviewEvent.REQUEST, step.question, ())

    async def extend_request(self, step: ExtendRequest) -> None:
        """Give the importer more time for back-up records."""
        case = await self._scripted(step.claim)
        async with self._turn(case):
            await self._tell(case, ReviewEvent.EXTEND, PaperKind.EXTENSION, ())
            self._watch_silence(case)

    async def allow_claim(self, step: AllowClaim) -> None:
        """Close a review in the importer's favor."""
        case = await self._scripted(step.claim)
        async with self._turn(case):
            await self._close(case, ReviewEvent.ALLOW, ())

    async def deny_claim(self, step: DenyClaim) -> None:
        """Deny a claim (CF-29)."""
        case = await self._scripted(step.claim)
        async with self._turn(case):
            defects = examine(self._archive.evidence(case))
            await self._close(case, ReviewEvent.DENY, defects, step.reason)

    async def liquidate(self, step: Liquidate) -> None:
        """Liquidate an entry line."""
        case = await self._scripted(step.claim)
        async with self._turn(case):
            await self._liquidate(case)

    # Moves.

    async def _request(
        self, case: CaseFile, event: ReviewEvent, question: str, defects: tuple[str, ...]
    ) -> None:
        kind = PaperKind.SERIES_NOTICE if event is ReviewEvent.SERIES_NOTICE else PaperKind.REQUEST
        await self._tell(case, event, kind, defects, question=question)
        self.record(
            "request.sent",
            private=True,
            claim=self._name(case),
            for_cause=bool(defects),
            time_ms=self.desk.now_ms(),
        )
        self._watch_silence(case)
        if (
            event is ReviewEvent.REQUEST
            and case.review.due_on is not None
            and self.behavior.gives_backup_time == "YES"
        ):
            self.start(f"extension for {case.id}", self._extend_on(case, case.review.due_on))

    async def _extend_on(self, case: CaseFile, due_on: datetime.date) -> None:
        """Give more time on the last day of a request that is not answered yet."""
        await self.sleep_until(business_ms(due_on))
        async with self._turn(case):
            if (case.review.state, case.review.due_on) == (FineState.CERT_REQUESTED, due_on):
                await self._tell(case, ReviewEvent.EXTEND, PaperKind.EXTENSION, ())
                self._watch_silence(case)

    async def _tell(
        self,
        case: CaseFile,
        event: ReviewEvent,
        kind: PaperKind,
        defects: tuple[str, ...],
        question: str | None = None,
    ) -> None:
        """Move a claim by an act that its importer is told of in a document."""
        after = self._advanced(case, event, self.desk.now_ms())
        fine, salt = self._commit_to(case, after.state)
        written: dict[str, Value] = {
            "action": "PROPOSED" if kind is PaperKind.ACTION else None,
            "question": question,
            "defects": list(defects),
            "due_on": None if after.due_on is None else after.due_on.isoformat(),
        }
        root = self._letter(kind, case, written, fine, salt, after.state)
        await self.send(root, case.filed.importer)
        await self._move(case, event, fine, root)

    def _letter(
        self,
        kind: PaperKind,
        case: CaseFile,
        written: Mapping[str, Value],
        fine: bytes,
        salt: bytes,
        state: FineState,
    ) -> bytes:
        """Commit to a letter to a claim's importer; one on a paper form is filled in as the form asks."""
        filled = {name: value for name, value in written.items() if value is not None}
        faults = FORMS[kind].check(filled) if kind in FORMS else []
        if faults:
            boxes = ", ".join(f"{fault.box} ({fault.field})" for fault in faults)
            raise AssertionError(f"{kind.value} about {case.id}: faults in box {boxes}")
        about: dict[str, Value] = {
            KIND: kind.value,
            "claim": case.id,
            FINE: fine,
            "state": state.value,
            "salt": salt,
        }
        return self.commit({**about, **filled})

    async def _close(
        self, case: CaseFile, event: ReviewEvent, defects: tuple[str, ...], reason: str | None = None
    ) -> None:
        after = self._advanced(case, event, self.desk.now_ms())
        fine, salt = self._commit_to(case, after.state)
        place = await self._move(case, event, fine, None)
        self.record("claim.closed", claim=self._name(case), time_ms=place.time_ms)
        self.record(
            "claim.decided",
            private=True,
            claim=self._name(case),
            state=after.state.value,
            defects=list(defects),
            time_ms=place.time_ms,
        )
        is_denied = after.state is FineState.DENIED
        written: dict[str, Value] = {
            "action": "TAKEN" if is_denied else None,
            "defects": list(defects),
            "explanation": reason,
        }
        kind = PaperKind.ACTION if is_denied else PaperKind.DECISION
        root = self._letter(kind, case, written, fine, salt, after.state)
        await self.send(root, case.filed.importer)
        if event is ReviewEvent.GRANT_PROTEST or (case.is_due and event is not ReviewEvent.DENY_PROTEST):
            await self._liquidate(case)

    async def _liquidate(self, case: CaseFile) -> None:
        after = self._advanced(case, ReviewEvent.LIQUIDATE, self.desk.now_ms())
        fine, _ = self._commit_to(case, after.state)
        place = await self._move(case, ReviewEvent.LIQUIDATE, fine, None)
        self.record("claim.liquidated", claim=self._name(case), time_ms=place.time_ms)

    async def _move(self, case: CaseFile, event: ReviewEvent, fine: bytes, root: bytes | None) -> Place:
        """Put the act that goes with an event on the ledger, then move the fine state as of its block."""
        act = act_of(case.review.state, event)
        body: dict[str, Value] = {"entry": case.filed.entry, "line": case.filed.line, "fine": fine}
        documents = () if root is None or act != "claim.open" else (root,)
        place = await self.transact(act, body, documents)
        case.review = self._advanced(case, event, place.time_ms)
        if act == "claim.open":
            self.record("claim.opened", claim=self._name(case), time_ms=place.time_ms)
        self._note_state(case, case.review.state.value, place.time_ms, self.id)
        return place

    def _advanced(self, case: CaseFile, event: ReviewEvent, time_ms: int) -> Review:
        """Return the review after an event of Customs.

        Raises:
            RefusedActError: if the table does not list it, or its time has not come.
        """
        today = self._calendar.legal_date(time_ms)
        try:
            return advance_review(case.review, event, Actor.CUSTOMS, today, self._calendar)
        except RuleViolatedError as error:
            act = Act(act_of(case.review.state, event), "", Code.RULE_VIOLATED.value, error.rule)
            self.note(act)
            raise RefusedActError(act) from None

    def _commit_to(self, case: CaseFile, state: FineState) -> tuple[bytes, bytes]:
        salt = self.wallet.draw_salt()
        fine = fine_commitment(salt, case.filed.entry, case.filed.line, state)
        self.wallet.keep_salt(fine, salt)
        return fine, salt

    # Parts.

    def _case(self, ledger_id: str) -> CaseFile:
        case = self._cases.get(ledger_id)
        if case is None:
            case = self._cases[ledger_id] = CaseFile(ledger_id, self.register.claims)
        return case

    def _is_in_charge(self, case: CaseFile, time_ms: int) -> bool:
        """Say whether a claim is for this Customs to decide; record it if nobody else is there and it may not."""
        if not self._decides:
            return False
        if self.organization.country != REGIMES[case.filed.regime].importing:
            self.record("claim.not_in_charge", private=True, claim=self._name(case), time_ms=time_ms)
            return False
        return True

    def _take_over(self, case: CaseFile, state: FineState) -> None:
        """Go on with a claim that another Customs decided until now, from the state that the ledger tells."""
        if case.is_ours:
            return
        case.is_ours = True
        case.review = Review(state)
        self.record("claim.taken_over", private=True, claim=self._name(case), time_ms=self.desk.now_ms())
        if state is not FineState.LIQUIDATED:
            self._plan_liquidation(case, self.desk.now_ms())

    async def _scripted(self, name: str) -> CaseFile:
        """Return the file of a claim that the scenario names, once the claim is filed."""
        if not self._decides:
            decider = authority_of(self.members)
            raise StepError(f"{self.id} does not decide claims; let {decider} do it")
        claim = self.script.claims[name]
        case = self._case(claim_id(claim.entry, claim.line))
        await self.until(f"claim {name} filed", lambda: case.is_filed)
        importing = REGIMES[case.filed.regime].importing
        if self.organization.country != importing:
            raise StepError(
                f"{self.id} is of {self.organization.country}; claim {name} is for customs of {importing}"
            )
        self._take_over(case, TOLD[case.filed.last_act])
        return case

    def _name(self, case: CaseFile) -> str:
        return self.desk.local_name("claim", case.id) or case.id

    def _note_state(self, case: CaseFile, state: str, time_ms: int, by: str) -> None:
        self.record("claim.state", private=True, claim=self._name(case), state=state, time_ms=time_ms, by=by)

    @asynccontextmanager
    async def _turn(self, case: CaseFile) -> AsyncIterator[None]:
        """Work on a claim when no other job does."""
        if case.turn.locked():
            with self.waiting(WaitKind.TURN, case.id, lambda: not case.turn.locked()):
                await case.turn.acquire()
        else:
            await case.turn.acquire()
        try:
            yield
        finally:
            case.turn.release()
