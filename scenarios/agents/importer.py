"""The importer's application: it takes certificates in, claims preference, and answers Customs.

Rules:
- A certificate is acknowledged only after its envelope was opened and its root recomputed; else it complains, with what
  the envelope's sender signed. Both are its own signed acts, and the first is its proof of possession. A paper that is
  no certificate it does neither with. A dishonest importer complains of what is sound, once.
- A request on a claim that its customs broker filed is the broker's to answer while the broker's power is in force.
- A defect that Customs lets it cure is cured with the certificate that replaced the defective one, if it has it.
- Who hears that a certificate is incorrect corrects the claims that rest on it, if it is one that does; the day of
  discovery is the day on which it heard.
- A decision is believed if its salt opens the commitment on the ledger.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from ledger.contracts import (
    FineState,
    HoldingFineState,
    LegalCalendar,
    fine_commitment,
    holding_commitment,
)
from ledger.encoding import Value
from scenarios.agents.agent import Relation
from scenarios.agents.client import Receipt
from scenarios.agents.entrant import Entrant
from scenarios.agents.mail import Mail, MailFault, is_proven
from scenarios.agents.papers import FINE, Paper, PaperError, PaperKind, is_certificate
from scenarios.agents.register import ClaimEntry
from scenarios.model.behaviors import Dishonesty


class Importer(Entrant):
    """What an importer's application does."""

    reactions: ClassVar[Mapping[tuple[str, Relation], str]] = {
        ("certificate.deliver", Relation.CONCERNED): "certificate_delivered",
        ("certificate.notify", Relation.CONCERNED): "notice_given",
        ("holding.open", Relation.CONCERNED): "holding_decided",
        ("holding.close", Relation.CONCERNED): "holding_decided",
        ("claim.open", Relation.CONCERNED): "claim_opened",
        ("claim.act", Relation.CONCERNED): "claim_moved",
        ("claim.close", Relation.CONCERNED): "claim_closed",
    }

    # Certificates.

    async def certificate_delivered(self, receipt: Receipt) -> None:
        """Open a delivered certificate; acknowledge or complain."""
        if receipt.body["holder"] != self.id:
            return
        certificate = self.register.certificate_of(receipt)
        name = self.desk.local_name("certificate", certificate.id)
        mail = await self.receive(certificate.root, receipt.creator or "")
        body: dict[str, Value] = {"certificate": bytes.fromhex(certificate.id)}
        complaint = mail.take_complaint() or self._false_complaint(mail, f"certificate {name}")
        if complaint is not None:
            complained = await self.transact("holding.complain", {**body, **complaint})
            self.record(
                "certificate.complained",
                certificate=name,
                reason=str(complaint["reason"]),
                accused=mail.sender,
                proven=is_proven(complaint),
                time_ms=complained.time_ms,
            )
            return
        if mail.paper is None or not is_certificate(mail.paper.kind):
            self.record("certificate.unusable", private=True, certificate=name, time_ms=self.desk.now_ms())
            return
        delay_ms = self.draw_ms(self.behavior.acknowledge_after)
        if delay_ms is None:
            return
        await self.sleep_until(receipt.time_ms + delay_ms)
        held = await self.transact("holding.acknowledge", body)
        self.record("certificate.acknowledged", certificate=name, holder=self.id, time_ms=held.time_ms)

    def _false_complaint(self, mail: Mail, subject: str) -> dict[str, Value] | None:
        """Return a complaint about a sound envelope, once, if this importer is dishonest so."""
        seal = self.sound_seals.pop((mail.root, mail.sender), None)
        if seal is None or self.conduct.commits(Dishonesty.COMPLAINS_FALSELY, subject) is None:
            return None
        return {"reason": MailFault.UNREADABLE.value, "evidence": seal}

    async def notice_given(self, receipt: Receipt) -> None:
        """Take in an issuer's notice that a certificate is incorrect, and correct what rests on it."""
        certificate = self.register.certificate_of(receipt)
        name = self.desk.local_name("certificate", certificate.id)
        heard_ms = self.desk.now_ms()
        self.record("notice.received", certificate=name, time_ms=receipt.time_ms)
        delay_ms = self.draw_ms(self.behavior.correct_after)
        if delay_ms is None:
            return
        resting = [
            claim
            for claim in self.register.claims.values()
            if claim.importer == self.id
            and claim.certificate == certificate.id
            and claim.filed.index < receipt.index
        ]
        await self.sleep_until(heard_ms + delay_ms)
        discovered_on = LegalCalendar.of(self.desk.genesis).legal_date(heard_ms)
        for claim in resting:
            await self.correct(claim, discovered_on)

    # Customs' questions and decisions.

    async def holding_decided(self, receipt: Receipt) -> None:
        """Take in what Customs decided on the use of a certificate; believe it if it opens the commitment."""
        if receipt.body["holder"] != self.id:
            return
        certificate, fine = self.register.certificate_of(receipt), str(receipt.body["fine"])
        notice = await self.receive_about(FINE, receipt.creator or "", fine)
        self.record(
            "holding.told",
            private=True,
            certificate=self.desk.local_name("certificate", certificate.id),
            state=notice.text("state"),
            believed=self._opens_holding(notice, bytes.fromhex(certificate.id), bytes.fromhex(fine)),
            time_ms=self.desk.now_ms(),
        )

    def _opens_holding(self, notice: Paper, certificate: bytes, fine: bytes) -> bool:
        try:
            state = HoldingFineState(notice.text("state"))
            return holding_commitment(notice.raw("salt"), certificate, self.id, state) == fine
        except (PaperError, ValueError):
            return False

    async def claim_opened(self, receipt: Receipt) -> None:
        """Answer a request for information from what the ledger and the wallet have."""
        claim = self.register.claim_of(receipt)
        name = self.desk.local_name("claim", claim.id)
        request = await self.receive(receipt.documents[0], receipt.creator or "")
        self.record("request.received", private=True, claim=name, time_ms=self.desk.now_ms())
        if request.paper is None or request.paper.kind not in (PaperKind.REQUEST, PaperKind.SERIES_NOTICE):
            return
        if claim.filer != self.id and self.is_in_force(self.id, claim.filer):
            return  # its broker answers, with what the principal's part passes on
        await self.answer_in_time(claim, name, receipt.time_ms, cured=False)

    async def claim_moved(self, receipt: Receipt) -> None:
        """Cure a defect that Customs has found, if this importer can; take anything else in."""
        claim = self.register.claim_of(receipt)
        fine = claim.fine
        paper = await self.receive_about(FINE, receipt.creator or "", fine.hex())
        name = self.desk.local_name("claim", claim.id)
        self.record("notice.received", private=True, claim=name, time_ms=self.desk.now_ms())
        if paper.kind == PaperKind.CURE_NOTICE and self.successor_of(claim) is not None:
            await self.answer_in_time(claim, name, receipt.time_ms, cured=True)

    async def claim_closed(self, receipt: Receipt) -> None:
        """Take Customs' decision in, and believe it if it opens the commitment on the ledger."""
        claim = self.register.claim_of(receipt)
        fine = claim.fine
        decision = await self.receive_about(FINE, receipt.creator or "", fine.hex())
        self.record(
            "decision.received",
            private=True,
            claim=self.desk.local_name("claim", claim.id),
            state=decision.text("state"),
            believed=_opens(decision, claim, fine),
            time_ms=self.desk.now_ms(),
        )


def _opens(decision: Paper, claim: ClaimEntry, fine: bytes) -> bool:
    """Say whether a decision's salt and state open the commitment that its act put on the ledger."""
    try:
        state = FineState(decision.text("state"))
        return fine_commitment(decision.raw("salt"), claim.entry, claim.line, state) == fine
    except (PaperError, ValueError):
        return False
