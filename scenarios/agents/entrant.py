"""What importers and customs brokers share: entering a line with its claim, and answering Customs about it.

Rules:
- A claim carries a salted commitment to its fine state; the salt, and what is behind the entry line, goes to
  Customs in an envelope whose root is anchored before the claim.
- A claim names a certificate only if the ledger has it, and the importer of record if another files.
- An answer cites the certificate, the receipt of the importer's own acknowledgement, and the invoice; a claim on the
  importer's own knowledge is answered with what it knows, one on paper with the slip; who
  acknowledged the certificate while it worked on paper cites its own.
- A dishonest importer enters more than it was billed, claims on a certificate for another shipment, on another's or
  on none, or has no records when asked; a careless one spoils its entry lines and answers.
- Who answers for another shows only what was disclosed to it.
- A Customs that took over is sent with an answer or a protest what its predecessor had of the entry.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import ClassVar

from ledger.contracts import FineState, LegalCalendar, fine_commitment
from ledger.encoding import Value
from scenarios.agents.agent import Agent, StepError, Surroundings
from scenarios.agents.authority import authority_of
from scenarios.agents.disclosures import Disclosures
from scenarios.agents.importer_papers import answer_fields, entry_fields, entry_line_fields
from scenarios.agents.papers import KIND, PaperKind
from scenarios.agents.powers import Powers
from scenarios.agents.register import CertificateEntry, ClaimEntry, claim_id
from scenarios.agents.script import delay_of, is_answered_by_script
from scenarios.model.behaviors import Dishonesty
from scenarios.model.claims import Claim, PaperProof
from scenarios.model.steps import AnswerRequest, CorrectClaim, FileClaim, FilePostClaim, ProtestClaim


class Entrant(Agent):
    """What whoever enters goods does, for itself or in an importer's name."""

    steps: ClassVar[Mapping[str, str]] = {
        "file-claim": "file_claim",
        "file-post-claim": "file_claim",
        "correct-claim": "correct_claim",
        "answer-request": "answer_request",
        "protest-claim": "protest_claim",
    }

    def __init__(self, surroundings: Surroundings) -> None:
        super().__init__(surroundings)
        self.powers = Powers()
        self.disclosures = Disclosures()
        self.registers += [self.powers, self.disclosures]
        self._unfounded: list[str] = []
        self._entered: dict[str, tuple[str, tuple[bytes, ...]]] = {}

    # Claims.

    async def file_claim(self, step: FileClaim | FilePostClaim) -> None:
        """Claim preference for an entry line, with what is behind it sealed to Customs."""
        line = self.line_of(step.claim)
        await self.enter(step.claim, line, post=isinstance(step, FilePostClaim))

    def line_of(self, name: str) -> dict[str, Value]:
        """Return what is behind an entry line of the scenario, as far as this organization has it."""
        claim = self.script.claims[name]
        subject = f"claim {name}"
        certificate = self._dishonest_choice(name, self._certificate_for(claim))
        shipment = self._shipment_of(claim, certificate, subject)
        entered = entry_fields(
            claim, shipment, self.conduct.commits(Dishonesty.INFLATES_QUANTITY, subject) or ()
        )
        entered = self.conduct.filled_in("entry-line", entered, subject)
        return entry_line_fields(claim, entered, certificate, self.invoice_of(claim))

    async def enter(self, name: str, line: Mapping[str, Value], *, post: bool) -> None:
        """Send Customs what is behind an entry line, and file its claim.

        Args:
            name: the scenario's, of the claim.
            line: what `entry_line_fields` gives.
            post: whether preference is claimed after importation.
        """
        claim = self.script.claims[name]
        entry, number, certificate = str(line["entry"]), line["line"], line.get("certificate")
        if not isinstance(number, int):
            raise StepError(f"claim {name}: its entry line has no number")
        ledger_id = claim_id(entry, number)
        if self.desk.ledger_id("claim", name) is None:
            self.desk.bind("claim", name, ledger_id)
        invoice = line.get("invoice_root")
        if isinstance(invoice, bytes):
            await self.send(invoice, authority_of(self.members))
        salt = self.wallet.draw_salt()
        fine = fine_commitment(salt, entry, number, FineState.CLAIMED)
        self.wallet.keep_salt(fine, salt)
        root = await self.send_to_customs({**line, KIND: PaperKind.ENTRY_LINE.value, "salt": salt})
        papers = (root, invoice) if isinstance(invoice, bytes) else (root,)
        self._entered[ledger_id] = (authority_of(self.members), papers)
        body: dict[str, Value] = {
            "entry": entry,
            "line": number,
            "regime": line["regime"],
            "spi": line["spi"],
            "certificate": bytes.fromhex(certificate) if isinstance(certificate, str) else None,
            "entry_on": line["entry_on"],
            "import_on": line["import_on"],
            "shipment": line.get("shipment"),
            "fine": fine,
        }
        if claim.importer != self.id:
            body["importer_of_record"] = claim.importer
        filed = await self.transact("claim.file_post" if post else "claim.file", body)
        self.record(
            "claim.filed",
            claim=name,
            ledger_id=ledger_id,
            importer=claim.importer,
            certificate=claim.certificate if certificate is not None else None,
            post=post,
            time_ms=filed.time_ms,
        )

    async def correct_claim(self, step: CorrectClaim) -> None:
        """Correct a claim and pay the duty."""
        await self.correct(await self.filed(step.claim), step.discovered_on)

    async def correct(self, entry: ClaimEntry, discovered_on: datetime.date) -> None:
        """Correct a claim, with the day on which its importer learned that it is wrong."""
        salt = self.wallet.draw_salt()
        fine = fine_commitment(salt, entry.entry, entry.line, FineState.CLAIMED)
        self.wallet.keep_salt(fine, salt)
        await self.send_to_customs(
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

    # Customs' questions.

    async def answer_request(self, step: AnswerRequest) -> None:
        """Answer Customs when the scenario says so."""
        claim = await self.filed(step.claim)
        await self.until(f"claim {step.claim} opened", lambda: claim.request is not None)
        await self._answer(claim, step.claim, self._shown(step.document, claim))

    async def protest_claim(self, step: ProtestClaim) -> None:
        """Protest a liquidation, with what supports the claim."""
        claim = await self.filed(step.claim)
        customs = authority_of(self.members)
        salt = self.wallet.draw_salt()
        fine = fine_commitment(salt, claim.entry, claim.line, FineState.PROTESTED)
        self.wallet.keep_salt(fine, salt)
        shown = self._shown(step.document, claim)
        await self._pass_on_entry(claim, customs)
        await self._pass_on_certificate(shown, customs)
        fields = answer_fields(
            PaperKind.PROTEST, claim, self.script.claims[step.claim], shown, claim.importer
        )
        root = self.commit({**fields, "reason": step.reason, "salt": salt})
        await self.send(root, customs)
        body: dict[str, Value] = {"entry": claim.entry, "line": claim.line, "fine": fine}
        protested = await self.transact("claim.protest", body, (root,))
        self.record("claim.protested", claim=step.claim, time_ms=protested.time_ms)

    async def answer_in_time(
        self, claim: ClaimEntry, name: str | None, asked_ms: int, *, cured: bool
    ) -> None:
        """Answer Customs after as long as this agent takes, unless the scenario says who answers and when."""
        if name is None or is_answered_by_script(self.script, name):
            return
        delay_ms = self.draw_ms(delay_of(self.script.claims[name].answer_after, self.behavior.answer_after))
        if delay_ms is None:
            return
        await self.sleep_until(asked_ms + delay_ms)
        shown = self.successor_of(claim) if cured else self._shown(None, claim)
        await self._answer(claim, name, shown)

    async def _answer(self, claim: ClaimEntry, name: str, shown: CertificateEntry | None) -> None:
        customs = authority_of(self.members)
        subject = f"claim {name}"
        lost = self.conduct.commits(Dishonesty.KEEPS_NO_RECORDS, subject) or ()
        if "certificate" in lost:
            shown = None
        await self._pass_on_entry(claim, customs)
        await self._pass_on_certificate(shown, customs)
        scripted = self._with_slip(self.script.claims[name], shown)
        fields = answer_fields(PaperKind.ANSWER, claim, scripted, shown, claim.importer)
        kept = {key: value for key, value in fields.items() if "invoice" not in lost or "invoice" not in key}
        root = self.commit(self.conduct.filled_in("answer", kept, subject))
        await self.send(root, customs)
        answered = await self.transact("claim.respond", {"entry": claim.entry, "line": claim.line}, (root,))
        self.record("claim.answered", claim=name, time_ms=answered.time_ms)

    def _shown(self, document: str | None, claim: ClaimEntry) -> CertificateEntry | None:
        """Return the certificate to show: the one named, the one claimed on, or the one that came since."""
        of = self.desk.local_name("claim", claim.id) or ""
        if document is None and of in self._unfounded:
            return None
        name = document or self.script.claims[of].certificate
        ledger_id = claim.certificate if document is None else None
        if ledger_id is None and name is not None:
            ledger_id = self.desk.ledger_id("certificate", name)
        certificate = self.register.certificates.get(ledger_id or "")
        return certificate if certificate is None or self.may_show(certificate, claim) else None

    def _with_slip(self, scripted: Claim, shown: CertificateEntry | None) -> Claim:
        """Return a claim with the slip on which its importer acknowledged the certificate on paper, if it did."""
        written_ms = None if shown is None else self.acknowledged_on_paper(bytes.fromhex(shown.id))
        if written_ms is None or scripted.paper is not None or scripted.importer != self.id:
            return scripted
        day = LegalCalendar.of(self.desk.genesis).legal_date(written_ms).isoformat()
        slip = {"received_on": day, "carrier": self.organization.name, "slip": f"{self.id} {written_ms}"}
        proof = PaperProof.model_validate(slip)
        return scripted.model_copy(update={"paper": proof})

    def may_show(self, certificate: CertificateEntry, claim: ClaimEntry) -> bool:
        """Say whether this organization has what it would show; who answers for another needs it disclosed."""
        return claim.importer == self.id or self.wallet.opened(certificate.root) is not None

    def successor_of(self, claim: ClaimEntry) -> CertificateEntry | None:
        """Return the certificate that replaced the one claimed on, if its importer has it."""
        before = self.register.certificates.get(claim.certificate or "")
        after = self.register.certificates.get((before.successor if before is not None else None) or "")
        return after if after is not None and after.possessed_by(claim.importer) is not None else None

    async def _pass_on_entry(self, claim: ClaimEntry, customs: str) -> None:
        """Send Customs what is behind an entry line, if it was another Customs that had it."""
        sent_to, roots = self._entered.get(claim.id, (customs, ()))
        if sent_to != customs:
            for root in roots:
                await self.send(root, customs)
            self._entered[claim.id] = (customs, roots)

    async def _pass_on_certificate(self, certificate: CertificateEntry | None, customs: str) -> None:
        """Send Customs what this organization has of a certificate that was not addressed to Customs."""
        if certificate is None or customs in certificate.addressees:
            return
        if self.wallet.opened(certificate.root) is not None:
            await self.send(certificate.root, customs)

    # Parts.

    async def send_to_customs(self, fields: Mapping[str, Value]) -> bytes:
        """Seal a document to Customs and anchor its root, so that it cannot be exchanged later; return the root."""
        customs = authority_of(self.members)
        root = self.commit(fields)
        await self.send(root, customs)
        await self.transact("document.anchor", {"class": "commercial", "addressees": [customs]}, (root,))
        return root

    def invoice_of(self, claim: Claim) -> bytes | None:
        """Return the root of a claim's invoice if this organization has it."""
        root_hex = None if claim.invoice is None else self.desk.ledger_id("invoice", claim.invoice)
        root = None if root_hex is None else bytes.fromhex(root_hex)
        return root if root is not None and self.wallet.opened(root) is not None else None

    def _shipment_of(self, claim: Claim, certificate: str | None, subject: str) -> str | None:
        """Return the shipment a claim is for; one who reuses a certificate names the certificate's own."""
        other = claim.shipment if certificate is None else self.register.certificates[certificate].shipment
        if other == claim.shipment or self.conduct.commits(Dishonesty.REUSES_SHIPMENT, subject) is None:
            return claim.shipment
        return other

    def _dishonest_choice(self, name: str, certificate: str | None) -> str | None:
        """Return the certificate a claim names: the right one, none, or one that somebody else was given."""
        claim = f"claim {name}"
        if (
            certificate is not None
            and self.conduct.commits(Dishonesty.CLAIMS_WITHOUT_CERTIFICATE, claim) is not None
        ):
            self._unfounded.append(name)
            return None
        others = (
            entry.id
            for entry in self.register.certificates.values()
            if self.id not in (*entry.addressees, entry.issuer)
        )
        first = next(others, None)
        if first is not None and self.conduct.commits(Dishonesty.CLAIMS_ON_ANOTHERS, claim) is not None:
            return first
        return certificate

    def _certificate_for(self, claim: Claim) -> str | None:
        """Return the id of the certificate a claim rests on, if the ledger has it by now."""
        if claim.certificate is None:
            return None
        ledger_id = self.desk.ledger_id("certificate", claim.certificate)
        return ledger_id if ledger_id in self.register.certificates else None

    async def filed(self, name: str) -> ClaimEntry:
        """Return a claim of the scenario, once the feed has told of it."""
        ledger_id = self.desk.ledger_id("claim", name)
        if ledger_id is None:
            raise StepError(f"claim {name} is not on the ledger; file it first")
        await self.until(f"claim {name} filed", lambda: ledger_id in self.register.claims)
        return self.register.claims[ledger_id]

    def is_in_force(self, importer: str, broker: str) -> bool:
        """Say whether an importer's power of attorney for a broker is in force today."""
        today = LegalCalendar.of(self.desk.genesis).legal_date(self.desk.now_ms())
        return self.powers.are_in_force(importer, broker, today)
