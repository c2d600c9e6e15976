"""When faults take the majority of orderers away."""

from __future__ import annotations

import pytest

from scenarios.trial.majority import Blow, is_majority_left

ORDERERS = ("a", "b", "c", "d", "e")


@pytest.mark.parametrize(
    ("blows", "left"),
    [
        ([], True),
        ([Blow("crash", "ab")], True),
        ([Blow("crash", "ab"), Blow("pause", "b")], True),
        ([Blow("crash", "ab"), Blow("pause", "c")], False),
        ([Blow("partition", "ab")], True),
        ([Blow("partition", "abc")], True),
        ([Blow("partition", "ab"), Blow("crash", "c")], False),
        ([Blow("partition", "ab"), Blow("one_way", "e")], False),
        ([Blow("partition", (), ("ab", "cd", "e"))], False),
        ([Blow("partition", (), ("abd", "c", "e"))], True),
        ([Blow("partition", ("x", "y"))], True),
    ],
)
def test_what_faults_leave(blows: list[Blow], left: bool) -> None:
    assert is_majority_left(ORDERERS, 3, blows) is left
