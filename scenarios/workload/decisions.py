"""What chance decides about people outside both arms: whom Customs asks, who stays silent, what is hidden from it.

Rules:
- Whom Customs asks without a cause is the same in both arms, so that they differ in how an inquiry goes. (Replacing CBP
  Form 28 is a legal question; by default the ledger only answers it faster.)
- A claim is asked about or verified, not both; where nobody has certified anything, there is nobody to verify.
- Who would not answer Customs about a shipment answers in neither arm, whoever asks and why.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from scenarios.model.workload import Workload
from scenarios.workload.shipment import Noncompliance, OriginPlan, Shipment

ASKED_AFTER_DAYS = (1, 30)
VERIFIED_AFTER_DAYS = (20, 90)


class InquiryKind(StrEnum):
    """How Customs looks into a claim without a cause."""

    REQUEST = "request"
    VERIFICATION = "verification"


@dataclass(frozen=True, slots=True)
class Inquiry:
    """An inquiry that is drawn with a shipment.

    Attributes:
        kind: a request for information to the importer, or a verification with the certifier.
        after_days: calendar days from the claim.
    """

    kind: InquiryKind
    after_days: int


def inquiry_of(shipment: Shipment, workload: Workload) -> Inquiry | None:
    """Return the inquiry that Customs makes into a shipment's claim in either arm, or None if it makes none."""
    chance = shipment.chance
    if chance.happens("requested", workload.requested):
        return Inquiry(InquiryKind.REQUEST, chance.whole("requested after", *ASKED_AFTER_DAYS))
    certified = isinstance(shipment.plan, OriginPlan) and shipment.plan.certificate is not None
    if certified and chance.happens("verified", workload.verified):
        return Inquiry(InquiryKind.VERIFICATION, chance.whole("verified after", *VERIFIED_AFTER_DAYS))
    return None


def answers(shipment: Shipment, workload: Workload) -> bool:
    """Say whether the importer, or its broker, answers if Customs asks about this shipment's claim."""
    return not shipment.chance.happens("unanswered", workload.unanswered)


def replies(shipment: Shipment, workload: Workload) -> bool:
    """Say whether the certifier replies if Customs verifies this shipment's certificate."""
    return not shipment.chance.happens("unreplied", workload.unreplied)


def books_show(shipment: Shipment, workload: Workload) -> bool:
    """Say whether a certifier's books show Customs that goods do not originate; of goods that do, they never do."""
    is_false = shipment.noncompliance is Noncompliance.WRONG_ORIGIN
    return is_false and shipment.chance.happens("books show", workload.books_show)


def is_presented(shipment: Shipment, country: str, workload: Workload) -> bool:
    """Say whether goods under a carnet are shown to customs of a country as they leave it."""
    return not shipment.chance.happens(f"unpresented {country}", workload.unpresented)
