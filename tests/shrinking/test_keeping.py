"""A shrunk failure kept in a list that is replayed."""

import json
from pathlib import Path

import pytest

from scenarios.errors import RefusedError
from scenarios.model.catalog import load_scenario
from scenarios.shrinking.candidate import Candidate
from scenarios.shrinking.failure import Failure
from scenarios.shrinking.keeping import keep, kept_path, replayed
from scenarios.shrinking.shrinking import Recorded, Shrunk

ROOT = Path(__file__).parents[2]


@pytest.fixture
def recorded():
    value = json.loads(load_scenario("nafta-certificate").resolved())
    return Recorded(ROOT, "9", "0", Candidate(value, Failure("violated", "agreement")))


def test_what_is_kept_stands_in_the_list_and_loads(recorded, tmp_path):
    (tmp_path / "replayed.txt").write_text("# a word\nstorm 3  # was slow")
    path = kept_path(recorded, tmp_path)
    assert keep(Shrunk(recorded, recorded.candidate), path) == f"{path.name} 9  # violated: agreement"
    assert list(replayed(tmp_path)) == [("storm", "3"), (str(path), "9")]
    assert load_scenario(str(path)).resolved() == load_scenario("nafta-certificate").resolved()
    with pytest.raises(RefusedError, match="kept once"):
        kept_path(recorded, tmp_path)


def test_a_directory_without_a_list_is_refused(recorded, tmp_path):
    with pytest.raises(RefusedError, match=r"no replayed\.txt"):
        kept_path(recorded, tmp_path)


def test_a_line_that_is_no_scenario_with_a_seed_is_named(tmp_path):
    (tmp_path / "replayed.txt").write_text("storm 3\nstorm\n")
    with pytest.raises(RefusedError, match=r"replayed\.txt:2"):
        list(replayed(tmp_path))
