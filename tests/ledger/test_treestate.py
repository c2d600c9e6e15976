"""The state over its tree: what was read is remembered, and never stale."""

from __future__ import annotations

import pytest

from ledger import treestate
from ledger.encoding import encode
from ledger.state import Overlay
from ledger.treestate import TreeState


def test_a_value_read_before_it_was_written_is_read_as_written() -> None:
    state = TreeState({"a": b"1"})
    assert (state.get("a"), state.get("b")) == (b"1", None)
    state.apply({"a": b"2", "b": b"3"})
    assert (state.get("a"), state.get("b")) == (b"2", b"3")
    state.apply({"a": None})
    assert (state.get("a"), "a" in state, "b" in state) == (None, False, True)
    assert state.tree.get("a") is None


def test_items_come_in_the_order_of_their_keys() -> None:
    state = TreeState([("b", b"2"), ("a", b"1"), ("c", b"3")])
    assert list(state.items()) == [("a", b"1"), ("b", b"2"), ("c", b"3")]
    assert len(state) == 3


def test_an_overlay_reads_maps_through_it() -> None:
    state = TreeState({"claim/x/1": encode({"at": 5})})
    assert Overlay(state).get_map("claim/x/1") == {"at": 5}
    assert state.get_map("claim/x/1") == {"at": 5}


def test_what_is_remembered_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(treestate, "RECENT_MAX", 4)
    state = TreeState({f"k{i}": b"%d" % i for i in range(20)})
    for _ in range(2):
        assert [state.get(f"k{i}") for i in range(20)] == [b"%d" % i for i in range(20)]
        assert len(state._recent) <= 4
