"""The application of whoever may be verified: it answers Customs' letters and consents to visits, or does not.

Rules:
- An answer and a consent go to Customs alone, their roots anchored; what the books say leaves only so.
- Who is silent sends nothing, and who refuses says so; both leave the rest to Customs.
- Under the USMCA a party may have an exporter or producer send its books straight to Customs (19 CFR 182.72(c)): it
  discloses the questionnaire to that member and leaves the answer to it.
- It answers once; a reminder changes nothing for one that is about to answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from ledger.encoding import Value
from ledger.forms import FORMS
from scenarios.agents.agent import Agent, Relation
from scenarios.agents.client import Receipt
from scenarios.agents.papers import KIND, PaperKind
from scenarios.agents.script import delay_of


class Verified(Agent):
    """What an exporter or producer does when Customs verifies."""

    reactions: ClassVar[Mapping[tuple[str, Relation], str]] = {
        ("verification.open", Relation.CONCERNED): "letter_received",
        ("verification.act", Relation.CONCERNED): "letter_received",
        ("document.disclose", Relation.ANY): "questionnaire_passed_on",
    }

    async def letter_received(self, receipt: Receipt) -> None:
        """Answer a questionnaire, or a notice of a visit; take anything else in."""
        verification = self.register.verification_of(receipt)
        if verification.party != self.id:
            return
        name = self.desk.local_name("verification", verification.id)
        mail = await self.receive(receipt.documents[0], receipt.creator or "")
        self.record("letter.received", private=True, verification=name, time_ms=self.desk.now_ms())
        if mail.paper is None or name is None:
            return
        direct = self.script.verifications[name].direct
        if mail.paper.kind == PaperKind.QUESTIONS and direct is not None:
            await self.send(mail.root, direct)
            passed = await self.transact("document.disclose", {"root": mail.root, "to": direct})
            self.record(
                "letter.passed_on", private=True, verification=name, to=direct, time_ms=passed.time_ms
            )
        elif mail.paper.kind == PaperKind.QUESTIONS:
            delay_ms = self._reply_ms(name)
            if delay_ms is not None:
                await self.sleep_until(receipt.time_ms + delay_ms)
                await self._respond(verification.id, PaperKind.QUESTIONNAIRE, self._books(name))
        elif mail.paper.kind == PaperKind.VISIT_NOTICE and self.behavior.consents != "NEVER":
            delay_ms = self._reply_ms(name)
            if delay_ms is not None:
                await self.sleep_until(receipt.time_ms + delay_ms)
                if self.behavior.consents == "YES":
                    await self._respond(verification.id, PaperKind.CONSENT, self._books(name))
                else:
                    await self._respond(verification.id, PaperKind.REFUSAL, {})

    async def questionnaire_passed_on(self, receipt: Receipt) -> None:
        """Send what the books say straight to Customs, in a verification of another."""
        root = bytes.fromhex(str(receipt.body["root"]))
        if receipt.body["to"] != self.id:
            return
        mail = await self.receive(root, receipt.creator or "")
        if mail.paper is None or mail.paper.kind != PaperKind.QUESTIONS:
            return
        verification = self.register.verifications.get(mail.paper.text("verification"))
        name = None if verification is None else self.desk.local_name("verification", verification.id)
        if verification is None or name is None or verification.party != receipt.creator:
            return
        delay_ms = self._reply_ms(name)
        if delay_ms is None:
            return
        await self.sleep_until(receipt.time_ms + delay_ms)
        await self._respond(verification.id, PaperKind.QUESTIONNAIRE, self._books(name))

    def _reply_ms(self, name: str) -> int | None:
        return self.draw_ms(delay_of(self.script.verifications[name].reply_after, self.behavior.reply_after))

    def _books(self, name: str) -> Mapping[str, Value]:
        return FORMS[PaperKind.QUESTIONNAIRE].flatten(self.script.verifications[name].books.form_values())

    async def _respond(self, verification: str, kind: PaperKind, fields: Mapping[str, Value]) -> None:
        root = self.commit({KIND: kind.value, "verification": verification, **fields})
        authority = self.register.verifications[verification].authority
        await self.send(root, authority)
        body: dict[str, Value] = {"verification": bytes.fromhex(verification)}
        place = await self.transact("verification.respond", body, (root,))
        name = self.desk.local_name("verification", verification)
        self.record("verification.answered", verification=name, time_ms=place.time_ms)
