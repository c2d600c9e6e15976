"""What chance decides about a shipment outside both arms: whom Customs asks, and when.

Rules:
- Whom Customs asks without a cause is the same in both arms, so that they differ in how an inquiry goes. (Replacing CBP
  Form 28 is a legal question; by default the ledger only answers it faster.) Where the arms part all the same is in
  docs/baseline.md.
"""

from __future__ import annotations

from scenarios.model.workload import Workload
from scenarios.workload.shipment import Shipment

ASKED_AFTER_DAYS = (1, 30)
VERIFIED_AFTER_DAYS = (20, 90)


def requested_after_days(shipment: Shipment, workload: Workload) -> int | None:
    """Return how many calendar days after a claim Customs asks about it, or None if it never does."""
    if not shipment.chance.happens("requested", workload.requested):
        return None
    return shipment.chance.whole("requested after", *ASKED_AFTER_DAYS)


def verified_after_days(shipment: Shipment, workload: Workload) -> int | None:
    """Return how many calendar days after a claim Customs verifies its certifier, or None if it never does."""
    if not shipment.chance.happens("verified", workload.verified):
        return None
    return shipment.chance.whole("verified after", *VERIFIED_AFTER_DAYS)
