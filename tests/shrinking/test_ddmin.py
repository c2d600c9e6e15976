"""Delta debugging against oracles that need known parts."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios.shrinking.ddmin import ddmin
from scenarios.shrinking.failure import Failure, failure_of


def minimized(items, fails):
    asking = ddmin(items)
    asked = []
    answer = None
    while True:
        try:
            part = next(asking) if answer is None else asking.send(answer)
        except StopIteration as stop:
            return stop.value, asked
        asked.append(part)
        answer = fails(part)


@given(st.integers(0, 14), st.sets(st.integers(0, 13), max_size=4))
def test_all_that_is_needed_is_left_and_nothing_else(count, needed):
    items = tuple(range(count))
    needed = {n for n in needed if n < count}
    left, asked = minimized(items, lambda part: needed <= set(part))
    assert left == tuple(sorted(needed))
    assert len(asked) <= count * count + 3 * count + 1


@given(st.integers(1, 9), st.data())
def test_what_is_left_fails_and_not_without_any_one_of_it(count, data):
    """Whatever the oracle: failing need not be monotonic."""
    items = tuple(range(count))
    parts = [part for size in range(count) for part in combinations(items, size)]
    failing = {items, *data.draw(st.lists(st.sampled_from(parts), max_size=20))}
    left, _ = minimized(items, lambda part: part in failing)
    assert left in failing
    assert all(left[:at] + left[at + 1 :] not in failing for at in range(len(left)))


@pytest.mark.parametrize(
    ("ended", "failure"),
    [
        (("passed", [], {"a": "held"}, []), None),
        (
            ("violated", ["durability: block 9 is gone"], {"a": "failed"}, []),
            Failure("violated", "durability"),
        ),
        (
            ("violated", [], {"a": "held", "b": "failed"}, [], {"b": "not within 5.0 days; it is X"}),
            Failure("violated", "b", "not within N days"),
        ),
        (("undecided", [], {"a": "undecided"}, ["a: never came"]), Failure("undecided", "a")),
        (
            ("undecided", [], {}, ["check durability was never exercised"]),
            Failure("undecided", "check durability was never exercised"),
        ),
        (("lost", [], {}, []), None),
    ],
)
def test_a_failure_is_named_without_what_was_seen(ended, failure):
    assert failure_of(*ended[:4], *(ended[4:] or ({},))) == failure
