"""A generated trade, as a scenario file asks for it.

Rules:
- Every number here is an assumption of this project unless its description names a source; each may be set.
- Shares of a mix are weights: they need not add up to one.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from scenarios.errors import RefusedError
from scenarios.model.units import Record

SHIPMENTS_MAX = 1_000_000
Share = Annotated[float, Field(ge=0, le=1)]
Weight = Annotated[float, Field(ge=0, le=1000)]


class UseCaseMix(Record):
    """How often each of the pilot's use cases occurs, as weights."""

    origin: Weight = Field(0.7, description="Preference claims on certificates of origin.")
    carnet: Weight = Field(0.1, description="Goods that travel under an ATA carnet.")
    tuna: Weight = Field(0.2, description="Tuna with NOAA Form 370.")

    @model_validator(mode="after")
    def _check_sum(self) -> UseCaseMix:
        if self.origin + self.carnet + self.tuna == 0:
            raise RefusedError("no use case has a weight", "", "give one of origin, carnet, tuna a weight")
        return self


class Workload(Record):
    """A generated trade: how much of it, of what, and how honest."""

    shipments: int = Field(100, ge=1, le=SHIPMENTS_MAX, description="How many shipments arrive.")
    days: int = Field(
        91, ge=1, le=3660, description="Over how many days from the scenario's start they arrive."
    )
    mix: UseCaseMix = Field(
        default_factory=lambda: UseCaseMix.model_validate({}), description="How often each use case occurs."
    )
    noncompliance: Share = Field(
        0.05,
        description="Share of shipments that break a rule on purpose; 5 percent is an assumption, up to 34 percent "
        "was found in targeted visits to textile factories (FY2016, taggart-intl.com).",
    )
    careless: Share = Field(0.04, description="Share of forms with a field left out or spoilt by mistake.")
    blanket: Share = Field(0.8, description="Share of origin shipments under a blanket certificate.")
    broker: Share = Field(0.5, description="Share of origin shipments that a broker enters, if there is one.")
    value_usd_median: int = Field(60_000, ge=100, le=10**9, description="Median value of a shipment.")
    value_spread: float = Field(
        0.8, ge=0, le=3, description="Standard deviation of the logarithm of a shipment's value."
    )
    requested: Share = Field(
        0.05, description="Share of claims about which Customs sends a CBP Form 28, in either arm."
    )
    verified: Share = Field(
        0.02, description="Share of claims whose certifier Customs verifies, in either arm."
    )
    unanswered: Share = Field(
        0.04, description="Share of claims on which a request of Customs is never answered, in either arm."
    )
    unreplied: Share = Field(
        0.1, description="Share of claims on which a letter of verification is never answered, in either arm."
    )
    books_show: Share = Field(
        0.5,
        description="Share of goods that do not originate whose books show it to Customs that verifies, in either arm.",
    )
    unpresented: Share = Field(
        0.015,
        description="Share of stays under a carnet after which the goods leave without being shown to customs, in "
        "either arm.",
    )
