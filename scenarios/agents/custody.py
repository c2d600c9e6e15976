"""The application of whoever takes custody of tuna: it endorses the form, signed and dated, by itself.

Rules:
- It endorses what it has read: the form's envelope must open under the root on the ledger. The exporter, whose
  form it is, needs none.
- With the endorsement goes a custody statement, for the fisheries authority alone: what came in, what went out.
- A dishonest one never endorses, or states a tenth more going out than came in.
- How long it takes, or that it never does, is said in the scenario's form.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from ledger.contracts.fisheries.inspection import InspectionState
from ledger.contracts.fisheries.records import Form370State
from ledger.encoding import Value
from ledger.genesis import Role
from scenarios.agents.agent import Relation, StepError
from scenarios.agents.authority import authority_of, fisheries_of
from scenarios.agents.client import Receipt
from scenarios.agents.formpart import FormPart
from scenarios.agents.formregister import FormEntry
from scenarios.agents.papers import KIND, PaperKind
from scenarios.model.behaviors import Dishonesty
from scenarios.model.fisheries import Form370

INFLATED_PERCENT = 110


class Custodian(FormPart):
    """What every exporter, processor and importer of tuna does."""

    reactions: ClassVar[Mapping[tuple[str, Relation], str]] = {
        ("fisheries.draft", Relation.ANY): "form_drafted",
    }

    def is_concerned(self, receipt: Receipt) -> bool:
        """Say whether an act is about a form in whose chain this organization is, too."""
        return super().is_concerned(receipt) or self.forms.concerns(receipt, self.id)

    async def form_drafted(self, receipt: Receipt) -> None:
        """Take the form in if this organization is in its chain, and endorse it when its time comes."""
        form = self.forms.form_of(receipt)
        name = self.desk.local_name("form370", form.id)
        if form.hop_of(self.id) is None or name is None:
            return
        scripted = self.script.forms[name]
        self.custody_begun(name, form, scripted)
        if form.issuer != self.id:
            mail = await self.receive(form.root, form.issuer)
            if mail.paper is None or mail.paper.kind != PaperKind.FORM_370:
                self.record("form370.unreadable", form370=name, time_ms=self.desk.now_ms())
                return
        (hop,) = (hop for hop in scripted.custody if hop.by == self.id)
        delay_ms = self.draw_ms(hop.endorse_after)
        if delay_ms is None:
            return
        await self.sleep_until(receipt.time_ms + delay_ms)
        if self.conduct.commits(Dishonesty.OMITS_ENDORSEMENT, f"form {name}") is not None:
            return
        inflates = self.conduct.commits(Dishonesty.INFLATES_WEIGHT, f"form {name}") is not None
        statement: dict[str, Value] = {
            KIND: PaperKind.CUSTODY_STATEMENT.value,
            "form370": form.id,
            "kg_in": hop.kg_in,
            "kg_out": hop.kg_in * INFLATED_PERCENT // 100 + 1 if inflates else hop.kg_out,
        }
        fisheries = self.fisheries()
        root = self.commit(statement)
        await self.send(root, fisheries)
        body: dict[str, Value] = {
            "form370": bytes.fromhex(form.id),
            "signed_on": self.legal.legal_date(self.desk.now_ms()).isoformat(),
            "addressees": [fisheries],
        }
        endorsed = await self.transact("fisheries.endorse", body, (root,))
        self.record("form370.endorsed", form370=name, time_ms=endorsed.time_ms)
        await self.until(f"form {name} endorsed by {self.id}", lambda: form.is_endorsed_by(self.id))
        if form.filed is None and form.last_endorser == self.id:
            self.note_form_state(name, Form370State.ENDORSED, endorsed.time_ms)

    def note_form_state(self, name: str, state: Form370State | InspectionState, time_ms: int) -> None:
        """Write down, for the simulator alone, that a form came into a state."""
        self.record("form370.state", private=True, form370=name, state=state.value, time_ms=time_ms)

    def custody_begun(self, name: str, form: FormEntry, scripted: Form370) -> None:
        """Begin what else there is to do about a form in whose chain this organization is; here nothing."""

    def fisheries(self) -> str:
        """Return the fisheries authority's id.

        Raises:
            StepError: if there is none in this network.
        """
        fisheries = fisheries_of(self.members)
        if fisheries is None:
            raise StepError("no member has the role fisheries; give it to somebody who checks forms 370")
        return fisheries

    def authorities(self) -> dict[str, Role]:
        """Return the fisheries authority and Customs, each with its capacity; one member may be both."""
        return {self.fisheries(): Role.FISHERIES, authority_of(self.members): Role.CUSTOMS}

    def scripted_form(self, name: str) -> Form370:
        """Return a form of the scenario."""
        return self.script.forms[name]

    async def drafted(self, name: str) -> FormEntry:
        """Return a form of the scenario, once the feed has told of it.

        Raises:
            StepError: if it was never drafted.
        """
        ledger_id = self.desk.ledger_id("form370", name)
        if ledger_id is None:
            raise StepError(f"form {name} is not on the ledger; draft it first")
        await self.until(f"form {name} drafted", lambda: ledger_id in self.forms.forms)
        return self.forms.forms[ledger_id]
