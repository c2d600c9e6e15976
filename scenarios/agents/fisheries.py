"""The fisheries authority's application: it grants permits, checks filed forms 370, holds, rejects, clears, audits.

Rules:
- It decides from its own envelopes and the ledger, after the time that its behavior gives it. What has not come by
  then is missing: nobody can keep it waiting by sending nothing.
- Every decision is an official act with a document to importer and Customs that opens the act's commitment.
- A hold waits for the importer's answer and looks again; what is still wrong then waits for the end of the time
  given, is looked at once more, and is rejected if it was not mended.
- A form that another fisheries authority checks is none of its business.
"""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from ledger.codes import Code
from ledger.contracts import Actor, RuleViolatedError
from ledger.contracts.fisheries.dolphin import Evidence
from ledger.contracts.fisheries.inspection import (
    PGA_STATUS,
    Inspection,
    InspectionEvent,
    InspectionState,
    advance_inspection,
    form_act_of,
    form_commitment,
)
from ledger.encoding import Value
from scenarios.agents.agent import Relation, StepError, Surroundings
from scenarios.agents.authority import authority_of, business_ms, fisheries_of
from scenarios.agents.client import Receipt
from scenarios.agents.drafter import ATTACHMENT_KINDS
from scenarios.agents.filer import read_decision
from scenarios.agents.formpart import FormPart
from scenarios.agents.formregister import FormEntry
from scenarios.agents.outgoing import RefusedActError
from scenarios.agents.papers import KIND, Paper, PaperError, PaperKind
from scenarios.agents.tunacheck import Examined, FormEvidence, decide, examine_form
from scenarios.agents.work import Act
from scenarios.model.fisherysteps import AuditForm370, GrantPermit
from scenarios.model.subjects import FormDefect

_DAY = datetime.timedelta(days=1)
_EVENT_OF: Mapping[InspectionState, InspectionEvent] = {
    InspectionState.HOLD: InspectionEvent.HOLD,
    InspectionState.MAY_PROCEED: InspectionEvent.CLEAR,
    InspectionState.REJECTED: InspectionEvent.REJECT,
}


@dataclass(slots=True)
class FormFile:
    """What NOAA knows of one filed form.

    Attributes:
        form: what the ledger says.
        committed: the commitment with which it was filed.
        inspection: its fine state.
        turn: held by the job that works on it.
        answered: whether the importer has answered the hold.
        redeclared: the status declared in the answer, if one was.
    """

    form: FormEntry
    committed: bytes
    inspection: Inspection
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    answered: bool = False
    redeclared: str | None = None


