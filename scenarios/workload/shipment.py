"""Shipments of a generated trade: the facts that both arms play, and the truth that neither knows.

Rules:
- A shipment says what happens in the world: who ships what to whom, when, and with which fault. How papers or a
  ledger deal with it is the arms' business.
- Days are legal days in the scenario's zone; moments are UTC milliseconds.
- `noncompliance` and `spoilt` are the truth, for whoever judges; no organization's program reads them but the
  one that commits it.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from scenarios.workload.chance import Chance
from scenarios.workload.goods import Good


class UseCase(StrEnum):
    """What a shipment is about."""

    ORIGIN = "origin"
    CARNET = "carnet"
    TUNA = "tuna"


class Noncompliance(StrEnum):
    """Ways to break a rule on purpose."""

    BACK_DATED = "back-dated"
    WRONG_ORIGIN = "wrong-origin"
    OVER_CLAIMED = "over-claimed"
    OUTSIDE_BLANKET = "outside-blanket"
    NO_CERTIFICATE = "no-certificate"
    REUSED_CERTIFICATE = "reused-certificate"
    NOT_REEXPORTED = "not-re-exported"
    LATE_REEXPORT = "late-re-export"
    UNLISTED_ITEM = "unlisted-item"
    FALSE_STATUS = "false-status"
    MISSING_ENDORSEMENT = "missing-endorsement"
    OVERWEIGHT = "overweight"
    LATE_FILING = "late-filing"


MEANING: Mapping[Noncompliance, str] = {
    Noncompliance.BACK_DATED: "the certificate is made after the claim and bears an earlier date",
    Noncompliance.WRONG_ORIGIN: "the goods do not meet the criterion that the certificate states",
    Noncompliance.OVER_CLAIMED: "the entry claims more than was invoiced",
    Noncompliance.OUTSIDE_BLANKET: "the goods are imported after the blanket period",
    Noncompliance.NO_CERTIFICATE: "preference is claimed while nobody has certified anything",
    Noncompliance.REUSED_CERTIFICATE: "a certificate for one shipment is used for another",
    Noncompliance.NOT_REEXPORTED: "goods under a carnet stay in the country",
    Noncompliance.LATE_REEXPORT: "goods under a carnet leave after the final date",
    Noncompliance.UNLISTED_ITEM: "goods come in under a carnet that are not on its general list",
    Noncompliance.FALSE_STATUS: "a dolphin-safe status is declared that the catch may not bear",
    Noncompliance.MISSING_ENDORSEMENT: "a party that took custody has not endorsed the form",
    Noncompliance.OVERWEIGHT: "more weight leaves the processor than came in",
    Noncompliance.LATE_FILING: "the form is filed after the importation",
}

KINDS: Mapping[UseCase, tuple[Noncompliance, ...]] = {
    UseCase.ORIGIN: (
        Noncompliance.BACK_DATED,
        Noncompliance.WRONG_ORIGIN,
        Noncompliance.OVER_CLAIMED,
        Noncompliance.OUTSIDE_BLANKET,
        Noncompliance.NO_CERTIFICATE,
        Noncompliance.REUSED_CERTIFICATE,
    ),
    UseCase.CARNET: (
        Noncompliance.NOT_REEXPORTED,
        Noncompliance.LATE_REEXPORT,
        Noncompliance.UNLISTED_ITEM,
    ),
    UseCase.TUNA: (
        Noncompliance.FALSE_STATUS,
        Noncompliance.MISSING_ENDORSEMENT,
        Noncompliance.OVERWEIGHT,
        Noncompliance.LATE_FILING,
    ),
}


@dataclass(frozen=True, slots=True)
class CertificatePlan:
    """A certificate of origin: one for a shipment, or a blanket that several shipments share.

    Attributes:
        name: local name, the same for all shipments that share it.
        issuer: who certifies.
        is_blanket: whether it covers a period.
        signed_on: the true day of the signature.
        dated_on: the day that it bears.
        covers: first and last day of a blanket period.
    """

    name: str
    issuer: str
    is_blanket: bool
    signed_on: datetime.date
    dated_on: datetime.date
    covers: tuple[datetime.date, datetime.date] | None


@dataclass(frozen=True, slots=True)
class OriginPlan:
    """A preference claim on one entry line.

    Attributes:
        exporter, importer, customs: organizations.
        producer, broker: organizations, where there are any.
        regime: agreement; `spi`: its indicator.
        good: what it is.
        quantity, invoiced_quantity: as entered and as invoiced, whole units of the good.
        certificate: that the claim rests on; None if there is none at all.
        entry: entry number; `invoice`: number of the invoice; `port`: DDPP.
        imported_on, entered_on: days.
        claimed_ms: when the entry summary is due to be filed by the importer or the broker.
    """

    exporter: str
    importer: str
    customs: str
    producer: str | None
    broker: str | None
    regime: str
    spi: str
    good: Good
    quantity: int
    invoiced_quantity: int
    certificate: CertificatePlan | None
    entry: str
    invoice: str
    port: str
    imported_on: datetime.date
    entered_on: datetime.date
    claimed_ms: int


@dataclass(frozen=True, slots=True)
class Visit:
    """A carnet's stay in one country.

    Attributes:
        customs: the country's authority.
        country: ISO 3166-1 alpha-2.
        in_ms, out_ms: importation and re-exportation; `out_ms` is None if the goods stay for good.
        final_on: the last day for the re-exportation.
    """

    customs: str
    country: str
    in_ms: int
    out_ms: int | None
    final_on: datetime.date


@dataclass(frozen=True, slots=True)
class CarnetPlan:
    """Goods that travel under an ATA carnet.

    Attributes:
        holder, association, home_customs: organizations.
        items: pieces per row of the general list.
        unlisted: whether another piece comes in at the first visit that no row lists.
        issued_on, valid_until: days.
        out_ms, home_ms: exportation from and return to the home country; `home_ms` is None if they never return.
        visits: in order.
    """

    holder: str
    association: str
    home_customs: str
    items: tuple[int, ...]
    unlisted: bool
    issued_on: datetime.date
    valid_until: datetime.date
    out_ms: int
    home_ms: int | None
    visits: tuple[Visit, ...]


@dataclass(frozen=True, slots=True)
class TunaPlan:
    """Tuna with NOAA Form 370.

    Attributes:
        custody: who takes custody, exporter first and importer last; `endorses`: who of them endorses.
        fisheries, customs: organizations.
        kg_in, kg_out: net weight that the exporter took in and that leaves the last processor.
        gear, ocean_area, large_vessel: of the trip, in the form's words.
        true_status, declared_status: of the catch and of the form.
        entry: entry number.
        drafted_ms: when the exporter draws the form up.
        imported_on: day of importation; `filed_ms`: when the importer means to file.
    """

    custody: tuple[str, ...]
    endorses: tuple[str, ...]
    fisheries: str
    customs: str
    kg_in: int
    kg_out: int
    gear: str
    ocean_area: str
    large_vessel: bool
    true_status: str
    declared_status: str
    entry: str
    drafted_ms: int
    imported_on: datetime.date
    filed_ms: int


Plan: TypeAlias = OriginPlan | CarnetPlan | TunaPlan


@dataclass(frozen=True, slots=True)
class Shipment:
    """One shipment.

    Attributes:
        number: counts from 1, in the order of arrival.
        name: local name, such as `s17`.
        use_case: what it is about.
        begins_ms: when the first organization acts for it.
        value_usd: of the goods, whole dollars.
        plan: what happens.
        noncompliance: the rule broken on purpose, if any.
        spoilt: the forms that somebody spoils by mistake, by the organization's name.
        chance: draws for whatever else is left to luck, the same in both arms.
    """

    number: int
    name: str
    use_case: UseCase
    begins_ms: int
    value_usd: int
    plan: Plan
    noncompliance: Noncompliance | None
    spoilt: tuple[str, ...]
    chance: Chance
