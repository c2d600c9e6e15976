"""Texts of a scenario that stand for a quantity: durations, spans on a clock, dates and moments.

Rules:
- A duration has a unit: `250ms`, `5s`, `10min`, `2h`, `30d`. A day is 24 hours.
- A span says which clock it is on: `{protocol: 5s}` (Raft and gossip) or `{calendar: 30d}` (trade).
- A moment with `Z` or an offset is that instant; without, it is local time in the scenario's zone. A local
  time that the zone skips or has twice is refused, not guessed.
- Impossible dates are refused by name; nothing is rolled over into the next month.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticKnownError, core_schema

from scenarios.errors import RefusedError

UNITS_MS = {"ms": 1, "s": 1000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}
HOUR_MS = UNITS_MS["h"]
DAY_MS = UNITS_MS["d"]
DURATION_MS_MAX = 36_525 * UNITS_MS["d"]

_DURATION = re.compile(r"([0-9]{1,15})(ms|s|min|h|d)")
_NUMBER = re.compile(r"-?[0-9.]+")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(r"([0-9-]{10})[T ]([0-9]{2}:[0-9]{2}(?::[0-9]{2})?)(Z|[+-][0-9]{2}:[0-9]{2})?")
_UTC = datetime.UTC
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=_UTC)
_MILLISECOND = datetime.timedelta(milliseconds=1)


class Record(BaseModel):
    """A mapping of a scenario file: strict, closed and frozen."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


@dataclass(frozen=True, slots=True, eq=False)  # schemas are dicts: compared by identity
class Text:
    """Marks a field that is text in the file and a typed value in the model.

    Args:
        parse: Makes the value; raises `RefusedError`.
        schema: JSON Schema of the text.
        other: Makes the refusal of something that is no text; by default the reader says "quote it".
    """

    parse: Callable[[str], object]
    schema: Mapping[str, str | list[str]]
    other: Callable[[object], RefusedError] | None = None

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Validate by `parse`, serialize by `str`."""
        return core_schema.no_info_plain_validator_function(
            self._validate, serialization=core_schema.to_string_ser_schema()
        )

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Return the JSON Schema of the text."""
        return {"type": "string", **self.schema}

    def _validate(self, value: object) -> object:
        if isinstance(value, str):
            return self.parse(value)
        if self.other is not None:
            raise self.other(value)
        raise PydanticKnownError("string_type")


@dataclass(frozen=True, slots=True, order=True)
class Duration:
    """A length of time in whole milliseconds."""

    ms: int

    def __str__(self) -> str:
        for unit in ("d", "h", "min", "s"):
            if self.ms and self.ms % UNITS_MS[unit] == 0:
                return f"{self.ms // UNITS_MS[unit]}{unit}"
        return f"{self.ms}ms"

    @property
    def ns(self) -> int:
        """The same in nanoseconds."""
        return self.ms * 1_000_000


_DURATION_LIMIT = "a whole number with a unit of ms, s, min, h or d"


def parse_duration(text: str) -> Duration:
    """Return the duration that `5s`, `250ms`, `10min`, `2h` or `30d` stands for.

    Raises:
        RefusedError: The text is no duration, negative, or longer than a hundred years.
    """
    match = _DURATION.fullmatch(text)
    if match is None:
        if text.startswith("-"):
            raise RefusedError(f'"{text}" is a negative time', _DURATION_LIMIT, "time runs forward")
        remedy = f"write {text}s for seconds" if _NUMBER.fullmatch(text) else "write it like 5s or 30d"
        raise RefusedError(f'"{text}" is no duration', _DURATION_LIMIT, remedy)
    duration = Duration(int(match[1]) * UNITS_MS[match[2]])
    if duration.ms > DURATION_MS_MAX:
        raise RefusedError(f'"{text}" is too long', f"at most {Duration(DURATION_MS_MAX)}", "shorten it")
    return duration


