"""A scripted step that cannot be taken as things stand: told with its reason, and the run is undecided."""

from __future__ import annotations

from pathlib import Path

from scenarios.model.catalog import load_scenario
from scenarios.running.options import RunOptions
from scenarios.running.runner import run_scenario
from scenarios.shrinking.failure import Failure, failure_of

EARLY = """
scenario: early-presentation
extends: carnet-journey
title: Goods presented under a carnet that nobody applied for
steps:
  - {at: "2018-10-01T09:00:00", by: drummaker, do: present-goods, carnet: k1, voucher: 1, kind: EXPORT,
     office: cbp, items: [{item: 1, pieces: 10}]}
  - {at: "2018-10-02T10:00:00", by: drummaker, do: apply-carnet, carnet: k1}
faults: []
expect: []
checks: []
"""


def test_a_step_that_cannot_be_taken_leaves_the_run_undecided_and_the_others_go_on(tmp_path: Path) -> None:
    (tmp_path / "early.yaml").write_text(EARLY)
    ran = run_scenario(load_scenario(tmp_path / "early.yaml"), RunOptions("virtual", "1", tmp_path))
    reason = "carnet k1 is not on the ledger; apply for it first"
    assert ran.judgment.verdict == "undecided"
    assert ran.judgment.open_points == (f"step 1 (present-goods by drummaker) could not be taken: {reason}",)
    (told,) = ran.book.named("step.not_taken")
    assert (told.fields["step"], told.fields["reason"]) == (1, reason)
    assert [event.fields["step"] for event in ran.book.named("step.began")] == [1, 2]
    assert any(event.fields["type"] == "carnet.apply" for event in ran.book.named("receipt"))


def test_the_number_of_a_step_is_no_part_of_how_a_run_failed() -> None:
    points = [f"step {number} (act by cbp) could not be taken: reason" for number in (1, 4)]
    failures = {failure_of("undecided", [], {}, [point], {}) for point in points}
    assert failures == {Failure("undecided", "step (act by cbp) could not be taken")}
