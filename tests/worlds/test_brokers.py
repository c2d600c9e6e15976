"""Customs brokers over a whole run: what they are told, what they do with it, what they do not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from scenarios.agents.principal import Principal
from scenarios.judging.verdict import Verdict
from scenarios.running.options import RunResult

RunVirtual = Callable[..., RunResult]
pytestmark = pytest.mark.slow


def told(result: RunResult, name: str) -> list[dict[str, object]]:
    return [event for event in result.folder.events() if event["event"] == name]


def test_a_broker_acts_on_what_its_principal_sends_it_and_on_nothing_else(
    run_virtual_scenario: RunVirtual,
) -> None:
    result = run_virtual_scenario("broker-entry", "3")
    assert result.judgment.verdict is Verdict.PASSED
    filed = {
        (event["claim"], event["organization"], event["importer"]) for event in told(result, "claim.filed")
    }
    assert filed == {
        ("b1", "swift", "ostrava"),
        ("b3", "ostrava", "ostrava"),
        ("r0", "tardy", "rivera"),
        ("r1", "tardy", "rivera"),
        ("r3", "rivera", "rivera"),
    }
    declined = [(event["organization"], event["claim"]) for event in told(result, "instruction.declined")]
    assert declined == [("swift", "b3")]
    passed_on = [
        (event["organization"], event["to"], event["claim"]) for event in told(result, "request.passed_on")
    ]
    assert passed_on == [("ostrava", "swift", "b1"), ("rivera", "tardy", "r0")]
    shown = {(e["organization"], e["to"], e["certificate"]) for e in told(result, "certificate.disclosed")}
    assert shown == {("ostrava", "swift", "c1"), ("rivera", "tardy", "c1")}
    answered = [(event["organization"], event["claim"]) for event in told(result, "claim.answered")]
    assert answered == [("swift", "b1"), ("rivera", "r1")]


def test_a_broker_shows_no_certificate_that_was_not_disclosed_to_it(
    run_virtual_scenario: RunVirtual, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def discloses_nothing(*_: object) -> None:
        """An importer that forgets what supports its claim."""

    monkeypatch.setattr(Principal, "_disclose_support", discloses_nothing)
    result = run_virtual_scenario("broker-entry", "3")
    states = [event["state"] for event in told(result, "claim.state") if event["claim"] == "b1"]
    # what it could not show may be cured; nobody does, so the claim is denied
    assert states == ["CLAIMED", "CERT_REQUESTED", "UNDER_REVIEW", "CURE", "DENIED"]
