"""Scripted acts of an importer that works through a customs broker; the broker files and answers by itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from pydantic import Field

from ledger.genesis import Role
from scenarios.model.claims import LocalName
from scenarios.model.stepbase import StepRecord
from scenarios.model.units import DateText


class GrantPower(StepRecord):
    """Grant a customs broker a power of attorney (19 CFR 141.46)."""

    do: Literal["grant-power"]
    broker: str = Field(description="Broker that may act in the importer's name.")
    first: DateText = Field(description="First day on which the power is in force.")
    last: DateText | None = Field(None, description="Last day; without one it ends by revocation alone.")


class RevokePower(StepRecord):
    """End a customs broker's power of attorney."""

    do: Literal["revoke-power"]
    broker: str = Field(description="Broker that may no longer act in the importer's name.")


class InstructBroker(StepRecord):
    """Have the claim's broker file it: disclose certificate and invoice, send what is behind the entry line."""

    do: Literal["instruct-broker"]
    claim: LocalName = Field(description="Local name of the claim; it names its broker.")


BrokerStep: TypeAlias = GrantPower | RevokePower | InstructBroker

BROKER_ROLES: Mapping[str, Role] = {
    "grant-power": Role.IMPORTER,
    "revoke-power": Role.IMPORTER,
    "instruct-broker": Role.IMPORTER,
}
"""The role each act needs."""
