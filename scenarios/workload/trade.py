"""What all shipments of one generated trade have in common, and what is drawn alike for each of them."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from scenarios.model.workload import Workload
from scenarios.workload.cast import Cast
from scenarios.workload.chance import Chance
from scenarios.workload.officehours import OfficeHours

ENTRY_FILERS = ("SX7", "H4B", "L9K")
PORTS = ("2709", "2304", "2402", "3801", "5301")
"""Long Beach, Laredo, El Paso, Detroit, Houston."""
VALUE_USD_MIN = 500


@dataclass(frozen=True, slots=True)
class Trade:
    """A generated trade.

    Attributes:
        seed: decides all of it.
        workload: how much, of what, how honest.
        cast: who takes part.
        hours: when they work.
    """

    seed: str
    workload: Workload
    cast: Cast
    hours: OfficeHours

    def chance(self, name: str) -> Chance:
        """Return the draws of a shipment, or of something that several share."""
        return Chance(self.seed, f"workload {name}")

    def arrival_ms(self, number: int) -> int:
        """Return when shipment `number` arrives: spread evenly over the working time, each within its own part."""
        within = self.chance(str(number)).share("arrival")
        return self.hours.place((number - 1 + within) / self.workload.shipments)

    def value_usd(self, chance: Chance) -> int:
        """Return the value of a shipment, whole dollars."""
        value = chance.lognormal("value", self.workload.value_usd_median, self.workload.value_spread)
        return max(VALUE_USD_MIN, round(value))


def entry_number(number: int) -> str:
    """Return the entry number of a shipment: three letters, seven digits, one more; the last is a form, no checksum."""
    filer = ENTRY_FILERS[number % len(ENTRY_FILERS)]
    return f"{filer}-{number:07d}-{(number * 7 + 3) % 10}"


def days_after(day: datetime.date, count: int) -> datetime.date:
    """Return the day so many calendar days after a day, or before it if negative."""
    return day + datetime.timedelta(days=count)
