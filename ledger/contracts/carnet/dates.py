"""What a carnet's dates come to: its status as of a day, and the last days of everybody's time.

Rules:
- Nothing on the ledger turns a carnet EXPIRED: it is so on every day after its last one, unless it was returned,
  discharged or replaced before anyone asked.
- The last day of a time is in time, the next one is late.
"""

from __future__ import annotations

import datetime
from enum import StrEnum

from ledger.contracts.carnet.records import CarnetRecord, CarnetState
from ledger.contracts.deadlines import add_months, anniversary
from ledger.contracts.parameters import (
    CARNET_CLAIM_YEARS,
    CARNET_PROOF_MONTHS,
    CARNET_RECOVERY_MONTHS,
    CARNET_VALID_YEARS_MAX,
)


class CarnetStatus(StrEnum):
    """A carnet's status on a day: its state on the ledger, or EXPIRED."""

    APPLIED = "APPLIED"
    SECURED = "SECURED"
    ISSUED = "ISSUED"
    ACTIVE = "ACTIVE"
    EXPIRED = "EXPIRED"
    RETURNED = "RETURNED"
    DISCHARGED = "DISCHARGED"
    REPLACED = "REPLACED"


EXPIRING = (CarnetState.ISSUED, CarnetState.ACTIVE)
"""States of a carnet that can run out."""


def carnet_status(record: CarnetRecord, as_of: datetime.date) -> CarnetStatus:
    """Return a carnet's status on a day."""
    runs_out = record.state in EXPIRING and record.valid_until is not None
    if runs_out and record.valid_until is not None and as_of > record.valid_until:
        return CarnetStatus.EXPIRED
    return CarnetStatus(record.state.value)


def valid_until_max(issued_on: datetime.date) -> datetime.date:
    """Return the latest last day of a carnet issued on a day."""
    return anniversary(issued_on, CARNET_VALID_YEARS_MAX.value)


def carnet_claim_due_on(valid_until: datetime.date) -> datetime.date:
    """Return the last day for customs' claim (ATA Convention, Art. 6)."""
    return anniversary(valid_until, CARNET_CLAIM_YEARS.value)


def proof_due_on(opened_on: datetime.date) -> datetime.date:
    """Return the last day for the association's proof, or deposit, after a claim (ATA Convention, Art. 7)."""
    return add_months(opened_on, CARNET_PROOF_MONTHS.value)


def recovery_due_on(deposited_on: datetime.date) -> datetime.date:
    """Return the last day for a proof that recovers a provisional deposit (ATA Convention, Art. 7, partly read)."""
    return add_months(deposited_on, CARNET_RECOVERY_MONTHS.value)
