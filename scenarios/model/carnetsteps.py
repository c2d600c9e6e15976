"""Scripted acts about ATA carnets; issue, activation, stamps, claims and decisions the agents do by themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from pydantic import Field

from ledger.contracts.carnet import TRADERS
from ledger.genesis import Role
from scenarios.model.claims import LocalName
from scenarios.model.documents import FieldText
from scenarios.model.stepbase import StepRecord
from scenarios.model.units import DateText, Record

SERIAL_MAX = 999


class CarnetStep(StepRecord):
    """What every step about a carnet has."""

    carnet: LocalName = Field(description="Local name of the carnet.")


class VoucherStep(CarnetStep):
    """What every step about a voucher has."""

    voucher: int = Field(ge=1, le=SERIAL_MAX, description="Serial of the voucher.")


class PresentedItem(Record):
    """Goods that are presented."""

    item: int = Field(ge=1, le=9999, description="Item number.")
    pieces: int = Field(ge=1, le=1_000_000, description="Number of pieces.")
    marks: FieldText | None = Field(
        None, description="Marks that the goods really bear; those of the general list if absent. Private."
    )


class ApplyCarnet(CarnetStep):
    """Apply for a carnet and give its security."""

    do: Literal["apply-carnet"]


class PresentGoods(VoucherStep):
    """Present goods with a voucher at a customs office."""

    do: Literal["present-goods"]
    counterfoil: int | None = Field(
        None, ge=1, le=SERIAL_MAX, description="Serial of the counterfoil; the voucher's if absent."
    )
    kind: Literal["EXPORT", "IMPORT", "REEXPORT", "TRANSIT_ENTRY", "TRANSIT_EXIT", "REIMPORT"] = Field(
        description="What the voucher is for."
    )
    office: str = Field(description="Organization with the role customs.")
    items: tuple[PresentedItem, ...] = Field(min_length=1, description="The goods.")
    cites: int | None = Field(
        None, ge=1, le=SERIAL_MAX, description="Importation or transit voucher under which the goods came in."
    )
    transport: FieldText | None = Field(None, description="Means of transport; private.")


class ReportLostCarnet(CarnetStep):
    """Tell the issuing association that a carnet is lost, which then replaces it (19 CFR 114.25)."""

    do: Literal["report-lost-carnet"]
    successor: LocalName = Field(description="Local name of the carnet that is to replace it.")


class ReturnCarnet(CarnetStep):
    """Return a carnet to its association, whatever the agent would do."""

    do: Literal["return-carnet"]


class EndorseVoucher(VoucherStep):
    """Stamp a voucher unseen, whatever the agent would find."""

    do: Literal["endorse-voucher"]
    endorsed_on: DateText | None = Field(
        None, description="Date of the stamp; the day of the step if absent."
    )
    final_on: DateText | None = Field(None, description="Last day for re-export of goods that come in.")
    unconditional: bool = Field(True, description="Whether it discharges without reserve.")


class SettleGoods(VoucherStep):
    """Take goods as lawfully destroyed, stolen, or sold with duty paid."""

    do: Literal["settle-goods"]
    items: tuple[PresentedItem, ...] = Field(min_length=1, description="The goods.")
    how: Literal["DESTROYED", "STOLEN", "DUTY PAID"] = Field(description="What became of them; private.")


class ClaimOnCarnet(VoucherStep):
    """Claim from the guaranteeing association, whatever the agent would do."""

    do: Literal["claim-on-carnet"]
    amount_percent: int = Field(
        100,
        ge=1,
        le=1000,
        description="Sum claimed, percent of import duties and taxes; at most 110 are owed.",
    )
    improper: bool = Field(False, description="Whether a discharge is said to have been obtained improperly.")


class ProveReexport(VoucherStep):
    """Send the association the proof that goods left, from the counterfoils that the holder has."""

    do: Literal["prove-reexport"]


CarnetSteps: TypeAlias = (
    ApplyCarnet
    | PresentGoods
    | ReportLostCarnet
    | ReturnCarnet
    | EndorseVoucher
    | SettleGoods
    | ClaimOnCarnet
    | ProveReexport
)

_HOLDERS = tuple(role for role in Role if role in TRADERS)

CARNET_ROLES: Mapping[str, Role | tuple[Role, ...]] = {
    "apply-carnet": _HOLDERS,
    "present-goods": _HOLDERS,
    "report-lost-carnet": _HOLDERS,
    "return-carnet": _HOLDERS,
    "prove-reexport": _HOLDERS,
    "endorse-voucher": Role.CUSTOMS,
    "settle-goods": Role.CUSTOMS,
    "claim-on-carnet": Role.CUSTOMS,
}
"""The role each act needs."""
