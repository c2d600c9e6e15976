"""Customs' application about holdings: it suspends one importer's use of a certificate, restores it, or refuses it.

Rules:
- The fine state moves only by the private table of holdings; the public act that goes with a move carries a fresh
  salted commitment to it, and what that opens to goes to the importer alone.
- A certificate that was refused to an importer is remembered in the archive: later claims on it, and on identical
  goods in the blanket, are denied in private.
- All of it is scripted: what makes Customs doubt a certificate is for the scenario to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from ledger.codes import Code
from ledger.contracts import (
    Actor,
    HoldingEvent,
    HoldingFineState,
    HoldingReview,
    RuleViolatedError,
    advance_holding_review,
    holding_commitment,
)
from ledger.encoding import Value
from scenarios.agents.agent import StepError, Surroundings
from scenarios.agents.customs import Customs
from scenarios.agents.outgoing import RefusedActError
from scenarios.agents.papers import FINE, KIND, PaperKind
from scenarios.agents.work import Act
from scenarios.model.steps import ReinstateHolding, RejectHolding, SuspendHolding

_EVENTS: Mapping[str, HoldingEvent] = {
    "suspend-holding": HoldingEvent.SUSPEND,
    "reinstate-holding": HoldingEvent.REINSTATE,
    "reject-holding": HoldingEvent.REJECT,
}
_TOLD = {"holding.open": "holding.opened", "holding.close": "holding.closed"}


class HoldingOffice(Customs):
    """What Customs' application does about claims, and about who may rest one on a certificate."""

    steps: ClassVar[Mapping[str, str]] = {**Customs.steps, **dict.fromkeys(_EVENTS, "decide_holding")}

    def __init__(self, surroundings: Surroundings) -> None:
        super().__init__(surroundings)
        self._holdings: dict[tuple[str, str], HoldingReview] = {}

    async def decide_holding(self, step: SuspendHolding | ReinstateHolding | RejectHolding) -> None:
        """Suspend, reinstate or refuse one importer's use of a certificate, and tell the importer."""
        ledger_id = self.desk.ledger_id("certificate", step.document)
        if ledger_id is None:
            raise StepError(f"certificate {step.document} is not on the ledger; issue it first")
        event, holder = _EVENTS[step.do], step.holder
        certificate = bytes.fromhex(ledger_id)
        after = self._holding_after(ledger_id, holder, event, self.desk.now_ms())
        salt = self.wallet.draw_salt()
        fine = holding_commitment(salt, certificate, holder, after.state)
        self.wallet.keep_salt(fine, salt)
        body: dict[str, Value] = {"certificate": certificate, "holder": holder, "fine": fine}
        place = await self.transact(event.act, body)
        after = self._holding_after(ledger_id, holder, event, place.time_ms)
        self._holdings[ledger_id, holder] = after
        if after.state is HoldingFineState.NOT_ACCEPTED:
            self._archive.refused[ledger_id, holder] = place.index
        self.record(_TOLD[event.act], certificate=step.document, holder=holder, time_ms=place.time_ms)
        self.record(
            "holding.state",
            private=True,
            certificate=step.document,
            holder=holder,
            state=after.state.value,
            time_ms=place.time_ms,
        )
        notice: dict[str, Value] = {
            KIND: PaperKind.HOLDING_NOTICE.value,
            "certificate": ledger_id,
            FINE: fine,
            "state": after.state.value,
            "salt": salt,
            "due_on": None if after.due_on is None else after.due_on.isoformat(),
        }
        await self.send(self.commit(notice), holder)

    def _holding_after(
        self, certificate: str, holder: str, event: HoldingEvent, time_ms: int
    ) -> HoldingReview:
        """Return a holding's review after an event of Customs.

        Raises:
            RefusedActError: if the table does not list it, or its time has not come.
        """
        review = self._holdings.get((certificate, holder), HoldingReview())
        today = self._calendar.legal_date(time_ms)
        try:
            return advance_holding_review(review, event, Actor.CUSTOMS, today, self._calendar)
        except RuleViolatedError as error:
            act = Act(event.act, "", Code.RULE_VIOLATED.value, error.rule)
            self.note(act)
            raise RefusedActError(act) from None
