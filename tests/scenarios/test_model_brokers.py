"""Customs brokers in a scenario file: what is refused with file and line."""

from __future__ import annotations

import pytest

from scenarios.errors import ScenarioError
from scenarios.model.catalog import load_scenario


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("claims.b1.broker=cbp", "cbp is no broker.*name swift or tardy"),
        ("claims.b1.broker=nobody", 'unknown organization "nobody"'),
        ("steps.3.broker=rivera", "rivera is no broker"),
        ("steps.3.by=swift", "grant-power needs the role importer"),
        ("steps.4.claim=nothing", 'unknown claim "nothing"'),
        ("steps.4.by=rivera", "rivera is not the importer of b1"),
        ("steps.7.by=tardy", "tardy is not the importer of b2.*let ostrava or swift do it"),
        ("organizations.ostrava.agent.file_after=1h", "file_after is for the role broker"),
        ("organizations.press.agent.answer_after=1h", "answer_after is for the role importer or broker"),
    ],
)
def test_a_slip_of_the_pen_is_refused_where_it_stands(override: str, message: str) -> None:
    with pytest.raises(ScenarioError, match=message):
        load_scenario("broker-entry", [override])


def test_a_claim_without_a_broker_is_for_nobody_to_be_instructed_about() -> None:
    with pytest.raises(ScenarioError, match="b1 has no broker"):
        load_scenario("broker-entry", ["claims.b1.broker=null"])
