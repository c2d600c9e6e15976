"""What one seed's run came to, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from scenarios.campaign.job import Plain
from scenarios.judging.verdict import Verdict

LOST = "lost"
"""The verdict of a run that ended its worker twice: nothing is known of what it came to."""


@dataclass(frozen=True, slots=True)
class Result:
    """One run's end.

    Attributes:
        scenario, seed: which run.
        verdict: `passed`, `violated`, `undecided`, `broken`, or `lost`.
        violations, open_points: in words.
        expectations: each sentence and what became of it.
        seen: of every sentence that did not hold, what was seen instead.
        metrics: figures by name, numbers only.
        measures: the pilot's metrics by one name each, such as `M1 ledger`, where a trade was drawn.
        exercised: how often each check was exercised.
        faults: of every fault that began, its number, kind, whether a transaction was under way when it
            began (`in_flight`), and whether one was at any time while it was in force (`met`).
        cpu_s, real_s: what the run cost.
        protocol_s: how long it was on the protocol clock.
        reason: why it was lost.
    """

    scenario: str
    seed: str
    verdict: str
    violations: list[str] = field(default_factory=list)
    open_points: list[str] = field(default_factory=list)
    expectations: dict[str, str] = field(default_factory=dict)
    seen: dict[str, str] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    measures: dict[str, float] = field(default_factory=dict)
    exercised: dict[str, int] = field(default_factory=dict)
    faults: list[dict[str, Plain]] = field(default_factory=list)
    cpu_s: float = 0.0
    real_s: float = 0.0
    protocol_s: float = 0.0
    reason: str = ""

    @property
    def name(self) -> str:
        """Scenario and seed."""
        return f"{self.scenario}-{self.seed}"

    @property
    def is_whole(self) -> bool:
        """Whether the run came to its end, so that its figures say something."""
        return self.verdict not in (LOST, Verdict.BROKEN)

    @property
    def figures(self) -> dict[str, float]:
        """Every figure, the pilot's metrics first."""
        return {**self.measures, **self.metrics}

    def plain(self) -> dict[str, Plain]:
        """Return the result as a JSON object."""
        return asdict(self)

    @staticmethod
    def of_plain(value: Mapping[str, object]) -> Result:
        """Return the result of a JSON object.

        Raises:
            TypeError: if the object has other fields.
        """
        return Result(**value)  # type: ignore[arg-type]
