"""The goods of the generated trade: real headings of the U.S. tariff with their rates.

Rules:
- Every rate names where it was read. Rates change with the years; they are parameters of measurement and are never
  put on the ledger.
- Prices per unit are assumptions: they only give values a scale.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Good:
    """One kind of goods.

    Attributes:
        hts: tariff number, eight digits with points.
        description: in words.
        unit: of quantity.
        usd_per_unit: price, an assumption.
        general_percent: duty without preference, percent ad valorem.
        preferential_percent: under the agreements of `regimes`.
        criterion: preference criterion that a certifier states (NAFTA's letters).
        regimes: agreements under which it is free.
        source: where the rate was read.
    """

    hts: str
    description: str
    unit: str
    usd_per_unit: Decimal
    general_percent: Decimal
    source: str
    preferential_percent: Decimal = Decimal(0)
    criterion: str = "B"
    regimes: tuple[str, ...] = ("NAFTA", "USMCA")

    @property
    def hs6(self) -> str:
        """The six digits that all countries share."""
        return self.hts.replace(".", "")[:6]


_ETOOLSAGE = "HTS read at etoolsage.com, eight digits"
_ALL = ("NAFTA", "USMCA", "CAFTA-DR")

GOODS: tuple[Good, ...] = (
    Good(
        "8544.30.00",
        "wiring harnesses for motor vehicles",
        "No.",
        Decimal("42"),
        Decimal("5"),
        "CBP ruling NY N281129 (2016), harness from Mexico",
    ),
    Good(
        "8708.94.50", "steering wheels for motor vehicles", "No.", Decimal("64"), Decimal("2.5"), _ETOOLSAGE
    ),
    Good(
        "8708.80.13", "McPherson struts for motor vehicles", "No.", Decimal("38"), Decimal("2.5"), _ETOOLSAGE
    ),
    Good(
        "6205.20.20", "men's cotton shirts", "doz.", Decimal("96"), Decimal("19.7"), _ETOOLSAGE, regimes=_ALL
    ),
    Good(
        "6105.10.00",
        "men's knitted cotton shirts",
        "doz.",
        Decimal("78"),
        Decimal("19.7"),
        _ETOOLSAGE,
        regimes=_ALL,
    ),
    Good("6116.10.75", "coated work gloves of cotton", "doz.pr.", Decimal("21"), Decimal("13.2"), _ETOOLSAGE),
    Good(
        "6111.20.20",
        "babies' cotton T-shirts",
        "doz.",
        Decimal("33"),
        Decimal("14.9"),
        _ETOOLSAGE,
        regimes=_ALL,
    ),
    Good(
        "1605.20.05",
        "shrimp meals, frozen",
        "kg",
        Decimal("11"),
        Decimal("5"),
        _ETOOLSAGE,
        criterion="A",
    ),
)
"""What is claimed under an agreement on origin."""

TUNA = Good(
    "1604.14.22",
    "tuna in water, pouches",
    "kg",
    Decimal("4.85"),
    Decimal("6"),
    "HTS 1604.14.22, 6 percent, free under CA and MX (etoolsage.com, hs-codes.com)",
)
"""What Form 370 is about in the generated trade."""
