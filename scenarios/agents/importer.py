"""The importer's application: it takes certificates in, claims preference, and answers Customs.

Rules:
- A certificate is acknowledged only after its envelope was opened and its root recomputed; else it complains.
  Both are its own signed acts, and the first is its proof of possession.
- A claim carries a salted commitment to its fine state; the salt, and what is behind the entry line, goes to
  Customs in an envelope whose root is anchored before the claim.
- A claim names a certificate only if the ledger has it.
- An answer cites the certificate, the receipt of its own acknowledgement, and the invoice; a claim on the
  importer's own knowledge is answered with what it knows, one on paper with the slip.
- A defect that Customs lets it cure is cured with the certificate that replaced the defective one, if it has it.
- Who hears that a certificate is incorrect corrects the claims that rest on it, if it is one that does; the day of
  discovery is the day on which it heard.
- A decision is believed if its salt opens the commitment on the ledger.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import ClassVar

from ledger.contracts import FineState, LegalCalendar, fine_commitment
from ledger.encoding import Value
from scenarios.agents.agent import Agent, Relation, StepError
from scenarios.agents.authority import authority_of
from scenarios.agents.client import Receipt
from scenarios.agents.importer_papers import answer_fields, entry_line_fields
from scenarios.agents.papers import FINE, KIND, Paper, PaperError, PaperKind, is_certificate
from scenarios.agents.register import CertificateEntry, ClaimEntry, claim_id
from scenarios.agents.script import is_answered_by_script
from scenarios.model.claims import Claim
from scenarios.model.steps import AnswerRequest, CorrectClaim, FileClaim, FilePostClaim, ProtestClaim


class Importer(Agent):
    """What an importer's application does."""

    steps: ClassVar[Mapping[str, str]] = {
        "file-claim": "file_claim",
        "file-post-claim": "file_claim",
        "correct-claim": "correct_claim",
        "answer-request": "answer_request",
        "protest-claim": "protest_claim",
    }
    reactions: ClassVar[Mapping[tuple[str, Relation], str]] = {
        ("certificate.deliver", Relation.CONCERNED): "certificate_delivered",
        ("certificate.notify", Relation.CONCERNED): "notice_given",
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
        if mail.paper is None or not is_certificate(mail.paper.kind):
            complaint = mail.complaint()
            complained = await self.transact("holding.complain", {**body, **complaint})
            self.record(
                "certificate.complained",
                certificate=name,
                reason=str(complaint["reason"]),
                proven=complaint["evidence"] is not None,
                time_ms=complained.time_ms,
            )
            return
        delay_ms = self.draw_ms(self.behavior.acknowledge_after)
        if delay_ms is None:
            return
        await self.sleep_until(receipt.time_ms + delay_ms)
        held = await self.transact("holding.acknowledge", body)
        self.record("certificate.acknowledged", certificate=name, holder=self.id, time_ms=held.time_ms)

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
            await self._correct(claim, discovered_on)

    # Claims.

    async def file_claim(self, step: FileClaim | FilePostClaim) -> None:
        """Claim preference for an entry line, with what is behind it sealed to Customs."""
        claim = self.script.claims[step.claim]
        ledger_id = claim_id(claim.entry, claim.line)
        if self.desk.ledger_id("claim", step.claim) is None:
            self.desk.bind("claim", step.claim, ledger_id)
        certificate = self._certificate_for(claim)
        invoice = await self._pass_on_invoice(claim)
        salt = self.wallet.draw_salt()
        fine = fine_commitment(salt, claim.entry, claim.line, FineState.CLAIMED)
        self.wallet.keep_salt(fine, salt)
        inflates = "inflates-quantity" in self.behavior.dishonest
        shipment = self._shipment_of(claim, certificate)
        await self._send_to_customs(
            entry_line_fields(claim, certificate, invoice, shipment, salt, inflates=inflates)
        )
        body: dict[str, Value] = {
            "entry": claim.entry,
            "line": claim.line,
            "regime": claim.regime,
            "spi": claim.spi,
            "certificate": None if certificate is None else bytes.fromhex(certificate),
            "entry_on": claim.entry_on.isoformat(),
            "import_on": claim.import_on.isoformat(),
            "shipment": shipment,
            "fine": fine,
        }
        act = "claim.file_post" if isinstance(step, FilePostClaim) else "claim.file"
        filed = await self.transact(act, body)
        self.record(
            "claim.filed",
            claim=step.claim,
            ledger_id=ledger_id,
            certificate=claim.certificate if certificate is not None else None,
            post=isinstance(step, FilePostClaim),
            time_ms=filed.time_ms,
        )

    async def correct_claim(self, step: CorrectClaim) -> None:
        """Correct a claim and pay the duty."""
        await self._correct(await self._filed(step.claim), step.discovered_on)

    async def _correct(self, entry: ClaimEntry, discovered_on: datetime.date) -> None:
        salt = self.wallet.draw_salt()
        fine = fine_commitment(salt, entry.entry, entry.line, FineState.CLAIMED)
        self.wallet.keep_salt(fine, salt)
        await self._send_to_customs(
            {
                KIND: PaperKind.CORRECTION.value,
                "claim": entry.id,
                "discovered_on": discovered_on.isoformat(),
                "salt": salt,
            }
        )
        body: dict[str, Value] = {
            "entry": entry.entry,
            "line": entry.line,
            "discovered_on": discovered_on.isoformat(),
            "fine": fine,
        }
        corrected = await self.transact("claim.correct", body)
        self.record(
            "claim.corrected", claim=self.desk.local_name("claim", entry.id), time_ms=corrected.time_ms
        )

    # Customs' questions and decisions.

    async def claim_opened(self, receipt: Receipt) -> None:
        """Answer a request for information from what the ledger and the wallet have."""
        claim = self.register.claim_of(receipt)
        name = self.desk.local_name("claim", claim.id)
        request = await self.receive(receipt.documents[0], receipt.creator or "")
        self.record("request.received", private=True, claim=name, time_ms=self.desk.now_ms())
        if request.paper is None or request.paper.kind not in (PaperKind.REQUEST, PaperKind.SERIES_NOTICE):
            return
        await self._answer_in_time(claim, name, receipt.time_ms, cured=False)

    async def claim_moved(self, receipt: Receipt) -> None:
        """Cure a defect that Customs has found, if this importer can; take anything else in."""
        claim = self.register.claim_of(receipt)
        fine = claim.fine
        paper = await self.receive_about(FINE, receipt.creator or "", fine.hex())
        name = self.desk.local_name("claim", claim.id)
        self.record("notice.received", private=True, claim=name, time_ms=self.desk.now_ms())
        if paper.kind == PaperKind.CURE_NOTICE and self._successor_of(claim) is not None:
            await self._answer_in_time(claim, name, receipt.time_ms, cured=True)

    async def answer_request(self, step: AnswerRequest) -> None:
        """Answer Customs when the scenario says so."""
        claim = await self._filed(step.claim)
        await self.until(f"claim {step.claim} opened", lambda: claim.request is not None)
        await self._answer(claim, step.claim, self._shown(step.document, claim))

    async def protest_claim(self, step: ProtestClaim) -> None:
        """Protest a liquidation, with what supports the claim."""
        claim = await self._filed(step.claim)
        customs = authority_of(self.desk.genesis)
        salt = self.wallet.draw_salt()
        fine = fine_commitment(salt, claim.entry, claim.line, FineState.PROTESTED)
        self.wallet.keep_salt(fine, salt)
        shown = self._shown(step.document, claim)
        await self._pass_on_certificate(shown, customs)
        fields = answer_fields(PaperKind.PROTEST, claim, self.script.claims[step.claim], shown, self.id)
        root = self.commit({**fields, "reason": step.reason, "salt": salt})
        await self.send(root, customs)
        body: dict[str, Value] = {"entry": claim.entry, "line": claim.line, "fine": fine}
        protested = await self.transact("claim.protest", body, (root,))
        self.record("claim.protested", claim=step.claim, time_ms=protested.time_ms)

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

    # Parts.

    async def _send_to_customs(self, fields: Mapping[str, Value]) -> None:
        """Seal a document to Customs and anchor its root, so that it cannot be exchanged later."""
        customs = authority_of(self.desk.genesis)
        root = self.commit(fields)
        await self.send(root, customs)
        await self.transact("document.anchor", {"class": "commercial", "addressees": [customs]}, (root,))

    async def _answer_in_time(
        self, claim: ClaimEntry, name: str | None, asked_ms: int, *, cured: bool
    ) -> None:
        delay_ms = self.draw_ms(self.behavior.answer_after)
        if delay_ms is None or name is None or is_answered_by_script(self.script, name):
            return
        await self.sleep_until(asked_ms + delay_ms)
        shown = self._successor_of(claim) if cured else self._shown(None, claim)
        await self._answer(claim, name, shown)

    async def _answer(self, claim: ClaimEntry, name: str, shown: CertificateEntry | None) -> None:
        customs = authority_of(self.desk.genesis)
        await self._pass_on_certificate(shown, customs)
        root = self.commit(answer_fields(PaperKind.ANSWER, claim, self.script.claims[name], shown, self.id))
        await self.send(root, customs)
        answered = await self.transact("claim.respond", {"entry": claim.entry, "line": claim.line}, (root,))
        self.record("claim.answered", claim=name, time_ms=answered.time_ms)

    def _shown(self, document: str | None, claim: ClaimEntry) -> CertificateEntry | None:
        """Return the certificate to show: the one named, the one claimed on, or the one that came since."""
        name = document or self.script.claims[self.desk.local_name("claim", claim.id) or ""].certificate
        ledger_id = claim.certificate if document is None else None
        if ledger_id is None and name is not None:
            ledger_id = self.desk.ledger_id("certificate", name)
        return self.register.certificates.get(ledger_id or "")

    def _successor_of(self, claim: ClaimEntry) -> CertificateEntry | None:
        """Return the certificate that replaced the one claimed on, if this importer has it."""
        before = self.register.certificates.get(claim.certificate or "")
        after = self.register.certificates.get((before.successor if before is not None else None) or "")
        return after if after is not None and after.possessed_by(self.id) is not None else None

    async def _pass_on_certificate(self, certificate: CertificateEntry | None, customs: str) -> None:
        """Send Customs what this importer has of a certificate that was not addressed to Customs."""
        if certificate is None or customs in certificate.addressees:
            return
        if self.wallet.opened(certificate.root) is not None:
            await self.send(certificate.root, customs)

    async def _pass_on_invoice(self, claim: Claim) -> bytes | None:
        """Send Customs the invoice of a claim as it came, and return its root; None if there is none here."""
        root_hex = None if claim.invoice is None else self.desk.ledger_id("invoice", claim.invoice)
        if root_hex is None:
            return None
        root = bytes.fromhex(root_hex)
        if self.wallet.opened(root) is None:
            return None
        await self.send(root, authority_of(self.desk.genesis))
        return root

    def _shipment_of(self, claim: Claim, certificate: str | None) -> str | None:
        """Return the shipment a claim is for; one who reuses a certificate names the certificate's own."""
        if certificate is None or "reuses-shipment" not in self.behavior.dishonest:
            return claim.shipment
        return self.register.certificates[certificate].shipment

    def _certificate_for(self, claim: Claim) -> str | None:
        """Return the id of the certificate a claim rests on, if the ledger has it by now."""
        if claim.certificate is None:
            return None
        ledger_id = self.desk.ledger_id("certificate", claim.certificate)
        return ledger_id if ledger_id in self.register.certificates else None

    async def _filed(self, name: str) -> ClaimEntry:
        """Return a claim of the scenario, once the feed has told of it."""
        ledger_id = self.desk.ledger_id("claim", name)
        if ledger_id is None:
            raise StepError(f"claim {name} is not on the ledger; file it first")
        await self.until(f"claim {name} filed", lambda: ledger_id in self.register.claims)
        return self.register.claims[ledger_id]


def _opens(decision: Paper, claim: ClaimEntry, fine: bytes) -> bool:
    """Say whether a decision's salt and state open the commitment that its act put on the ledger."""
    try:
        state = FineState(decision.text("state"))
        return fine_commitment(decision.raw("salt"), claim.entry, claim.line, state) == fine
    except (PaperError, ValueError):
        return False
