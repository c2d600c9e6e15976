"""Durations, spans, dates and moments."""

from __future__ import annotations

import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from scenarios.errors import RefusedError
from scenarios.model.units import Clock, Duration, Span, parse_date, parse_duration, parse_moment

NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("text", "ms"),
    [("250ms", 250), ("5s", 5000), ("10min", 600_000), ("2h", 7_200_000), ("30d", 2_592_000_000), ("0s", 0)],
)
def test_a_duration_has_a_unit(text: str, ms: int) -> None:
    assert parse_duration(text).ms == ms


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("5", "write 5s"),
        ("-5s", "negative time"),
        ("5 s", "no duration"),
        ("1w", "no duration"),
        ("99999999d", "too long"),
    ],
)
def test_what_is_no_duration_is_refused_with_a_remedy(text: str, part: str) -> None:
    with pytest.raises(RefusedError, match=part):
        parse_duration(text)


@given(st.integers(0, 36_525 * 86_400_000))
def test_a_duration_prints_as_text_that_reads_back(ms: int) -> None:
    assert parse_duration(str(Duration(ms))) == Duration(ms)


def test_a_span_names_exactly_one_clock() -> None:
    assert Span.model_validate({"protocol": "5s"}).clock is Clock.PROTOCOL
    assert Span.model_validate({"calendar": "30d"}).duration == Duration(30 * 86_400_000)
    for wrong in ({}, {"protocol": "5s", "calendar": "1d"}, "5s"):
        with pytest.raises(ValidationError, match=r"write \{protocol: 5s\}"):
            Span.model_validate(wrong)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("2018-02-30", "impossible date"),
        ("2018-13-01", "impossible date"),
        ("2018-9-4", "no date"),
        ("04.09.2018", "no date"),
    ],
)
def test_impossible_dates_are_refused(text: str, part: str) -> None:
    with pytest.raises(RefusedError, match=part):
        parse_date(text)


def test_a_moment_is_local_without_an_offset_and_an_instant_with_one() -> None:
    utc = parse_moment("2018-09-04T14:00:00Z").ms(NEW_YORK)
    assert (
        datetime.datetime.fromtimestamp(utc / 1000, datetime.UTC).isoformat() == "2018-09-04T14:00:00+00:00"
    )
    assert parse_moment("2018-09-04T10:00:00").ms(NEW_YORK) == utc
    assert parse_moment("2018-09-04 10:00").ms(NEW_YORK) == utc
    assert parse_moment("2018-09-04T09:00:00-05:00").ms(NEW_YORK) == utc
    assert parse_moment("2018-12-04T10:00:00").ms(NEW_YORK) == parse_moment("2018-12-04T15:00:00Z").ms(
        NEW_YORK
    )


@pytest.mark.parametrize(
    ("text", "part"),
    [("2019-03-10T02:30:00", "does not exist in America/New_York"), ("2018-11-04T01:30:00", "exists twice")],
)
def test_a_local_time_that_the_clock_change_spoils_is_refused(text: str, part: str) -> None:
    with pytest.raises(RefusedError, match=part):
        parse_moment(text).ms(NEW_YORK)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("2018-09-04", "add a time"),
        ("2018-02-30T10:00:00", "impossible date"),
        ("2018-09-04T25:00:00", "impossible time"),
        ("noon", "no date with time"),
    ],
)
def test_what_is_no_moment_is_refused(text: str, part: str) -> None:
    with pytest.raises(RefusedError, match=part):
        parse_moment(text)
