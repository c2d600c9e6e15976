"""When people work: office hours of working days, as a line on which moments are placed.

Rules:
- Working days are those of the ledger's legal calendar: Monday to Friday without United States federal holidays.
- Office hours are 9:00 to 17:00 of legal time.
"""

from __future__ import annotations

import datetime
from zoneinfo import ZoneInfo

from ledger.contracts.deadlines import LegalCalendar
from ledger.holidays_data import calendar_data

OPENS_HOUR = 9
HOURS_A_DAY = 8
_DAY = datetime.timedelta(days=1)


class OfficeHours:
    """Working time around a period.

    Args:
        zone: of legal days.
        first, last: days between which moments are asked for; a few years more are known.
    """

    def __init__(self, zone: ZoneInfo, first: datetime.date, last: datetime.date) -> None:
        self.zone = zone
        offsets, holidays = calendar_data(zone.key, first.year - 1, last.year + 3)
        self.calendar = LegalCalendar(offsets, [datetime.date.fromisoformat(day) for day in holidays])
        self._days = [
            day
            for number in range((last - first).days + 1)
            if self.calendar.is_working_day(day := first + number * _DAY)
        ] or [self.next_working_day(first)]

    def place(self, share: float) -> int:
        """Return the moment, UTC milliseconds, at a share from 0 to 1 of the period's working time."""
        at = min(max(share, 0.0), 1.0 - 1e-9) * len(self._days)
        return self.moment(self._days[int(at)], at - int(at))

    def moment(self, day: datetime.date, share: float) -> int:
        """Return the moment, UTC milliseconds, at a share of a day's office hours; the day need be no working day."""
        opens = datetime.datetime(day.year, day.month, day.day, OPENS_HOUR, tzinfo=self.zone)
        return int(opens.timestamp() * 1000) + int(share * HOURS_A_DAY * 3600) * 1000

    def next_working_day(self, day: datetime.date) -> datetime.date:
        """Return the day itself if it is a working day, else the next one."""
        while not self.calendar.is_working_day(day):
            day += _DAY
        return day

    def add_working_days(self, day: datetime.date, count: int) -> datetime.date:
        """Return the working day that comes so many working days after a day."""
        return self.calendar.add_working_days(day, count)

    def day_of(self, time_ms: int) -> datetime.date:
        """Return the legal day of a moment."""
        return self.calendar.legal_date(time_ms)
