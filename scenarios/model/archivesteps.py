"""Scripted acts with documents after they were sent, and with an organization's own keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from pydantic import Field

from ledger.genesis import Role
from scenarios.model.claims import LocalName
from scenarios.model.stepbase import StepRecord


class DiscloseDocument(StepRecord):
    """Send a document that one has to a further member, without issuing it again."""

    do: Literal["disclose-document"]
    document: LocalName = Field(description="Local name of the document.")
    to: str = Field(description="Organization that is to read it.")
    fields: tuple[str, ...] | None = Field(
        None, min_length=1, description="Fields to show; all that the sender may see if absent."
    )


class PurgeDocument(StepRecord):
    """Have every envelope of a document deleted once records need not be kept any more."""

    do: Literal["purge-document"]
    document: LocalName = Field(description="Local name of the document.")


class RotateKeys(StepRecord):
    """Take new keys, for signing and for documents; the old ones sign no more."""

    do: Literal["rotate-keys"]


ArchiveSteps: TypeAlias = DiscloseDocument | PurgeDocument | RotateKeys

ARCHIVE_ROLES: Mapping[str, tuple[Role, ...]] = {
    "disclose-document": tuple(Role),
    "purge-document": tuple(Role),
    "rotate-keys": tuple(Role),
}
"""Anybody's acts: whether one has the document is seen when the step is taken."""
