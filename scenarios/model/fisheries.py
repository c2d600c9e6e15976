"""Fisheries certificates of origin (NOAA Form 370) by a local name, and what the fisheries authority knows beside them.

Rules:
- On the ledger go shipment, chain of custody, endorsements, entry number and dates; the rest is private.
- A form that breaks the law is no fault of the scenario: the ledger records findings, NOAA's agent finds defects.
  Only what the form itself does not allow is refused, unless it says `faulty: true`.
- Every party of the chain endorses by itself, and the importer files by itself; what is special is said here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from ledger.contracts.fisheries.dolphin import Evidence
from ledger.contracts.fisheries.form import HOPS_MAX, HOPS_MIN
from ledger.encoding import Value
from ledger.genesis import Role
from scenarios.model.documents import FieldText
from scenarios.model.network import Delay, DelayText
from scenarios.model.units import DateText, Record, parse_duration

YesNo: TypeAlias = Literal["YES", "NO"]
StatusText: TypeAlias = Literal["5A", "5B1", "5B2", "5B3", "5B4", "5B5"]
Kilograms = Annotated[int, Field(ge=0, le=10**9)]

EVIDENCE: Mapping[str, Evidence] = {
    "captain": Evidence.CAPTAIN,
    "observer": Evidence.OBSERVER,
    "idcp": Evidence.IDCP,
}
"""What a scenario calls each kind of evidence."""


class Form370Parties(Record):
    """Boxes 2 and 3."""

    exporter_name: FieldText | None = Field(None, description="Box 2: exporter's legal name.")
    exporter_address: FieldText | None = Field(None, description="Box 2: exporter's address.")
    exporter_email: FieldText | None = Field(None, description="Box 2: exporter's e-mail.")
    importer_name: FieldText | None = Field(None, description="Box 3: importer's legal name.")
    importer_address: FieldText | None = Field(None, description="Box 3: importer's address.")
    importer_email: FieldText | None = Field(None, description="Box 3: importer's e-mail.")


class Form370Row(Record):
    """One row of box 4: the tuna of one tariff number and one trip."""

    hts: FieldText | None = Field(None, description='Tariff number, quoted: "1604.14.2291".')
    species: FieldText | None = Field(None, description="ALB, BET, BFT, PBF, SBF, SKJ or YFT.")
    product_form: FieldText | None = Field(None, description="Such as: frozen loins.")
    net_kg: int | None = Field(None, description="Net weight, kilograms.")
    ocean_area: FieldText | None = Field(None, description="ETP, EP, WCP, IO, AO or MED.")
    gear: FieldText | None = Field(
        None,
        description="PURSE_SEINE, LONGLINE, POLE_AND_LINE, TROLL, HANDLINE, GILLNET or HIGH_SEAS_DRIFTNET.",
    )
    vessel_flag: FieldText | None = Field(None, description="Flag of the vessel, ISO 3166-1 alpha-2.")
    vessel_name: FieldText | None = Field(None, description="Name of the vessel.")
    trip_begin: FieldText | None = Field(None, description="First day of the trip.")
    trip_end: FieldText | None = Field(None, description="Last day of the trip.")


class CustodyHop(Record):
    """One party that takes custody of the shipment: the first is the exporter, the last the importer."""

    by: str = Field(description="Organization that takes custody.")
    kg_in: Kilograms = Field(description="What it took in, kilograms; private to it and NOAA.")
    kg_out: Kilograms = Field(description="What it passed on, kilograms; private to it and NOAA.")
    endorse_after: DelayText = Field(
        Delay(parse_duration("2h")),
        description="From the draft to its endorsement; `never` leaves the endorsement out.",
    )


class _Attachment(Record):
    row: int = Field(1, ge=1, le=50, description="Row of box 4 whose trip it is about.")
    vessel_name: FieldText | None = Field(None, description="Another vessel than the row's.")
    trip_begin: FieldText | None = Field(None, description="Another first day than the row's.")
    trip_end: FieldText | None = Field(None, description="Another last day than the row's.")
    late: bool = Field(False, description="It is not sent with the draft, but by the step attach-evidence.")


class CaptainStatement(_Attachment):
    """The captain's statement for one trip (50 CFR 216.91)."""

    evidence: Literal["captain"] = Field(description="Captain's statement.")
    captain_name: FieldText = Field(description="Who signed it.")
    not_set_on_dolphins: YesNo = Field("YES", description="No gear was intentionally set on dolphins.")
    none_killed_or_injured: YesNo = Field("YES", description="No dolphin was killed or seriously injured.")
    training_completed: YesNo = Field("YES", description="The captain completed the training course.")
    sets: tuple[FieldText, ...] | None = Field(
        None, description='Where the sets were made: ["8.250N 104.500W"].'
    )


