"""Legal dates and how they are counted.

Rules:
- A legal date is a day in the network's zone; its offsets and holidays come from genesis, never from the
  host.
- Calendar days count every day after the first; the day of the event is day 0.
- Working days are Monday to Friday but for the federal holidays in genesis; the day of the event is day 0.
- An anniversary is the same day and month; that of 29 February in a common year is 28 February (our reading:
  the corresponding day is missing, so the period ends with the month).
- A period of n months that covers both its ends lasts to the day before the corresponding day; where that
  month has no corresponding day, to the month's end.
- Months after a day end on the corresponding day, or with the month where it has none.
- All of it is defined for every block time and for every date a body may declare: nothing here raises.
"""

from __future__ import annotations

import calendar
import datetime
from bisect import bisect_right
from collections.abc import Iterable

from ledger.genesis import Genesis

DAY_MS = 86_400_000
MINUTE_MS = 60_000
_EPOCH_ORDINAL = datetime.date(1970, 1, 1).toordinal()
_LAST_ORDINAL = datetime.date.max.toordinal()
_SATURDAY = 5


def add_calendar_days(day: datetime.date, count: int) -> datetime.date:
    """Return the day `count` calendar days after `day`."""
    return day + datetime.timedelta(days=count)


def anniversary(day: datetime.date, years: int) -> datetime.date:
    """Return the same day and month `years` years later; 28 February for 29 February in a common year."""
    return _clamped(day.year + years, day.month, day.day)


def add_months(day: datetime.date, months: int) -> datetime.date:
    """Return the corresponding day `months` months later; the month's end where it has no such day."""
    year, month = divmod(day.year * 12 + (day.month - 1) + months, 12)
    return _clamped(year, month + 1, day.day)


def last_day_of_period(first: datetime.date, months: int) -> datetime.date:
    """Return the last day of a period of `months` months that begins with, and covers, `first`."""
    index = first.year * 12 + (first.month - 1) + months
    year, month = divmod(index, 12)
    corresponding = _clamped(year, month + 1, first.day)
    if corresponding.day != first.day:
        return corresponding
    return corresponding - datetime.timedelta(days=1)


def _clamped(year: int, month: int, day: int) -> datetime.date:
    return datetime.date(year, month, min(day, calendar.monthrange(year, month)[1]))


class LegalCalendar:
    """A network's zone and holidays.

    Args:
        zone_offsets: `(from_ms, offset_minutes)` in ascending order; an offset holds from its UTC moment to
            the next, the first one also before it.
        holidays: days that are not working days.
    """

    __slots__ = ("_holidays", "_moments_ms", "_offsets_ms")

    def __init__(self, zone_offsets: Iterable[tuple[int, int]], holidays: Iterable[datetime.date]) -> None:
        offsets = tuple(zone_offsets) or ((0, 0),)
        self._moments_ms = tuple(moment_ms for moment_ms, _ in offsets)
        self._offsets_ms = tuple(minutes * MINUTE_MS for _, minutes in offsets)
        self._holidays = frozenset(holidays)

    @classmethod
    def of(cls, genesis: Genesis) -> LegalCalendar:
        """Return the calendar that a genesis fixes for its network."""
        return cls(genesis.zone_offsets, map(datetime.date.fromisoformat, genesis.holidays))

    def legal_date(self, time_ms: int) -> datetime.date:
        """Return the day in the network's zone at `time_ms` (UTC milliseconds)."""
        place = max(0, bisect_right(self._moments_ms, time_ms) - 1)
        ordinal = (time_ms + self._offsets_ms[place]) // DAY_MS + _EPOCH_ORDINAL
        return datetime.date.fromordinal(min(max(ordinal, 1), _LAST_ORDINAL))

    def is_working_day(self, day: datetime.date) -> bool:
        """Say whether `day` is a Monday to Friday and no federal holiday."""
        return day.weekday() < _SATURDAY and day not in self._holidays

    def add_working_days(self, day: datetime.date, count: int) -> datetime.date:
        """Return the `count`-th working day after `day`."""
        step = datetime.timedelta(days=1)
        while count:
            day += step
            count -= self.is_working_day(day)
        return day
