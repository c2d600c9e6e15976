"""Time zone offsets and federal holidays, out of kept libraries, for whoever writes a genesis.

Rules:
- Only `init` and trials call this. Once in genesis, the data is the network's own: execution never asks the
  host's databases, which differ from host to host.
- Holidays are the United States federal ones with the days on which they are observed.
"""

from __future__ import annotations

import datetime
import functools
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import holidays

from ledger.errors import GenesisError

YEAR_MIN = 1971
YEAR_MAX = 2100

_UTC = datetime.UTC
_HOUR = datetime.timedelta(hours=1)


@functools.lru_cache(maxsize=64)
def calendar_data(
    zone: str, first_year: int, last_year: int
) -> tuple[tuple[tuple[int, int], ...], tuple[str, ...]]:
    """Return genesis' `zone_offsets` and `holidays` for some years.

    Args:
        zone: IANA name, such as `America/New_York`.
        first_year: first calendar year covered.
        last_year: last calendar year covered.

    Returns:
        Offsets as (from_ms, minutes east of UTC), the first a day before the first year begins in UTC, and
        holidays as ISO dates, both ascending.

    Raises:
        GenesisError: if the zone is unknown or the years are out of order or range.
    """
    if not YEAR_MIN <= first_year <= last_year <= YEAR_MAX:
        raise GenesisError(
            f"calendar years {first_year} .. {last_year} are out of order or outside {YEAR_MIN} .. {YEAR_MAX}"
        )
    try:
        info = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise GenesisError(
            f"time zone {zone!r} is unknown; use an IANA name such as America/New_York"
        ) from error
    days = holidays.country_holidays("US", years=range(first_year, last_year + 1))
    dates = sorted(day.isoformat() for day in days if first_year <= day.year <= last_year)
    return _offsets(info, first_year, last_year), tuple(dates)


def _offsets(info: ZoneInfo, first_year: int, last_year: int) -> tuple[tuple[int, int], ...]:
    """Return the zone's offsets; transitions fall on whole minutes and are found by halving."""
    moment = datetime.datetime(first_year, 1, 1, tzinfo=_UTC) - datetime.timedelta(days=1)
    end = datetime.datetime(last_year + 1, 1, 2, tzinfo=_UTC)
    offset = _minutes(info, moment)
    offsets = [(_ms(moment), offset)]
    while moment < end:
        after = moment + 6 * _HOUR
        if _minutes(info, after) != offset:
            after = _transition(info, moment, after)
            offset = _minutes(info, after)
            offsets.append((_ms(after), offset))
        moment = after
    return tuple(offsets)


def _transition(info: ZoneInfo, before: datetime.datetime, after: datetime.datetime) -> datetime.datetime:
    """Return the first minute of the new offset between two moments with different ones."""
    offset = _minutes(info, before)
    low, high = 0, int((after - before).total_seconds()) // 60
    while high - low > 1:
        middle = (low + high) // 2
        if _minutes(info, before + datetime.timedelta(minutes=middle)) == offset:
            low = middle
        else:
            high = middle
    return before + datetime.timedelta(minutes=high)


def _minutes(info: ZoneInfo, moment: datetime.datetime) -> int:
    offset = moment.astimezone(info).utcoffset()
    if offset is None:
        raise GenesisError(f"time zone {info.key} has no offset at {moment.isoformat()}")
    return int(offset.total_seconds()) // 60


def _ms(moment: datetime.datetime) -> int:
    return int(moment.timestamp()) * 1000
