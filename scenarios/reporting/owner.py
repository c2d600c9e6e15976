"""What the owner asks: how it ended, the numbers that matter, paper beside ledger, who gains and who does not.

Rules:
- A number says `better` or `worse` only where the figures bear it: a paired difference whose interval leaves out
  nothing, shares whose intervals do not meet, or a sum over the same trade. Otherwise it says that no difference shows.
- A difference that the page's own digits do not show is none: an arm is not better by milliseconds of a claim's days.
- Which numbers matter is decided beforehand, not by how they came out: the first five of a list that were counted.
- Losses are shown as gains are: same table, same size, same order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from scenarios.measuring.compute import ALL
from scenarios.measuring.definitions import METRICS, Better, Metric
from scenarios.reporting.recorded import Plain, Recorded, mapping, real

NUMBERS_SHOWN = 5
LEDGER_OWN = "M12"
"""Metrics of the ledger that paper cannot have."""
MATTERING = ("M1", "M4", "M6-recall", "M8", "M9", "M2", "M10", "M11", "M5", "M6-false-hold")


class Standing(StrEnum):
    """How the ledger stands against paper in one metric."""

    BETTER = "better"
    WORSE = "worse"
    EVEN = "no difference shown"
    UNCOUNTED = "not counted in both"
    LEDGER_ONLY = "the ledger's own"
    NEITHER = "neither way is better"


SIGNS: Mapping[Standing, str] = {
    Standing.BETTER: "\u25b2",
    Standing.WORSE: "\u25bc",
    Standing.EVEN: "=",
    Standing.UNCOUNTED: "\u2013",
    Standing.LEDGER_ONLY: "\u2013",
    Standing.NEITHER: "\u2013",
}
CLASSES: Mapping[Standing, str] = {Standing.BETTER: "good", Standing.WORSE: "bad"}


@dataclass(frozen=True, slots=True)
class Compared:
    """One metric in both arms, in words and figures.

    Attributes:
        metric: which.
        whom: `all` or an organization.
        ledger, paper: as told, with unit, count and open cases.
        ledger_short, paper_short: the value alone.
        difference: as told, with its interval; empty where there is none.
        standing: of the ledger.
        count: how many cases the numbers are of, as told; empty for a sum.
    """

    metric: Metric
    whom: str
    ledger: str
    paper: str
    ledger_short: str
    paper_short: str
    difference: str
    standing: Standing
    count: str = ""

    @property
    def seen(self) -> str:
        """What the short numbers are of: how many cases, or the difference between pairs of them."""
        return self.difference or self.count

    @property
    def sign(self) -> str:
        """The standing as a sign."""
        return SIGNS[self.standing]

    @property
    def css(self) -> str:
        """The standing as a class of the page."""
        return CLASSES.get(self.standing, "even")


@dataclass(frozen=True, slots=True)
class Gain:
    """What one organization has of the ledger.

    Attributes:
        organization: which.
        ledger_hours, paper_hours: its work in either arm.
        saved: share of the hours on paper; None if it has none on paper.
        better, worse: names of its metrics where the ledger is better, worse.
    """

    organization: str
    ledger_hours: float
    paper_hours: float
    saved: float | None
    better: Sequence[str]
    worse: Sequence[str]

    @property
    def word(self) -> str:
        """Whether it gains, in one word; what no tenth of an hour shows is even."""
        if self.saved is None:
            return "works only on the ledger" if self.ledger_hours else "no work"
        hours = round(self.paper_hours - self.ledger_hours, 1)
        return "gains" if hours > 0 else "loses" if hours < 0 else "even"

    @property
    def css(self) -> str:
        """The word as a class of the page."""
        return {"gains": "good", "loses": "bad", "works only on the ledger": "bad"}.get(self.word, "even")


def compared(recorded: Recorded, whom: str = ALL) -> list[Compared]:
    """Return every metric of a run for all or for one organization, in the order of their definitions."""
    found = [_compared(METRICS[name], whom, mapping(table)) for name, table in _tables(recorded)]
    return [row for row in found if row is not None]


def mattering(rows: Sequence[Compared]) -> list[Compared]:
    """Return the numbers that matter, of those that were counted."""
    by_id = {row.metric.id: row for row in rows}
    counted = [by_id[name] for name in MATTERING if name in by_id]
    counted.sort(key=lambda row: row.standing is Standing.UNCOUNTED)
    return counted[:NUMBERS_SHOWN]


def gains(recorded: Recorded) -> list[Gain]:
    """Return who gains and who does not, those who save most hours first."""
    burden, benefit = (mapping(recorded.measures.get(name)) for name in ("M9", "M13"))
    found: list[Gain] = []
    for name, row in burden.items():
        if name == ALL:
            continue
        hours = {arm: real(mapping(mapping(row).get(arm)).get("value")) or 0.0 for arm in ("ledger", "paper")}
        saved = real(mapping(mapping(mapping(benefit).get(name)).get("ledger")).get("value"))
        rows = [r for r in compared(recorded, name) if r.metric.id not in ("M9", "M13")]
        found.append(
            Gain(
                name,
                hours["ledger"],
                hours["paper"],
                saved if hours["paper"] else None,
                [r.metric.name for r in rows if r.standing is Standing.BETTER],
                [r.metric.name for r in rows if r.standing is Standing.WORSE],
            )
        )
    return sorted(found, key=lambda gain: (-(gain.paper_hours - gain.ledger_hours), gain.organization))


def _tables(recorded: Recorded) -> list[tuple[str, object]]:
    return [(name, recorded.measures[name]) for name in METRICS if name in recorded.measures]


def _compared(metric: Metric, whom: str, table: Plain) -> Compared | None:
    row = mapping(table.get(whom))
    ledger, paper = mapping(row.get("ledger")), mapping(row.get("paper"))
    if not row:
        return None
    return Compared(
        metric,
        whom,
        _number(metric, ledger),
        _number(metric, paper),
        value_text(metric, real(ledger.get("value"))),
        value_text(metric, real(paper.get("value"))),
        _difference(metric, mapping(row.get("difference"))),
        _standing(metric, row),
        _cases(ledger, paper),
    )


def _cases(ledger: Plain, paper: Plain) -> str:
    """Return how many cases the numbers of two arms are of."""
    counts = [f"{real(number.get('count')) or 0:,.0f}" for number in (ledger, paper)]
    if counts == ["0", "0"]:
        return ""
    return f"of {counts[0]}" if counts[0] == counts[1] else f"of {counts[0]} and {counts[1]}"


def value_text(metric: Metric, value: float | None) -> str:
    """Return a metric's value with its unit."""
    if value is None:
        return "none"
    if metric.unit == "share":
        return f"{value:.1%}"
    if metric.unit == "calendar days":
        return f"{value:,.1f} days"
    if "USD" in metric.unit or "dollar" in metric.unit.lower():
        return f"${value:,.0f}"
    digits = 2 if abs(value) < 10 else 1 if abs(value) < 100 else 0
    return f"{value:,.{digits}f} {metric.unit}"


