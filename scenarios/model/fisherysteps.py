"""Scripted acts around NOAA Form 370; the parties endorse, file and answer by themselves.

Rules:
- A form that has a scripted filing is not filed by the importer's agent on its own account.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from pydantic import Field

from ledger.genesis import Role
from scenarios.model.claims import LocalName
from scenarios.model.stepbase import StepRecord
from scenarios.model.units import DateText


class _FormStep(StepRecord):
    form370: LocalName = Field(description="Local name of the form.")


class GrantPermit(StepRecord):
    """Grant an importer its international fisheries trade permit (81 FR 51126)."""

    do: Literal["grant-permit"]
    holder: str = Field(description="Importer that gets the permit.")
    first: DateText = Field(description="First day on which it is in force.")
    last: DateText = Field(description="Last day on which it is in force.")


class DraftForm370(_FormStep):
    """Fill in a form, send it and its attachments, and put it on the ledger."""

    do: Literal["draft-form370"]


class AttachEvidence(_FormStep):
    """Send the attachments that the form calls late."""

    do: Literal["attach-evidence"]


class FileForm370(_FormStep):
    """File the form under its customs entry, whatever is still missing."""

    do: Literal["file-form370"]


class AuditForm370(_FormStep):
    """Audit a released shipment."""

    do: Literal["audit-form370"]


FisheryStep: TypeAlias = GrantPermit | DraftForm370 | AttachEvidence | FileForm370 | AuditForm370

FISHERY_ROLES: Mapping[str, Role] = {
    "grant-permit": Role.FISHERIES,
    "draft-form370": Role.EXPORTER,
    "attach-evidence": Role.EXPORTER,
    "file-form370": Role.IMPORTER,
    "audit-form370": Role.FISHERIES,
}
"""The role each act needs."""
