"""Paper beside ledger over one trade: every metric in both arms, with what the difference is and who gains."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from scenarios.measuring.compute import ALL, ArmFigures, Figure, compute
from scenarios.measuring.definitions import METRICS, Better
from scenarios.measuring.effort import ActEffort, Arm, standard_effort
from scenarios.measuring.facts import facts_of, read_events
from scenarios.measuring.offices import OfficeFacts
from scenarios.measuring.protocol import ProtocolFacts
from scenarios.measuring.statistics import Difference, Number, difference, number

LEDGER_EVENTS = Path("observer") / "events.ndjson"
PAPER_EVENTS = Path("paper") / "observer" / "events.ndjson"

Plain: TypeAlias = "str | int | float | bool | list[Plain] | dict[str, Plain] | None"


@dataclass(frozen=True, slots=True)
class Row:
    """One metric for all or for one organization.

    Attributes:
        metric, whom: which.
        ledger, paper: its number in either arm; `paper` is None where there is no paper arm.
        difference: per shipment, where the metric has values per shipment.
    """

    metric: str
    whom: str
    ledger: Number
    paper: Number | None
    difference: Difference | None

    @property
    def gain(self) -> float | None:
        """How much better the ledger is, in the metric's unit; negative where worse; None where neither is better."""
        better = METRICS[self.metric].better
        if better is Better.NEITHER or self.paper is None:
            return None
        if self.ledger.value is None or self.paper.value is None:
            return None
        change = self.ledger.value - self.paper.value
        return -change if better is Better.LOWER else change


@dataclass(frozen=True, slots=True)
class Comparison:
    """Every metric of a run.

    Attributes:
        rows: by metric and whom; "all" first.
    """

    rows: Mapping[tuple[str, str], Row]

    def row(self, metric: str, whom: str = ALL) -> Row | None:
        """Return a row, or None if nobody has it."""
        return self.rows.get((metric, whom))

    @property
    def organizations(self) -> tuple[str, ...]:
        """Everybody who has a figure, in the order of appearance."""
        return tuple(dict.fromkeys(whom for _, whom in self.rows if whom != ALL))

    def plain(self) -> dict[str, Plain]:
        """Return all rows as a JSON object: metric, whom, numbers."""
        table: dict[str, Plain] = {}
        for (metric, whom), row in self.rows.items():
            named = table.setdefault(metric, {})
            if isinstance(named, dict):
                named[whom] = {
                    "ledger": _plain(row.ledger),
                    "paper": _plain(row.paper),
                    "difference": _plain(row.difference),
                    "gain": row.gain,
                }
        return table


def compare_arms(ledger: ArmFigures, paper: ArmFigures | None) -> Comparison:
    """Return every metric of both arms, M13 included."""
    rows: dict[tuple[str, str], Row] = {}
    for metric in METRICS:
        of_ledger = ledger.figures.get(metric, {})
        of_paper = paper.figures.get(metric, {}) if paper is not None else {}
        for whom in dict.fromkeys((ALL, *of_ledger, *of_paper)):
            one, other = of_ledger.get(whom, Figure()), of_paper.get(whom, Figure())
            paired = METRICS[metric].paired and paper is not None
            rows[metric, whom] = Row(
                metric,
                whom,
                number(one),
                number(other) if paper is not None else None,
                difference(one.by_shipment, other.by_shipment) if paired else None,
            )
    for (metric, whom), row in tuple(rows.items()):
        if metric == "M9":
            rows["M13", whom] = _benefit(row)
    return Comparison(rows)


def compare_run(folder: Path, effort: Mapping[str, ActEffort] | None = None) -> Comparison:
    """Return every metric of a run's folder, from its events alone.

    Raises:
        OSError: if its events cannot be read.
        ValueError: if they are no events.
    """
    table = effort if effort is not None else standard_effort()
    protocol = ProtocolFacts()
    offices = OfficeFacts()
    happenings = offices.followed(protocol.followed(read_events(folder / LEDGER_EVENTS)))
    ledger = compute(facts_of(happenings), Arm.LEDGER, table)
    protocol.put_into(ledger)
    offices.put_into(ledger)
    events = folder / PAPER_EVENTS
    paper = compute(facts_of(read_events(events)), Arm.PAPER, table) if events.exists() else None
    return compare_arms(ledger, paper)


def _benefit(burden: Row) -> Row:
    """Return the benefit index of whom a burden is: hours saved, of the hours on paper."""
    nothing = Number(None, 0)
    paper = burden.paper
    if paper is None or not paper.value:
        return Row("M13", burden.whom, nothing, nothing if paper is not None else None, None)
    hours = burden.ledger.value or 0.0
    return Row("M13", burden.whom, Number((paper.value - hours) / paper.value, 1), Number(0.0, 1), None)


def _plain(value: Number | Difference | None) -> Plain:
    if value is None:
        return None
    plain: dict[str, Plain] = {}
    for name, inner in dataclasses.asdict(value).items():
        plain[name] = list(inner) if isinstance(inner, tuple) else inner
    return plain
