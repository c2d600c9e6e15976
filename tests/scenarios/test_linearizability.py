"""Known histories: which of them could have happened one at a time."""

from random import Random

import pytest

from scenarios.judging.linearizability import (
    Action,
    HistoryError,
    Operation,
    RegisterValue,
    Verdict,
    check_history,
    check_register,
)


def write(value: RegisterValue, called: int, returned: int | None, key: str = "x") -> Operation:
    return Operation("writer", key, Action.WRITE, value, called, returned)


def read(value: RegisterValue, called: int, returned: int | None, key: str = "x") -> Operation:
    return Operation("reader", key, Action.READ, value, called, returned)


LINEARIZABLE = {
    "nothing": [],
    "a read before anything": [read(None, 0, 1)],
    "one after another": [write("a", 0, 1), read("a", 2, 3), write("b", 4, 5), read("b", 6, 7)],
    "a read beside a write sees the new": [write("a", 0, 1), write("b", 2, 9), read("b", 3, 4)],
    "a read beside a write sees the old": [write("a", 0, 1), write("b", 2, 9), read("a", 3, 4)],
    "old then new beside one write": [write("a", 0, 9), read(None, 1, 2), read("a", 3, 4)],
    "writes beside each other in either order": [write("a", 0, 9), write("b", 0, 9), read("a", 10, 11)],
    "equal times leave the order open": [write("a", 0, 1), read(None, 1, 2)],
    "an unknown write that nobody sees": [write("a", 0, None), read(None, 1, 2)],
    "an unknown write seen late": [write("a", 0, None), read(None, 1, 2), read("a", 100, 101)],
    "an unknown read": [write("a", 0, 1), read("never", 2, None)],
    "an unknown write between two others": [
        write("a", 0, None), write("b", 1, 2), read("b", 3, 4), read("a", 5, 6),
    ],
    "the same value twice": [write("a", 0, 1), write("b", 2, 3), write("a", 4, 5), read("a", 6, 7)],
    "another order than that of the calls": [
        write("a", 0, 20), write("b", 1, 20), write("c", 2, 20), read("c", 3, 5), read("a", 6, 8), read("b", 9, 11),
    ],
}  # fmt: skip