def _number(metric: Metric, number: Plain) -> str:
    """Return a number with how sure it is and what it is of."""
    value = real(number.get("value"))
    told = value_text(metric, value)
    notes = []
    p95, interval, count = real(number.get("p95")), _interval(number), real(number.get("count"))
    if p95 is not None:
        notes.append(f"p95 {value_text(metric, p95)}")
    if interval is not None:
        notes.append(" to ".join(value_text(metric, end) for end in interval))
    if count and metric.id != "M13":
        notes.append(f"of {count:,.0f}")
    if number.get("open"):
        notes.append(f"{number['open']:,} open")
    return f"{told} ({', '.join(notes)})" if notes else told


def _difference(metric: Metric, difference: Plain) -> str:
    mean = real(difference.get("mean"))
    if mean is None:
        return ""
    interval = _interval(difference)
    words = f"{_signed(metric, mean)} on average"
    if interval is not None:
        words += f" ({_signed(metric, interval[0])} to {_signed(metric, interval[1])})"
    alone = [
        f"{difference[name]} only {where}"
        for name, where in (("only_ledger", "on the ledger"), ("only_paper", "on paper"))
        if difference.get(name)
    ]
    return ", ".join([f"{words}, {difference.get('count')} pairs", *alone])


def _signed(metric: Metric, value: float) -> str:
    text = value_text(metric, abs(value))
    if text == value_text(metric, 0.0):
        return text
    return ("+" if value > 0 else "\u2212") + text


def _interval(number: Plain) -> tuple[float, float] | None:
    value = number.get("interval")
    if not isinstance(value, list) or len(value) != 2:
        return None
    return float(value[0]), float(value[1])


def _standing(metric: Metric, row: Plain) -> Standing:
    ledger, paper = mapping(row.get("ledger")), mapping(row.get("paper"))
    if metric.better is Better.NEITHER:
        return Standing.NEITHER
    one, other = real(ledger.get("value")), real(paper.get("value"))
    if metric.id.startswith(LEDGER_OWN):
        return Standing.LEDGER_ONLY
    if one is None or other is None:
        return Standing.UNCOUNTED
    change = _shown_change(mapping(row.get("difference")), ledger, paper, is_paired=metric.paired)
    if value_text(metric, abs(change)) == value_text(metric, 0.0):
        return Standing.EVEN
    is_better = (change > 0) == (metric.better is Better.HIGHER)
    return Standing.BETTER if is_better else Standing.WORSE


def _shown_change(difference: Plain, ledger: Plain, paper: Plain, *, is_paired: bool) -> float:
    """Return a change of which the figures leave no doubt, or 0."""
    if is_paired:
        interval = _interval(difference)
        if interval is None or interval[0] <= 0 <= interval[1]:
            return 0.0
        return interval[1] if interval[0] > 0 else interval[0]
    one, other = _interval(ledger), _interval(paper)
    if one is not None and other is not None and one[0] <= other[1] and other[0] <= one[1]:
        return 0.0
    return (real(ledger.get("value")) or 0.0) - (real(paper.get("value")) or 0.0)
