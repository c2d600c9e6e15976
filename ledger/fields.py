"""Typed reading of decoded maps.

Rules:
- Every field is read with its type and its bounds; whoever reads a map ends with `finish`, which refuses what
  was not asked for.
- An error names the field by its whole path, the value, the limit, and so what to change.
- An optional field may be absent or null; both mean the same.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable
from enum import StrEnum
from typing import NoReturn, TypeVar

from ledger.encoding import INTEGER_MAX, Value
from ledger.errors import MalformedError

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)

EnumT = TypeVar("EnumT", bound=StrEnum)


class Fields:
    """The fields of one map, each taken at most once.

    Args:
        value: the decoded map.
        where: the path that errors name, such as `transaction.body`.

    Raises:
        MalformedError: if `value` is no map.
    """

    __slots__ = ("_left", "_where")

    def __init__(self, value: Value, where: str) -> None:
        if type(value) is not dict:
            raise MalformedError(f"{where}: expected a map, got {describe(value)}")
        self._where = where
        self._left: dict[str, Value] = dict(value)

    def text(
        self,
        name: str,
        max_length: int = 256,
        pattern: re.Pattern[str] | str | None = None,
        min_length: int = 1,
    ) -> str:
        """Take text of `min_length` to `max_length` characters that matches all of `pattern`."""
        return self._text(name, self._take(name), max_length, pattern, min_length)

    def optional_text(
        self,
        name: str,
        max_length: int = 256,
        pattern: re.Pattern[str] | str | None = None,
        min_length: int = 1,
    ) -> str | None:
        """Take text as `text` does, or None."""
        value = self._left.pop(name, None)
        return None if value is None else self._text(name, value, max_length, pattern, min_length)

    def integer(self, name: str, minimum: int = 0, maximum: int = INTEGER_MAX) -> int:
        """Take an integer from `minimum` to `maximum`."""
        return self._integer(name, self._take(name), minimum, maximum)

    def optional_integer(self, name: str, minimum: int = 0, maximum: int = INTEGER_MAX) -> int | None:
        """Take an integer as `integer` does, or None."""
        value = self._left.pop(name, None)
        return None if value is None else self._integer(name, value, minimum, maximum)

    def boolean(self, name: str) -> bool:
        """Take true or false."""
        value = self._take(name)
        if type(value) is not bool:
            self.refuse(name, f"expected true or false, got {describe(value)}")
        return value

    def raw(self, name: str, size: int | None = None, max_size: int | None = None) -> bytes:
        """Take exactly `size` bytes, or at most `max_size`."""
        return self._raw(name, self._take(name), size, max_size)

    def optional_raw(self, name: str, size: int | None = None, max_size: int | None = None) -> bytes | None:
        """Take bytes as `raw` does, or None."""
        value = self._left.pop(name, None)
        return None if value is None else self._raw(name, value, size, max_size)

    def items(self, name: str, max_items: int, min_items: int = 0) -> list[Value]:
        """Take a list of `min_items` to `max_items` values."""
        value = self._take(name)
        if type(value) is not list:
            self.refuse(name, f"expected a list, got {describe(value)}")
        if not min_items <= len(value) <= max_items:
            self.refuse(name, f"has {len(value)} items; it takes {min_items} to {max_items}")
        return value

    def texts(self, name: str, max_items: int, max_length: int = 256, min_items: int = 0) -> tuple[str, ...]:
        """Take a list of texts, each of 1 to `max_length` characters."""
        items = self.items(name, max_items, min_items)
        return tuple(self._text(f"{name}[{i}]", item, max_length, None, 1) for i, item in enumerate(items))

    def raws(self, name: str, max_items: int, size: int, min_items: int = 0) -> tuple[bytes, ...]:
        """Take a list of byte strings, each of exactly `size` bytes."""
        items = self.items(name, max_items, min_items)
        return tuple(self._raw(f"{name}[{i}]", item, size, None) for i, item in enumerate(items))

    def map(self, name: str) -> dict[str, Value]:
        """Take a map."""
        value = self._take(name)
        if type(value) is not dict:
            self.refuse(name, f"expected a map, got {describe(value)}")
        return value

    def optional_map(self, name: str) -> dict[str, Value] | None:
        """Take a map, or None."""
        return None if self._left.get(name) is None and self._left.pop(name, None) is None else self.map(name)

    def fields(self, name: str) -> Fields:
        """Take a map, to be read field by field."""
        return Fields(self._take(name), f"{self._where}.{name}")

    def date(self, name: str) -> datetime.date:
        """Take a date written like 2018-09-04."""
        return self._date(name, self._take(name))

    def optional_date(self, name: str) -> datetime.date | None:
        """Take a date as `date` does, or None."""
        value = self._left.pop(name, None)
        return None if value is None else self._date(name, value)

    def choice(self, name: str, choices: Iterable[str]) -> str:
        """Take one of the texts in `choices`."""
        value = self._take(name)
        allowed = tuple(choices)
        if type(value) is not str or value not in allowed:
            self.refuse(name, f"expected one of {', '.join(allowed)}, got {describe(value)}")
        return value

    def member(self, name: str, enum: type[EnumT]) -> EnumT:
        """Take a member of `enum` by its value."""
        return enum(self.choice(name, [member.value for member in enum]))

    def finish(self) -> None:
        """Refuse fields that nobody took."""
        if self._left:
            names = ", ".join(sorted(self._left)[:5])
            raise MalformedError(f"{self._where}: unknown field {names}; leave it out")

    def refuse(self, name: str, reason: str) -> NoReturn:
        """Raise the error that says what is wrong with a field."""
        raise MalformedError(f"{self._where}.{name}: {reason}")

    def _take(self, name: str) -> Value:
        try:
            return self._left.pop(name)
        except KeyError:
            self.refuse(name, "missing; it is required")

    def _text(
        self, name: str, value: Value, max_length: int, pattern: re.Pattern[str] | str | None, min_length: int
    ) -> str:
        if type(value) is not str:
            self.refuse(name, f"expected text, got {describe(value)}")
        if not min_length <= len(value) <= max_length:
            self.refuse(name, f"has {len(value)} characters; it takes {min_length} to {max_length}")
        if pattern is not None:
            shape = re.compile(pattern) if isinstance(pattern, str) else pattern
            if shape.fullmatch(value) is None:
                self.refuse(name, f"{describe(value)} does not have the form {shape.pattern}")
        return value

    def _integer(self, name: str, value: Value, minimum: int, maximum: int) -> int:
        if type(value) is not int:
            self.refuse(name, f"expected an integer, got {describe(value)}")
        if not minimum <= value <= maximum:
            self.refuse(name, f"{value} is outside {minimum} .. {maximum}")
        return value

    def _raw(self, name: str, value: Value, size: int | None, max_size: int | None) -> bytes:
        if type(value) is not bytes:
            self.refuse(name, f"expected bytes, got {describe(value)}")
        if size is not None and len(value) != size:
            self.refuse(name, f"has {len(value)} bytes; it takes exactly {size}")
        if max_size is not None and len(value) > max_size:
            self.refuse(name, f"has {len(value)} bytes; it takes at most {max_size}")
        return value

    def _date(self, name: str, value: Value) -> datetime.date:
        if type(value) is not str or _DATE.fullmatch(value) is None:
            self.refuse(name, f"expected a date like 2018-09-04, got {describe(value)}")
        try:
            return datetime.date.fromisoformat(value)
        except ValueError:
            self.refuse(name, f"{value} is no day of the calendar")


def describe(value: Value) -> str:
    """Return a short form of a value for an error message."""
    if type(value) is bytes:
        return f"{len(value)} bytes"
    if type(value) is dict:
        return f"a map of {len(value)} fields"
    if type(value) is list:
        return f"a list of {len(value)} items"
    text = "null" if value is None else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
