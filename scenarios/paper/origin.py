"""A preference claim on paper: filed, perhaps asked about by mail, reviewed by an officer, liquidated.

Rules:
- Customs sees no paper unless it asks. Of what it does not ask about, it accepts all.
- What is found in a review depends on what a paper can show; shares are parameters, none of them 0 or 1 by nature.
"""

from __future__ import annotations

from dataclasses import dataclass

from scenarios.model.units import DAY_MS, HOUR_MS
from scenarios.model.workload import Workload
from scenarios.paper.cabinet import Cabinet, Filed
from scenarios.paper.desk import Desk, Process
from scenarios.workload.decisions import requested_after_days, verified_after_days
from scenarios.workload.shipment import CertificatePlan, Noncompliance, OriginPlan, Shipment

ALLOWED = "ALLOWED"
DENIED = "DENIED"
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
        verified = verified_after_days(self.shipment, self.workload)
        if verified is not None:
            self.desk.start(self._verify(verified * DAY_MS))
        requested = requested_after_days(self.shipment, self.workload)
        if requested is None:
            yield self.desk.sleep(self._days("customs.accepted"))
            self._decide(ALLOWED, ())
        else:
            yield self.desk.sleep(requested * DAY_MS)
            yield from self._ask(certificate)

    # The importer's desk.

    def _check(self, certificate: CertificatePlan | None) -> Process:
        """Look for the certificate before claiming on it, as most honest importers do, and have it sent again."""
        if certificate is None or self.shipment.noncompliance in _CARELESS_OF_PROOF:
            return
        if not self._happens("keeping.checked_before_claim"):
            return
        self.desk.record("paper.searched", organization=self.plan.importer, certificate=certificate.name)
        if self._filed.arrived_ms is None:
            yield from self.cabinet.copy(certificate, self.plan.importer, f"{self.shipment.name} before")

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
        self.desk.record("request.sent", organization=plan.customs, claim=name)
        asked_ms = self.desk.now_ms
        limits = self._share("asking.limit") + self._share("asking.backup_limit")
        due_ms = asked_ms + round(limits * DAY_MS)
        yield self.desk.sleep(self._days("asking.mail", "out"))
        self.desk.record("request.received", organization=plan.importer, claim=name)
        if self._happens("asking.unanswered"):
            yield self.desk.until(due_ms)
            self._decide(DENIED, ("no-answer",))
            return
        yield from self._find(certificate)
        yield self.desk.sleep(self._days("asking.answer"))
        self.desk.record("request.returned", organization=plan.importer, claim=name)
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
        facts = {"organization": self.plan.importer, "certificate": certificate.name}
        self.desk.record("paper.searched", **facts)
        yield self.desk.sleep(self._days("keeping.search"))
        if self._filed.arrived_ms is None or self._happens("keeping.mislaid"):
            self.desk.record("paper.mislaid", **facts)
            yield from self.cabinet.copy(certificate, self.plan.importer, f"{self.shipment.name} asked")

    def _review(self) -> Process:
        """Wait for an officer, and decide what the papers show."""
        yield self.desk.sleep(self._days("customs.triage"))
        with self.desk.officers.request() as officer:
            yield officer
            yield self.desk.office_opens()
            hours = self.desk.parameters.draw("customs.review", self.shipment.chance)
            yield self.desk.sleep(round(hours * HOUR_MS))
        broken = self.shipment.noncompliance
        if broken is Noncompliance.WRONG_ORIGIN:
            broken = None  # no paper shows it; a verification may
        if broken is not None and self._happens(f"detecting.{broken.value}"):
            self._flag(broken.value)
            self._decide(DENIED, (broken.value,))
        elif broken is None and self._happens("detecting.false-hold"):
            self._flag("unfounded")
            self._decide(DENIED, ("unfounded",))
        else:
            yield from self._cure()

    def _cure(self) -> Process:
        """Let a fault of form that is found be put right."""
        if self.shipment.spoilt and self._happens("detecting.form-fault"):
            writer = self.shipment.spoilt[0]
            self._flag("form-fault")
            yield self.desk.sleep(2 * self._days("asking.mail", "cure"))
            if not self._happens("asking.cured"):
                self._decide(DENIED, ("form-fault",))
                return
            self.desk.record(
                "form.submitted",
                organization=writer,
                form="correction",
                shipment=self.shipment.name,
                valid=True,
                attempt=2,
            )
        self._decide(ALLOWED, ())

    # Verification of the certifier, and liquidation.

    def _verify(self, after_ms: int) -> Process:
        plan, name = self.plan, self.shipment.name
        yield self.desk.sleep(after_ms)
        party = plan.certificate.issuer if plan.certificate is not None else plan.importer
        facts = {"claim": name, "party": party}
        self.desk.record("verification.opened", organization=plan.customs, **facts)
        letter_ms = round(self._share("customs.verification_letter") * DAY_MS)
        if self._happens("customs.verification_silent"):
            yield self.desk.sleep(2 * letter_ms)
            self._close(facts, "NEGATIVE", "no-answer")
            return
        yield self.desk.sleep(self._days("carrying.post", "letter"))
        self.desk.record("verification.received", organization=party, claim=name)
        answer_ms = min(letter_ms, self._days("asking.answer", "verification"))
        yield self.desk.sleep(answer_ms + self._days("carrying.courier", "letter"))
        self.desk.record("verification.answered", organization=party, claim=name)
        yield self.desk.sleep(self._days("customs.determination"))
        broken = self.shipment.noncompliance
        if broken is Noncompliance.WRONG_ORIGIN and self._happens("detecting.wrong-origin"):
            self._close(facts, "NEGATIVE", broken.value)
        else:
            self._close(facts, "POSITIVE", None)

    def _close(self, facts: dict[str, str], outcome: str, finding: str | None) -> None:
        self.desk.record("verification.closed", organization=self.plan.customs, outcome=outcome, **facts)
        if finding is not None:
            self._flag(finding)
            self._decide(DENIED, (finding,))

    def _liquidate(self) -> Process:
        days = round(self._share("customs.liquidation"))
        entered_ms = self.desk.hours.moment(self.plan.entered_on, 0.0)
        yield self.desk.until(entered_ms + days * DAY_MS)
        self.desk.record("claim.liquidated", organization=self.plan.customs, claim=self.shipment.name)

    # Small words.

    @property
    def _filed(self) -> Filed:
        certificate = self.plan.certificate
        return self.cabinet.find(certificate.name, self.plan.importer) if certificate is not None else Filed()

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
