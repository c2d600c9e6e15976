"""The pytest fixture `pilot`, for fault tests in ten lines.

    def test_a_crash_of_the_leader_loses_no_certificate(pilot):
        async def trade(p):
            await p.do("issue-certificate", by="exporter", document="c1")
            await p.fault("crash", target="leader", lasts={"protocol": "5s"})
            p.expect("certificate c1 is HELD by importer within 2 days")

        assert pilot("nafta-certificate", trade, keep_steps=False).passed

Rules:
- pytest finds the fixture by itself once Seatrial is installed; nothing else is imported until a test asks for it.
- A test runs in the virtual world, in a folder that pytest keeps for a while, and repeats from its seed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest

if TYPE_CHECKING:
    from scenarios.running.options import RunResult
    from scenarios.trial.pilot import Script


@dataclass(frozen=True, slots=True, repr=False)
class Flown:
    """A run that came to its end.

    Attributes:
        result: all of it.
    """

    result: RunResult

    @property
    def verdict(self) -> str:
        """`passed`, `violated` or `undecided`."""
        return self.result.judgment.verdict.value

    @property
    def passed(self) -> bool:
        """Whether everything that was expected came true and every check held."""
        return self.verdict == "passed"

    @property
    def violations(self) -> tuple[str, ...]:
        """What did not hold, in words."""
        return self.result.judgment.violations

    @property
    def folder(self) -> Path:
        """What the run left."""
        return self.result.folder.path

    def __repr__(self) -> str:
        """Say what a failing assertion needs."""
        judgment = self.result.judgment
        told = [*judgment.violations, *judgment.open_points]
        told += [f"{e.sentence}: {e.outcome.text}" for e in judgment.expectations if e.outcome.text]
        return f"<{self.verdict}: {'; '.join(told) or 'everything held'}; folder {self.folder}>"


class PilotFixture(Protocol):
    """Runs a script over a scenario in the virtual world."""

    def __call__(
        self,
        scenario: str | Path,
        script: Script | None = None,
        *,
        seed: str = "1",
        overrides: Sequence[str] = (),
        keep_steps: bool = True,
    ) -> Flown:
        """Run.

        Args:
            scenario: a library scenario's name or a file's path: who takes part, with which documents and claims.
            script: what happens, as a coroutine function over the pilot.
            seed: decides everything random.
            overrides: each `dotted.path=value`, as `--set` on the command line.
            keep_steps: whether the scenario's own steps, faults and expectations stay besides the script.

        Raises:
            ScenarioError: if the scenario does not hold.
            RefusedError: if the script fails by anything but an assertion.
            Exception: whatever failed in the program itself.
        """


@pytest.fixture
def pilot(tmp_path: Path) -> PilotFixture:
    """Run a script over a scenario and look at the verdict."""
    from scenarios.model.catalog import load_scenario
    from scenarios.running.options import RunOptions
    from scenarios.running.runner import run_scenario

    def run(
        scenario: str | Path,
        script: Script | None = None,
        *,
        seed: str = "1",
        overrides: Sequence[str] = (),
        keep_steps: bool = True,
    ) -> Flown:
        cleared = () if keep_steps else ("steps=[]", "faults=[]", "expect=[]", "checks=[]")
        loaded = load_scenario(scenario, [*cleared, *overrides])
        result = run_scenario(loaded, RunOptions("virtual", seed, tmp_path / "runs", script=script))
        if result.failure is not None:
            raise result.failure
        return Flown(result)

    return run
