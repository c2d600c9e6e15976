"""Refusals as they come out of a process of its own."""

import pickle

import pytest

from scenarios.errors import RefusedError, UnknownNameError


@pytest.mark.parametrize(
    "error",
    [
        RefusedError("x is 3", "1 or 2", "choose one", inside=("a", 1)),
        UnknownNameError("parameter", "lots", ["lost", "kept"], inside=("paper",)),
    ],
)
def test_a_refusal_says_the_same_in_another_process(error: RefusedError) -> None:
    told = pickle.loads(pickle.dumps(error))  # noqa: S301 - its own bytes
    assert type(told) is type(error)
    assert (str(told), told.limit, told.remedy, told.inside) == (
        str(error),
        error.limit,
        error.remedy,
        error.inside,
    )
