"""Frames and memory beyond their bounds are seen once each, at the event."""

from __future__ import annotations

from p2p.holdings import Holding
from p2p.observer import RecordField
from scenarios.judging.checks.bounds import Bounds
from scenarios.record.eventbook import Event


def tell(check: Bounds, number: int, name: str, **fields: RecordField) -> None:
    check(Event(number, 0, number * 1_000_000_000, name, fields, public=False))


def test_frames_grow_with_what_there_is_to_tell() -> None:
    check = Bounds(["a", "b"], 100, lambda _node: ())
    before = check.frames_max
    tell(check, 1, "transaction.submitted", id="t1")
    assert check.frames_max > before
    tell(check, 2, "trace", frames=check.frames_max, second=2)
    assert check.violations == []
    tell(check, 3, "trace", frames=10_000, second=3)
    tell(check, 4, "trace", frames=10_000, second=4)
    (violation,) = check.violations
    assert violation.event == 3
    assert "are the most for what there was to tell" in violation.text


def test_what_a_node_holds_beyond_its_bound_is_seen_when_it_executes() -> None:
    held = {"a": 3, "b": 4}
    check = Bounds(["a", "b"], 100, lambda node: (Holding("frames in the inbox", held[node], 3),))
    tell(check, 1, "block.executed", node="a")
    assert (check.exercised, check.violations) == (1, [])
    for number in (2, 3):
        tell(check, number, "block.executed", node="b")
    assert [violation.text for violation in check.violations] == [
        "b holds 4 frames in the inbox, its bound is 3"
    ]
