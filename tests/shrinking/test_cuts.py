"""Cuts in a failing scenario."""

from scenarios.shrinking.candidate import Candidate, Part, removable, with_only
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