def no_unit(value: object) -> RefusedError:
    """Return the refusal of something that stands where a duration is wanted and is no text."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        if value < 0:
            return RefusedError(f"{value} is a negative time", _DURATION_LIMIT, "time runs forward")
        return RefusedError(f"{value} has no unit", _DURATION_LIMIT, f"write {value}s for seconds")
    return RefusedError("is no duration", _DURATION_LIMIT, "write it like 5s or 30d")


DurationText = Annotated[
    Duration, Text(parse_duration, {"pattern": r"^[0-9]+(ms|s|min|h|d)$", "examples": ["5s"]}, no_unit)
]


def parse_date(text: str) -> datetime.date:
    """Return the day that `2018-09-04` stands for.

    Raises:
        RefusedError: The text has another form, or there is no such day.
    """
    if not _DATE.fullmatch(text):
        raise RefusedError(f'"{text}" is no date', "a day is written YYYY-MM-DD", "write it like 2018-09-04")
    try:
        return datetime.date.fromisoformat(text)
    except ValueError as error:
        raise RefusedError(f'"{text}" is an impossible date', f"{error}", "name a day that exists") from error


DateText = Annotated[datetime.date, Text(parse_date, {"format": "date"})]


@dataclass(frozen=True, slots=True)
class Moment:
    """A point on the calendar as written: an instant, or a local time still waiting for its zone."""

    text: str
    time: datetime.datetime

    def __str__(self) -> str:
        return self.text

    def ms(self, zone: ZoneInfo) -> int:
        """Return the moment in UTC milliseconds since the epoch.

        Raises:
            RefusedError: A local time that `zone` skips or has twice.
        """
        if self.time.tzinfo is not None:
            return (self.time - _EPOCH) // _MILLISECOND
        early, late = (self.time.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
        if early.utcoffset() != late.utcoffset():
            back = early.astimezone(_UTC).astimezone(zone).replace(tzinfo=None)
            fate = "exists twice" if back == self.time else "does not exist"
            remedy = f"add an offset, such as {self.text}-05:00"
            raise RefusedError(f'"{self.text}" {fate} in {zone.key}', "clocks change there", remedy)
        return (early.astimezone(_UTC) - _EPOCH) // _MILLISECOND


def parse_moment(text: str) -> Moment:
    """Return the moment that `2018-09-04T10:00:00`, with or without `Z` or an offset, stands for.

    Raises:
        RefusedError: The text has another form, or there is no such day or time.
    """
    match = _MOMENT.fullmatch(text)
    if match is None:
        remedy = (
            f"add a time: {text}T09:00:00" if _DATE.fullmatch(text) else "write it like 2018-09-04T10:00:00"
        )
        raise RefusedError(f'"{text}" is no date with time', "written YYYY-MM-DDTHH:MM:SS", remedy)
    parse_date(match[1])
    try:
        return Moment(text, datetime.datetime.fromisoformat(text))
    except ValueError as error:
        raise RefusedError(
            f'"{text}" is an impossible time', f"{error}", "name a time that exists"
        ) from error


MomentText = Annotated[
    Moment,
    Text(parse_moment, {"pattern": r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2})?(Z|[+-]\d{2}:\d{2})?$"}),
]


class Clock(StrEnum):
    """Which of a trial's two clocks a time is on."""

    PROTOCOL = "protocol"
    CALENDAR = "calendar"


def _one_clock(value: object, remedy: str) -> object:
    """Refuse anything but a mapping with one of the two clocks."""
    if not isinstance(value, Mapping):
        raise RefusedError(f'"{value}" names no clock', "which clock runs it must be said", remedy)
    if sum(value.get(clock) is not None for clock in Clock) != 1 and set(value) <= set(Clock):
        raise RefusedError("must name one clock", "protocol or calendar", remedy)
    return value


def _span(value: object) -> object:
    return _one_clock(value, "write {protocol: 5s} or {calendar: 30d}")


def _start(value: object) -> object:
    if isinstance(value, str) and _DATE_FIRST.match(value):
        return _one_clock(value, f'write {{calendar: "{value}"}}')
    return _one_clock(value, 'write {protocol: 5s} or {calendar: "2018-10-01T10:00:00"}')


_DATE_FIRST = re.compile(r"\d{4}-\d{2}-\d{2}")


class Span(Record):
    """A length of time on one of the two clocks."""

    protocol: DurationText | None = Field(None, description="On the clock of Raft and gossip, such as 5s.")
    calendar: DurationText | None = Field(None, description="On the calendar of trade, such as 30d.")

    _check = model_validator(mode="before")(_span)

    @property
    def clock(self) -> Clock:
        """The clock it is on."""
        return Clock.PROTOCOL if self.protocol is not None else Clock.CALENDAR

    @property
    def duration(self) -> Duration:
        """How long it is."""
        duration = self.protocol if self.protocol is not None else self.calendar
        assert duration is not None  # noqa: S101  validation saw to it
        return duration

    def __str__(self) -> str:
        return f"{self.duration} of {self.clock}"


class Start(Record):
    """A point in time on one of the two clocks."""

    protocol: DurationText | None = Field(None, description="After the start of the trade phase, such as 3s.")
    calendar: MomentText | None = Field(None, description='At this moment, such as "2018-10-01T10:00:00".')

    _check = model_validator(mode="before")(_start)

    def __str__(self) -> str:
        if self.protocol is not None:
            return f"{self.protocol} after the start"
        return str(self.calendar)


def _ordered(range_ms: tuple[int, int]) -> tuple[int, int]:
    low, high = range_ms
    if low > high:
        raise RefusedError(f"[{low}, {high}] is no range", "the lower end first", f"write [{high}, {low}]")
    return range_ms


_Milliseconds = Annotated[int, Field(ge=0, le=60_000)]
RangeMs = Annotated[tuple[_Milliseconds, _Milliseconds], AfterValidator(_ordered)]
"""Lowest and highest of something in milliseconds, up to a minute."""
