"""Claims for preference, one per entry line, by a local name.

Rules:
- On the ledger go entry, line, dates, regime, SPI, certificate and shipment; the rest is private to importer
  and Customs.
- A claim that breaks the trade's rules is no fault of the scenario: the ledger records findings. Only what
  could not be filed at all is refused, unless the claim says `faulty: true`.
- A claim says what it rests on, or it follows: the certificate it names, else the importer's own knowledge.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from ledger.contracts.regime import REGIMES
from scenarios.errors import RefusedError
from scenarios.model.network import DelayText
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
    article: str | None = Field(
        None,
        min_length=1,
        max_length=200,
        description="Brand, style or part number that tells identical goods from others; as on the certificate.",
    )
    origin: str | None = Field(
        None, pattern=r"^[A-Z]{2,3}$", description="Country of origin as declared: MX."
    )


class Duty(Record):
    """The rates at stake, in percent of value, and where they were read."""

    general_percent: float = Field(ge=0, le=1000, description="Rate without preference, percent ad valorem.")
    preferential_percent: float = Field(0, ge=0, le=1000, description="Rate under the preference, percent.")
    source: str = Field(min_length=1, max_length=300, description="Where the rates were read.")


class PaperProof(Record):
    """A dated slip that says when the importer got the certificate on paper."""

    received_on: DateText = Field(description="Day on which it was handed over.")
    carrier: str = Field(min_length=1, max_length=100, description="Who carried it.")
    slip: str = Field(min_length=1, max_length=100, description="Number of the slip.")


class Claim(Record):
    """One preference claim on one entry line."""

    importer: str = Field(description="Organization that claims; needs the role importer.")
    broker: str | None = Field(
        None,
        description="Customs broker that files it in the importer's name, if the importer does not itself.",
    )
    certificate: LocalName | None = Field(
        None, description="Local name of the certificate it rests on; absent for a claim without one."
    )
    regime: Literal["NAFTA", "CAFTA-DR", "USMCA"] = Field(
        "NAFTA", description="Trade agreement claimed under."
    )
    spi: Literal["MX", "CA", "P", "P+", "S", "S+"] = Field(
        description="Special program indicator of the agreement: MX, CA; P, P+; S, S+."
    )
    basis: Literal["CERTIFICATE", "KNOWLEDGE", "SMALL-VALUE", "NON-COMMERCIAL"] | None = Field(
        None,
        description="What it rests on; by default the certificate it names, else the importer's knowledge.",
    )
    invoice: LocalName | None = Field(
        None, description="Local name of the invoice that goes to Customs with the claim."
    )
    paper: PaperProof | None = Field(
        None, description="Proof of possession on paper, shown to Customs if it asks."
    )
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
    review_after: DelayText | None = Field(
        None, description="From this claim to Customs' first look at it; as Customs' agent has it if absent."
    )
    answer_after: DelayText | None = Field(
        None,
        description="From a request on this claim to its importer's or broker's answer; as the agent has it if absent.",
    )
    decide_after: DelayText | None = Field(
        None,
        description="From the answer to Customs' decision on this claim; as Customs' agent reviews if absent.",
    )
    faulty: bool = Field(
        False,
        description="Scripted mistake: allows an entry line used twice, or a certificate not addressed to "
        "the importer.",
    )

    @model_validator(mode="after")
    def _check_indicator(self) -> Claim:
        known = REGIMES[self.regime].origins_of_spi
        if self.spi not in known:
            what = f"{self.spi} is no indicator of {self.regime}"
            raise RefusedError(
                what, f"it has {', '.join(known)}", "correct it or the regime", inside=("spi",)
            )
        return self

    @property
    def rests_on(self) -> str:
        """What the claim rests on, as the entry line says it."""
        if self.basis is not None:
            return self.basis
        return "CERTIFICATE" if self.certificate is not None else "KNOWLEDGE"
