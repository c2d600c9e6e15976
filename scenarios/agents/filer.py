"""The tuna importer's application: it files Form 370 under its entry, and answers the authorities.

Rules:
- It files when every party has endorsed, and on the day of importation at the latest, complete or not; unless
  the scenario scripts the filing.
- A dishonest one files ten days late, or says then that the goods came only now. Who has no permit and is dishonest so
  says so to the observer.
- With the filing goes a document for both authorities: entry number, dates, the weight entered, and the salt that
  opens the commitment on the ledger.
- A decision is believed if its salt opens the commitment that its act put on the ledger.
- A hold is answered from what the scenario gives: another status declared, or nothing new.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import ClassVar

from ledger.contracts.fisheries.dolphin import pga_code
from ledger.contracts.fisheries.inspection import InspectionState, form_commitment
from ledger.encoding import Value
from scenarios.agents.agent import Relation, Surroundings
from scenarios.agents.authority import business_ms
from scenarios.agents.client import Receipt
from scenarios.agents.custody import Custodian
from scenarios.agents.formregister import FormEntry
from scenarios.agents.papers import KIND, Paper, PaperError, PaperKind
from scenarios.agents.script import is_filed_by_script
from scenarios.model.behaviors import Dishonesty
from scenarios.model.fisheries import Form370
from scenarios.model.fisherysteps import FileForm370

LATE = datetime.timedelta(days=10)
NOT_LATE = datetime.timedelta(0)
ANSWERED = (InspectionState.HOLD, InspectionState.AUDIT)


class Filer(Custodian):
    """What an importer of tuna does."""

    steps: ClassVar[Mapping[str, str]] = {"file-form370": "file_form"}
    reactions: ClassVar[Mapping[tuple[str, Relation], str]] = {
        **Custodian.reactions,
        ("fisheries.endorse", Relation.ANY): "form_endorsed",
        ("fisheries.open", Relation.CONCERNED): "decision_received",
        ("fisheries.act", Relation.CONCERNED): "decision_received",
        ("fisheries.close", Relation.CONCERNED): "decision_received",
    }

    def __init__(self, surroundings: Surroundings) -> None:
        super().__init__(surroundings)
        self._filing: dict[str, None] = {}
        self._late: dict[str, Dishonesty] = {}

    def custody_begun(self, name: str, form: FormEntry, scripted: Form370) -> None:
        """Note the last day for the filing of a form that is this importer's to file."""
        if form.importer == self.id and not is_filed_by_script(self.script, name):
            for kind in (Dishonesty.FILES_LATE, Dishonesty.MISDATES_IMPORTATION):
                if form.id not in self._late and self.conduct.commits(kind, f"form {name}") is not None:
                    self._late[form.id] = kind
            self.start(f"file {name} on the day of importation", self._file_form_by(name, form, scripted))

    async def form_endorsed(self, receipt: Receipt) -> None:
        """File a form as soon as every party has endorsed."""
        form = self.forms.form_of(receipt)
        name = self.desk.local_name("form370", form.id)
        if name is None or form.importer != self.id or is_filed_by_script(self.script, name):
            return
        if form.is_endorsed and form.filed is None and form.id not in self._late:
            await self._file_form(name, form)

    async def file_form(self, step: FileForm370) -> None:
        """File a form when the scenario says so, complete or not."""
        await self._file_form(step.form370, await self.drafted(step.form370))

    async def decision_received(self, receipt: Receipt) -> None:
        """Take an authority's decision in; answer a hold or an audit."""
        form = self.forms.form_of(receipt)
        name = self.desk.local_name("form370", form.id)
        if name is None or form.importer != self.id:
            return
        fine = bytes.fromhex(str(receipt.body["fine"]))
        mail = await self.receive(receipt.documents[0], receipt.creator or "")
        state = read_decision(mail.paper, form.id, fine)
        self.record(
            "form370.received",
            private=True,
            form370=name,
            state=None if state is None else state.value,
            believed=state is not None,
            time_ms=self.desk.now_ms(),
        )
        delay_ms = self.draw_ms(self.behavior.answer_after)
        if state not in ANSWERED or delay_ms is None:
            return
        await self.sleep_until(receipt.time_ms + delay_ms)
        answer: dict[str, Value] = {
            KIND: PaperKind.FORM_370_ANSWER.value,
            "form370": form.id,
            "status": self.scripted_form(name).redeclare,
        }
        root = self.commit(answer)
        await self.send(root, self.fisheries())
        answered = await self.transact("fisheries.respond", {"form370": bytes.fromhex(form.id)}, (root,))
        self.record("form370.answered", form370=name, time_ms=answered.time_ms)

    async def _file_form_by(self, name: str, form: FormEntry, scripted: Form370) -> None:
        last_on = scripted.import_on + (LATE if form.id in self._late else NOT_LATE)
        await self.sleep_until(business_ms(last_on))
        await self._file_form(name, form)

    async def _file_form(self, name: str, form: FormEntry) -> None:
        if form.id in self._filing:
            return
        self._filing[form.id] = None
        scripted, today = self.scripted_form(name), self.legal.legal_date(self.desk.now_ms())
        import_on = (
            today if self._late.get(form.id) is Dishonesty.MISDATES_IMPORTATION else scripted.import_on
        )
        if not self.forms.has_permit(self.id, today):
            self.conduct.commits(Dishonesty.FILES_WITHOUT_PERMIT, f"form {name}")
        salt = self.wallet.draw_salt()
        fine = form_commitment(salt, bytes.fromhex(form.id), InspectionState.FILED)
        self.wallet.keep_salt(fine, salt)
        authorities = self.authorities()
        root = self.commit(
            {
                KIND: PaperKind.FORM_370_FILING.value,
                "form370": form.id,
                "entry": scripted.entry,
                "import_on": import_on.isoformat(),
                "signed_on": min(today, import_on).isoformat(),
                "entered_kg": scripted.entered_kg,
                "pga_codes": [pga_code(row.species or "") for row in scripted.rows],
                "salt": salt,
            }
        )
        for authority in authorities:
            await self.send(root, authority)
        body: dict[str, Value] = {
            "form370": bytes.fromhex(form.id),
            "entry": scripted.entry,
            "import_on": import_on.isoformat(),
            "addressees": list(authorities),
            "fine": fine,
        }
        filed = await self.transact("fisheries.file", body, (root,))
        self.record("form370.filed", form370=name, entry=scripted.entry, time_ms=filed.time_ms)


def read_decision(paper: Paper | None, form: str, fine: bytes) -> InspectionState | None:
    """Return the state that an official document says, or None if it does not open the commitment."""
    if paper is None or paper.kind != PaperKind.FORM_370_DECISION:
        return None
    try:
        state = InspectionState(paper.text("state"))
        opens = form_commitment(paper.raw("salt"), bytes.fromhex(form), state) == fine
    except (PaperError, ValueError):
        return None
    return state if opens else None
