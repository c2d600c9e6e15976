"""The nearest of what passed."""

from scenarios.shrinking.candidate import Candidate
from scenarios.shrinking.failure import Failure
from scenarios.shrinking.neighbors import nearest

CUT = {"kind": "partition", "target": "node cbp", "for": {"calendar": "10d"}}
SHORT = {"kind": "partition", "target": "node cbp", "for": {"calendar": "5d"}}
LOSS = {"kind": "loss", "target": "all", "params": {"percent": 5.0}}
FAILURE = Failure("violated", "agreement")
STEPS = [{"do": "file-claim"}, {"do": "issue-certificate"}]


def candidate(*faults, steps=STEPS, **more):
    return Candidate({"faults": list(faults), "steps": steps, **more}, FAILURE)


BEST = candidate(CUT, LOSS)
MILDER = candidate(SHORT, LOSS), "5"
LESS = candidate(LOSS), "5"
OTHER_SEED = BEST, "7"
FEWER_STEPS = candidate(CUT, LOSS, steps=STEPS[:1]), "5"


def test_milder_is_nearer_than_less_than_another_seed_than_a_step_fewer():
    order = [MILDER, LESS, OTHER_SEED, FEWER_STEPS]
    for at, expected in enumerate(order):
        found = nearest(BEST, "5", list(reversed(order[at:])))
        assert (found.candidate, found.seed) == expected


def test_how_it_differs_is_said():
    words = [nearest(BEST, "5", [one]).words for one in (MILDER, LESS, OTHER_SEED, FEWER_STEPS)]
    assert words == [
        "with a milder fault 1, partition of node cbp: for calendar 5d instead of calendar 10d",
        "without fault 1, partition of node cbp",
        "seed 7 instead of 5",
        "1 step fewer",
    ]


def test_what_only_judges_makes_no_distance_and_is_said():
    found = nearest(BEST, "5", [(candidate(CUT, LOSS, checks=["agreement"]), "5")])
    assert (found.distance, found.words) == (0, "1 check more")


def test_another_calendar_is_said():
    shorter = candidate(CUT, LOSS, calendar={"end": "2018-10-01T08:00:00Z"})
    assert nearest(BEST, "5", [(shorter, "5")]).words == "another calendar"


def test_where_nothing_passed_there_is_no_neighbor():
    assert nearest(BEST, "5", []) is None


def test_agents_and_a_network_told_otherwise_make_a_distance_and_are_said():
    usual = candidate(CUT, organizations={"cbp": {"agent": {}}}, network={})
    other = candidate(CUT, organizations={"cbp": {"agent": {"review_after": "9d"}}}, network={"regions": {}})
    found = nearest(usual, "5", [(other, "5"), (candidate(SHORT, **_rest(usual)), "5")])
    assert found.words.startswith("with a milder fault 1")
    found = nearest(usual, "5", [(other, "5")])
    assert found.words == "with another agent of cbp, with another network"
    assert found.distance > 0


def _rest(of):
    return {name: of.value[name] for name in ("organizations", "network")}
