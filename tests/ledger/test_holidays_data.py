"""Zone offsets and federal holidays, against what the calendar said."""

from __future__ import annotations

import datetime
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from ledger.errors import GenesisError
from ledger.holidays_data import calendar_data


def _ms(text: str) -> int:
    return int(datetime.datetime.fromisoformat(text).timestamp()) * 1000


def test_new_york_changes_its_clocks_at_two_in_the_morning() -> None:
    offsets, _ = calendar_data("America/New_York", 2018, 2018)
    assert offsets == (
        (_ms("2017-12-31T00:00:00+00:00"), -300),
        (_ms("2018-03-11T02:00:00-05:00"), -240),
        (_ms("2018-11-04T02:00:00-04:00"), -300),
    )


def test_a_zone_without_changes_has_one_offset() -> None:
    assert [offset for _, offset in calendar_data("Asia/Kolkata", 2018, 2019)[0]] == [330]


@pytest.mark.parametrize("zone", ["Africa/Casablanca", "Australia/Lord_Howe", "America/Mexico_City"])
def test_offsets_agree_with_the_zone_at_every_hour(zone: str) -> None:
    offsets, _ = calendar_data(zone, 2021, 2022)
    info = ZoneInfo(zone)
    moment = datetime.datetime(2021, 1, 1, tzinfo=datetime.UTC)
    while moment.year < 2023:
        at_ms = int(moment.timestamp()) * 1000
        offset = [minutes for from_ms, minutes in offsets if from_ms <= at_ms][-1]
        expected = moment.astimezone(info).utcoffset()
        assert expected == datetime.timedelta(minutes=offset)
        moment += datetime.timedelta(minutes=30)


def test_federal_holidays_of_2018_with_the_day_observed() -> None:
    _, holidays = calendar_data("America/New_York", 2018, 2018)
    assert holidays == (
        "2018-01-01", "2018-01-15", "2018-02-19", "2018-05-28", "2018-07-04", "2018-09-03", "2018-10-08",
        "2018-11-11", "2018-11-12", "2018-11-22", "2018-12-25",
    )  # fmt: skip


def test_a_new_years_day_observed_in_the_old_year_belongs_to_that_year() -> None:
    assert "2021-12-31" in calendar_data("America/New_York", 2021, 2021)[1]
    assert "2021-12-31" not in calendar_data("America/New_York", 2022, 2022)[1]


def test_genesis_takes_them_as_they_are(founders) -> None:
    offsets, holidays = calendar_data("America/New_York", 2018, 2020)
    genesis = replace(founders.genesis, zone="America/New_York", zone_offsets=offsets, holidays=holidays)
    assert genesis.zone_offsets == offsets


@pytest.mark.parametrize(("first", "last"), [(2019, 2018), (1900, 2018), (2018, 3000)])
def test_years_out_of_order_or_range_are_refused(first: int, last: int) -> None:
    with pytest.raises(GenesisError, match=r"are out of order or outside 1971 \.\. 2100"):
        calendar_data("America/New_York", first, last)


@pytest.mark.parametrize("zone", ["America/Atlantis", "../etc/passwd", ""])
def test_an_unknown_zone_is_refused_with_an_example(zone: str) -> None:
    with pytest.raises(GenesisError, match="use an IANA name such as America/New_York"):
        calendar_data(zone, 2018, 2018)
