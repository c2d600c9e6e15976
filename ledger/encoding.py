"""The canonical encoding: one value, one byte string.

Rules:
- A value is `None`, a boolean, an integer, text, bytes, a list of values, or a map from text to values; no
  floats, no extension types, no other keys.
- The bytes are msgpack in its shortest forms; `bytes` are bin; map keys stand in the order of their UTF-8
  bytes, each once.
- Integers lie within -2**63 .. 2**64 - 1.
- Text is in Unicode normalization form C and holds only characters that Unicode 3.2 knew. Unicode promises
  that their normalization never changes, so nodes on different Python versions agree on every text (RFC 3454
  rests on the same version for the same reason).
- Nesting is at most `DEPTH_MAX`; every decoding has a size limit.
- Decoding encodes again and refuses bytes that differ.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import TypeAlias, cast

import msgpack

from ledger.errors import EncodingError

Value: TypeAlias = "bool | int | str | bytes | list[Value] | dict[str, Value] | None"
"""What decoding returns."""

Encodable: TypeAlias = "bool | int | str | bytes | Sequence[Encodable] | Mapping[str, Encodable] | None"
"""What encoding accepts: a `Value`, with tuples for lists and any mapping for a map."""

DEPTH_MAX = 16
INTEGER_MIN = -(2**63)
INTEGER_MAX = 2**64 - 1

_AS_IS = frozenset({bytes, bool, type(None)})
"""The types whose every value is its own canonical form."""

_pack = msgpack.Packer(autoreset=True).pack
_unpack = msgpack.unpackb
_unicode_3_2 = unicodedata.ucd_3_2_0


def encode(value: Encodable) -> bytes:
    """Return the canonical bytes of `value`.

    Args:
        value: what to encode; a member of a `StrEnum` counts as its text.

    Raises:
        EncodingError: if the value has no canonical form.
    """
    return cast(bytes, _pack(_canonical(value, 0)))


def decode(data: bytes, *, limit_bytes: int) -> Value:
    """Return the value whose canonical bytes are `data`.

    Args:
        data: the whole encoding, nothing before or after it.
        limit_bytes: the largest length that is looked at.

    Raises:
        EncodingError: if `data` is longer than the limit or not the canonical form of any value.
    """
    if len(data) > limit_bytes:
        raise EncodingError(f"an encoding of {len(data)} bytes is over the limit of {limit_bytes} bytes")
    try:
        value = _unpack(data)
    except (ValueError, TypeError, RecursionError) as error:
        raise EncodingError(
            f"not msgpack of the canonical kind: {str(error) or type(error).__name__}"
        ) from error
    _check(value, 0)
    if _pack(value) != data:
        raise EncodingError("the bytes are not the canonical form: encoding their value again gives others")
    return cast(Value, value)


def check_text(text: str) -> None:
    """Refuse text outside the canonical form.

    Raises:
        EncodingError: if `text` is not in NFC, or has a surrogate or a character unknown to Unicode 3.2.
    """
    if text.isascii():
        return
    for character in text:
        if _unicode_3_2.category(character) in {"Cn", "Cs"}:
            raise EncodingError(
                f"text {_short(text)} has U+{ord(character):04X}, which Unicode 3.2 does not know; "
                "leave it out or write it another way"
            )
    if not unicodedata.is_normalized("NFC", text):
        raise EncodingError(f"text {_short(text)} is not in normalization form C; normalize it first")


def _canonical(value: object, depth: int) -> object:
    """Return `value` with sorted maps, having checked all of it but the sizes of integers in collections."""
    kind = type(value)
    if type(value) is str:
        if not value.isascii():
            check_text(value)
        return value
    if kind in _AS_IS:
        return value
    if type(value) is int:
        return _check_integer(value)
    if depth == DEPTH_MAX:
        raise EncodingError(f"nesting is deeper than the limit of {DEPTH_MAX}")
    depth += 1
    if type(value) is list or type(value) is tuple:
        return [item if type(item) in _AS_IS else _canonical(item, depth) for item in value]
    if isinstance(value, Mapping):
        _check_keys(value)
        return {
            str(key): item if type(item := value[key]) in _AS_IS else _canonical(item, depth)
            for key in sorted(value)
        }
    if isinstance(value, str):  # an enum's member
        return _canonical(str.__str__(value), depth)
    raise EncodingError(f"{_short(value)} is a {kind.__name__}, which has no canonical form")


def _check(value: object, depth: int) -> None:
    """Refuse a decoded value with anything that encoding would refuse or put in another order."""
    items: Iterable[object]
    if type(value) is dict:
        _check_keys(value)
        keys = list(value)
        if keys != sorted(keys):
            before, key = next((a, b) for a, b in pairwise(keys) if b <= a)
            raise EncodingError(f"map key {_short(key)} stands after {_short(before)}; keys must be sorted")
        items = value.values()
    elif type(value) is list:
        items = value
    else:
        _check_plain(value)
        return
    if depth == DEPTH_MAX:
        raise EncodingError(f"nesting is deeper than the limit of {DEPTH_MAX}")
    for item in items:
        kind = type(item)
        if kind is dict or kind is list:
            _check(item, depth + 1)
        elif kind not in _AS_IS:
            _check_plain(item)


def _check_plain(value: object) -> None:
    """Refuse a decoded value that is no collection and has no canonical form."""
    if type(value) is str:
        if not value.isascii():
            check_text(value)
    elif type(value) is not int and type(value) not in _AS_IS:
        raise EncodingError(f"{_short(value)} is a {type(value).__name__}, which has no canonical form")


def _check_keys(fields: Mapping[object, object]) -> None:
    """Refuse a map with a key that is no canonical text."""
    try:
        # One pass in C over all keys: nearly every map has short ASCII names alone.
        is_ascii = "".join(cast("Mapping[str, object]", fields)).isascii()
    except TypeError:
        key = next(key for key in fields if not isinstance(key, str))
        raise EncodingError(f"map key {_short(key)} is no text") from None
    if not is_ascii:
        for key in fields:
            check_text(cast(str, key))


def _check_integer(value: int) -> int:
    if not INTEGER_MIN <= value <= INTEGER_MAX:
        raise EncodingError(f"integer {value} is outside {INTEGER_MIN} .. {INTEGER_MAX}")
    return value


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
