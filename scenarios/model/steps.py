"""Scripted acts, told apart by `do`; everything else the agents do by themselves.

Rules:
- `by` is who acts: it has the role that the table `ROLES` gives for the act, and is the document's issuer or
  the claim's importer where the act is theirs.
- Another document's steps stand in a module of their own, with their roles; the union and the table here take
  them in.
- Steps count from 1, in the file's order, as expectations name them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from ledger.genesis import Role
from scenarios.model.archivesteps import ARCHIVE_ROLES, ArchiveSteps
from scenarios.model.brokersteps import BROKER_ROLES, BrokerStep
from scenarios.model.carnetsteps import CARNET_ROLES, CarnetSteps
from scenarios.model.claims import LocalName
from scenarios.model.fisherysteps import FISHERY_ROLES, FisheryStep
from scenarios.model.forgeries import Forgery
from scenarios.model.stepbase import StepRecord
from scenarios.model.units import DateText
from scenarios.model.verifications import OpenVerification


class _DocumentStep(StepRecord):
    document: LocalName = Field(description="Local name of the document.")


class _HoldingStep(_DocumentStep):
    holder: str = Field(description="Importer whose holding it is.")


class ClaimStep(StepRecord):
    """What every step on a claim has."""

    claim: LocalName = Field(description="Local name of the claim.")


class IssueCertificate(_DocumentStep):
    """Sign a certificate, anchor it and deliver it to its addressees."""

    do: Literal["issue-certificate"]


class NotifyIncorrect(_DocumentStep):
    """Give notice to every recipient that a certificate is incorrect (19 USC 1592(f))."""

    do: Literal["notify-incorrect"]
    reason: str = Field(
        min_length=1, max_length=500, description="What is incorrect; private to the recipients."
    )


class SupersedeCertificate(_DocumentStep):
    """Replace a certificate by another, already issued one."""

    do: Literal["supersede-certificate"]
    successor: LocalName = Field(description="Local name of the certificate that replaces it.")


class SuspendHolding(_HoldingStep):
    """Suspend an importer's use of a certificate (19 CFR 181.22(c))."""

    do: Literal["suspend-holding"]


class ReinstateHolding(_HoldingStep):
    """End a suspension."""

    do: Literal["reinstate-holding"]


class RejectHolding(_HoldingStep):
    """Refuse an importer's certificate, also for later identical imports (19 CFR 181.22(c))."""

    do: Literal["reject-holding"]


class SendInvoice(StepRecord):
    """Send an invoice to its buyer, its root anchored."""

    do: Literal["send-invoice"]
    invoice: LocalName = Field(description="Local name of the invoice.")


class FileClaim(ClaimStep):
    """Claim preference on the entry summary (19 CFR 142.12(b))."""

    do: Literal["file-claim"]


class FilePostClaim(ClaimStep):
    """Claim preference after importation (19 USC 1520(d))."""

    do: Literal["file-post-claim"]


class CorrectClaim(ClaimStep):
    """Correct a claim and pay the duty (19 CFR 181.21(b))."""

    do: Literal["correct-claim"]
    discovered_on: DateText = Field(description="Day on which the importer learned that the claim is wrong.")


class AnswerRequest(ClaimStep):
    """Answer Customs' request, or cure a defect it found, whatever the agent would do."""

    do: Literal["answer-request"]
    document: LocalName | None = Field(
        None, description="Certificate to show in place of the one claimed on: the corrected one."
    )


class ProtestClaim(ClaimStep):
    """Protest the liquidation of an entry line (19 USC 1514)."""

    do: Literal["protest-claim"]
    reason: str = Field(min_length=1, max_length=2000, description="Why; private to both parties.")
    document: LocalName | None = Field(
        None, description="Certificate to show in place of the one claimed on: the corrected one."
    )


class RequestInformation(ClaimStep):
    """Ask the importer for the certificate and its support (CBP Form 28)."""

    do: Literal["request-information"]
    question: str = Field(
        min_length=1, max_length=2000, description="What is asked; private to both parties."
    )


class ExtendRequest(ClaimStep):
    """Give the importer thirty more days for back-up records."""

    do: Literal["extend-request"]


class AllowClaim(ClaimStep):
    """Close a review in the importer's favor, whatever the agent would do."""

    do: Literal["allow-claim"]


class DenyClaim(ClaimStep):
    """Deny a claim (CBP Form 29), whatever the agent would do."""

    do: Literal["deny-claim"]
    reason: str = Field(min_length=1, max_length=2000, description="Why; private to both parties.")


class Liquidate(ClaimStep):
    """Liquidate the entry line (19 USC 1500)."""

    do: Literal["liquidate"]


Step: TypeAlias = Annotated[
    IssueCertificate
    | NotifyIncorrect
    | SupersedeCertificate
    | SuspendHolding
    | ReinstateHolding
    | RejectHolding
    | SendInvoice
    | OpenVerification
    | FileClaim
    | FilePostClaim
    | CorrectClaim
    | AnswerRequest
    | ProtestClaim
    | RequestInformation
    | ExtendRequest
    | AllowClaim
    | DenyClaim
    | Liquidate
    | BrokerStep
    | CarnetSteps
    | ArchiveSteps
    | Forgery
    | FisheryStep,
    Field(discriminator="do"),
]

_ENTRANTS = (Role.IMPORTER, Role.BROKER)
_CERTIFIERS = (Role.EXPORTER, Role.PRODUCER, Role.IMPORTER)

ROLES: Mapping[str, Role | tuple[Role, ...]] = {
    "issue-certificate": _CERTIFIERS,
    "notify-incorrect": _CERTIFIERS,
    "supersede-certificate": _CERTIFIERS,
    "open-verification": Role.CUSTOMS,
    "send-invoice": (Role.EXPORTER, Role.PRODUCER),
    "answer-request": _ENTRANTS,
    "protest-claim": _ENTRANTS,
    "suspend-holding": Role.CUSTOMS,
    "reinstate-holding": Role.CUSTOMS,
    "reject-holding": Role.CUSTOMS,
    "file-claim": _ENTRANTS,
    "file-post-claim": _ENTRANTS,
    "correct-claim": _ENTRANTS,
    "request-information": Role.CUSTOMS,
    "extend-request": Role.CUSTOMS,
    "allow-claim": Role.CUSTOMS,
    "deny-claim": Role.CUSTOMS,
    "liquidate": Role.CUSTOMS,
    **BROKER_ROLES,
    **CARNET_ROLES,
    **ARCHIVE_ROLES,
    "forge-certificate": Role.IMPORTER,
    "forge-carnet": tuple(Role),
    **FISHERY_ROLES,
}
"""The role each act needs, or the roles of which it needs one."""
