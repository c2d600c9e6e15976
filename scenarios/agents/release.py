"""Customs' part in Form 370: it releases what the fisheries authority lets proceed, and refuses entry of the rest.

Rules:
- A decision is acted on if its document opens the commitment that its act put on the ledger.
- Customs holds the weight entered against the form's net weight; more entered is refused entry.
- Release and refusal are the same act on the ledger, with a document to importer and fisheries authority.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from ledger.contracts.fisheries.inspection import PGA_STATUS, InspectionState, form_commitment
from ledger.encoding import Value
from scenarios.agents.agent import Relation
from scenarios.agents.authority import authority_of, fisheries_of
from scenarios.agents.client import Receipt
from scenarios.agents.filer import read_decision
from scenarios.agents.formpart import FormPart
from scenarios.agents.formregister import FormEntry
from scenarios.agents.papers import KIND, PaperKind
from scenarios.agents.tunacheck import entered_defects

_DECIDED = (InspectionState.MAY_PROCEED, InspectionState.REJECTED)


class TunaRelease(FormPart):
    """What Customs does about tuna."""

    reactions: ClassVar[Mapping[tuple[str, Relation], str]] = {
        ("fisheries.open", Relation.ANY): "form_decided",
        ("fisheries.act", Relation.ANY): "form_decided",
    }

    async def form_decided(self, receipt: Receipt) -> None:
        """Release or refuse, when the fisheries authority has decided."""
        fisheries, delay_ms = fisheries_of(self.members), self.draw_ms(self.behavior.release_after)
        if fisheries is None or delay_ms is None:
            return
        if authority_of(self.members) != self.id or receipt.creator != fisheries:
            return
        form = self.forms.form_of(receipt)
        mail = await self.receive(receipt.documents[0], fisheries)
        state = read_decision(mail.paper, form.id, bytes.fromhex(str(receipt.body["fine"])))
        if state not in _DECIDED:
            return
        await self.sleep_until(receipt.time_ms + delay_ms)
        name = self.desk.local_name("form370", form.id) or form.id
        paper = self.mailroom.of(form.root, form.issuer).paper
        filing = self.mailroom.of(form.filing_root, form.importer).paper
        defects = [defect.value for defect in entered_defects(paper, filing)]
        for defect in defects:
            self.record(
                "form370_defect.state",
                private=True,
                form370=name,
                form370_defect=name,
                state=defect,
                time_ms=self.desk.now_ms(),
            )
        releases = state is InspectionState.MAY_PROCEED and not defects
        await self._close_form(
            name, form, fisheries, InspectionState.RELEASED if releases else InspectionState.REFUSED, defects
        )

    async def _close_form(
        self, name: str, form: FormEntry, fisheries: str, state: InspectionState, defects: list[str]
    ) -> None:
        salt = self.wallet.draw_salt()
        fine = form_commitment(salt, bytes.fromhex(form.id), state)
        self.wallet.keep_salt(fine, salt)
        document: dict[str, Value] = {
            KIND: PaperKind.FORM_370_DECISION.value,
            "form370": form.id,
            "state": state.value,
            "pga_status": PGA_STATUS.get(state),
            "defects": list(defects),
            "salt": salt,
        }
        root = self.commit(document)
        readers = [reader for reader in (form.importer, fisheries) if reader != self.id]
        for reader in readers:
            await self.send(root, reader)
        body: dict[str, Value] = {
            "form370": bytes.fromhex(form.id),
            "addressees": [*readers],
            "fine": fine,
        }
        place = await self.transact("fisheries.close", body, (root,))
        self.record("form370.closed", form370=name, time_ms=place.time_ms)
        self.record("form370.state", private=True, form370=name, state=state.value, time_ms=place.time_ms)
