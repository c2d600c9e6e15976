"""The canonical encoding under values and bytes that nobody chose."""

from __future__ import annotations

import unicodedata

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.encoding import DEPTH_MAX, Value, check_text, decode, encode
from ledger.errors import EncodingError, MalformedError
from ledger.transaction import parse_transaction

pytestmark = pytest.mark.slow
any_time = settings(deadline=None)  # a busy machine is no failure

LIMIT = 1 << 16


def _is_canonical(text: str) -> bool:
    try:
        check_text(text)
    except EncodingError:
        return False
    return True


texts = st.text(max_size=12).map(lambda text: unicodedata.normalize("NFC", text)).filter(_is_canonical)
values: st.SearchStrategy[Value] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | texts | st.binary(max_size=40),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(texts, inner, max_size=5),
    max_leaves=20,
).filter(lambda value: _depth(value) <= DEPTH_MAX)


def _depth(value: Value) -> int:
    if isinstance(value, dict):
        return 1 + max(map(_depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(_depth, value), default=0)
    return 0


def _shuffled(value: Value) -> Value:
    """Return the same value with its maps built in the opposite order."""
    if isinstance(value, dict):
        return {key: _shuffled(value[key]) for key in reversed(value)}
    if isinstance(value, list):
        return [_shuffled(item) for item in value]
    return value


@any_time
@given(values)
def test_decoding_undoes_encoding(value: Value) -> None:
    again = decode(encode(value), limit_bytes=LIMIT)
    assert again == value
    assert encode(again) == encode(value)


@any_time
@given(values)
def test_the_order_in_which_a_map_was_built_does_not_show(value: Value) -> None:
    assert encode(_shuffled(value)) == encode(value)


@any_time
@given(values, values)
def test_values_with_the_same_bytes_are_the_same_value(left: Value, right: Value) -> None:
    # Python holds 1 == True; their bytes differ, as they must.
    if encode(left) == encode(right):
        assert left == right


@any_time
@given(values, st.data())
def test_changed_bytes_are_refused_or_mean_another_value(value: Value, data: st.DataObject) -> None:
    good = bytearray(encode(value))
    position = data.draw(st.integers(0, len(good) - 1))
    good[position] ^= data.draw(st.integers(1, 255))
    changed = bytes(good)
    try:
        other = decode(changed, limit_bytes=LIMIT)
    except EncodingError:
        return
    assert encode(other) == changed != encode(value)


@any_time
@given(values, st.binary(min_size=1, max_size=4))
def test_bytes_before_or_after_or_missing_are_refused_or_mean_another_value(
    value: Value, extra: bytes
) -> None:
    good = encode(value)
    for changed in (good + extra, extra + good, good[:-1]):
        try:
            other = decode(changed, limit_bytes=LIMIT)
        except EncodingError:
            continue
        assert encode(other) == changed


@any_time
@given(st.binary(max_size=200))
def test_any_bytes_decode_to_their_value_or_are_refused(data: bytes) -> None:
    try:
        value = decode(data, limit_bytes=LIMIT)
    except EncodingError:
        return
    assert encode(value) == data


messy = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.text(max_size=5)
    | st.binary(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=3) | st.integers(0, 5) | st.binary(max_size=3), inner, max_size=4)
    ),
    max_leaves=12,
)


@any_time
@given(messy)
def test_what_msgpack_writes_is_accepted_only_where_it_is_canonical(value: object) -> None:
    data = msgpack.packb(value, unicode_errors="surrogatepass")
    try:
        again = decode(data, limit_bytes=LIMIT)
    except EncodingError:
        return
    assert encode(again) == data


@any_time
@given(
    st.binary(max_size=300) | messy.map(lambda value: msgpack.packb(value, unicode_errors="surrogatepass"))
)
def test_whatever_arrives_as_a_transaction_is_parsed_or_malformed(raw: bytes) -> None:
    try:
        parse_transaction(raw, LIMIT)
    except MalformedError:
        return
