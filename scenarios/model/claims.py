"""Claims for preference, one per entry line, by a local name.

Rules:
- On the ledger go entry, line, dates, regime, SPI, certificate and shipment; the rest is private to importer
  and Customs.
- A claim that breaks the trade's rules is no fault of the scenario: the ledger records findings. Only what
  could not be filed at all is refused, unless the claim says `faulty: true`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from scenarios.model.subjects import NAME_PATTERN
from scenarios.model.units import DateText, Record

LocalName = Annotated[str, Field(pattern=rf"^{NAME_PATTERN}$")]


class Goods(Record):
    """What the entry line is about: private to importer and Customs."""

    description: str = Field(min_length=1, max_length=500, description="Description as on the invoice.")
    hts: str = Field(
        pattern=r"^[0-9]{4}\.[0-9]{2}(\.[0-9]{2}([0-9]{2})?)?$",
        description='Tariff number, 6 to 10 digits with points, quoted: "1604.14.2291".',
    )
    quantity: int = Field(ge=1, le=10**12, description="Quantity in `unit`.")
    unit: str = Field(min_length=1, max_length=20, description="Unit of quantity, such as kg.")
    value_usd: int = Field(ge=1, le=10**12, description="Entered value, whole US dollars.")
    invoice: str = Field(min_length=1, max_length=100, description="Number of the commercial invoice.")


class Duty(Record):
    """The rates at stake, in percent of value, and where they were read."""

    general_percent: float = Field(ge=0, le=1000, description="Rate without preference, percent ad valorem.")
    preferential_percent: float = Field(0, ge=0, le=1000, description="Rate under the preference, percent.")
    source: str = Field(min_length=1, max_length=300, description="Where the rates were read.")


class Claim(Record):
    """One preference claim on one entry line."""

    importer: str = Field(description="Organization that claims; needs the role importer.")
    certificate: LocalName | None = Field(
        None, description="Local name of the certificate it rests on; absent for a claim without one."
    )
    regime: Literal["NAFTA"] = Field("NAFTA", description="Trade agreement claimed under.")
    spi: Literal["MX", "CA"] = Field(description="Special program indicator.")
    entry: str = Field(
        pattern=r"^[A-Z0-9]{3}-[0-9]{7}-[0-9]$", description='Entry number, form "XXX-NNNNNNN-C", quoted.'
    )
    line: int = Field(1, ge=1, le=999, description="Line of the entry.")
    entry_type: Literal["01", "03", "06", "11", "23"] = Field("01", description='Entry type, quoted: "01".')
    port: str = Field(pattern=r"^[0-9]{4}$", description='Port of entry DDPP, quoted: "2709" is Long Beach.')
    entry_on: DateText = Field(description="Date of entry.")
    import_on: DateText = Field(description="Date of importation.")
    shipment: str | None = Field(
        None, min_length=1, max_length=64, description="Shipment, where the certificate covers a single one."
    )
    goods: Goods = Field(description="What was imported; private.")
    duty: Duty = Field(description="Rates at stake; parameters of measurement, never on the ledger.")
    faulty: bool = Field(
        False,
        description="Scripted mistake: allows an entry line used twice, or a certificate not addressed to "
        "the importer.",
    )
