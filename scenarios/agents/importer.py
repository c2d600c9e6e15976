"""The importer's application: it takes certificates in, claims preference, and answers Customs.

Rules:
- A certificate is acknowledged only after its envelope was opened and its root recomputed; else it complains.
  Both are its own signed acts, and the first is its proof of possession.
- A claim carries a salted commitment to its fine state; the salt, and what is behind the entry line, goes to
  Customs in an envelope whose root is anchored before the claim.
- A claim names a certificate only if the ledger has it.
- An answer cites the certificate, the receipt of its own acknowledgement, and the invoice.
- A decision is believed if its salt opens the commitment on the ledger.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from ledger.contracts import FineState, fine_commitment
from ledger.encoding import Value
from scenarios.agents.agent import Agent, Relation, StepError
from scenarios.agents.authority import authority_of
from scenarios.agents.client import Receipt
from scenarios.agents.mail import MailFault
from scenarios.agents.papers import KIND, Paper, PaperError, PaperKind
from scenarios.agents.register import ClaimEntry, claim_id
from scenarios.model.claims import Claim
from scenarios.model.steps import CorrectClaim, FileClaim, FilePostClaim

_MILLI_PERCENT = 1000


class Importer(Agent):
    """What an importer's application does."""

    steps: ClassVar[Mapping[str, str]] = {
        "file-claim": "file_claim",
        "file-post-claim": "file_claim",
        "correct-claim": "correct_claim",
    }
    reactions: ClassVar[Mapping[tuple[str, Relation], str]] = {
        ("certificate.deliver", Relation.CONCERNED): "certificate_delivered",
        ("certificate.notify", Relation.CONCERNED): "notice_given",
        ("claim.open", Relation.CONCERNED): "claim_opened",
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
        if mail.paper is None or mail.paper.kind != PaperKind.CERTIFICATE:
            reason = mail.fault or MailFault.UNREADABLE
            complained = await self.transact("holding.complain", {**body, "reason": reason.value})
            self.record(
                "certificate.complained", certificate=name, reason=reason.value, time_ms=complained.time_ms
            )
            return
        delay_ms = self.behavior.acknowledge_after.ms
        if delay_ms is None:
            return
        await self.sleep_until(receipt.time_ms + delay_ms)
        held = await self.transact("holding.acknowledge", body)
        self.record("certificate.acknowledged", certificate=name, holder=self.id, time_ms=held.time_ms)

    async def notice_given(self, receipt: Receipt) -> None:
        """Note an issuer's notice that a certificate is incorrect."""
        certificate = self.register.certificate_of(receipt)
        name = self.desk.local_name("certificate", certificate.id)
        self.record("notice.received", certificate=name, time_ms=receipt.time_ms)

    # Claims.

    async def file_claim(self, step: FileClaim | FilePostClaim) -> None:
        """Claim preference for an entry line, with what is behind it sealed to Customs."""
        claim = self.script.claims[step.claim]
        ledger_id = claim_id(claim.entry, claim.line)
        if self.desk.ledger_id("claim", step.claim) is None:
            self.desk.bind("claim", step.claim, ledger_id)
        certificate = self._certificate_for(claim)
        salt = self.wallet.draw_salt()
        fine = fine_commitment(salt, claim.entry, claim.line, FineState.CLAIMED)
        self.wallet.keep_salt(fine, salt)
        await self._send_to_customs(_entry_line(claim, certificate, salt))
        body: dict[str, Value] = {
            "entry": claim.entry,
            "line": claim.line,
            "regime": claim.regime,
            "spi": claim.spi,
            "certificate": None if certificate is None else bytes.fromhex(certificate),
            "entry_on": claim.entry_on.isoformat(),
            "import_on": claim.import_on.isoformat(),
            "shipment": claim.shipment,
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
        entry = await self._filed(step.claim)
        salt = self.wallet.draw_salt()
        fine = fine_commitment(salt, entry.entry, entry.line, FineState.CLAIMED)
        self.wallet.keep_salt(fine, salt)
        await self._send_to_customs(
            {
                KIND: PaperKind.CORRECTION.value,
                "claim": entry.id,
                "discovered_on": step.discovered_on.isoformat(),
                "salt": salt,
            }
        )
        body: dict[str, Value] = {
            "entry": entry.entry,
            "line": entry.line,
            "discovered_on": step.discovered_on.isoformat(),
            "fine": fine,
        }
        corrected = await self.transact("claim.correct", body)
        self.record("claim.corrected", claim=step.claim, time_ms=corrected.time_ms)

    # Customs' questions and decisions.

    async def claim_opened(self, receipt: Receipt) -> None:
        """Answer a request for information from what the ledger and the wallet have."""
        claim = self.register.claim_of(receipt)
        name = self.desk.local_name("claim", claim.id)
        request = await self.receive(receipt.documents[0], receipt.creator or "")
        self.record("request.received", private=True, claim=name, time_ms=self.desk.now_ms())
        delay_ms = self.behavior.answer_after.ms
        if delay_ms is None:
            return
        await self.sleep_until(receipt.time_ms + delay_ms)
        if request.paper is None or request.paper.kind != PaperKind.REQUEST or name is None:
            return
        customs = authority_of(self.desk.genesis)
        await self._pass_on_certificate(claim, customs)
        root = self.commit(self._answer(claim, self.script.claims[name]))
        await self.send(root, customs)
        answered = await self.transact("claim.respond", {"entry": claim.entry, "line": claim.line}, (root,))
        self.record("claim.answered", claim=name, time_ms=answered.time_ms)

    async def claim_closed(self, receipt: Receipt) -> None:
        """Take Customs' decision in, and believe it if it opens the commitment on the ledger."""
        claim = self.register.claim_of(receipt)
        fine = claim.fine
        decision = await self.receive_about(PaperKind.DECISION, receipt.creator or "", claim.id)
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

    async def _pass_on_certificate(self, claim: ClaimEntry, customs: str) -> None:
        """Send Customs what this importer has of a certificate that was not addressed to Customs."""
        certificate = self.register.certificates.get(claim.certificate or "")
        if certificate is None or customs in certificate.addressees:
            return
        if self.wallet.opened(certificate.root) is not None:
            await self.send(certificate.root, customs)

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

    def _answer(self, claim: ClaimEntry, scripted: Claim) -> dict[str, Value]:
        answer: dict[str, Value] = {
            KIND: PaperKind.ANSWER.value,
            "claim": claim.id,
            "invoice": scripted.goods.invoice,
            "invoice_description": scripted.goods.description,
            "invoice_quantity": scripted.goods.quantity,
            "invoice_unit": scripted.goods.unit,
            "invoice_value_usd": scripted.goods.value_usd,
        }
        certificate = self.register.certificates.get(claim.certificate or "")
        if certificate is not None:
            answer["certificate"] = certificate.id
            answer["certificate_root"] = certificate.root
            proof = certificate.acknowledged.get(self.id)
            if proof is not None:
                answer["acknowledgement"] = proof.id
        return answer


def _entry_line(claim: Claim, certificate: str | None, salt: bytes) -> dict[str, Value]:
    """Return what is behind an entry line, for Customs alone."""
    return {
        KIND: PaperKind.ENTRY_LINE.value,
        "claim": claim_id(claim.entry, claim.line),
        "certificate": certificate,
        "spi": claim.spi,
        "entry_on": claim.entry_on.isoformat(),
        "import_on": claim.import_on.isoformat(),
        "shipment": claim.shipment,
        "entry_type": claim.entry_type,
        "port": claim.port,
        "description": claim.goods.description,
        "hts": claim.goods.hts,
        "quantity": claim.goods.quantity,
        "unit": claim.goods.unit,
        "value_usd": claim.goods.value_usd,
        "invoice": claim.goods.invoice,
        "general_rate_milli_percent": round(claim.duty.general_percent * _MILLI_PERCENT),
        "preferential_rate_milli_percent": round(claim.duty.preferential_percent * _MILLI_PERCENT),
        "salt": salt,
    }


def _opens(decision: Paper, claim: ClaimEntry, fine: bytes) -> bool:
    """Say whether a decision's salt and state open the commitment that its act put on the ledger."""
    try:
        state = FineState(decision.text("state"))
        return fine_commitment(decision.raw("salt"), claim.entry, claim.line, state) == fine
    except (PaperError, ValueError):
        return False
