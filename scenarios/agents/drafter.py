"""The tuna exporter's application: it fills in Form 370, collects its evidence, and sends both.

Rules:
- A form with faults is not sent, unless the scenario says that somebody really sends such a paper.
- Attachments go to the fisheries authority alone and are anchored before the form, so that none can be made up
  after a question. Late ones are sent by a step of their own.
- What a dishonest exporter makes of form and evidence, `launderer` holds.
- Every reader gets its own envelope of the form: authorities and importer all of it, a processor all but who the
  importer is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from ledger.contracts.fisheries.dolphin import Evidence
from ledger.contracts.fisheries.form import FORM_ID_BYTES
from ledger.contracts.fisheries.records import Form370State
from ledger.encoding import Value
from ledger.forms import form370
from scenarios.agents.agent import StepError
from scenarios.agents.custody import Custodian
from scenarios.agents.launderer import falsified
from scenarios.agents.papers import KIND, PaperKind
from scenarios.model.fisheries import EVIDENCE, Form370
from scenarios.model.fisherysteps import AttachEvidence, DraftForm370

ATTACHMENT_KINDS: Mapping[Evidence, PaperKind] = {
    Evidence.CAPTAIN: PaperKind.CAPTAIN_STATEMENT,
    Evidence.OBSERVER: PaperKind.OBSERVER_STATEMENT,
    Evidence.IDCP: PaperKind.IDCP_CERTIFICATION,
}


class Drafter(Custodian):
    """What an exporter of tuna does."""

    steps: ClassVar[Mapping[str, str]] = {
        "draft-form370": "draft_form",
        "attach-evidence": "attach_evidence",
    }

    async def draft_form(self, step: DraftForm370) -> None:
        """Fill in a form, send it with its attachments, and put it on the ledger."""
        scripted = self.scripted_form(step.form370)
        fields = self._filled_in_form(step.form370, scripted)
        subject = f"form {step.form370}"
        fields, forged = falsified(fields, scripted, lambda kind: self.conduct.commits(kind, subject))
        fields = self.conduct.filled_in("form-370", fields, subject)
        form = self.random.randbytes(FORM_ID_BYTES)
        self.desk.bind("form370", step.form370, form.hex())
        await self._attach_evidence(form.hex(), scripted, late=False)
        for evidence, attached in forged:
            await self._attach(form.hex(), ATTACHMENT_KINDS[evidence], attached)
        root = self.commit({KIND: PaperKind.FORM_370.value, **form370.NOAA_370.flatten(fields)})
        readers = self.authorities() | dict(scripted.chain()[1:])
        for reader, role in readers.items():
            await self.send(root, reader, (KIND, *form370.NOAA_370.disclosed_names(fields, role)))
        body: dict[str, Value] = {
            "form370": form,
            "shipment": scripted.shipment,
            "custody": [{"organization": who, "role": role.value} for who, role in scripted.chain()],
            "addressees": list(readers),
        }
        drafted = await self.transact("fisheries.draft", body, (root,))
        self.note_form_state(step.form370, Form370State.DRAFT, drafted.time_ms)
        self.record(
            "form370.drafted",
            form370=step.form370,
            ledger_id=form.hex(),
            custody=[who for who, _ in scripted.chain()],
            time_ms=drafted.time_ms,
        )

    async def attach_evidence(self, step: AttachEvidence) -> None:
        """Send the attachments that came late."""
        form = await self.drafted(step.form370)
        await self._attach_evidence(form.id, self.scripted_form(step.form370), late=True)
        self.record("form370.attached", form370=step.form370, time_ms=self.desk.now_ms())

    async def _attach_evidence(self, form: str, scripted: Form370, *, late: bool) -> None:
        for attachment in scripted.attachments:
            if attachment.late is late:
                kind = ATTACHMENT_KINDS[EVIDENCE[attachment.evidence]]
                await self._attach(form, kind, scripted.attachment_values(attachment))

    async def _attach(self, form: str, kind: PaperKind, fields: Mapping[str, Value]) -> None:
        fisheries = self.fisheries()
        root = self.commit({KIND: kind.value, "form370": form, **fields})
        await self.send(root, fisheries)
        await self.transact("document.anchor", {"class": "commercial", "addressees": [fisheries]}, (root,))

    def _filled_in_form(self, name: str, scripted: Form370) -> dict[str, Value]:
        fields = scripted.form_values()
        faults = form370.NOAA_370.check(fields)
        if faults and not scripted.faulty:
            boxes = ", ".join(f"{fault.box} ({fault.field})" for fault in faults)
            raise StepError(f"form {name}: faults in box {boxes}; correct them or say faulty: true")
        return fields
