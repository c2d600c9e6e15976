"""What agents ask of a scenario: the parts of its model that they act on.

Rules:
- These are the model's own records; the protocols only name what an agent reads of them.
- What is scripted for a claim is not done by an agent on its own account.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from scenarios.model.carnets import AtaCarnet, AtaReplacement
from scenarios.model.claims import Claim
from scenarios.model.documents import Document
from scenarios.model.fisheries import FisheriesLists, Form370
from scenarios.model.fisherysteps import FileForm370
from scenarios.model.invoices import Invoice
from scenarios.model.network import Agent as Behavior
from scenarios.model.network import Delay
from scenarios.model.steps import AllowClaim, AnswerRequest, DenyClaim, RequestInformation, Step
from scenarios.model.verifications import OpenVerification, Verification

__all__ = [
    "Behavior",
    "Delay",
    "Script",
    "Step",
    "delay_of",
    "is_answered_by_script",
    "is_decided_by_script",
    "is_filed_by_script",
    "is_requested_by_script",
]


class Script(Protocol):
    """A scenario's documents, claims and steps, by local names."""

    @property
    def documents(self) -> Mapping[str, Document]:
        """The documents."""

    @property
    def invoices(self) -> Mapping[str, Invoice]:
        """The commercial invoices."""

    @property
    def verifications(self) -> Mapping[str, Verification]:
        """The verifications."""

    @property
    def claims(self) -> Mapping[str, Claim]:
        """The claims."""

    @property
    def carnets(self) -> Mapping[str, AtaCarnet | AtaReplacement]:
        """The ATA carnets."""

    @property
    def forms(self) -> Mapping[str, Form370]:
        """The fisheries certificates of origin."""

    @property
    def fisheries(self) -> FisheriesLists:
        """What the fisheries authority knows beside the forms."""

    @property
    def steps(self) -> Sequence[Step]:
        """The steps, in the file's order."""


def delay_of(own: Delay | None, usual: Delay) -> Delay:
    """Return how long something takes: as its paper says, or as its organization usually takes."""
    return usual if own is None else own


def is_requested_by_script(script: Script, claim: str | None) -> bool:
    """Whether the scenario itself asks for information on a claim."""
    return any(isinstance(step, RequestInformation) and step.claim == claim for step in script.steps)


def is_answered_by_script(script: Script, claim: str | None) -> bool:
    """Whether the scenario itself answers Customs on a claim."""
    return any(isinstance(step, AnswerRequest) and step.claim == claim for step in script.steps)


def is_decided_by_script(script: Script, claim: str | None) -> bool:
    """Whether the scenario itself allows or denies a claim, or has it wait for a verification."""
    decided = any(isinstance(step, AllowClaim | DenyClaim) and step.claim == claim for step in script.steps)
    opened = [step.verification for step in script.steps if isinstance(step, OpenVerification)]
    return decided or any(claim in script.verifications[name].claims for name in opened)


def is_filed_by_script(script: Script, form: str) -> bool:
    """Whether the scenario itself files a form 370."""
    return any(isinstance(step, FileForm370) and step.form370 == form for step in script.steps)
