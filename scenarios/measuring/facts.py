"""What became of each shipment in one arm, folded from its events.

Rules:
- One pass over the events, in their order; nothing but these facts is kept.
- A claim, a carnet and a form bear their shipment's name. Events of names that no shipment has are not of this trade.
- Possession can be proven if the importer's acknowledgement is on the ledger before the claim, or if the paper arm says
  that a dated slip was kept.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from ledger.contracts.findings import Finding
from scenarios.model.units import DAY_MS
from scenarios.workload.truth import SHIPMENT_BEGAN

Fields: TypeAlias = Mapping[str, object]

FILING = "fisheries.file"
CARNET_CLAIM_ENDS = ("REGULARIZED", "FINAL")
FORM_HELD = ("HOLD", "REJECTED")


@dataclass(frozen=True, slots=True)
class Happening:
    """One event as measuring reads it: its name, the calendar in UTC milliseconds, its fields."""

    name: str
    time_ms: int
    fields: Fields

    def text(self, name: str) -> str:
        """Return a field as text, empty if it is absent."""
        value = self.fields.get(name)
        return value if isinstance(value, str) else ""


@dataclass(slots=True)
class ShipmentFacts:
    """What became of one shipment.

    Attributes:
        truth: the fields of `shipment.began`.
        begun_ms: its claim, its filing, or its carnet's issue.
        certificate: that its claim rests on.
        importer: of its claim.
        requested_ms, answered_ms, decided_ms, liquidated_ms: of its claim; the first of each.
        asked_for_cause: whether the first request was made because something in its papers did not fit.
        state: Customs' or the fisheries authority's last decision.
        proven: whether possession before the claim can be proven.
        findings: the authorities' findings, with their moments.
        discharged_ms: of its carnet; `expires_ms`: the end of its last valid day, UTC.
        carnet_claims: moments of customs' claims, by country or voucher; `closed_ms`: of their ends.
        on_time: whether its form was filed in time.
        hops, endorsed: the parties of its chain of custody, and those that had endorsed when it was filed.
    """

    truth: Fields
    begun_ms: int | None = None
    certificate: str | None = None
    importer: str = ""
    requested_ms: int | None = None
    answered_ms: int | None = None
    decided_ms: int | None = None
    liquidated_ms: int | None = None
    asked_for_cause: bool = False
    state: str = ""
    proven: bool = False
    findings: list[tuple[int, str]] = field(default_factory=list)
    discharged_ms: int | None = None
    expires_ms: int | None = None
    carnet_claims: dict[str, int] = field(default_factory=dict)
    closed_ms: dict[str, int] = field(default_factory=dict)
    on_time: bool | None = None
    hops: int = 0
    endorsed: int = 0

    @property
    def use_case(self) -> str:
        """Such as `origin`."""
        return str(self.truth["use_case"])

    @property
    def is_broken(self) -> bool:
        """Whether it breaks a rule on purpose."""
        return self.truth["noncompliance"] is not None

    @property
    def organizations(self) -> tuple[str, ...]:
        """Everybody who has to do with it."""
        named = self.truth["organizations"]
        return tuple(str(name) for name in named) if isinstance(named, list) else ()


@dataclass(slots=True)
class ArmFacts:
    """What became of a trade in one arm.

    Attributes:
        shipments: by name, in the order of their beginning.
        acts: how often each organization's events of each name occurred.
        forms: per organization, forms handed in for the first time, and those of them without a fault.
        last_ms: the moment of the last event.
    """

    shipments: dict[str, ShipmentFacts] = field(default_factory=dict)
    acts: dict[tuple[str, str], int] = field(default_factory=dict)
    forms: dict[str, list[int]] = field(default_factory=dict)
    last_ms: int = 0
    _held: dict[tuple[str, str], int] = field(default_factory=dict)

    def take(self, happening: Happening) -> None:
        """Take an event into account."""
        self.last_ms = max(self.last_ms, happening.time_ms)
        organization = happening.text("organization")
        if organization:
            key = organization, happening.name
            self.acts[key] = self.acts.get(key, 0) + 1
        handler = _HANDLERS.get(happening.name)
        if handler is not None:
            handler(self, happening)

    def _of(self, happening: Happening, field_name: str) -> ShipmentFacts | None:
        return self.shipments.get(happening.text(field_name))

    def _began(self, happening: Happening) -> None:
        facts = ShipmentFacts(happening.fields)
        custody = happening.fields.get("custody")
        facts.hops = len(custody) if isinstance(custody, list) else 0
        self.shipments[happening.text("shipment")] = facts

    def _form(self, happening: Happening) -> None:
        if happening.fields.get("attempt") == 1:
            counts = self.forms.setdefault(happening.text("organization"), [0, 0])
            counts[0] += 1
            counts[1] += happening.fields.get("valid") is True

    def _held_from_now(self, happening: Happening) -> None:
        holder = happening.text("holder") or happening.text("organization")
        self._held.setdefault((happening.text("certificate"), holder), happening.time_ms)

    def _filed(self, happening: Happening) -> None:
        facts = self._of(happening, "claim")
        if facts is None:
            return
        facts.begun_ms = happening.time_ms
        facts.certificate = happening.text("certificate") or None
        facts.importer = happening.text("importer") or happening.text("organization")
        facts.proven = (facts.certificate or "", facts.importer) in self._held

    def _shown(self, happening: Happening) -> None:
        facts = self._of(happening, "claim")
        if facts is not None:
            facts.proven = happening.fields.get("proven") is True

    def _requested(self, happening: Happening) -> None:
        facts = self._of(happening, "claim")
        if facts is not None and facts.requested_ms is None:
            facts.requested_ms = happening.time_ms
            facts.asked_for_cause = happening.fields.get("for_cause") is True

    def _answered(self, happening: Happening) -> None:
        facts = self._of(happening, "claim")
        if facts is not None and facts.answered_ms is None:
            facts.answered_ms = happening.time_ms

    def _decided(self, happening: Happening) -> None:
        facts = self._of(happening, "claim")
        if facts is None:
            return
        if facts.decided_ms is None:
            facts.decided_ms = happening.time_ms
        facts.state = happening.text("state")
        defects = happening.fields.get("defects")
        if facts.state == "DENIED" and isinstance(defects, list):
            facts.findings += [(happening.time_ms, str(defect)) for defect in defects]

    def _liquidated(self, happening: Happening) -> None:
        facts = self._of(happening, "claim")
        if facts is not None and facts.liquidated_ms is None:
            facts.liquidated_ms = happening.time_ms

    def _flagged(self, happening: Happening) -> None:
        facts = self._of(happening, "shipment")
        if facts is not None:
            facts.findings.append((happening.time_ms, happening.text("finding")))

    def _receipt(self, happening: Happening) -> None:
        """Take findings that the ledger recorded by itself."""
        found = happening.fields.get("findings")
        if not isinstance(found, list):
            return
        form = self._of(happening, "form370")
        if form is not None and happening.text("type") == FILING and happening.text("code") == "VALID":
            form.on_time = Finding.FILED_AFTER_IMPORTATION.value not in found
        for name in ("claim", "form370", "carnet"):
            facts = self._of(happening, name)
            if facts is not None:
                facts.findings += [(happening.time_ms, str(finding)) for finding in found]
                return

    def _carnet_issued(self, happening: Happening) -> None:
        facts = self._of(happening, "carnet")
        if facts is not None:
            facts.begun_ms = happening.time_ms
            facts.expires_ms = _end_of_day_ms(happening.text("valid_until"))

    def _carnet_discharged(self, happening: Happening) -> None:
        facts = self._of(happening, "carnet")
        if facts is not None:
            facts.discharged_ms = happening.time_ms

    def _goods_refused(self, happening: Happening) -> None:
        facts = self._of(happening, "carnet")
        if facts is not None:
            facts.findings.append((happening.time_ms, "refused"))

    def _carnet_claimed(self, happening: Happening) -> None:
        name, claim = _carnet_claim(happening)
        facts = self.shipments.get(name)
        if facts is not None:
            facts.carnet_claims.setdefault(claim, happening.time_ms)
            facts.findings.append((happening.time_ms, "claimed"))

    def _carnet_closed(self, happening: Happening) -> None:
        name, claim = _carnet_claim(happening)
        facts = self.shipments.get(name)
        if facts is not None:
            facts.closed_ms.setdefault(claim, happening.time_ms)

    def _carnet_claim_state(self, happening: Happening) -> None:
        if happening.text("state") in CARNET_CLAIM_ENDS:
            self._carnet_closed(happening)

    def _endorsed(self, happening: Happening) -> None:
        facts = self._of(happening, "form370")
        if facts is not None and facts.begun_ms is None:
            facts.endorsed += 1

    def _form_filed(self, happening: Happening) -> None:
        facts = self._of(happening, "form370")
        if facts is not None and facts.begun_ms is None:
            facts.begun_ms = happening.time_ms
            on_time = happening.fields.get("on_time")
            facts.on_time = on_time if isinstance(on_time, bool) else facts.on_time

    def _form_decided(self, happening: Happening) -> None:
        facts = self._of(happening, "form370")
        if facts is None:
            return
        if facts.decided_ms is None:
            facts.decided_ms = happening.time_ms
        self._form_state(happening)

    def _form_state(self, happening: Happening) -> None:
        facts = self._of(happening, "form370")
        state = happening.text("state")
        if facts is None or not state:
            return
        facts.state = state
        if state in FORM_HELD:
            facts.findings.append((happening.time_ms, state))


_HANDLERS: Mapping[str, Callable[[ArmFacts, Happening], None]] = {
    SHIPMENT_BEGAN: ArmFacts._began,
    "form.submitted": ArmFacts._form,
    "certificate.acknowledged": ArmFacts._held_from_now,
    "claim.filed": ArmFacts._filed,
    "possession.shown": ArmFacts._shown,
    "request.sent": ArmFacts._requested,
    "request.answered": ArmFacts._answered,
    "claim.decided": ArmFacts._decided,
    "claim.liquidated": ArmFacts._liquidated,
    "flagged": ArmFacts._flagged,
    "receipt": ArmFacts._receipt,
    "carnet.issued": ArmFacts._carnet_issued,
    "carnet.discharged": ArmFacts._carnet_discharged,
    "goods.refused": ArmFacts._goods_refused,
    "carnet_claim.opened": ArmFacts._carnet_claimed,
    "carnet_claim.closed": ArmFacts._carnet_closed,
    "carnet_claim.state": ArmFacts._carnet_claim_state,
    "form370.endorsed": ArmFacts._endorsed,
    "form370.filed": ArmFacts._form_filed,
    "form370.decided": ArmFacts._form_decided,
    "form370.state": ArmFacts._form_state,
}


def _carnet_claim(happening: Happening) -> tuple[str, str]:
    """Return the carnet that a claim is about, and what tells the claim from others on it: voucher or country."""
    claim = happening.text("carnet_claim")
    if claim:
        return claim.partition("/")[0], claim
    return happening.text("carnet"), happening.text("country")


def _end_of_day_ms(day: str) -> int | None:
    """Return the end of a day in UTC, milliseconds; None if it is no day."""
    if not day:
        return None
    moment = datetime.datetime.fromisoformat(day).replace(tzinfo=datetime.UTC)
    return round(moment.timestamp() * 1000) + DAY_MS


def facts_of(happenings: Iterable[Happening]) -> ArmFacts:
    """Return what events come to."""
    facts = ArmFacts()
    for happening in happenings:
        facts.take(happening)
    return facts


def read_events(path: Path) -> Iterator[Happening]:
    """Yield the events of a file, one at a time.

    Raises:
        OSError: if it cannot be read.
        ValueError: if a line is no event.
    """
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            fields = json.loads(line)
            moment = datetime.datetime.fromisoformat(fields["calendar"])
            yield Happening(fields["event"], round(moment.timestamp() * 1000), fields)
