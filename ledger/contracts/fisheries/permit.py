"""The importer's international fisheries trade permit: granted by the fisheries authority, in force between two days.

Rules:
- Who has a permit is public, as in the agency's own list; a grant takes the place of the one before it.
- Form 370 and the permit are of the United States (16 USC 1385; 81 FR 51126): another country's fisheries
  authority grants none and decides on none.
- Filing without one is a finding, never a refusal.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Self

from ledger.contracts.act import Context, Writer, country_of, read_legal_date, read_organization
from ledger.contracts.findings import Finding
from ledger.contracts.fisheries.records import PermitRecord, read_permit
from ledger.contracts.table import Refusal, RuleViolatedError
from ledger.fields import Fields
from ledger.genesis import Role
from ledger.state import permit_key

AUTHORITIES_OF = "US"
"""The country that asks for Form 370."""


def has_permit(state: Writer, importer: str, day: datetime.date) -> bool:
    """Say whether an importer's permit is in force on a day (81 FR 51126)."""
    data = state.get(permit_key(importer))
    return data is not None and read_permit(data).covers(day)


def is_in_charge(context: Context) -> bool:
    """Say whether the sender is of the country whose authorities decide on forms and permits."""
    return country_of(context) == AUTHORITIES_OF


@dataclass(frozen=True, slots=True)
class GrantPermit:
    """`fisheries.permit`: the fisheries authority grants an importer its trade permit."""

    holder: str
    first: datetime.date
    last: datetime.date

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Take the body's fields."""
        return cls(
            read_organization(fields, "holder"),
            read_legal_date(fields, "from"),
            read_legal_date(fields, "to"),
        )

    def apply(self, context: Context, state: Writer) -> tuple[Finding, ...]:
        """Record the permit."""
        if not is_in_charge(context):
            message = f"{context.sender.id} is no fisheries authority of {AUTHORITIES_OF}"
            raise RuleViolatedError(context.event, Refusal.NOT_IN_CHARGE, message)
        member = context.roster.find(self.holder)
        if member is None or Role.IMPORTER not in member.roles:
            raise RuleViolatedError(
                context.event, Refusal.NOT_IMPORTER, f"{self.holder} is no importer of this network"
            )
        if self.first > self.last:
            raise RuleViolatedError(
                context.event, Refusal.PERMIT_ORDER, f"the permit would run from {self.first} to {self.last}"
            )
        state.put(permit_key(self.holder), PermitRecord(self.first, self.last, context.time_ms).encode())
        return ()
