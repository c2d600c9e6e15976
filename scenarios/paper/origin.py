"""A preference claim on paper: filed, perhaps asked about by mail, reviewed by an officer, liquidated.

Rules:
- Customs sees no paper unless it asks. Of what it does not ask about, it accepts all.
- What is found in a review depends on what a paper can show; shares are parameters, none of them 0 or 1 by nature.
- Whom Customs asks, who stays silent, and how long people take is drawn as for the ledger's arm.
- A claim whose certifier is verified waits for the determination; a denial takes effect 30 days after it.
- What a broker filed a broker answers; the importer passes on the request and the paper.
"""

from __future__ import annotations

from dataclasses import dataclass

from ledger.contracts.parameters import DENIAL_EFFECTIVE_CALENDAR_DAYS
from scenarios.model.units import DAY_MS, HOUR_MS
from scenarios.model.workload import Workload
from scenarios.paper.cabinet import Cabinet, Filed
from scenarios.paper.desk import Desk, Process
from scenarios.workload.decisions import InquiryKind, answers, books_show, inquiry_of, replies
from scenarios.workload.pace import Pace
from scenarios.workload.shipment import CertificatePlan, Noncompliance, OriginPlan, Shipment

ALLOWED = "ALLOWED"
DENIED = "DENIED"
FORM_FAULT = "form-fault"
_CARELESS_OF_PROOF = (Noncompliance.NO_CERTIFICATE, Noncompliance.BACK_DATED)


