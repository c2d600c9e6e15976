"""Bisection over a known rising margin with noise: what it finds, how sure it says it is, and when it gives up."""

import itertools
import math
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios.comparing.bisection import End, Search, bisect, rising

CROSSES_AT = 37.3


def noisy(noise, seeds=12, crosses_at=CROSSES_AT, asked=None):
    """A margin that rises by 1 per unit; a seed's luck is its own, plus a little at every value."""

    def measure(value):
        if asked is not None:
            asked.append(value)
        return {
            str(seed): value
            - crosses_at
            + noise * Random(f"{seed}").gauss(0, 1)
            + noise / 10 * Random(f"{seed} {value}").gauss(0, 1)
            for seed in range(seeds)
        }

    return measure


def test_without_noise_the_bracket_closes_around_the_crossing():
    found = bisect(Search(0, 100, 1, 50), noisy(0))
    assert found.end is End.FOUND
    assert found.low <= CROSSES_AT <= found.high
    assert found.high - found.low <= 1
    assert found.interval == (pytest.approx(CROSSES_AT), pytest.approx(CROSSES_AT))
    assert found.falls == 0


def test_with_noise_the_interval_has_the_crossing_about_as_often_as_it_says():
    hits = 0
    for trial in range(30):
        found = bisect(Search(0, 100, 1, 50), noisy(5, crosses_at=CROSSES_AT + trial / 100, seeds=12 + trial))
        low, high = found.interval
        hits += low <= CROSSES_AT + trial / 100 <= high
        assert 0 < high - low < 12
    assert hits >= 24


def test_whole_numbers_stay_whole():
    asked = []
    found = bisect(Search(1, 100, 1, 50, whole=True), noisy(0, asked=asked))
    assert (found.low, found.high) == (37, 38)
    assert all(value == int(value) for value in asked)


def test_no_value_is_measured_twice_and_the_runs_have_an_end():
    asked = []
    found = bisect(Search(0, 100, 0.001, 6), noisy(0, asked=asked))
    assert found.end is End.SPENT
    assert len(asked) == len(set(asked)) == 6
    assert found.low < CROSSES_AT < found.high


@pytest.mark.parametrize(
    ("crosses_at", "end", "bracket", "side"),
    [(500, End.NEVER, (100, None), math.inf), (-500, End.ALREADY, (None, 0), -math.inf)],
)
def test_what_is_not_in_the_range_is_said_not_guessed(crosses_at, end, bracket, side):
    found = bisect(Search(0, 100, 1, 50), noisy(1, crosses_at=crosses_at))
    assert (found.end, (found.low, found.high)) == (end, bracket)
    assert found.interval == (side, side)


def test_without_a_figure_nothing_is_said():
    found = bisect(Search(0, 100, 1, 50), lambda _value: {})
    assert (found.end, found.interval, found.points) == (End.UNMEASURED, None, ())


def test_one_seed_gives_a_bracket_and_no_interval():
    found = bisect(Search(0, 100, 1, 50), noisy(0, seeds=1))
    assert found.end is End.FOUND
    assert found.interval is None
    assert not any(point.is_sure for point in found.points)


def test_a_margin_of_nothing_holds_only_if_equality_is_asked_for():
    flat = {"1": 0.0, "2": 0.0}
    strict = bisect(Search(0, 100, 1, 50), lambda _value: flat)
    assert strict.end is End.NEVER
    equal = bisect(Search(0, 100, 1, 50, holds_by=lambda margin: margin >= 0), lambda _value: flat)
    assert equal.end is End.ALREADY


def test_where_the_mean_falls_is_counted():
    means = {0.0: -5.0, 100.0: 5.0, 50.0: -6.0, 75.0: 6.0}
    found = bisect(Search(0, 100, 30, 50), lambda value: {"1": means[value], "2": means[value]})
    assert found.falls == 2


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=12))
def test_what_is_made_to_rise_rises_and_keeps_its_sum(means):
    risen = rising(means)
    assert all(a <= b + 1e-9 for a, b in itertools.pairwise(risen))
    assert math.isclose(sum(risen), sum(means), abs_tol=1e-6)
    if means == sorted(means):
        assert risen == means