VIOLATED = {
    "a value nobody wrote": [read("a", 0, 1)],
    "a stale read": [write("a", 0, 1), write("b", 2, 3), read("a", 4, 5)],
    "a lost write": [write("a", 0, 1), read(None, 2, 3)],
    "a read before its write": [read("a", 0, 1), write("a", 2, 3)],
    "new then old": [write("a", 0, 1), write("b", 2, 20), read("b", 3, 4), read("a", 5, 6)],
    "an unknown write seen, then unseen": [
        write("a", 0, 1), write("b", 2, None), read("b", 3, 4), read("a", 5, 6),
    ],
    "an unknown write before its call": [read("a", 0, 1), write("a", 2, None)],
    "an unknown write that takes effect twice": [
        write("a", 0, None), read("a", 1, 2), write("b", 3, 4), read("b", 5, 6), read("a", 7, 8),
    ],
    "two readers see two writes in two orders": [
        write("a", 0, 20), write("b", 0, 20), read("a", 1, 2), read("b", 3, 4), read("a", 5, 6),
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", LINEARIZABLE)
def test_histories_that_could_have_happened_one_at_a_time(name: str) -> None:
    report = check_history(LINEARIZABLE[name])
    assert report.verdict is Verdict.LINEARIZABLE
    for key in report.keys.values():
        replay(list(key.order))


def replay(order: list[Operation]) -> None:
    """The order given as the explanation explains: each read returns what was written last."""
    value: RegisterValue = None
    for place, operation in enumerate(order):
        for later in order[place:]:
            assert later.returned_ns is None or later.returned_ns >= operation.called_ns
        if operation.action is Action.WRITE:
            value = operation.value
        assert operation.value == value


@pytest.mark.parametrize("name", VIOLATED)
def test_histories_that_could_not(name: str) -> None:
    report = check_history(VIOLATED[name])
    assert report.verdict is Verdict.VIOLATED
    assert report.keys["x"].unplaced


def test_the_report_says_where_to_look() -> None:
    report = check_register(VIOLATED["a stale read"])
    assert str(report) == (
        "x: violated after 6 steps; after writer [2, 3] x := 'b' none of these fits: reader [4, 5] x = 'a'"
    )


def test_keys_are_registers_of_their_own() -> None:
    """What is stale on one key is no excuse on another, and one violation makes the history one."""
    history = [write("a", 0, 1, "x"), write("b", 2, 3, "y"), read("a", 4, 5, "x"), read(None, 6, 7, "y")]
    report = check_history(history)
    assert report.verdict is Verdict.VIOLATED
    assert {key: found.verdict for key, found in report.keys.items()} == {
        "x": Verdict.LINEARIZABLE,
        "y": Verdict.VIOLATED,
    }


def test_the_order_in_which_operations_are_given_does_not_matter() -> None:
    for history in (*LINEARIZABLE.values(), *VIOLATED.values()):
        assert check_history(history).verdict is check_history(reversed(history)).verdict


def test_the_initial_value_can_be_given() -> None:
    assert check_history([read("start", 0, 1)], initial="start").verdict is Verdict.LINEARIZABLE
    assert check_history([read(None, 0, 1)], initial="start").verdict is Verdict.VIOLATED


def test_too_many_steps_leave_it_undecided() -> None:
    history = LINEARIZABLE["another order than that of the calls"]
    assert check_history(history, steps_max=3).verdict is Verdict.UNDECIDED
    assert check_history(history, steps_max=1000).verdict is Verdict.LINEARIZABLE


def test_a_violation_decides_whatever_else_is_undecided() -> None:
    slow = [write(str(number), 0, 100, "slow") for number in range(8)]
    broken = [read("a", 0, 1, "broken")]
    report = check_history([*slow, *broken], steps_max=4)
    assert report.keys["slow"].verdict is Verdict.UNDECIDED
    assert report.verdict is Verdict.VIOLATED


def test_a_clock_can_end_the_search() -> None:
    looks: list[int] = []

    def is_out_of_time() -> bool:
        looks.append(1)
        return len(looks) > 2

    history = hard(16)
    report = check_history(history, is_out_of_time=is_out_of_time)
    assert report.verdict is Verdict.UNDECIDED
    assert report.keys["x"].steps == 2048


def hard(writes: int) -> list[Operation]:
    """Concurrent writes, then a read of something else: every subset must be tried."""
    return [*(write(str(number), 0, 100) for number in range(writes)), read("other", 101, 102)]


def test_memory_saves_the_search_from_trying_every_order() -> None:
    """Ten writes have 3.6 million orders, but only 10 * 2**9 sets with a last value."""
    report = check_history(hard(10))
    assert report.verdict is Verdict.VIOLATED
    assert report.keys["x"].steps < 100_000


def test_unknown_writes_that_nobody_saw_cost_nothing() -> None:
    history = [*(write(str(number), number, None) for number in range(200)), read("other", 300, 301)]
    report = check_history(history)
    assert report.verdict is Verdict.VIOLATED
    assert report.keys["x"].steps < 10


def test_a_long_history_of_one_real_register_is_linearizable() -> None:
    """Clients that overlap, each operation taking effect at a moment within; one write in ten unknown."""
    random = Random(3)
    value: RegisterValue = None
    history = []
    for number in range(400):
        moment = 10 * number
        called, returned = moment - random.randrange(30), moment + random.randrange(1, 30)
        if random.random() < 0.5:
            value = str(number)
            history.append(write(value, called, None if random.random() < 0.1 else returned))
        else:
            history.append(read(value, called, returned))
    assert check_history(history).verdict is Verdict.LINEARIZABLE
    stale = next(
        each.value for each in history if each.action is Action.WRITE and each.returned_ns is not None
    )
    place = next(place for place in range(300, 400) if history[place].action is Action.READ)
    history[place] = read(stale, history[place].called_ns, history[place].returned_ns)
    assert check_history(history).verdict is Verdict.VIOLATED


def test_a_return_before_its_call_is_refused() -> None:
    with pytest.raises(HistoryError, match=r"writer \[5, 4\] x := 'a': returned_ns is before called_ns"):
        write("a", 5, 4)
