"""The search agrees with a checker too simple to be wrong, on histories too small to be slow."""

from itertools import combinations, permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios.judging.linearizability import Action, Operation, Verdict, check_history, check_register


@st.composite
def operations(draw: st.DrawFn) -> Operation:
    called = draw(st.integers(0, 6))
    lasts = draw(st.one_of(st.none(), st.integers(0, 4)))
    action = draw(st.sampled_from(Action))
    value = draw(st.sampled_from(["a", "b", None] if action is Action.READ else ["a", "b"]))
    return Operation("c", "x", action, value, called, None if lasts is None else called + lasts)


def explains(order: tuple[Operation, ...]) -> bool:
    """Whether the order keeps to the clock, and each read returns what was written last."""
    value = None
    for place, operation in enumerate(order):
        if any(
            later.returned_ns is not None and later.returned_ns < operation.called_ns
            for later in order[place + 1 :]
        ):
            return False
        if operation.action is Action.WRITE:
            value = operation.value
        elif operation.value != value:
            return False
    return True


def could_have_happened(history: list[Operation]) -> bool:
    """Tries every order of what completed, with every choice of the unknown writes."""
    completed = [operation for operation in history if operation.returned_ns is not None]
    unknown = [
        operation
        for operation in history
        if operation.returned_ns is None and operation.action is Action.WRITE
    ]
    return any(
        explains(order)
        for count in range(len(unknown) + 1)
        for chosen in combinations(unknown, count)
        for order in permutations((*completed, *chosen))
    )


@pytest.mark.slow
@settings(max_examples=400, deadline=None)
@given(history=st.lists(operations(), max_size=5))
def test_the_search_agrees_with_trying_every_order(history: list[Operation]) -> None:
    found = check_history(history).verdict is Verdict.LINEARIZABLE
    assert found is could_have_happened(history)


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(history=st.lists(operations(), min_size=1, max_size=8))
def test_an_order_given_as_explanation_explains(history: list[Operation]) -> None:
    report = check_register(history)
    assert explains(report.order)
    if report.verdict is Verdict.LINEARIZABLE:
        told = [id(operation) for operation in report.order]
        assert all(id(each) in told for each in history if each.returned_ns is not None)
        assert len(set(told)) == len(told)
    else:
        assert report.unplaced


@settings(max_examples=100, deadline=None)
@given(history=st.lists(operations(), max_size=6), steps_max=st.integers(0, 20))
def test_a_bound_only_ever_leaves_undecided(history: list[Operation], steps_max: int) -> None:
    bounded = check_history(history, steps_max=steps_max).verdict
    assert bounded in (Verdict.UNDECIDED, check_history(history).verdict)