class Fisheries(FormPart):
    """What the fisheries authority's application does."""

    remembers_anchors = True
    steps: ClassVar[Mapping[str, str]] = {"grant-permit": "grant_permit", "audit-form370": "audit_form"}
    reactions: ClassVar[Mapping[tuple[str, Relation], str]] = {
        ("fisheries.file", Relation.ANY): "form_filed",
        ("fisheries.respond", Relation.ANY): "form_answered",
        ("fisheries.close", Relation.ANY): "form_closed",
    }

    def __init__(self, surroundings: Surroundings) -> None:
        super().__init__(surroundings)
        self._form_files: dict[str, FormFile] = {}

    @property
    def _checks_forms(self) -> bool:
        """Whether this is the authority that checks forms 370 now."""
        return fisheries_of(self.members) == self.id

    # What is scripted.

    async def grant_permit(self, step: GrantPermit) -> None:
        """Grant an importer its trade permit."""
        body: dict[str, Value] = {
            "holder": step.holder,
            "from": step.first.isoformat(),
            "to": step.last.isoformat(),
        }
        granted = await self.transact("fisheries.permit", body)
        self.record("permit.granted", holder=step.holder, time_ms=granted.time_ms)

    async def audit_form(self, step: AuditForm370) -> None:
        """Audit a released shipment."""
        file = self._form_files.get(self.desk.ledger_id("form370", step.form370) or "")
        if file is None:
            raise StepError(f"form {step.form370} was not filed with {self.id}; file it first")
        async with self.in_turn(file.turn, file.form.id):
            await self._move_form(file, InspectionEvent.AUDIT, ())

    # What it does by itself.

    async def form_filed(self, receipt: Receipt) -> None:
        """Open a file, and look into the form when its time comes."""
        if not self._checks_forms:
            return
        form = self.forms.form_of(receipt)
        filed_on = self.legal.legal_date(receipt.time_ms)
        file = self._form_files[form.id] = FormFile(form, form.fine, Inspection(filed_on))
        self._note_form_state(file, InspectionState.FILED, receipt.time_ms)
        delay_ms = self.draw_ms(self.behavior.check_after)
        if delay_ms is None:
            return
        await self.sleep_until(receipt.time_ms + delay_ms)
        async with self.in_turn(file.turn, file.form.id):
            examined = self._examine_form(file)
            state = decide(examined.defects)
            await self._move_form(file, _EVENT_OF[state], examined.defects)
            if file.inspection.due_on is not None:
                self.start(f"hold of {form.id}", self._end_hold(file, file.inspection.due_on))

    async def form_answered(self, receipt: Receipt) -> None:
        """Take an answer in, and look again when its time comes."""
        file = self._form_files.get(self.forms.form_of(receipt).id)
        delay_ms = self.draw_ms(self.behavior.check_after)
        if file is None or delay_ms is None:
            return
        mail = await self.receive(receipt.documents[0], receipt.creator or "")
        self.record("form370.heard", private=True, form370=self._form_name(file), time_ms=self.desk.now_ms())
        await self.sleep_until(receipt.time_ms + delay_ms)
        async with self.in_turn(file.turn, file.form.id):
            file.answered = True
            file.redeclared = _redeclared(mail.paper)
            if file.inspection.state is InspectionState.AUDIT:
                await self._move_form(file, InspectionEvent.CLOSE_AUDIT, self._examine_form(file).defects)
            elif file.inspection.state is InspectionState.HOLD:
                examined = self._examine_form(file)
                state = decide(examined.defects)
                if state is not InspectionState.HOLD:
                    await self._move_form(file, _EVENT_OF[state], examined.defects)

    async def form_closed(self, receipt: Receipt) -> None:
        """Take in what Customs made of a decision."""
        file = self._form_files.get(self.forms.form_of(receipt).id)
        if file is None:
            return
        fine = bytes.fromhex(str(receipt.body["fine"]))
        mail = await self.receive(receipt.documents[0], receipt.creator or "")
        state = read_decision(mail.paper, file.form.id, fine)
        event = {
            InspectionState.RELEASED: InspectionEvent.RELEASE,
            InspectionState.REFUSED: InspectionEvent.REFUSE,
        }.get(state or InspectionState.FILED)
        if event is None:
            return
        async with self.in_turn(file.turn, file.form.id):
            on = self.legal.legal_date(receipt.time_ms)
            file.inspection = advance_inspection(file.inspection, event, Actor.CUSTOMS, on)

    async def _end_hold(self, file: FormFile, due_on: datetime.date) -> None:
        await self.sleep_until(business_ms(due_on + _DAY))
        async with self.in_turn(file.turn, file.form.id):
            if file.inspection.state is not InspectionState.HOLD or file.inspection.due_on != due_on:
                return
            examined = self._examine_form(file)
            if not examined.defects:
                await self._move_form(file, InspectionEvent.CLEAR, ())
                return
            defects = examined.defects
            if not file.answered:
                defects = (*defects, FormDefect.NO_ANSWER.value)
                self._note_defect(file, FormDefect.NO_ANSWER.value)
            await self._move_form(file, InspectionEvent.REJECT_SILENCE, defects)

    # Moves.

    async def _move_form(self, file: FormFile, event: InspectionEvent, defects: tuple[str, ...]) -> None:
        """Put the act that goes with an event on the ledger, then move the fine state as of its block."""
        before = file.inspection.state
        after = self._advanced_form(file, event, self.desk.now_ms())
        salt = self.wallet.draw_salt()
        fine = form_commitment(salt, bytes.fromhex(file.form.id), after.state)
        self.wallet.keep_salt(fine, salt)
        customs = authority_of(self.members)
        root = self.commit(
            {
                KIND: PaperKind.FORM_370_DECISION.value,
                "form370": file.form.id,
                "state": after.state.value,
                "pga_status": PGA_STATUS.get(after.state),
                "defects": list(defects),
                "due_on": None if after.due_on is None else after.due_on.isoformat(),
                "salt": salt,
            }
        )
        readers = [reader for reader in (file.form.importer, customs) if reader != self.id]
        for reader in readers:
            await self.send(root, reader)
        body: dict[str, Value] = {
            "form370": bytes.fromhex(file.form.id),
            "addressees": [*readers],
            "fine": fine,
        }
        place = await self.transact(form_act_of(before, event), body, (root,))
        file.inspection = self._advanced_form(file, event, place.time_ms)
        self.record("form370.decided", form370=self._form_name(file), time_ms=place.time_ms)
        self._note_form_state(file, file.inspection.state, place.time_ms)

    def _advanced_form(self, file: FormFile, event: InspectionEvent, time_ms: int) -> Inspection:
        """Return the inspection after an event of this authority.

        Raises:
            RefusedActError: if the table does not list it, or its time has not come or has passed.
        """
        on = self.legal.legal_date(time_ms)
        try:
            return advance_inspection(file.inspection, event, Actor.FISHERIES, on)
        except RuleViolatedError as error:
            act = Act(form_act_of(file.inspection.state, event), "", Code.RULE_VIOLATED.value, error.rule)
            self.note(act)
            raise RefusedActError(act) from None

    # Parts.

    def _examine_form(self, file: FormFile) -> Examined:
        """Hold a form against everything there is, and write down what was found."""
        evidence = self._form_evidence(file)
        examined = examine_form(evidence, self.script.fisheries)
        name, now_ms = self._form_name(file), self.desk.now_ms()
        if examined.status is not None:
            self.record(
                "form370_status.state",
                private=True,
                form370=name,
                form370_status=name,
                state=examined.status.value,
                time_ms=now_ms,
            )
        for defect in examined.defects:
            if defect in list(FormDefect):
                self._note_defect(file, defect)
        return examined

    def _note_defect(self, file: FormFile, defect: str) -> None:
        name, now_ms = self._form_name(file), self.desk.now_ms()
        self.record(
            "form370_defect.state",
            private=True,
            form370=name,
            form370_defect=name,
            state=defect,
            time_ms=now_ms,
        )

    def _form_evidence(self, file: FormFile) -> FormEvidence:
        form = file.form
        statements = [
            None
            if hop.root is None
            else self._read_form(hop.root, hop.organization, PaperKind.CUSTODY_STATEMENT)
            for hop in form.hops
        ]
        return FormEvidence(
            form=form,
            committed=file.committed,
            has_permit=self.forms.has_permit(form.importer, self.legal.legal_date(self.desk.now_ms())),
            paper=self._read_form(form.root, form.issuer, PaperKind.FORM_370),
            filing=self._read_form(form.filing_root, form.importer, PaperKind.FORM_370_FILING),
            custody=statements,
            attachments=self._form_attachments(form),
            redeclared=file.redeclared,
            answered=file.answered,
        )

    def _read_form(self, root: bytes, sender: str, kind: PaperKind) -> Paper | None:
        """Return what has come under a root by now, if it is of a kind; nobody is waited for."""
        paper = self.mailroom.of(root, sender).paper
        return paper if paper is not None and paper.kind == kind else None

    def _form_attachments(self, form: FormEntry) -> list[tuple[Evidence, Mapping[str, Value]]]:
        """Return the evidence that the exporter has anchored for a form."""
        kinds = {kind.value: evidence for evidence, kind in ATTACHMENT_KINDS.items()}
        found: list[tuple[Evidence, Mapping[str, Value]]] = []
        for paper in self.mailroom.with_form(form.issuer, form.id):
            anchored = self.forms.anchored.get(paper.root)
            if paper.kind in kinds and anchored is not None and anchored[0] == form.issuer:
                found.append((kinds[paper.kind], paper.plain()))
        return found

    def _form_name(self, file: FormFile) -> str:
        return self.desk.local_name("form370", file.form.id) or file.form.id

    def _note_form_state(self, file: FormFile, state: InspectionState, time_ms: int) -> None:
        self.record(
            "form370.state", private=True, form370=self._form_name(file), state=state.value, time_ms=time_ms
        )


def _redeclared(answer: Paper | None) -> str | None:
    if answer is None or answer.kind != PaperKind.FORM_370_ANSWER or not answer.has("status"):
        return None
    try:
        return answer.text("status")
    except PaperError:
        return None
