"""Form 370 on paper: endorsed hand by hand, filed with the entry, checked by sample.

Rules:
- The form follows the goods: each party endorses it and passes it on. The importer files when all have endorsed, and
  on the day of importation at the latest, complete or not.
- When the form is drawn up and how long a party takes to endorse is drawn as for the ledger's arm.
- Of what the authority does not check, all may proceed.
"""

from __future__ import annotations

from dataclasses import dataclass

from scenarios.paper.desk import Desk, Process
from scenarios.workload.pace import Pace
from scenarios.workload.shipment import Noncompliance, Shipment, TunaPlan

MAY_PROCEED = "MAY_PROCEED"
REJECTED = "REJECTED"


@dataclass(slots=True)
class PaperForm370:
    """One form on paper.

    Attributes:
        desk: the paper arm's.
        shipment, plan: what is imported.
    """

    desk: Desk
    shipment: Shipment
    plan: TunaPlan
    _endorsed: int = 0
    _is_filed: bool = False

    def run(self) -> Process:
        """Play the form from the draft to the decision."""
        plan = self.plan
        yield self.desk.until(plan.drafted_ms)
        exporter, importer = plan.custody[0], plan.custody[-1]
        self._record("form370.drafted", exporter)
        self._submit(exporter, "form-370")
        latest_ms = max(plan.filed_ms, self.desk.hours.moment(plan.imported_on, 0.0))
        yield self.desk.start(self._endorse()) | self.desk.until(latest_ms)
        yield self.desk.until(plan.filed_ms)
        self._is_filed = True
        on_time = self.desk.hours.day_of(self.desk.now_ms) <= plan.imported_on
        self.desk.record("form370.filed", organization=importer, form370=self.shipment.name, on_time=on_time)
        self._submit(importer, "filing")
        yield from self._check(on_time=on_time)

    def _endorse(self) -> Process:
        """Let the form go from hand to hand until it is filed."""
        pace = Pace(self.desk.parameters, self.shipment)
        for place, name in enumerate(self.plan.custody):
            if place:
                yield self.desk.sleep(self._days("fisheries.passing_on", name))
            yield self.desk.sleep(pace.endorse_ms(name))
            if self._is_filed:
                return
            if name in self.plan.endorses:
                self._endorsed += 1
                self._record("form370.endorsed", name)

    def _check(self, *, on_time: bool) -> Process:
        if not self._happens("fisheries.checked"):
            yield self.desk.sleep(self._days("fisheries.release"))
            self._decide(MAY_PROCEED)
            return
        yield self.desk.sleep(self._days("fisheries.check"))
        broken = self.shipment.noncompliance
        finding = broken.value if broken is not None else None
        if finding is None and not on_time:
            finding = Noncompliance.LATE_FILING.value
        if finding is None and self._endorsed < len(self.plan.custody):
            finding = Noncompliance.MISSING_ENDORSEMENT.value
        if finding is not None and self._happens(f"detecting.{finding}"):
            self._flag(finding)
            self._decide(REJECTED)
        elif finding is None and self._happens("detecting.false-hold"):
            self._flag("unfounded")
            self._decide(REJECTED)
        else:
            self._decide(MAY_PROCEED)

    def _decide(self, state: str) -> None:
        self._record("form370.decided", self.plan.fisheries, state=state)

    def _flag(self, finding: str) -> None:
        self.desk.record(
            "flagged", organization=self.plan.fisheries, shipment=self.shipment.name, finding=finding
        )

    def _submit(self, organization: str, form: str) -> None:
        self.desk.record(
            "form.submitted",
            organization=organization,
            form=form,
            shipment=self.shipment.name,
            valid=organization not in self.shipment.spoilt,
            attempt=1,
        )

    def _record(self, name: str, organization: str, **fields: str) -> None:
        self.desk.record(name, organization=organization, form370=self.shipment.name, **fields)

    def _happens(self, name: str) -> bool:
        return self.desk.parameters.happens(name, self.shipment.chance)

    def _days(self, name: str, draw: str = "") -> int:
        return self.desk.parameters.days_ms(name, self.shipment.chance, draw)
