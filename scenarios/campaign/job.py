"""What one seed's run needs, as plain values that any machine can take.

Rules:
- The scenario travels as its whole resolved text: a worker needs no file of whoever started the campaign.
- A job is named by scenario and seed; its result is the same wherever it is run.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TypeAlias

from scenarios.errors import RefusedError
from scenarios.model import Scenario

Plain: TypeAlias = "str | int | float | bool | list[Plain] | dict[str, Plain] | None"


@dataclass(frozen=True, slots=True)
class Job:
    """One run.

    Attributes:
        scenario: its name.
        text: the resolved scenario.
        script: the text of the scenario's script, if it is written in Python.
        seed: decides everything random.
    """

    scenario: str
    text: str
    script: str | None
    seed: str

    @property
    def name(self) -> str:
        """Scenario and seed."""
        return f"{self.scenario}-{self.seed}"

    def plain(self) -> dict[str, Plain]:
        """Return the job as a JSON object."""
        return asdict(self)

    @staticmethod
    def of_plain(value: dict[str, str | None]) -> Job:
        """Return the job of a JSON object."""
        return Job(
            str(value["scenario"]),
            str(value["text"]),
            None if value["script"] is None else str(value["script"]),
            str(value["seed"]),
        )


def jobs_of(loaded: Sequence[tuple[Scenario, str | None]], first: int, seeds: int) -> Iterator[Job]:
    """Yield every scenario with every seed, seeds from `first` on, all scenarios of one seed together.

    Raises:
        RefusedError: if two scenarios have one name: their results could not be told apart.
    """
    names = [scenario.scenario for scenario, _ in loaded]
    for name in dict.fromkeys(names):
        if names.count(name) > 1:
            raise RefusedError(
                f'"{name}" is named {names.count(name)} times',
                "a campaign's scenarios have different names",
                "name it once, or give the other file another `scenario`",
            )
    texts = [(scenario.scenario, scenario.resolved(), script) for scenario, script in loaded]
    for seed in range(first, first + seeds):
        for name, text, script in texts:
            yield Job(name, text, script, str(seed))
