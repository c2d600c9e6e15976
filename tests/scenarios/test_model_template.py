"""`seatrial new`: what it writes passes as it stands."""

import pytest

from scenarios.errors import RefusedError
from scenarios.model.catalog import load_scenario, load_script_of
from scenarios.model.template import write_new


@pytest.mark.parametrize("python", [False, True])
def test_a_new_scenario_passes_as_it_stands(tmp_path, pilot, python):
    path = write_new("mine", tmp_path, python=python)
    load_scenario(path)
    script = load_script_of(path)
    flown = pilot(path, None if script is None else script[0])
    assert flown.passed, flown


def test_nothing_is_overwritten(tmp_path):
    path = write_new("mine", tmp_path, python=False)
    path.write_text("mine own")
    with pytest.raises(RefusedError, match="exists already"):
        write_new("mine", tmp_path, python=False)
    assert path.read_text() == "mine own"


@pytest.mark.parametrize("name", ["", "Mine", "-mine", "../mine", "x" * 65])
def test_what_is_no_name_is_refused(tmp_path, name):
    with pytest.raises(RefusedError, match="no scenario name"):
        write_new(name, tmp_path, python=False)


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(RefusedError, match="cannot be written"):
        write_new("mine", tmp_path / "nowhere", python=False)
