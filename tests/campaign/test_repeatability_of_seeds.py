"""A seed that gives two different runs is violated, where the campaign runs it twice."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from p2p.observer import RecordField
from scenarios.campaign.execute import REPEATABILITY, REPEATED_EVERY, execute
from scenarios.campaign.job import Job
from scenarios.model.catalog import load_scenario
from scenarios.record.eventbook import Event, EventBook

pytestmark = pytest.mark.slow


def job(seed: int) -> Job:
    scenario = load_scenario("nafta-certificate")
    return Job("nafta-certificate", scenario.resolved(), None, str(seed))


def test_a_seed_in_so_many_is_run_twice_and_is_the_same() -> None:
    result = execute(job(REPEATED_EVERY))
    assert (result.verdict, result.violations) == ("passed", [])
    assert result.exercised[REPEATABILITY] == 1
    assert REPEATABILITY not in execute(job(REPEATED_EVERY + 1)).exercised


def test_a_run_that_does_not_repeat_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    add = EventBook.add
    runs = []

    def stray(
        book: EventBook, name: str, fields: Mapping[str, RecordField], *, public: bool = False
    ) -> Event:
        if name == "step.began" and book not in runs:
            runs.append(book)
            fields = {**fields, "run": len(runs)}
        return add(book, name, fields, public=public)

    monkeypatch.setattr(EventBook, "add", stray)
    result = execute(job(REPEATED_EVERY))
    assert result.verdict == "violated"
    (found,) = result.violations
    assert found.startswith("repeatability: observer/events.ndjson, line ")
    assert '"run":2' in found