class ObserverStatement(_Attachment):
    """The observer's statement for one trip."""

    evidence: Literal["observer"] = Field(description="Observer's statement.")
    observer_name: FieldText = Field(description="Who signed it.")
    program: FieldText = Field(description="Observer program.")
    whole_trip: YesNo = Field("YES", description="The observer was aboard the whole trip.")
    not_set_on_dolphins: YesNo = Field("YES", description="No gear was intentionally set on dolphins.")
    none_killed_or_injured: YesNo = Field("YES", description="No dolphin was killed or seriously injured.")
    sets: tuple[FieldText, ...] | None = Field(
        None, description='Where the sets were made: ["8.250N 104.500W"].'
    )


class IdcpCertification(_Attachment):
    """The certification of an IDCP nation for one trip (NOAA Form 370, 5B5)."""

    evidence: Literal["idcp"] = Field(description="IDCP nation's certification.")
    nation: FieldText = Field(description="Nation that certifies.")
    certification_number: FieldText = Field(description="Number of the certification.")
    signer_name: FieldText = Field(description="Who signed it.")
    observer_whole_trip: YesNo = Field("YES", description="An approved observer was aboard the whole trip.")
    none_killed_or_injured: YesNo = Field("YES", description="No dolphin was killed or seriously injured.")


Attachment: TypeAlias = Annotated[
    CaptainStatement | ObserverStatement | IdcpCertification, Field(discriminator="evidence")
]

_OWN_KEYS = {"row", "late", "evidence"}


class Form370(Record):
    """One fisheries certificate of origin, from the draft to the entry."""

    shipment: str = Field(
        min_length=1, max_length=64, description="The exporter's name for the shipment; public."
    )
    custody: tuple[CustodyHop, ...] = Field(
        min_length=HOPS_MIN, max_length=HOPS_MAX, description="Who takes custody, in order."
    )
    parties: Form370Parties = Field(description="Boxes 2 and 3 of the form.")
    rows: tuple[Form370Row, ...] = Field(description="Box 4.")
    status: FieldText = Field(description="Box 5: 5A, 5B1, 5B2, 5B3, 5B4 or 5B5.")
    attachments: tuple[Attachment, ...] = Field((), description="Evidence, for NOAA alone.")
    entry: str = Field(
        pattern=r"^[A-Z0-9]{3}-[0-9]{7}-[0-9]$", description='Entry number, form "XXX-NNNNNNN-C", quoted.'
    )
    import_on: DateText = Field(description="Day of importation.")
    entered_kg: Kilograms = Field(description="Net weight that the customs entry declares; private.")
    redeclare: StatusText | None = Field(
        None, description="Status that the importer declares in its answer to a hold, in place of box 5."
    )
    faulty: bool = Field(False, description="Scripted mistake: allows faults of form.")

    @property
    def exporter(self) -> str:
        """The organization that drafts it."""
        return self.custody[0].by

    @property
    def importer(self) -> str:
        """The organization that files it."""
        return self.custody[-1].by

    def chain(self) -> tuple[tuple[str, Role], ...]:
        """Return the chain of custody: organizations with their capacities."""
        inner = tuple((hop.by, Role.PROCESSOR) for hop in self.custody[1:-1])
        return ((self.exporter, Role.EXPORTER), *inner, (self.importer, Role.IMPORTER))

    def form_values(self) -> dict[str, Value]:
        """Return the form as filled in, as the ledger's module of this form takes it."""
        values: dict[str, Value] = self.parties.model_dump(mode="json", exclude_none=True)
        values["rows"] = [row.model_dump(mode="json", exclude_none=True) for row in self.rows]
        values["status"] = self.status
        return values

    def attachment_values(self, attachment: Attachment) -> dict[str, Value]:
        """Return an attachment as filled in; its trip is the row's where it does not say otherwise."""
        row = self.rows[attachment.row - 1].model_dump(mode="json", exclude_none=True)
        trip: dict[str, Value] = {
            name: row[name] for name in ("vessel_name", "trip_begin", "trip_end") if name in row
        }
        own: dict[str, Value] = attachment.model_dump(mode="json", exclude_none=True, exclude=_OWN_KEYS)
        return {**trip, **own}


class Vessel(Record):
    """A vessel as the fisheries authority has it in its register."""

    name: str = Field(min_length=1, max_length=100, description="Name of the vessel.")
    flag: str = Field(pattern=r"^[A-Z]{2}$", description="Flag, ISO 3166-1 alpha-2.")
    capacity_short_tons: int = Field(ge=1, le=10_000, description="Carrying capacity, short tons.")


class Fishery(Record):
    """A fishery: one gear in one ocean area."""

    ocean_area: str = Field(description="ETP, EP, WCP, IO, AO or MED.")
    gear: str = Field(description="Gear, as in box 4.")


class FisheriesLists(Record):
    """What the fisheries authority holds filed forms against."""

    embargoed_flags: tuple[str, ...] = Field(
        (), description="Flags whose yellowfin from ETP purse seines is under embargo."
    )
    vessels: tuple[Vessel, ...] = Field((), description="Register of vessels.")
    associated: tuple[Fishery, ...] = Field(
        (), description="Fisheries with a regular and significant association of dolphins and tuna."
    )
    identified: tuple[Fishery, ...] = Field(
        (), description="Fisheries with a regular and significant mortality or serious injury of dolphins."
    )
