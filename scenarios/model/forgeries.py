"""Scripted forgeries: acts in another's name, under a key that is made up or stolen."""

from __future__ import annotations

from typing import Literal, TypeAlias

from pydantic import Field

from scenarios.model.claims import LocalName
from scenarios.model.stepbase import StepRecord


class _Forgery(StepRecord):
    key: Literal["MADE-UP", "STOLEN"] = Field(
        description="MADE-UP is no key of the victim's; STOLEN is the one with which it was founded."
    )


class ForgeCertificate(_Forgery):
    """Anchor a certificate of origin in its issuer's name, and take it as one's own."""

    do: Literal["forge-certificate"]
    document: LocalName = Field(description="Local name of the certificate; its issuer is the victim.")


class ForgeCarnet(_Forgery):
    """Issue a carnet in an association's name."""

    do: Literal["forge-carnet"]
    victim: str = Field(description="Association in whose name it is signed.")


Forgery: TypeAlias = ForgeCertificate | ForgeCarnet
