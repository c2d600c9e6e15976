"""The scenario file's schema: what a scenario says, typed, checked as a whole.

Start with `Scenario`; `scenarios.model.catalog.load_scenario` reads one; `python -m scenarios.model` prints the
JSON Schema.
"""

from __future__ import annotations

from scenarios.model.claims import Claim, Duty, Goods
from scenarios.model.documents import Document, Form434Fields, Form434Good, Nafta434
from scenarios.model.network import Agent, Calendar, Delay, Network, Organization
from scenarios.model.reading import read_scenario
from scenarios.model.scenario import Scenario
from scenarios.model.schema import scenario_schema, schema_text
from scenarios.model.steps import (
    ROLES,
    AllowClaim,
    CorrectClaim,
    DenyClaim,
    FileClaim,
    FilePostClaim,
    IssueCertificate,
    Liquidate,
    NotifyIncorrect,
    ReinstateHolding,
    RejectHolding,
    RequestInformation,
    Step,
    SupersedeCertificate,
    SuspendHolding,
)

__all__ = [
    "ROLES",
    "Agent",
    "AllowClaim",
    "Calendar",
    "Claim",
    "CorrectClaim",
    "Delay",
    "DenyClaim",
    "Document",
    "Duty",
    "FileClaim",
    "FilePostClaim",
    "Form434Fields",
    "Form434Good",
    "Goods",
    "IssueCertificate",
    "Liquidate",
    "Nafta434",
    "Network",
    "NotifyIncorrect",
    "Organization",
    "ReinstateHolding",
    "RejectHolding",
    "RequestInformation",
    "Scenario",
    "Step",
    "SupersedeCertificate",
    "SuspendHolding",
    "read_scenario",
    "scenario_schema",
    "schema_text",
]
