"""A carnet on paper: stamped at every border or not, returned or not, and matched by hand long afterwards.

Rules:
- Customs of a country knows of a re-exportation by the stamped counterfoil alone. What was not shown, or not stamped,
  looks like goods that stayed, and may be claimed for; the holder may prove within six months that it was not so.
- A claim comes within a year of the carnet's expiry (ATA Convention, article 6).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ledger.contracts.parameters import CARNET_PROOF_MONTHS, CARNET_RECOVERY_MONTHS
from scenarios.model.units import DAY_MS
from scenarios.model.workload import Workload
from scenarios.paper.desk import Desk, Process
from scenarios.workload.decisions import is_presented
from scenarios.workload.shipment import CarnetPlan, Shipment, Visit

MONTH_DAYS = 30.4


@dataclass(slots=True)
class PaperCarnet:
    """One carnet on paper.

    Attributes:
        desk, workload: the paper arm's.
        shipment, plan: what travels.
        returned: whether the holder has given the carnet back.
    """

    desk: Desk
    workload: Workload
    shipment: Shipment
    plan: CarnetPlan
    returned: bool = False
    _unmatched: list[Visit] = field(default_factory=list)

    def run(self) -> Process:
        """Play the carnet from the application to the last claim."""
        plan, name = self.plan, self.shipment.name
        yield self.desk.until(self.shipment.begins_ms)
        self._record("carnet.applied", plan.holder)
        self.desk.record(
            "form.submitted",
            organization=plan.holder,
            form="general-list",
            shipment=name,
            valid=plan.holder not in self.shipment.spoilt,
            attempt=1,
        )
        days = self.desk.parameters.draw("carnets.issue", self.shipment.chance)
        yield self.desk.until(min(self.desk.now_ms + round(days * DAY_MS), plan.out_ms))
        self._record("carnet.issued", plan.association, valid_until=plan.valid_until.isoformat())
        yield self.desk.until(plan.out_ms)
        self._record("carnet.activated", plan.home_customs)
        self.desk.start(self._expire())
        for visit in plan.visits:
            yield from self._visit(visit)
        if plan.home_ms is not None:
            yield self.desk.until(plan.home_ms)
            self._record("goods.endorsed", plan.home_customs, voucher="reimport")
            yield self.desk.sleep(self._days("carnets.returned"))
            self.returned = True
            self._record("carnet.returned", plan.holder)
            if not self._unmatched:
                self._record("carnet.discharged", plan.association)

    def _visit(self, visit: Visit) -> Process:
        yield self.desk.until(visit.in_ms)
        self._record("goods.endorsed", visit.customs, voucher="import")
        if self.plan.unlisted and visit is self.plan.visits[0] and self._happens("detecting.unlisted-item"):
            self._flag(visit, "unlisted-item")
        if visit.out_ms is None:
            self._unmatched.append(visit)
            return
        yield self.desk.until(visit.out_ms)
        shown = is_presented(self.shipment, visit.country, self.workload)
        if not shown or self._happens("carnets.unstamped", visit.country):
            self._record("goods.unstamped", visit.customs, voucher="re-export")
            self._unmatched.append(visit)
            return
        self._record("goods.endorsed", visit.customs, voucher="re-export")
        is_late = self.desk.hours.day_of(visit.out_ms) > visit.final_on
        if is_late and self._happens("detecting.late-re-export", visit.country):
            self._flag(visit, "late-re-export")
            self.desk.start(self._claim(visit, just=True))

    def _expire(self) -> Process:
        """Let the carnet expire, and customs match the vouchers that nobody closed."""
        yield self.desk.until(self.desk.hours.moment(self.plan.valid_until, 1.0))
        if not self._unmatched and self.returned:
            return
        self._record("carnet.expired", self.plan.association)
        for visit in self._unmatched:
            self.desk.start(self._match(visit))

    def _match(self, visit: Visit) -> Process:
        yield self.desk.sleep(self._days("carnets.matching", visit.country))
        if self._happens("detecting.not-re-exported", visit.country):
            self._flag(visit, "not-re-exported")
            yield from self._claim(visit, just=visit.out_ms is None)

    def _claim(self, visit: Visit, *, just: bool) -> Process:
        facts = {"country": visit.country, "association": self.plan.association}
        self._record("carnet_claim.opened", visit.customs, **facts)
        if not just and self._happens("carnets.proof_found", visit.country):
            yield self.desk.sleep(self._days("carnets.proof", visit.country))
            self._record("carnet_claim.proof_sent", self.plan.holder, **facts)
            self._record("carnet_claim.closed", visit.customs, outcome="REGULARIZED", **facts)
            return
        yield self.desk.sleep(_months_ms(CARNET_PROOF_MONTHS.value))
        self._record("carnet_claim.deposited", self.plan.association, **facts)
        yield self.desk.sleep(_months_ms(CARNET_RECOVERY_MONTHS.value))
        self._record("carnet_claim.closed", visit.customs, outcome="FINAL", **facts)

    def _record(self, name: str, organization: str, **fields: str) -> None:
        self.desk.record(name, organization=organization, carnet=self.shipment.name, **fields)

    def _flag(self, visit: Visit, finding: str) -> None:
        self.desk.record("flagged", organization=visit.customs, shipment=self.shipment.name, finding=finding)

    def _happens(self, name: str, draw: str = "") -> bool:
        return self.desk.parameters.happens(name, self.shipment.chance, draw)

    def _days(self, name: str, draw: str = "") -> int:
        return self.desk.parameters.days_ms(name, self.shipment.chance, draw)


def _months_ms(months: int) -> int:
    return round(months * MONTH_DAYS * DAY_MS)
