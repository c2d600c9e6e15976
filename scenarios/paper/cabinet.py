"""Certificates on paper: made, carried, filed away, lost, copied.

Rules:
- A certificate is made once, however many shipments rest on it.
- A paper that arrives is filed; whether it is found again when somebody asks is another matter.
- A dated slip of the delivery may have been kept; it is all that proves when the paper came.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from scenarios.paper.desk import Desk, Process
from scenarios.workload.chance import Chance
from scenarios.workload.shipment import CertificatePlan

MODES = ("email", "courier", "post")


@dataclass(slots=True)
class Filed:
    """One certificate at its importer's.

    Attributes:
        made_ms: when it was really made; None before.
        arrived_ms: when it came to the importer; None while it has not.
        slip_kept: whether the importer kept a dated slip of the delivery.
    """

    made_ms: int | None = None
    arrived_ms: int | None = None
    slip_kept: bool = False


@dataclass(slots=True)
class Cabinet:
    """All certificates on paper.

    Attributes:
        desk: the paper arm's.
        seed: the run's, for what several shipments share.
    """

    desk: Desk
    seed: str
    _filed: dict[tuple[str, str], Filed] = field(default_factory=dict)

    def find(self, name: str, importer: str) -> Filed:
        """Return where a certificate stands at an importer's."""
        return self._filed.get((name, importer), Filed())

    def prepare(self, plan: CertificatePlan, importer: str, shipment: str, *, is_spoilt: bool) -> None:
        """Have a certificate made and sent in its time, if nobody has asked for it yet."""
        key = plan.name, importer
        if key not in self._filed:
            self._filed[key] = Filed()
            self.desk.start(self._make(plan, importer, shipment, is_spoilt=is_spoilt))

    def copy(self, plan: CertificatePlan, importer: str, claim: str, draw: str) -> Process:
        """Ask the issuer for a copy and wait until it has come; nothing comes of a certificate never made."""
        filed = self.find(plan.name, importer)
        if filed.made_ms is None:
            return
        chance = Chance(self.seed, f"paper {plan.name}")
        facts = {"organization": plan.issuer, "certificate": plan.name, "claim": claim}
        self.desk.record("paper.searched", **facts)
        yield self.desk.sleep(self.desk.parameters.days_ms("keeping.search", chance, f"{claim} {draw}"))
        self.desk.record("paper.copied", **facts)
        yield self.desk.sleep(self.desk.parameters.days_ms("carrying.email", chance, f"copy {claim} {draw}"))
        if filed.arrived_ms is None:
            filed.arrived_ms = self.desk.now_ms

    def _make(self, plan: CertificatePlan, importer: str, shipment: str, *, is_spoilt: bool) -> Process:
        desk, filed = self.desk, self._filed[plan.name, importer]
        chance = Chance(self.seed, f"paper {plan.name}")
        yield desk.until(desk.hours.moment(plan.signed_on, chance.share("made at")))
        filed.made_ms = desk.now_ms
        facts = {"organization": plan.issuer, "certificate": plan.name}
        desk.record("certificate.issued", **facts, dated_on=plan.dated_on.isoformat())
        desk.record(
            "form.submitted",
            organization=plan.issuer,
            form="certificate",
            shipment=shipment,
            valid=not is_spoilt,
            attempt=1,
        )
        mode = self._mode(chance)
        desk.record("paper.sent", **facts, by=mode, to=importer)
        if desk.parameters.happens("carrying.lost", chance):
            desk.record("paper.lost", **facts, by=mode)
            return
        yield desk.sleep(desk.parameters.days_ms(f"carrying.{mode}", chance, "delivery"))
        filed.arrived_ms = desk.now_ms
        filed.slip_kept = desk.parameters.happens("keeping.slip_kept", chance)
        desk.record("certificate.delivered", organization=importer, certificate=plan.name, holder=importer)

    def _mode(self, chance: Chance) -> str:
        by_email = self.desk.parameters.share("carrying.by_email")
        by_courier = min(self.desk.parameters.share("carrying.by_courier"), 1.0 - by_email)
        weights = dict(zip(MODES, (by_email, by_courier, 1.0 - by_email - by_courier), strict=True))
        return chance.weighted("mode", weights)