@dataclass(slots=True)
class PaperClaim:
    """One claim on paper.

    Attributes:
        desk, cabinet, workload: the paper arm's.
        shipment, plan: what is claimed.
    """

    desk: Desk
    cabinet: Cabinet
    workload: Workload
    shipment: Shipment
    plan: OriginPlan

    def run(self) -> Process:
        """Play the claim from the certificate to liquidation."""
        certificate = self.plan.certificate
        if certificate is not None:
            spoilt = certificate.issuer in self.shipment.spoilt
            self.cabinet.prepare(certificate, self.plan.importer, self.shipment.name, is_spoilt=spoilt)
        yield self.desk.until(self.plan.claimed_ms)
        yield from self._check(certificate)
        self._file()
        self.desk.start(self._liquidate())
        inquiry = inquiry_of(self.shipment, self.workload)
        if inquiry is None:
            yield self.desk.sleep(self.pace.accept_ms)
            self._decide(ALLOWED, ())
            return
        yield self.desk.sleep(inquiry.after_days * DAY_MS)
        if inquiry.kind is InquiryKind.REQUEST:
            yield from self._ask(certificate)
        elif certificate is not None:
            yield from self._verify(certificate.issuer)

    # The importer's desk.

    def _check(self, certificate: CertificatePlan | None) -> Process:
        """Look for the certificate before claiming on it, as most honest importers do, and have it sent again."""
        if certificate is None or self.shipment.noncompliance in _CARELESS_OF_PROOF:
            return
        if not self._happens("keeping.checked_before_claim"):
            return
        self.desk.record("paper.searched", **self._searching(certificate))
        if self._filed.arrived_ms is None:
            yield from self.cabinet.copy(certificate, self.plan.importer, self.shipment.name, "before")

    def _file(self) -> None:
        plan, name = self.plan, self.shipment.name
        writer = plan.broker or plan.importer
        if plan.broker is not None:
            self.desk.record("broker.instructed", organization=plan.importer, broker=plan.broker, claim=name)
        self.desk.record(
            "claim.filed",
            organization=writer,
            importer=plan.importer,
            claim=name,
            certificate=plan.certificate.name if plan.certificate is not None else None,
        )
        self.desk.record(
            "form.submitted",
            organization=writer,
            form="entry-line",
            shipment=name,
            valid=writer not in self.shipment.spoilt,
            attempt=1,
        )
        filed = self._filed
        proven = filed.arrived_ms is not None and filed.slip_kept
        self.desk.record("possession.shown", organization=plan.importer, claim=name, proven=proven)

    # Customs asks.

    def _ask(self, certificate: CertificatePlan | None) -> Process:
        plan, name = self.plan, self.shipment.name
        self.desk.record("claim.opened", organization=plan.customs, claim=name)
        self.desk.record("request.sent", organization=plan.customs, claim=name, for_cause=False)
        asked_ms = self.desk.now_ms
        limits = self._share("asking.limit") + self._share("asking.backup_limit")
        due_ms = asked_ms + round(limits * DAY_MS)
        yield self.desk.sleep(self._days("asking.mail", "out"))
        self.desk.record("request.received", organization=plan.importer, claim=name)
        if not answers(self.shipment, self.workload):
            yield self.desk.until(due_ms)
            self._decide(DENIED, ("no-answer",))
            return
        yield from self._find(certificate)
        writer = plan.importer
        if plan.broker is not None:
            writer = plan.broker
            self.desk.record("request.passed_on", organization=plan.importer, claim=name, to=plan.broker)
            yield self.desk.sleep(self._days("carrying.email", "to the broker"))
        yield self.desk.sleep(self.pace.answer_ms)
        self.desk.record("request.returned", organization=writer, claim=name)
        yield self.desk.sleep(self._days("asking.mail", "back"))
        if self.desk.now_ms > due_ms:
            self._decide(DENIED, ("late-answer",))
            return
        self.desk.record("request.answered", organization=plan.customs, claim=name)
        yield from self._review()

    def _find(self, certificate: CertificatePlan | None) -> Process:
        """Find the paper, or have it copied."""
        if certificate is None:
            return
        facts = self._searching(certificate)
        self.desk.record("paper.searched", **facts)
        yield self.desk.sleep(self._days("keeping.search"))
        if self._filed.arrived_ms is None or self._happens("keeping.mislaid"):
            self.desk.record("paper.mislaid", **facts)
            yield from self.cabinet.copy(certificate, self.plan.importer, self.shipment.name, "asked")

    def _review(self) -> Process:
        """Wait for an officer, and decide what the papers show."""
        yield self.desk.sleep(self.pace.decide_ms)
        with self.desk.officers.request() as officer:
            yield officer
            yield self.desk.office_opens()
            hours = self.desk.parameters.draw("customs.review", self.shipment.chance)
            yield self.desk.sleep(round(hours * HOUR_MS))
        finding = self._found()
        if finding is not None:
            self._flag(finding)
            self._decide(DENIED, (finding,))
        else:
            self._decide(ALLOWED, ())

    def _found(self) -> str | None:
        """Return what a review finds in the papers; that goods do not originate is in none of them."""
        broken = self.shipment.noncompliance
        if broken is not None and broken is not Noncompliance.WRONG_ORIGIN:
            return broken.value if self._happens(f"detecting.{broken.value}") else None
        if self.shipment.spoilt and self._happens("detecting.form-fault"):
            return FORM_FAULT
        return "unfounded" if broken is None and self._happens("detecting.false-hold") else None

    # Customs verifies, and liquidates.

    def _verify(self, party: str) -> Process:
        plan, name = self.plan, self.shipment.name
        facts = {"claim": name, "party": party}
        self.desk.record("verification.opened", organization=plan.customs, **facts)
        due_ms = self.desk.now_ms + 2 * round(self._share("customs.verification_letter") * DAY_MS)
        yield self.desk.sleep(self._days("carrying.post", "letter"))
        self.desk.record("verification.received", organization=party, claim=name)
        reply_ms = self.pace.reply_ms + self._days("carrying.courier", "letter")
        if not replies(self.shipment, self.workload) or self.desk.now_ms + reply_ms > due_ms:
            yield self.desk.until(due_ms)
            yield from self._close(facts, "no-answer")
            return
        yield self.desk.sleep(reply_ms)
        self.desk.record("verification.answered", organization=party, claim=name)
        yield self.desk.sleep(self.pace.determine_ms)
        found = books_show(self.shipment, self.workload)
        yield from self._close(facts, Noncompliance.WRONG_ORIGIN.value if found else None)

    def _close(self, facts: dict[str, str], finding: str | None) -> Process:
        """Determine; on a negative one deny the claim when that takes effect."""
        outcome = "POSITIVE" if finding is None else "NEGATIVE"
        self.desk.record("verification.closed", organization=self.plan.customs, outcome=outcome, **facts)
        if finding is None:
            self._decide(ALLOWED, ())
            return
        self._flag(finding)
        yield self.desk.sleep(DENIAL_EFFECTIVE_CALENDAR_DAYS.value * DAY_MS)
        self._decide(DENIED, (finding,))

    def _liquidate(self) -> Process:
        days = round(self._share("customs.liquidation"))
        entered_ms = self.desk.hours.moment(self.plan.entered_on, 0.0)
        yield self.desk.until(entered_ms + days * DAY_MS)
        self.desk.record("claim.liquidated", organization=self.plan.customs, claim=self.shipment.name)

    # Small words.

    @property
    def pace(self) -> Pace:
        """How long people take over this claim."""
        return Pace(self.desk.parameters, self.shipment)

    @property
    def _filed(self) -> Filed:
        certificate = self.plan.certificate
        return self.cabinet.find(certificate.name, self.plan.importer) if certificate is not None else Filed()

    def _searching(self, certificate: CertificatePlan) -> dict[str, str]:
        return {
            "organization": self.plan.importer,
            "certificate": certificate.name,
            "claim": self.shipment.name,
        }

    def _decide(self, state: str, defects: tuple[str, ...]) -> None:
        self.desk.record(
            "claim.decided",
            organization=self.plan.customs,
            claim=self.shipment.name,
            state=state,
            defects=list(defects),
        )

    def _flag(self, finding: str) -> None:
        self.desk.record(
            "flagged", organization=self.plan.customs, shipment=self.shipment.name, finding=finding
        )

    def _share(self, name: str) -> float:
        return self.desk.parameters.share(name)

    def _happens(self, name: str) -> bool:
        return self.desk.parameters.happens(name, self.shipment.chance)

    def _days(self, name: str, draw: str = "") -> int:
        return self.desk.parameters.days_ms(name, self.shipment.chance, draw)
