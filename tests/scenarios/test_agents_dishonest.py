"""Dishonest and careless agents: each does what its behavior says, the observer knows, and the rule catches it."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenarios.agents import carnetoffice
from scenarios.model.behaviors import MISCONDUCT, Dishonesty
from scenarios.model.catalog import load_scenario
from scenarios.trial.runner import RunOptions, RunResult, run_scenario

pytestmark = pytest.mark.slow


def play(folder: Path, scenario: str, *overrides: str, **only: tuple[str, ...]) -> RunResult:
    """Run a library scenario without its expectations, with some behaviors set."""
    loaded = load_scenario(scenario, ["expect=[]", *overrides])
    if forms := only.get("forms"):
        steps = tuple(s for s in loaded.steps if getattr(s, "form370", None) in (None, *forms))
        loaded = loaded.model_copy(
            update={"forms": {name: loaded.forms[name] for name in forms}, "steps": steps}
        )
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


@pytest.mark.parametrize(
    ("by", "kind", "subject"),
    [
        ("drummaker", Dishonesty.PRESENTS_TWICE, "voucher k1/1"),
        ("drummaker", Dishonesty.ADDS_UNLISTED_ITEM, "voucher k1/1"),
        ("drummaker", Dishonesty.SWAPS_SERIAL, "voucher k1/1"),
        ("drummaker", Dishonesty.BACK_DATES_VOUCHER, "voucher k1/3"),
        ("drummaker", Dishonesty.SELLS_ABROAD, "voucher k1/3"),
        ("council", Dishonesty.ISSUES_UNSECURED, "carnet k1"),
        ("council", Dishonesty.ISSUES_TOO_LONG, "carnet k1"),
        ("council", Dishonesty.INVENTS_HOLDER, "carnet k1"),
        ("cbsa", Dishonesty.STAMPS_ABSENT_GOODS, "voucher k1/2"),
    ],
)
def test_a_carnet_fraud_is_known_to_the_observer_and_caught(
    tmp_path: Path, by: str, kind: Dishonesty, subject: str
) -> None:
    result = play(tmp_path, "carnet-journey", f"organizations.{by}.agent.dishonest=[{kind}]")
    assert (kind.value, subject) in done(result)
    assert seen(result) & set(MISCONDUCT[kind].caught_by), kind
    shown = "\n".join(event.line() for event in result.book.events if event.public)
    assert kind.value not in shown, "the truth is the observer's alone"


def test_an_honest_journey_has_nothing_to_own_up_to(tmp_path: Path) -> None:
    result = play(tmp_path, "carnet-journey")
    assert done(result) == []
    every = {code for row in MISCONDUCT.values() for code in row.caught_by}
    assert not seen(result) & every


def test_a_carnet_without_enough_security_is_issued_and_nobody_can_know(tmp_path: Path) -> None:
    short = "carnets.k1.security_percent=10"
    honest = play(tmp_path / "honest", "carnet-journey", short)
    waived = play(
        tmp_path / "waived",
        "carnet-journey",
        short,
        "organizations.council.agent.dishonest=[waives-security]",
    )
    issued = [[e.name for e in run.book.events].count("carnet.issued") for run in (honest, waived)]
    assert issued == [0, 1]
    assert done(waived) == [("waives-security", "carnet k1")]
    assert not [e for e in waived.book.events if e.name == "act.refused"]


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


@pytest.mark.parametrize(
    ("by", "kind"),
    [
        ("exporter", Dishonesty.OMITS_ENDORSEMENT),
        ("exporter", Dishonesty.INFLATES_WEIGHT),
        ("exporter", Dishonesty.WRONG_TRIP),
        ("importer", Dishonesty.FILES_LATE),
    ],
)
def test_a_tuna_fraud_is_known_to_the_observer_and_caught(tmp_path: Path, by: str, kind: Dishonesty) -> None:
    result = play(
        tmp_path, "tuna-matrix", f"organizations.{by}.agent.dishonest=[{kind}]", forms=("line-safe",)
    )
    assert (kind.value, "form line-safe") in done(result)
    assert seen(result) & set(MISCONDUCT[kind].caught_by), kind


@pytest.mark.parametrize("kind", [Dishonesty.MISDATES_IMPORTATION, Dishonesty.FORGES_OBSERVER_STATEMENT])
def test_what_nobody_can_know_is_done_and_found_by_nobody(tmp_path: Path, kind: Dishonesty) -> None:
    by = MISCONDUCT[kind].roles[0].value
    result = play(
        tmp_path, "tuna-matrix", f"organizations.{by}.agent.dishonest=[{kind}]", forms=("line-safe",)
    )
    assert (kind.value, "form line-safe") in done(result)
    assert [state for _, state in result.trial.history.states("form370", "line-safe")][-1] == "RELEASED"


@pytest.mark.parametrize(
    ("by", "kind"),
    [
        ("nueces", Dishonesty.CLAIMS_WITHOUT_CERTIFICATE),
        ("nueces", Dishonesty.INFLATES_QUANTITY),
    ],
)
def test_an_importers_fraud_is_known_to_the_observer_and_caught(
    tmp_path: Path, by: str, kind: Dishonesty
) -> None:
    result = play(tmp_path, "over-claim", f"organizations.{by}.agent.dishonest=[{kind}]")
    assert kind.value in {told for told, _ in done(result)}
    assert seen(result) & set(MISCONDUCT[kind].caught_by), kind


def test_no_records_show_only_where_customs_asks(tmp_path: Path) -> None:
    result = play(tmp_path, "nafta-certificate", "organizations.importer.agent.dishonest=[keeps-no-records]")
    assert {kind for kind, _ in done(result)} == {"keeps-no-records"}
    asked = {event.fields["claim"] for event in result.book.events if event.name == "request.received"}
    assert {str(subject).removeprefix("claim ") for _, subject in done(result)} == asked


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
