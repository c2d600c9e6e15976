"""Dishonest and careless agents: what becomes of the others, and what holds whatever they do (each: test_frauds)."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenarios.agents import carnetoffice
from scenarios.model.behaviors import MISCONDUCT
from scenarios.model.catalog import load_scenario
from scenarios.running.options import RunOptions, RunResult
from scenarios.running.runner import run_scenario

pytestmark = pytest.mark.slow


def play(folder: Path, scenario: str, *overrides: str) -> RunResult:
    """Run a library scenario without its expectations, with some behaviors set."""
    loaded = load_scenario(scenario, ["expect=[]", *overrides])
    return run_scenario(loaded, RunOptions("virtual", "1", folder))


def done(result: RunResult) -> list[tuple[object, object]]:
    return [
        (event.fields["kind"], event.fields["subject"])
        for event in result.book.events
        if event.name == "noncompliance.done"
    ]


def seen(result: RunResult) -> set[str]:
    """Return every rule, finding and defect that came up."""
    codes: set[str] = set()
    for event in result.book.events:
        for name in ("rule", "state", "defect"):
            codes.add(str(event.fields.get(name)))
        for name in ("findings", "defects"):
            listed = event.fields.get(name)
            codes.update(str(code) for code in listed) if isinstance(listed, list | tuple) else None
        if event.name == "carnet_claim.opened":
            codes.add("carnet claim")
    return codes


def test_an_honest_journey_has_nothing_to_own_up_to(tmp_path: Path) -> None:
    result = play(tmp_path, "carnet-journey")
    assert done(result) == []
    every = {code for row in MISCONDUCT.values() for code in row.caught_by}
    assert not seen(result) & every


def test_a_stamp_on_swapped_goods_needs_a_dishonest_office(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    swaps = "organizations.drummaker.agent.dishonest=[swaps-serial-number]"
    blind = play(tmp_path / "a", "carnet-journey", swaps, "organizations.cbp.agent.dishonest=[stamps-unseen]")
    assert ("stamps-unseen", "voucher k1/1") in done(blind)
    assert "ENDORSED" in [state for _, state in blind.trial.history.states("voucher", "k1/1")]
    monkeypatch.setattr(carnetoffice, "swapped_items", lambda *_: ())  # the safeguard gone
    assert "OTHER_MARKS" not in seen(play(tmp_path / "b", "carnet-journey", swaps))


def test_a_false_objection_does_not_move_customs(tmp_path: Path) -> None:
    sells = "organizations.drummaker.agent.dishonest=[sells-and-reports-lost]"
    result = play(
        tmp_path, "carnet-journey", sells, "organizations.ca-chamber.agent.dishonest=[refuses-honest-claim]"
    )
    assert ("refuses-honest-claim", "carnet claim k1/2") in done(result)
    states = [state for _, state in result.trial.history.states("carnet_claim", "k1/2")]
    assert states[:3] == ["CLAIM_OPEN", "CONTESTED", "CLAIM_OPEN"]
    assert "WITHDRAWN" not in states


def test_a_silent_association_answers_no_claim(tmp_path: Path) -> None:
    sells = "organizations.drummaker.agent.dishonest=[sells-and-reports-lost]"
    result = play(tmp_path, "carnet-journey", sells, "organizations.ca-chamber.agent.pass_on_after=never")
    names = [event.name for event in result.book.events]
    assert "carnet_claim.opened" in names
    assert "carnet_claim.answered" not in names
    assert "carnet_claim.received" not in names


def test_a_rate_draws_and_a_careless_hand_is_told_of_too(tmp_path: Path) -> None:
    result = play(
        tmp_path,
        "carnet-journey",
        "organizations.drummaker.agent.dishonest={presents-voucher-twice: 0.5}",
        "organizations.drummaker.agent.careless={voucher/holder_name: 0.4}",
    )
    kinds = [kind for kind, _ in done(result)]
    assert 0 < kinds.count("presents-voucher-twice") < 8
    assert "careless" in kinds
    assert "NOT_FILLED_IN" in seen(result)
