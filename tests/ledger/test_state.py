"""State and overlays: a refused transaction changes nothing."""

from __future__ import annotations

import pytest

from ledger.encoding import encode
from ledger.errors import EncodingError, MalformedError
from ledger.state import (
    Overlay,
    State,
    certificate_key,
    claim_key,
    document_key,
    holding_key,
    nonce_key,
    organization_key,
)


def test_an_overlay_hides_its_base_and_leaves_it_alone() -> None:
    state = State({"a": b"1", "b": b"2"})
    overlay = Overlay(state)
    overlay.put("a", b"9")
    overlay.delete("b")
    overlay.put("c", b"3")
    assert [overlay.get(key) for key in "abcd"] == [b"9", None, b"3", None]
    assert list(state.items()) == [("a", b"1"), ("b", b"2")]
    assert overlay.changes == {"a": b"9", "b": None, "c": b"3"}


def test_an_overlay_on_an_overlay_is_taken_over_or_thrown_away() -> None:
    state = State({"a": b"1"})
    block = Overlay(state)
    refused = Overlay(block)
    refused.put("a", b"x")
    accepted = Overlay(block)
    accepted.delete("a")
    accepted.put("b", b"2")
    block.apply(accepted.changes)
    assert (block.get("a"), block.get("b")) == (None, b"2")
    state.apply(block.changes)
    assert list(state.items()) == [("b", b"2")]
    assert len(state) == 1
    assert "b" in state
    assert "a" not in state


def test_changes_are_in_the_order_of_keys_and_only_where_something_differs() -> None:
    state = State({"same": b"1", "gone": b"2"})
    overlay = Overlay(state)
    for key in ("z", "m", "a"):
        overlay.put(key, b"x")
    overlay.put("same", b"1")
    overlay.delete("never")
    overlay.delete("gone")
    overlay.put("gone", b"2")
    assert list(overlay.changes) == ["a", "m", "z"]


def test_items_are_in_the_order_of_keys() -> None:
    state = State([("b", b"2"), ("a", b"1")])
    state.apply({"aa": b"3", "c": None})
    assert [key for key, _ in state.items()] == ["a", "aa", "b"]


def test_maps_are_written_canonically_and_read_back() -> None:
    overlay = Overlay(State())
    overlay.put_map("claim/x/1", {"state": "CLAIMED", "at": 5})
    assert overlay.get("claim/x/1") == encode({"at": 5, "state": "CLAIMED"})
    assert overlay.get_map("claim/x/1") == {"state": "CLAIMED", "at": 5}
    assert overlay.get_map("claim/x/2") is None
    assert State(overlay.changes.items()).get_map("claim/x/1") == {"state": "CLAIMED", "at": 5}  # type: ignore[arg-type]


def test_damaged_values_are_never_taken_for_maps() -> None:
    with pytest.raises(MalformedError, match="state k: expected a map, got 1; the state is damaged"):
        State({"k": encode(1)}).get_map("k")
    with pytest.raises(EncodingError):
        State({"k": b"\xc1"}).get_map("k")


def test_keys_are_spelled_one_way() -> None:
    assert organization_key("cbp") == "organization/cbp"
    assert nonce_key("cbp", (7, 1)) == "nonce/cbp/7/1"
    assert document_key(b"\xab" * 2) == "document/abab"
    assert certificate_key(b"\x01\x02") == "certificate/0102"
    assert holding_key(b"\x01\x02", "globex") == "holding/0102/globex"
    assert claim_key("ABC-1234567-8", 3) == "claim/ABC-1234567-8/3"
