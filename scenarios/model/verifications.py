"""Verifications of a scenario: whom Customs asks about which certificate, and what the party's books say.

Rules:
- The books are Form 446 as the party would fill it in; they stay with the party until it answers or is visited.
- Claims named here wait for the determination; Customs' agent decides them by it and by nothing else.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ledger.encoding import Value
from scenarios.model.claims import LocalName
from scenarios.model.network import DelayText
from scenarios.model.stepbase import StepRecord
from scenarios.model.units import Record

_Text = Annotated[str, Field(min_length=1, max_length=500)]
_Hs6 = Annotated[str, Field(pattern=r"^[0-9]{4}\.?[0-9]{2}$")]


class Material(Record):
    """A material of which a good is made."""

    description: _Text = Field(description="What it is.")
    hs6: _Hs6 = Field(description='HS subheading, six digits, quoted: "030342".')
    origin: str = Field(pattern=r"^[A-Z]{2}$", description="Country of origin, ISO code.")
    value_usd: int = Field(ge=0, le=10**12, description="Value in one unit of the good, US dollars.")


class Books(Record):
    """What a party's records say of a good (CBP Form 446)."""

    description: _Text = Field(description="The good, as the party calls it.")
    hs6: _Hs6 = Field(description='HS subheading, six digits, quoted: "160414".')
    criterion: _Text = Field(description="Preference criterion, as on the certificate.")
    is_originating: Literal["YES", "NO"] = Field("YES", description="Whether the good originates.")
    records_kept: Literal["YES", "NO"] = Field("YES", description="Whether there are records.")
    net_cost_usd: int | None = Field(None, ge=0, le=10**12, description="Net cost of a unit, US dollars.")
    materials: tuple[Material, ...] = Field(min_length=1, max_length=50, description="Bill of materials.")

    def form_values(self) -> dict[str, Value]:
        """Return the questionnaire as filled in, as the ledger's form takes it."""
        values: dict[str, Value] = self.model_dump(mode="json", exclude_none=True)
        return values


class Verification(Record):
    """One verification (19 CFR 181.71-76)."""

    certificate: LocalName = Field(description="Local name of the certificate it is about.")
    party: str = Field(description="Exporter or producer that is asked; under the USMCA also an importer.")
    direct: str | None = Field(
        None,
        description="Exporter or producer that sends its books straight to Customs in the party's place, under the "
        "USMCA (19 CFR 182.72(c)).",
    )
    faulty: bool = Field(
        False,
        description="Scripted mistake: lets a party be asked that the agreement does not have verified.",
    )
    by: Literal["QUESTIONNAIRE", "VISIT"] = Field(
        "QUESTIONNAIRE", description="How Customs begins: Form 446, or a notice of a visit."
    )
    claims: tuple[LocalName, ...] = Field((), description="Claims that wait for the determination.")
    books: Books = Field(description="What the party's records say; private until it answers.")
    reply_after: DelayText | None = Field(
        None, description="From a letter to the party's reply; as its agent has it if absent."
    )
    determine_after: DelayText | None = Field(
        None, description="From the reply to the determination; as Customs' agent reviews if absent."
    )


class OpenVerification(StepRecord):
    """Send a verification questionnaire (CBP Form 446), or give notice of a visit."""

    do: Literal["open-verification"]
    verification: LocalName = Field(description="Local name of the verification.")
