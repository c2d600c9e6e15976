"""The metrics of one arm, out of its facts.

Rules:
- A value comes with how many cases it is of; what did not finish is counted as open, never left out in silence.
- Per shipment where there is such a value, so that arms can be compared shipment by shipment; per organization always.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from scenarios.measuring.definitions import METRICS
from scenarios.measuring.effort import ActEffort, Arm, efforts
from scenarios.measuring.facts import ArmFacts, ShipmentFacts
from scenarios.measuring.revenue import forgone_usd
from scenarios.model.units import DAY_MS

ALL = "all"


@dataclass(slots=True)
class Figure:
    """One metric of one arm, for all or for one organization.

    Attributes:
        by_shipment: values per shipment, where the metric has them.
        values: values of cases that are no shipments.
        hits, of: a share's count.
        total: a sum, where it is one.
        open: cases without an end.
    """

    by_shipment: dict[str, float] = field(default_factory=dict)
    values: Sequence[float] = ()
    hits: int = 0
    of: int = 0
    total: float | None = None
    open: int = 0


@dataclass(slots=True)
class ArmFigures:
    """All metrics of one arm: `figures[metric id][organization or "all"]`.

    Attributes:
        arm: which.
        last_ms: the moment of its last event.
        figures: by metric and whom.
    """

    arm: Arm
    last_ms: int = 0
    figures: dict[str, dict[str, Figure]] = field(default_factory=dict)

    def figure(self, metric: str, whom: str = ALL) -> Figure:
        """Return a figure, an empty one if nothing was counted."""
        return self.figures.setdefault(metric, {}).setdefault(whom, Figure())

    def each(self, metric: str, facts: ShipmentFacts) -> Iterable[Figure]:
        """Yield the figures that a shipment counts for: everybody's, and each party's own."""
        yield self.figure(metric)
        for organization in facts.organizations:
            yield self.figure(metric, organization)


def compute(facts: ArmFacts, arm: Arm, effort: Mapping[str, ActEffort]) -> ArmFigures:
    """Return the metrics of an arm."""
    figures = ArmFigures(arm, facts.last_ms)
    for metric in METRICS:
        figures.figure(metric)
    for name, shipment in facts.shipments.items():
        for measure in _MEASURES:
            measure(figures, name, shipment)
    _forms(figures, facts)
    _efforts(figures, facts, effort)
    return figures


def _span(
    figures: ArmFigures,
    metric: str,
    name: str,
    facts: ShipmentFacts,
    begun_ms: int | None,
    ended_ms: int | None,
) -> None:
    """Count a span in calendar days, or an open case."""
    if begun_ms is None:
        return
    for figure in figures.each(metric, facts):
        if ended_ms is None:
            figure.open += 1
        else:
            figure.by_shipment[name] = (ended_ms - begun_ms) / DAY_MS


def _share(figures: ArmFigures, metric: str, facts: ShipmentFacts, *, hit: bool) -> None:
    for figure in figures.each(metric, facts):
        figure.of += 1
        figure.hits += hit


def _claim(figures: ArmFigures, name: str, facts: ShipmentFacts) -> None:
    if facts.use_case != "origin" or facts.begun_ms is None:
        return
    retrieval = "M1-found" if facts.asked_for_cause else "M1"
    _span(figures, retrieval, name, facts, facts.requested_ms, facts.answered_ms)
    _span(figures, "M2", name, facts, facts.begun_ms, facts.decided_ms)
    _span(figures, "M2-liquidation", name, facts, facts.begun_ms, facts.liquidated_ms)
    _share(figures, "M3", facts, hit=facts.requested_ms is not None)
    _share(figures, "M3-found", facts, hit=facts.asked_for_cause)
    if facts.certificate is not None:
        _share(figures, "M4", facts, hit=facts.proven)
    lost = _at_risk_usd(facts)
    for figure in figures.each("M8", facts):
        figure.total = (figure.total or 0.0) + lost
        figure.by_shipment[name] = lost


def _at_risk_usd(facts: ShipmentFacts) -> float:
    """Return what a claim that breaks a rule and was not denied costs the revenue."""
    if not facts.is_broken or facts.state == "DENIED" or facts.begun_ms is None:
        return 0.0
    value = facts.truth["value_usd"]
    on = datetime.datetime.fromtimestamp(facts.begun_ms / 1000, datetime.UTC).date()
    general, preferential = (
        Decimal(str(facts.truth[n])) for n in ("general_percent", "preferential_percent")
    )
    return float(forgone_usd(value if isinstance(value, int) else 0, general, preferential, on))


def _detection(figures: ArmFigures, name: str, facts: ShipmentFacts) -> None:
    _share(figures, "M7", facts, hit=facts.is_broken)
    found = bool(facts.findings)
    if facts.is_broken:
        _share(figures, "M6-recall", facts, hit=found)
        if found and facts.begun_ms is not None:
            first_ms = min(at for at, _ in facts.findings)
            _span(figures, "M6-delay", name, facts, facts.begun_ms, max(first_ms, facts.begun_ms))
    else:
        _share(figures, "M6-false-hold", facts, hit=found)
    if found:
        _share(figures, "M6-precision", facts, hit=facts.is_broken)


def _tuna(figures: ArmFigures, _name: str, facts: ShipmentFacts) -> None:
    if facts.use_case != "tuna" or facts.begun_ms is None:
        return
    if facts.on_time is not None:
        _share(figures, "M10", facts, hit=facts.on_time)
    for figure in figures.each("M10-endorsed", facts):
        figure.of += facts.hops
        figure.hits += min(facts.endorsed, facts.hops)


def _carnet(figures: ArmFigures, name: str, facts: ShipmentFacts) -> None:
    if facts.use_case != "carnet" or facts.begun_ms is None:
        return
    discharged, expires = facts.discharged_ms, facts.expires_ms
    has_expired = expires is not None and figures.last_ms >= expires
    if discharged is not None or has_expired:
        in_time = discharged is not None and (expires is None or discharged < expires)
        _share(figures, "M11", facts, hit=in_time)
    for figure in figures.each("M11-claims", facts):
        figure.of += 1
        figure.hits += len(facts.carnet_claims)
    for country, opened_ms in facts.carnet_claims.items():
        _span(figures, "M11-days", f"{name} {country}", facts, opened_ms, facts.closed_ms.get(country))


_MEASURES: tuple[Callable[[ArmFigures, str, ShipmentFacts], None], ...] = (_claim, _detection, _tuna, _carnet)


def _forms(figures: ArmFigures, facts: ArmFacts) -> None:
    for organization, (handed_in, valid) in facts.forms.items():
        for whom in (ALL, organization):
            figure = figures.figure("M5", whom)
            figure.of += handed_in
            figure.hits += valid


def _efforts(figures: ArmFigures, facts: ArmFacts, table: Mapping[str, ActEffort]) -> None:
    for organization, effort in efforts(facts.acts, figures.arm, table).items():
        for whom in (ALL, organization):
            burden = figures.figure("M9", whom)
            burden.total = (burden.total or 0.0) + effort.hours
            keyed = figures.figure("M5-keyed", whom)
            keyed.hits += effort.keyed
            keyed.of += effort.keyed - effort.again
