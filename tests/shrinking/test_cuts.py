"""Cuts in a failing scenario."""

import json

from scenarios.model.catalog import load_scenario
from scenarios.shrinking.candidate import Candidate, Part, removable, with_only, with_shorter_calendar
from scenarios.shrinking.failure import Failure
from scenarios.shrinking.shrinking import sound


def test_what_excuses_a_check_goes_with_the_check():
    value = {
        "checks": ["agreement", "carnet-balances"],
        "checks_unless": {"carnet-balances": ["lost_document"]},
    }
    candidate = Candidate(value, Failure("violated", "agreement"))
    assert removable(candidate, Part.CHECKS) == (("checks", 1),)
    assert with_only(candidate, Part.CHECKS, [("checks", 1)]).value == value
    bare = with_only(candidate, Part.CHECKS, [])
    assert bare.value == {"checks": ["agreement"], "checks_unless": {}}


def test_a_calendar_with_a_pace_is_halved_down_to_a_day():
    calendar = {"start": "2018-09-04T08:00:00Z", "end": "2018-09-08T20:00:00Z", "pace": "1d"}
    candidate = Candidate({"calendar": calendar}, Failure("violated", "agreement"))
    ends = []
    while (shorter := with_shorter_calendar(candidate)) is not None:
        candidate = shorter
        ends.append(candidate.value["calendar"]["end"])
    assert ends == ["2018-09-06T14:00:00Z", "2018-09-05T11:00:00Z"]
    at_once = Candidate({"calendar": calendar | {"pace": None}}, Failure("violated", "agreement"))
    assert with_shorter_calendar(at_once) is None, "it jumps: nothing would be won"


def test_what_an_agent_and_the_network_do_otherwise_than_by_default_goes_setting_by_setting():
    told = [
        "organizations.importer.agent.answer_after=3d",
        "organizations.exporter.agent={careless: {certificate/hs6: 0.5, signer_name: 0.1}}",
        "network.regions={gulf: [importer, cbp], south: [exporter]}",
        "network.region_latency_ms={gulf: {south: [40, 60]}}",
    ]
    value = json.loads(load_scenario("nafta-certificate", told).resolved())
    usual = json.loads(load_scenario("nafta-certificate").resolved())
    candidate = Candidate(value, Failure("violated", "agreement"))
    settings = [
        ("exporter", "careless/certificate/hs6"),
        ("exporter", "careless/signer_name"),
        ("importer", "answer_after"),
    ]
    assert set(settings) <= set(removable(candidate, Part.AGENTS))
    spoils = with_only(candidate, Part.AGENTS, settings[:1])
    assert spoils.value["organizations"]["exporter"]["agent"]["careless"] == {"certificate/hs6": 0.5}
    assert removable(spoils, Part.AGENTS) == (settings[0],)
    assert sound(spoils) is not None
    assert removable(candidate, Part.NETWORK) == (("network", "regions"), ("network", "region_latency_ms"))
    assert sound(with_only(candidate, Part.NETWORK, [("network", "region_latency_ms")])) is None
    plain = with_only(candidate, Part.NETWORK, [])
    assert json.loads(sound(plain).resolved())["network"] == usual["network"]
    assert candidate.value == value
