"""The eastern tropical Pacific (ETP) as a predicate on a position.

Rules:
- The ETP is the Pacific from 40 degrees north to 40 degrees south, from 160 degrees west to the American coast
  (16 USC 1385(c)(2)). Parallels and meridian count as inside (our reading).
- Fish are caught at sea, so the coast is drawn as a line over the land between Pacific and Atlantic: which of
  two points of that land a position is west of makes no difference. The line's points are our own (design), a
  few degrees apart; a position on land, or in a bay that the line cuts off, may come out on either side.
- Positions are in thousandths of a degree, north and east positive; only integers are computed with.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from ledger.contracts.parameters import ETP_LATITUDE_DEGREES, ETP_WEST_LONGITUDE_DEGREES

MILLI = 1000
_POSITION = re.compile(
    r"(?P<lat>[0-9]{1,2})(?:\.(?P<lat_milli>[0-9]{1,3}))?(?P<ns>[NS]) "
    r"(?P<lon>[0-9]{1,3})(?:\.(?P<lon_milli>[0-9]{1,3}))?(?P<ew>[EW])"
)

DIVIDE: tuple[tuple[int, int], ...] = (
    (40_000, -115_000),
    (32_000, -113_000),
    (25_000, -104_000),
    (20_000, -100_500),
    (17_100, -94_800),  # isthmus of Tehuantepec
    (15_000, -90_000),
    (12_800, -86_000),
    (11_000, -84_700),
    (10_000, -84_000),
    (9_200, -82_000),
    (9_100, -79_600),  # isthmus of Panama runs from west to east
    (8_800, -78_300),
    (7_500, -77_200),
    (5_000, -76_000),
    (0, -77_500),
    (-5_000, -79_000),
    (-10_000, -76_500),
    (-15_000, -72_500),
    (-18_500, -69_500),
    (-30_000, -69_800),
    (-40_000, -71_000),
)
"""The line that stands for the American coast: (latitude, longitude), from north to south."""


@dataclass(frozen=True, slots=True)
class Position:
    """A place at sea, in thousandths of a degree; north and east are positive."""

    latitude: int
    longitude: int


def read_position(text: str) -> Position:
    """Return the position that is written like `8.250N 104.500W`.

    Raises:
        ValueError: if it is written otherwise, or is no place on earth.
    """
    match = _POSITION.fullmatch(text)
    if match is None:
        raise ValueError("is no position; write it like 8.250N 104.500W")
    latitude = _milli(match["lat"], match["lat_milli"])
    longitude = _milli(match["lon"], match["lon_milli"])
    if latitude > 90 * MILLI or longitude > 180 * MILLI:
        raise ValueError("is no place on earth; latitude goes to 90 degrees, longitude to 180")
    return Position(
        latitude if match["ns"] == "N" else -latitude, longitude if match["ew"] == "E" else -longitude
    )


def in_etp(position: Position) -> bool:
    """Say whether a position lies in the eastern tropical Pacific."""
    limit = ETP_LATITUDE_DEGREES.value * MILLI
    if not -limit <= position.latitude <= limit:
        return False
    return -ETP_WEST_LONGITUDE_DEGREES.value * MILLI <= position.longitude <= divide_at(position.latitude)


def divide_at(latitude: int) -> int:
    """Return the longitude of the line over land at a latitude, in thousandths of a degree.

    Raises:
        ValueError: outside the line's own latitudes.
    """
    for (north, at_north), (south, at_south) in pairwise(DIVIDE):
        if south <= latitude <= north:
            return at_north + (at_south - at_north) * (north - latitude) // (north - south)
    raise ValueError(f"latitude {latitude} is outside {DIVIDE[-1][0]} .. {DIVIDE[0][0]}")


def _milli(degrees: str, thousandths: str | None) -> int:
    return int(degrees) * MILLI + int((thousandths or "0").ljust(3, "0"))
