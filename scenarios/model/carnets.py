"""ATA carnets of a scenario, by a local name: cover, general list, and what the parties hold about them.

Rules:
- Cover and list bear the form's own names; what the form asks of them is checked by the ledger's module of it.
- A carnet that replaces a lost one says which; everything else of it is the old one's.
- What customs takes as duty, and what security is given, is private to the parties.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from ledger.encoding import Value
from scenarios.model.claims import LocalName
from scenarios.model.documents import FieldText
from scenarios.model.units import DateText, Record


class CarnetItem(Record):
    """One row of the general list."""

    item: int = Field(ge=1, le=9999, description="Column 1: item number.")
    description: FieldText = Field(description="Column 2: description.")
    marks: FieldText | None = Field(None, description="Column 2: marks and serial numbers.")
    pieces: int = Field(ge=1, le=1_000_000, description="Column 3: number of pieces; public.")
    weight_kg: int | None = Field(None, description="Column 4: weight, whole kilograms.")
    value_usd: int = Field(ge=1, description="Column 5: value of all its pieces, whole US dollars.")
    origin: FieldText = Field(description="Column 6: country of origin, two letters.")


class CarnetCover(Record):
    """The boxes of the cover."""

    holder_name: FieldText = Field(description="Box A: holder.")
    holder_address: FieldText = Field(description="Box A: holder's address.")
    representative: FieldText | None = Field(None, description="Box B: who travels with the goods.")
    use: FieldText = Field(description="Box C: intended use.")
    number: FieldText = Field(description="Box G: carnet number.")
    issuer_name: FieldText = Field(description="Box G: issuing association.")
    continuation_sheets: int = Field(0, description="Box G: continuation sheets.")
    countries: FieldText = Field(description='Box P: countries to be visited, "CA DE CH".')


class AtaCarnet(Record):
    """An ATA carnet."""

    form: Literal["ata-carnet"] = Field(description="ATA carnet with its general list.")
    holder: str = Field(description="Organization that applies for and holds it.")
    issuer: str = Field(description="Chamber or guaranteeing association of the holder's country.")
    valid_until: DateText = Field(description="Last day of validity, at most a year after issue.")
    security_percent: int = Field(
        40, ge=0, le=300, description="Security that the holder gives, percent of the list's value."
    )
    duty_percent: int = Field(
        10, ge=0, le=500, description="Import duties and taxes that customs reckons with, percent of value."
    )
    faulty: bool = Field(False, description="Scripted mistake: allows faults of form.")
    cover: CarnetCover = Field(description="The cover's boxes.")
    items: tuple[CarnetItem, ...] = Field(min_length=1, description="The general list.")

    def form_values(self) -> dict[str, Value]:
        """Return cover and list as filled in, as the ledger's module of the form takes them."""
        values: dict[str, Value] = self.cover.model_dump(mode="json", exclude_none=True)
        values["items"] = [item.model_dump(mode="json", exclude_none=True) for item in self.items]
        return values


class AtaReplacement(Record):
    """A carnet that replaces a lost one: same expiry, same general list (19 CFR 114.25)."""

    form: Literal["ata-replacement"] = Field(description="Replacement of a lost ATA carnet.")
    replaces: LocalName = Field(description="Local name of the lost carnet.")


Carnet: TypeAlias = Annotated[AtaCarnet | AtaReplacement, Field(discriminator="form")]


def original(carnets: Mapping[str, AtaCarnet | AtaReplacement], name: str) -> AtaCarnet | None:
    """Return the carnet that a line of replacements began with, or None if there is no sound line."""
    seen: list[str] = []
    while name in carnets and name not in seen:
        carnet = carnets[name]
        if isinstance(carnet, AtaCarnet):
            return carnet
        seen.append(name)
        name = carnet.replaces
    return None
