"""What a run keeps in memory of shipments that are over, counted in objects."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenarios import filed, filedindex
from scenarios.model.catalog import load_scenario
from scenarios.record.event import Event
from scenarios.running.options import RunOptions
from scenarios.running.runner import run_scenario
from scenarios.trial.trial import Trial
from tests.bench.memory import count, owners

FEW, MORE = 4, 12
BOUNDS = {
    ("programs: registers", "programs: mail", "programs: wallets"): 20,
    ("the witness of documents", "names", "generated trade"): 5,
    ("History", "check decided-once", "check reachable"): 5,
    ("programs: the rest",): 60,
    ("programs: jobs, asleep most of them", "the calendar"): 1,
}
"""Objects a shipment that owners keep, twelve organizations' programs together."""


class _AtTheEnd:
    """Counts what is kept when the trade is over."""

    def __init__(self) -> None:
        self.kept: dict[str, list[int]] = {}

    def follow(self, trial: Trial) -> None:
        def at_the_end(event: Event) -> None:
            if event.name == "phase" and event.fields["name"] == "closed":
                self.kept = count(owners(trial, trial.book, at_the_end))

        trial.book.subscribe(at_the_end)


def kept_objects(shipments: int, out: Path) -> dict[str, int]:
    scenario = load_scenario("pilot-quarter", [f"workload.shipments={shipments}"])
    end = _AtTheEnd()
    run_scenario(scenario, RunOptions("virtual", "1", out, tamper=end.follow))
    return {owner: objects for owner, (objects, _) in end.kept.items()}


@pytest.mark.slow
def test_of_a_shipment_that_is_over_hardly_anything_stays_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filed, "RESIDENT_MAX", 1)
    monkeypatch.setattr(filedindex, "FRESH_MAX", 1)
    few, more = (kept_objects(shipments, tmp_path) for shipments in (FEW, MORE))
    each = {names: sum(more[name] - few[name] for name in names) / (MORE - FEW) for names in BOUNDS}
    assert {names: objects for names, objects in each.items() if objects > BOUNDS[names]} == {}
