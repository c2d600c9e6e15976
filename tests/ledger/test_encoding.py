"""One value, one byte string."""

from __future__ import annotations

import struct
from enum import StrEnum

import msgpack
import pytest

from ledger.encoding import DEPTH_MAX, check_text, decode, encode
from ledger.errors import EncodingError

LIMIT = 4096


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        0,
        -(2**63),
        2**64 - 1,
        "",
        "Señor Müller, 鉛筆",
        b"",
        b"\x00\xff",
        [],
        {},
        {"a": [1, None, {"b": b"x"}], "b": False},
        ["x" * 300, b"y" * 300, list(range(20)), {f"k{i:02}": i for i in range(20)}],
    ],
)
def test_a_value_comes_back_from_its_bytes(value: object) -> None:
    assert decode(encode(value), limit_bytes=LIMIT) == value


def test_map_keys_are_sorted_by_utf8_bytes_whatever_the_order_given() -> None:
    # U+FF5E sorts before U+1D400 in UTF-8, after it in UTF-16.
    data = encode({"b": 1, "\U0001d400": 4, "～": 3, "a": 0, "aa": 2})
    assert list(msgpack.unpackb(data)) == ["a", "aa", "b", "～", "\U0001d400"]
    assert data == encode({"～": 3, "aa": 2, "a": 0, "\U0001d400": 4, "b": 1})


def test_tuples_and_enums_encode_as_lists_and_text() -> None:
    class Color(StrEnum):
        RED = "red"

    assert encode({"x": (Color.RED, (1,))}) == encode({"x": ["red", [1]]})
    assert encode({Color.RED: 1}) == encode({"red": 1})


@pytest.mark.parametrize(
    "value", [1.0, float("nan"), 2**64, -(2**63) - 1, {1: 2}, {b"a": 1}, {None: 1}, object()]
)
def test_a_value_without_canonical_form_is_refused(value: object) -> None:
    with pytest.raises(EncodingError):
        encode(value)  # type: ignore[arg-type]
    with pytest.raises(EncodingError):
        encode([{"deep": value}])  # type: ignore[dict-item]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xc1",  # never used
        b"\xca" + struct.pack(">f", 1.0),
        b"\xcb" + struct.pack(">d", 1.0),
        b"\xd4\x01x",  # extension type 1
        b"\xd6\xff\x00\x00\x00\x00",  # timestamp
        b"\xcc\x01",  # 1 in two bytes
        b"\xd0\x01",  # 1 as a signed byte
        b"\xcf" + (1).to_bytes(8, "big"),
        b"\xd9\x01a",  # str8 where fixstr does
        b"\xc5\x00\x01a",  # bin16 where bin8 does
        b"\xdc\x00\x01\x01",  # array16 where fixarray does
        b"\xde\x00\x01\xa1a\x01",  # map16 where fixmap does
        b"\x82\xa1b\x01\xa1a\x02",  # keys out of order
        b"\x82\xa1a\x01\xa1a\x02",  # a key twice
        b"\x81\x01\x02",  # integer key
        b"\x81\xc4\x01a\x02",  # bin key
        b"\x81\x90\x02",  # list key
        b"\x81\xc0\x02",  # null key
        b"\x01\x01",  # something after it
        b"\x92\x01",  # something missing
        b"\xa1\xff",  # no UTF-8
        b"\xa3\xed\xa0\x80",  # a surrogate
        b"\xa3e\xcc\x81",  # e and a combining acute accent
        b"\xdf\xff\xff\xff\xff",  # four thousand million fields
        b"\xdd\xff\xff\xff\xff",
        b"\xc6\xff\xff\xff\xff",
    ],
)
def test_bytes_that_are_not_canonical_are_refused(data: bytes) -> None:
    with pytest.raises(EncodingError):
        decode(data, limit_bytes=LIMIT)


def test_the_size_limit_holds_exactly() -> None:
    data = encode(b"x" * 100)
    assert decode(data, limit_bytes=len(data)) == b"x" * 100
    with pytest.raises(EncodingError, match=r"102 bytes is over the limit of 101 bytes"):
        decode(data, limit_bytes=len(data) - 1)


def _nested(depth: int, kind: type) -> object:
    value: object = 1
    for _ in range(depth):
        value = [value] if kind is list else {"k": value}
    return value


@pytest.mark.parametrize("kind", [list, dict])
def test_nesting_is_limited_both_ways(kind: type) -> None:
    deepest = _nested(DEPTH_MAX, kind)
    assert decode(encode(deepest), limit_bytes=LIMIT) == deepest  # type: ignore[arg-type]
    with pytest.raises(EncodingError, match="nesting"):
        encode(_nested(DEPTH_MAX + 1, kind))  # type: ignore[arg-type]
    with pytest.raises(EncodingError, match="nesting"):
        decode(msgpack.packb(_nested(DEPTH_MAX + 1, kind)), limit_bytes=LIMIT)


@pytest.mark.parametrize("opening", [b"\x91", b"\x81\xa1k"])
def test_a_bomb_of_nesting_is_refused_and_not_recursed_into(opening: bytes) -> None:
    with pytest.raises(EncodingError):
        decode(opening * 100_000 + b"\x01", limit_bytes=1 << 20)


def test_a_list_that_holds_itself_is_refused() -> None:
    loop: list[object] = []
    loop.append(loop)
    with pytest.raises(EncodingError, match="nesting"):
        encode(loop)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [
        "e\u0301",  # not composed
        "\u212b",  # the angstrom sign composes to a letter
        "\u0378",  # not assigned
        "\u1e9e",  # capital sharp s, Unicode 5.1: unknown to 3.2
        "\U00016121\U0001611f",  # composes since Unicode 16, unknown before
        "\ud800",
    ],
)
def test_text_on_which_python_versions_could_differ_is_refused(text: str) -> None:
    for value in (text, [text], {text: 1}):
        with pytest.raises(EncodingError):
            encode(value)
        with pytest.raises(EncodingError):
            decode(msgpack.packb(value, unicode_errors="surrogatepass"), limit_bytes=LIMIT)


def test_the_error_names_the_character_and_the_remedy() -> None:
    with pytest.raises(EncodingError, match=r"U\+1E9E.*write it another way"):
        check_text("STRA\u1e9eE")
    with pytest.raises(EncodingError, match="normalize it first"):
        check_text("Jose\u0301")


def test_nothing_of_the_value_is_hashed_in_the_order_of_memory() -> None:
    # One content in two orders of insertion, its keys being text that hash randomization would shuffle.
    names = [f"name {i}" for i in range(100)]
    forward = {name: i for i, name in enumerate(names)}
    backward = {name: forward[name] for name in reversed(names)}
    assert encode(forward) == encode(backward)
