"""Cuts in a failing scenario."""

from scenarios.shrinking.candidate import Candidate, Part, removable, with_only, with_shorter_calendar
from scenarios.shrinking.failure import Failure


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
