"""What a campaign came to: counts, shares with their uncertainty, and what was exercised.

Rules:
- A share is given with its 95 percent Wilson interval (Wilson, 1927): of 1,000 seeds without a violation one may say
  that fewer than 0.4 percent violate, not that none does.
- Nothing is left out: lost runs are counted, and so are expectations that stayed open.
- A run in which fewer than five faults met something shows little: such runs are named by seed, where a scenario has
  so many faults at all.
- Faults are counted by kind, whoever drew or wrote them: their numbers say nothing across seeds.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from scenarios.campaign.job import Plain
from scenarios.campaign.result import LOST, Result
from scenarios.judging.verdict import Verdict
from scenarios.shares import wilson


@dataclass(slots=True)
class Strikes:
    """How often faults of one kind struck.

    Attributes:
        runs: in how many runs at least one began.
        began: how many began in all.
        in_flight: how many of those hit a transaction under way as they began.
        met: how many met one at any time while they were in force.
    """

    runs: int = 0
    began: int = 0
    in_flight: int = 0
    met: int = 0

    def plain(self) -> dict[str, Plain]:
        """Return the counts as a JSON object, hits with their share of those that began."""
        return {
            "runs": self.runs,
            "began": self.began,
            "in_flight": _share(self.in_flight, self.began),
            "met": _share(self.met, self.began),
        }


def _share(count: int, of: int) -> dict[str, Plain]:
    low, high = wilson(count, of)
    return {"count": count, "share": count / of, "low_95": low, "high_95": high}


MET_LEAST = 5
"""How many faults should meet something in a run with random ones (design)."""
VERDICTS = (*(verdict.value for verdict in Verdict), LOST)


@dataclass(slots=True)
class ScenarioSummary:
    """One scenario's runs.

    Attributes:
        scenario: its name.
        runs: how many.
        verdicts: counts.
        failing: seeds that did not pass, with the first thing that did not hold.
        exercised: of every check, in how many runs it was exercised and how often in all.
        expectations: of every sentence, how often it held, failed, stayed open.
        faults: of every kind of fault, how often it struck.
        met: of every run, how many of its faults met something.
        faults_most: how many faults began in the run that had most.
        cpu_s: of the runs.
    """

    scenario: str
    runs: int = 0
    verdicts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(VERDICTS, 0))
    failing: dict[str, str] = field(default_factory=dict)
    exercised: dict[str, list[int]] = field(default_factory=dict)
    expectations: dict[str, dict[str, int]] = field(default_factory=dict)
    faults: dict[str, Strikes] = field(default_factory=dict)
    met: dict[str, int] = field(default_factory=dict)
    faults_most: int = 0
    cpu_s: list[float] = field(default_factory=list)

    @property
    def few_met(self) -> dict[str, int] | None:
        """The seeds whose runs had fewer faults that met something than `MET_LEAST`, fewest first, and how many; None
        if no run of the scenario had so many faults."""
        if self.faults_most < MET_LEAST:
            return None
        few = [(seed, count) for seed, count in self.met.items() if count < MET_LEAST]
        return dict(sorted(few, key=lambda one: one[1]))

    def add(self, result: Result) -> None:
        """Take a result into account."""
        self.runs += 1
        self.verdicts[result.verdict] += 1
        if result.verdict != "passed":
            failed = [s for s, judged in result.expectations.items() if judged == "failed"]
            why = [*result.violations, *failed, *result.open_points, result.reason]
            self.failing[result.seed] = next((text for text in why if text), "")[:300]
        for name, count in result.exercised.items():
            runs_and_all = self.exercised.setdefault(name, [0, 0])
            runs_and_all[0] += count > 0
            runs_and_all[1] += count
        for sentence, judged in result.expectations.items():
            counts = self.expectations.setdefault(sentence, {})
            counts[judged] = counts.get(judged, 0) + 1
        for fault in result.faults:
            strikes = self.faults.setdefault(str(fault["kind"]), Strikes())
            strikes.began += 1
            strikes.in_flight += bool(fault["in_flight"])
            strikes.met += _has_met(fault)
        for kind in dict.fromkeys(str(fault["kind"]) for fault in result.faults):
            self.faults[kind].runs += 1
        self.faults_most = max(self.faults_most, len(result.faults))
        if result.is_whole:
            self.met[result.seed] = sum(_has_met(fault) for fault in result.faults)
            self.cpu_s.append(result.cpu_s)

    def plain(self) -> dict[str, Plain]:
        """Return the summary as a JSON object."""
        shares: dict[str, Plain] = {
            verdict: _share(count, self.runs) for verdict, count in self.verdicts.items()
        }
        return {
            "runs": self.runs,
            "verdicts": shares,
            "failing": dict(self.failing),
            "exercised": {name: {"runs": n[0], "times": n[1]} for name, n in sorted(self.exercised.items())},
            "expectations": {s: dict(counts) for s, counts in self.expectations.items()},
            "faults": {kind: strikes.plain() for kind, strikes in sorted(self.faults.items())},
            "faults_met": self._met_plain(),
            "cpu_s_median": statistics.median(self.cpu_s) if self.cpu_s else None,
        }

    def _met_plain(self) -> Plain:
        """Return how many faults met something in a run at least and in the median, and in which runs too few did."""
        few = self.few_met
        if few is None:
            return None
        return {
            "least": min(self.met.values()),
            "median": statistics.median(self.met.values()),
            f"fewer_than_{MET_LEAST}": {**_share(len(few), len(self.met)), "seeds": dict(few)},
        }


def _has_met(fault: Mapping[str, Plain]) -> bool:
    return bool(fault.get("met", fault["in_flight"]))


def summarize(results: Iterable[Result]) -> Mapping[str, ScenarioSummary]:
    """Return a summary per scenario, in the order of first appearance."""
    summaries: dict[str, ScenarioSummary] = {}
    for result in results:
        summaries.setdefault(result.scenario, ScenarioSummary(result.scenario)).add(result)
    return summaries
