"""How legal dates are counted."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.contracts import (
    LegalCalendar,
    anniversary,
    certificate_valid_until,
    correction_due_on,
    last_day_of_period,
    post_claim_due_on,
    summary_due_on,
)
from ledger.contracts.parameters import LEGAL_DATE_FIRST, LEGAL_DATE_LAST
from ledger.genesis import TIME_MS_MAX, Genesis

legal_dates = st.dates(LEGAL_DATE_FIRST, LEGAL_DATE_LAST)


def day(text: str) -> datetime.date:
    return datetime.date.fromisoformat(text)


@pytest.fixture(scope="module")
def washington(pilot_genesis: Genesis) -> LegalCalendar:
    return LegalCalendar.of(pilot_genesis)


@pytest.mark.parametrize(
    ("entry_on", "due_on"),
    [
        ("2018-08-14", "2018-08-28"),  # no holiday
        ("2018-08-28", "2018-09-12"),  # Labor Day, 3 September 2018
        ("2018-08-20", "2018-09-04"),  # the tenth day would be Labor Day itself
        ("2018-09-25", "2018-10-10"),  # Columbus Day, 8 October 2018
        ("2018-09-24", "2018-10-09"),  # the tenth day would be Columbus Day itself
        ("2018-12-20", "2019-01-07"),  # Christmas and New Year
        ("2018-09-01", "2018-09-17"),  # entered on a Saturday, over Labor Day
    ],
)
def test_a_summary_is_due_ten_working_days_after_entry(
    washington: LegalCalendar, entry_on: str, due_on: str
) -> None:
    assert summary_due_on(day(entry_on), washington) == day(due_on)


@pytest.mark.parametrize(
    ("import_on", "due_on"),
    [
        ("2018-09-18", "2019-09-18"),
        ("2019-03-01", "2020-03-01"),  # 366 days, over 29 February
        ("2019-02-28", "2020-02-28"),
        ("2020-02-29", "2021-02-28"),
        ("2020-02-28", "2021-02-28"),
    ],
)
def test_a_post_importation_claim_is_due_on_the_anniversary(import_on: str, due_on: str) -> None:
    assert post_claim_due_on(day(import_on)) == day(due_on)


def test_a_certificate_is_accepted_for_four_years_and_a_correction_for_thirty_days() -> None:
    assert certificate_valid_until(day("2018-09-04")) == day("2022-09-04")
    assert certificate_valid_until(day("2016-02-29")) == day("2020-02-29")
    assert correction_due_on(day("2018-09-04")) == day("2018-10-04")


@pytest.mark.parametrize(
    ("first", "last"),
    [
        ("2018-09-04", "2019-09-03"),
        ("2018-01-01", "2018-12-31"),
        ("2019-03-01", "2020-02-29"),
        ("2020-02-29", "2021-02-28"),
        ("2018-03-01", "2019-02-28"),
    ],
)
def test_twelve_months_that_cover_both_ends(first: str, last: str) -> None:
    assert last_day_of_period(day(first), 12) == day(last)


def test_a_block_belongs_to_the_day_in_the_networks_zone(washington: LegalCalendar) -> None:
    midnight_edt_ms = 1_536_033_600_000  # 2018-09-04 04:00 UTC
    assert washington.legal_date(midnight_edt_ms - 1) == day("2018-09-03")
    assert washington.legal_date(midnight_edt_ms) == day("2018-09-04")
    midnight_est_ms = 1_546_318_800_000  # 2019-01-01 05:00 UTC
    assert washington.legal_date(midnight_est_ms - 1) == day("2018-12-31")
    assert washington.legal_date(midnight_est_ms) == day("2019-01-01")


@given(st.integers(0, TIME_MS_MAX))
def test_every_block_time_has_a_legal_date(time_ms: int) -> None:
    for offset_minutes in (-14 * 60, 0, 14 * 60):
        LegalCalendar(((0, offset_minutes),), ()).legal_date(time_ms)


@given(legal_dates)
def test_every_declared_date_has_its_deadlines(declared: datetime.date) -> None:
    calendar = LegalCalendar(((0, 0),), ())
    assert summary_due_on(declared, calendar) >= declared + datetime.timedelta(12)
    assert post_claim_due_on(declared) >= declared + datetime.timedelta(365)
    assert certificate_valid_until(declared) >= declared + datetime.timedelta(1460)
    assert correction_due_on(declared) == declared + datetime.timedelta(30)


@given(legal_dates, st.integers(0, 5))
def test_an_anniversary_never_leaves_its_month(declared: datetime.date, years: int) -> None:
    later = anniversary(declared, years)
    assert (later.year, later.month) == (declared.year + years, declared.month)
    assert later.day == declared.day or (declared.month, declared.day, later.day) == (2, 29, 28)


@given(legal_dates)
def test_a_twelve_month_period_ends_the_day_before_the_next_one_begins(first: datetime.date) -> None:
    after = last_day_of_period(first, 12) + datetime.timedelta(1)
    assert after in {anniversary(first, 1), anniversary(first, 1) + datetime.timedelta(1)}
