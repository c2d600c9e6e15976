"""What a wrongly allowed claim costs the revenue: the duty and the fee forgone.

Source: merchandise processing fee 0.3464 percent ad valorem with floor and cap (19 CFR 24.23; 25.67 and 497.99 dollars
from 2018-01-01, valexander.com; 26.22 and 508.70 dollars in fiscal year 2019, inlt.com).
"""

from __future__ import annotations

import datetime
from decimal import Decimal

FEE_PERCENT = Decimal("0.3464")
FEE_LIMITS: tuple[tuple[datetime.date, Decimal, Decimal], ...] = (
    (datetime.date(2018, 1, 1), Decimal("25.67"), Decimal("497.99")),
    (datetime.date(2018, 10, 1), Decimal("26.22"), Decimal("508.70")),
)
"""From which day, floor and cap in dollars; the last ones known go on, and the first ones go back."""


def processing_fee_usd(value_usd: int, on: datetime.date) -> Decimal:
    """Return the merchandise processing fee of one entry."""
    floor, cap = FEE_LIMITS[0][1:]
    for first, low, high in FEE_LIMITS:
        if on >= first:
            floor, cap = low, high
    return min(max(value_usd * FEE_PERCENT / 100, floor), cap).quantize(Decimal("0.01"))


def forgone_usd(
    value_usd: int, general_percent: Decimal, preferential_percent: Decimal, on: datetime.date
) -> Decimal:
    """Return what is not paid on an entry that is wrongly allowed a preference, fee included."""
    duty = (general_percent - preferential_percent) * value_usd / 100
    return duty.quantize(Decimal("0.01")) + processing_fee_usd(value_usd, on)
