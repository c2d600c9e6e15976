"""Typed reading of maps: bounds, and errors that say what to change."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable

import pytest

from ledger.codes import Code
from ledger.encoding import Value
from ledger.errors import MalformedError
from ledger.fields import Fields


def _fields(**values: Value) -> Fields:
    return Fields(values, "form")


def test_every_kind_of_field_is_read() -> None:
    fields = _fields(
        name="Acme", line=7, yes=True, root=b"x" * 32, goods=[1, 2], blanket={"from": "2018"},
        day="2018-09-04", code="EXPIRED", tags=["a", "b"], roots=[b"12", b"34"], inner={"n": 1}, way="MX",
    )  # fmt: skip
    assert fields.text("name") == "Acme"
    assert fields.integer("line", 1, 9) == 7
    assert fields.boolean("yes") is True
    assert fields.raw("root", size=32) == b"x" * 32
    assert fields.items("goods", 2) == [1, 2]
    assert fields.map("blanket") == {"from": "2018"}
    assert fields.date("day") == datetime.date(2018, 9, 4)
    assert fields.member("code", Code) is Code.EXPIRED
    assert fields.texts("tags", 2) == ("a", "b")
    assert fields.raws("roots", 2, size=2) == (b"12", b"34")
    assert fields.fields("inner").integer("n") == 1
    assert fields.choice("way", ("MX", "CA")) == "MX"
    fields.finish()


@pytest.mark.parametrize(
    ("value", "read", "message"),
    [
        (5, lambda f: f.text("x"), "form.x: expected text, got 5"),
        ("", lambda f: f.text("x"), "form.x: has 0 characters; it takes 1 to 256"),
        ("abc", lambda f: f.text("x", 2), "form.x: has 3 characters; it takes 1 to 2"),
        ("ab\n", lambda f: f.text("x", 9, "[a-z]+"), "form.x: 'ab\\n' does not have the form [a-z]+"),
        (
            "ab1",
            lambda f: f.text("x", 9, re.compile("[a-z]+")),
            "form.x: 'ab1' does not have the form [a-z]+",
        ),
        (True, lambda f: f.integer("x"), "form.x: expected an integer, got True"),
        (-1, lambda f: f.integer("x"), "form.x: -1 is outside 0 .. 18446744073709551615"),
        (10, lambda f: f.integer("x", 1, 9), "form.x: 10 is outside 1 .. 9"),
        (1, lambda f: f.boolean("x"), "form.x: expected true or false, got 1"),
        ("a", lambda f: f.raw("x"), "form.x: expected bytes, got 'a'"),
        (b"abc", lambda f: f.raw("x", size=2), "form.x: has 3 bytes; it takes exactly 2"),
        (b"abc", lambda f: f.raw("x", max_size=2), "form.x: has 3 bytes; it takes at most 2"),
        ({}, lambda f: f.items("x", 2), "form.x: expected a list, got a map of 0 fields"),
        ([1, 2, 3], lambda f: f.items("x", 2), "form.x: has 3 items; it takes 0 to 2"),
        ([], lambda f: f.items("x", 2, 1), "form.x: has 0 items; it takes 1 to 2"),
        ([1], lambda f: f.map("x"), "form.x: expected a map, got a list of 1 items"),
        (["a", 2], lambda f: f.texts("x", 2), "form.x[1]: expected text, got 2"),
        ([b"a"], lambda f: f.raws("x", 2, size=2), "form.x[0]: has 1 bytes; it takes exactly 2"),
        ("2018-9-4", lambda f: f.date("x"), "form.x: expected a date like 2018-09-04, got '2018-9-4'"),
        ("20180904", lambda f: f.date("x"), "form.x: expected a date like 2018-09-04, got '20180904'"),
        ("２018-09-04", lambda f: f.date("x"), "form.x: expected a date like 2018-09-04, got '２018-09-04'"),
        ("2018-02-30", lambda f: f.date("x"), "form.x: 2018-02-30 is no day of the calendar"),
        ("US", lambda f: f.choice("x", ("MX", "CA")), "form.x: expected one of MX, CA, got 'US'"),
        (
            ["MX"],
            lambda f: f.choice("x", ("MX", "CA")),
            "form.x: expected one of MX, CA, got a list of 1 items",
        ),
        (3, lambda f: f.fields("x"), "form.x: expected a map, got 3"),
        (3, lambda f: f.optional_text("x"), "form.x: expected text, got 3"),
        ("a", lambda f: f.optional_integer("x"), "form.x: expected an integer, got 'a'"),
        ("a", lambda f: f.optional_raw("x"), "form.x: expected bytes, got 'a'"),
        ("a", lambda f: f.optional_date("x"), "form.x: expected a date like 2018-09-04, got 'a'"),
        ("a", lambda f: f.optional_map("x"), "form.x: expected a map, got 'a'"),
        (False, lambda f: f.optional_map("x"), "form.x: expected a map, got False"),
    ],
)
def test_an_error_names_field_value_and_limit(
    value: Value, read: Callable[[Fields], object], message: str
) -> None:
    with pytest.raises(MalformedError) as caught:
        read(_fields(x=value))
    assert str(caught.value) == message


def test_a_missing_field_and_an_unknown_one_are_refused_by_name() -> None:
    with pytest.raises(MalformedError, match=r"form\.x: missing; it is required"):
        _fields().text("x")
    fields = _fields(x="a", zeta=1, alpha=2)
    fields.text("x")
    with pytest.raises(MalformedError, match="form: unknown field alpha, zeta; leave it out"):
        fields.finish()


def test_a_field_is_taken_once() -> None:
    fields = _fields(x="a")
    fields.text("x")
    with pytest.raises(MalformedError, match="missing"):
        fields.text("x")


@pytest.mark.parametrize("values", [{}, {"x": None}])
def test_an_optional_field_may_be_absent_or_null(values: dict[str, Value]) -> None:
    for read in (
        lambda f: f.optional_text("x"),
        lambda f: f.optional_integer("x"),
        lambda f: f.optional_raw("x"),
        lambda f: f.optional_date("x"),
        lambda f: f.optional_map("x"),
    ):
        fields = Fields(values, "form")
        assert read(fields) is None  # type: ignore[no-untyped-call]
        fields.finish()


def test_optional_fields_are_read_where_they_are_given() -> None:
    fields = _fields(t="a", n=0, r=b"", d="2018-09-04", m={})
    assert fields.optional_text("t") == "a"
    assert fields.optional_integer("n") == 0
    assert fields.optional_raw("r") == b""
    assert fields.optional_date("d") == datetime.date(2018, 9, 4)
    assert fields.optional_map("m") == {}
    fields.finish()


def test_the_decoded_map_itself_is_left_alone_and_long_values_are_cut() -> None:
    values: dict[str, Value] = {"x": "a" * 500}
    with pytest.raises(MalformedError) as caught:
        Fields(values, "form").integer("x")
    assert values == {"x": "a" * 500}
    assert len(str(caught.value)) < 120


def test_only_a_map_has_fields() -> None:
    with pytest.raises(MalformedError, match="form: expected a map, got null"):
        Fields(None, "form")
